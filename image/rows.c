#include "image/rows.h"

int image_row_add(struct db *db, const struct image *image, struct img_err *err)
{
	int r = db_run(db, err,
		       "INSERT INTO images (id, volume, parent, created_ns,"
		       " config) VALUES (?, ?, nullif(?, ''), ?, ?)",
		       "sisis", image->id.hex, (int64_t)image->volume.id,
		       image->parent.hex, image->created_ns, image->config);

	return r < 0 ? r : 0;
}

int image_name_set(struct db *db, const char *id, const struct image_name *name,
		   struct img_err *err)
{
	int r = db_run(db, err,
		       "INSERT INTO names (name, tag, image) VALUES (?, ?, ?)"
		       " ON CONFLICT (name, tag)"
		       " DO UPDATE SET image = excluded.image",
		       "sss", name->name, name->tag, id);

	return r < 0 ? r : 0;
}

int image_steps_copy(struct db *db, const char *from, const char *to,
		     struct img_err *err)
{
	int r = db_run(db, err,
		       "INSERT INTO history (image, step, layer,"
		       " created_ns, created_by, comment)"
		       " SELECT ?, step, layer, created_ns, created_by,"
		       " comment FROM history WHERE image = ?",
		       "ss", to, from);

	return r < 0 ? r : 0;
}

int image_step_add(struct db *db, const char *id, const struct image_step *step,
		   struct img_err *err)
{
	int r = db_run(db, err,
		       "INSERT INTO history (image, step, layer,"
		       " created_ns, created_by, comment)"
		       " SELECT ?, coalesce(max(step), 0) + 1, ?, ?, ?, ?"
		       " FROM history WHERE image = ?",
		       "ssisss", id, step->layer, step->created_ns,
		       step->created_by, step->comment, id);

	return r < 0 ? r : 0;
}
