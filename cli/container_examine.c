#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/container.h"
#include "storage/finding.h"
#include "storage/orphans.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

static int mend_unowned(struct store *store, const struct finding *finding,
			struct img_err *err)
{
	struct volume volume;
	int64_t one;
	int r = db_get_int(store_db(store), &one, err,
			   "SELECT 1 FROM volumes WHERE id = ? AND id NOT IN"
			   " (SELECT volume FROM images UNION"
			   " SELECT volume FROM containers UNION"
			   " SELECT volume FROM snapshots UNION"
			   " SELECT volume FROM named_volumes UNION"
			   " SELECT volume FROM intents)",
			   "i", (int64_t)finding->number);

	if (r > 0)
		r = volume_find(store, (uint32_t)finding->number, &volume, err);
	else if (r == 0) /* it is somebody's by now */
		return 0;
	return r < 0 ? r : container_recover(store, &volume, err);
}

static int find_unowned(struct store *store, struct findings *ret,
			struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store_db(store), &row, err,
			 "SELECT id FROM volumes WHERE id NOT IN"
			 " (SELECT volume FROM images UNION"
			 " SELECT volume FROM containers UNION"
			 " SELECT volume FROM snapshots UNION"
			 " SELECT volume FROM named_volumes UNION"
			 " SELECT volume FROM intents) ORDER BY id",
			 "");

	while (r >= 0 && (r = db_next(row, err)) > 0) {
		struct finding *finding = findings_add(ret, "unowned-volume");

		finding_object(finding, "volume %" PRId64, db_int(row, 0));
		finding_text(finding, "has a row, but belongs to no image, "
				      "container or snapshot");
		finding_remedy(finding,
			       "makes it a stopped container again, as it was "
			       "noted or as recovered-%" PRId64,
			       db_int(row, 0));
		finding->mend = mend_unowned;
		finding->number = (uint64_t)db_int(row, 0);
	}
	return r;
}

static int mend_file(struct store *store, const struct finding *finding,
		     struct img_err *err)
{
	return file_remove_tree(AT_FDCWD, finding->name, err);
}

/* 1 when a container has that id. */
static int has_row(struct store *store, const char *id, struct img_err *err)
{
	int64_t one;

	return db_get_int(store_db(store), &one, err,
			  "SELECT 1 FROM containers WHERE id = ?", "s", id);
}

static int mend_noted(struct store *store, const struct finding *finding,
		      struct img_err *err)
{
	struct volume volume;
	int r = orphans_keep(store, (uint32_t)finding->number, &volume, err);

	return r < 0 ? r : container_recover(store, &volume, err);
}

/* Both its rows are lost, yet its file says what it was: it is not to go.
 * finding->name is its id then. */
static void keep_noted(struct store *store, struct findings *ret)
{
	for (size_t i = 0; i < ret->n; i++) {
		img_auto(
			container_row_release) struct container_row row = { 0 };
		struct finding *finding = &ret->all[i];
		struct img_err unread = { 0 }; /* then it stays an orphan */

		if (strcmp(finding->kind, "orphan") != 0 ||
		    !container_find_note(store, (uint32_t)finding->number,
					 &row) ||
		    has_row(store, row.id.hex, &unread) != 0)
			continue;
		finding_text(finding,
			     "is in the pool, but no row of the catalog knows "
			     "it; its file container.json says that it is the "
			     "container %.64s",
			     row.name);
		finding_remedy(finding, "makes it that container again");
		finding->mend = mend_noted;
		finding->name = mem_strdup(row.id.hex);
	}
}

/* True for the id of a container that keep_noted found. */
static bool is_noted(const struct findings *findings, const char *id)
{
	for (size_t i = 0; i < findings->n; i++)
		if (findings->all[i].mend == mend_noted &&
		    strcmp(findings->all[i].name, id) == 0)
			return true;
	return false;
}

static int mend_dir(struct store *store, const struct finding *finding,
		    struct img_err *err)
{
	int r = has_row(store, strrchr(finding->name, '/') + 1, err);

	if (r != 0) /* it is somebody's by now */
		return r < 0 ? r : 0;
	return mend_file(store, finding, err);
}

static struct finding *tell_file(struct findings *ret, const char *dir,
				 const char *name, const char *what)
{
	struct finding *finding = findings_add(ret, "leftover-file");

	finding_object(finding, "%.80s", name);
	finding_text(finding, "is %s: %s/%s", what, dir, name);
	finding_remedy(finding, "removes it");
	finding->mend = mend_file;
	finding->name = mem_printf("%s/%s", dir, name);
	return finding;
}

static int find_dirs(struct store *store, struct findings *ret,
		     struct img_err *err)
{
	img_auto(img_mem_release) char *path =
		mem_printf("%s/containers", store_root(store));
	img_auto(img_dir_release) DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		int r;

		if (entry->d_name[0] == '.' || is_noted(ret, entry->d_name))
			continue;
		r = has_row(store, entry->d_name, err);
		if (r < 0)
			return r;
		if (r == 0)
			tell_file(ret, path, entry->d_name,
				  "the directory of no container")
				->mend = mend_dir;
	}
	return 0;
}

/* 1 when the name is that of the file of a container that runs. */
static int is_of_running(struct store *store, const char *name,
			 struct img_err *err)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	struct img_err none = { 0 };
	char id[ID_SHORT_LEN + 1];

	(void)snprintf(id, sizeof(id), "%s", name);
	if (container_find(store, id, &row, &none) < 0)
		return 0;
	return container_is_running(store, &row, err);
}

static int find_pid_files(struct store *store, struct findings *ret,
			  struct img_err *err)
{
	const char *path = store_run(store);
	img_auto(img_dir_release) DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		size_t len = strlen(entry->d_name);
		int r;

		if (len != ID_SHORT_LEN + 4 ||
		    strcmp(entry->d_name + ID_SHORT_LEN, ".pid") != 0)
			continue;
		r = is_of_running(store, entry->d_name, err);
		if (r < 0)
			return r;
		if (r == 0)
			(void)tell_file(ret, path, entry->d_name,
					"of no container that runs");
	}
	return 0;
}

int container_examine(struct store *store, struct findings *ret,
		      struct img_err *err)
{
	int r = find_unowned(store, ret, err);

	keep_noted(store, ret);
	if (r == 0)
		r = find_dirs(store, ret, err);
	return r < 0 ? r : find_pid_files(store, ret, err);
}
