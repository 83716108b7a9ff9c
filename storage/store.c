#include "storage/store_impl.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/lock_order.h"
#include "base/str.h"
#include "storage/catalog.h"
#include "storage/rebuild_impl.h"
#include "storage/recover.h"
#include "storage/store_make.h"
#include "storage/store_settings.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

void store_device_name(const struct store *store, const char *what,
		       struct dm_name *ret)
{
	(void)snprintf(ret->name, sizeof(ret->name), "img-%.8s-%s", store->id,
		       what);
	(void)snprintf(ret->uuid, sizeof(ret->uuid), DM_UUID_PREFIX "%s-%s",
		       store->id, what);
}

void store_volume_name(const struct store *store, uint32_t id,
		       struct dm_name *ret)
{
	char what[16];

	(void)snprintf(what, sizeof(what), "%" PRIu32, id);
	store_device_name(store, what, ret);
}

static int no_catalog(const struct store_options *options, const char *path,
		      struct img_err *err)
{
	if (identity_has_volumes(options))
		return img_err_set(
			err, IMG_E_CORRUPT, 0,
			"there are volumes in %s, but their catalog "
			"%s is gone: 'img doctor --rebuild' makes it "
			"again from what is there",
			options->root, path);
	return img_err_set(err, IMG_E_NOT_FOUND, 0,
			   "there is no store in %s yet: 'img import' or "
			   "'img init' makes one",
			   options->root);
}

static int open_catalog(const struct store_options *options, const char *path,
			struct store *store, struct store_settings *settings,
			struct img_err *err)
{
	const struct dm_name probe = { "img", DM_UUID_PREFIX };
	const struct dm *dm = &store->dm;
	struct dm_state state;
	struct img_err missing = { 0 };
	int r = catalog_open(path, false, &store->db, &missing);

	if (r == 0) { /* its header may be all that is whole */
		r = store_settings_read(store->db, settings, &missing);
		if (r > 0)
			return 0;
		if (r == 0)
			db_close(&store->db); /* its making was interrupted */
	}
	if (r < 0 && missing.code != IMG_E_NOT_FOUND) {
		*err = missing;
		if (r == -IMG_E_CORRUPT)
			(void)img_err_hint(err, "; 'img doctor --rebuild' "
						"makes it again from the pool");
		return r;
	}
	if (!options->create)
		return no_catalog(options, path, err);
	/* Where a pool could not be brought up, none is made. */
	r = dm->ops->state(dm->self, &probe, &state, err);
	if (r == 0)
		r = store_make(options, path, &store->db, err);
	if (r == 0)
		r = store_settings_read(store->db, settings, err);
	return r < 0 ? r : 0;
}

static int open_run_dir(struct store *store, const char *run_root,
			struct img_err *err)
{
	img_auto(img_mem_release) char *lock = NULL;
	struct img_err missing = { 0 }; /* as after every boot */
	int r;

	store->run = mem_printf("%s/%.12s", run_root, store->id);
	lock = mem_printf("%s/lock", store->run);
	if (lock_open(lock, &store->lock_fd, &missing) == 0)
		return 0;
	r = file_mkdirs(store->run, 0711, err);
	return r < 0 ? r : lock_open(lock, &store->lock_fd, err);
}

int store_open(const struct store_options *options, struct store **ret,
	       struct img_err *err)
{
	img_auto(img_mem_release) char *path =
		mem_printf("%s/store.db", options->root);

	return store_open_at(options, path, ret, err);
}

int store_open_at(const struct store_options *options, const char *db_path,
		  struct store **ret, struct img_err *err)
{
	img_auto(store_settings_release) struct store_settings settings = { 0 };
	img_auto(store_close) struct store *store = mem_zalloc(sizeof(*store));
	int r;

	store->lock_fd = -1;
	store->root = mem_strdup(options->root);
	store->dm = options->dm.ops ? options->dm : dm_kernel();
	store->run_ended = options->run_ended;
	store->adopt = options->adopt;
	store->vanished = options->vanished;
	store->grow = options->grow;
	store->swept = options->swept;
	store->examine = options->examine;
	r = open_catalog(options, db_path, store, &settings, err);
	if (r == 0)
		r = store_settings_apply(&settings, store, err);
	if (r == 0)
		r = open_run_dir(store, options->run_root, err);
	if (r == 0 && store->driver->opened)
		store->driver->opened(store);
	if (r == 0 && !store->examine)
		r = recover_intents(store, err);
	if (r < 0)
		return r;
	*ret = img_mem_take(&store);
	return 0;
}

void store_close(struct store **store)
{
	if (!*store)
		return;
	db_close(&(*store)->db);
	lock_close(&(*store)->lock_fd);
	free((*store)->data_device);
	free((*store)->metadata_device);
	free((*store)->root);
	free((*store)->run);
	free(*store);
	*store = NULL;
}

