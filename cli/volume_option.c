#include "cli/volume_option.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "image/config.h"

#include <string.h>

int volume_option_driver(const char *driver, struct img_err *err)
{
	if (strcmp(driver, "local") == 0)
		return 0;
	return img_err_set(err, IMG_E_INPUT, 0,
			   "there is no volume driver '%.64s': volumes are "
			   "img's own, as docker's driver 'local'",
			   driver);
}

int volume_option_size(json_t *options, uint64_t *ret_bytes,
		       struct img_err *err)
{
	json_t *value;
	const char *name;

	*ret_bytes = 0;
	json_object_foreach(options, name, value)
	{
		int r;

		if (strcmp(name, "size") != 0)
			return img_err_set(err, IMG_E_INPUT, 0,
					   "a volume has no option '%.64s', "
					   "only 'size'",
					   name);
		r = num_parse_size(json_string_value(value), "size", ret_bytes,
				   err);
		if (r < 0)
			return r;
	}
	return 0;
}

int volume_option_larger(const char *text, const struct volume *volume,
			 uint64_t *ret_bytes, struct img_err *err)
{
	bool more = text[0] == '+';
	uint64_t size = 0;
	int r = num_parse_size(text + more, "SIZE", &size, err);

	if (r < 0)
		return r;
	if ((more && num_add_overflows(size, volume->size_bytes, &size)) ||
	    size > VOLUME_BYTES_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "a volume cannot be larger than 16T");
	*ret_bytes = num_align_up(size, VOLUME_BYTES_STEP);
	return 0;
}

bool volume_option_put(json_t *object, const char *text)
{
	img_auto(img_mem_release) char *name = mem_strdup(text);
	char *value = strchr(name, '=');

	if (value)
		*value++ = '\0';
	return *name &&
	       json_object_set_new(object, name,
				   json_string(value ? value : "")) == 0;
}

int volume_option_object(const struct text_list *list, const char *what,
			 json_t **ret, struct img_err *err)
{
	img_auto(json_release) json_t *object = json_object();

	for (size_t i = 0; i < list->n; i++)
		if (!volume_option_put(object, list->text[i]))
			return img_err_set(err, IMG_E_INPUT, 0,
					   "%s '%.80s' is not NAME=VALUE", what,
					   list->text[i]);
	*ret = json_incref(object);
	return 0;
}
