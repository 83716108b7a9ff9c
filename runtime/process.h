#ifndef IMG_RUNTIME_PROCESS_H
#define IMG_RUNTIME_PROCESS_H

/*
 * Processes, as /proc tells of them: what ps(1) would say, without it.
 * Source: proc(5).
 */
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_NAME_MAX 64
#define PROCESS_TTY_MAX	 24

struct process {
	pid_t pid, ppid;
	uid_t uid;
	char state;
	char name[PROCESS_NAME_MAX];
	char tty[PROCESS_TTY_MAX]; /* "pts/0"; "?" for none */
	uint64_t cpu_ms;
	int64_t started_ns; /* since the epoch */
	uint64_t virtual_bytes, resident_bytes;
	unsigned threads;
	char *command; /* its words, or "[name]"; heap */
};

void process_release(struct process *process);

/**
 * process_read - look at one
 *
 * 1, or 0 where it is gone.
 */
int process_read(pid_t pid, struct process *ret, struct img_err *err);

/**
 * process_parse_stat - the fields of /proc/PID/stat
 * @ticks: of a second, which times are counted in
 * @boot_ns: when the host was booted
 *
 * Returns false where the text is not one; uid and command are left alone.
 */
bool process_parse_stat(const char *text, long ticks, int64_t boot_ns,
			struct process *ret);

/**
 * process_list - the processes of a cgroup, and of those below it
 * @ret: the caller frees it; in ascending order
 */
int process_list(int cgroup, pid_t **ret, size_t *ret_n,
		 struct img_err *err) IMG_MUST_USE;

#endif
