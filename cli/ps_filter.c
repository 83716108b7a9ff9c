#include "cli/ps_filter.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "image/config.h"
#include "image/image.h"

#include <string.h>

/* How many generations of images are looked back at. */
#define ANCESTORS_MAX 1000

struct subject {
	struct store *store;
	const struct container_row *row;
	const char *state;
	json_t *config;
};

struct ps_filter {
	const struct kind *kind;
	const char *value;
	int64_t created_ns; /* of before= and since= */
	struct id image;    /* of ancestor= */
};

struct kind {
	const char *name;
	int (*match)(const struct ps_filter *f, const struct subject *s,
		     struct img_err *err);
	/* May be NULL. */
	int (*prepare)(struct ps_filter *f, struct store *store,
		       struct img_err *err);
	bool all;  /* looks at stopped ones */
	bool each; /* every one of this kind must match */
};

static int match_id(const struct ps_filter *f, const struct subject *s,
		    struct img_err *err)
{
	return strstr(s->row->id.hex, f->value) != NULL;
}

static int match_name(const struct ps_filter *f, const struct subject *s,
		      struct img_err *err)
{
	return strstr(s->row->name, f->value) != NULL;
}

static int match_label(const struct ps_filter *f, const struct subject *s,
		       struct img_err *err)
{
	size_t len = strcspn(f->value, "=");
	img_auto(img_mem_release) char *key =
		mem_printf("%.*s", (int)len, f->value);
	const char *value = json_string_value(
		json_object_get(json_object_get(s->config, "Labels"), key));

	return value &&
	       (!f->value[len] || strcmp(value, f->value + len + 1) == 0);
}

static int match_exited(const struct ps_filter *f, const struct subject *s,
			struct img_err *err)
{
	return strcmp(s->state, "exited") == 0 &&
	       s->row->exit_status == atoi(f->value);
}

static int check_exited(struct ps_filter *f, struct store *store,
			struct img_err *err)
{
	if (!*f->value || strspn(f->value, "0123456789") != strlen(f->value))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--filter exited=%s is no exit status",
				   f->value);
	return 0;
}

static int match_status(const struct ps_filter *f, const struct subject *s,
			struct img_err *err)
{
	return strcmp(s->state, f->value) == 0;
}

static int check_status(struct ps_filter *f, struct store *store,
			struct img_err *err)
{
	/* The last ones are docker's, of which there are none here. */
	static const char *const known[] = { "created",	   "running",
					     "paused",	   "exited",
					     "restarting", "removing",
					     "dead" };

	for (size_t i = 0; i < IMG_COUNT(known); i++)
		if (strcmp(f->value, known[i]) == 0)
			return 0;
	return img_err_set(err, IMG_E_INPUT, 0,
			   "--filter status=%s is none of created, running, "
			   "paused, exited",
			   f->value);
}

static int find_image(struct ps_filter *f, struct store *store,
		      struct img_err *err)
{
	img_auto(image_release) struct image image = { 0 };
	struct img_err none = { 0 };

	/* One that is gone is nobody's ancestor any more but by name. */
	if (image_find(store, f->value, &image, &none) == 0)
		f->image = image.id;
	return 0;
}

static int match_ancestor(const struct ps_filter *f, const struct subject *s,
			  struct img_err *err)
{
	struct id id = s->row->image;

	if (strcmp(s->row->image_name, f->value) == 0)
		return 1;
	for (int i = 0; f->image.hex[0] && id.hex[0] && i < ANCESTORS_MAX;
	     i++) {
		img_auto(image_release) struct image image = { 0 };
		struct img_err none = { 0 };

		if (strcmp(id.hex, f->image.hex) == 0)
			return 1;
		if (image_get(s->store, id.hex, &image, &none) < 0)
			return 0;
		id = image.parent;
	}
	return 0;
}

static int find_other(struct ps_filter *f, struct store *store,
		      struct img_err *err)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	int r = container_find(store, f->value, &row, err);

	f->created_ns = row.created_ns;
	return r < 0 ? img_err_prefix(err, "--filter") : 0;
}

static int match_before(const struct ps_filter *f, const struct subject *s,
			struct img_err *err)
{
	return s->row->created_ns < f->created_ns;
}

static int match_since(const struct ps_filter *f, const struct subject *s,
		       struct img_err *err)
{
	return s->row->created_ns > f->created_ns;
}

