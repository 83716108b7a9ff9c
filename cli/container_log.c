#include "cli/run_log.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/container.h"
#include "image/config.h"

#include <string.h>

static int read_size(const char *text, struct log_limits *ret,
		     struct img_err *err)
{
	int r = num_parse_size(text, "--log-opt max-size", &ret->max_bytes,
			       err);

	if (r == 0 && ret->max_bytes < LOG_BYTES_MIN)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--log-opt max-size=%s is less than %d "
				   "bytes",
				   text, (int)LOG_BYTES_MIN);
	return r;
}

static int read_count(const char *text, struct log_limits *ret,
		      struct img_err *err)
{
	uint64_t n;
	int r = num_parse_u64(text, "--log-opt max-file", &n, err);

	if (r == 0 && (n < 1 || n > LOG_FILES_MAX))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--log-opt max-file=%s is not 1 to %u", text,
				   LOG_FILES_MAX);
	if (r == 0)
		ret->max_files = (unsigned)n;
	return r;
}

int container_log_limits(const json_t *config, bool *ret_kept,
			 struct log_limits *ret, struct img_err *err)
{
	const json_t *log = json_object_get(
		json_object_get(config, "HostConfig"), "LogConfig");
	const json_t *options = json_object_get(log, "Config");
	const char *driver = image_config_string(log, "Type");
	const char *size = image_config_string(options, "max-size");
	const char *count = image_config_string(options, "max-file");
	int r = 0;

	*ret_kept = !driver || strcmp(driver, "none") != 0;
	*ret = (struct log_limits){ .max_bytes = LOG_BYTES_DEFAULT,
				    .max_files = LOG_FILES_DEFAULT };
	if (size)
		r = read_size(size, ret, err);
	if (r == 0 && count)
		r = read_count(count, ret, err);
	return r;
}

static int put_option(json_t *options, const char *text, struct img_err *err)
{
	img_auto(img_mem_release) char *key = mem_strdup(text);
	char *value = strchr(key, '=');

	if (value)
		*value++ = '\0';
	if (!value ||
	    (strcmp(key, "max-size") != 0 && strcmp(key, "max-file") != 0))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--log-opt '%s' is neither max-size=SIZE "
				   "nor max-file=NUMBER",
				   text);
	if (json_object_set_new(options, key, json_string(value)) < 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--log-opt '%s' is not UTF-8", text);
	return 0;
}

int run_log_put(json_t *config, const char *driver,
		const struct text_list *list, struct img_err *err)
{
	json_t *options = json_object();
	struct log_limits limits;
	bool kept;

	if (!driver)
		driver = "json-file";
	(void)json_object_set_new(
		json_object_get(config, "HostConfig"), "LogConfig",
		json_pack("{ss so}", "Type", driver, "Config", options));
	if (strcmp(driver, "json-file") != 0 && strcmp(driver, "none") != 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--log-driver is json-file or none, not "
				   "'%s'",
				   driver);
	for (size_t i = 0; i < list->n; i++) {
		int r = put_option(options, list->text[i], err);

		if (r < 0)
			return r;
	}
	return container_log_limits(config, &kept, &limits, err);
}
