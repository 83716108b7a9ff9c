#include "image/image.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <string.h>

#define COLUMNS                                                                \
	"i.id, coalesce(i.parent, ''), i.created_ns, i.config, v.id,"          \
	" v.size_bytes, coalesce(v.origin, 0)"
#define FROM " FROM images i JOIN volumes v ON v.id = i.volume "

void image_release(struct image *image)
{
	img_mem_release(&image->config);
}

static void read_row(struct db_row *row, struct image *ret)
{
	*ret = (struct image){
		.created_ns = db_int(row, 2),
		.config = mem_strdup(db_text(row, 3)),
		.volume = { .id = (uint32_t)db_int(row, 4),
			    .size_bytes = (uint64_t)db_int(row, 5),
			    .origin = (uint32_t)db_int(row, 6) },
	};
	(void)snprintf(ret->id.hex, sizeof(ret->id.hex), "%s", db_text(row, 0));
	(void)snprintf(ret->parent.hex, sizeof(ret->parent.hex), "%s",
		       db_text(row, 1));
}

/* 1 found, 0 not. */
static int by_name(struct store *store, const struct image_name *name,
		   struct image *ret, struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store_db(store), &row, err,
			 "SELECT " COLUMNS FROM "JOIN names n ON n.image = i.id"
			 " WHERE n.name = ? AND n.tag = ?",
			 "ss", name->name, name->tag);

	if (r == 0)
		r = db_next(row, err);
	if (r > 0)
		read_row(row, ret);
	return r;
}

/* 1 found, 0 not, IMG_E_INPUT when several match. */
static int by_prefix(struct store *store, const char *prefix, struct image *ret,
		     struct img_err *err)
{
	img_auto(image_release) struct image first = { 0 };
	img_auto(db_row_end) struct db_row *row = NULL;
	img_auto(img_mem_release) char *end = mem_printf("%sg", prefix);
	int r = db_query(store_db(store), &row, err,
			 "SELECT " COLUMNS FROM "WHERE i.id >= ? AND i.id < ?",
			 "ss", prefix, end);

	if (r == 0)
		r = db_next(row, err);
	if (r <= 0)
		return r;
	read_row(row, &first);
	r = db_next(row, err);
	if (r > 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "several images have an id that begins with "
				   "%s",
				   prefix);
	if (r < 0)
		return r;
	*ret = first;
	first.config = NULL;
	return 1;
}

int image_get(struct store *store, const char *id, struct image *ret,
	      struct img_err *err)
{
	return by_prefix(store, id, ret, err);
}

int image_find(struct store *store, const char *ref, struct image *ret,
	       struct img_err *err)
{
	struct img_err not_a_name = { 0 };
	struct image_name name;
	int r = 0;

	if (image_name_parse(ref, &name, &not_a_name) == 0)
		r = by_name(store, &name, ret, err);
	if (r == 0 && id_is_prefix(ref))
		r = by_prefix(store, ref, ret, err);
	if (r == 0 && not_a_name.code) {
		*err = not_a_name;
		return -(int)err->code;
	}
	if (r == 0)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "there is no image '%s'", ref);
	return r < 0 ? r : 0;
}

int image_each(struct store *store,
	       int (*fn)(void *self, const struct image *image,
			 struct img_err *err),
	       void *self, struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store_db(store), &row, err,
			 "SELECT " COLUMNS FROM
			 "ORDER BY i.created_ns DESC, i.id",
			 "");

	while (r >= 0 && (r = db_next(row, err)) > 0) {
		img_auto(image_release) struct image image = { 0 };

		read_row(row, &image);
		r = fn(self, &image, err);
		if (r != 0)
			return r;
	}
	return r;
}

int image_each_name(struct store *store, const char *id,
		    int (*fn)(void *self, const struct image_name *name,
			      struct img_err *err),
		    void *self, struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store_db(store), &row, err,
			 "SELECT name, tag FROM names WHERE image = ?"
			 " ORDER BY name, tag",
			 "s", id);

	while (r >= 0 && (r = db_next(row, err)) > 0) {
		struct image_name name;

		(void)snprintf(name.name, sizeof(name.name), "%s",
			       db_text(row, 0));
		(void)snprintf(name.tag, sizeof(name.tag), "%s",
			       db_text(row, 1));
		r = fn(self, &name, err);
		if (r != 0)
			return r;
	}
	return r;
}

int image_each_step(struct store *store, const char *id,
		    int (*fn)(void *self, const struct image_step *step,
			      struct img_err *err),
		    void *self, struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store_db(store), &row, err,
			 "SELECT layer, created_ns, created_by, comment"
			 " FROM history WHERE image = ? ORDER BY step DESC",
			 "s", id);

	while (r >= 0 && (r = db_next(row, err)) > 0) {
		struct image_step step = {
			.layer = db_text(row, 0),
			.created_ns = db_int(row, 1),
			.created_by = db_text(row, 2),
			.comment = db_text(row, 3),
		};

		r = fn(self, &step, err);
		if (r != 0)
			return r;
	}
	return r;
}