static const char *lock_name(uint64_t offset)
{
	switch (offset) {
	case LOCK_USE:
		return "the use of the store";
	case LOCK_STORE:
		return "the lock of the store";
	case LOCK_RECORDS:
		return "the lock of the records";
	case LOCK_LEDGER:
		return "the lock of the ledger";
	case LOCK_METADATA:
		return "the lock of the pool's metadata";
	default:
		return offset >= LOCK_BASES ? "the lock of a base"
					    : "the lock of a volume";
	}
}

int store_lock(struct store *store, uint64_t offset, struct lock *ret,
	       struct img_err *err)
{
	int r = lock_wait(store->lock_fd, offset, lock_name(offset), err);

	if (r == 0)
		*ret = (struct lock){ store->lock_fd, offset };
	return r;
}

int store_lock_shared(struct store *store, uint64_t offset, struct lock *ret,
		      struct img_err *err)
{
	int r = lock_wait_shared(store->lock_fd, offset, lock_name(offset),
				 err);

	if (r == 0)
		*ret = (struct lock){ store->lock_fd, offset };
	return r;
}

/* A file that says: since the pool came up, it was searched for orphans. */
static char *swept_path(const struct store *store)
{
	return mem_printf("%s/swept", store->run);
}

static bool is_swept(const struct store *store)
{
	img_auto(img_mem_release) char *path = swept_path(store);

	return access(path, F_OK) == 0;
}

/* What cannot be read or removed now is tried again by the next command. */
static void sweep(struct store *store)
{
	img_auto(img_mem_release) char *path = swept_path(store);
	struct img_err dropped = { 0 };
	int fd;

	if (recover_orphans(store, &dropped) < 0)
		return;
	if (store->swept)
		store->swept(store);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	img_fd_release(&fd);
}

static int start(struct store *store, struct img_err *err)
{
	img_auto(img_mem_release) char *swept = swept_path(store);
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	int r = store_lock(store, LOCK_STORE, &lock, err);

	if (r < 0)
		return r;
	r = store->driver->is_started(store, err);
	if (r == 0) {
		(void)unlink(swept); /* of an earlier life, if any */
		r = store->driver->start(store, err);
	}
	if (r < 0)
		return r;
	store->pool_is_up = true;
	if (!store->examine &&
	    !is_swept(store)) /* no other process was faster */
		sweep(store);
	return 0;
}

/* Held from here to the end of the process: nobody takes the pool away, which
 * is all that its other side is for. */
static int use(struct store *store, struct img_err *err)
{
	struct lock kept;
	int r = store_lock_shared(store, LOCK_USE, &kept, err);

	if (r < 0)
		return r;
	/* Nobody waits for it to be given up. */
	lock_order_drop((uintptr_t)store->lock_fd, LOCK_USE);
	store->in_use = true;
	return 0;
}

int store_need_pool(struct store *store, struct img_err *err)
{
	int r;

	if (store->pool_is_up)
		return 0;
	r = store->in_use ? 0 : use(store, err);
	if (r == 0)
		r = store->driver->is_started(store, err);
	if (r < 0)
		return r;
	if (r == 0 || !is_swept(store))
		return start(store, err);
	store->pool_is_up = true;
	return 0;
}

/* Whoever uses the store waits for nothing that is held here. */
static int end_use(struct store *store, struct img_err *err)
{
	int r = lock_try(store->lock_fd, LOCK_USE, err);

	if (r == 0)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "another command uses the store in %s: try "
				   "again when it has ended, or stop the "
				   "container that it runs",
				   store->root);
	return r < 0 ? r : 0;
}

static int do_nothing(struct store *store, void *self, struct img_err *err)
{
	return 0;
}

int store_stop(struct store *store, struct img_err *err)
{
	return store_while_stopped(store, do_nothing, NULL, err);
}

int store_while_stopped(struct store *store,
			int (*fn)(struct store *store, void *self,
				  struct img_err *err),
			void *self, struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	img_auto(lock_release) struct lock unused = { .fd = -1 };
	int r = store_lock(store, LOCK_STORE, &lock, err);

	if (r == 0)
		r = end_use(store, err);
	if (r < 0)
		return r;
	store->in_use = store->pool_is_up = false;
	unused = (struct lock){ store->lock_fd, LOCK_USE };
	r = store->driver->stop(store, err);
	return r < 0 ? r : fn(store, self, err);
}

struct db *store_db(struct store *store)
{
	return store->db;
}

const char *store_root(const struct store *store)
{
	return store->root;
}

const char *store_run(const struct store *store)
{
	return store->run;
}

const char *store_data_device(const struct store *store)
{
	return store->data_device;
}

const char *store_metadata_device(const struct store *store)
{
	return store->metadata_device;
}

uint64_t store_volume_bytes(const struct store *store)
{
	return store->sizes.volume_bytes;
}

uint64_t store_chunk_bytes(const struct store *store)
{
	return store->sizes.chunk_bytes;
}

const char *store_driver(const struct store *store)
{
	return store->driver->name;
}

int store_usage(struct store *store, struct store_usage *ret,
		struct img_err *err)
{
	int r = store_need_pool(store, err);

	return r < 0 ? r : store->driver->usage(store, ret, err);
}
