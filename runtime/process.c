#include "runtime/process.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#define STAT_MAX    ((size_t)4096)
#define COMMAND_MAX ((size_t)1 << 21)
#define PROCS_MAX   ((size_t)1 << 22)

void process_release(struct process *p)
{
	img_mem_release(&p->command);
}

static void name_tty(int number, char out[PROCESS_TTY_MAX])
{
	const unsigned major_number = major((dev_t)number);
	const unsigned minor_number = minor((dev_t)number);

	if (number == 0)
		(void)snprintf(out, PROCESS_TTY_MAX, "?");
	else if (major_number >= 136 && major_number <= 143)
		(void)snprintf(out, PROCESS_TTY_MAX, "pts/%u",
			       (major_number - 136) * 256 + minor_number);
	else if (major_number == 4)
		(void)snprintf(out, PROCESS_TTY_MAX, "tty%u", minor_number);
	else
		(void)snprintf(out, PROCESS_TTY_MAX, "%u:%u", major_number,
			       minor_number);
}

bool process_parse_stat(const char *text, long ticks, int64_t boot_ns,
			struct process *ret)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	uint64_t user, kernel, start, virtual_bytes;
	int64_t pages;
	int tty, threads;

	/* The name stands in brackets and may hold anything. */
	if (!open || !close || close < open || ticks <= 0)
		return false;
	if (sscanf(close + 1,
		   " %c %d %*d %*d %d %*d %*u %*u %*u %*u %*u %" SCNu64
		   " %" SCNu64 " %*d %*d %*d %*d %d %*d %" SCNu64 " %" SCNu64
		   " %" SCNd64,
		   &ret->state, &ret->ppid, &tty, &user, &kernel, &threads,
		   &start, &virtual_bytes, &pages) != 9)
		return false;
	ret->pid = (pid_t)strtol(text, NULL, 10);
	(void)snprintf(ret->name, sizeof(ret->name), "%.*s",
		       (int)(close - open - 1), open + 1);
	name_tty(tty, ret->tty);
	ret->cpu_ms = (user + kernel) * 1000 / (uint64_t)ticks;
	ret->started_ns =
		boot_ns + (int64_t)(start * (1000000000 / (uint64_t)ticks));
	ret->virtual_bytes = virtual_bytes;
	ret->resident_bytes = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
	ret->threads = (unsigned)threads;
	return true;
}

static int64_t boot_time_ns(void)
{
	struct timespec now, up;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail */
	(void)clock_gettime(CLOCK_BOOTTIME, &up);
	return ((int64_t)now.tv_sec - up.tv_sec) * 1000000000 + now.tv_nsec -
	       up.tv_nsec;
}

/* Its words with spaces between them; what would move a terminal's cursor is
 * shown as "?". */
static char *read_command(int dir, const char *name)
{
	img_auto(img_mem_release) char *words = NULL;
	struct img_err none = { 0 };
	size_t size = 0;

	if (file_read_all(dir, "cmdline", COMMAND_MAX, &words, &size, &none) <
		    0 ||
	    size == 0)
		return mem_printf("[%s]", name);
	while (size > 0 && words[size - 1] == '\0')
		size--;
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)words[i];

		if (c == '\0')
			words[i] = ' ';
		else if (c < ' ' || c == 0x7f)
			words[i] = '?';
	}
	return img_mem_take(&words);
}

int process_read(pid_t pid, struct process *ret, struct img_err *err)
{
	img_auto(img_fd_release) int dir = -1;
	img_auto(img_mem_release) char *text = NULL;
	struct img_err gone = { 0 };
	struct stat st;
	char path[32];

	*ret = (struct process){ 0 };
	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &st) != 0 ||
	    file_read_all(dir, "stat", STAT_MAX, &text, NULL, &gone) < 0)
		return 0;
	if (!process_parse_stat(text, sysconf(_SC_CLK_TCK), boot_time_ns(),
				ret))
		return img_err_set(err, IMG_E_CORRUPT, 0, "cannot read %s/stat",
				   path);
	ret->uid = st.st_uid;
	ret->command = read_command(dir, ret->name);
	return 1;
}

struct pids {
	pid_t *pid;
	size_t n;
};

static void add_all(struct pids *pids, const char *text)
{
	char *end;

	for (long pid; (pid = strtol(text, &end, 10)) > 0; text = end) {
		pids->pid =
			mem_realloc(pids->pid, (pids->n + 1) * sizeof(pid_t));
		pids->pid[pids->n++] = (pid_t)pid;
	}
}

static int gather(int cgroup, struct pids *pids, struct img_err *err)
{
	img_auto(img_mem_release) char *text = NULL;
	img_auto(img_dir_release) DIR *list = NULL;
	img_auto(img_fd_release) int fd = -1;
	struct dirent *entry;
	int r = file_read_all(cgroup, "cgroup.procs", PROCS_MAX, &text, NULL,
			      err);

	if (r < 0)
		return r;
	add_all(pids, text);
	fd = openat(cgroup, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	list = fd < 0 ? NULL : fdopendir(fd);
	if (!list)
		return img_err_sys(err, "cannot list a cgroup");
	fd = -1; /* the list's */
	while (r == 0 && (entry = readdir(list)) != NULL) {
		img_auto(img_fd_release) int below = -1;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		below = openat(dirfd(list), entry->d_name,
			       O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below >= 0)
			r = gather(below, pids, err);
	}
	return r;
}

static int by_number(const void *a, const void *b)
{
	const pid_t *first = a, *second = b;

	return (*first > *second) - (*first < *second);
}

int process_list(int cgroup, pid_t **ret, size_t *ret_n, struct img_err *err)
{
	struct pids pids = { 0 };
	int r = gather(cgroup, &pids, err);

	if (r < 0) {
		free(pids.pid);
		return r;
	}
	if (pids.n > 0)
		qsort(pids.pid, pids.n, sizeof(pid_t), by_number);
	*ret = pids.pid;
	*ret_n = pids.n;
	return 0;
}
