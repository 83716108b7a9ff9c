#include "cli/container.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/clock.h"
#include "cli/container_cgroup.h"
#include "cli/container_ids.h"
#include "cli/container_volumes.h"
#include "cli/event.h"
#include "cli/run_config.h"
#include "cli/snapshots.h"
#include "runtime/cgroup_state.h"

#include <fcntl.h>
#include <string.h>

#define COLUMNS                                                                \
	"c.id, c.name, c.image, c.image_name, c.created_ns, c.started_ns,"     \
	" c.finished_ns, c.exit_status, c.auto_remove, c.config, v.id,"        \
	" v.size_bytes, v.origin, c.uid_base, c.gid_base, c.oom_killed"
#define FROM " FROM containers c JOIN volumes v ON v.id = c.volume "

void container_row_release(struct container_row *row)
{
	img_mem_release(&row->image_name);
	img_mem_release(&row->config);
}

static void read_row(struct db_row *row, struct container_row *ret)
{
	*ret = (struct container_row){
		.image_name = mem_strdup(db_text(row, 3)),
		.created_ns = db_int(row, 4),
		.started_ns = db_int(row, 5),
		.finished_ns = db_int(row, 6),
		.exit_status = (int)db_int(row, 7),
		.auto_remove = db_int(row, 8) != 0,
		.config = mem_strdup(db_text(row, 9)),
		.volume = { .id = (uint32_t)db_int(row, 10),
			    .size_bytes = (uint64_t)db_int(row, 11),
			    .origin = (uint32_t)db_int(row, 12) },
		.users = { .uid_base = (uint32_t)db_int(row, 13),
			   .gid_base = (uint32_t)db_int(row, 14) },
		.oom_killed = db_int(row, 15) != 0,
	};
	(void)snprintf(ret->id.hex, sizeof(ret->id.hex), "%s", db_text(row, 0));
	(void)snprintf(ret->name, sizeof(ret->name), "%s", db_text(row, 1));
	(void)snprintf(ret->image.hex, sizeof(ret->image.hex), "%s",
		       db_text(row, 2));
}

/* 1 found, 0 not. */
static int by_name(struct store *store, const char *name,
		   struct container_row *ret, struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store_db(store), &row, err,
			 "SELECT " COLUMNS FROM "WHERE c.name = ?", "s", name);

	if (r == 0)
		r = db_next(row, err);
	if (r > 0)
		read_row(row, ret);
	return r;
}

static int by_prefix(struct store *store, const char *prefix,
		     struct container_row *ret, struct img_err *err)
{
	img_auto(container_row_release) struct container_row first = { 0 };
	img_auto(db_row_end) struct db_row *row = NULL;
	img_auto(img_mem_release) char *end = mem_printf("%sg", prefix);
	int r = db_query(store_db(store), &row, err,
			 "SELECT " COLUMNS FROM "WHERE c.id >= ? AND c.id < ?",
			 "ss", prefix, end);

	if (r == 0)
		r = db_next(row, err);
	if (r <= 0)
		return r;
	read_row(row, &first);
	r = db_next(row, err);
	if (r > 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "several containers have an id that begins "
				   "with %s",
				   prefix);
	if (r < 0)
		return r;
	*ret = first;
	first = (struct container_row){ 0 };
	return 1;
}

int container_find(struct store *store, const char *ref,
		   struct container_row *ret, struct img_err *err)
{
	int r = by_name(store, ref, ret, err);

	if (r == 0 && id_is_prefix(ref))
		r = by_prefix(store, ref, ret, err);
	if (r == 0)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "there is no container '%s'", ref);
	return r < 0 ? r : 0;
}

int container_each(struct store *store,
		   int (*fn)(void *self, const struct container_row *row,
			     struct img_err *err),
		   void *self, struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store_db(store), &row, err,
			 "SELECT " COLUMNS FROM
			 "ORDER BY c.created_ns DESC, c.id",
			 "");

	while (r >= 0 && (r = db_next(row, err)) > 0) {
		img_auto(container_row_release) struct container_row c = { 0 };

		read_row(row, &c);
		r = fn(self, &c, err);
		if (r != 0)
			return r;
	}
	return r;
}

int container_is_running(struct store *store, const struct container_row *row,
			 struct img_err *err)
{
	return volume_runs_or_goes(store, row->volume.id, err);
}

