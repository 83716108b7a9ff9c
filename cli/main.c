#include "base/cleanup.h"
#include "base/pages.h"
#include "base/str.h"
#include "cli/guest.h"
#include "cli/help.h"
#include "cli/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#define DEFAULT_ROOT	 "/var/lib/img"
#define DEFAULT_RUN_ROOT "/run/img"

struct globals {
	const char *root, *run_root;
	bool help, version;
};

static const struct option_row global_rows[] = {
	{ 0, "root", "DIR", "directory of the store", OPTION_TEXT,
	  offsetof(struct globals, root) },
	{ 0, "run-root", "DIR", "directory for locks", OPTION_TEXT,
	  offsetof(struct globals, run_root) },
	{ 'h', "help", NULL, "show help", OPTION_FLAG,
	  offsetof(struct globals, help) },
	{ 'v', "version", NULL, "show the version", OPTION_FLAG,
	  offsetof(struct globals, version) },
};

const struct option_table global_options =
	VERB_OPTIONS_THEN_COMMAND(global_rows);

static int complain(struct img_err *err, const char *verb, int status)
{
	/* What needs root or device-mapper works in the embedded kernel. */
	if (err->code == IMG_E_NO_DM ||
	    (err->sys_errno == EACCES && geteuid() != 0))
		(void)img_err_hint(err, "; try: img machine exec -- img %s ...",
				   verb);
	return cli_complain(err, status);
}

static const char *pick(const char *option, const char *variable,
			const char *otherwise)
{
	const char *env = getenv(variable);

	if (option)
		return option;
	return env && env[0] ? env : otherwise;
}

static int run_verb(const struct cli *cli, const struct verb *verb, char **argv)
{
	img_auto(img_mem_release) void *values = mem_zalloc(verb->values_size);
	int fail_status = verb->fail_status ? verb->fail_status : 1;
	int usage_status =
		verb->usage_status ? verb->usage_status : fail_status;
	struct img_err err = { 0 };
	img_auto(img_mem_release) char *usage = NULL;
	int argc, r;

	if (argv[0] && strcmp(argv[0], "-h") == 0 && !argv[1])
		return help_verb(stdout, verb), 0;
	argc = options_parse(&verb->options, values, argv, &err);
	if (argc == -IMG_E_NOT_FOUND)
		(void)img_err_hint(&err, "; see 'img help %s'", verb->name);
	if (argc == OPTIONS_HELP) {
		options_release(&verb->options, values);
		return help_verb(stdout, verb), 0;
	}
	if (argc >= 0 && (argc < verb->min_args ||
			  (verb->max_args >= 0 && argc > verb->max_args))) {
		usage = help_usage(verb);
		argc = img_err_set(&err, IMG_E_INPUT, 0, "%s: usage: %s",
				   argc < verb->min_args ? "too few arguments"
							 : "too many arguments",
				   usage);
	}
	if (argc < 0) {
		options_release(&verb->options, values);
		return complain(&err, verb->name, usage_status);
	}
	r = verb->run(cli, values, argc, argv, &err);
	options_release(&verb->options, values);
	if (r < 0)
		r = complain(&err, verb->name, fail_status);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		(void)fprintf(stderr, "img: cannot write the output\n");
		r = r ? r : 1;
	}
	return r;
}

/* A standard stream that the caller closed must not become a file of ours. */
static bool open_closed_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR); /* inherited on purpose */
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return false;
	(void)close(fd);
	return true;
}

static int serve(int argc, char **argv)
{
	struct globals globals = { 0 };
	const struct verb *verb = NULL;
	struct img_err err = { 0 };
	struct cli cli;
	int n;

	if (guest_is_init(argc, argv))
		return guest_main(argc, argv);
	if (!open_closed_streams())
		return 125;
	(void)signal(SIGPIPE, SIG_IGN); /* a write says so itself */
	argv++;
	n = options_parse(&global_options, &globals, argv, &err);
	if (n == -IMG_E_NOT_FOUND)
		(void)img_err_hint(&err, "; see 'img help'");
	if (n < 0)
		return complain(&err, "help", 125);
	cli.root = pick(globals.root, "IMG_ROOT", DEFAULT_ROOT);
	cli.run_root = pick(globals.run_root, "IMG_RUN", DEFAULT_RUN_ROOT);
	if (globals.version)
		return printf("img %s\n", IMG_VERSION) < 0;
	if (globals.help || n == 0)
		return help_all(globals.help ? stdout : stderr), !globals.help;
	n = verb_find(argv, &verb);
	if (n == 0) {
		(void)verb_missing(argv, &err);
		return cli_complain(&err, 125);
	}
	return run_verb(&cli, verb, argv + n);
}

int main(int argc, char **argv)
{
	int status;

	pages_map_program();
	status = serve(argc, argv);
	/* Libraries that were opened have ends of their own, which nobody needs
	 * and which touch their pages. */
	(void)fflush(NULL);
	_exit(status);
}
