#include "image/config.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * The instructions of --change.  Each sets one member of the configuration;
 * none touches it unless its argument is right.
 */

static int bad(struct img_err *err, const char *instruction, const char *why)
{
	return img_err_set(err, IMG_E_INPUT, 0, "--change %s: %s", instruction,
			   why);
}

/* A JSON array of strings, or NULL. */
static json_t *parse_array(const char *text)
{
	json_t *array;
	size_t i;
	json_t *item;

	if (text[0] != '[')
		return NULL;
	array = json_loads(text, 0, NULL);
	if (!json_is_array(array)) {
		json_decref(array);
		return NULL;
	}
	json_array_foreach(array, i, item) if (!json_is_string(item))
	{
		json_decref(array);
		return NULL;
	}
	return array;
}

/* The next word of a NAME=VALUE list: quotes and backslashes as in a
 * Dockerfile.  1 with a word, 0 at the end, -1 for an open quote. */
static int next_word(const char **text, struct str *word)
{
	const char *s = *text;
	char quote = 0;

	str_release(word);
	while (isspace((unsigned char)*s))
		s++;
	if (!*s)
		return 0;
	str_add(word, "");
	for (; *s && (quote || !isspace((unsigned char)*s)); s++) {
		if (*s == quote) {
			quote = 0;
		} else if (!quote && (*s == '"' || *s == '\'')) {
			quote = *s;
		} else {
			if (*s == '\\' && s[1] && quote != '\'')
				s++;
			str_addn(word, s, 1);
		}
	}
	*text = s;
	return quote ? -1 : 1;
}

/* A fresh copy of an object or array member, or a new one. */
static json_t *member_copy(const json_t *config, const char *key, bool array)
{
	const json_t *old = json_object_get(config, key);

	if (array ? json_is_array(old) : json_is_object(old))
		return json_deep_copy(old);
	return array ? json_array() : json_object();
}

static void set(json_t *config, const char *key, json_t *value)
{
	(void)json_object_set_new(config, key, value); /* of known types */
}

static int change_command(json_t *config, const char *key, const char *name,
			  const char *arg, struct img_err *err)
{
	json_t *value = parse_array(arg);

	if (!value && arg[0] == '[')
		return bad(err, name, "not a JSON array of strings");
	if (!value)
		value = json_pack("[sss]", "/bin/sh", "-c", arg);
	set(config, key, value);
	return 0;
}

static int change_cmd(json_t *config, const char *arg, struct img_err *err)
{
	return change_command(config, "Cmd", "CMD", arg, err);
}

static int change_entrypoint(json_t *config, const char *arg,
			     struct img_err *err)
{
	return change_command(config, "Entrypoint", "ENTRYPOINT", arg, err);
}

static void env_set(json_t *env, const char *entry)
{
	size_t name = strcspn(entry, "=") + 1, i;
	json_t *old;

	json_array_foreach(env, i,
			   old) if (strncmp(json_string_value(old)
						    ? json_string_value(old)
						    : "",
					    entry, name) == 0)
	{
		(void)json_array_set_new(env, i, json_string(entry));
		return;
	}
	(void)json_array_append_new(env, json_string(entry));
}

/* NAME=VALUE words; or, with @old_form, "NAME the rest". */
static int each_pair(const char *name, const char *arg,
		     void (*fn)(json_t *value, const char *pair), json_t *value,
		     struct img_err *err)
{
	img_auto(str_release) struct str word = { 0 };
	size_t first = strcspn(arg, " \t=");
	int r;

	if (arg[first] && arg[first] != '=') { /* ENV NAME value with spaces */
		str_addn(&word, arg, first);
		str_add(&word, "=");
		str_add(&word, arg + first + strspn(arg + first, " \t"));
		fn(value, word.s);
		return 0;
	}
	while ((r = next_word(&arg, &word)) > 0) {
		if (!strchr(word.s, '=') || word.s[0] == '=')
			return bad(err, name, "wants NAME=VALUE");
		fn(value, word.s);
	}
	return r < 0 ? bad(err, name, "a quote is not closed") : 0;
}

static int change_env(json_t *config, const char *arg, struct img_err *err)
{
	json_t *env = member_copy(config, "Env", true);
	int r = each_pair("ENV", arg, env_set, env, err);

	if (r < 0)
		json_decref(env);
	else
		set(config, "Env", env);
	return r;
}

static void label_set(json_t *labels, const char *pair)
{
	const char *equal = strchr(pair, '=');
	img_auto(img_mem_release) char *name = mem_strdup(pair);

	name[equal - pair] = '\0';
	(void)json_object_set_new(labels, name, json_string(equal + 1));
}

static int change_label(json_t *config, const char *arg, struct img_err *err)
{
	json_t *labels = member_copy(config, "Labels", false);
	int r = each_pair("LABEL", arg, label_set, labels, err);

	if (r < 0)
		json_decref(labels);
	else
		set(config, "Labels", labels);
	return r;
}