/* A source or a target: "SRC:DST" of Binds, or an object of Mounts. */
static bool is_mount(const json_t *mount, const char *value)
{
	const char *text = json_string_value(mount);
	const char *source =
		json_string_value(json_object_get(mount, "Source"));
	const char *target =
		json_string_value(json_object_get(mount, "Target"));
	size_t len = strlen(value);

	while (text) {
		if (strncmp(text, value, len) == 0 &&
		    (!text[len] || text[len] == ':'))
			return true;
		text = strchr(text, ':');
		text += text ? 1 : 0;
	}
	return (source && strcmp(source, value) == 0) ||
	       (target && strcmp(target, value) == 0);
}

static int match_volume(const struct ps_filter *f, const struct subject *s,
			struct img_err *err)
{
	static const char *const keys[] = { "Binds", "Mounts" };
	const json_t *host = json_object_get(s->config, "HostConfig");
	json_t *mount;
	size_t n;

	for (size_t i = 0; i < IMG_COUNT(keys); i++)
		json_array_foreach(json_object_get(host, keys[i]), n,
				   mount) if (is_mount(mount,
						       f->value)) return 1;
	return 0;
}

static const struct kind kinds[] = {
	{ "id", match_id, NULL, false, false },
	{ "name", match_name, NULL, false, false },
	{ "label", match_label, NULL, false, true },
	{ "exited", match_exited, check_exited, true, false },
	{ "status", match_status, check_status, true, false },
	{ "ancestor", match_ancestor, find_image, false, false },
	{ "before", match_before, find_other, false, false },
	{ "since", match_since, find_other, false, false },
	{ "volume", match_volume, NULL, false, false },
};

static int read_one(struct store *store, const char *text,
		    struct ps_filter *ret, struct img_err *err)
{
	size_t len = strcspn(text, "=");

	for (size_t i = 0; text[len] && i < IMG_COUNT(kinds); i++)
		if (strlen(kinds[i].name) == len &&
		    strncmp(text, kinds[i].name, len) == 0) {
			ret->kind = &kinds[i];
			ret->value = text + len + 1;
			return ret->kind->prepare
				       ? ret->kind->prepare(ret, store, err)
				       : 0;
		}
	return img_err_set(err, IMG_E_INPUT, 0,
			   "--filter '%s' is none of id=, name=, label=, "
			   "exited=, status=, ancestor=, before=, since=, "
			   "volume=",
			   text);
}

int ps_filter_read(struct store *store, const struct text_list *texts,
		   struct ps_filter **ret, struct img_err *err)
{
	img_auto(img_mem_release) struct ps_filter *filters =
		mem_zalloc((texts->n + 1) * sizeof(*filters));

	for (size_t i = 0; i < texts->n; i++) {
		int r = read_one(store, texts->text[i], &filters[i], err);

		if (r < 0)
			return r;
	}
	*ret = img_mem_take(&filters);
	return 0;
}

void ps_filter_free(struct ps_filter **filters)
{
	img_mem_release(filters);
}

bool ps_filter_wants_all(const struct ps_filter *filters)
{
	for (; filters && filters->kind; filters++)
		if (filters->kind->all)
			return true;
	return false;
}

/* Any of this kind; or all, where that is asked for. */
static int match_kind(const struct ps_filter *filters, const struct kind *kind,
		      const struct subject *s, struct img_err *err)
{
	bool any = false, all = true;

	for (; filters->kind; filters++) {
		int r = filters->kind == kind ? kind->match(filters, s, err)
					      : -1;

		if (filters->kind != kind)
			continue;
		if (r < 0)
			return r;
		any |= r > 0;
		all &= r > 0;
	}
	return kind->each ? all : any;
}

int ps_filter_match(const struct ps_filter *filters, struct store *store,
		    const struct container_row *row, const char *state,
		    struct img_err *err)
{
	img_auto(json_release) json_t *config = NULL;
	struct subject s = { .store = store, .row = row, .state = state };
	int r = 1;

	if (!filters || !filters->kind)
		return 1;
	r = image_config_parse(row->config, &config, err);
	s.config = config;
	if (r < 0)
		return r;
	for (const struct ps_filter *f = filters; f->kind; f++) {
		r = match_kind(filters, f->kind, &s, err);
		if (r <= 0)
			return r;
	}
	return 1;
}
