#include "storage/grow.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "base/num.h"
#include "base/str.h"
#include "storage/backing.h"
#include "storage/backing_device.h"
#include "storage/catalog.h"
#include "storage/ledger.h"
#include "storage/pool.h"
#include "storage/reserve.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

/* THIN_METADATA_MAX_SECTORS of drivers/md/dm-thin-metadata.h: the kernel uses
 * no more, however large the device is. */
#define METADATA_USABLE (UINT64_C(255) * 16320 * 4 * KIB)
/* Growing by less is not worth a stop. */
#define STEP_DIVISOR 64
/* What sparse files leave of the host's file system. */
#define HOST_KEEP (64 * MIB)

static uint64_t min_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static int set_number(struct db *db, const char *key, uint64_t value,
		      struct img_err *err)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	return catalog_set(db, key, text, err);
}

static int record(struct store *store, const struct store_sizes *sizes,
		  struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store->db, true, err);

	if (r < 0)
		return r;
	txn = store->db;
	r = set_number(store->db, "data_bytes", sizes->data_bytes, err);
	if (r == 0)
		r = set_number(store->db, "metadata_bytes",
			       sizes->metadata_bytes, err);
	if (r == 0)
		r = set_number(store->db, "max_bytes", sizes->max_bytes, err);
	return r < 0 ? r : db_commit(store->db, err);
}

/* Somebody may have made it larger since this store was opened. */
static int read_recorded(struct store *store, struct img_err *err)
{
	int r = catalog_setting_u64(store->db, "data_bytes",
				    &store->sizes.data_bytes, err);

	return r < 0 ? r
		     : catalog_setting_u64(store->db, "metadata_bytes",
					   &store->sizes.metadata_bytes, err);
}

