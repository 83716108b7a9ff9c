#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/clock.h"
#include "cli/launch.h"
#include "cli/run_config.h"
#include "cli/verb.h"
#include "image/image.h"
#include "runtime/detach.h"
#include "storage/resize.h"

struct options {
	const char *name;
	uint64_t size_bytes;
	bool remove, detach;
	struct run_config config;
};

static const struct option_row rows[] = {
	ISOLATION_ROWS(offsetof(struct options, config.isolation)),
	LIMIT_OPTION_ROWS(struct options, config.limits),
	LIMIT_RUN_OPTION_ROWS(struct options, config.limits_run),
	{ 0, "cap-add", "CAPABILITY", "keep one more, or ALL", OPTION_LIST,
	  offsetof(struct options, config.cap_add) },
	{ 0, "cap-drop", "CAPABILITY", "keep one less, or none with ALL",
	  OPTION_LIST, offsetof(struct options, config.cap_drop) },
	{ 'd', "detach", NULL, "run in the background and print the id",
	  OPTION_FLAG, offsetof(struct options, detach) },
	{ 0, "entrypoint", "COMMAND",
	  "instead of the image's; also drops its "
	  "CMD",
	  OPTION_TEXT, offsetof(struct options, config.entrypoint) },
	{ 'e', "env", "NAME[=VALUE]",
	  "set a variable; without value, as it is here", OPTION_LIST,
	  offsetof(struct options, config.env) },
	{ 'i', "interactive", NULL, "keep standard input open", OPTION_FLAG,
	  offsetof(struct options, config.interactive) },
	{ 0, "log-driver", "DRIVER",
	  "json-file or none: what it says in the background", OPTION_TEXT,
	  offsetof(struct options, config.log_driver) },
	{ 0, "log-opt", "NAME=VALUE",
	  "max-size=SIZE of a file of its log [10m], max-file=NUMBER [3]",
	  OPTION_LIST, offsetof(struct options, config.log_options) },
	{ 0, "name", "NAME", "name of the container [made up]", OPTION_TEXT,
	  offsetof(struct options, name) },
	{ 0, "privileged", NULL,
	  "all capabilities, all devices, nothing hidden", OPTION_FLAG,
	  offsetof(struct options, config.privileged) },
	{ 0, "rm", NULL, "remove the container when it ends", OPTION_FLAG,
	  offsetof(struct options, remove) },
	{ 0, "security-opt", "OPTION",
	  "seccomp=FILE, seccomp=unconfined, no-new-privileges", OPTION_LIST,
	  offsetof(struct options, config.security) },
	{ 0, "size", "SIZE", "size of its file system [the image's]",
	  OPTION_SIZE, offsetof(struct options, size_bytes) },
	{ 't', "tty", NULL, "give it a terminal", OPTION_FLAG,
	  offsetof(struct options, config.tty) },
	{ 'u', "user", "USER[:GROUP]", "names of the image, or numbers",
	  OPTION_TEXT, offsetof(struct options, config.user) },
	{ 0, "userns", "MODE",
	  "user ids: private (its own, the default) or host", OPTION_TEXT,
	  offsetof(struct options, config.userns) },
	{ 'w', "workdir", "DIR", "working directory", OPTION_TEXT,
	  offsetof(struct options, config.workdir) },
};

static int set_name(struct store *store, const struct options *o,
		    struct container_row *row, struct img_err *err)
{
	if (!o->name)
		return container_name_invent(store, row->name, err);
	(void)snprintf(row->name, sizeof(row->name), "%s", o->name);
	return 0;
}

/* Its volume, of the image's size or larger. */
static int snapshot(struct store *store, const struct image *image,
		    const struct options *o, struct volume_pending *pending,
		    struct img_err *err)
{
	uint64_t has = image->volume.size_bytes, size = o->size_bytes;
	char wanted[SIZE_TEXT_MAX], least[SIZE_TEXT_MAX];

	if (size > VOLUME_BYTES_MAX)
		return img_err_set(
			err, IMG_E_INPUT, 0,
			"--size: a volume cannot be larger than 16T");
	size = num_align_up(size, VOLUME_BYTES_STEP);
	if (size && size < has)
		return img_err_set(
			err, IMG_E_INPUT, 0,
			"--size %s is less than the %s of the "
			"image: a file system cannot be made smaller",
			num_format_size(size, wanted),
			num_format_size(has, least));
	return volume_snapshot_larger(store, &image->volume,
				      size == has ? 0 : size, pending, err);
}

