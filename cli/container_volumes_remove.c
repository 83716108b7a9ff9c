#include "base/cleanup.h"
#include "base/str.h"
#include "cli/container_volumes.h"
#include "cli/event.h"

struct found {
	struct named_volume *all;
	size_t n;
};

static void found_release(struct found *found)
{
	for (size_t i = 0; i < found->n; i++)
		named_volume_release(&found->all[i]);
	img_mem_release(&found->all);
}

/* The anonymous ones that this container alone has; its rows go. */
static int take_all(struct store *store, const struct container_row *row,
		    struct found *ret, struct img_err *err)
{
	img_auto(db_row_end) struct db_row *found = NULL;
	int r = db_query(
		store_db(store), &found, err,
		"SELECT n.name, n.volume FROM volume_users u"
		" JOIN named_volumes n ON n.name = u.name"
		" WHERE u.container = ?1 AND u.anonymous AND NOT EXISTS"
		" (SELECT 1 FROM volume_users o WHERE o.name = n.name"
		" AND o.container <> ?1)",
		"s", row->id.hex);

	while (r >= 0 && (r = db_next(found, err)) > 0) {
		struct named_volume *named;

		ret->all =
			mem_realloc(ret->all, (ret->n + 1) * sizeof(*ret->all));
		named = &ret->all[ret->n++];
		*named = (struct named_volume){
			.volume = { .id = (uint32_t)db_int(found, 1) },
		};
		(void)snprintf(named->name, sizeof(named->name), "%s",
			       db_text(found, 0));
	}
	if (r == 0 && ret->n > 0)
		r = db_run(store_db(store), err,
			   "DELETE FROM volume_users WHERE container = ?", "s",
			   row->id.hex);
	return r < 0 ? r : 0;
}

int container_volumes_begin_delete(struct store *store,
				   const struct container_row *row,
				   struct volumes_gone *ret,
				   struct img_err *err)
{
	img_auto(found_release) struct found found = { 0 };
	int r = take_all(store, row, &found, err);

	if (r < 0 || found.n == 0)
		return r;
	ret->all = mem_zalloc(found.n * sizeof(*ret->all));
	ret->names = mem_zalloc(found.n * sizeof(*ret->names));
	while (r == 0 && ret->n < found.n) {
		r = named_volume_begin_delete(store, &found.all[ret->n],
					      &ret->all[ret->n], err);
		if (r < 0)
			return r;
		ret->names[ret->n] = mem_strdup(found.all[ret->n].name);
		ret->n++;
	}
	return r;
}

int container_volumes_finish_delete(struct volumes_gone *gone,
				    struct img_err *err)
{
	int r = 0;

	while (gone->n > 0) {
		struct volume_pending *last = &gone->all[--gone->n];
		img_auto(img_mem_release) char *name = gone->names[gone->n];
		struct store *store = last->store;
		struct img_err one = { 0 };

		if (named_volume_finish_delete(last, &one) == 0) {
			event_write_volume(store, "destroy", name, NULL);
		} else if (r == 0) {
			*err = one;
			r = -(int)one.code;
		}
	}
	return r;
}

void volumes_gone_release(struct volumes_gone *gone)
{
	while (gone->n > 0) {
		volume_keep(&gone->all[--gone->n]);
		img_mem_release(&gone->names[gone->n]);
	}
	img_mem_release(&gone->all);
	img_mem_release(&gone->names);
}

int container_volumes_condemn(struct store *store,
			      const struct container_row *row,
			      struct img_err *err)
{
	img_auto(found_release) struct found found = { 0 };
	int r = take_all(store, row, &found, err);

	for (size_t i = 0; r == 0 && i < found.n; i++) {
		r = db_run(store_db(store), err,
			   "DELETE FROM named_volumes WHERE name = ?", "s",
			   found.all[i].name);
		if (r >= 0)
			r = volume_condemn(store, found.all[i].volume.id, err);
	}
	return r < 0 ? r : 0;
}
