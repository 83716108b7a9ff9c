#include "storage/account.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "storage/store_impl.h"

struct account {
	struct store *store;
};

int account_open(struct store *store, struct account **ret, struct img_err *err)
{
	*ret = mem_zalloc(sizeof(**ret));
	(*ret)->store = store;
	return 0;
}

void account_close(struct account **account)
{
	img_mem_release(account);
}

int account_volume(struct account *account, uint32_t volume,
		   struct account_usage *ret, struct img_err *err)
{
	struct store *store = account->store;

	*ret = (struct account_usage){ 0 };
	return store->driver->volume_usage(store, volume, ret, err);
}

int account_change(struct account *account, uint32_t base, uint32_t volume,
		   uint64_t *ret_bytes, struct img_err *err)
{
	struct store *store = account->store;

	*ret_bytes = 0;
	return store->driver->volume_change(store, base, volume, ret_bytes,
					    err);
}

bool account_has_pool(const struct account *account)
{
	return account->store->driver->capacity != NULL;
}

static int no_pool(const struct store *store, struct img_err *err)
{
	return img_err_set(err, IMG_E_UNSUPPORTED, 0,
			   "the driver '%s' has no pool", store->driver->name);
}

int account_all(struct account *account, struct account_all *ret,
		struct img_err *err)
{
	struct store *store = account->store;

	*ret = (struct account_all){ 0 };
	return store->driver->usage_all(store, ret, err);
}

void account_all_release(struct account_all *all)
{
	img_mem_release(&all->row);
	*all = (struct account_all){ 0 };
}

const struct account_usage *account_all_find(const struct account_all *all,
					     uint32_t volume)
{
	size_t low = 0, high = all->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (all->row[middle].volume == volume)
			return &all->row[middle].usage;
		if (all->row[middle].volume < volume)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

int account_together(struct account *account, const uint32_t *volumes,
		     size_t count, uint64_t *ret_bytes, struct img_err *err)
{
	struct store *store = account->store;

	*ret_bytes = 0;
	return store->driver->usage_together
		       ? store->driver->usage_together(store, volumes, count,
						       ret_bytes, err)
		       : no_pool(store, err);
}

int account_host_bytes(struct account *account, uint64_t *ret,
		       struct img_err *err)
{
	struct store *store = account->store;

	return store->driver->host_bytes(store, ret, err);
}
