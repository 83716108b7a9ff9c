#include "cli/launch.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "cli/snapshots.h"
#include "image/config.h"
#include "runtime/capability.h"
#include "runtime/container.h"
#include "runtime/detach.h"
#include "runtime/syscall_filter.h"
#include "storage/capacity.h"

#include <fcntl.h>
#include <string.h>

/* Who is done sooner does not fill a tenth of the pool. */
#define GUARD_FIRST_MS 200

/* What a spec borrows. */
struct parts {
	json_t *config;
	char **argv, **env, **bind_texts;
	char **security;
	const char *syscalls;
	uint64_t capabilities;
	bool privileged, no_new_privileges;
	struct bind_text *owned;
	struct bind_mount *binds;
	size_t n_binds;
	char node[VOLUME_NODE_MAX];
};

static void parts_release(struct parts *p)
{
	json_release(&p->config);
	image_config_strings_free(&p->argv);
	image_config_strings_free(&p->env);
	image_config_strings_free(&p->bind_texts);
	image_config_strings_free(&p->security);
	for (size_t i = 0; i < p->n_binds; i++)
		bind_text_release(&p->owned[i]);
	img_mem_release(&p->owned);
	img_mem_release(&p->binds);
}

static size_t count(char *const *strings)
{
	size_t n = 0;

	while (strings[n])
		n++;
	return n;
}

/* Entrypoint, then Cmd. */
static void set_argv(struct parts *p)
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

static int set_binds(struct parts *p, struct img_err *err)
{
	size_t n;

	p->bind_texts = image_config_strings(
		json_object_get(p->config, "HostConfig"), "Binds");
	n = count(p->bind_texts);
	p->owned = mem_zalloc((n + 1) * sizeof(*p->owned));
	p->binds = mem_zalloc((n + 1) * sizeof(*p->binds));
	for (; p->n_binds < n; p->n_binds++) {
		struct bind_text *own = &p->owned[p->n_binds];
		int r = bind_parse(p->bind_texts[p->n_binds], own, err);

		if (r < 0)
			return r;
		p->binds[p->n_binds] = (struct bind_mount){
			.source = own->source,
			.target = own->target,
			.read_only = own->read_only,
		};
	}
	return 0;
}

static int set_power(struct parts *p, struct img_err *err)
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

static int make_spec(const struct container_row *row, struct parts *p,
		     struct container_spec *spec, struct img_err *err)
{
	int r = image_config_parse(row->config, &p->config, err);

	if (r == 0)
		r = set_binds(p, err);
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
	*spec = (struct container_spec){
		.id = row->id.hex,
		.hostname = image_config_string(p->config, "Hostname"),
		.root_device = p->node,
		/* What is removed at its end has no state that a power cut
		 * could spoil: its writes need no order on the disk. */
		.root_options = row->auto_remove ? "nobarrier" : NULL,
		.argv = p->argv,
		.env = p->env,
		.cwd = image_config_string(p->config, "WorkingDir"),
		.user = image_config_string(p->config, "User"),
		.binds = p->binds,
		.n_binds = p->n_binds,
		.capabilities = p->capabilities,
		.privileged = p->privileged,
		.syscalls = p->syscalls,
		.no_new_privileges = p->no_new_privileges,
		.tty = json_is_true(json_object_get(p->config, "Tty")),
		.interactive =
			json_is_true(json_object_get(p->config, "OpenStdin")),
	};
	return 0;
}

/* For those who ask which process it is; the truth is in the kernel. */
static void write_pid(const char *path, pid_t pid)
{
	img_auto(img_fd_release) int fd = -1;
	char text[24];
	int len = snprintf(text, sizeof(text), "%d\n", (int)pid);

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd >= 0)
		IMG_IGNORE(write(fd, text, (size_t)len)); /* only a hint */
}

/* While a container writes, the pool is kept from filling up.  What fails is
 * tried again at the next event, and told by the next command. */
static void guard_pool(struct container_watch *watch)
{
	struct img_err dropped = { 0 };

	IMG_IGNORE(capacity_guard(watch->self, &watch->fd, &dropped));
}

static int run_command(struct store *store, const struct container_row *row,
		       const struct container_spec *spec, struct detach *detach,
		       int *ret_status, bool *ret_started, struct img_err *err)
{
	img_auto(img_mem_release) char *pid_path =
		container_pid_path(store, row);
	struct container container = { .exit_status = *ret_status };
	struct container_watch watch = { .fd = -1,
					 .first_ms = GUARD_FIRST_MS,
					 .fn = guard_pool,
					 .self = store };
	int r = container_start(spec, &container, err);

	*ret_started = r == 0;
	if (r < 0) {
		*ret_status = container.exit_status;
		return r;
	}
	write_pid(pid_path, container.pid);
	if (detach)
		detach_report(detach, container.pid, 0, err);
	container.watch = &watch;
	r = container_wait(&container, ret_status, err);
	img_fd_release(&watch.fd);
	(void)unlink(pid_path); /* gone with the container at the latest */
	return r;
}

int launch(struct store *store, const struct container_row *row,
	   struct volume_pending *pending, struct detach *detach,
	   int *ret_status, bool *ret_started, struct img_err *err)
{
	img_auto(parts_release) struct parts p = { 0 };
	struct container_spec spec;
	int r;

	*ret_status = 125;
	*ret_started = false;
	r = make_spec(row, &p, &spec, err);
	spec.cache_dir = store_run(store);
	if (r == 0)
		r = volume_activate(store, &pending->volume, p.node, err);
	if (r == 0)
		r = run_command(store, row, &spec, detach, ret_status,
				ret_started, err);
	if (r < 0)
		r = capacity_explain(store, err);
	if (r < 0 && detach && !*ret_started)
		detach_report(detach, 0, *ret_status, err);
	return r;
}

static int end_rows(struct store *store, const struct container_row *row,
		    struct volume_pending *pending, int status,
		    struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store_db(store), false, err);

	if (r < 0)
		return r;
	txn = store_db(store);
	r = container_set_finished(store, row, status, err);
	if (r == 0)
		r = volume_settle(pending, err);
	return r < 0 ? r : db_commit(store_db(store), err);
}

static int remove_rows(struct store *store, const struct container_row *row,
		       struct volume_pending *pending,
		       struct snapshots_gone *snapshots, struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store_db(store), false, err);

	if (r < 0)
		return r;
	txn = store_db(store);
	r = snapshots_begin_delete(store, row, snapshots, err);
	if (r == 0)
		r = container_delete(store, row, err);
	if (r == 0)
		r = volume_turn_delete(pending, err);
	if (r == 0)
		r = db_commit(store_db(store), err);
	if (r < 0) {
		db_rollback(store_db(store));
		snapshots_gone_release(snapshots);
	}
	return r;
}

int launch_end(struct store *store, const struct container_row *row,
	       struct volume_pending *pending, int status, bool remove,
	       struct img_err *err)
{
	img_auto(
		snapshots_gone_release) struct snapshots_gone snapshots = { 0 };
	struct img_err dropped = { 0 }; /* a log nobody asks for */
	int r;

	if (!remove) {
		r = volume_deactivate(store, &pending->volume, err);
		if (r == 0)
			r = end_rows(store, row, pending, status, err);
		if (r == 0)
			volume_keep(pending);
		return r;
	}
	/* While there is a row: else nobody would know whose it was. */
	IMG_IGNORE(container_files_remove(store, row, &dropped));
	r = remove_rows(store, row, pending, &snapshots, err);
	if (r == 0)
		r = snapshots_finish_delete(&snapshots, err);
	return r < 0 ? r : volume_finish_delete(pending, err);
}
