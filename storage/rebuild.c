#include "storage/rebuild.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "base/str.h"
#include "storage/catalog.h"
#include "storage/ledger.h"
#include "storage/orphans.h"
#include "storage/rebuild_impl.h"
#include "storage/settings.h"
#include "storage/store_make.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

/* A database and what SQLite keeps beside it. */
static const char *const db_files[] = { "", "-wal", "-shm" };

void rebuild_result_release(struct rebuild_result *result)
{
	img_mem_release(&result->aside);
}

/* A catalog that is whole is not thrown away for one that knows less. */
static int check_is_lost(const struct store_options *options, const char *path,
			 struct img_err *err)
{
	img_auto(db_close) struct db *db = NULL;
	img_auto(db_row_end) struct db_row *row = NULL;
	struct img_err lost = { 0 };
	int64_t have = 0;
	int r = catalog_open(path, false, &db, &lost);

	if (r == -IMG_E_UNSUPPORTED || r == -IMG_E_BUSY) {
		*err = lost;
		return r;
	}
	if (r == 0)
		r = db_get_int(db, &have, &lost,
			       "SELECT count(*) FROM settings", "");
	if (r > 0 && have > 0)
		r = db_query(db, &row, &lost, "PRAGMA quick_check(1)", "");
	if (r == 0 && row)
		r = db_next(row, &lost);
	if (r <= 0 || !row || strcmp(db_text(row, 0), "ok") != 0)
		return 0;
	return img_err_set(err, IMG_E_EXISTS, 0,
			   "the catalog %s is whole: 'img doctor --repair' "
			   "mends what is in it; to make it anew all the same, "
			   "move it away first",
			   path);
}

static int remove_files(const char *path, struct img_err *err)
{
	for (size_t i = 0; i < IMG_COUNT(db_files); i++) {
		img_auto(img_mem_release) char *file =
			mem_printf("%s%s", path, db_files[i]);

		if (unlink(file) < 0 && errno != ENOENT)
			return img_err_sys(err, "cannot remove %s", file);
	}
	return 0;
}

static int set_number(struct db *db, const char *key, uint64_t value,
		      struct img_err *err)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	return catalog_set(db, key, text, err);
}

/* The pool may have grown since its settings were recorded. */
static int correct_size(struct db *db, const char *key, uint64_t bytes,
			struct img_err *err)
{
	uint64_t recorded = 0;
	int r = catalog_setting_u64(db, key, &recorded, err);

	return r < 0 || recorded >= bytes ? r : set_number(db, key, bytes, err);
}

static int correct_sizes(struct db *db, const struct identity *identity,
			 struct img_err *err)
{
	int r;

	if (!identity->data_bytes) /* another driver's */
		return 0;
	r = correct_size(db, "data_bytes", identity->data_bytes, err);
	return r < 0 ? r
		     : correct_size(db, "metadata_bytes",
				    identity->metadata_bytes, err);
}

static int write_settings(const struct store_options *options,
			  const struct identity *identity, const char *path,
			  struct img_err *err)
{
	img_auto(db_close) struct db *db = NULL;
	img_auto(db_txn_release) struct db *txn = NULL;
	struct store_options unrecorded = *options;
	int r = catalog_open(path, true, &db, err);

	if (r < 0)
		return r;
	if (!identity->settings) {
		unrecorded.driver = identity->driver;
		unrecorded.sizes = (struct store_sizes){
			.chunk_bytes = identity->chunk_bytes,
			.data_bytes = identity->data_bytes,
			.metadata_bytes = identity->metadata_bytes,
		};
		return store_settings_write(db, &unrecorded, err);
	}
	r = db_begin(db, true, err);
	if (r < 0)
		return r;
	txn = db;
	r = settings_restore(db, identity->settings, err);
	if (r == 0)
		r = correct_sizes(db, identity, err);
	return r < 0 ? r : db_commit(db, err);
}

static int find_used(void *self, const struct dm_block *block,
		     struct img_err *err)
{
	const char *dir = self;

	return block->is_loop && block->is_used &&
	       strncmp(block->file, dir, strlen(dir)) == 0;
}

