#include "storage/examine_impl.h"

#include "base/cleanup.h"

int examine_uses(struct store *store, struct examine_uses *ret,
		 struct img_err *err)
{
	return use_list(store, &ret->all, &ret->n, err);
}

void examine_uses_release(struct examine_uses *uses)
{
	img_mem_release(&uses->all);
}

/* A part that cannot be looked at is a finding of its own. */
static void look(struct store *store, examine_fn *fn, const char *object,
		 struct findings *ret)
{
	struct img_err err = { 0 };
	struct finding *finding;

	if (fn(store, ret, &err) >= 0)
		return;
	finding = findings_add(ret, "unreadable");
	finding_object(finding, "%s", object);
	finding_text(finding, "cannot be examined: %s", err.msg);
	finding_remedy(finding, "see to that first, then examine again");
}

int examine_store(struct store *store, struct findings *ret,
		  struct img_err *err)
{
	struct img_err down = { 0 };
	struct finding *finding;
	int r;

	look(store, examine_catalog, "catalog", ret);
	r = store_need_pool(store, &down);
	if (r == -IMG_E_NO_DM) {
		*err = down;
		return r;
	}
	if (r < 0) {
		finding = findings_add(ret, "pool-down");
		finding_object(finding, "pool");
		finding_text(finding, "does not come up: %s", down.msg);
		finding_remedy(
			finding,
			"thin_check %s/pool/metadata tells more; thin_repair "
			"makes sound metadata of it, in a new file",
			store->root);
		return 0;
	}
	if (store->driver == &driver_thin) {
		look(store, examine_pool, "pool", ret);
		look(store, examine_metadata, "metadata", ret);
	}
	look(store, examine_ledger, "ledger", ret);
	look(store, examine_volumes, "volumes", ret);
	look(store, examine_devices, "devices", ret);
	return 0;
}
