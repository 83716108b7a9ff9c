#include "cli/volume_view.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "cli/clock.h"
#include "cli/container_volumes.h"
#include "image/config.h"

#include <string.h>

static int add_user(void *self, const char *container, struct img_err *err)
{
	(void)json_array_append_new(self, json_string(container));
	return 0;
}

int volume_view_json(struct store *store, const struct named_volume *named,
		     struct account *account, json_t **ret, struct img_err *err)
{
	img_auto(json_release) json_t *config = NULL;
	img_auto(json_release) json_t *users = json_array();
	struct account_usage usage = { 0 };
	char time[CLOCK_TEXT_MAX];
	int r = image_config_parse(named->config, &config, err);

	if (r == 0)
		r = container_volumes_users(store, named->name, add_user, users,
					    err);
	if (r == 0)
		r = account_volume(account, named->volume.id, &usage, err);
	if (r < 0)
		return r;
	*ret = json_pack("{ss ss ss ss ss sO? sO? ss sb sO s{si sI sI sI}}",
			 "Type", "volume", "Name", named->name, "Driver",
			 "local", "CreatedAt",
			 clock_rfc3339(named->created_ns, time), "Mountpoint",
			 "", "Labels", json_object_get(config, "Labels"),
			 "Options", json_object_get(config, "Options"), "Scope",
			 "local", "Anonymous", named->anonymous, "Containers",
			 users, "Volume", "Id", (int)named->volume.id,
			 "SizeBytes", (json_int_t)named->volume.size_bytes,
			 "MappedBytes", (json_int_t)usage.mapped_bytes,
			 "ExclusiveBytes", (json_int_t)usage.exclusive_bytes);
	return 0;
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static int read_dangling(const char *value, struct volume_filter *ret,
			 struct img_err *err)
{
	if (strcmp(value, "true") == 0 || strcmp(value, "1") == 0)
		ret->dangling = true;
	else if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0)
		ret->no_dangling = true;
	else
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--filter dangling= is true or false, not "
				   "'%s'",
				   value);
	return 0;
}

int volume_filter_read(const struct text_list *texts, struct volume_filter *ret,
		       struct img_err *err)
{
	*ret = (struct volume_filter){ .texts = texts };
	for (size_t i = 0; i < texts->n; i++) {
		const char *text = texts->text[i];
		int r = 0;

		if (begins(text, "dangling="))
			r = read_dangling(text + 9, ret, err);
		else if (!begins(text, "name=") && !begins(text, "label=") &&
			 !begins(text, "label!="))
			r = img_err_set(err, IMG_E_INPUT, 0,
					"--filter '%s' is none of name=, "
					"label=, label!=, dangling=",
					text);
		if (r < 0)
			return r;
	}
	return 0;
}

/* "key" or "key=value". */
static bool has_label(const json_t *labels, const char *wanted)
{
	size_t len = strcspn(wanted, "=");
	img_auto(img_mem_release) char *key =
		mem_printf("%.*s", (int)len, wanted);
	const char *value = json_string_value(json_object_get(labels, key));

	return value && (!wanted[len] || strcmp(value, wanted + len + 1) == 0);
}

static bool match_texts(const struct text_list *texts, const char *name,
			const json_t *labels)
{
	bool named = false, any_name = false;

	for (size_t i = 0; i < texts->n; i++) {
		const char *text = texts->text[i];

		if (begins(text, "name=")) {
			named = true;
			any_name |= strstr(name, text + 5) != NULL;
		} else if (begins(text, "label=") &&
			   !has_label(labels, text + 6)) {
			return false;
		} else if (begins(text, "label!=") &&
			   has_label(labels, text + 7)) {
			return false;
		}
	}
	return !named || any_name;
}

int volume_filter_match(const struct volume_filter *filter,
			const struct named_volume *named, bool used,
			struct img_err *err)
{
	img_auto(json_release) json_t *config = NULL;
	int r;

	if ((filter->dangling && used) || (filter->no_dangling && !used))
		return 0;
	r = image_config_parse(named->config, &config, err);
	return r < 0 ? r
		     : match_texts(filter->texts, named->name,
				   json_object_get(config, "Labels"));
}
