#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/isolation.h"
#include "cli/volume_option.h"
#include "image/config.h"
#include "image/named_volume.h"
#include "runtime/bind.h"
#include "runtime/subpath.h"

#include <stdlib.h>
#include <string.h>

struct mount_keys {
	const char *type, *source, *target, *propagation;
	bool read_only, top, read_only_top, read_only_all;
	bool of_bind, of_tmpfs; /* which kind of key was there */
	json_t *volume;		/* what keys of a volume say, or NULL */
	uint64_t tmpfs_size;
	unsigned long tmpfs_mode;
	bool has_mode;
};

static int flag(const char *key, const char *value, bool *ret,
		struct img_err *err)
{
	if (!value || strcmp(value, "true") == 0 || strcmp(value, "1") == 0)
		*ret = true;
	else if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0)
		*ret = false;
	else
		return img_err_set(err, IMG_E_INPUT, 0,
				   "'%s' is true or false, not '%s'", key,
				   value);
	return 0;
}

static int bind_recursive(const char *value, struct mount_keys *k,
			  struct img_err *err)
{
	if (strcmp(value, "disabled") == 0)
		k->top = true;
	else if (strcmp(value, "writable") == 0)
		k->read_only_top = true;
	else if (strcmp(value, "readonly") == 0)
		k->read_only_all = true;
	else if (strcmp(value, "enabled") != 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "'bind-recursive' is enabled, disabled, "
				   "writable or readonly, not '%s'",
				   value);
	return 0;
}

static int bind_key(const char *key, const char *value, struct mount_keys *k,
		    struct img_err *err)
{
	enum bind_propagation propagation;

	k->of_bind = true;
	if (strcmp(key, "bind-nonrecursive") == 0)
		return flag(key, value, &k->top, err);
	if (value && strcmp(key, "bind-recursive") == 0)
		return bind_recursive(value, k, err);
	if (!value || strcmp(key, "bind-propagation") != 0)
		return img_err_set(err, IMG_E_INPUT, 0, "unknown key '%s'",
				   key);
	if (!bind_propagation_parse(value, &propagation))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "'bind-propagation' is private, slave or "
				   "shared, or one of them with an 'r' before, "
				   "not '%s'",
				   value);
	k->propagation = value;
	return 0;
}

static int tmpfs_key(const char *key, const char *value, struct mount_keys *k,
		     struct img_err *err)
{
	char *end;

	k->of_tmpfs = true;
	if (value && strcmp(key, "tmpfs-size") == 0)
		return num_parse_size(value, "tmpfs-size", &k->tmpfs_size, err);
	if (!value || strcmp(key, "tmpfs-mode") != 0)
		return img_err_set(err, IMG_E_INPUT, 0, "unknown key '%s'",
				   key);
	k->tmpfs_mode = strtoul(value, &end, 8);
	k->has_mode = true;
	if (*end || !*value || k->tmpfs_mode > 07777)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "'tmpfs-mode' is an octal number, not '%s'",
				   value);
	return 0;
}

/* "a=b" of volume-label and volume-opt. */
static int pair(json_t *object, const char *key, const char *value,
		struct img_err *err)
{
	if (volume_option_put(object, value))
		return 0;
	return img_err_set(err, IMG_E_INPUT, 0, "'%s' is NAME=VALUE, not '%s'",
			   key, value);
}

static int put_subpath(json_t *volume, const char *value, struct img_err *err)
{
	if (subpath_check(value, err) < 0)
		return img_err_prefix(err, "'volume-subpath'");
	if (json_object_set_new(volume, "Subpath", json_string(value)) < 0)
		return img_err_set(err, IMG_E_INPUT, 0, "it is not UTF-8");
	return 0;
}

static int volume_key(const char *key, const char *value, struct mount_keys *k,
		      struct img_err *err)
{
	bool no_copy = false;
	int r;

	if (!k->volume)
		k->volume = json_pack("{s{} s{s{}}}", "Labels", "DriverConfig",
				      "Options");
	if (strcmp(key, "volume-nocopy") == 0) {
		r = flag(key, value, &no_copy, err);
		(void)json_object_set_new(k->volume, "NoCopy",
					  json_boolean(no_copy));
		return r;
	}
	if (value && strcmp(key, "volume-subpath") == 0)
		return put_subpath(k->volume, value, err);
	if (value && strcmp(key, "volume-label") == 0)
		return pair(json_object_get(k->volume, "Labels"), key, value,
			    err);
	if (value && strcmp(key, "volume-opt") == 0)
		return pair(json_object_get(json_object_get(k->volume,
							    "DriverConfig"),
					    "Options"),
			    key, value, err);
	if (value && strcmp(key, "volume-driver") == 0)
		return volume_option_driver(value, err);
	return img_err_set(err, IMG_E_INPUT, 0, "unknown key '%s'", key);
}

static int take(const char *key, const char *value, struct mount_keys *k,
		struct img_err *err)
{
	static const struct {
		const char *name;
		size_t offset;
	} texts[] = {
		{ "type", offsetof(struct mount_keys, type) },
		{ "source", offsetof(struct mount_keys, source) },
		{ "src", offsetof(struct mount_keys, source) },
		{ "target", offsetof(struct mount_keys, target) },
		{ "destination", offsetof(struct mount_keys, target) },
		{ "dst", offsetof(struct mount_keys, target) },
	};

