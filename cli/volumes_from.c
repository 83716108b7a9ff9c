#include "cli/volumes_from.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "cli/container.h"
#include "cli/host_mounts.h"
#include "image/config.h"

#include <string.h>

struct from {
	char *container;
	bool read_only;
};

static void from_release(struct from *from)
{
	img_mem_release(&from->container);
}

/* "z" and "Z" are for SELinux. */
static bool mode_is(const char *mode, size_t len, bool *read_only)
{
	static const char *const known[] = { "ro", "rw", "z", "Z" };

	for (size_t i = 0; i < IMG_COUNT(known); i++)
		if (strlen(known[i]) == len &&
		    strncmp(known[i], mode, len) == 0) {
			*read_only |= i == 0;
			return true;
		}
	return false;
}

static int parse(const char *text, struct from *ret, struct img_err *err)
{
	const size_t len = strcspn(text, ":");
	const char *mode = text + len + (text[len] == ':');

	if (len == 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "invalid --volumes-from '%s': it names no "
				   "container",
				   text);
	while (*mode) {
		const size_t n = strcspn(mode, ",");

		if (!mode_is(mode, n, &ret->read_only))
			return img_err_set(err, IMG_E_INPUT, 0,
					   "invalid --volumes-from '%s': its "
					   "mode is ro or rw, not '%.*s'",
					   text, (int)n, mode);
		mode += n + (mode[n] == ',');
	}
	ret->container = mem_printf("%.*s", (int)len, text);
	return 0;
}

int volumes_from_put(json_t *host, const struct text_list *list,
		     struct img_err *err)
{
	json_t *array = json_array();

	(void)json_object_set_new(host, "VolumesFrom", array);
	for (size_t i = 0; i < list->n; i++) {
		img_auto(from_release) struct from from = { 0 };
		int r = parse(list->text[i], &from, err);

		if (r < 0)
			return r;
		if (json_array_append_new(array, json_string(list->text[i])) <
		    0)
			return img_err_set(err, IMG_E_INPUT, 0,
					   "--volumes-from '%s' is not UTF-8",
					   list->text[i]);
	}
	return 0;
}

static const char *target_of(const json_t *mount)
{
	return json_string_value(json_object_get(mount, "Target"));
}

/* In place of one that is there. */
static void put(json_t *mounts, json_t *new)
{
	json_t *one;
	size_t i;

	json_array_foreach(mounts, i, one)
	{
		if (strcmp(target_of(one), target_of(new)) == 0) {
			(void)json_array_set_new(mounts, i, new);
			return;
		}
	}
	(void)json_array_append_new(mounts, new);
}

static int add(struct store *store, const char *text, const json_t *host,
	       json_t *mounts, struct img_err *err)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	img_auto(from_release) struct from from = { 0 };
	img_auto(json_release) json_t *config = NULL;
	img_auto(json_release) json_t *theirs = NULL;
	json_t *one;
	size_t i;
	int r = parse(text, &from, err);

	if (r == 0)
		r = container_find(store, from.container, &row, err);
	if (r == 0)
		r = image_config_parse(row.config, &config, err);
	if (r < 0)
		return r;
	theirs = host_mounts_all(json_object_get(config, "HostConfig"));
	json_array_foreach(theirs, i, one)
	{
		json_t *new;

		if (!target_of(one) || host_mounts_has(host, target_of(one)))
			continue;
		new = json_deep_copy(one);
		if (from.read_only)
			(void)json_object_set_new(new, "ReadOnly", json_true());
		(void)json_object_set_new(new, "From", json_string(row.id.hex));
		put(mounts, new);
	}
	return 0;
}

int volumes_from_resolve(struct store *store, json_t *host, struct img_err *err)
{
	img_auto(json_release) json_t *mounts = json_array();
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(host, "VolumesFrom"), i, one)
	{
		const char *text = json_string_value(one);

		if (add(store, text, host, mounts, err) < 0)
			return img_err_prefix(err, "--volumes-from %s", text);
	}
	(void)json_array_extend(json_object_get(host, "Mounts"), mounts);
	return 0;
}

bool volumes_from_is(const json_t *mount)
{
	return json_object_get(mount, "From") != NULL;
}
