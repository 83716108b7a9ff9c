#include "storage/reserve.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "storage/backing.h"
#include "storage/grow.h"
#include "storage/meta.h"
#include "storage/pool.h"

#include <sys/statvfs.h>

#define DATA_DIVISOR 50
#define DATA_MIN     MIB
#define DATA_MAX     GIB

#define METADATA_DIVISOR 4
#define METADATA_MIN	 (4 * MIB)

/* A pool that can grow does so before its last tenth is used. */
#define LOW_DIVISOR 10

/* The sparse files need some of the host's file system, too. */
#define HOST_MIN (16 * MIB)

static uint64_t clamp(uint64_t value, uint64_t low, uint64_t high)
{
	if (value < low)
		value = low;
	return value > high ? high : value;
}

static uint64_t max_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

uint64_t reserve_of_data(const struct store *store, uint64_t data_bytes)
{
	if (store->sizes.reserve_bytes)
		return store->sizes.reserve_bytes;
	return clamp(data_bytes / DATA_DIVISOR, DATA_MIN, DATA_MAX);
}

uint64_t reserve_of_metadata(uint64_t metadata_bytes)
{
	return clamp(metadata_bytes / METADATA_DIVISOR, METADATA_MIN,
		     metadata_bytes / 2);
}

uint64_t reserve_low_data(const struct store *store, uint64_t data_bytes)
{
	return max_of(data_bytes / LOW_DIVISOR,
		      2 * reserve_of_data(store, data_bytes));
}

uint64_t reserve_low_metadata(uint64_t metadata_bytes)
{
	return reserve_of_metadata(metadata_bytes) +
	       metadata_bytes / LOW_DIVISOR;
}

static int refuse(const char *what, uint64_t free_bytes, uint64_t need_bytes,
		  const char *remedy, struct img_err *err)
{
	char have[SIZE_TEXT_MAX], need[SIZE_TEXT_MAX];

	return img_err_set(err, IMG_E_NO_SPACE, 0,
			   "the pool is nearly full: %s of its %s is free, and "
			   "the last %s are kept for what runs and for "
			   "removals; %s",
			   num_format_size(free_bytes, have), what,
			   num_format_size(need_bytes, need), remedy);
}

static int check_space(const struct store *store,
		       const struct store_usage *usage, struct img_err *err)
{
	uint64_t data = usage->data_bytes - usage->data_used_bytes;
	uint64_t metadata = usage->metadata_bytes - usage->metadata_used_bytes;
	uint64_t need_data = reserve_of_data(store, usage->data_bytes);
	uint64_t need_metadata = reserve_of_metadata(usage->metadata_bytes);

	if (usage->failed || usage->read_only || usage->needs_check)
		return img_err_set(err, IMG_E_NO_SPACE, 0,
				   "the pool takes no new volumes: it is %s; "
				   "'img doctor' says what to do",
				   usage->failed      ? "failed"
				   : usage->read_only ? "read-only"
						      : "to be checked");
	if (data < need_data)
		return refuse("data", data, need_data,
			      "'img rm', 'img rmi' and 'img trim' give some "
			      "back ('img df' shows what), 'img pool grow' "
			      "adds some",
			      err);
	if (metadata < need_metadata)
		return refuse("metadata", metadata, need_metadata,
			      "'img rm' and 'img rmi' give some back, 'img "
			      "pool grow --metadata' adds some",
			      err);
	return 0;
}

static int check_host(const struct store *store, struct img_err *err)
{
	char have[SIZE_TEXT_MAX];
	struct statvfs fs;
	uint64_t free_bytes;

	if (backing_is_device(store) || statvfs(store->root, &fs) < 0)
		return 0;
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (free_bytes >= HOST_MIN)
		return 0;
	return img_err_set(err, IMG_E_NO_SPACE, 0,
			   "the file system that holds %s is nearly full: %s "
			   "are free, and the pool's sparse files need them; "
			   "'img rm' and 'img rmi' give some back",
			   store->root, num_format_size(free_bytes, have));
}

static int read_counters(struct store *store, struct capacity_status *ret,
			 struct img_err *err)
{
	img_auto(thin_meta_release) struct thin_meta *meta = NULL;
	img_auto(img_fd_release) int fd = -1;
	int64_t id = 0;
	int r = backing_open(store, BACKING_METADATA, &fd, err);

