#include "base/cleanup.h"
#include "cli/background.h"
#include "cli/container_process.h"
#include "cli/event.h"
#include "image/config.h"

struct options {
	bool no_stdin, no_sig_proxy;
	const char *detach_keys;
};

static const struct option_row rows[] = {
	{ 0, "detach-keys", "KEYS", "leave by these [ctrl-p,ctrl-q]",
	  OPTION_TEXT, offsetof(struct options, detach_keys) },
	{ 0, "no-stdin", NULL, "only its output", OPTION_FLAG,
	  offsetof(struct options, no_stdin) },
	{ 0, "sig-proxy", NULL, "pass signals on, unless =false", OPTION_UNLESS,
	  offsetof(struct options, no_sig_proxy) },
};

static int read_config(const struct container_row *row, const struct options *o,
		       struct attach_options *ret, struct img_err *err)
{
	img_auto(json_release) json_t *config = NULL;
	int r = image_config_parse(row->config, &config, err);

	if (r < 0)
		return r;
	ret->tty = json_is_true(json_object_get(config, "Tty"));
	ret->with_stdin = !o->no_stdin &&
			  json_is_true(json_object_get(config, "OpenStdin"));
	/* Keys are typed at a terminal. */
	if (!ret->tty || !isatty(STDIN_FILENO))
		ret->n_detach_keys = 0;
	if (ret->tty && ret->with_stdin && !isatty(STDIN_FILENO))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "it has a terminal, and standard input is "
				   "none: --no-stdin shows its output");
	return 0;
}

static int connect_to(struct store *store, const struct container_row *row,
		      int *ret, struct img_err *err)
{
	img_auto(img_mem_release) char *path =
		container_attach_path(store, row);
	struct img_err missing = { 0 };
	int r = attach_connect(path, ret, &missing);

	if (r == -IMG_E_NOT_FOUND)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "it runs in the foreground of another "
				   "command, which has its streams");
	if (r < 0)
		*err = missing;
	return r;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(container_row_release) struct container_row row = { 0 };
	img_auto(store_close) struct store *store = NULL;
	img_auto(img_fd_release) int pidfd = -1;
	img_auto(img_fd_release) int socket = -1;
	struct attach_options attach;
	int r = background_attach_options(o->detach_keys, !o->no_sig_proxy,
					  &attach, err);

	if (r == 0)
		r = cli_open_container(cli, argv[0], &store, &row, err);
	if (r == 0)
		r = container_process_need(store, &row, &pidfd, err);
	if (r == 0)
		r = read_config(&row, o, &attach, err);
	if (r == 0)
		r = connect_to(store, &row, &socket, err);
	if (r == 0) {
		event_write(store, "attach", &row);
		/* Nobody waits for this command to let go of the store. */
		store_close(&store);
		attach.pidfd = pidfd;
		r = background_attach(cli, row.id.hex, socket, &attach, err);
	}
	return r < 0 ? img_err_prefix(err, "cannot attach to %s", argv[0]) : r;
}

const struct verb verb_attach = {
	.name = "attach",
	.arguments = "CONTAINER",
	.summary = "Have the streams of a container in the background",
	.description =
		"Its output from now on and, where it was made with -i, its "
		"input, until it ends, or until\nthe detach keys are typed at "
		"its terminal. Signals go to its first process. Exits with its\n"
		"status.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
