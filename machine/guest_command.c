#include "machine/guest_command.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "machine/guest.h"
#include "machine/machine.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define PATH_DEFAULT                                                           \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static bool is_set(const char *entry, const char *name)
{
	size_t len = strlen(name);

	return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

char **guest_environment(const struct job *job)
{
	const char *path = PATH_DEFAULT;
	bool has_root = false;
	size_t n = 0, out = 0;
	char **env;

	while (job->env[n])
		n++;
	env = mem_zalloc((n + 4) * sizeof(*env));
	for (size_t i = 0; i < n; i++) {
		char *entry = job->env[i];

		if (is_set(entry, "PATH"))
			path = entry + strlen("PATH=");
		else if (!is_set(entry, "DM_DISABLE_UDEV"))
			env[out++] = entry;
		has_root |= is_set(entry, "IMG_ROOT");
	}
	env[out++] = mem_printf("PATH=" GUEST_BIN_DIR ":%s", path);
	env[out++] = mem_strdup("DM_DISABLE_UDEV=1");
	if (!has_root)
		env[out++] =
			mem_strdup("IMG_ROOT=" MACHINE_STATE_MOUNT "/store");
	return env;
}

/* In the child: becomes the command, or tells why not through @report_fd. */
static void __attribute__((noreturn))
become_command(const struct job *job, const int streams[3], bool terminal,
	       int report_fd)
{
	struct rlimit files = { job->open_files_soft, job->open_files_hard };
	struct img_err err = { 0 };
	sigset_t none;

	(void)setsid();
	for (int i = 0; i < 3; i++)
		(void)dup2(streams[i], i);
	if (terminal)
		(void)ioctl(0, TIOCSCTTY, 0);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setrlimit(RLIMIT_NOFILE, &files); /* more than it needs: fine */
	(void)umask((mode_t)job->umask);
	if (chdir(job->cwd) < 0) {
		(void)img_err_sys(&err, "cannot enter the directory %s",
				  job->cwd);
	} else {
		(void)execvp(job->argv[0], job->argv);
		(void)img_err_sys(&err, "cannot execute %s", job->argv[0]);
	}
	(void)!write(report_fd, &err, sizeof(err)); /* one atomic write */
	_exit(MACHINE_STATUS_FAILED);
}

/* What a child that did not become the command has to say. */
static int read_report(int report_fd, int *ret_status, struct img_err *err)
{
	struct img_err told;
	ssize_t n;

	do {
		n = read(report_fd, &told, sizeof(told));
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(told))
		return 0;
	if (strncmp(told.msg, "cannot execute", 14) == 0)
		*ret_status = told.sys_errno == ENOENT
				      ? MACHINE_STATUS_NO_COMMAND
				      : MACHINE_STATUS_NO_EXEC;
	return img_err_set(err, told.code, 0, "%s", told.msg);
}

int guest_command_start(const struct job *job, const int streams[3],
			bool terminal, pid_t *ret_pid, int *ret_status,
			struct img_err *err)
{
	img_auto(img_fd_release) int read_end = -1;
	img_auto(img_fd_release) int write_end = -1;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return img_err_sys(err, "cannot make a pipe");
	read_end = ends[0];
	write_end = ends[1];
	pid = fork();
	if (pid < 0)
		return img_err_sys(err, "cannot start a process");
	if (pid == 0)
		become_command(job, streams, terminal, write_end);
	*ret_pid = pid;
	img_fd_release(&write_end);
	return read_report(read_end, ret_status, err);
}
