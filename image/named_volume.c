#include "image/named_volume.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/part.h"
#include "base/str.h"
#include "image/config.h"
#include "image/formats.h"
#include "image/name.h"
#include "image/named_record.h"
#include "storage/capacity.h"
#include "storage/resize.h"
#include "storage/share.h"

#include <fcntl.h>
#include <string.h>

#define COLUMNS                                                                \
	"n.name, n.created_ns, n.anonymous, n.config, v.id, v.size_bytes,"     \
	" v.fs_bytes FROM named_volumes n JOIN volumes v ON v.id = n.volume "

void named_volume_release(struct named_volume *named)
{
	img_mem_release(&named->config);
}

static void read_row(struct db_row *row, struct named_volume *ret)
{
	*ret = (struct named_volume){
		.created_ns = db_int(row, 1),
		.anonymous = db_int(row, 2) != 0,
		.config = mem_strdup(db_text(row, 3)),
		.volume = { .id = (uint32_t)db_int(row, 4),
			    .size_bytes = (uint64_t)db_int(row, 5),
			    .fs_bytes = (uint64_t)db_int(row, 6) },
	};
	(void)snprintf(ret->name, sizeof(ret->name), "%s", db_text(row, 0));
}

int named_volume_name_check(const char *name, struct img_err *err)
{
	return plain_name_check(name, "volume", NAMED_VOLUME_NAME_MAX, err);
}

int named_volume_find(struct store *store, const char *name,
		      struct named_volume *ret, struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store_db(store), &row, err,
			 "SELECT " COLUMNS "WHERE n.name = ?", "s", name);

	if (r == 0)
		r = db_next(row, err);
	if (r == 0)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "there is no volume '%.80s'", name);
	if (r < 0)
		return r;
	read_row(row, ret);
	return 0;
}

int named_volume_each(struct store *store,
		      int (*fn)(void *self, const struct named_volume *named,
				struct img_err *err),
		      void *self, struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store_db(store), &row, err,
			 "SELECT " COLUMNS "ORDER BY n.name", "");

	while (r >= 0 && (r = db_next(row, err)) > 0) {
		img_auto(
			named_volume_release) struct named_volume named = { 0 };

		read_row(row, &named);
		r = fn(self, &named, err);
		if (r != 0)
			return r;
	}
	return r;
}

static int pick_size(struct store *store, uint64_t wanted, uint64_t *ret,
		     struct img_err *err)
{
	*ret = wanted ? num_align_up(wanted, VOLUME_BYTES_STEP)
		      : store_volume_bytes(store);
	*ret -= *ret % VOLUME_BYTES_STEP;
	if (*ret < VOLUME_BYTES_MIN || *ret > VOLUME_BYTES_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the volume's size must be from 16M to 16T");
	return 0;
}

static int format(struct store *store, const struct volume *volume,
		  struct img_err *err)
{
	formats_mkfs_fn *mkfs = part_symbol(FORMATS_PART, "formats_mkfs", err);
	img_auto(img_fd_release) int fd = -1;
	char node[VOLUME_NODE_MAX];
	int r;

	if (!mkfs)
		return -(int)err->code;
	r = volume_activate(store, volume, node, err);
	if (r < 0)
		return r;
	fd = open(node, O_RDWR | O_EXCL | O_CLOEXEC);
	if (fd < 0)
		return img_err_sys(err, "cannot open %s", node);
	r = mkfs(fd, volume->size_bytes, NULL, err);
	return r < 0 ? capacity_explain(store, err) : r;
}

int named_volume_row_add(struct db *db, const struct named_volume *named,
			 struct img_err *err)
{
	int r = db_run(db, err,
		       "INSERT INTO named_volumes (name, volume, created_ns,"
		       " anonymous, config) VALUES (?, ?, ?, ?, ?)",
		       "siiis", named->name, (int64_t)named->volume.id,
		       named->created_ns, (int64_t)named->anonymous,
		       named->config);

	return r < 0 ? r : 0;
}

static int is_taken(const char *name, struct img_err *err)
{
	return img_err_set(err, IMG_E_EXISTS, 0,
			   "the volume name '%.80s' is taken", name);
}

static int insert_row(struct store *store, const struct named_volume *named,
		      struct volume_pending *pending, struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	struct img_err taken = { 0 };
	int r = db_begin(store_db(store), true, err);

	if (r < 0)
		return r;
	txn = store_db(store);
	r = named_volume_row_add(txn, named, &taken);
	if (r == -IMG_E_EXISTS)
		return is_taken(named->name, err);
	if (r < 0) {
		*err = taken;
		return r;
	}
	r = volume_settle(pending, err);
	return r < 0 ? r : db_commit(store_db(store), err);
}

/* As for images: where the record cannot be taken back, the volume must not go
 * before it, and both are left to the next open of the store. */
static void take_back(struct volume_pending *pending)
{
	struct img_err dropped = { 0 }; /* the first failure counts */

	if (ledger_drop(pending->store, pending->volume.id, &dropped) < 0)
		volume_keep(pending);
}

int named_volume_add(struct store *store, struct named_volume *named,
		     struct volume_pending *pending, struct img_err *err)
{
	int r;

