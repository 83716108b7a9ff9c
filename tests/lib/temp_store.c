#include "tests/lib/temp_store.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/num.h"
#include "base/str.h"
#include "image/image.h"
#include "storage/ledger.h"
#include "storage/orphans.h"
#include "storage/store_impl.h"
#include "storage/volume.h"
#include "tests/lib/fake_snap.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

const char *temp_store_driver;

/* In memory, where that can be opened as the ledger's device is: thousands of
 * small files take their time on a disk. */
static void make_dir(char dir[TEMP_DIR_MAX])
{
	int fd = open("/dev/shm", O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC,
		      0600);

	(void)snprintf(dir, TEMP_DIR_MAX, "%s/img-test-XXXXXX",
		       fd >= 0 ? "/dev/shm" : "/tmp");
	img_fd_release(&fd);
	assert_non_null(mkdtemp(dir));
}

void temp_store_init(struct temp_store *t)
{
	*t = (struct temp_store){ 0 };
	make_dir(t->dir);
	(void)snprintf(t->root, sizeof(t->root), "%s/root", t->dir);
	(void)snprintf(t->run, sizeof(t->run), "%s/run", t->dir);
	(void)snprintf(t->thins, sizeof(t->thins), "%s/thins", t->dir);
	assert_int_equal(mkdir(t->thins, 0700), 0);
	t->fake = fake_dm_new(t->thins);
	t->options = (struct store_options){
		.driver = temp_store_driver,
		.root = t->root,
		.run_root = t->run,
		.create = true,
		.sizes = { .data_bytes = 100 * MIB,
			   .metadata_bytes = 2 * MIB,
			   .volume_bytes = 64 * MIB },
		.dm = fake_dm_ops(t->fake),
	};
	if (temp_store_driver) /* has no pool */
		t->options.sizes.data_bytes = t->options.sizes.metadata_bytes =
			0;
}

void temp_store_release(struct temp_store *t)
{
	struct img_err err = { 0 };

	fake_dm_free(t->fake);
	if (file_remove_tree(AT_FDCWD, t->dir, &err) < 0)
		fail_msg("%s", err.msg);
}

struct store *temp_store_open(struct temp_store *t)
{
	struct store *store = NULL;
	struct img_err err = { 0 };

	if (store_open(&t->options, &store, &err) < 0)
		fail_msg("%s", err.msg);
	return store;
}

void temp_store_close(struct store **store)
{
	store_close(store);
}

int temp_store_setup(void **state)
{
	struct temp_store *t = mem_zalloc(sizeof(*t));

	temp_store_init(t);
	*state = t;
	return 0;
}

int temp_store_teardown(void **state)
{
	temp_store_release(*state);
	free(*state);
	return 0;
}

static void create_volume(struct store *store, struct volume_pending *ret)
{
	struct img_err err = { 0 };

	if (volume_create(store, store_volume_bytes(store), ret, &err) < 0)
		fail_msg("%s", err.msg);
}

uint32_t temp_store_add_volume(struct store *store)
{
	struct volume_pending new = { 0 };
	struct img_err err = { 0 };

	create_volume(store, &new);
	assert_int_equal(db_begin(store_db(store), false, &err), 0);
	assert_int_equal(volume_settle(&new, &err), 0);
	assert_int_equal(db_commit(store_db(store), &err), 0);
	volume_keep(&new);
	return new.volume.id;
}

struct id temp_store_add_image(struct store *store, const char *name)
{
	struct volume_pending new = { 0 };
	struct image_name parsed;
	struct img_err err = { 0 };
	struct id id;

	create_volume(store, &new);
	assert_int_equal(image_name_parse(name, &parsed, &err), 0);
	if (image_add(store,
		      &(struct image_new){ .volume = &new,
					   .config = "{\"Cmd\":[\"sh\"]}",
					   .name = &parsed,
					   .created_by = "test",
					   .comment = "" },
		      &id, &err) < 0)
		fail_msg("%s", err.msg);
	return id;
}

int64_t temp_store_count(struct store *store, const char *sql)
{
	struct img_err err = { 0 };
	int64_t n = 0;

	if (db_get_int(store_db(store), &n, &err, sql, "") < 0)
		fail_msg("%s", err.msg);
	return n;
}

bool temp_store_is_unlocked(const struct store *store)
{
	img_auto(img_mem_release) char *path =
		mem_printf("%s/lock", store->run);
	img_auto(img_fd_release) int fd = open(path, O_RDWR | O_CLOEXEC);
	/* But for LOCK_USE, which is shared and held to the end. */
	struct flock all = { .l_type = F_WRLCK,
			     .l_whence = SEEK_SET,
			     .l_start = LOCK_USE + 1 };

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_GETLK, &all), 0);
	return all.l_type == F_UNLCK;
}

static bool lists(const uint32_t *list, uint32_t id)
{
	for (; list && *list; list++)
		if (*list == id)
			return true;
	return false;
}

