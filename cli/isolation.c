#include "cli/isolation.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "image/config.h"
#include "runtime/sysctl.h"
#include "runtime/ulimit.h"

#include <string.h>

int isolation_put_list(json_t *object, const char *key, const char *option,
		       const struct text_list *list, struct img_err *err)
{
	json_t *array = json_array();

	(void)json_object_set_new(object, key, array);
	for (size_t i = 0; i < list->n; i++)
		if (json_array_append_new(array, json_string(list->text[i])) <
		    0)
			return img_err_set(err, IMG_E_INPUT, 0,
					   "%s '%s' is not UTF-8", option,
					   list->text[i]);
	return 0;
}

/* Each name once: the last one given counts, as docker has it. */
static void put_ulimit(json_t *array, const struct ulimit *limit)
{
	/* -1 is none, as a signed number in JSON has it. */
	json_t *one =
		json_pack("{ss sI sI}", "Name", ulimit_name(limit->resource),
			  "Soft", (json_int_t)limit->soft, "Hard",
			  (json_int_t)limit->hard);
	json_t *old;
	size_t i;

	json_array_foreach(array, i, old)
	{
		if (strcmp(json_string_value(json_object_get(old, "Name")),
			   ulimit_name(limit->resource)) == 0) {
			(void)json_array_set_new(array, i, one);
			return;
		}
	}
	(void)json_array_append_new(array, one);
}

static int put_ulimits(json_t *host, const struct text_list *list,
		       struct img_err *err)
{
	json_t *array = json_array();

	(void)json_object_set_new(host, "Ulimits", array);
	for (size_t i = 0; i < list->n; i++) {
		struct ulimit limit;
		int r = ulimit_parse(list->text[i], &limit, err);

		if (r < 0)
			return r;
		put_ulimit(array, &limit);
	}
	return 0;
}

static int put_sysctls(json_t *host, const struct text_list *list,
		       struct img_err *err)
{
	json_t *object = json_object();

	(void)json_object_set_new(host, "Sysctls", object);
	for (size_t i = 0; i < list->n; i++) {
		const char *equal = strchr(list->text[i], '=');
		char name[256];
		int r;

		if (!equal || (size_t)(equal - list->text[i]) >= sizeof(name))
			return img_err_set(err, IMG_E_INPUT, 0,
					   "--sysctl: expected NAME=VALUE, not "
					   "'%s'",
					   list->text[i]);
		(void)snprintf(name, sizeof(name), "%.*s",
			       (int)(equal - list->text[i]), list->text[i]);
		r = sysctl_check(name, true, true, err);
		if (r < 0)
			return r;
		if (json_object_set_new(object, name, json_string(equal + 1)) <
		    0)
			return img_err_set(err, IMG_E_INPUT, 0,
					   "--sysctl '%s' is not UTF-8",
					   list->text[i]);
	}
	return 0;
}

int isolation_put_limits(json_t *host, const struct isolation_options *o,
			 struct img_err *err)
{
	int r = put_ulimits(host, &o->ulimits, err);

	if (r == 0)
		r = put_sysctls(host, &o->sysctls, err);
	if (r == 0)
		r = isolation_put_list(host, "GroupAdd", "--group-add",
				       &o->groups, err);
	return r;
}

int isolation_put(json_t *config, json_t *host,
		  const struct isolation_options *o, struct img_err *err)
{
	const uint64_t shm = o->shm_bytes ? o->shm_bytes : 64 * MIB;
	int r = isolation_put_mounts(host, o, err);

	if (r == 0)
		r = space_option_put(host, o, err);
	if (r == 0)
		r = isolation_put_devices(host, &o->devices, err);
	if (r == 0)
		r = isolation_put_limits(host, o, err);
	if (r == 0)
		r = isolation_put_names(config, host, o, err);
	(void)json_object_set_new(host, "ReadonlyRootfs",
				  json_boolean(o->read_only));
	(void)json_object_set_new(host, "ShmSize",
				  json_integer((json_int_t)shm));
	return r;
}
