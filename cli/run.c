#include "base/cleanup.h"
#include "base/str.h"
#include "cli/clock.h"
#include "cli/launch.h"
#include "cli/verb.h"
#include "image/config.h"
#include "image/image.h"
#include "runtime/bind.h"
#include "runtime/detach.h"

#include <string.h>

struct options {
	const char *name, *workdir, *user, *hostname, *entrypoint;
	struct text_list env, volumes;
	bool interactive, tty, remove, detach;
};

static const struct option_row rows[] = {
	{ 'd', "detach", NULL, "run in the background and print the id",
	  OPTION_FLAG, offsetof(struct options, detach) },
	{ 0, "entrypoint", "COMMAND",
	  "instead of the image's; also drops its "
	  "CMD",
	  OPTION_TEXT, offsetof(struct options, entrypoint) },
	{ 'e', "env", "NAME[=VALUE]",
	  "set a variable; without value, as it is here", OPTION_LIST,
	  offsetof(struct options, env) },
	{ 'h', "hostname", "NAME", "host name [first 12 digits of the id]",
	  OPTION_TEXT, offsetof(struct options, hostname) },
	{ 'i', "interactive", NULL, "keep standard input open", OPTION_FLAG,
	  offsetof(struct options, interactive) },
	{ 0, "name", "NAME", "name of the container [made up]", OPTION_TEXT,
	  offsetof(struct options, name) },
	{ 0, "rm", NULL, "remove the container when it ends", OPTION_FLAG,
	  offsetof(struct options, remove) },
	{ 't', "tty", NULL, "give it a terminal", OPTION_FLAG,
	  offsetof(struct options, tty) },
	{ 'u', "user", "USER[:GROUP]", "names of the image, or numbers",
	  OPTION_TEXT, offsetof(struct options, user) },
	{ 'v', "volume", "SRC:DST[:ro]",
	  "show a file or directory of the host in it", OPTION_LIST,
	  offsetof(struct options, volumes) },
	{ 'w', "workdir", "DIR", "working directory", OPTION_TEXT,
	  offsetof(struct options, workdir) },
};

static json_t *string_array(const char *const *text, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(array, json_string(text[i]));
	return array;
}

/* A string of the command line becomes JSON, which is UTF-8 only. */
static int put(json_t *object, const char *key, const char *text,
	       struct img_err *err)
{
	if (text && json_object_set_new(object, key, json_string(text)) < 0)
		return img_err_set(err, IMG_E_INPUT, 0, "%s is not UTF-8", key);
	return 0;
}

static int put_array(json_t *object, const char *key, const char *const *text,
		     size_t n, struct img_err *err)
{
	json_t *array = string_array(text, n);

	if (json_array_size(array) != n) {
		json_decref(array);
		return img_err_set(err, IMG_E_INPUT, 0, "%s is not UTF-8", key);
	}
	(void)json_object_set_new(object, key, array);
	return 0;
}

/* Later ones replace earlier ones when the command starts. */
static int put_env(json_t *config, const struct text_list *list,
		   struct img_err *err)
{
	json_t *env = json_object_get(config, "Env");

	if (!json_is_array(env)) {
		env = json_array();
		(void)json_object_set_new(config, "Env", env);
	}
	for (size_t i = 0; i < list->n; i++) {
		const char *text = list->text[i];
		img_auto(img_mem_release) char *entry = NULL;

		if (!text[0] || text[0] == '=')
			return img_err_set(err, IMG_E_INPUT, 0,
					   "--env '%s' has no name", text);
		if (!strchr(text, '=')) {
			const char *here = getenv(text);

			if (!here)
				continue;
			entry = mem_printf("%s=%s", text, here);
			text = entry;
		}
		if (json_array_append_new(env, json_string(text)) < 0)
			return img_err_set(err, IMG_E_INPUT, 0,
					   "--env '%s' is not UTF-8", text);
	}
	return 0;
}

/* Checked now, and made absolute: a later start may be elsewhere. */
static int put_binds(json_t *config, const struct text_list *list,
		     struct img_err *err)
{
	json_t *binds = json_array();
	json_t *host = json_object();

