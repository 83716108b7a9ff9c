#include "cli/start.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "cli/each.h"
#include "cli/launch.h"
#include "cli/verb.h"
#include "image/config.h"
#include "storage/resize.h"

struct options {
	bool attach, interactive, no_sig_proxy;
	const char *detach_keys;
};

static const struct option_row rows[] = {
	{ 'a', "attach", NULL, "stay, with its output, until it ends",
	  OPTION_FLAG, offsetof(struct options, attach) },
	{ 0, "detach-keys", "KEYS",
	  "leave it in the background, with -ai [ctrl-p,ctrl-q]", OPTION_TEXT,
	  offsetof(struct options, detach_keys) },
	{ 'i', "interactive", NULL, "attach standard input as well",
	  OPTION_FLAG, offsetof(struct options, interactive) },
	{ 0, "sig-proxy", NULL,
	  "pass signals on; with =false it lives on when this ends",
	  OPTION_UNLESS, offsetof(struct options, no_sig_proxy) },
};

struct holding {
	struct store *store;
	struct container_row *row;
	struct volume_pending *pending;
};

static int hold(void *self, struct img_err *err)
{
	const struct holding *holding = self;
	struct store *store = holding->store;
	struct container_row *row = holding->row;
	struct volume_pending *pending = holding->pending;
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store_db(store), false, err);

	if (r < 0)
		return r;
	txn = store_db(store);
	/* A rollback may have come in between: then it is that state's start. */
	r = container_reread_volume(store, row, err);
	if (r == 0)
		r = volume_begin_run(store, &row->volume, pending, err);
	if (r == 0)
		r = container_set_started(store, row, err);
	if (r == 0)
		r = db_commit(store_db(store), err);
	if (r < 0 && pending->store) {
		db_rollback(store_db(store));
		volume_keep(pending);
	}
	return r;
}

/* Returns the command's status, or <0. */
static int run_again(struct store *store, struct container_row *row,
		     struct detach *detach, struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending pending = { 0 };
	struct img_err end_err = { 0 }, small = { 0 };
	struct holding holding = { store, row, &pending };
	bool started = false;
	int status = 125;
	int r = volume_when_free(store, row->volume.id, hold, &holding, err);

	if (r < 0)
		return r;
	if (resize_fill(store, &pending, &small) < 0)
		(void)fprintf(stderr,
			      "img: warning: %s; %s has its former size\n",
			      small.msg, row->name);
	r = launch(store, row, &pending, detach, &status, &started, err);
	if (launch_end(store, row, &pending, status, row->auto_remove,
		       &end_err) < 0 &&
	    r == 0) {
		*err = end_err;
		r = -(int)err->code;
	}
	return r < 0 ? r : status;
}

static int start_in(struct store *store, struct detach *detach, void *self,
		    struct img_err *err)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	int r = container_find(store, self, &row, err);

	return r < 0 ? r : run_again(store, &row, detach, err);
}

int start_background(const struct cli *cli, const char *ref,
		     struct attach_options *attach, struct img_err *err)
{
	img_auto(img_mem_release) char *self = mem_strdup(ref);
	struct background background = { .cli = cli,
					 .fn = start_in,
					 .self = self,
					 .ref = self,
					 .attach = attach };

	return background_start(&background, err);
}

/* What a container was made with. */
struct streams {
	bool tty, input;
};

/* 1 when it runs already: then there is nothing to do, as docker has it. */
static int look(const struct cli *cli, const char *ref, struct streams *ret,
		struct img_err *err)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	img_auto(store_close) struct store *store = NULL;
	img_auto(json_release) json_t *config = NULL;
	int r = cli_open_container(cli, ref, &store, &row, err);

	if (r == 0)
		r = image_config_parse(row.config, &config, err);
	ret->tty = r == 0 && json_is_true(json_object_get(config, "Tty"));
	ret->input =
		r == 0 && json_is_true(json_object_get(config, "OpenStdin"));
	return r < 0 ? r : container_is_running(store, &row, err);
}

/* As this process's child. */
static int start_here(const struct cli *cli, const char *ref, bool interactive,
		      struct img_err *err)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	img_auto(store_close) struct store *store = NULL;
	img_auto(json_release) json_t *config = NULL;
	int r = cli_open_container(cli, ref, &store, &row, err);

	if (r == 0)
		r = image_config_parse(row.config, &config, err);
	if (r < 0)
		return r;
	/* Standard input goes in only when both sides want it. */
	if (!interactive) {
		(void)json_object_set_new(config, "OpenStdin", json_false());
		img_mem_release(&row.config);
		row.config = image_config_text(config);
	}
	return run_again(store, &row, NULL, err);
}

static int start_attached(const struct cli *cli, const char *ref,
			  const struct options *o, struct img_err *err)
{
	struct attach_options attach;
	struct streams has;
	bool at_terminal;
	int r = background_attach_options(o->detach_keys, !o->no_sig_proxy,
					  &attach, err);

	if (r == 0)
		r = look(cli, ref, &has, err);
	if (r > 0)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "it runs already: attach to it");
	if (r < 0)
		return r;
	attach.tty = has.tty;
	attach.with_stdin = has.input && o->interactive;
	at_terminal = attach.with_stdin && has.tty && isatty(STDIN_FILENO);
	if (!at_terminal) /* keys are typed at one */
		attach.n_detach_keys = 0;
	if (at_terminal || o->no_sig_proxy)
		return start_background(cli, ref, &attach, err);
	return start_here(cli, ref, o->interactive, err);
}

static int start_one(const struct each *each, const char *ref,
		     struct img_err *err)
{
	struct streams has;
	int r = look(each->cli, ref, &has, err);

	if (r == 0)
		r = start_background(each->cli, ref, NULL, err);
	if (r >= 0)
		(void)printf("%s\n", ref);
	return r;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	struct each each = { .doing = "start", .fn = start_one };
	int r;

	if (!o->attach && !o->interactive)
		return each_name(cli, &each, argc, argv, err);
	if (argc > 1)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "only one container can be attached");
	r = start_attached(cli, argv[0], o, err);
	return r < 0 ? img_err_prefix(err, "cannot start %s", argv[0]) : r;
}

const struct verb verb_start = {
	.name = "start",
	.arguments = "CONTAINER [CONTAINER...]",
	.summary = "Run a stopped container's command again",
	.description =
		"In the background, unless attached: output then goes to the "
		"container's log,\nand input comes from who attaches, where it "
		"was made with -i. Starting one that runs\ndoes nothing.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
