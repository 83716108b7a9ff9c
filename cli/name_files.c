#include "cli/name_files.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/space_option.h"
#include "image/config.h"
#include "runtime/hostname.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define HOST_FILE_MAX ((size_t)1 << 20)

static const char hosts_head[] = "127.0.0.1\tlocalhost\n"
				 "::1\tlocalhost ip6-localhost ip6-loopback\n"
				 "fe00::\tip6-localnet\n"
				 "ff00::\tip6-mcastprefix\n"
				 "ff02::1\tip6-allnodes\n"
				 "ff02::2\tip6-allrouters\n";

static bool has(const json_t *object, const char *key)
{
	return json_array_size(json_object_get(object, key)) > 0;
}

/* A file of the host, ending in a newline; "" without one. */
static char *host_text(const char *path)
{
	img_auto(img_mem_release) char *text = NULL;
	struct img_err none = { 0 };
	size_t size;

	if (file_read_all(AT_FDCWD, path, HOST_FILE_MAX, &text, &size, &none) <
		    0 ||
	    size == 0)
		return mem_strdup("");
	return mem_printf("%s%s", text, text[size - 1] == '\n' ? "" : "\n");
}

static void add_strings(struct str *out, const json_t *object, const char *key,
			const char *before, const char *after)
{
	char **list = image_config_strings(object, key);

	for (char **text = list; *text; text++) {
		str_add(out, before);
		str_add(out, *text);
		str_add(out, after);
	}
	image_config_strings_free(&list);
}

static void add_extra_hosts(struct str *out, const json_t *config)
{
	char **extra = image_config_strings(
		json_object_get(config, "HostConfig"), "ExtraHosts");

	for (char **text = extra; *text; text++) {
		size_t len = strcspn(*text, ":");

		if ((*text)[len])
			str_addf(out, "%s\t%.*s\n", *text + len + 1, (int)len,
				 *text);
	}
	image_config_strings_free(&extra);
}

char *name_files_hosts(const json_t *config, const char *hostname)
{
	const char *domain = image_config_string(config, "Domainname");
	struct str out = { 0 };

	str_add(&out, hosts_head);
	if (domain)
		str_addf(&out, "127.0.0.1\t%s.%s %s\n", hostname, domain,
			 hostname);
	else
		str_addf(&out, "127.0.0.1\t%s\n", hostname);
	add_extra_hosts(&out, config);
	return str_take(&out);
}

/* What the host's network is called by. */
static char *host_hosts(const json_t *config)
{
	img_auto(img_mem_release) char *text = host_text("/etc/hosts");
	struct str out = { 0 };

	str_add(&out, text);
	add_extra_hosts(&out, config);
	return str_take(&out);
}

char *name_files_resolv(const json_t *host, const char *of_host)
{
	struct str out = { 0 };

	str_add(&out, of_host && !has(host, "Dns") ? of_host : "");
	add_strings(&out, host, "Dns", "nameserver ", "\n");
	if (json_array_size(json_object_get(host, "DnsSearch"))) {
		str_add(&out, "search");
		add_strings(&out, host, "DnsSearch", " ", "");
		str_add(&out, "\n");
	}
	if (json_array_size(json_object_get(host, "DnsOptions"))) {
		str_add(&out, "options");
		add_strings(&out, host, "DnsOptions", " ", "");
		str_add(&out, "\n");
	}
	return str_take(&out);
}

/* @text: what to write first, or NULL; all are taken over. */
static void add_mount(char *path, char *target, char *text, bool wanted,
		      struct isolation_parts *all,
		      const struct container_spec *spec)
{
	struct container_mount *m = isolation_add_mount(all);

	m->kind = MOUNT_BIND;
	m->source = isolation_keep(all, path);
	m->target = isolation_keep(all, target);
	m->text = text ? isolation_keep(all, text) : NULL;
	m->how.read_only = spec->read_only;
	m->own = true;
	m->if_there = !wanted;
}

/* A mount of one's own is what is meant. */
static bool is_taken(const struct isolation_parts *all, const char *target)
{
	for (size_t i = 0; i < all->n_mounts; i++)
		if (strcmp(all->mounts[i].target, target) == 0)
			return true;
	return false;
}

static void add(const char *dir, const char *name, char *text, bool wanted,
		struct spec_parts *parts, const struct container_spec *spec)
{
	img_auto(img_mem_release) char *target = mem_printf("/etc/%s", name);

	if (is_taken(&parts->isolation, target))
		free(text);
	else
		add_mount(mem_printf("%s/%s", dir, name), img_mem_take(&target),
			  text, wanted, &parts->isolation, spec);
}

/* Those that the container whose network it is has. */
static void add_other(struct store *store, const char *id,
		      struct isolation_parts *all,
		      const struct container_spec *spec)
{
	static const char *const names[] = { "hostname", "hosts",
					     "resolv.conf" };

	for (size_t i = 0; i < IMG_COUNT(names); i++) {
		img_auto(img_mem_release) char *target =
			mem_printf("/etc/%s", names[i]);
		img_auto(img_mem_release) char *path = mem_printf(
			"%s/containers/%s/%s", store_root(store), id, names[i]);

		if (!is_taken(all, target) && access(path, F_OK) == 0)
			add_mount(img_mem_take(&path), img_mem_take(&target),
				  NULL, false, all, spec);
	}
}

/* The container's own three. */
static void add_own(const char *dir, struct spec_parts *parts,
		    const struct container_spec *spec, const char *hostname)
{
	const json_t *host = json_object_get(parts->config, "HostConfig");
	const bool of_host = space_has_host_network(parts->config);
	const bool named = spec->hostname || spec->domainname;
	img_auto(img_mem_release) char *dns =
		of_host ? host_text("/etc/resolv.conf") : NULL;

	add(dir, "hostname", mem_printf("%s\n", hostname), named, parts, spec);
	add(dir, "hosts",
	    of_host ? host_hosts(parts->config)
		    : name_files_hosts(parts->config, hostname),
	    of_host || named || has(host, "ExtraHosts"), parts, spec);
	add(dir, "resolv.conf", name_files_resolv(host, dns),
	    of_host || has(host, "Dns") || has(host, "DnsSearch") ||
		    has(host, "DnsOptions"),
	    parts, spec);
}

int name_files_add(struct store *store, const struct container_row *row,
		   struct spec_parts *parts, struct container_spec *spec,
		   struct img_err *err)
{
	const char *other = space_network_of(parts->config);
	img_auto(img_mem_release) char *dir =
		mem_printf("%s/containers/%s", store_root(store), row->id.hex);
	char hostname[HOSTNAME_SIZE];
	int r = hostname_choose(spec, hostname, err);

	if (r < 0)
		return r;
	if (other)
		add_other(store, other, &parts->isolation, spec);
	else
		add_own(dir, parts, spec, hostname);
	isolation_order_mounts(&parts->isolation, spec);
	return 0;
}
