#include "machine/kernel.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"

#include <linux/magic.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#define PACKAGE_HINT ": install the package user-mode-linux"

static bool is_program(const char *path)
{
	return access(path, X_OK) == 0;
}

char *kernel_find(const char *search, struct img_err *err)
{
	img_auto(img_mem_release) char *dirs = mem_strdup(search);
	char *rest = dirs, *dir;

	while ((dir = strsep(&rest, ":")) != NULL) {
		img_auto(img_mem_release) char *path =
			mem_printf("%s/linux.uml", dir);

		if (*dir == '/' && is_program(path))
			return img_mem_take(&path);
	}
	(void)img_err_set(err, IMG_E_NOT_FOUND, 0,
			  "linux.uml is not installed" PACKAGE_HINT);
	return NULL;
}

int kernel_check_modules(const char *dir, struct img_err *err)
{
	if (access(dir, R_OK | X_OK) == 0)
		return 0;
	return img_err_set(err, IMG_E_NOT_FOUND, 0,
			   "linux.uml has no modules in %s" PACKAGE_HINT, dir);
}

static void add(char **list, size_t *n, char *text)
{
	list[(*n)++] = text;
	list[*n] = NULL;
}

char **kernel_argv(const struct kernel_command *command)
{
	char **argv = mem_zalloc(24 * sizeof(*argv));
	size_t n = 0;

	add(argv, &n, mem_strdup(command->kernel));
	add(argv, &n,
	    mem_printf("mem=%lluK",
		       (unsigned long long)(command->mem_bytes / KIB)));
	add(argv, &n, mem_printf("uml_dir=%s/", command->dir));
	add(argv, &n, mem_strdup("rootfstype=hostfs"));
	add(argv, &n, mem_strdup("root=/dev/root"));
	add(argv, &n, mem_strdup("ro"));
	add(argv, &n, mem_printf("init=%s/init", command->dir));
	add(argv, &n, mem_strdup("con=null"));
	add(argv, &n, mem_printf("con0=null,fd:%d", KERNEL_FD_CONSOLE));
	add(argv, &n,
	    mem_printf("ssl0=fd:%d,fd:%d", KERNEL_FD_LINE, KERNEL_FD_LINE));
	add(argv, &n,
	    mem_printf("iomem=mmapper,/proc/self/fd/%d", KERNEL_FD_MEMORY));
	/* d: not a copy-on-write file, whatever its first bytes say */
	add(argv, &n, mem_printf("ubd0d=/proc/self/fd/%d", KERNEL_FD_STATE));
	/* Of 1.3 s to boot these save 1.1: choosing among the RAID 6
	 * algorithms takes 0.85 s, and nothing here uses it. */
	add(argv, &n,
	    mem_strdup("initcall_blacklist=raid6_select_algo,init_zswap"));
	add(argv, &n, mem_strdup("lpj=36020224"));
	add(argv, &n, mem_strdup("pty.legacy_count=0"));
	add(argv, &n, mem_strdup("lsm=capability"));
	if (!command->verbose)
		add(argv, &n, mem_strdup("quiet"));
	add(argv, &n, mem_strdup("--"));
	add(argv, &n, mem_strdup(KERNEL_INIT_WORD));
	return argv;
}

/* The guest's memory is a file that linux.uml makes in /dev/shm, executable
 * and of the memory's whole size. */
static bool shm_is_usable(uint64_t mem_bytes)
{
	struct statfs fs;

	return statfs("/dev/shm", &fs) == 0 &&
	       (unsigned long)fs.f_type == TMPFS_MAGIC &&
	       !(fs.f_flags & ST_NOEXEC) &&
	       (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize >= mem_bytes;
}

char **kernel_env(const struct kernel_command *command)
{
	char **env = mem_zalloc(4 * sizeof(*env));
	size_t n = 0;

	add(env, &n, mem_printf("LD_PRELOAD=%s/preload.so", command->dir));
	add(env, &n, mem_printf("HOME=%s", command->dir));
	if (!shm_is_usable(command->mem_bytes))
		add(env, &n, mem_printf("TMPDIR=%s", command->dir));
	return env;
}

void kernel_strings_release(char ***list)
{
	for (size_t i = 0; *list && (*list)[i]; i++)
		free((*list)[i]);
	free(*list);
	*list = NULL;
}
