#include "cli/inspect_mounts.h"

#include "base/cleanup.h"
#include "image/config.h"
#include "runtime/bind.h"

#include <string.h>

static void add_volume(json_t *array, const char *name, const char *target,
		       const char *mode, bool read_only)
{
	(void)json_array_append_new(
		array, json_pack("{ss ss ss ss ss ss sb ss}", "Type", "volume",
				 "Name", name, "Source", "", "Destination",
				 target, "Driver", "local", "Mode", mode, "RW",
				 !read_only, "Propagation", ""));
}

static void add_bind(json_t *array, const char *source, const char *target,
		     const char *mode, bool read_only, const char *propagation)
{
	(void)json_array_append_new(
		array,
		json_pack("{ss ss ss ss sb ss}", "Type", "bind", "Source",
			  source, "Destination", target, "Mode", mode, "RW",
			  !read_only, "Propagation", propagation));
}

static void add_text(json_t *array, const char *text)
{
	static const char *const propagation[] = { [BIND_PRIVATE] = "rprivate",
						   [BIND_SLAVE] = "rslave",
						   [BIND_SHARED] = "rshared" };
	img_auto(bind_text_release) struct bind_text bind = { 0 };
	struct img_err odd = { 0 }; /* was checked when it was written */
	const char *mode;

	if (!text || bind_parse(text, &bind, &odd) < 0)
		return;
	mode = bind.options ? bind.options : "";
	if (bind.is_volume)
		add_volume(array, bind.source ? bind.source : "", bind.target,
			   mode, bind.how.read_only);
	else
		add_bind(array, bind.source, bind.target, mode,
			 bind.how.read_only, propagation[bind.how.propagation]);
}

static void add_object(json_t *array, const json_t *one)
{
	const char *type = json_text(one, "Type"), *target;
	const bool read_only = json_is_true(json_object_get(one, "ReadOnly"));

	target = json_text(one, "Target");
	if (strcmp(type, "volume") == 0)
		add_volume(array, json_text(one, "Source"), target, "",
			   read_only);
	else if (strcmp(type, "bind") == 0)
		add_bind(array, json_text(one, "Source"), target, "", read_only,
			 json_text(json_object_get(one, "BindOptions"),
				   "Propagation"));
	else
		(void)json_array_append_new(
			array,
			json_pack("{ss ss ss ss sb ss}", "Type", "tmpfs",
				  "Source", "", "Destination", target, "Mode",
				  "", "RW", !read_only, "Propagation", ""));
}

json_t *inspect_mounts(const json_t *host)
{
	json_t *array = json_array(), *one;
	size_t i;

	json_array_foreach(json_object_get(host, "Binds"), i, one)
	{
		add_text(array, json_string_value(one));
	}
	json_array_foreach(json_object_get(host, "Mounts"), i, one)
	{
		add_object(array, one);
	}
	return array;
}