/* The container's row and its volume, held by us as running. */
static int create(struct store *store, const struct image *image,
		  const struct options *o, struct container_row *row,
		  struct volume_pending *pending, struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = snapshot(store, image, o, pending, err);

	if (r == 0)
		r = db_begin(store_db(store), false, err);
	if (r < 0)
		return r;
	txn = store_db(store);
	/* Within the transaction: what is free now stays so until the insert. */
	r = set_name(store, o, row, err);
	if (r < 0)
		return r;
	row->volume = pending->volume;
	row->image = image->id;
	row->auto_remove = o->remove;
	row->created_ns = row->started_ns = clock_now_ns();
	r = container_insert(store, row, err);
	if (r == -IMG_E_EXISTS) {
		*err = (struct img_err){ 0 };
		return img_err_set(err, IMG_E_EXISTS, 0,
				   "the container name '%s' is taken: remove "
				   "that container ('img rm %s'), or start it "
				   "('img start %s')",
				   row->name, row->name, row->name);
	}
	if (r == 0)
		r = volume_settle_running(pending, err);
	if (r == 0)
		r = db_commit(store_db(store), err);
	if (r == 0)
		volume_keep_running(pending);
	return r;
}

static int run_in(struct store *store, const struct options *o, int argc,
		  char **argv, struct container_row *row, struct detach *detach,
		  struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending pending = { 0 };
	img_auto(image_release) struct image image = { 0 };
	struct img_err end_err = { 0 };
	bool started = false;
	int status = 125, r;

	r = image_find(store, argv[0], &image, err);
	if (r == 0)
		r = run_config_make(image.config, &o->config, argv + 1,
				    &row->config, err);
	if (r == 0) {
		row->image_name = mem_strdup(argv[0]);
		r = space_option_resolve(store, &row->config, err);
	}
	if (r == 0) {
		r = create(store, &image, o, row, &pending, err);
	}
	if (r < 0) {
		if (detach)
			detach_report(detach, 0, status, err);
		return r;
	}
	r = resize_fill(store, &pending, err);
	if (r < 0 && detach)
		detach_report(detach, 0, status, err);
	else if (r == 0)
		r = launch(store, row, &pending, detach, &status, &started,
			   err);
	/* What never ran is not kept: there is nothing in it. */
	if (launch_end(store, row, &pending, status, o->remove || !started,
		       &end_err) < 0 &&
	    r == 0) {
		*err = end_err;
		r = -(int)err->code;
	}
	if (r < 0 && !started && status != 125) {
		(void)fprintf(stderr, "img: %s\n", err->msg);
		return status;
	}
	return r < 0 ? r : status;
}

static int run_detached(const struct cli *cli, const struct options *o,
			int argc, char **argv, struct container_row *row,
			struct img_err *err)
{
	img_auto(store_close) struct store *store = NULL;
	struct detach detach = { 0 };
	int r = detach_fork(&detach, err);

	if (!detach.is_monitor) {
		if (r == 0) {
			(void)printf("%s\n", row->id.hex);
			return 0;
		}
		if (detach.exit_status == 126 || detach.exit_status == 127) {
			(void)fprintf(stderr, "img: %s\n", err->msg);
			return detach.exit_status;
		}
		return r;
	}
	r = cli_open_store(cli, false, &store, err);
	if (r < 0)
		detach_report(&detach, 0, 125, err);
	else
		r = run_in(store, o, argc, argv, row, &detach, err);
	/* What failed was reported, and the command says it. */
	store_close(&store);
	exit(r < 0 ? 125 : 0);
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(container_row_release) struct container_row row = { 0 };
	img_auto(store_close) struct store *store = NULL;
	int r = o->name ? container_name_check(o->name, err) : 0;

	if (r == 0 && o->config.tty && o->config.interactive && !o->detach &&
	    !isatty(STDIN_FILENO))
		r = img_err_set(err, IMG_E_INPUT, 0,
				"-i -t: standard input is not a terminal");
	if (r == 0)
		r = id_new(&row.id, err);
	if (r == 0 && o->detach)
		return run_detached(cli, o, argc, argv, &row, err);
	if (r == 0)
		r = cli_open_store(cli, false, &store, err);
	return r < 0 ? r : run_in(store, o, argc, argv, &row, NULL, err);
}

const struct verb verb_run = {
	.name = "run",
	.arguments = "IMAGE [COMMAND] [ARGUMENT...]",
	.summary = "Run a command in a new container",
	.description =
		"The container's root is a snapshot of the image, mounted in "
		"the container's own\nmount namespace alone. It has its own "
		"user ids, processes, mounts, host name, IPC,\nnetwork (the "
		"loopback device only) and cgroup view. Exits with the "
		"command's status.\n\nIts root is nobody on the host: user "
		"ids 0 to 65535 are a range that no other\ncontainer has. "
		"--userns host, and --privileged, give it the host's own.",
	.options = VERB_OPTIONS_THEN_COMMAND(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = -1,
	.fail_status = 125,
	.run = run,
};
