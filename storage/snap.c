#include "storage/snap.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/num.h"
#include "base/str.h"
#include "storage/ledger.h"
#include "storage/orphans.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

/* A change of one block of ext4 copies one chunk of four: less often than with
 * smaller ones does the kernel write its table. */
#define DEFAULT_CHUNK (16 * KIB)
#define CHUNK_MIN     (4 * KIB)
#define CHUNK_MAX     (1 * MIB)

#define BOOT_ID	    "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_MAX 64

static int check_sizes(struct store_sizes *sizes, struct img_err *err)
{
	if (sizes->data_bytes || sizes->metadata_bytes)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the driver snapshot has no pool: it takes "
				   "neither --data-size nor --metadata-size");
	if (!sizes->chunk_bytes)
		sizes->chunk_bytes = DEFAULT_CHUNK;
	if (sizes->chunk_bytes < CHUNK_MIN || sizes->chunk_bytes > CHUNK_MAX ||
	    (sizes->chunk_bytes & (sizes->chunk_bytes - 1)) != 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the chunk size must be a power of two from "
				   "4K to 1M");
	return 0;
}

static int find_any(void *self, const struct snap_file *file,
		    struct img_err *err)
{
	return 1;
}

static int make(const struct store_options *options, struct store_sizes *sizes,
		struct img_err *err)
{
	const char *root = options->root;
	img_auto(img_mem_release) char *root_copy = mem_strdup(root);
	img_auto(img_mem_release) char *dir = mem_printf("%s/volumes", root);
	struct store store = { .root = root_copy };
	int r = file_mkdirs(dir, 0700, err);

	if (r == 0)
		r = snap_each(&store, find_any, NULL, err);
	if (r > 0)
		return img_err_set(
			err, IMG_E_CORRUPT, 0,
			"%s holds volumes, but their catalog "
			"%s/store.db is gone: 'img doctor --rebuild' "
			"makes it again",
			dir, root);
	return r;
}

/* There is nothing to bring up.  What says that the store was looked at since
 * the kernel booted is a file with that boot's id. */
static char *started_path(const struct store *store)
{
	return mem_printf("%s/started", store->run);
}

static int boot_id(char **ret, struct img_err *err)
{
	return file_read_all(AT_FDCWD, BOOT_ID, BOOT_ID_MAX, ret, NULL, err);
}

static int is_started(struct store *store, struct img_err *err)
{
	img_auto(img_mem_release) char *path = started_path(store);
	img_auto(img_mem_release) char *then = NULL;
	img_auto(img_mem_release) char *now = NULL;
	const struct dm_name probe = { "img", DM_UUID_PREFIX };
	struct img_err missing = { 0 };
	struct dm_state state = { 0 };
	int r = store->dm.ops->state(store->dm.self, &probe, &state, err);

	if (r == 0)
		r = boot_id(&now, err);
	if (r < 0)
		return r;
	if (file_read_all(AT_FDCWD, path, BOOT_ID_MAX, &then, NULL, &missing) <
	    0)
		return 0;
	return now && then && strcmp(now, then) == 0;
}

