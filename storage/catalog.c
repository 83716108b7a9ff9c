#include "storage/catalog.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"

/*
 * volumes.id is the thin device id.  A volume row without an intent is whole;
 * an intent says what is being done to a volume, and its id is the byte of
 * the lock file that the process at work holds.  volumes.fs_bytes is the size
 * of the file system where that is smaller than the volume and has to grow.
 *
 * images.volume and containers.volume: what holds a root file system.
 * containers.uid_base and gid_base: where its own ids begin on the host; NULL
 * where it has the host's.  No two containers have the same.
 * snapshots: earlier states of a container, each a volume of its own.
 * named_volumes: volumes that are no root file system, but mounted in one or
 * several; anonymous where nobody chose the name.  volume_users: by which
 * containers; anonymous where it was made for that one.
 * names: NAME[:TAG], many to one image.  history: oldest first, copied from
 * the parent at commit, so that it stands alone.
 */
static const char schema[] =
	"CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE TABLE volumes ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" size_bytes INTEGER NOT NULL,"
	" origin INTEGER,"
	" fs_bytes INTEGER);"
	"CREATE TABLE intents ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" op TEXT NOT NULL,"
	" volume INTEGER NOT NULL);"
	"CREATE TABLE images ("
	" id TEXT PRIMARY KEY,"
	" volume INTEGER NOT NULL UNIQUE REFERENCES volumes (id),"
	" parent TEXT,"
	" created_ns INTEGER NOT NULL,"
	" config TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE names ("
	" name TEXT NOT NULL,"
	" tag TEXT NOT NULL,"
	" image TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,"
	" PRIMARY KEY (name, tag)) WITHOUT ROWID;"
	"CREATE INDEX names_image ON names (image);"
	"CREATE TABLE history ("
	" image TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,"
	" step INTEGER NOT NULL,"
	" layer TEXT NOT NULL,"
	" created_ns INTEGER NOT NULL,"
	" created_by TEXT NOT NULL,"
	" comment TEXT NOT NULL,"
	" PRIMARY KEY (image, step)) WITHOUT ROWID;"
	"CREATE TABLE containers ("
	" id TEXT PRIMARY KEY,"
	" name TEXT NOT NULL UNIQUE,"
	" volume INTEGER NOT NULL UNIQUE REFERENCES volumes (id),"
	" image TEXT NOT NULL,"
	" image_name TEXT NOT NULL,"
	" created_ns INTEGER NOT NULL,"
	" started_ns INTEGER,"
	" finished_ns INTEGER,"
	" exit_status INTEGER,"
	" auto_remove INTEGER NOT NULL,"
	" oom_killed INTEGER NOT NULL DEFAULT 0,"
	" config TEXT NOT NULL,"
	" uid_base INTEGER,"
	" gid_base INTEGER,"
	" UNIQUE (uid_base, gid_base)) WITHOUT ROWID;"
	"CREATE TABLE snapshots ("
	" container TEXT NOT NULL REFERENCES containers (id),"
	" name TEXT NOT NULL,"
	" volume INTEGER NOT NULL UNIQUE REFERENCES volumes (id),"
	" created_ns INTEGER NOT NULL,"
	" PRIMARY KEY (container, name)) WITHOUT ROWID;"
	"CREATE TABLE named_volumes ("
	" name TEXT PRIMARY KEY,"
	" volume INTEGER NOT NULL UNIQUE REFERENCES volumes (id),"
	" created_ns INTEGER NOT NULL,"
	" anonymous INTEGER NOT NULL,"
	" config TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE volume_users ("
	" container TEXT NOT NULL REFERENCES containers (id) ON DELETE CASCADE,"
	" name TEXT NOT NULL REFERENCES named_volumes (name),"
	" anonymous INTEGER NOT NULL,"
	" PRIMARY KEY (container, name)) WITHOUT ROWID;"
	"CREATE INDEX volume_users_name ON volume_users (name);";

int catalog_open(const char *path, bool create, struct db **ret,
		 struct img_err *err)
{
	return db_open(path, create, schema, CATALOG_VERSION, ret, err);
}

int catalog_setting_find(struct db *db, const char *key, char **ret,
			 struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(db, &row, err,
			 "SELECT value FROM settings WHERE key = ?", "s", key);

	if (r == 0)
		r = db_next(row, err);
	if (r > 0)
		*ret = mem_strdup(db_text(row, 0));
	return r;
}

int catalog_setting(struct db *db, const char *key, char **ret,
		    struct img_err *err)
{
	int r = catalog_setting_find(db, key, ret, err);

	if (r == 0)
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "the catalog has no setting '%s'", key);
	return r < 0 ? r : 0;
}

int catalog_setting_u64(struct db *db, const char *key, uint64_t *ret,
			struct img_err *err)
{
	img_auto(img_mem_release) char *text = NULL;
	int r = catalog_setting(db, key, &text, err);

	return r < 0 ? r : num_parse_u64(text, key, ret, err);
}

int catalog_set(struct db *db, const char *key, const char *value,
		struct img_err *err)
{
	int r = db_run(
		db, err,
		"INSERT INTO settings (key, value) VALUES (?, ?)"
		" ON CONFLICT (key) DO UPDATE SET value = excluded.value",
		"ss", key, value);

	return r < 0 ? r : 0;
}
