#include "base/cleanup.h"
#include "base/str.h"
#include "cli/background.h"
#include "cli/container_cgroup.h"
#include "cli/container_process.h"
#include "cli/event.h"
#include "cli/launch.h"
#include "cli/run_config.h"
#include "cli/spec.h"
#include "cli/verb.h"
#include "runtime/capability.h"
#include "runtime/cgroup_state.h"
#include "runtime/container.h"
#include "runtime/enter.h"
#include "runtime/syscall_filter.h"

struct options {
	struct run_config config;
	bool detach;
};

static const struct option_row rows[] = {
	{ 'd', "detach", NULL, "in the background; what it says is lost",
	  OPTION_FLAG, offsetof(struct options, detach) },
	{ 'e', "env", "NAME[=VALUE]",
	  "set a variable; without value, as it is here", OPTION_LIST,
	  offsetof(struct options, config.env) },
	{ 0, "env-file", "FILE",
	  "set variables, one a line; --env comes after it", OPTION_LIST,
	  offsetof(struct options, config.life.env_files) },
	{ 'i', "interactive", NULL, "keep standard input open", OPTION_FLAG,
	  offsetof(struct options, config.interactive) },
	{ 0, "privileged", NULL, "all capabilities, all system calls",
	  OPTION_FLAG, offsetof(struct options, config.privileged) },
	{ 't', "tty", NULL, "give it a terminal", OPTION_FLAG,
	  offsetof(struct options, config.tty) },
	{ 'u', "user", "USER[:GROUP]", "names of the image, or numbers",
	  OPTION_TEXT, offsetof(struct options, config.user) },
	{ 'w', "workdir", "DIR", "working directory", OPTION_TEXT,
	  offsetof(struct options, config.workdir) },
};

/* Returns the command's status, or <0; *@ret_status where it never ran.
 * @detach: in a monitor, which tells that it runs. */
static int enter(struct store *store, const struct container_row *row,
		 const struct options *o, char **argv, struct detach *detach,
		 int *ret_status, struct img_err *err)
{
	img_auto(spec_parts_release) struct spec_parts parts = { 0 };
	img_auto(img_fd_release) int pidfd = -1;
	img_auto(img_fd_release) int cgroup = -1;
	struct container container = { .exit_status = *ret_status };
	struct event_exec exec = { .argv = argv };
	struct container_spec spec = { 0 };
	json_t *config = NULL;
	int r = run_config_join(row->config, &o->config, argv, &config, err);

	if (r == 0)
		r = spec_make(row, config, &parts, &spec, err);
	if (r == 0)
		r = container_process_need(store, row, &pidfd, err);
	if (r == 0)
		r = container_cgroup(store, row, &cgroup, err);
	if (r > 0)
		r = cgroup_is_frozen(cgroup, err);
	if (r > 0)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "it is paused: 'img unpause %s' first",
				   row->name);
	if (r < 0)
		return r;
	/* Of another container's that it joined there is no record. */
	if (!userns_is_own(&spec.users))
		r = spaces_users_of(pidfd, &spec.users, NULL, err);
	if (r < 0)
		return r;
	spec.cache_dir = store_run(store);
	if (o->config.privileged) {
		spec.capabilities = CAPABILITY_ALL;
		spec.syscalls = SYSCALL_FILTER_NONE;
	}
	r = id_new(&exec.id, err);
	if (r == 0)
		r = container_enter(&spec, pidfd, cgroup, &container, err);
	*ret_status = container.exit_status;
	if (r < 0)
		return r;
	if (detach)
		detach_report(detach, container.pid, 0, err);
	exec.labels = json_object_get(config, "Labels");
	event_write_exec_start(store, row, &exec);
	r = container_wait(&container, ret_status, err);
	event_write_exec_die(store, row, &exec, *ret_status);
	return r < 0 ? r : *ret_status;
}

struct wish {
	const struct options *options;
	char **argv;
};

static int enter_in(struct store *store, struct detach *detach, void *self,
		    struct img_err *err)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	const struct wish *wish = self;
	int r = container_find(store, wish->argv[0], &row, err);

	if (r == 0)
		r = detach_streams(err);
	return r < 0 ? r
		     : enter(store, &row, wish->options, wish->argv + 1, detach,
			     &detach->exit_status, err);
}

static int enter_background(const struct cli *cli, const struct options *o,
			    char **argv, int *ret_status, struct img_err *err)
{
	struct wish wish = { .options = o, .argv = argv };
	struct background background = { .cli = cli,
					 .fn = enter_in,
					 .self = &wish };
	int r = background_start(&background, err);

	*ret_status = background.exit_status;
	return r;
}

static int enter_here(const struct cli *cli, const struct options *o,
		      char **argv, int *ret_status, struct img_err *err)
{
	img_auto(store_close) struct store *store = NULL;
	img_auto(container_row_release) struct container_row row = { 0 };
	int r;

	if (o->config.tty && o->config.interactive && !isatty(STDIN_FILENO))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "-i -t: standard input is not a terminal");
	r = cli_open_container(cli, argv[0], &store, &row, err);
	return r < 0 ? r
		     : enter(store, &row, o, argv + 1, NULL, ret_status, err);
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	int status = 125;
	int r = o->detach ? enter_background(cli, o, argv, &status, err)
			  : enter_here(cli, o, argv, &status, err);

	r = launch_blame(r, status, err);
	return r < 0 ? img_err_prefix(err, "cannot run a command in %s",
				      argv[0])
		     : r;
}

const struct verb verb_exec = {
	.name = "exec",
	.arguments = "CONTAINER COMMAND [ARGUMENT...]",
	.summary = "Run one more command in a container that runs",
	.description =
		"With the container's environment, user, capabilities and "
		"system calls, unless options\nsay otherwise. It is killed "
		"with the container, and with this command, unless\nthat left "
		"it in the background (-d). Exits with the command's status.",
	.options = VERB_OPTIONS_THEN_COMMAND(rows),
	.values_size = sizeof(struct options),
	.min_args = 2,
	.max_args = -1,
	.usage_status = 125,
	.run = run,
};