	if (r == 0)
		r = thin_meta_open(fd, NULL, &meta, err);
	if (r == 0)
		r = db_get_int(store->db, &id, err,
			       "SELECT seq FROM sqlite_sequence"
			       " WHERE name = 'volumes'",
			       "");
	if (r < 0)
		return r;
	ret->time = thin_meta_info(meta)->time;
	ret->transaction_id = thin_meta_info(meta)->transaction_id;
	ret->volume_id = (uint64_t)id;
	return 0;
}

int reserve_status(struct store *store, struct capacity_status *ret,
		   struct img_err *err)
{
	int r = pool_usage(store, &ret->usage, err);

	if (r == 0 && grow_is_due(store, &ret->usage)) {
		struct img_err dropped = { 0 }; /* it is as it is, then */

		if (grow_automatically(store, &dropped) == 0)
			r = pool_usage(store, &ret->usage, err);
	}
	if (r < 0)
		return r;
	ret->data_reserve_bytes = reserve_of_data(store, ret->usage.data_bytes);
	ret->metadata_reserve_bytes =
		reserve_of_metadata(ret->usage.metadata_bytes);
	ret->can_grow = !backing_is_device(store);
	ret->max_bytes = store->sizes.max_bytes;
	/* A pool that failed tells no more than that. */
	return ret->usage.failed ? 0 : read_counters(store, ret, err);
}

/* Ids are used again once all were used, the pool's time never is. */
static int check_counters(struct store *store, struct img_err *err)
{
	const uint64_t most = CAPACITY_COUNTER_REFUSE;
	struct capacity_status counters = { 0 };
	int64_t volumes = 0;
	int r = read_counters(store, &counters, err);

	if (r < 0)
		return r;
	if (counters.time >= most)
		return img_err_set(err, IMG_E_NO_SPACE, 0,
				   "the pool has counted %llu snapshots of the "
				   "%llu that it can count: move what you need "
				   "into a new store, by 'img export' and 'img "
				   "import'",
				   (unsigned long long)counters.time,
				   (unsigned long long)CAPACITY_COUNTER_MAX);
	if (counters.volume_id < most)
		return 0;
	r = db_get_int(store->db, &volumes, err, "SELECT count(*) FROM volumes",
		       "");
	if (r < 0 || (uint64_t)volumes < most)
		return r < 0 ? r : 0;
	return img_err_set(err, IMG_E_NO_SPACE, 0,
			   "the pool has %lld volumes, of %llu that it can "
			   "have",
			   (long long)volumes,
			   (unsigned long long)CAPACITY_COUNTER_MAX);
}

int reserve_check(struct store *store, struct img_err *err)
{
	struct img_err not_grown = { 0 }; /* then what there is must do */
	struct store_usage usage;
	int r = pool_peek(store, &usage, err);

	if (r < 0)
		return r;
	if (grow_is_due(store, &usage)) {
		if (grow_automatically(store, &not_grown) == 0)
			r = pool_peek(store, &usage, err);
		if (r < 0)
			return r;
	}
	r = check_space(store, &usage, err);
	if (r < 0 && not_grown.code)
		return img_err_hint(err, " (it could not grow: %s)",
				    not_grown.msg);
	if (r == 0)
		r = check_host(store, err);
	return r < 0 ? r : check_counters(store, err);
}

static bool may_be_full(const struct img_err *err)
{
	switch (err->sys_errno) {
	case ENOSPC:
	case EIO:
	case EUCLEAN:
	case EROFS:
		return true;
	default:
		return err->code == IMG_E_NO_SPACE;
	}
}

int reserve_explain(struct store *store, struct img_err *err)
{
	struct img_err dropped = { 0 }; /* the first failure counts */
	char used[SIZE_TEXT_MAX], all[SIZE_TEXT_MAX];
	struct store_usage usage;

	if (!may_be_full(err) || pool_peek(store, &usage, &dropped) < 0)
		return -(int)err->code;
	if (!usage.out_of_space && usage.data_used_bytes < usage.data_bytes)
		return -(int)err->code;
	err->code = IMG_E_NO_SPACE;
	return img_err_hint(err,
			    " (the pool is full: %s of %s of data are used; "
			    "'img rm' and 'img rmi' give some back, 'img pool "
			    "grow' adds some)",
			    num_format_size(usage.data_used_bytes, used),
			    num_format_size(usage.data_bytes, all));
}
