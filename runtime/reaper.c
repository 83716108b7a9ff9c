#include "runtime/reaper.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "runtime/command.h"
#include "runtime/reaper/report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define ERRNO_MAX 4095

/* Of Linux 6.3: without it there, a warning in the kernel's log. */
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

#ifndef IMG_REAPER /* what only reads code */
#define IMG_REAPER "/dev/null"
#endif

__asm__(".pushsection .rodata\n"
	".globl reaper_bytes\n"
	".hidden reaper_bytes\n"
	"reaper_bytes:\n"
	"	.incbin \"" IMG_REAPER "\"\n"
	".globl reaper_size\n"
	".hidden reaper_size\n"
	".Lreaper_end:\n"
	"	.balign 8\n"
	"reaper_size:\n"
	"	.quad .Lreaper_end - reaper_bytes\n"
	".popsection\n");
extern const char reaper_bytes[] __attribute__((visibility("hidden")));
extern const uint64_t reaper_size __attribute__((visibility("hidden")));

static int make_file(void)
{
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create("img-init", flags | MFD_EXEC);

	return fd < 0 && errno == EINVAL ? memfd_create("img-init", flags) : fd;
}

/* Once no descriptor can write it any more: the kernel executes nothing that
 * one could. */
static int reopen(int fd)
{
	char path[40];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int make_program(struct reaper *ret, struct img_err *err)
{
	img_auto(img_fd_release) int fd = make_file();

	if (fd < 0 && errno == EACCES)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "--init: this host forbids programs in "
				   "memory (/proc/sys/vm/memfd_noexec)");
	if (fd < 0)
		return img_err_sys(err, "cannot make a file in memory");
	if (file_write(fd, reaper_bytes, reaper_size, "a file in memory", err) <
	    0)
		return -(int)err->code;
	if (fchmod(fd, 0555) != 0 ||
	    fcntl(fd, F_ADD_SEALS,
		  F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) !=
		    0)
		return img_err_sys(err, "cannot seal a file in memory");
	ret->program = reopen(fd);
	return ret->program < 0
		       ? img_err_sys(err, "cannot open a file in memory")
		       : 0;
}

int reaper_prepare(char *const *argv, struct reaper *ret, struct img_err *err)
{
	static char name[] = "init", end[] = "--";
	size_t n = 0;
	int r = make_program(ret, err);

	if (r < 0)
		return r;
	while (argv[n])
		n++;
	ret->argv = mem_zalloc((REAPER_ARGV + n + 1) * sizeof(*ret->argv));
	ret->argv[0] = name;
	ret->argv[REAPER_PROGRAM + 1] = end;
	for (size_t i = 0; i < n; i++)
		ret->argv[REAPER_ARGV + i] = argv[i];
	if (pipe2(ret->report, O_CLOEXEC) != 0)
		return img_err_sys(err, "cannot make a pipe");
	return 0;
}

void reaper_release(struct reaper *reaper)
{
	img_fd_release(&reaper->program);
	img_fd_release(&reaper->report[0]);
	img_fd_release(&reaper->report[1]);
	free(reaper->argv);
	reaper->argv = NULL;
}

int reaper_exec(const struct reaper *reaper, char *const *env, const char *path,
		int *ret_status, struct img_err *err)
{
	char program[PATH_MAX];
	int r = command_find(reaper->argv[REAPER_ARGV], path ? path : "",
			     program, sizeof(program), ret_status, err);

	if (r < 0)
		return r;
	reaper->argv[REAPER_PROGRAM] = program;
	(void)execveat(REAPER_PROGRAM_FD, "", reaper->argv, env, AT_EMPTY_PATH);
	*ret_status = COMMAND_STATUS_RUNTIME;
	return img_err_sys(err, "cannot execute the init");
}

int reaper_await(struct reaper *reaper, int *ret_status, struct img_err *err)
{
	struct reaper_report told;
	struct command_failure why;
	ssize_t n;

	img_fd_release(&reaper->report[1]);
	do
		n = read(reaper->report[0], &told, sizeof(told));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return img_err_sys(err, "cannot hear from the init");
	if (n == 0) /* executed, or killed on the way: its status says */
		return 0;
	why.error =
		n == sizeof(told) && told.error > 0 && told.error <= ERRNO_MAX
			? told.error
			: EIO;
	why.is_there = n == sizeof(told) && told.is_there;
	why.is_directory = n == sizeof(told) && told.is_directory;
	return command_failed(reaper->argv[REAPER_ARGV], &why, ret_status, err);
}