	for (size_t i = 0; i < IMG_COUNT(texts); i++)
		if (strcmp(key, texts[i].name) == 0) {
			if (!value || !*value)
				return img_err_set(err, IMG_E_INPUT, 0,
						   "'%s' wants a value", key);
			*(const char **)((char *)k + texts[i].offset) = value;
			return 0;
		}
	if (strcmp(key, "readonly") == 0 || strcmp(key, "ro") == 0)
		return flag(key, value, &k->read_only, err);
	if (strcmp(key, "consistency") == 0) /* of another system */
		return 0;
	if (strncmp(key, "bind-", 5) == 0)
		return bind_key(key, value, k, err);
	if (strncmp(key, "tmpfs-", 6) == 0)
		return tmpfs_key(key, value, k, err);
	if (strncmp(key, "volume-", 7) == 0)
		return volume_key(key, value, k, err);
	return img_err_set(err, IMG_E_INPUT, 0, "unknown key '%s'", key);
}

static int split(char *text, struct mount_keys *k, struct img_err *err)
{
	char *save = NULL;

	for (char *word = strtok_r(text, ",", &save); word;
	     word = strtok_r(NULL, ",", &save)) {
		char *value = strchr(word, '=');
		int r;

		if (value)
			*value++ = '\0';
		r = take(word, value, k, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int bind_json(const struct mount_keys *k, json_t *ret,
		     struct img_err *err)
{
	img_auto(bind_text_release) struct bind_text bind = { 0 };
	img_auto(img_mem_release) char *pair = NULL;
	json_t *options = json_object();
	int r;

	(void)json_object_set_new(ret, "BindOptions", options);
	if (!k->source)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "a bind wants a 'source'");
	if (k->read_only_all && !k->read_only)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "'bind-recursive=readonly' wants "
				   "'readonly'");
	if (strchr(k->source, ':'))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the source cannot have a ':' in it");
	pair = mem_printf("%s:%s", k->source, k->target);
	r = bind_parse(pair, &bind, err);
	if (r == 0 && bind.is_volume)
		r = img_err_set(err, IMG_E_INPUT, 0,
				"the source of a bind must be a path that "
				"starts with '/' or './'");
	if (r < 0)
		return r;
	(void)json_object_set_new(options, "Propagation",
				  json_string(k->propagation ? k->propagation
							     : "rprivate"));
	(void)json_object_set_new(options, "NonRecursive",
				  json_boolean(k->top));
	(void)json_object_set_new(options, "ReadOnlyNonRecursive",
				  json_boolean(k->read_only_top));
	if (json_object_set_new(ret, "Source", json_string(bind.source)) < 0)
		return img_err_set(err, IMG_E_INPUT, 0, "it is not UTF-8");
	return 0;
}

static int tmpfs_json(const struct mount_keys *k, json_t *ret,
		      struct img_err *err)
{
	json_t *options = json_object();

	(void)json_object_set_new(ret, "TmpfsOptions", options);
	if (k->source)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "a tmpfs has no 'source'");
	if (k->tmpfs_size)
		(void)json_object_set_new(
			options, "SizeBytes",
			json_integer((json_int_t)k->tmpfs_size));
	if (k->has_mode)
		(void)json_object_set_new(
			options, "Mode",
			json_integer((json_int_t)k->tmpfs_mode));
	return 0;
}

static int volume_json(const struct mount_keys *k, json_t *ret,
		       struct img_err *err)
{
	json_t *options = json_object_get(
		json_object_get(k->volume, "DriverConfig"), "Options");
	uint64_t size;
	int r = k->source ? named_volume_name_check(k->source, err) : 0;

	if (r == 0 && !k->source && json_object_get(k->volume, "Subpath"))
		r = img_err_set(err, IMG_E_INPUT, 0,
				"'volume-subpath' wants a 'source'");
	if (r == 0)
		r = volume_option_size(options, &size, err);
	if (r < 0)
		return r;
	if (k->source)
		(void)json_object_set_new(ret, "Source",
					  json_string(k->source));
	(void)json_object_set_new(ret, "VolumeOptions",
				  k->volume ? json_incref(k->volume)
					    : json_object());
	return 0;
}

static int make(const struct mount_keys *k, json_t *ret, struct img_err *err)
{
	img_auto(img_mem_release) char *target = NULL;
	bool bind, tmpfs, volume;
	int r;

	/* docker's default. */
	volume = !k->type || strcmp(k->type, "volume") == 0;
	bind = k->type && strcmp(k->type, "bind") == 0;
	tmpfs = k->type && strcmp(k->type, "tmpfs") == 0;
	if (!bind && !tmpfs && !volume)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "'type' is bind, volume or tmpfs, not '%s'",
				   k->type);
	if ((k->of_bind && !bind) || (k->of_tmpfs && !tmpfs) ||
	    (k->volume && !volume))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "it has an option of another type than '%s'",
				   volume ? "volume" : k->type);
	if (!k->target)
		return img_err_set(err, IMG_E_INPUT, 0, "it has no 'target'");
	r = bind_target_parse(k->target, &target, err);
	if (r < 0)
		return r;
	(void)json_object_set_new(ret, "Type",
				  json_string(volume ? "volume" : k->type));
	(void)json_object_set_new(ret, "ReadOnly", json_boolean(k->read_only));
	if (json_object_set_new(ret, "Target", json_string(target)) < 0)
		return img_err_set(err, IMG_E_INPUT, 0, "it is not UTF-8");
	if (volume)
		return volume_json(k, ret, err);
	return bind ? bind_json(k, ret, err) : tmpfs_json(k, ret, err);
}

int mount_option_parse(const char *text, json_t **ret, struct img_err *err)
{
	img_auto(img_mem_release) char *copy = mem_strdup(text);
	img_auto(json_release) json_t *object = json_object();
	struct mount_keys k = { 0 };
	int r = split(copy, &k, err);

	if (r == 0)
		r = make(&k, object, err);
	json_release(&k.volume);
	if (r < 0)
		return img_err_prefix(err, "invalid --mount '%s'", text);
	*ret = json_incref(object);
	return 0;
}
