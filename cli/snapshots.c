#include "cli/snapshots.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "image/name.h"

#include <inttypes.h>

#define COLUMNS                                                                \
	"s.container, c.name, s.name, s.created_ns, v.id, v.size_bytes,"       \
	" v.origin"
#define FROM                                                                   \
	" FROM snapshots s JOIN containers c ON c.id = s.container"            \
	" JOIN volumes v ON v.id = s.volume "

static void copy(char *to, size_t size, const char *from)
{
	(void)snprintf(to, size, "%s", from);
}

static void read_row(struct db_row *row, struct snapshot_row *ret)
{
	*ret = (struct snapshot_row){
		.created_ns = db_int(row, 3),
		.volume = { .id = (uint32_t)db_int(row, 4),
			    .size_bytes = (uint64_t)db_int(row, 5),
			    .origin = (uint32_t)db_int(row, 6) },
	};
	copy(ret->container.hex, sizeof(ret->container.hex), db_text(row, 0));
	copy(ret->container_name, sizeof(ret->container_name), db_text(row, 1));
	copy(ret->name, sizeof(ret->name), db_text(row, 2));
}

int snapshot_name_check(const char *name, struct img_err *err)
{
	return plain_name_check(name, "snapshot", CONTAINER_NAME_MAX, err);
}

int snapshot_find(struct store *store, const struct container_row *container,
		  const char *name, struct snapshot_row *ret,
		  struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store_db(store), &row, err,
			 "SELECT " COLUMNS FROM
			 "WHERE s.container = ? AND s.name = ?",
			 "ss", container->id.hex, name);

	if (r == 0)
		r = db_next(row, err);
	if (r < 0)
		return r;
	if (r == 0)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "%s has no snapshot '%s'", container->name,
				   name);
	read_row(row, ret);
	return 0;
}

int snapshot_each(struct store *store, const struct container_row *container,
		  int (*fn)(void *self, const struct snapshot_row *row,
			    struct img_err *err),
		  void *self, struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store_db(store), &row, err,
			 "SELECT " COLUMNS FROM
			 "WHERE coalesce(?, s.container) = s.container"
			 " ORDER BY c.name, s.created_ns, s.name",
			 "s", container ? container->id.hex : NULL);

	while (r >= 0 && (r = db_next(row, err)) > 0) {
		struct snapshot_row snapshot;

		read_row(row, &snapshot);
		r = fn(self, &snapshot, err);
		if (r != 0)
			return r;
	}
	return r;
}

/* snap0, snap1 and so on: the first behind all that are there. */
static int invent_name(struct store *store, struct snapshot_row *row,
		       struct img_err *err)
{
	int64_t n = 0;
	int r = db_get_int(store_db(store), &n, err,
			   "SELECT 1 + max(CAST(substr(name, 5) AS INTEGER))"
			   " FROM snapshots WHERE container = ?"
			   " AND name GLOB 'snap[0-9]*'"
			   " AND length(name) < 16",
			   "s", row->container.hex);

	if (r < 0)
		return r;
	(void)snprintf(row->name, sizeof(row->name), "snap%" PRId64, n);
	return 0;
}

static int find_container(struct store *store, const struct snapshot_row *row,
			  struct img_err *err)
{
	int64_t one;
	int r = db_get_int(store_db(store), &one, err,
			   "SELECT 1 FROM containers WHERE id = ?", "s",
			   row->container.hex);

	if (r == 0)
		r = img_err_set(err, IMG_E_NOT_FOUND, 0,
				"the container was removed meanwhile");
	return r < 0 ? r : 0;
}

int snapshot_insert(struct store *store, struct snapshot_row *row,
		    struct img_err *err)
{
	struct img_err taken = { 0 };
	int r = find_container(store, row, err);

	if (r == 0 && !row->name[0])
		r = invent_name(store, row, err);
	if (r < 0)
		return r;
	r = db_run(store_db(store), &taken,
		   "INSERT INTO snapshots (container, name, volume, created_ns)"
		   " VALUES (?, ?, ?, ?)",
		   "ssii", row->container.hex, row->name,
		   (int64_t)row->volume.id, row->created_ns);
	if (r == -IMG_E_EXISTS)
		return img_err_set(err, IMG_E_EXISTS, 0,
				   "it has a snapshot '%s' already", row->name);
	if (r < 0)
		*err = taken;
	return r < 0 ? r : 0;
}

int snapshot_delete(struct store *store, const struct snapshot_row *row,
		    struct img_err *err)
{
	int r = db_run(store_db(store), err,
		       "DELETE FROM snapshots WHERE container = ? AND name = ?"
		       " AND volume = ?",
		       "ssi", row->container.hex, row->name,
		       (int64_t)row->volume.id);

	if (r == 0)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "the snapshot '%s' was removed meanwhile",
				   row->name);
	return r < 0 ? r : 0;
}

struct ids {
	int64_t *id;
	size_t n;
};

static void ids_release(struct ids *ids)
{
	img_mem_release(&ids->id);
}

static int add_id(void *self, const struct snapshot_row *row,
		  struct img_err *err)
{
	struct ids *ids = self;

	ids->id = mem_realloc(ids->id, (ids->n + 1) * sizeof(*ids->id));
	ids->id[ids->n++] = row->volume.id;
	return 0;
}

/* Deletes the rows; whose volumes they were. */
static int take_all(struct store *store, const struct container_row *container,
		    struct ids *ret, struct img_err *err)
{
	int r = snapshot_each(store, container, add_id, ret, err);

	if (r == 0 && ret->n > 0)
		r = db_run(store_db(store), err,
			   "DELETE FROM snapshots WHERE container = ?", "s",
			   container->id.hex);
	return r < 0 ? r : 0;
}

int snapshots_begin_delete(struct store *store,
			   const struct container_row *container,
			   struct snapshots_gone *ret, struct img_err *err)
{
	img_auto(ids_release) struct ids ids = { 0 };
	int r = take_all(store, container, &ids, err);

	if (r < 0 || ids.n == 0)
		return r;
	ret->volumes = mem_zalloc(ids.n * sizeof(*ret->volumes));
	for (; r == 0 && ret->n < ids.n; ret->n += r == 0)
		r = volume_begin_delete(store, (uint32_t)ids.id[ret->n],
					&ret->volumes[ret->n], err);
	return r;
}

int snapshots_finish_delete(struct snapshots_gone *gone, struct img_err *err)
{
	int r = 0;

	while (gone->n > 0) {
		struct img_err one = { 0 };

		if (volume_finish_delete(&gone->volumes[--gone->n], &one) < 0 &&
		    r == 0) {
			*err = one;
			r = -(int)one.code;
		}
	}
	return r;
}

void snapshots_gone_release(struct snapshots_gone *gone)
{
	while (gone->n > 0)
		volume_keep(&gone->volumes[--gone->n]);
	img_mem_release(&gone->volumes);
}

int snapshots_condemn(struct store *store,
		      const struct container_row *container,
		      struct img_err *err)
{
	img_auto(ids_release) struct ids ids = { 0 };
	int r = take_all(store, container, &ids, err);

	for (size_t i = 0; r == 0 && i < ids.n; i++)
		r = volume_condemn(store, (uint32_t)ids.id[i], err);
	return r;
}

int snapshots_orphan(struct store *store, const struct container_row *container,
		     struct img_err *err)
{
	img_auto(ids_release) struct ids ids = { 0 };
	int r = take_all(store, container, &ids, err);

	for (size_t i = 0; r == 0 && i < ids.n; i++)
		r = volume_orphan(store, (uint32_t)ids.id[i], err);
	return r;
}
