#include "storage/recover.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "storage/ledger.h"
#include "storage/meta.h"
#include "storage/volume_impl.h"

#include <fcntl.h>

/* Ids of the pool's volumes, ascending. */
struct ids {
	uint32_t *id;
	size_t n, room;
};

static void ids_release(struct ids *ids)
{
	img_mem_release(&ids->id);
}

static void add(struct ids *ids, uint32_t id)
{
	if (ids->n == ids->room) {
		ids->room = ids->room ? 2 * ids->room : 64;
		ids->id = mem_realloc(ids->id, ids->room * sizeof(*ids->id));
	}
	ids->id[ids->n++] = id;
}

static int add_dev(void *self, const struct thin_meta_dev *dev,
		   struct img_err *err)
{
	add(self, dev->id);
	return 0;
}

static int add_record(void *self, const struct ledger_record *record,
		      struct img_err *err)
{
	add(self, record->volume);
	return 0;
}

static bool has(const struct ids *ids, uint32_t id)
{
	for (size_t i = 0; i < ids->n; i++)
		if (ids->id[i] == id)
			return true;
	return false;
}

static int list_pool(struct store *store, struct ids *ids, struct img_err *err)
{
	img_auto(thin_meta_release) struct thin_meta *meta = NULL;
	img_auto(img_mem_release) char *path = NULL;
	img_auto(img_fd_release) int fd = -1;
	int r;

	path = mem_printf("%s/pool/metadata", store->root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return img_err_sys(err, "cannot open %s", path);
	r = thin_meta_open(fd, NULL, &meta, err);
	return r < 0 ? r : thin_meta_each_dev(meta, add_dev, ids, err);
}

int recover_orphans(struct store *store, struct img_err *err)
{
	img_auto(ids_release) struct ids pool = { 0 };
	img_auto(ids_release) struct ids recorded = { 0 };
	int r;

	r = list_pool(store, &pool, err);
	if (r < 0 || pool.n == 0)
		return r;
	r = ledger_each(store, add_record, &recorded, err);
	for (size_t i = 0; r >= 0 && i < pool.n; i++) {
		struct volume volume = { .id = pool.id[i] };
		struct img_err missing = { 0 };

		/* An image that only the ledger knows is left for a repair:
		 * nothing acknowledged is ever thrown away. */
		if (volume.id == LEDGER_VOLUME || has(&recorded, volume.id) ||
		    volume_find(store, volume.id, &volume, &missing) == 0)
			continue;
		r = volume_retry(store, &volume, store->driver->destroy, err);
	}
	return r < 0 ? r : 0;
}
