#include "cli/spec.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "cli/limits.h"
#include "image/config.h"
#include "runtime/capability.h"
#include "runtime/syscall_filter.h"

#include <string.h>

void spec_parts_release(struct spec_parts *p)
{
	json_release(&p->config);
	image_config_strings_free(&p->argv);
	image_config_strings_free(&p->env);
	image_config_strings_free(&p->security);
	isolation_parts_release(&p->isolation);
	img_mem_release(&p->io);
}

static size_t count(char *const *strings)
{
	size_t n = 0;

	while (strings[n])
		n++;
	return n;
}

/* Entrypoint, then Cmd. */
static void set_argv(struct spec_parts *p)
{
	char **entry = image_config_strings(p->config, "Entrypoint");
	char **cmd = image_config_strings(p->config, "Cmd");
	size_t n_entry = count(entry), n_cmd = count(cmd);

	p->argv = mem_zalloc((n_entry + n_cmd + 1) * sizeof(*p->argv));
	memcpy(p->argv, entry, n_entry * sizeof(*p->argv));
	memcpy(p->argv + n_entry, cmd, n_cmd * sizeof(*p->argv));
	free(entry);
	free(cmd);
}

static int set_power(struct spec_parts *p, struct img_err *err)
{
	json_t *host = json_object_get(p->config, "HostConfig");
	char **add = image_config_strings(host, "CapAdd");
	char **drop = image_config_strings(host, "CapDrop");
	int r = capability_choose(add, drop, &p->capabilities, err);

	p->privileged = json_is_true(json_object_get(host, "Privileged"));
	if (p->privileged) {
		p->capabilities = CAPABILITY_ALL;
		p->syscalls = SYSCALL_FILTER_NONE;
	}
	p->security = image_config_strings(host, "SecurityOpt");
	for (char **option = p->security; *option; option++)
		if (strncmp(*option, "seccomp=", 8) == 0)
			p->syscalls = *option + 8;
		else
			p->no_new_privileges = true;
	image_config_strings_free(&add);
	image_config_strings_free(&drop);
	return r;
}

int spec_make(const struct container_row *row, json_t *config,
	      struct spec_parts *p, struct container_spec *spec,
	      struct img_err *err)
{
	const char *parent;
	json_t *host;
	int r = 0;

	p->config = config;
	if (!config)
		r = image_config_parse(row->config, &p->config, err);
	if (r == 0)
		r = set_power(p, err);
	if (r < 0)
		return r;
	set_argv(p);
	p->env = image_config_strings(p->config, "Env");
	if (!p->argv[0])
		return img_err_set(err, IMG_E_INPUT, 0,
				   "no command was given and the image '%s' "
				   "names none",
				   row->image_name);
	host = json_object_get(p->config, "HostConfig");
	limits_get(host, &p->limits, &p->io);
	parent = image_config_string(host, "CgroupParent");
	*spec = (struct container_spec){
		.id = row->id.hex,
		.root_device = p->node,
		/* What is removed at its end has no state that a power cut
		 * could spoil: its writes need no order on the disk. */
		.root_options = row->auto_remove ? "nobarrier" : NULL,
		.argv = p->argv,
		.env = p->env,
		.cwd = image_config_string(p->config, "WorkingDir"),
		.user = image_config_string(p->config, "User"),
		.users = row->users,
		.capabilities = p->capabilities,
		.privileged = p->privileged,
		.syscalls = p->syscalls,
		.no_new_privileges = p->no_new_privileges,
		.cgroup_parent = parent && parent[0] ? parent : NULL,
		.limits = &p->limits,
		.oom_score = (int)json_integer_value(
			json_object_get(host, "OomScoreAdj")),
		.init = json_is_true(json_object_get(host, "Init")),
		.tty = json_is_true(json_object_get(p->config, "Tty")),
		.interactive =
			json_is_true(json_object_get(p->config, "OpenStdin")),
	};
	return isolation_read(p->config, &p->isolation, spec, err);
}
