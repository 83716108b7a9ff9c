#include "cli/isolation_spec.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "image/config.h"

#include <string.h>

void isolation_parts_release(struct isolation_parts *parts)
{
	for (size_t i = 0; i < parts->n_texts; i++)
		img_mem_release(&parts->texts[i]);
	img_mem_release(&parts->texts);
	img_mem_release(&parts->mounts);
	img_mem_release(&parts->sysctls);
	img_mem_release(&parts->ulimits);
	image_config_strings_free(&parts->groups);
}

const char *isolation_keep(struct isolation_parts *parts, char *text)
{
	parts->texts = mem_realloc(parts->texts, (parts->n_texts + 1) *
							 sizeof(*parts->texts));
	parts->texts[parts->n_texts++] = text;
	return text;
}

struct container_mount *isolation_add_mount(struct isolation_parts *parts)
{
	struct container_mount *m;

	parts->mounts = mem_realloc(
		parts->mounts, (parts->n_mounts + 1) * sizeof(*parts->mounts));
	m = &parts->mounts[parts->n_mounts++];
	*m = (struct container_mount){ 0 };
	return m;
}

static size_t depth(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

void isolation_order_mounts(struct isolation_parts *parts,
			    struct container_spec *spec)
{
	for (size_t i = 1; i < parts->n_mounts; i++) {
		struct container_mount m = parts->mounts[i];
		size_t at = i;

		for (; at > 0 &&
		       depth(parts->mounts[at - 1].target) > depth(m.target);
		     at--)
			parts->mounts[at] = parts->mounts[at - 1];
		parts->mounts[at] = m;
	}
	spec->mounts = parts->mounts;
	spec->n_mounts = parts->n_mounts;
}

static int read_ulimits(const json_t *host, struct isolation_parts *parts,
			struct container_spec *spec, struct img_err *err)
{
	const json_t *array = json_object_get(host, "Ulimits");
	const json_t *one;
	size_t i;

	parts->ulimits = mem_zalloc((json_array_size(array) + 1) *
				    sizeof(*spec->ulimits));
	json_array_foreach(array, i, one)
	{
		const char *name =
			json_string_value(json_object_get(one, "Name"));
		img_auto(img_mem_release) char *text =
			mem_printf("%s=-1", name ? name : "");
		struct ulimit *limit = &parts->ulimits[i];
		int r = ulimit_parse(text, limit, err);

		if (r < 0)
			return r;
		/* No limit is -1 there, and the largest number here. */
		limit->soft = (uint64_t)json_integer_value(
			json_object_get(one, "Soft"));
		limit->hard = (uint64_t)json_integer_value(
			json_object_get(one, "Hard"));
	}
	spec->ulimits = parts->ulimits;
	spec->n_ulimits = json_array_size(array);
	return 0;
}

static void read_sysctls(json_t *host, struct isolation_parts *parts,
			 struct container_spec *spec)
{
	json_t *object = json_object_get(host, "Sysctls"), *value;
	const char *name;

	parts->sysctls = mem_zalloc((json_object_size(object) + 1) *
				    sizeof(*parts->sysctls));
	json_object_foreach(object, name, value)
	{
		parts->sysctls[spec->n_sysctls++] = (struct sysctl){
			.name = name,
			.value = json_string_value(value),
		};
	}
	spec->sysctls = parts->sysctls;
}

int isolation_read(const json_t *config, struct isolation_parts *parts,
		   struct container_spec *spec, struct img_err *err)
{
	json_t *host = json_object_get(config, "HostConfig");
	int r = isolation_read_mounts(host, parts, err);

	if (r == 0)
		r = read_ulimits(host, parts, spec, err);
	if (r < 0)
		return r;
	read_sysctls(host, parts, spec);
	parts->groups = image_config_strings(host, "GroupAdd");
	spec->groups = parts->groups;
	spec->hostname = image_config_string(config, "Hostname");
	spec->domainname = image_config_string(config, "Domainname");
	spec->read_only = json_is_true(json_object_get(host, "ReadonlyRootfs"));
	spec->shm_size_bytes =
		(uint64_t)json_integer_value(json_object_get(host, "ShmSize"));
	isolation_order_mounts(parts, spec);
	return 0;
}
