#include "base/cleanup.h"
#include "base/str.h"
#include "cli/isolation.h"

#include <string.h>

static bool is_permissions(const char *text)
{
	return *text && text[strspn(text, "rwm")] == '\0';
}

/* HOST[:DST][:PERMISSIONS], where the last part may come second. */
static int put(json_t *array, char *text, struct img_err *err)
{
	char *target = strchr(text, ':'), *given;
	const char *permissions = "rwm";

	if (target)
		*target++ = '\0';
	given = target ? strchr(target, ':') : NULL;
	if (given)
		*given++ = '\0';
	if (target && !given && is_permissions(target)) {
		given = target;
		target = NULL;
	}
	if (given)
		permissions = given;
	if (text[0] != '/' || (target && target[0] != '/'))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "expected HOST[:DST[:rwm]], both absolute "
				   "paths");
	if (!is_permissions(permissions))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "permissions are of 'rwm', not '%s'",
				   permissions);
	if (!strchr(permissions, 'r') || !strchr(permissions, 'w'))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "a device can be given whole only: 'rw' or "
				   "'rwm', not '%s'",
				   permissions);
	if (json_array_append_new(
		    array, json_pack("{ss ss ss}", "PathOnHost", text,
				     "PathInContainer", target ? target : text,
				     "CgroupPermissions", permissions)) < 0)
		return img_err_set(err, IMG_E_INPUT, 0, "it is not UTF-8");
	return 0;
}

int isolation_put_devices(json_t *host, const struct text_list *list,
			  struct img_err *err)
{
	json_t *array = json_array();

	(void)json_object_set_new(host, "Devices", array);
	for (size_t i = 0; i < list->n; i++) {
		img_auto(img_mem_release) char *text =
			mem_strdup(list->text[i]);

		if (put(array, text, err) < 0)
			return img_err_prefix(err, "invalid --device '%s'",
					      list->text[i]);
	}
	return 0;
}
