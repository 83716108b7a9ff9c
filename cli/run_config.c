#include "cli/run_config.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "image/config.h"
#include "runtime/capability.h"

#include <fcntl.h>
#include <string.h>

#define PROFILE_MAX_BYTES ((size_t)1 << 20)

static json_t *string_array(const char *const *text, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(array, json_string(text[i]));
	return array;
}

/* A string of the command line becomes JSON, which is UTF-8 only. */
static int put(json_t *object, const char *key, const char *text,
	       struct img_err *err)
{
	if (text && json_object_set_new(object, key, json_string(text)) < 0)
		return img_err_set(err, IMG_E_INPUT, 0, "%s is not UTF-8", key);
	return 0;
}

static int put_who_and_where(json_t *config, const struct run_config *o,
			     struct img_err *err)
{
	int r;

	if (o->workdir && o->workdir[0] != '/')
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--workdir '%s' is not an absolute path",
				   o->workdir);
	r = put(config, "WorkingDir", o->workdir, err);
	return r < 0 ? r : put(config, "User", o->user, err);
}

static int put_array(json_t *object, const char *key, const char *const *text,
		     size_t n, struct img_err *err)
{
	json_t *array = string_array(text, n);

	if (json_array_size(array) != n) {
		json_decref(array);
		return img_err_set(err, IMG_E_INPUT, 0, "%s is not UTF-8", key);
	}
	(void)json_object_set_new(object, key, array);
	return 0;
}

/* Later ones replace earlier ones when the command starts. */
static int put_env(json_t *config, const struct run_config *o,
		   struct img_err *err)
{
	const struct text_list *list = &o->env;
	json_t *env = json_object_get(config, "Env");
	int r;

	if (!json_is_array(env)) {
		env = json_array();
		(void)json_object_set_new(config, "Env", env);
	}
	r = life_put_env_files(env, &o->life.env_files, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < list->n; i++) {
		const char *text = list->text[i];
		img_auto(img_mem_release) char *entry = NULL;

		if (!text[0] || text[0] == '=')
			return img_err_set(err, IMG_E_INPUT, 0,
					   "--env '%s' has no name", text);
		if (!strchr(text, '=')) {
			const char *here = getenv(text);

			if (!here)
				continue;
			entry = mem_printf("%s=%s", text, here);
			text = entry;
		}
		if (json_array_append_new(env, json_string(text)) < 0)
			return img_err_set(err, IMG_E_INPUT, 0,
					   "--env '%s' is not UTF-8", text);
	}
	return 0;
}

static int put_command(json_t *config, const struct run_config *o,
		       char *const *argv, struct img_err *err)
{
	const char *const *command = (const char *const *)argv;
	size_t n = 0;

	while (argv[n])
		n++;
	if (o->entrypoint) {
		/* "" resets it */
		int r = put_array(config, "Entrypoint", &o->entrypoint,
				  o->entrypoint[0] ? 1 : 0, err);

		if (r < 0)
			return r;
		(void)json_object_del(config, "Cmd"); /* may be absent */
	}
	return n ? put_array(config, "Cmd", command, n, err) : 0;
}

/* Checked now; the names are kept, as docker shows them. */
static int put_capabilities(json_t *host, const struct run_config *o,
			    struct img_err *err)
{
	const struct text_list *lists[] = { &o->cap_add, &o->cap_drop };
	static const char *const keys[] = { "CapAdd", "CapDrop" };

	for (size_t k = 0; k < IMG_COUNT(keys); k++) {
		for (size_t i = 0; i < lists[k]->n; i++) {
			uint64_t one;
			int r = capability_parse(lists[k]->text[i], &one, err);

			if (r < 0)
				return r;
		}
		(void)json_object_set_new(host, keys[k],
					  string_array(lists[k]->text,
						       lists[k]->n));
	}
	return 0;
}

/* The profile itself is kept, as docker does: its file may change or go. */
static int read_profile(const char *path, char **ret, struct img_err *err)
{
	img_auto(img_mem_release) char *json = NULL;
	int r = file_read_all(AT_FDCWD, path, PROFILE_MAX_BYTES, &json, NULL,
			      err);

	if (r < 0)
		return img_err_prefix(err, "--security-opt seccomp");
	*ret = mem_printf("seccomp=%s", json);
	return 0;
}

/* 1 where @text is @name with a value for yes; 0 with one for no. */
static int switched(const char *text, const char *name)
{
	const size_t len = strlen(name);

	if (strncmp(text, name, len) != 0)
		return -1;
	text += len;
	if (!*text)
		return 1;
	if (*text != '=' && *text != ':') /* docker takes the colon, too */
		return -1;
	return strcmp(text + 1, "true") == 0	? 1
	       : strcmp(text + 1, "false") == 0 ? 0
						: -1;
}

