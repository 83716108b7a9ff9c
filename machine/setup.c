#include "machine/setup.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/num.h"
#include "base/part.h"
#include "machine/job.h"
#include "machine/kernel.h"
#include "machine/state.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>

void setup_release(struct setup *setup)
{
	int *fds[] = { &setup->state_fd, &setup->line_fd[0], &setup->line_fd[1],
		       &setup->console_fd[0], &setup->console_fd[1] };

	for (size_t i = 0; i < IMG_COUNT(fds); i++)
		img_fd_release(fds[i]);
	free(setup->program);
	free(setup->kernel);
	free(setup->preload);
	free(setup->state);
	kernel_strings_release(&setup->shares);
	str_release(&setup->job);
}

static int check_options(struct setup *setup, struct img_err *err)
{
	const struct machine_options *options = setup->options;
	char text[SIZE_TEXT_MAX];

	setup->mem_bytes =
		options->mem_bytes ? options->mem_bytes : MACHINE_MEM_DEFAULT;
	if (setup->mem_bytes < KERNEL_MEM_MIN)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "%s of memory is too little for a machine: "
				   "128 MiB is the least",
				   num_format_size(setup->mem_bytes, text));
	if (access("/dev/mmapper", F_OK) == 0)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "this is a machine already: run the command "
				   "without img machine exec");
	return 0;
}

static int find_kernel(struct setup *setup, struct img_err *err)
{
	img_auto(img_mem_release) char *dirs = NULL;
	const char *path = getenv("PATH");

	setup->program = realpath(setup->options->init_program, NULL);
	if (!setup->program)
		return img_err_sys(err, "cannot find the program %s",
				   setup->options->init_program);
	dirs = mem_printf("%s:/usr/bin", path ? path : "");
	setup->kernel = kernel_find(dirs, err);
	if (!setup->kernel)
		return -(int)err->code;
	setup->preload = part_path("preload", err);
	if (!setup->preload)
		return -(int)err->code;
	return kernel_check_modules(KERNEL_MODULES_DIR, err);
}

static int find_shares(struct setup *setup, struct img_err *err)
{
	const struct machine_options *options = setup->options;

	setup->shares =
		mem_zalloc((options->n_shares + 1) * sizeof(*setup->shares));
	for (size_t i = 0; i < options->n_shares; i++) {
		const char *share = options->shares[i];
		struct stat st;

		setup->shares[i] = realpath(share, NULL);
		if (!setup->shares[i] || stat(setup->shares[i], &st) < 0)
			return img_err_sys(err, "cannot share %s", share);
		if (!S_ISDIR(st.st_mode))
			return img_err_set(err, IMG_E_INPUT, 0,
					   "cannot share %s: it is not a "
					   "directory",
					   share);
	}
	return 0;
}

static int find_state(struct setup *setup, struct img_err *err)
{
	img_auto(img_mem_release) char *path = NULL;
	int r = 0;

	if (setup->options->state)
		path = mem_strdup(setup->options->state);
	else
		r = machine_state_path(&path, err);
	if (r == 0)
		r = state_open(path, setup->options, &setup->state_fd, err);
	if (r < 0)
		return r;
	setup->state = realpath(path, NULL);
	if (!setup->state)
		return img_err_sys(err, "cannot find the state disk %s", path);
	return 0;
}

static int write_job(struct setup *setup, char **argv,
		     const struct terminal *terminal, struct img_err *err)
{
	img_auto(img_mem_release) char *cwd = getcwd(NULL, 0);
	struct utsname names;
	struct rlimit files;
	mode_t mask = umask(0);
	struct job job = {
		.argv = argv,
		.env = environ,
		.shares = setup->shares,
		.cwd = cwd,
		.hostname = names.nodename,
		.program = setup->program,
		.state = setup->state,
		.umask = mask,
	};

	(void)umask(mask);
	if (!cwd)
		return img_err_sys(err, "cannot tell the working directory");
	if (uname(&names) < 0 || getrlimit(RLIMIT_NOFILE, &files) < 0)
		return img_err_sys(err, "cannot ask for the host's limits");
	job.open_files_soft = files.rlim_cur;
	job.open_files_hard = files.rlim_max;
	if (terminal->main)
		job.terminal |= JOB_TTY_MAIN;
	if (terminal->with_stderr)
		job.terminal |= JOB_TTY_STDERR;
	job_encode(&job, &setup->job);
	return 0;
}

/* One end's flag: the other end has a file description of its own. */
static int make_nonblocking(int fd)
{
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static int make_lines(struct setup *setup, struct img_err *err)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, setup->line_fd) <
		    0 ||
	    make_nonblocking(setup->line_fd[0]) < 0)
		return img_err_sys(err, "cannot make the machine's line");
	if (pipe2(setup->console_fd, O_CLOEXEC | O_NONBLOCK) < 0)
		return img_err_sys(err, "cannot make the machine's console");
	return 0;
}

int setup_make(struct setup *setup, char **argv,
	       const struct terminal *terminal, struct img_err *err)
{
	int r = check_options(setup, err);

	if (r == 0)
		r = find_kernel(setup, err);
	if (r == 0)
		r = find_shares(setup, err);
	if (r == 0)
		r = find_state(setup, err);
	if (r == 0)
		r = write_job(setup, argv, terminal, err);
	if (r == 0)
		r = make_lines(setup, err);
	return r;
}
