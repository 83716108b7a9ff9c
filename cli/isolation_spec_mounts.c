#include "base/cleanup.h"
#include "base/str.h"
#include "cli/isolation_spec.h"
#include "image/config.h"

#include <inttypes.h>
#include <string.h>

static int read_bind(const char *text, struct isolation_parts *parts,
		     struct img_err *err)
{
	img_auto(bind_text_release) struct bind_text bind = { 0 };
	struct container_mount *m;
	int r = bind_parse(text, &bind, err);

	if (r < 0)
		return r;
	m = isolation_add_mount(parts);
	m->kind = bind.is_volume ? MOUNT_VOLUME : MOUNT_BIND;
	m->how = bind.how;
	m->source = isolation_keep(parts, img_mem_take(&bind.source));
	m->target = isolation_keep(parts, img_mem_take(&bind.target));
	return 0;
}

static int read_binds(const json_t *host, struct isolation_parts *parts,
		      struct img_err *err)
{
	char **texts = image_config_strings(host, "Binds");
	int r = 0;

	for (char **text = texts; r == 0 && *text; text++)
		r = read_bind(*text, parts, err);
	image_config_strings_free(&texts);
	return r;
}

static void read_tmpfs(const json_t *host, struct isolation_parts *parts)
{
	json_t *object = json_object_get(host, "Tmpfs"), *value;
	const char *target;

	json_object_foreach(object, target, value)
	{
		struct container_mount *m = isolation_add_mount(parts);

		m->kind = MOUNT_TMPFS;
		m->target = target;
		m->options = json_string_value(value);
	}
}

static char *tmpfs_options(const json_t *one)
{
	const json_t *options = json_object_get(one, "TmpfsOptions");
	const json_t *size = json_object_get(options, "SizeBytes");
	const json_t *mode = json_object_get(options, "Mode");
	struct str text = { 0 };

	str_add(&text,
		json_is_true(json_object_get(one, "ReadOnly")) ? "ro" : "rw");
	if (size)
		str_addf(&text, ",size=%" PRId64,
			 (int64_t)json_integer_value(size));
	if (mode)
		str_addf(&text, ",mode=%o",
			 (unsigned int)json_integer_value(mode));
	return str_take(&text);
}

static void read_mount_bind(const json_t *one, struct container_mount *m)
{
	const json_t *options = json_object_get(one, "BindOptions");

	m->kind = MOUNT_BIND;
	m->source = json_text(one, "Source");
	m->how.read_only = json_is_true(json_object_get(one, "ReadOnly"));
	m->how.top = json_is_true(json_object_get(options, "NonRecursive"));
	m->how.read_only_top =
		json_is_true(json_object_get(options, "ReadOnlyNonRecursive"));
	/* Was checked when it was written; else it is private. */
	(void)bind_propagation_parse(json_text(options, "Propagation"),
				     &m->how.propagation);
}

static void read_mount_volume(const json_t *one, struct container_mount *m)
{
	const json_t *options = json_object_get(one, "VolumeOptions");

	m->kind = MOUNT_VOLUME;
	m->source = json_text(one, "Source");
	m->how.read_only = json_is_true(json_object_get(one, "ReadOnly"));
	m->subpath = image_config_string(options, "Subpath");
	/* What is not there yet cannot be in it. */
	m->how.no_copy =
		m->subpath || json_is_true(json_object_get(options, "NoCopy"));
}

static void read_mounts(const json_t *host, struct isolation_parts *parts)
{
	const json_t *array = json_object_get(host, "Mounts"), *one;
	size_t i;

	json_array_foreach(array, i, one)
	{
		struct container_mount *m = isolation_add_mount(parts);

		m->target = json_text(one, "Target");
		if (strcmp(json_text(one, "Type"), "tmpfs") == 0) {
			m->kind = MOUNT_TMPFS;
			m->options = isolation_keep(parts, tmpfs_options(one));
		} else if (strcmp(json_text(one, "Type"), "volume") == 0) {
			read_mount_volume(one, m);
		} else {
			read_mount_bind(one, m);
		}
	}
}

static void read_devices(const json_t *host, struct isolation_parts *parts)
{
	const json_t *array = json_object_get(host, "Devices"), *one;
	size_t i;

	json_array_foreach(array, i, one)
	{
		struct container_mount *m = isolation_add_mount(parts);

		m->kind = MOUNT_DEVICE;
		m->source = json_text(one, "PathOnHost");
		m->target = json_text(one, "PathInContainer");
	}
}

int isolation_read_mounts(const json_t *host, struct isolation_parts *parts,
			  struct img_err *err)
{
	int r = read_binds(host, parts, err);

	if (r < 0)
		return r;
	read_tmpfs(host, parts);
	read_mounts(host, parts);
	read_devices(host, parts);
	return 0;
}
