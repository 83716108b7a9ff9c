#include "base/cleanup.h"
#include "base/str.h"
#include "cli/host_mounts.h"
#include "cli/isolation.h"
#include "cli/volumes_from.h"
#include "image/named_volume.h"
#include "runtime/bind.h"
#include "runtime/tmpfs.h"

#include <string.h>

/* @seen: an object whose keys are the targets so far. */
static int new_target(json_t *seen, const char *target, struct img_err *err)
{
	if (json_object_get(seen, target))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "there are two mounts at '%s'", target);
	if (json_object_set_new(seen, target, json_true()) < 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the target '%s' is not UTF-8", target);
	return 0;
}

/* Paths made absolute: a later start may be elsewhere. */
static int put_binds(json_t *host, const struct text_list *list, json_t *mounts,
		     json_t *seen, struct img_err *err)
{
	json_t *binds = json_array();

	(void)json_object_set_new(host, "Binds", binds);
	for (size_t i = 0; i < list->n; i++) {
		img_auto(bind_text_release) struct bind_text bind = { 0 };
		img_auto(img_mem_release) char *text = NULL;
		int r = bind_parse(list->text[i], &bind, err);

		if (r == 0 && bind.is_volume && bind.source)
			r = named_volume_name_check(bind.source, err);
		if (r == 0)
			r = new_target(seen, bind.target, err);
		if (r < 0)
			return r;
		if (!bind.source) {
			host_mounts_put_volume(mounts, bind.target);
			continue;
		}
		text = mem_printf("%s:%s%s%s", bind.source, bind.target,
				  bind.options ? ":" : "",
				  bind.options ? bind.options : "");
		if (json_array_append_new(binds, json_string(text)) < 0)
			return img_err_set(err, IMG_E_INPUT, 0,
					   "--volume '%s' is not UTF-8",
					   list->text[i]);
	}
	return 0;
}

static int put_one_tmpfs(json_t *object, const char *text, json_t *seen,
			 struct img_err *err)
{
	img_auto(img_mem_release) char *path = mem_strdup(text);
	img_auto(img_mem_release) char *target = NULL;
	char *options = strchr(path, ':');
	int r;

	if (options)
		*options++ = '\0';
	r = bind_target_parse(path, &target, err);
	if (r == 0)
		r = tmpfs_check(options, err);
	if (r == 0)
		r = new_target(seen, target, err);
	if (r == 0 &&
	    json_object_set_new(object, target,
				json_string(options ? options : "")) < 0)
		r = img_err_set(err, IMG_E_INPUT, 0, "it is not UTF-8");
	return r;
}

static int put_tmpfs(json_t *host, const struct text_list *list, json_t *seen,
		     struct img_err *err)
{
	json_t *object = json_object();

	(void)json_object_set_new(host, "Tmpfs", object);
	for (size_t i = 0; i < list->n; i++)
		if (put_one_tmpfs(object, list->text[i], seen, err) < 0)
			return img_err_prefix(err, "invalid --tmpfs '%s'",
					      list->text[i]);
	return 0;
}

int isolation_put_mounts(json_t *host, const struct isolation_options *o,
			 struct img_err *err)
{
	json_t *seen = json_object(), *array = json_array();
	int r = put_binds(host, &o->volumes, array, seen, err);

	if (r == 0)
		r = put_tmpfs(host, &o->tmpfs, seen, err);
	if (r == 0)
		r = volumes_from_put(host, &o->volumes_from, err);
	(void)json_object_set_new(host, "Mounts", array);
	for (size_t i = 0; r == 0 && i < o->mounts.n; i++) {
		json_t *one = NULL;

		r = mount_option_parse(o->mounts.text[i], &one, err);
		if (r < 0)
			break;
		(void)json_array_append_new(array, one);
		r = new_target(
			seen, json_string_value(json_object_get(one, "Target")),
			err);
	}
	json_decref(seen);
	return r;
}
