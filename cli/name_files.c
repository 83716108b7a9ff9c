#include "cli/name_files.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "image/config.h"
#include "runtime/hostname.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static const char hosts_head[] = "127.0.0.1\tlocalhost\n"
				 "::1\tlocalhost ip6-localhost ip6-loopback\n"
				 "fe00::\tip6-localnet\n"
				 "ff00::\tip6-mcastprefix\n"
				 "ff02::1\tip6-allnodes\n"
				 "ff02::2\tip6-allrouters\n";

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

char *name_files_hosts(const json_t *config, const char *hostname)
{
	const char *domain = image_config_string(config, "Domainname");
	char **extra = image_config_strings(
		json_object_get(config, "HostConfig"), "ExtraHosts");
	struct str out = { 0 };

	str_add(&out, hosts_head);
	if (domain)
		str_addf(&out, "127.0.0.1\t%s.%s %s\n", hostname, domain,
			 hostname);
	else
		str_addf(&out, "127.0.0.1\t%s\n", hostname);
	for (char **text = extra; *text; text++) {
		size_t len = strcspn(*text, ":");

		if ((*text)[len])
			str_addf(&out, "%s\t%.*s\n", *text + len + 1, (int)len,
				 *text);
	}
	image_config_strings_free(&extra);
	return str_take(&out);
}

char *name_files_resolv(const json_t *host)
{
	struct str out = { 0 };

	str_add(&out, "");
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

/* Not synced, and rewritten in place: the next start makes it anew, and a
 * container that runs keeps the file that it has mounted. */
static int write_file(const char *dir, const char *name, const char *text,
		      char **ret, struct img_err *err)
{
	img_auto(img_mem_release) char *path = mem_printf("%s/%s", dir, name);
	img_auto(img_fd_release) int fd = -1;
	int r;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		  0644);
	if (fd < 0 || fchmod(fd, 0644) != 0)
		return img_err_sys(err, "cannot make '%s'", path);
	r = file_write(fd, text, strlen(text), path, err);
	if (r == 0)
		*ret = img_mem_take(&path);
	return r;
}

static int add(const char *dir, const char *name, const char *text, bool wanted,
	       struct spec_parts *parts, const struct container_spec *spec,
	       struct img_err *err)
{
	struct isolation_parts *all = &parts->isolation;
	img_auto(img_mem_release) char *path = NULL;
	img_auto(img_mem_release) char *target = mem_printf("/etc/%s", name);
	struct container_mount *m;
	int r;

	/* A mount of one's own is what is meant. */
	for (size_t i = 0; i < all->n_mounts; i++)
		if (strcmp(all->mounts[i].target, target) == 0)
			return 0;
	r = write_file(dir, name, text, &path, err);
	if (r < 0)
		return r;
	m = isolation_add_mount(all);
	m->kind = MOUNT_BIND;
	m->source = isolation_keep(all, img_mem_take(&path));
	m->target = isolation_keep(all, img_mem_take(&target));
	m->how.read_only = spec->read_only;
	m->own = true;
	m->if_there = !wanted;
	return 0;
}

static bool has(const json_t *object, const char *key)
{
	return json_array_size(json_object_get(object, key)) > 0;
}

int name_files_add(struct store *store, const struct container_row *row,
		   struct spec_parts *parts, struct container_spec *spec,
		   struct img_err *err)
{
	const json_t *host = json_object_get(parts->config, "HostConfig");
	const bool named = spec->hostname || spec->domainname;
	img_auto(img_mem_release) char *dir = NULL;
	img_auto(img_mem_release) char *hosts = NULL;
	img_auto(img_mem_release) char *resolv = NULL;
	char hostname[HOSTNAME_SIZE], line[HOSTNAME_SIZE + 1];
	int r = hostname_choose(spec, hostname, err);

	if (r == 0)
		r = container_dir(store, row, &dir, err);
	if (r < 0)
		return r;
	(void)snprintf(line, sizeof(line), "%s\n", hostname);
	hosts = name_files_hosts(parts->config, hostname);
	resolv = name_files_resolv(host);
	r = add(dir, "hostname", line, named, parts, spec, err);
	if (r == 0)
		r = add(dir, "hosts", hosts, named || has(host, "ExtraHosts"),
			parts, spec, err);
	if (r == 0)
		r = add(dir, "resolv.conf", resolv,
			has(host, "Dns") || has(host, "DnsSearch") ||
				has(host, "DnsOptions"),
			parts, spec, err);
	isolation_order_mounts(&parts->isolation, spec);
	return r;
}
