#include "storage/examine_impl.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "storage/backing.h"
#include "storage/hold.h"
#include "storage/meta.h"
#include "storage/pool.h"

#include <inttypes.h>

/* How often a pool that commits is looked at before it is held still. */
#define LIVE_TRIES 5

static struct finding *state_is(struct findings *ret, const char *kind,
				const char *text)
{
	struct finding *finding = findings_add(ret, kind);

	finding_object(finding, "pool");
	finding_text(finding, "%s", text);
	return finding;
}

/* How to repair what only the thin tools write. */
#define REPAIR_BY_HAND                                                         \
	"end the containers, 'img pool stop', then in %s/pool: truncate -r "   \
	"metadata new; thin_repair -i metadata -o new; mv metadata old; mv "   \
	"new metadata"

int examine_pool(struct store *store, struct findings *ret, struct img_err *err)
{
	struct store_usage usage;
	int r = pool_usage(store, &usage, err);

	if (r < 0)
		return r;
	if (usage.failed)
		finding_remedy(state_is(ret, "pool-failed",
					"the kernel has given it up"),
			       REPAIR_BY_HAND, store->root);
	if (usage.needs_check)
		finding_remedy(
			state_is(ret, "needs-check",
				 "the kernel wants its metadata checked"),
			"end the containers, 'img pool stop', then thin_check "
			"--clear-needs-check-flag %s/pool/metadata",
			store->root);
	else if (usage.read_only)
		finding_remedy(
			state_is(ret, "pool-read-only",
				 "the kernel lets nobody write to it any more"),
			"end the containers and 'img pool stop': the next "
			"command brings it up again; if it stays so, "
			"thin_check %s/pool/metadata tells why",
			store->root);
	if (usage.out_of_space)
		finding_remedy(state_is(ret, "pool-full",
					"has no data block left"),
			       "'img rm' and 'img rmi' make room");
	return 0;
}

static void tell_fault(struct store *store, struct findings *ret,
		       const struct thin_meta_fault *fault)
{
	const char *of = fault->of_data ? "data" : "metadata";
	struct finding *finding;

	switch (fault->kind) {
	case THIN_META_DAMAGED:
		finding = findings_add(ret, "metadata-damaged");
		if (fault->of_volume)
			finding_object(finding, "volume %" PRIu32,
				       fault->dev_id);
		else
			finding_object(finding, "metadata");
		finding_text(finding, "is damaged: %s", fault->text);
		finding_remedy(finding, REPAIR_BY_HAND, store->root);
		break;
	case THIN_META_LEAKED:
		finding = findings_add(ret, "leaked-blocks");
		finding_object(finding, "%s", of);
		finding_text(finding,
			     "has %" PRIu64 " blocks that are counted and not "
			     "used: only space is lost",
			     fault->blocks);
		finding_remedy(finding,
			       "it can wait; if it is much: " REPAIR_BY_HAND,
			       store->root);
		break;
	case THIN_META_UNCOUNTED:
		finding = findings_add(ret, "uncounted-blocks");
		finding_object(finding, "%s", of);
		finding_text(finding,
			     "has %" PRIu64 " blocks that are used more often "
			     "than counted: they may be given away",
			     fault->blocks);
		finding_remedy(finding, REPAIR_BY_HAND, store->root);
		break;
	}
}

struct faults {
	struct store *store;
	struct findings found;
};

static int add_fault(void *self, const struct thin_meta_fault *fault,
		     struct img_err *err)
{
	struct faults *faults = self;

	tell_fault(faults->store, &faults->found, fault);
	return 0;
}

static void hand_on(struct findings *from, struct findings *to)
{
	for (size_t i = 0; i < from->n; i++) {
		struct finding *finding = findings_add(to, from->all[i].kind);

		*finding = from->all[i];
		from->all[i].name = NULL;
	}
}

/* 1 when what was found holds, 0 when the pool has committed meanwhile. */
static int check_live(struct store *store, int fd, struct findings *ret,
		      struct img_err *err)
{
	img_auto(thin_meta_release) struct thin_meta *meta = NULL;
	struct faults faults = { .store = store };
	struct store_usage usage;
	int r = pool_usage(store, &usage, err); /* commits what is pending */

	if (r == 0)
		r = thin_meta_open(fd, NULL, &meta, err);
	if (r == 0)
		r = thin_meta_check(meta, add_fault, &faults, err);
	if (r == 0)
		r = thin_meta_is_current(meta, err);
	if (r > 0)
		hand_on(&faults.found, ret);
	findings_release(&faults.found);
	return r;
}

static int check_held(struct store *store, struct findings *ret,
		      struct img_err *err)
{
	img_auto(hold_release) struct hold hold = HOLD_NONE;
	struct faults faults = { .store = store };
	int r = hold_begin(store, &hold, err);

	if (r == 0)
		r = thin_meta_check(hold.meta, add_fault, &faults, err);
	if (r == 0)
		hand_on(&faults.found, ret);
	findings_release(&faults.found);
	return r;
}

static int mend_hold(struct store *store, const struct finding *finding,
		     struct img_err *err)
{
	return hold_drop_stale(store, err);
}

/* 1 when there is a metadata snapshot that nobody holds. */
static int check_hold(struct store *store, int fd, struct findings *ret,
		      struct img_err *err)
{
	img_auto(thin_meta_release) struct thin_meta *meta = NULL;
	struct finding *finding;
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	int r = lock_try(store->lock_fd, LOCK_METADATA, err);

	if (r <= 0) /* somebody living holds it */
		return r;
	lock = (struct lock){ store->lock_fd, LOCK_METADATA };
	r = thin_meta_open(fd, NULL, &meta, err);
	if (r < 0 || !thin_meta_info(meta)->snapshot_block)
		return r;
	finding = findings_add(ret, "stale-hold");
	finding_object(finding, "metadata");
	finding_text(finding,
		     "is kept in a snapshot that nobody holds: what is "
		     "deleted gives no space back");
	finding_remedy(finding, "lets go of it");
	finding->mend = mend_hold;
	finding->certain = true; /* the next who holds it lets go of it */
	return 0;
}

int examine_metadata(struct store *store, struct findings *ret,
		     struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	int r = backing_open(store, BACKING_METADATA, &fd, err);

	if (r == 0)
		r = check_hold(store, fd, ret, err);
	for (int try = 1; r == 0 && try <= LIVE_TRIES; try++) {
		struct img_err torn = { 0 };

		r = check_live(store, fd, ret, &torn);
		if (r > 0)
			return 0;
		if (r == -IMG_E_CORRUPT && try < LIVE_TRIES)
			r = 0; /* perhaps only because it changed */
		else if (r < 0)
			*err = torn;
	}
	return r < 0 ? r : check_held(store, ret, err);
}
