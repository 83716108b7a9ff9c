#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/background.h"
#include "cli/clock.h"
#include "cli/container_volumes.h"
#include "cli/event.h"
#include "cli/launch.h"
#include "cli/run_config.h"
#include "cli/verb.h"
#include "image/image.h"
#include "storage/resize.h"

#include <string.h>

struct options {
	const char *name;
	uint64_t size_bytes;
	bool remove, detach, no_sig_proxy;
	const char *detach_keys;
	struct run_config config;
};

/* The first rows are of run alone, the others create's as well. */
#define RUN_ONLY 3

static const struct option_row rows[] = {
	{ 'd', "detach", NULL, "run in the background and print the id",
	  OPTION_FLAG, offsetof(struct options, detach) },
	{ 0, "detach-keys", "KEYS",
	  "leave it in the background, from -it [ctrl-p,ctrl-q]", OPTION_TEXT,
	  offsetof(struct options, detach_keys) },
	{ 0, "sig-proxy", NULL,
	  "pass signals on; with =false it lives on when this ends",
	  OPTION_UNLESS, offsetof(struct options, no_sig_proxy) },
	LIFE_ROWS(offsetof(struct options, config.life)),
	ISOLATION_ROWS(offsetof(struct options, config.isolation)),
	LIMIT_ROWS(offsetof(struct options, config.limits)),
	LIMIT_RUN_ROWS(offsetof(struct options, config.limits_run)),
	{ 0, "cap-add", "CAPABILITY", "keep one more, or ALL", OPTION_LIST,
	  offsetof(struct options, config.cap_add) },
	{ 0, "cap-drop", "CAPABILITY", "keep one less, or none with ALL",
	  OPTION_LIST, offsetof(struct options, config.cap_drop) },
	{ 0, "entrypoint", "COMMAND",
	  "instead of the image's; also drops its "
	  "CMD",
	  OPTION_TEXT, offsetof(struct options, config.entrypoint) },
	{ 'e', "env", "NAME[=VALUE]",
	  "set a variable; without value, as it is here", OPTION_LIST,
	  offsetof(struct options, config.env) },
	{ 'i', "interactive", NULL, "keep standard input open", OPTION_FLAG,
	  offsetof(struct options, config.interactive) },
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

/* What to do about a name that is taken. */
static int advise(const char *name, struct img_err *err)
{
	return img_err_hint(err,
			    ": remove that container ('img rm %s'), or start "
			    "it ('img start %s')",
			    name, name);
}

/* The container's row and its volume, held by us as running if so asked. */
static int create(struct store *store, const struct image *image,
		  const struct options *o, bool running,
		  struct container_row *row, struct volume_pending *pending,
		  struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = snapshot(store, image, o, pending, err);

	if (r == 0)
		r = db_begin(store_db(store), false, err);
	if (r < 0)
		return r;
	txn = store_db(store);
	/* Within the transaction: what is there, or free, now stays so until
	 * the insert. */
	r = image_check(store, image, err);
	if (r == 0)
		r = set_name(store, o, row, err);
	if (r < 0)
		return r;
	row->volume = pending->volume;
	row->image = image->id;
	row->auto_remove = o->remove;
	row->created_ns = clock_now_ns();
	row->started_ns = running ? row->created_ns : 0;
	r = container_insert(store, row, err);
	if (r == -IMG_E_EXISTS)
		return advise(row->name, err);
	if (r == 0)
		r = container_volumes_check(store, row, err);
	if (r == 0)
		r = running ? volume_settle_running(pending, err)
			    : volume_settle(pending, err);
	if (r == 0)
		r = db_commit(store_db(store), err);
	if (r == 0 && running)
		volume_keep_running(pending);
	else if (r == 0)
		volume_keep(pending);
	return r;
}

/* What a command line says of a container that is to be. */
struct wish {
	const struct options *options;
	char **argv;
	struct container_row row;
};

/* Before anything is made for it; the transaction that takes the name has the
 * last word. */
static int check_name(struct store *store, const char *name,
		      struct img_err *err)
{
	int r = name ? container_name_check_free(store, name, err) : 0;

	return r == -IMG_E_EXISTS ? advise(name, err) : r;
}

/* Its row and its volume. */
static int make(struct store *store, struct wish *wish, bool running,
		struct volume_pending *pending, struct img_err *err)
{
	img_auto(image_release) struct image image = { 0 };
	const char *cid_file = wish->options->config.life.cid_file;
	int r = image_find(store, wish->argv[0], &image, err);

	if (r == 0)
		r = run_config_make(image.config, &wish->options->config,
				    wish->argv + 1, &wish->row.config, err);
	if (r == 0)
		r = space_option_resolve(store, &wish->row.config, err);
	if (r == 0)
		r = check_name(store, wish->options->name, err);
	if (r == 0 && cid_file)
		r = life_write_id(cid_file, wish->row.id.hex, err);
	if (r < 0)
		return r;
	wish->row.image_name = mem_strdup(wish->argv[0]);
	r = container_volumes_resolve(store, &wish->row.config, err);
	if (r == 0)
		r = create(store, &image, wish->options, running, &wish->row,
			   pending, err);
	if (r < 0 && cid_file)
		(void)unlink(cid_file); /* was made just now */
	if (r < 0)
		container_volumes_drop(store, wish->row.config);
	if (r == 0)
		event_write(store, "create", &wish->row);
	return r;
}

/* From a wish to the end; @detach: in a monitor. */
static int run_in(struct store *store, struct detach *detach, void *self,
		  struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending pending = { 0 };
	struct wish *wish = self;
	const struct options *o = wish->options;
	struct img_err end_err = { 0 };
	bool started = false;
	int status = 125, r = make(store, wish, true, &pending, err);

	if (r < 0)
		return r;
	r = resize_fill(store, &pending, err);
	if (r == 0)
		r = launch(store, &wish->row, &pending, detach, &status,
			   &started, err);
	/* What never ran is not kept: there is nothing in it. */
	if (!started && o->config.life.cid_file)
		(void)unlink(o->config.life.cid_file);
	if (launch_end(store, &wish->row, &pending, status,
		       o->remove || !started, &end_err) < 0 &&
	    r == 0) {
		*err = end_err;
		r = -(int)err->code;
	}
	if (r < 0)
		return started || detach ? r : launch_blame(r, status, err);
	return status;
}

/* Whether a stream is among those of --attach; without any, all are. */
static bool has_stream(const struct options *o, const char *name)
{
	const struct text_list *attach = &o->config.life.attach;

	for (size_t i = 0; i < attach->n; i++)
		if (strcasecmp(attach->text[i], name) == 0)
			return true;
	return attach->n == 0;
}

/* In the foreground it is this process's child, and ends with it.  One that
 * has the user's terminal, or is not to feel his signals, is attached to
 * instead, so that it can be left. */
static int run_wish(const struct cli *cli, struct wish *wish,
		    struct img_err *err)
{
	const struct options *o = wish->options;
	img_auto(store_close) struct store *store = NULL;
	const bool at_terminal = o->config.tty && o->config.interactive;
	struct attach_options attach;
	struct background background = {
		.cli = cli, .fn = run_in, .self = wish, .ref = wish->row.id.hex
	};
	int r;

	if (o->detach || at_terminal || o->no_sig_proxy) {
		r = background_attach_options(o->detach_keys, !o->no_sig_proxy,
					      &attach, err);
		attach.with_stdin = o->config.interactive;
		attach.with_stdout = has_stream(o, "stdout");
		attach.with_stderr = has_stream(o, "stderr");
		attach.tty = o->config.tty;
		if (!at_terminal) /* keys are typed at one */
			attach.n_detach_keys = 0;
		if (r == 0 && !o->detach)
			background.attach = &attach;
		if (r == 0)
			r = background_start(&background, err);
		if (r == 0 && o->detach)
			(void)printf("%s\n", wish->row.id.hex);
		return launch_blame(r, background.exit_status, err);
	}
	r = cli_open_store(cli, false, &store, err);
	return r < 0 ? r : run_in(store, NULL, wish, err);
}

static int check(const struct options *o, struct img_err *err)
{
	const struct text_list *attach = &o->config.life.attach;

	if (o->detach && attach->n > 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--detach and --attach exclude each other");
	return o->name ? container_name_check(o->name, err) : 0;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	struct options *o = values;
	struct wish wish = { .options = o, .argv = argv };
	int r = check(o, err);

	if (r == 0 && o->config.tty && o->config.interactive && !o->detach &&
	    !isatty(STDIN_FILENO))
		r = img_err_set(err, IMG_E_INPUT, 0,
				"-i -t: standard input is not a terminal");
	o->config.stdin_once = o->config.interactive && !o->detach;
	if (!has_stream(o, "stdin"))
		o->config.interactive = false;
	if (r == 0)
		r = id_new(&wish.row.id, err);
	if (r == 0)
		r = run_wish(cli, &wish, err);
	container_row_release(&wish.row);
	return r;
}

static int run_create(const struct cli *cli, void *values, int argc,
		      char **argv, struct img_err *err)
{
	struct options *o = values;
	img_auto(store_close) struct store *store = NULL;
	img_auto(volume_pending_release) struct volume_pending pending = { 0 };
	struct wish wish = { .options = o, .argv = argv };
	int r = check(o, err);

	o->config.stdin_once = o->config.interactive;
	if (r == 0)
		r = id_new(&wish.row.id, err);
	if (r == 0)
		r = cli_open_store(cli, false, &store, err);
	if (r == 0)
		r = make(store, &wish, false, &pending, err);
	if (r == 0) {
		container_note(store, &wish.row);
		(void)printf("%s\n", wish.row.id.hex);
	}
	container_row_release(&wish.row);
	return r;
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

const struct verb verb_create = {
	.name = "create",
	.arguments = "IMAGE [COMMAND] [ARGUMENT...]",
	.summary = "Make a container that is to be started later",
	.description = "As run does, without running it. Prints its id.",
	.options = { rows + RUN_ONLY, IMG_COUNT(rows) - RUN_ONLY, true },
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = -1,
	.run = run_create,
};
