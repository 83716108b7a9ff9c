#include "cli/launch.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "cli/clock.h"
#include "cli/event.h"
#include "cli/launch_volumes.h"
#include "cli/name_files.h"
#include "cli/space_option.h"
#include "cli/spec.h"
#include "cli/verb.h"
#include "runtime/container.h"
#include "runtime/detach.h"
#include "runtime/monitor.h"
#include "storage/capacity.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

/* Who is done sooner does not fill a tenth of the pool. */
#define GUARD_FIRST_MS 200

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

/* What is in the background has its log, and can be attached to. */
static int open_monitor(struct store *store, const struct container_row *row,
			const struct spec_parts *parts,
			const struct container_spec *spec,
			struct detach *detach, struct monitor **ret,
			struct img_err *err)
{
	img_auto(img_mem_release) char *log = NULL;
	img_auto(img_mem_release) char *socket =
		container_attach_path(store, row);
	struct monitor_options options = {
		.socket_path = socket,
		.tty = spec->tty,
		.interactive = spec->interactive,
		.stdin_once = json_is_true(
			json_object_get(parts->config, "StdinOnce")),
		.client = detach->client,
	};
	bool kept;
	int r = container_log_limits(parts->config, &kept, &options.limits,
				     err);

	if (r == 0 && kept)
		r = container_log(store, row, &log, err);
	options.log_path = log;
	return r < 0 ? r : monitor_open(&options, ret, err);
}

/* A stream that the command does not want: *ret_saved is what it was. */
static void close_stream(const json_t *config, const char *key, int fd,
			 int *ret_saved)
{
	img_auto(img_fd_release) int null = -1;

	if (!json_is_false(json_object_get(config, key)))
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	*ret_saved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (null < 0 || *ret_saved < 0 || dup2(null, fd) < 0)
		img_fd_release(ret_saved); /* it gets what it did not want */
}

static void open_stream(int *saved, int fd)
{
	if (*saved >= 0)
		(void)dup2(*saved, fd); /* was open: cannot fail */
	img_fd_release(saved);
}

static int start_command(const struct container_spec *spec,
			 const json_t *config, struct monitor *monitor,
			 struct container *container, struct img_err *err)
{
	struct img_err dropped = { 0 };
	int out = -1, error = -1, r;

	if (!monitor) {
		close_stream(config, "AttachStdout", STDOUT_FILENO, &out);
		close_stream(config, "AttachStderr", STDERR_FILENO, &error);
	}
	r = container_start(spec, container, err);
	open_stream(&out, STDOUT_FILENO);
	open_stream(&error, STDERR_FILENO);
	if (monitor) /* /dev/null, which is there */
		IMG_IGNORE(detach_streams(&dropped));
	return r;
}

/* For `inspect`, and for whoever wonders about a status of 137. */
static void note_oom(struct store *store, const struct container_row *row,
		     uint64_t n)
{
	struct img_err dropped = { 0 };

	(void)fprintf(stderr,
		      "img: container %s: out of memory: the kernel killed "
		      "%" PRIu64 " of its processes\n",
		      row->name, n);
	event_write(store, "oom", row);
	IMG_IGNORE(container_set_oom_killed(store, row, &dropped));
}

static int run_command(struct store *store, const struct container_row *row,
		       const struct container_spec *spec, const json_t *config,
		       struct monitor *monitor, struct detach *detach,
		       int *ret_status, bool *ret_started, struct img_err *err)
{
	img_auto(img_mem_release) char *pid_path =
		container_pid_path(store, row);
	struct container container = { .exit_status = *ret_status };
	int64_t started_ns;
	struct container_watch watch = { .fd = -1,
					 .first_ms = GUARD_FIRST_MS,
					 .fn = guard_pool,
					 .self = store };
	int r = start_command(spec, config, monitor, &container, err);

	*ret_started = r == 0;
	if (r < 0) {
		*ret_status = container.exit_status;
		return r;
	}
	write_pid(pid_path, container.pid);
	started_ns = clock_now_ns();
	event_write_start(store, row,
			  !monitor || (detach && detach->client >= 0));
	if (detach)
		detach_report(detach, container.pid, 0, err);
	if (!row->auto_remove) /* while it runs: nobody waits for that */
		container_note(store, row);
	container.watch = &watch;
	r = monitor ? monitor_wait(monitor, &container, ret_status, err)
		    : container_wait(&container, ret_status, err);
	img_fd_release(&watch.fd);
	(void)unlink(pid_path); /* gone with the container at the latest */
	event_write_die(store, row, *ret_status, started_ns);
	if (container.oom_kills > 0)
		note_oom(store, row, container.oom_kills);
	return r;
}

int launch(struct store *store, const struct container_row *row,
	   struct volume_pending *pending, struct detach *detach,
	   int *ret_status, bool *ret_started, struct img_err *err)
{
	img_auto(spec_parts_release) struct spec_parts p = { 0 };
	img_auto(monitor_close) struct monitor *monitor = NULL;
	img_auto(space_parts_release) struct space_parts spaces = { 0 };
	img_auto(launch_volumes_end) struct launch_volumes volumes = { 0 };
	struct container_spec spec;
	int r;

	*ret_status = 125;
	*ret_started = false;
	r = spec_make(row, NULL, &p, &spec, err);
	if (r == 0)
		r = space_spec_read(store, p.config, &spaces, &spec, err);
	if (r == 0)
		r = name_files_add(store, row, &p, &spec, err);
	spec.cache_dir = store_run(store);
	if (r == 0)
		r = volume_activate(store, &pending->volume, p.node, err);
	if (r == 0)
		r = launch_volumes_begin(store, row, &p, &spec, &volumes, err);
	if (r == 0 && detach)
		r = open_monitor(store, row, &p, &spec, detach, &monitor, err);
	if (r == 0)
		r = run_command(store, row, &spec, p.config, monitor, detach,
				ret_status, ret_started, err);
	if (r < 0)
		r = capacity_explain(store, err);
	if (r < 0 && detach)
		detach->exit_status = *ret_status;
	return r;
}

int launch_blame(int r, int status, const struct img_err *err)
{
	const bool command = status == 126 || status == 127;

	return r < 0 && command ? cli_complain(err, status) : r;
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

int launch_end(struct store *store, const struct container_row *row,
	       struct volume_pending *pending, int status, bool remove,
	       struct img_err *err)
{
	struct img_err dropped = { 0 }; /* another is told */
	int r;

	if (remove)
		return container_remove(store, row, pending, true, err);
	r = volume_deactivate(store, &pending->volume, err);
	if (r < 0) { /* somebody has it open; its end is known all the same */
		IMG_IGNORE(
			container_set_finished(store, row, status, &dropped));
		return r;
	}
	r = end_rows(store, row, pending, status, err);
	if (r == 0)
		volume_keep(pending);
	return r;
}