/* What holds anyhow: there is neither. */
static bool says_nothing(const char *text)
{
	static const char *const known[] = { "apparmor=unconfined",
					     "label=disable", "label:disable" };

	for (size_t i = 0; i < IMG_COUNT(known); i++)
		if (strcmp(text, known[i]) == 0)
			return true;
	return switched(text, "no-new-privileges") == 0;
}

static int put_one_security(json_t *array, const char *text,
			    struct img_err *err)
{
	img_auto(img_mem_release) char *profile = NULL;
	int r = 0;

	if (says_nothing(text))
		return 0;
	if (switched(text, "no-new-privileges") == 1)
		text = "no-new-privileges";
	else if (strncmp(text, "seccomp=", 8) != 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--security-opt '%s' is not known", text);
	else if (strcmp(text + 8, "unconfined") != 0)
		r = read_profile(text + 8, &profile, err);
	if (r < 0)
		return r;
	if (json_array_append_new(array,
				  json_string(profile ? profile : text)) < 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--security-opt '%s' is not UTF-8", text);
	return 0;
}

static int put_security(json_t *host, const struct text_list *list,
			struct img_err *err)
{
	json_t *array = json_array();

	(void)json_object_set_new(host, "SecurityOpt", array);
	for (size_t i = 0; i < list->n; i++) {
		int r = put_one_security(array, list->text[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* docker's and podman's names.  All privileges are worth nothing in a user
 * namespace: docker refuses them there, and so do we, unless it was left open. */
static int put_users(json_t *host, const struct run_config *o,
		     struct img_err *err)
{
	const char *mode = o->userns ? o->userns : "";
	const bool own =
		strcmp(mode, "private") == 0 || strcmp(mode, "auto") == 0;

	if (mode[0] && !own && strcmp(mode, "host") != 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--userns is host or private, not '%s'",
				   mode);
	if (own && o->privileged)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--privileged wants the host's user ids: "
				   "leave '--userns %s' away",
				   mode);
	(void)json_object_set_new(host, "UsernsMode",
				  json_string(o->privileged || mode[0] == 'h'
						      ? "host"
						      : "private"));
	return 0;
}

bool run_config_has_host_users(const char *config)
{
	img_auto(json_release) json_t *json = NULL;
	struct img_err none = { 0 };
	const char *mode;

	if (image_config_parse(config, &json, &none) < 0)
		return false;
	mode = json_string_value(json_object_get(
		json_object_get(json, "HostConfig"), "UsernsMode"));
	return mode && strcmp(mode, "private") != 0;
}

/* What is the container's own and no image's. */
static int put_host(json_t *config, const struct run_config *o,
		    struct img_err *err)
{
	json_t *host = json_object();
	int r;

	(void)json_object_set_new(config, "HostConfig", host);
	r = isolation_put(config, host, &o->isolation, err);
	if (r == 0)
		r = put_capabilities(host, o, err);
	if (r == 0)
		r = put_security(host, &o->security, err);
	if (r == 0)
		r = put_users(host, o, err);
	if (r == 0)
		r = limits_put(host, &o->limits, err);
	if (r == 0)
		r = limits_put_run(host, &o->limits_run, err);
	if (r == 0)
		r = life_put(config, &o->life, err);
	(void)json_object_set_new(host, "Privileged",
				  json_boolean(o->privileged));
	return r;
}

int run_config_join(const char *base, const struct run_config *o,
		    char *const *argv, json_t **ret, struct img_err *err)
{
	img_auto(json_release) json_t *config = NULL;
	int r = image_config_parse(base, &config, err);

	if (r == 0)
		r = put_env(config, o, err);
	if (r == 0)
		r = put_who_and_where(config, o, err);
	if (r < 0)
		return r;
	(void)json_object_del(config, "Entrypoint"); /* may be absent */
	(void)json_object_set_new(config, "Tty", json_boolean(o->tty));
	(void)json_object_set_new(config, "OpenStdin",
				  json_boolean(o->interactive));
	r = put_command(config, o, argv, err);
	if (r == 0) {
		*ret = config;
		config = NULL;
	}
	return r;
}

int run_config_make(const char *base, const struct run_config *o,
		    char *const *argv, char **ret, struct img_err *err)
{
	img_auto(json_release) json_t *config = NULL;
	int r = image_config_parse(base, &config, err);

	if (r == 0)
		r = put_command(config, o, argv, err);
	if (r == 0)
		r = put_env(config, o, err);
	if (r == 0)
		r = put_host(config, o, err);
	if (r == 0)
		r = put_who_and_where(config, o, err);
	if (r < 0)
		return r;
	(void)json_object_set_new(config, "Tty", json_boolean(o->tty));
	(void)json_object_set_new(config, "OpenStdin",
				  json_boolean(o->interactive));
	(void)json_object_set_new(config, "StdinOnce",
				  json_boolean(o->stdin_once));
	*ret = image_config_text(config);
	return 0;
}
