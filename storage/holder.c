#include "storage/holder.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define COMM_MAX 17

/* Looks at what is below /dev alone: anything else might be far away. */
static bool has_open(const char *pid, dev_t dev)
{
	char path[64], target[8];
	const struct dirent *entry;
	img_auto(img_dir_release) DIR *dir = NULL;
	struct stat st;

	(void)snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target,
				       sizeof(target));

		if (n < 5 || strncmp(target, "/dev/", 5) != 0)
			continue;
		if (fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
		    S_ISBLK(st.st_mode) && st.st_rdev == dev)
			return true;
	}
	return false;
}

static bool has_mounted(const char *pid, dev_t dev)
{
	img_auto(img_stdio_release) FILE *f = NULL;
	img_auto(img_mem_release) char *line = NULL;
	char path[64];
	unsigned a, b;
	size_t room = 0;

	(void)snprintf(path, sizeof(path), "/proc/%.20s/mountinfo", pid);
	f = fopen(path, "re");
	while (f && getline(&line, &room, f) > 0)
		if (sscanf(line, "%*d %*d %u:%u", &a, &b) == 2 &&
		    makedev(a, b) == dev)
			return true;
	return false;
}

static void tell(const char *pid, const char *how, char out[HOLDER_TEXT_MAX])
{
	img_auto(img_stdio_release) FILE *f = NULL;
	char path[64], comm[COMM_MAX] = "a process";

	(void)snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	f = fopen(path, "re");
	if (f && fgets(comm, sizeof(comm), f))
		comm[strcspn(comm, "\n")] = '\0';
	for (char *c = comm; *c; c++) /* it names itself */
		if (!isprint((unsigned char)*c))
			*c = '?';
	(void)snprintf(out, HOLDER_TEXT_MAX, "%s in %s (process %.20s)", how,
		       comm, pid);
}

bool holder_find(dev_t dev, char out[HOLDER_TEXT_MAX])
{
	img_auto(img_dir_release) DIR *proc = opendir("/proc");
	const struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		const char *pid = entry->d_name;

		if (!isdigit((unsigned char)pid[0]))
			continue;
		if (has_open(pid, dev)) {
			tell(pid, "open", out);
			return true;
		}
		if (has_mounted(pid, dev)) {
			tell(pid, "mounted", out);
			return true;
		}
	}
	return false;
}
