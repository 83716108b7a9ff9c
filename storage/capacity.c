#include "storage/capacity.h"

#include "storage/backing.h"
#include "storage/driver.h"
#include "storage/store_impl.h"

#define METADATA_MAX (UINT64_C(16) << 30)

static const struct driver_capacity *driver_of(const struct store *store)
{
	return store->driver->capacity;
}

static int need_pool(struct store *store, struct img_err *err)
{
	if (!driver_of(store))
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "the driver '%s' has no pool",
				   store->driver->name);
	return store_need_pool(store, err);
}

int capacity_check(struct store *store, struct img_err *err)
{
	return driver_of(store) ? driver_of(store)->check(store, err) : 0;
}

int capacity_status(struct store *store, struct capacity_status *ret,
		    struct img_err *err)
{
	int r = store_need_pool(store, err);

	*ret = (struct capacity_status){ .has_pool = driver_of(store) };
	return r < 0 ? r : store->driver->status(store, ret, err);
}

static int check_target(const struct store *store,
			const struct grow_target *target, struct img_err *err)
{
	const struct store_sizes *sizes = &store->sizes;

	if (backing_is_device(store) &&
	    (target->data_bytes || target->metadata_bytes))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "devices are used as far as they reach: no "
				   "size is needed");
	if (target->data_bytes && target->data_bytes <= sizes->data_bytes)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the data is as large already, and cannot "
				   "be made smaller");
	if (target->metadata_bytes &&
	    target->metadata_bytes <= sizes->metadata_bytes)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the metadata is as large already, and "
				   "cannot be made smaller");
	if (target->metadata_bytes > METADATA_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "a pool uses 16 GiB of metadata at most");
	return 0;
}

int capacity_grow(struct store *store, const struct grow_target *target,
		  struct img_err *err)
{
	struct grow_target allowed = *target;
	int r = need_pool(store, err);

	if (r == 0)
		r = check_target(store, target, err);
	if (store->sizes.max_bytes &&
	    target->data_bytes > store->sizes.max_bytes)
		allowed.max_bytes = target->data_bytes;
	return r < 0 ? r : driver_of(store)->grow(store, &allowed, err);
}

int capacity_guard(struct store *store, int *fd, struct img_err *err)
{
	return driver_of(store) ? driver_of(store)->guard(store, fd, err) : 0;
}

void capacity_make_room(struct store *store, uint64_t bytes)
{
	if (driver_of(store))
		driver_of(store)->make_room(store, bytes);
}

int capacity_explain(struct store *store, struct img_err *err)
{
	return driver_of(store) ? driver_of(store)->explain(store, err)
				: -(int)err->code;
}