/* Two pools on the same files would be the end of both. */
static int check_is_down(const struct store_options *options,
			 const struct dm *dm, struct img_err *err)
{
	img_auto(img_mem_release) char *real = realpath(options->root, NULL);
	img_auto(img_mem_release) char *dir =
		mem_printf("%s/", real ? real : options->root);
	int r = dm->ops->each_block(dm->self, find_used, dir, err);

	if (r <= 0)
		return r;
	return img_err_set(err, IMG_E_BUSY, 0,
			   "devices of the store in %s are up, under an id "
			   "that was never recorded: remove them ('dmsetup "
			   "remove', the pool last) or reboot, then try again",
			   options->root);
}

/* The records, the latest first: of two images that claim a name it has it. */
struct records {
	struct ledger_record *all;
	char **texts; /* theirs, in the order in which they were read */
	size_t n, room;
};

static void records_release(struct records *records)
{
	for (size_t i = 0; i < records->n; i++)
		free(records->texts[i]);
	img_mem_release(&records->texts);
	img_mem_release(&records->all);
}

static int add_record(void *self, const struct ledger_record *record,
		      struct img_err *err)
{
	struct records *records = self;

	if (records->n == records->room) {
		records->room = records->room ? 2 * records->room : 64;
		records->all = mem_realloc(
			records->all, records->room * sizeof(*records->all));
		records->texts =
			mem_realloc(records->texts,
				    records->room * sizeof(*records->texts));
	}
	records->texts[records->n] = mem_strdup(record->json);
	records->all[records->n] = *record;
	records->all[records->n].json = records->texts[records->n];
	records->n++;
	return 0;
}

static int latest_first(const void *a, const void *b)
{
	const struct ledger_record *x = a, *y = b;

	return x->seq > y->seq ? -1 : x->seq < y->seq;
}

/* Enters the images, and lists those of their volumes. */
static int enter_images(struct store *store, const struct volume_ids *pool,
			struct volume_ids *ret, unsigned *ret_n,
			struct img_err *err)
{
	img_auto(records_release) struct records records = { 0 };
	int r = ledger_each(store, add_record, &records, err);

	for (size_t i = 0; r == 0 && i < records.n; i++)
		if (volume_ids_has(pool, records.all[i].volume))
			volume_ids_add(ret, records.all[i].volume);
	if (records.n)
		qsort(records.all, records.n, sizeof(*records.all),
		      latest_first);
	for (size_t i = 0; r == 0 && i < records.n; i++) {
		if (!volume_ids_has(pool, records.all[i].volume))
			continue;
		r = store->adopt(store, &records.all[i], err);
		*ret_n += r == 0;
	}
	return r;
}

static int insert_row(struct store *store, const struct volume *volume,
		      struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store->db, true, err);

	if (r < 0)
		return r;
	txn = store->db;
	r = db_run(store->db, err,
		   "INSERT INTO volumes (id, size_bytes, origin)"
		   " VALUES (?, ?, nullif(?, 0))",
		   "iii", (int64_t)volume->id, (int64_t)volume->size_bytes,
		   (int64_t)volume->origin);
	return r < 0 ? r : db_commit(store->db, err);
}

static int enter_others(struct store *store, const struct volume_ids *pool,
			const struct volume_ids *images,
			const struct rebuild_options *options, unsigned *ret_n,
			struct img_err *err)
{
	for (size_t i = 0; i < pool->n; i++) {
		struct volume volume = { .id = pool->id[i] };
		struct img_err unclear = { 0 };
		int r;

		if (volume_ids_has(images, pool->id[i]))
			continue;
		/* A damaged volume is kept like any other. */
		if (store->driver->describe(store, pool->id[i], images, &volume,
					    &unclear) < 0)
			volume.size_bytes = store->sizes.volume_bytes;
		r = insert_row(store, &volume, err);
		if (r == 0)
			r = options->found(store, &volume, err);
		if (r < 0)
			return r;
		++*ret_n;
	}
	return 0;
}

/* Those who run know nothing of a new catalog. */
static int check_nobody_runs(struct store *store, struct img_err *err)
{
	int r = lock_is_held_from(store->lock_fd, LOCK_INTENTS, err);

	if (r > 0)
		r = img_err_set(err, IMG_E_BUSY, 0,
				"containers of this store run, or something is "
				"being made: end them first (%s/*.pid has "
				"their processes)",
				store->run);
	return r;
}