	named->volume = pending->volume;
	r = named_record_put(store, named, err);
	if (r == 0)
		r = insert_row(store, named, pending, err);
	if (r < 0)
		take_back(pending);
	else
		volume_keep(pending);
	return r;
}

static char *config_text(const struct named_volume_new *new)
{
	img_auto(json_release) json_t *none = json_object();
	img_auto(json_release) json_t *config =
		json_pack("{sO sO}", "Labels", new->labels ? new->labels : none,
			  "Options", new->options ? new->options : none);

	return image_config_text(config);
}

/* 1 when there is one: nothing is made in vain. */
static int name_exists(struct store *store, const char *name,
		       struct img_err *err)
{
	int64_t one;

	return db_get_int(store_db(store), &one, err,
			  "SELECT 1 FROM named_volumes WHERE name = ?", "s",
			  name);
}

int named_volume_create(struct store *store, const struct named_volume_new *new,
			struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending pending = { 0 };
	img_auto(named_volume_release) struct named_volume named = {
		.created_ns = clock_now_ns(),
		.anonymous = new->anonymous,
	};
	uint64_t size = 0;
	int r = named_volume_name_check(new->name, err);

	if (r == 0)
		r = pick_size(store, new->size_bytes, &size, err);
	if (r == 0)
		r = name_exists(store, new->name, err);
	if (r > 0)
		return is_taken(new->name, err);
	if (r == 0)
		r = volume_create(store, size, &pending, err);
	if (r == 0)
		r = format(store, &pending.volume, err);
	if (r == 0)
		r = volume_deactivate(store, &pending.volume, err);
	if (r < 0)
		return r;
	(void)snprintf(named.name, sizeof(named.name), "%s", new->name);
	named.config = config_text(new);
	return named_volume_add(store, &named, &pending, err);
}

int named_volume_begin_delete(struct store *store,
			      const struct named_volume *named,
			      struct volume_pending *ret, struct img_err *err)
{
	struct img_err used = { 0 };
	int r = db_run(store_db(store), &used,
		       "DELETE FROM named_volumes"
		       " WHERE name = ? AND volume = ?",
		       "si", named->name, (int64_t)named->volume.id);

	if (r == 0)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "there is no volume '%.80s' any more",
				   named->name);
	if (r == -IMG_E_EXISTS) /* volume_users says no */
		return img_err_set(err, IMG_E_BUSY, 0, "a container has it");
	if (r < 0) {
		*err = used;
		return r;
	}
	return volume_begin_delete(store, named->volume.id, ret, err);
}

int named_volume_finish_delete(struct volume_pending *gone, struct img_err *err)
{
	int r = ledger_drop(gone->store, gone->volume.id, err);

	if (r < 0) {
		volume_keep(gone); /* the next open goes on with it */
		return r;
	}
	return volume_finish_delete(gone, err);
}

static int delete_row(struct store *store, const struct named_volume *named,
		      struct volume_pending *ret, struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store_db(store), true, err);

	if (r < 0)
		return r;
	txn = store_db(store);
	r = named_volume_begin_delete(store, named, ret, err);
	if (r == 0)
		r = db_commit(store_db(store), err);
	if (r < 0 && ret->store) {
		db_rollback(store_db(store));
		volume_keep(ret);
	}
	return r;
}

int named_volume_remove(struct store *store, const struct named_volume *named,
			struct img_err *err)
{
	struct volume_pending gone = { 0 };
	int r = store_need_pool(store, err);

	if (r == 0)
		r = share_await_end(store, named->volume.id, err);
	if (r == 0)
		r = delete_row(store, named, &gone, err);
	return r < 0 ? r : named_volume_finish_delete(&gone, err);
}

static int has_row(struct store *store, const struct named_volume *named,
		   struct img_err *err)
{
	int64_t one;

	return db_get_int(store_db(store), &one, err,
			  "SELECT 1 FROM named_volumes"
			  " WHERE name = ? AND volume = ?",
			  "si", named->name, (int64_t)named->volume.id);
}

/* What the catalog has by now: another process may have made it larger, or
 * removed it.  Who removes it drops the record after the row: so the row is
 * looked for once more after the record is put. */
static int record_again(struct store *store, const struct named_volume *named,
			struct img_err *err)
{
	img_auto(named_volume_release) struct named_volume found = { 0 };
	img_auto(lock_release) struct lock records = { .fd = -1 };
	int r = ledger_begin(store, &records, err);

	if (r == 0)
		r = has_row(store, named, err);
	if (r > 0)
		r = named_volume_find(store, named->name, &found, err);
	if (r == 0 && found.config)
		r = named_record_put(store, &found, err);
	if (r == 0)
		r = has_row(store, named, err);
	if (r == 0)
		r = ledger_drop(store, named->volume.id, err);
	return r < 0 ? r : 0;
}

int named_volume_resize(struct store *store, const struct named_volume *named,
			uint64_t size_bytes, struct img_err *err)
{
	struct named_volume larger = *named; /* texts are the other's */
	struct img_err dropped = { 0 };	     /* the doctor mends records */
	int r = resize_check(store, &named->volume, err);

	if (r < 0)
		return r;
	/* The record first: a catalog that is made from it has the volume too
	 * large then, and not too small for what is on it. */
	if (size_bytes > named->volume.size_bytes) {
		larger.volume.size_bytes = size_bytes;
		r = named_record_put(store, &larger, err);
	}
	if (r == 0)
		r = resize_volume(store, named->volume.id, size_bytes, err);
	if (size_bytes > named->volume.size_bytes)
		IMG_IGNORE(record_again(store, named, &dropped));
	return r;
}
