#include "cli/host_mounts.h"

#include "base/cleanup.h"
#include "image/config.h"
#include "runtime/bind.h"

#include <string.h>

bool host_mounts_has(const json_t *host, const char *target)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(host, "Binds"), i, one)
	{
		img_auto(bind_text_release) struct bind_text bind = { 0 };
		struct img_err odd = { 0 };

		if (bind_parse(json_string_value(one), &bind, &odd) == 0 &&
		    strcmp(bind.target, target) == 0)
			return true;
	}
	json_array_foreach(json_object_get(host, "Mounts"), i, one)
	{
		if (strcmp(json_text(one, "Target"), target) == 0)
			return true;
	}
	return json_object_get(json_object_get(host, "Tmpfs"), target) != NULL;
}

static json_t *object_of(const struct bind_text *bind)
{
	static const char *const propagation[] = { [BIND_PRIVATE] = "rprivate",
						   [BIND_SLAVE] = "rslave",
						   [BIND_SHARED] = "rshared" };
	json_t *object =
		json_pack("{ss ss ss sb}", "Type",
			  bind->is_volume ? "volume" : "bind", "Source",
			  bind->source, "Target", bind->target, "ReadOnly",
			  (int)bind->how.read_only);

	if (bind->is_volume)
		(void)json_object_set_new(object, "VolumeOptions",
					  json_pack("{sb}", "NoCopy",
						    (int)bind->how.no_copy));
	else
		(void)json_object_set_new(
			object, "BindOptions",
			json_pack("{ss}", "Propagation",
				  propagation[bind->how.propagation]));
	return object;
}

json_t *host_mounts_all(const json_t *host)
{
	json_t *array = json_array(), *one;
	size_t i;

	json_array_foreach(json_object_get(host, "Binds"), i, one)
	{
		img_auto(bind_text_release) struct bind_text bind = { 0 };
		struct img_err odd = { 0 }; /* was checked when written */

		if (bind_parse(json_string_value(one), &bind, &odd) == 0 &&
		    bind.source)
			(void)json_array_append_new(array, object_of(&bind));
	}
	json_array_foreach(json_object_get(host, "Mounts"), i, one)
	{
		if (strcmp(json_text(one, "Type"), "tmpfs") != 0)
			(void)json_array_append(array, one);
	}
	return array;
}

void host_mounts_put_volume(json_t *mounts, const char *target)
{
	(void)json_array_append_new(
		mounts, json_pack("{ss ss sb s{}}", "Type", "volume", "Target",
				  target, "ReadOnly", 0, "VolumeOptions"));
}
