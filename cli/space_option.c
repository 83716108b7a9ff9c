#include "cli/space_option.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "cli/isolation.h"
#include "image/config.h"
#include "runtime/sysctl.h"

#include <string.h>

#define CONTAINER "container:"

static const struct mode {
	const char *option, *key;
	const char *modes;  /* each between spaces */
	const char *choice; /* the same for people */
	const char *said;   /* in place of none */
	bool joins;
	size_t offset;
} modes[] = {
	{ "--network", "NetworkMode", " none host ",
	  "none, host or container:NAME", "none", true,
	  offsetof(struct space_options, network) },
	{ "--pid", "PidMode", " private host ",
	  "private, host or container:NAME", "private", true,
	  offsetof(struct space_options, pid) },
	{ "--ipc", "IpcMode", " none private shareable host ",
	  "private, shareable, none, host or container:NAME", "private", true,
	  offsetof(struct space_options, ipc) },
	{ "--uts", "UTSMode", " private host ", "private or host", "private",
	  false, offsetof(struct space_options, uts) },
	{ "--cgroupns", "CgroupnsMode", " private host ", "private or host",
	  "private", false, offsetof(struct space_options, cgroupns) },
};

static const char *text_of(const struct space_options *o, const struct mode *m)
{
	const char *text = *(const char *const *)((const char *)o + m->offset);

	return text && *text ? text : m->said;
}

static bool joins(const char *mode)
{
	return strncmp(mode, CONTAINER, strlen(CONTAINER)) == 0;
}

static int put_one(json_t *host, const struct space_options *o,
		   const struct mode *m, struct img_err *err)
{
	const char *text = text_of(o, m);
	img_auto(img_mem_release) char *word = mem_printf(" %s ", text);
	const bool join = m->joins && joins(text) && text[strlen(CONTAINER)];

	if (!join && (!strstr(m->modes, word) || strchr(text, ' ')))
		return img_err_set(err, IMG_E_INPUT, 0, "%s is %s, not '%s'",
				   m->option, m->choice, text);
	if (json_object_set_new(host, m->key, json_string(text)) < 0)
		return img_err_set(err, IMG_E_INPUT, 0, "%s '%s' is not UTF-8",
				   m->option, text);
	return 0;
}

static bool is(const char *text, const char *mode)
{
	return text && strcmp(text, mode) == 0;
}

static int refuse(const char *option, const char *with, const char *mode,
		  struct img_err *err)
{
	return img_err_set(err, IMG_E_INPUT, 0,
			   "%s has no place beside '%s %s'", option, with,
			   mode);
}

static int check_names(const struct isolation_options *o, struct img_err *err)
{
	const struct space_options *s = &o->spaces;
	const char *named = o->hostname	    ? "--hostname"
			    : o->domainname ? "--domainname"
					    : NULL;

	if (named && is(s->uts, "host"))
		return refuse(named, "--uts", s->uts, err);
	if (!s->network || !joins(s->network))
		return 0;
	if (named)
		return refuse(named, "--network", s->network, err);
	if (o->add_hosts.n)
		return refuse("--add-host", "--network", s->network, err);
	if (o->dns.n || o->dns_search.n || o->dns_options.n)
		return refuse("--dns", "--network", s->network, err);
	return 0;
}

static bool is_own(const char *mode)
{
	return !mode || (!joins(mode) && strcmp(mode, "host") != 0);
}

static int check_sysctls(const struct isolation_options *o, struct img_err *err)
{
	for (size_t i = 0; i < o->sysctls.n; i++) {
		img_auto(img_mem_release) char *name =
			mem_strdup(o->sysctls.text[i]);
		int r;

		name[strcspn(name, "=")] = '\0';
		r = sysctl_check(name, is_own(o->spaces.ipc),
				 is_own(o->spaces.network), err);
		if (r < 0)
			return r;
	}
	return 0;
}

int space_option_put(json_t *host, const struct isolation_options *o,
		     struct img_err *err)
{
	int r = check_names(o, err);

	if (r == 0)
		r = check_sysctls(o, err);
	if (r == 0 && o->shm_bytes && !is_own(o->spaces.ipc))
		r = refuse("--shm-size", "--ipc", o->spaces.ipc, err);
	for (size_t i = 0; r == 0 && i < IMG_COUNT(modes); i++)
		r = put_one(host, &o->spaces, &modes[i], err);
	return r;
}

/* 1 where there was one. */
static int resolve_one(struct store *store, json_t *host, const struct mode *m,
		       struct img_err *err)
{
	const char *text = json_string_value(json_object_get(host, m->key));
	img_auto(container_row_release) struct container_row row = { 0 };
	img_auto(img_mem_release) char *id = NULL;
	int r;

	if (!text || !m->joins || !joins(text))
		return 0;
	r = container_find(store, text + strlen(CONTAINER), &row, err);
	if (r < 0)
		return img_err_prefix(err, "%s %s", m->option, text);
	id = mem_printf(CONTAINER "%s", row.id.hex);
	(void)json_object_set_new(host, m->key, json_string(id));
	return 1;
}

int space_option_resolve(struct store *store, char **config,
			 struct img_err *err)
{
	img_auto(json_release) json_t *json = NULL;
	json_t *host;
	bool any = false;
	int r;

	if (!strstr(*config, CONTAINER))
		return 0;
	r = image_config_parse(*config, &json, err);
	host = json_object_get(json, "HostConfig");
	for (size_t i = 0; r >= 0 && i < IMG_COUNT(modes); i++) {
		r = resolve_one(store, host, &modes[i], err);
		any |= r > 0;
	}
	if (r < 0 || !any)
		return r;
	/* Its ids are those of the container that it shares with. */
	if (is(json_string_value(json_object_get(host, "UsernsMode")),
	       "private"))
		(void)json_object_set_new(host, "UsernsMode",
					  json_string("container"));
	img_mem_release(config);
	*config = image_config_text(json);
	return 0;
}

const char *space_network_of(const json_t *config)
{
	const char *mode = json_string_value(json_object_get(
		json_object_get(config, "HostConfig"), "NetworkMode"));

	return mode && joins(mode) ? mode + strlen(CONTAINER) : NULL;
}

bool space_has_host_network(const json_t *config)
{
	return is(json_string_value(
			  json_object_get(json_object_get(config, "HostConfig"),
					  "NetworkMode")),
		  "host");
}