struct look {
	struct store *store;
	int64_t found;
};

static int look_at_record(void *self, const struct ledger_record *record,
			  struct img_err *err)
{
	struct look *look = self;
	int64_t one;

	if (db_get_int(store_db(look->store), &one, err,
		       "SELECT 1 FROM images WHERE volume = ?1 UNION ALL"
		       " SELECT 1 FROM named_volumes WHERE volume = ?1",
		       "i", (int64_t)record->volume) != 1)
		fail_msg("the ledger knows what is on volume %u, the catalog "
			 "does not",
			 record->volume);
	look->found++;
	return 0;
}

static void check_ledger(struct store *store)
{
	struct look look = { store, 0 };
	struct img_err err = { 0 };

	if (ledger_each(store, look_at_record, &look, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(
		look.found,
		temp_store_count(store,
				 "SELECT (SELECT count(*) FROM images)"
				 " + (SELECT count(*) FROM named_volumes)"));
}

static int64_t count_loose(struct store *store, const uint32_t *loose)
{
	struct volume volume;
	int64_t n = 0;

	for (; loose && *loose; loose++) {
		struct img_err err = { 0 };

		if (volume_find(store, *loose, &volume, &err) < 0)
			fail_msg("%s", err.msg);
		n++;
	}
	return n;
}

/* Files, on the driver snapshot. */
static void check_files(struct store *store, const uint32_t *loose)
{
	img_auto(volume_ids_release) struct volume_ids files = { 0 };
	struct img_err err = { 0 };
	bool is_new;

	if (store->driver->list(store, &files, &is_new, &err) < 0)
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < files.n; i++) {
		struct volume volume;

		if (volume_find(store, files.id[i], &volume, &err) < 0)
			fail_msg("the file of volume %u is nobody's",
				 files.id[i]);
	}
	assert_int_equal(files.n,
			 temp_store_count(store,
					  "SELECT count(*) FROM volumes"));
	assert_int_equal(temp_store_count(store,
					  "SELECT count(*) FROM images") +
				 count_loose(store, loose),
			 files.n);
}

static void check_volumes(struct temp_store *t, struct store *store,
			  const uint32_t *loose)
{
	int64_t volumes =
		temp_store_count(store, "SELECT count(*) FROM volumes");

	if (temp_store_driver) {
		check_files(store, loose);
		return;
	}
	for (size_t i = 0; i < FAKE_DM_THINS; i++) {
		struct img_err err = { 0 };
		struct volume volume;

		if (t->fake->thin[i].exists && t->fake->thin[i].id &&
		    volume_find(store, t->fake->thin[i].id, &volume, &err) < 0)
			fail_msg("the pool's volume %u is nobody's",
				 t->fake->thin[i].id);
	}
	assert_int_equal(fake_dm_count_thins(t->fake),
			 volumes + fake_dm_has_thin(t->fake, 0));
	assert_int_equal(temp_store_count(store,
					  "SELECT count(*) FROM images") +
				 count_loose(store, loose),
			 volumes);
}

/* An origin is there for a snapshot, or because it may be itself. */
static void check_snapshot(const struct temp_store *t,
			   const struct fake_device *d,
			   const uint32_t *may_be_active)
{
	unsigned lower, snapshots = 0;
	const char *what = strrchr(d->name, '-') + 1;

	if (lists(may_be_active, (uint32_t)strtoul(what, NULL, 10)))
		return;
	assert_int_equal(sscanf(d->params, "7:%u", &lower), 1);
	for (size_t i = 0; i < FAKE_DM_DEVICES; i++)
		if (&t->fake->device[i] != d)
			snapshots += fake_snap_uses(&t->fake->device[i], lower);
	if (strcmp(d->target, "snapshot-origin") != 0 || snapshots == 0)
		fail_msg("%s %s was left", d->target, d->name);
}

static void check_devices(struct temp_store *t, const uint32_t *may_be_active)
{
	for (size_t i = 0; i < FAKE_DM_DEVICES; i++) {
		const struct fake_device *d = &t->fake->device[i];
		unsigned id;

		if (d->exists && fake_snap_is(d->target)) {
			check_snapshot(t, d, may_be_active);
			continue;
		}
		if (!d->exists || strcmp(d->target, "thin") != 0)
			continue;
		assert_int_equal(sscanf(d->params, "%*u:%*u %u", &id), 1);
		if (id && !lists(may_be_active, id))
			fail_msg("volume %u was left active", id);
	}
	fake_dm_check(t->fake);
}

void temp_store_check(struct temp_store *t, struct store *store,
		      const uint32_t *loose, const uint32_t *may_be_active)
{
	struct img_err err = { 0 };

	if (store_need_pool(store, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(
		temp_store_count(store, "SELECT count(*) FROM intents"), 0);
	check_volumes(t, store, loose);
	check_ledger(store);
	check_devices(t, may_be_active);
	assert_true(temp_store_is_unlocked(store));
}