	(void)json_object_set_new(host, "Binds", binds);
	(void)json_object_set_new(config, "HostConfig", host);
	for (size_t i = 0; i < list->n; i++) {
		img_auto(bind_text_release) struct bind_text bind = { 0 };
		img_auto(img_mem_release) char *text = NULL;
		int r = bind_parse(list->text[i], &bind, err);

		if (r < 0)
			return r;
		text = mem_printf("%s:%s%s", bind.source, bind.target,
				  bind.read_only ? ":ro" : "");
		if (json_array_append_new(binds, json_string(text)) < 0)
			return img_err_set(err, IMG_E_INPUT, 0,
					   "--volume '%s' is not UTF-8",
					   list->text[i]);
	}
	return 0;
}

static int put_command(json_t *config, const struct options *o, int argc,
		       char **argv, struct img_err *err)
{
	const char *const *command = (const char *const *)argv;

	if (o->entrypoint) {
		size_t n = o->entrypoint[0] ? 1 : 0; /* "" resets it */
		int r = put_array(config, "Entrypoint", &o->entrypoint, n, err);

		if (r < 0)
			return r;
		(void)json_object_del(config, "Cmd"); /* may be absent */
	}
	return argc ? put_array(config, "Cmd", command, (size_t)argc, err) : 0;
}

static int make_config(const struct image *image, const struct options *o,
		       int argc, char **argv, char **ret, struct img_err *err)
{
	img_auto(json_release) json_t *config = NULL;
	int r = image_config_parse(image->config, &config, err);

	if (r == 0)
		r = put_command(config, o, argc, argv, err);
	if (r == 0)
		r = put_env(config, &o->env, err);
	if (r == 0)
		r = put_binds(config, &o->volumes, err);
	if (r == 0)
		r = put(config, "WorkingDir", o->workdir, err);
	if (r == 0)
		r = put(config, "User", o->user, err);
	if (r == 0)
		r = put(config, "Hostname", o->hostname, err);
	if (r < 0)
		return r;
	(void)json_object_set_new(config, "Tty", json_boolean(o->tty));
	(void)json_object_set_new(config, "OpenStdin",
				  json_boolean(o->interactive));
	*ret = image_config_text(config);
	return 0;
}

static int set_name(struct store *store, const struct options *o,
		    struct container_row *row, struct img_err *err)
{
	if (!o->name)
		return container_name_invent(store, row->name, err);
	(void)snprintf(row->name, sizeof(row->name), "%s", o->name);
	return 0;
}

/* The container's row and its volume, held by us as running. */
static int create(struct store *store, const struct image *image,
		  const struct options *o, struct container_row *row,
		  struct volume_pending *pending, struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = set_name(store, o, row, err);

	if (r == 0)
		r = volume_snapshot(store, &image->volume, pending, err);
	if (r == 0)
		r = db_begin(store_db(store), false, err);
	if (r < 0)
		return r;
	txn = store_db(store);
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

/* The log is in a directory that only a container with a row may have. */
static int begin_log(struct store *store, const struct container_row *row,
		     struct img_err *err)
{
	img_auto(img_mem_release) char *log = NULL;
	int r = container_log(store, row, &log, err);

	return r < 0 ? r : detach_log(log, err);
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
		r = make_config(&image, o, argc - 1, argv + 1, &row->config,
				err);
	if (r == 0) {
		row->image_name = mem_strdup(argv[0]);
		r = create(store, &image, o, row, &pending, err);
	}
	if (r < 0) {
		if (detach)
			detach_report(detach, 0, status, err);
		return r;
	}
	if (detach)
		r = begin_log(store, row, err);
	if (r < 0)
		detach_report(detach, 0, status, err);
	else
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
	int r = detach_fork(NULL, &detach, err);

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
	if (r < 0) {
		detach_report(&detach, 0, 125, err);
		return r;
	}
	return run_in(store, o, argc, argv, row, &detach, err);
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(container_row_release) struct container_row row = { 0 };
	img_auto(store_close) struct store *store = NULL;
	int r = o->name ? container_name_check(o->name, err) : 0;

	if (r == 0 && o->tty && o->interactive && !o->detach &&
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
		"processes, mounts, host name, IPC, network\n(the loopback "
		"device only) and cgroup view. Exits with the command's "
		"status.",
	.options = VERB_OPTIONS_THEN_COMMAND(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = -1,
	.fail_status = 125,
	.run = run,
};
