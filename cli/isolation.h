#ifndef IMG_CLI_ISOLATION_H
#define IMG_CLI_ISOLATION_H

/*
 * What of the host a container sees, and what it is called: mounts, devices,
 * limits, names.  Options of `run` become JSON in the container's
 * configuration, under the names that docker's inspect shows; JSON becomes
 * what the runtime wants to know (cli/isolation_spec.h).
 */
#include "cli/options.h"
#include "cli/space_option.h"

#include <jansson.h>
#include <stdint.h>

/* Zero-initialised: nothing is asked for. */
struct isolation_options {
	struct text_list volumes, volumes_from, mounts, tmpfs, devices;
	struct text_list sysctls, ulimits, groups;
	struct text_list add_hosts, dns, dns_search, dns_options;
	const char *hostname, *domainname;
	struct space_options spaces;
	uint64_t shm_bytes;
	bool read_only;
};

#define ISOLATION_ROW(letter_, name_, arg_, help_, kind_, base_, member_)      \
	OPTION_ROW(letter_, name_, arg_, help_, kind_, base_,                  \
		   struct isolation_options, member_)

/* Rows of a verb's table; @base: where in its struct the options are. */
#define ISOLATION_ROWS(base)                                                   \
	ISOLATION_ROW(0, "add-host", "NAME:ADDRESS",                           \
		      "one more line of its /etc/hosts", OPTION_LIST, base,    \
		      add_hosts),                                              \
		ISOLATION_ROW(0, "cgroupns", "MODE",                           \
			      "its view of cgroups: private or host",          \
			      OPTION_TEXT, base, spaces.cgroupns),             \
		ISOLATION_ROW(0, "device", "HOST[:DST[:rwm]]",                 \
			      "a device of the host, at the same path or at "  \
			      "DST",                                           \
			      OPTION_LIST, base, devices),                     \
		ISOLATION_ROW(0, "dns", "ADDRESS",                             \
			      "a name server in its /etc/resolv.conf",         \
			      OPTION_LIST, base, dns),                         \
		ISOLATION_ROW(0, "dns-option", "OPTION",                       \
			      "an option in its /etc/resolv.conf",             \
			      OPTION_LIST, base, dns_options),                 \
		ISOLATION_ROW(0, "dns-search", "DOMAIN",                       \
			      "a search domain in its /etc/resolv.conf",       \
			      OPTION_LIST, base, dns_search),                  \
		ISOLATION_ROW(0, "domainname", "NAME", "NIS domain name",      \
			      OPTION_TEXT, base, domainname),                  \
		ISOLATION_ROW(0, "group-add", "GROUP",                         \
			      "one more group of its user", OPTION_LIST, base, \
			      groups),                                         \
		ISOLATION_ROW('h', "hostname", "NAME",                         \
			      "host name [first 12 digits of the id]",         \
			      OPTION_TEXT, base, hostname),                    \
		ISOLATION_ROW(0, "ipc", "MODE",                                \
			      "private, shareable, none, host or "             \
			      "container:NAME",                                \
			      OPTION_TEXT, base, spaces.ipc),                  \
		ISOLATION_ROW(0, "mount", "KEY=VALUE,...",                     \
			      "type=bind, volume or tmpfs, source=, target=, " \
			      "readonly, ...",                                 \
			      OPTION_LIST, base, mounts),                      \
		ISOLATION_ROW(0, "net", "MODE", "the same as network",         \
			      OPTION_TEXT, base, spaces.network),              \
		ISOLATION_ROW(0, "network", "MODE",                            \
			      "none (loopback only, the default), host or "    \
			      "container:NAME",                                \
			      OPTION_TEXT, base, spaces.network),              \
		ISOLATION_ROW(0, "pid", "MODE",                                \
			      "processes: private, host or container:NAME",    \
			      OPTION_TEXT, base, spaces.pid),                  \
		ISOLATION_ROW(0, "read-only", NULL,                            \
			      "its root file system cannot be written",        \
			      OPTION_FLAG, base, read_only),                   \
		ISOLATION_ROW(0, "shm-size", "SIZE",                           \
			      "size of its /dev/shm [64m]", OPTION_SIZE, base, \
			      shm_bytes),                                      \
		ISOLATION_ROW(0, "sysctl", "NAME=VALUE",                       \
			      "a kernel parameter of its namespaces",          \
			      OPTION_LIST, base, sysctls),                     \
		ISOLATION_ROW(0, "tmpfs", "DST[:OPTIONS]",                     \
			      "a file system in memory", OPTION_LIST, base,    \
			      tmpfs),                                          \
		ISOLATION_ROW(0, "ulimit", "NAME=SOFT[:HARD]",                 \
			      "a limit of each of its processes", OPTION_LIST, \
			      base, ulimits),                                  \
		ISOLATION_ROW(0, "uts", "MODE", "host name: private or host",  \
			      OPTION_TEXT, base, spaces.uts),                  \
		ISOLATION_ROW('v', "volume", "[SRC:]DST[:OPTIONS]",            \
			      "a volume, or a file or directory of the host",  \
			      OPTION_LIST, base, volumes),                     \
		ISOLATION_ROW(0, "volumes-from", "CONTAINER[:ro|rw]",          \
			      "what another container has mounted",            \
			      OPTION_LIST, base, volumes_from)

/**
 * isolation_put - write options into a configuration
 * @config: of the container
 * @host: its HostConfig
 *
 * Everything is checked now, so that a start does not fail for it.  Returns 0,
 * or IMG_E_INPUT that names the option.
 */
int isolation_put(json_t *config, json_t *host,
		  const struct isolation_options *options,
		  struct img_err *err) IMG_MUST_USE;

/* Its parts, one a file. */
int isolation_put_mounts(json_t *host, const struct isolation_options *options,
			 struct img_err *err) IMG_MUST_USE;
int isolation_put_devices(json_t *host, const struct text_list *list,
			  struct img_err *err) IMG_MUST_USE;
int isolation_put_limits(json_t *host, const struct isolation_options *options,
			 struct img_err *err) IMG_MUST_USE;
int isolation_put_names(json_t *config, json_t *host,
			const struct isolation_options *options,
			struct img_err *err) IMG_MUST_USE;

/**
 * mount_option_parse - read the argument of --mount
 * @text: "type=bind,source=/a,target=/b,readonly", keys as docker has them
 * @ret: an object as docker's HostConfig.Mounts holds them; the caller's
 */
int mount_option_parse(const char *text, json_t **ret,
		       struct img_err *err) IMG_MUST_USE;

/* Appends a copy of each to a new array; IMG_E_INPUT for what is not UTF-8. */
int isolation_put_list(json_t *object, const char *key, const char *option,
		       const struct text_list *list,
		       struct img_err *err) IMG_MUST_USE;

#endif
