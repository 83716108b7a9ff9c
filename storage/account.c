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

int account_host_bytes(struct account *account, uint64_t *ret,
		       struct img_err *err)
{
	struct store *store = account->store;

	return store->driver->host_bytes(store, ret, err);
}
