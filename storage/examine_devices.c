#include "storage/examine_impl.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "base/num.h"
#include "base/str.h"
#include "storage/ledger.h"
#include "storage/volume.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

struct look {
	struct store *store;
	struct findings *ret;
	char prefix[DM_UUID_MAX]; /* of this store's devices */
	struct examine_uses uses;
	char *dir; /* where its files are, as the kernel says */
};

static void look_release(struct look *look)
{
	examine_uses_release(&look->uses);
	img_mem_release(&look->dir);
}

static void name_of(const struct finding *finding, struct store *store,
		    struct dm_name *ret)
{
	store_device_name(store, finding->name, ret);
}

static int mend_remove(struct store *store, const struct finding *finding,
		       struct img_err *err)
{
	struct img_err first = { 0 };
	struct dm_name name;
	int r;

	name_of(finding, store, &name);
	r = store->dm.ops->remove(store->dm.self, &name, &first);
	if (r < 0 && r != -IMG_E_NOT_FOUND)
		*err = first;
	return r == -IMG_E_NOT_FOUND ? 0 : r;
}

static int mend_suspended(struct store *store, const struct finding *finding,
			  struct img_err *err)
{
	struct dm_name name;

	name_of(finding, store, &name);
	return store->dm.ops->resume(store->dm.self, &name, err);
}

static int mend_loop(struct store *store, const struct finding *finding,
		     struct img_err *err)
{
	return store->dm.ops->detach(store->dm.self, (dev_t)finding->number,
				     err);
}

static struct finding *tell(struct look *look, const char *kind,
			    const struct dm_block *block, const char *what)
{
	struct finding *finding = findings_add(look->ret, kind);

	finding_object(finding, "device %s", block->name.name);
	finding->name = mem_strdup(what);
	return finding;
}

/* 1 when a living process makes a snapshot of the volume just now. */
static int is_being_copied(struct store *store, uint32_t id,
			   struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store->db, &row, err,
			 "SELECT i.id FROM intents i JOIN volumes v"
			 " ON v.id = i.volume WHERE v.origin = ?",
			 "i", (int64_t)id);

	while (r >= 0 && (r = db_next(row, err)) > 0) {
		r = lock_is_held(store->lock_fd,
				 LOCK_INTENTS + (uint64_t)db_int(row, 0), err);
		if (r != 0)
			return r;
	}
	return r;
}

static bool is_used(const struct look *look, uint32_t id)
{
	for (size_t i = 0; i < look->uses.n; i++)
		if (look->uses.all[i].volume.id == id)
			return true;
	return false;
}

static int look_at_unused(struct look *look, const struct dm_block *block,
			  const char *what, const struct dm_state *state)
{
	struct finding *finding = tell(look, "stale-device", block, what);

	if (state->open_count == 0) {
		finding_text(finding, "is active, and nobody uses it");
		finding_remedy(finding, "removes it");
		finding->mend = mend_remove;
		return 0;
	}
	finding_text(finding,
		     "is active and open, but not by a process of img");
	finding_remedy(finding,
		       "end whoever has it open: 'grep %s /proc/*/mountinfo' "
		       "and 'fuser /dev/dm-*' tell; then examine again",
		       block->name.name);
	return 0;
}

static int look_at_volume(struct look *look, const struct dm_block *block,
			  const char *what, uint32_t id, struct img_err *err)
{
	struct store *store = look->store;
	struct img_err missing = { 0 };
	struct volume volume = { .id = id };
	struct finding *finding;
	struct dm_state state;
	int held, r;

	r = store->dm.ops->state(store->dm.self, &block->name, &state, err);
	if (r < 0 || !state.exists)
		return r;
	held = id == LEDGER_VOLUME || is_used(look, id)
		       ? 1
		       : volume_is_held(store, id, err);
	r = held < 0 ? held : is_being_copied(store, id, err);
	if (r < 0)
		return r;
	if (!held && store->driver->is_needed)
		held = r > 0 ? r : store->driver->is_needed(store, id, err);
	if (held < 0)
		return held;
	if (state.suspended && r == 0) {
		finding = tell(look, "suspended-device", block, what);
		finding_text(finding, "is suspended: whoever writes to it "
				      "waits");
		finding_remedy(finding, "resumes it");
		finding->mend = mend_suspended;
	}
	if (!held)
		return look_at_unused(look, block, what, &state);
	if (id == LEDGER_VOLUME ||
	    volume_find(store, id, &volume, &missing) < 0 ||
	    block->size_bytes == volume.size_bytes)
		return 0;
	finding = tell(look, "device-size", block, what);
	finding_text(finding,
		     "has %" PRIu64 " bytes, its volume %" PRIu64
		     " in the catalog",
		     block->size_bytes, volume.size_bytes);
	finding_remedy(finding, "stop the container on it: its next start "
				"makes the device anew");
	return 0;
}

static int look_at_dm(struct look *look, const struct dm_block *block,
		      struct img_err *err)
{
	const char *what = block->name.uuid + strlen(look->prefix);
	char *end;
	unsigned long id;

	if (strncmp(block->name.uuid, look->prefix, strlen(look->prefix)) != 0)
		return 0; /* another store's */
	id = strtoul(what, &end, 10);
	if (end == what || *end || id > VOLUME_ID_MAX)
		return 0; /* the pool, and what a driver has beside volumes */
	return look_at_volume(look, block, what, (uint32_t)id, err);
}

/* In whose directory it is, and nobody has it mounted or mapped. */
static void look_at_loop(struct look *look, const struct dm_block *block)
{
	struct finding *finding;

	if (block->is_used ||
	    strncmp(block->file, look->dir, strlen(look->dir)) != 0)
		return;
	finding = findings_add(look->ret, "leaked-loop");
	finding_object(finding, "loop%u", minor(block->dev));
	finding_text(finding, "is attached to %s, and nobody uses it",
		     block->file);
	finding_remedy(finding, "detaches it");
	finding->mend = mend_loop;
	finding->number = block->dev;
}

static int look_at(void *self, const struct dm_block *block,
		   struct img_err *err)
{
	struct look *look = self;

	if (!block->is_loop)
		return look_at_dm(look, block, err);
	look_at_loop(look, block);
	return 0;
}

int examine_devices(struct store *store, struct findings *ret,
		    struct img_err *err)
{
	img_auto(look_release) struct look look = { .store = store,
						    .ret = ret };
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	char real[PATH_MAX];
	int r;

	(void)snprintf(look.prefix, sizeof(look.prefix), DM_UUID_PREFIX "%s-",
		       store->id);
	look.dir = mem_printf("%s/",
			      realpath(store->root, real) ? real : store->root);
	r = examine_uses(store, &look.uses, err);
	if (r < 0)
		return r;
	/* Who attaches loops for the pool holds it until they are used. */
	r = store_lock(store, LOCK_STORE, &lock, err);
	if (r < 0)
		return r;
	return store->dm.ops->each_block(store->dm.self, look_at, &look, err);
}