int container_state(struct store *store, const struct container_row *row,
		    const char **ret, struct img_err *err)
{
	img_auto(img_fd_release) int cgroup = -1;
	struct img_err gone = { 0 };
	int running = container_is_running(store, row, err);

	if (running < 0)
		return running;
	if (!running)
		*ret = row->started_ns ? "exited" : "created";
	else if (container_cgroup(store, row, &cgroup, &gone) > 0 &&
		 cgroup_is_frozen(cgroup, &gone) > 0)
		*ret = "paused";
	else
		*ret = "running";
	return 0;
}

int container_insert(struct store *store, struct container_row *row,
		     struct img_err *err)
{
	int r = 0;

	row->users = (struct userns){ 0 };
	if (!run_config_has_host_users(row->config))
		r = container_ids_choose(store, &row->users, err);
	if (r < 0)
		return r;
	r = db_run(store_db(store), err,
		   "INSERT INTO containers (id, name, volume, image,"
		   " image_name, created_ns, started_ns, auto_remove,"
		   " config, uid_base, gid_base) VALUES (?, ?, ?, ?, ?, ?, ?,"
		   " ?, ?, nullif(?, 0), nullif(?, 0))",
		   "ssissiiisii", row->id.hex, row->name,
		   (int64_t)row->volume.id, row->image.hex, row->image_name,
		   row->created_ns, row->started_ns, (int64_t)row->auto_remove,
		   row->config, (int64_t)row->users.uid_base,
		   (int64_t)row->users.gid_base);
	if (r == -IMG_E_EXISTS)
		return container_name_taken(row->name, err);
	return r < 0 ? r : container_volumes_insert(store, row, err);
}

int container_set_started(struct store *store, const struct container_row *row,
			  struct img_err *err)
{
	int r = db_run(store_db(store), err,
		       "UPDATE containers SET started_ns = ?,"
		       " finished_ns = NULL, oom_killed = 0 WHERE id = ?",
		       "is", clock_now_ns(), row->id.hex);

	return r < 0 ? r : 0;
}

int container_set_finished(struct store *store, const struct container_row *row,
			   int exit_status, struct img_err *err)
{
	int r = db_run(store_db(store), err,
		       "UPDATE containers SET finished_ns = ?,"
		       " exit_status = ? WHERE id = ?",
		       "iis", clock_now_ns(), (int64_t)exit_status,
		       row->id.hex);

	return r < 0 ? r : 0;
}

int container_reread_volume(struct store *store, struct container_row *row,
			    struct img_err *err)
{
	img_auto(db_row_end) struct db_row *found = NULL;
	int r = db_query(store_db(store), &found, err,
			 "SELECT v.id, v.size_bytes, v.origin" FROM
			 "WHERE c.id = ?",
			 "s", row->id.hex);

	if (r == 0)
		r = db_next(found, err);
	if (r == 0)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "the container %s was removed meanwhile",
				   row->name);
	if (r < 0)
		return r;
	row->volume = (struct volume){
		.id = (uint32_t)db_int(found, 0),
		.size_bytes = (uint64_t)db_int(found, 1),
		.origin = (uint32_t)db_int(found, 2),
	};
	return 0;
}

int container_set_oom_killed(struct store *store,
			     const struct container_row *row,
			     struct img_err *err)
{
	int r = db_run(store_db(store), err,
		       "UPDATE containers SET oom_killed = 1 WHERE id = ?", "s",
		       row->id.hex);

	return r < 0 ? r : 0;
}

int container_set_volume(struct store *store, const struct container_row *row,
			 const struct volume *volume, struct img_err *err)
{
	int r = db_run(store_db(store), err,
		       "UPDATE containers SET volume = ?"
		       " WHERE id = ? AND volume = ?",
		       "isi", (int64_t)volume->id, row->id.hex,
		       (int64_t)row->volume.id);

	if (r == 0)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "it was removed or rolled back meanwhile");
	return r < 0 ? r : 0;
}

int container_set_config(struct store *store, const struct container_row *row,
			 const char *config, struct img_err *err)
{
	int r = db_run(store_db(store), err,
		       "UPDATE containers SET config = ? WHERE id = ?", "ss",
		       config, row->id.hex);

	if (r == 0)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "it was removed meanwhile");
	return r < 0 ? r : 0;
}