static int fill(const struct rebuild_options *options, const char *path,
		struct rebuild_result *ret, struct img_err *err)
{
	img_auto(volume_ids_release) struct volume_ids pool = { 0 };
	img_auto(volume_ids_release) struct volume_ids images = { 0 };
	img_auto(store_close) struct store *store = NULL;
	struct store_options to_examine = *options->store;
	int r;

	to_examine.examine = true;
	to_examine.create = false;
	r = store_open_at(&to_examine, path, &store, err);
	if (r == 0)
		r = check_nobody_runs(store, err);
	if (r == 0)
		r = store_need_pool(store, err);
	if (r == 0)
		r = orphans_list_pool(store, &pool, err);
	if (r < 0)
		return r;
	r = enter_images(store, &pool, &images, &ret->images, err);
	if (r == 0)
		r = enter_others(store, &pool, &images, options, &ret->others,
				 err);
	if (r == 0 && ret->new_id)
		r = ledger_put_store(store, err);
	return r < 0 ? r : db_fold(store->db, err);
}

static int put_aside(const char *path, struct rebuild_result *ret,
		     struct img_err *err)
{
	const time_t now = time(NULL);
	struct tm tm;
	char stamp[24];

	(void)gmtime_r(&now, &tm);
	(void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	for (size_t i = 0; i < IMG_COUNT(db_files); i++) {
		img_auto(img_mem_release) char *from =
			mem_printf("%s%s", path, db_files[i]);
		img_auto(img_mem_release) char *to =
			mem_printf("%s.damaged-%s%s", path, stamp, db_files[i]);

		if (rename(from, to) == 0) {
			if (!ret->aside)
				ret->aside = mem_strdup(to);
		} else if (errno != ENOENT) {
			return img_err_sys(err, "cannot put %s aside", from);
		}
	}
	return 0;
}

/* All of the new one is in its own file (db_fold). */
static int put_in_place(const struct store_options *options, const char *new,
			const char *path, struct rebuild_result *ret,
			struct img_err *err)
{
	img_auto(img_fd_release) int fd = open(new, O_RDONLY | O_CLOEXEC);
	img_auto(img_fd_release) int dir =
		open(options->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0 || dir < 0 || fsync(fd) < 0)
		return img_err_sys(err, "cannot sync %s", new);
	r = put_aside(path, ret, err);
	if (r < 0)
		return r;
	if (rename(new, path) < 0 || fsync(dir) < 0)
		return img_err_sys(err, "cannot put %s in place", path);
	return remove_files(new, err); /* what lay beside it */
}

/* Nobody makes a store here, or rebuilds one, meanwhile. */
static int lock_root(const struct store_options *options, int *ret,
		     struct img_err *err)
{
	*ret = open(options->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret < 0 || flock(*ret, LOCK_EX) < 0)
		return img_err_sys(err, "cannot lock %s", options->root);
	return 0;
}

int rebuild_catalog(const struct rebuild_options *options,
		    struct rebuild_result *ret, struct img_err *err)
{
	const struct store_options *o = options->store;
	img_auto(img_mem_release) char *path =
		mem_printf("%s/store.db", o->root);
	img_auto(img_mem_release) char *new = mem_printf("%s.new", path);
	img_auto(identity_release) struct identity identity = { 0 };
	struct dm dm = o->dm.ops ? o->dm : dm_kernel();
	img_auto(img_fd_release) int lock = -1;
	int r = lock_root(o, &lock, err);

	*ret = (struct rebuild_result){ 0 };
	if (r == 0)
		r = check_is_lost(o, path, err);
	if (r == 0)
		r = identity_read(o, &identity, err);
	if (r < 0)
		return r;
	ret->new_id = !identity.settings;
	if (ret->new_id)
		r = check_is_down(o, &dm, err);
	if (r == 0)
		r = remove_files(new, err);
	if (r == 0)
		r = write_settings(o, &identity, new, err);
	if (r == 0)
		r = fill(options, new, ret, err);
	return r < 0 ? r : put_in_place(o, new, path, ret, err);
}