static int grow_file(struct store *store, enum backing_part part,
		     uint64_t bytes, struct img_err *err)
{
	img_auto(img_mem_release) char *name = backing_name(store, part);
	img_auto(img_fd_release) int fd = open(name, O_RDWR | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return img_err_sys(err, "cannot open %s", name);
	if ((uint64_t)st.st_size >= bytes)
		return 0;
	if (ftruncate(fd, (off_t)bytes) < 0)
		return img_err_sys(err, "cannot make %s larger", name);
	return 0;
}

int grow_files(struct store *store, struct img_err *err)
{
	int r;

	if (backing_is_device(store))
		return 0;
	r = grow_file(store, BACKING_METADATA, store->sizes.metadata_bytes,
		      err);
	return r < 0 ? r
		     : grow_file(store, BACKING_DATA, store->sizes.data_bytes,
				 err);
}

/* The pool's two devices, as its table names them. */
static int pool_devices(struct store *store, dev_t *metadata, dev_t *data,
			struct img_err *err)
{
	img_auto(img_mem_release) char *params = NULL;
	struct dm_live live = { 0 };
	unsigned m[2], d[2];
	struct dm_name name;
	int r;

	pool_name(store, &name);
	r = store->dm.ops->table(store->dm.self, &name, &live, err);
	if (r < 0)
		return r;
	params = live.params;
	if (sscanf(params, "%u:%u %u:%u", &m[0], &m[1], &d[0], &d[1]) != 4)
		return img_err_set(err, IMG_E_INTERNAL, 0,
				   "cannot read the pool's table '%s'", params);
	*metadata = makedev(m[0], m[1]);
	*data = makedev(d[0], d[1]);
	return 0;
}

/* From recorded sizes to the kernel's. */
static int apply(struct store *store, struct img_err *err)
{
	const struct dm_ops *dm = store->dm.ops;
	struct pool_table table;
	dev_t metadata = 0, data = 0;
	struct dm_name name;
	int r = grow_files(store, err);

	if (r == 0)
		r = pool_devices(store, &metadata, &data, err);
	if (r == 0 && !backing_is_device(store)) {
		r = dm->refresh(store->dm.self, metadata, err);
		if (r == 0)
			r = dm->refresh(store->dm.self, data, err);
	}
	if (r < 0)
		return r;
	pool_name(store, &name);
	pool_make_table(store, metadata, data, &table);
	r = dm->load(store->dm.self, &name, &table.table, err);
	return r < 0 ? r : dm->resume(store->dm.self, &name, err);
}

static int grow_locked(struct store *store, const struct grow_target *target,
		       struct img_err *err)
{
	struct store_sizes *sizes = &store->sizes;
	struct store_sizes wanted;
	int r = read_recorded(store, err);

	if (r < 0)
		return r;
	wanted = *sizes;
	wanted.data_bytes = max_of(target->data_bytes, sizes->data_bytes);
	wanted.data_bytes -= wanted.data_bytes % sizes->chunk_bytes;
	wanted.metadata_bytes =
		max_of(target->metadata_bytes, sizes->metadata_bytes);
	wanted.metadata_bytes -= wanted.metadata_bytes % (4 * KIB);
	if (target->max_bytes)
		wanted.max_bytes = target->max_bytes;
	if (backing_is_device(store)) {
		r = backing_device_grow(store, &wanted, err);
		if (r < 0)
			return r;
	}
	r = record(store, &wanted, err);
	if (r < 0)
		return r;
	*sizes = wanted;
	return apply(store, err);
}

static int grow_under_lock(struct store *store,
			   const struct grow_target *target,
			   struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	int r = store_lock(store, LOCK_STORE, &lock, err);

	return r < 0 ? r : grow_locked(store, target, err);
}

int grow_to(struct store *store, const struct grow_target *target,
	    struct img_err *err)
{
	struct img_err dropped = { 0 }; /* the pool itself says its size */
	int r = grow_under_lock(store, target, err);

	if (r < 0)
		return img_err_prefix(err, "cannot make the pool larger");
	IMG_IGNORE(ledger_put_store(store, &dropped));
	return 0;
}

/* How large data and metadata can be, as things are. */
static void limits(const struct store *store, uint64_t *data,
		   uint64_t *metadata)
{
	const struct store_sizes *sizes = &store->sizes;
	uint64_t room = 0;
	struct statvfs fs;

	if (!backing_is_device(store) && statvfs(store->root, &fs) == 0)
		room = (uint64_t)fs.f_bavail * fs.f_frsize;
	room = room > HOST_KEEP ? room - HOST_KEEP : 0;
	*data = sizes->max_bytes ? sizes->max_bytes : UINT64_MAX;
	*data = min_of(*data, sizes->data_bytes + room);
	*metadata = room ? METADATA_USABLE : 0;
}

static bool is_short_of_data(const struct store *store,
			     const struct store_usage *usage)
{
	return usage->data_bytes <
	       usage->data_used_bytes +
		       reserve_low_data(store, usage->data_bytes);
}

static bool is_short_of_metadata(const struct store_usage *usage)
{
	return usage->metadata_bytes - usage->metadata_used_bytes <
	       reserve_low_metadata(usage->metadata_bytes);
}

static bool is_unfinished(const struct store *store,
			  const struct store_usage *usage)
{
	return usage->data_bytes < store->sizes.data_bytes ||
	       usage->metadata_bytes <
		       min_of(store->sizes.metadata_bytes, METADATA_USABLE);
}

/* Zero where there is nothing to be had. */
static struct grow_target choose(const struct store *store,
				 const struct store_usage *usage)
{
	struct grow_target target = { 0 };
	uint64_t data_limit, metadata_limit, size;

	limits(store, &data_limit, &metadata_limit);
	size = usage->data_bytes;
	if (is_short_of_data(store, usage) && data_limit > size &&
	    data_limit - size >= size / STEP_DIVISOR)
		target.data_bytes =
			min_of(data_limit,
			       max_of(size, usage->data_used_bytes) +
				       max_of(size / 4, min_of(size, GIB)));
	size = usage->metadata_bytes;
	if (is_short_of_metadata(usage) && metadata_limit > size)
		target.metadata_bytes = min_of(metadata_limit, 2 * size);
	return target;
}

bool grow_is_due(const struct store *store, const struct store_usage *usage)
{
	struct grow_target target;

	if (usage->failed || usage->read_only || usage->needs_check)
		return false;
	if (is_unfinished(store, usage))
		return true;
	if (!is_short_of_data(store, usage) && !is_short_of_metadata(usage))
		return false;
	target = choose(store, usage);
	return target.data_bytes || target.metadata_bytes;
}

static int grow_by_usage(struct store *store, const struct store_usage *usage,
			 struct img_err *err)
{
	struct grow_target target = choose(store, usage);

	if (!target.data_bytes && !target.metadata_bytes &&
	    !is_unfinished(store, usage))
		return img_err_set(err, IMG_E_NO_SPACE, 0,
				   "the pool is as large as it may be");
	return grow_to(store, &target, err);
}

int grow_automatically(struct store *store, struct img_err *err)
{
	struct store_usage usage;
	int r = pool_peek(store, &usage, err);

	return r < 0 ? r : grow_by_usage(store, &usage, err);
}

void grow_for(struct store *store, uint64_t bytes)
{
	struct img_err dropped = { 0 }; /* whoever writes is told */
	struct store_usage usage;

	if (backing_is_device(store) || pool_peek(store, &usage, &dropped) < 0)
		return;
	usage.data_used_bytes += bytes;
	if (grow_is_due(store, &usage))
		IMG_IGNORE(grow_by_usage(store, &usage, &dropped));
}

int grow_guard(struct store *store, int *fd, struct img_err *err)
{
	struct store_usage usage;
	int r;

	if (backing_is_device(store))
		return 0;
	/* First, so that nothing slips through between. */
	r = store->dm.ops->listen(store->dm.self, fd, err);
	if (r == 0)
		r = pool_peek(store, &usage, err);
	if (r == 0 && grow_is_due(store, &usage))
		r = grow_automatically(store, err);
	return r;
}