int container_rename(struct store *store, const struct container_row *row,
		     const char *name, struct img_err *err)
{
	int r = db_run(store_db(store), err,
		       "UPDATE containers SET name = ? WHERE id = ?", "ss",
		       name, row->id.hex);

	if (r == -IMG_E_EXISTS)
		return container_name_taken(name, err);
	return r < 0 ? r : 0;
}

int container_delete(struct store *store, const struct container_row *row,
		     struct img_err *err)
{
	int r = db_run(store_db(store), err,
		       "DELETE FROM containers WHERE id = ?", "s", row->id.hex);

	return r < 0 ? r : 0;
}

static int by_volume(struct store *store, uint32_t volume,
		     struct container_row *ret, struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store_db(store), &row, err,
			 "SELECT " COLUMNS FROM "WHERE v.id = ?", "i",
			 (int64_t)volume);

	if (r == 0)
		r = db_next(row, err);
	if (r > 0)
		read_row(row, ret);
	return r;
}

bool container_always_goes(const struct container_row *row)
{
	return row->auto_remove && row->started_ns == row->created_ns &&
	       !container_volumes_has_own(row->config);
}

int container_run_ended(struct store *store, uint32_t volume,
			struct img_err *err)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	img_auto(img_mem_release) char *pid_path = NULL;
	img_auto(img_mem_release) char *attach_path = NULL;
	img_auto(db_txn_release) struct db *txn = NULL;
	struct img_err dropped = { 0 }; /* files of a container that is gone */
	int r = by_volume(store, volume, &row, err);
	bool seen;

	if (r <= 0)
		return r;
	/* Its supervisor may have, and not have got the volume. */
	seen = row.finished_ns != 0;
	pid_path = container_pid_path(store, &row);
	(void)unlink(pid_path); /* often was never written */
	attach_path = container_attach_path(store, &row);
	(void)unlink(attach_path); /* nor was this ever made */
	container_cgroup_collect(&row);
	r = db_begin(store_db(store),
		     row.auto_remove && !container_always_goes(&row), err);
	if (r < 0)
		return r;
	txn = store_db(store);
	if (row.auto_remove) {
		IMG_IGNORE(container_files_remove(store, &row, &dropped));
		r = snapshots_condemn(store, &row, err);
		if (r == 0)
			r = container_volumes_condemn(store, &row, err);
		if (r == 0)
			r = container_delete(store, &row, err);
		if (r == 0)
			r = volume_condemn(store, volume, err);
	} else if (!seen) {
		r = container_set_finished(store, &row, CONTAINER_UNSEEN, err);
	}
	if (r == 0)
		r = db_commit(store_db(store), err);
	if (r == 0 && !seen)
		event_write_die(store, &row, CONTAINER_UNSEEN, row.started_ns);
	if (r == 0 && row.auto_remove)
		event_write(store, "destroy", &row);
	return r;
}

int container_vanished(struct store *store, uint32_t volume,
		       struct img_err *err)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	int r = db_run(store_db(store), err,
		       "DELETE FROM snapshots WHERE volume = ?", "i",
		       (int64_t)volume);

	if (r >= 0)
		r = by_volume(store, volume, &row, err);
	if (r <= 0)
		return r;
	r = snapshots_orphan(store, &row, err);
	/* Its directory is swept after this. */
	return r < 0 ? r : container_delete(store, &row, err);
}

char *container_pid_path(struct store *store, const struct container_row *row)
{
	return mem_printf("%s/%.12s.pid", store_run(store), row->id.hex);
}

char *container_attach_path(struct store *store,
			    const struct container_row *row)
{
	return mem_printf("%s/%.12s.attach", store_run(store), row->id.hex);
}

pid_t container_pid(struct store *store, const struct container_row *row)
{
	img_auto(img_mem_release) char *path = container_pid_path(store, row);
	img_auto(img_mem_release) char *text = NULL;
	struct img_err err = { 0 }; /* no file, no process */

	if (container_is_running(store, row, &err) <= 0 ||
	    file_read_all(AT_FDCWD, path, 32, &text, NULL, &err) < 0)
		return 0;
	return (pid_t)strtol(text, NULL, 10);
}