/* What was made from a volume that is gone may be gone itself. */
static int drop_base(struct store *store, uint32_t base, struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	struct snap_file file = { SNAP_NONE, base, base };
	struct img_err gone = { 0 };
	int r = snap_lock_base(store, base, &lock, err);

	/* Only then are the others looked at: there may be thousands. */
	if (r == 0 && (snap_find_base(store, base, &file, &gone) < 0 ||
		       file.kind != SNAP_BASE))
		return 0;
	if (r == 0)
		r = snap_is_base(store, base, 0, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = snap_base_down(store, base, err);
	return r < 0 ? r : snap_unlink(store, &file, err);
}

static int drop_if_base(void *self, const struct snap_file *file,
			struct img_err *err)
{
	return file->kind == SNAP_BASE ? drop_base(self, file->id, err) : 0;
}

static int start(struct store *store, struct img_err *err)
{
	img_auto(img_mem_release) char *path = started_path(store);
	img_auto(img_mem_release) char *now = NULL;
	int r = snap_each(store, drop_if_base, store, err);

	if (r == 0)
		r = boot_id(&now, err);
	if (r < 0 || !now)
		return r;
	return file_replace(AT_FDCWD, path, now, strlen(now), false, err);
}

static int stop_one(struct store *store, const struct snap_file *file,
		    struct img_err *err)
{
	struct dm_state state = { 0 };
	struct dm_name name;
	int r = snap_state(store, file->id, &name, &state, err);

	if (r < 0 || !state.exists)
		return r;
	r = snap_is_wanted(store, file->id, err);
	if (r < 0)
		return r;
	if (r > 0 || (state.has_table && file->kind == SNAP_COW))
		return img_err_set(err, IMG_E_BUSY, 0,
				   "a volume of the store in %s is in use",
				   store->root);
	return store->dm.ops->remove(store->dm.self, &name, err);
}

static int stop_cow(void *self, const struct snap_file *file,
		    struct img_err *err)
{
	struct store *store = self;
	int r = 0;

	if (file->kind == SNAP_COW)
		return stop_one(store, file, err);
	if (file->kind == SNAP_MERGE)
		r = volume_is_held(store, file->id, err);
	return r > 0 ? img_err_set(err, IMG_E_BUSY, 0,
				   "a volume of the store in %s is being "
				   "merged",
				   store->root)
		     : r;
}

static int stop_rest(void *self, const struct snap_file *file,
		     struct img_err *err)
{
	return file->kind == SNAP_COW || file->kind == SNAP_MERGE
		       ? 0
		       : stop_one(self, file, err);
}

static int stop(struct store *store, struct img_err *err)
{
	img_auto(img_mem_release) char *path = started_path(store);
	int r = snap_each(store, stop_cow, store, err);

	if (r == 0)
		r = snap_each(store, stop_rest, store, err);

	if (r == 0)
		(void)unlink(path); /* there or not */
	return r;
}

static int create(struct store *store, const struct volume *volume,
		  struct img_err *err)
{
	const struct snap_file file = { SNAP_WHOLE, volume->id, volume->id };
	img_auto(img_mem_release) char *path = snap_path(store, &file);
	img_auto(img_fd_release) int fd = -1;
	int r = snap_need_room(store, 0, err);

	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return img_err_set(err, IMG_E_EXISTS, 0, "%s is there already",
				   path);
	if (fd < 0 || ftruncate(fd, (off_t)volume->size_bytes) < 0)
		return img_err_sys(err, "cannot create %s", path);
	return snap_sync_names(store, err);
}

/* The file of a whole volume stays for those that are made from it. */
static int destroy_whole(struct store *store, const struct snap_file *file,
			 struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	const struct snap_file left = { SNAP_BASE, file->id, file->id };
	int r = snap_lock_base(store, file->id, &lock, err);

	if (r == 0)
		r = snap_is_base(store, file->id, 0, err);
	if (r < 0)
		return r;
	return r > 0 ? snap_rename(store, file, &left, err)
		     : snap_unlink(store, file, err);
}

static int destroy_file(struct store *store, const struct snap_file *file,
			struct img_err *err)
{
	int r;

	switch (file->kind) {
	case SNAP_WHOLE:
		return destroy_whole(store, file, err);
	case SNAP_COW:
		r = snap_unlink(store, file, err);
		return r < 0 ? r : drop_base(store, file->base, err);
	case SNAP_MERGE:
	case SNAP_BASE:
	case SNAP_NONE:
		break;
	}
	/* One that died here may have left the base. */
	return snap_each(store, drop_if_base, store, err);
}

static int destroy(struct store *store, const struct volume *volume,
		   struct img_err *err)
{
	struct snap_file file = { 0 };
	int r = snap_find(store, volume->id, volume->origin, &file, err);

	if (r < 0)
		return r;
	if (file.kind == SNAP_MERGE)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "its merge into its image has not ended");
	r = snap_deactivate(store, volume, err);
	return r < 0 ? r : destroy_file(store, &file, err);
}

static int add_volume(void *self, const struct snap_file *file,
		      struct img_err *err)
{
	if (file->kind != SNAP_BASE)
		volume_ids_add(self, file->id);
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static char *ledger_path(const struct store *store)
{
	return mem_printf("%s/ledger", store->root);
}

static int list(struct store *store, struct volume_ids *ret, bool *ret_is_new,
		struct img_err *err)
{
	img_auto(img_mem_release) char *ledger = ledger_path(store);
	int r = snap_each(store, add_volume, ret, err);

	if (r < 0)
		return r;
	if (ret->n)
		qsort(ret->id, ret->n, sizeof(ret->id[0]), by_id);
	*ret_is_new = ret->n == 0 && access(ledger, F_OK) < 0;
	return 0;
}

/* A plain file: the log is the same as on a device. */
static int open_ledger(struct store *store, int *ret, struct img_err *err)
{
	img_auto(img_mem_release) char *path = ledger_path(store);
	img_auto(img_fd_release) int dir = -1;
	img_auto(img_fd_release) int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		return img_err_sys(err, "cannot open the ledger %s", path);
	if (st.st_size != LEDGER_BYTES) { /* it was just made */
		dir = open(store->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (ftruncate(fd, LEDGER_BYTES) < 0 || fsync(fd) < 0 ||
		    dir < 0 || fsync(dir) < 0)
			return img_err_sys(err, "cannot make the ledger %s",
					   path);
	}
	*ret = img_fd_take(&fd);
	return 0;
}

const struct driver driver_snapshot = {
	.name = "snapshot",
	.check_sizes = check_sizes,
	.make = make,
	.opened = snap_ballast,
	.start = start,
	.stop = stop,
	.is_started = is_started,
	.create = create,
	.snapshot = snap_snapshot,
	.copy = snap_copy,
	.destroy = destroy,
	.activate = snap_activate,
	.deactivate = snap_deactivate,
	.resize_check = snap_resize_check,
	.resize = snap_resize,
	.thaw = snap_thaw,
	.is_needed = snap_is_needed,
	.merge_base = snap_merge_base,
	.merge = snap_merge,
	.list = list,
	.describe = snap_describe,
	.open_ledger = open_ledger,
	.check = snap_volume_check,
	.usage = snap_usage,
	.usage_all = snap_usage_all,
	.status = snap_status,
	.volume_usage = snap_volume_usage,
	.volume_change = snap_volume_change,
	.host_bytes = snap_host_bytes,
};