/* A port at the start of @s, or 0; *ret_end is what follows it. */
static unsigned long read_port(const char *s, const char **ret_end)
{
	char *end = NULL;
	unsigned long port =
		isdigit((unsigned char)*s) ? strtoul(s, &end, 10) : 0;

	*ret_end = end;
	return port <= 65535 ? port : 0;
}

/* 80, 80/tcp, 8000-8010/udp */
static bool is_port(const char *s)
{
	unsigned long first = read_port(s, &s), last = first;

	if (first && *s == '-')
		last = read_port(s + 1, &s);
	if (!first || last < first)
		return false;
	return !*s || strcmp(s, "/tcp") == 0 || strcmp(s, "/udp") == 0 ||
	       strcmp(s, "/sctp") == 0;
}

static int change_expose(json_t *config, const char *arg, struct img_err *err)
{
	img_auto(json_release) json_t *ports =
		member_copy(config, "ExposedPorts", false);
	img_auto(str_release) struct str word = { 0 };
	int r;

	while ((r = next_word(&arg, &word)) > 0) {
		if (!is_port(word.s))
			return bad(err, "EXPOSE", "wants PORT[/tcp|/udp]");
		if (!strchr(word.s, '/'))
			str_add(&word, "/tcp");
		(void)json_object_set_new(ports, word.s, json_object());
	}
	if (r < 0)
		return bad(err, "EXPOSE", "a quote is not closed");
	set(config, "ExposedPorts", json_incref(ports));
	return 0;
}

static int change_volume(json_t *config, const char *arg, struct img_err *err)
{
	json_t *volumes = member_copy(config, "Volumes", false);
	json_t *array = parse_array(arg), *item;
	img_auto(str_release) struct str word = { 0 };
	size_t i;
	int r = 0;

	if (!array && arg[0] == '[') {
		json_decref(volumes);
		return bad(err, "VOLUME", "not a JSON array of strings");
	}
	if (array) {
		json_array_foreach(array, i, item)(void) json_object_set_new(
			volumes, json_string_value(item), json_object());
		json_decref(array);
	} else {
		while ((r = next_word(&arg, &word)) > 0)
			(void)json_object_set_new(volumes, word.s,
						  json_object());
	}
	if (r < 0) {
		json_decref(volumes);
		return bad(err, "VOLUME", "a quote is not closed");
	}
	set(config, "Volumes", volumes);
	return 0;
}

static int change_text(json_t *config, const char *key, const char *text)
{
	set(config, key, json_string(text));
	return 0;
}

static int change_user(json_t *config, const char *arg, struct img_err *err)
{
	return change_text(config, "User", arg);
}

static int change_workdir(json_t *config, const char *arg, struct img_err *err)
{
	const char *old = image_config_string(config, "WorkingDir");
	img_auto(img_mem_release) char *path = NULL;

	if (arg[0] == '/')
		path = mem_strdup(arg);
	else
		path = mem_printf("%s/%s",
				  old && strcmp(old, "/") != 0 ? old : "", arg);
	return change_text(config, "WorkingDir", path);
}

static int change_stopsignal(json_t *config, const char *arg,
			     struct img_err *err)
{
	if (strncmp(arg, "SIG", 3) != 0 && !isdigit((unsigned char)arg[0]))
		return bad(err, "STOPSIGNAL",
			   "wants a signal as SIGTERM or 15");
	return change_text(config, "StopSignal", arg);
}

static bool is_utf8(const char *s)
{
	img_auto(json_release) json_t *string = json_string(s);

	return string;
}

int image_config_change(json_t *config, const char *change, struct img_err *err)
{
	static const struct {
		const char *name;
		int (*fn)(json_t *config, const char *arg, struct img_err *err);
	} table[] = {
		{ "CMD", change_cmd },
		{ "ENTRYPOINT", change_entrypoint },
		{ "ENV", change_env },
		{ "EXPOSE", change_expose },
		{ "LABEL", change_label },
		{ "STOPSIGNAL", change_stopsignal },
		{ "USER", change_user },
		{ "VOLUME", change_volume },
		{ "WORKDIR", change_workdir },
	};
	size_t len = strcspn(change, " \t");
	const char *arg = change + len;

	arg += strspn(arg, " \t");
	for (size_t i = 0; i < IMG_COUNT(table); i++) {
		if (strlen(table[i].name) != len ||
		    strncasecmp(table[i].name, change, len) != 0)
			continue;
		if (!*arg)
			return bad(err, table[i].name, "has no argument");
		if (!is_utf8(arg)) /* JSON has nothing else */
			return bad(err, table[i].name, "not UTF-8");
		return table[i].fn(config, arg, err);
	}
	return img_err_set(err, IMG_E_INPUT, 0,
			   "--change '%s': no such instruction (CMD ENTRYPOINT "
			   "ENV EXPOSE LABEL STOPSIGNAL USER VOLUME WORKDIR)",
			   change);
}
