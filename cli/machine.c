#include "machine/machine.h"

#include "base/cleanup.h"
#include "base/part.h"
#include "cli/guest.h"
#include "cli/verb.h"
#include "image/formats.h"
#include "storage/probe.h"

#include <limits.h>
#include <string.h>

struct options {
	uint64_t mem_bytes;
	const char *state;
	struct text_list shares;
	bool verbose;
};

static const struct option_row rows[] = {
	{ 'm', "mem", "SIZE", "memory of the machine [2G]", OPTION_SIZE,
	  offsetof(struct options, mem_bytes) },
	{ 0, "share", "DIR", "let the command write to DIR of the host",
	  OPTION_LIST, offsetof(struct options, shares) },
	{ 0, "state", "FILE", "the machine's disk, made when missing",
	  OPTION_TEXT, offsetof(struct options, state) },
	{ 0, "verbose", NULL, "show what the kernel says", OPTION_FLAG,
	  offsetof(struct options, verbose) },
};

static int format_state(int fd, uint64_t size_bytes, void *self,
			struct img_err *err)
{
	formats_mkfs_fn *mkfs = part_symbol(FORMATS_PART, "formats_mkfs", err);

	return mkfs ? mkfs(fd, size_bytes, "img-state", err) : -(int)err->code;
}

static int check_state(int fd, const char *path, void *self,
		       struct img_err *err)
{
	probe_content_fn *probe = part_symbol(PROBE_PART, "probe_content", err);
	char type[PROBE_TYPE_MAX];
	int r;

	if (!probe)
		return -(int)err->code;
	r = probe(fd, path, type, err);
	if (r < 0 || (r > 0 && strcmp(type, "ext4") == 0))
		return r < 0 ? r : 0;
	return img_err_set(err, IMG_E_CORRUPT, 0,
			   "%s is no state disk: it holds %s", path,
			   r > 0 ? type : "no file system");
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	char program[PATH_MAX];
	struct machine_options options = {
		.mem_bytes = o->mem_bytes,
		.state = o->state,
		.shares = o->shares.text,
		.n_shares = o->shares.n,
		.init_program = program,
		.verbose = o->verbose,
		.format_state = format_state,
		.check_state = check_state,
	};
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	int status = MACHINE_STATUS_FAILED;
	int r;

	if (n < 0)
		return img_err_sys(err, "cannot find img's own program");
	program[n] = '\0';
	r = machine_exec(&options, argv, &status, err);
	if (r < 0) /* also a command that could not be executed */
		return cli_complain(err, status);
	return status;
}

const struct verb verb_machine_exec = {
	.name = "machine exec",
	.arguments = "-- COMMAND [ARGUMENT...]",
	.summary = "Run a command in an embedded kernel that has device-mapper",
	.description =
		"For hosts without device-mapper, and for users who are not "
		"root. Boots User-Mode\nLinux, an ordinary process, and runs "
		"COMMAND as root in it, with this terminal,\ndirectory and "
		"environment. It sees the host's files, and can change what is "
		"below a\n--share. The store is on a disk of the machine's "
		"own, so images stay from one\ncall to the next. Exits with "
		"the command's status.",
	.options = VERB_OPTIONS_THEN_COMMAND(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = -1,
	.fail_status = MACHINE_STATUS_FAILED,
	.run = run,
};

/* Takes down the store that the guest's command may have brought up, so that
 * the state disk can be unmounted. */
static void stop_store(void *self)
{
	const char *root = getenv("IMG_ROOT");
	img_auto(store_close) struct store *store = NULL;
	struct cli cli = { .root = root, .run_root = "/run/img" };
	struct img_err dropped = { 0 }; /* what is left is as after a crash */

	if (root && cli_open_store(&cli, false, &store, &dropped) == 0)
		IMG_IGNORE(store_stop(store, &dropped));
}

bool guest_is_init(int argc, char **argv)
{
	return machine_is_guest(argc, argv);
}

int guest_main(int argc, char **argv)
{
	const struct machine_guest_hooks hooks = { .before_poweroff =
							   stop_store };

	machine_guest_main(argc, argv, &hooks);
}
