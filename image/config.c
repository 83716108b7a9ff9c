#include "image/config.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <string.h>

json_t *image_config_new(void)
{
	return json_object();
}

int image_config_parse(const char *text, json_t **ret, struct img_err *err)
{
	json_error_t why;
	json_t *config = json_loads(text, JSON_REJECT_DUPLICATES, &why);

	if (!config || !json_is_object(config)) {
		json_decref(config);
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "an image's configuration is damaged: %s",
				   config ? "it is no object" : why.text);
	}
	*ret = config;
	return 0;
}

char *image_config_text(const json_t *config)
{
	char *text = json_dumps(config, JSON_COMPACT | JSON_SORT_KEYS);

	return text ? text : mem_strdup("{}");
}

const char *image_config_string(const json_t *config, const char *key)
{
	const char *s = json_string_value(json_object_get(config, key));

	return s && s[0] ? s : NULL;
}

char **image_config_strings(const json_t *config, const char *key)
{
	const json_t *array = json_object_get(config, key);
	size_t n = json_array_size(array), used = 0;
	char **out = mem_zalloc((n + 1) * sizeof(*out));

	for (size_t i = 0; i < n; i++) {
		const char *s = json_string_value(json_array_get(array, i));

		if (s)
			out[used++] = mem_strdup(s);
	}
	return out;
}

void image_config_strings_free(char ***strings)
{
	for (char **s = *strings; s && *s; s++)
		free(*s);
	free(*strings);
	*strings = NULL;
}

char *image_config_command(const char *config_text)
{
	static const char *const keys[] = { "Entrypoint", "Cmd" };
	img_auto(json_release) json_t *config =
		json_loads(config_text, 0, NULL);
	struct str line = { 0 };

	for (size_t k = 0; k < IMG_COUNT(keys); k++) {
		char **words = image_config_strings(config, keys[k]);

		for (size_t i = 0; words[i]; i++)
			str_addf(&line, "%s%s", line.len ? " " : "", words[i]);
		image_config_strings_free(&words);
	}
	return str_take(&line);
}
