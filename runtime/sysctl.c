#include "runtime/sysctl.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#define ROOT "/proc/sys/"

static bool begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_ipc(const char *name)
{
	static const char *const names[] = {
		"kernel.msgmax", "kernel.msgmnb",	   "kernel.msgmni",
		"kernel.sem",	 "kernel.shmall",	   "kernel.shmmax",
		"kernel.shmmni", "kernel.shm_rmid_forced",
	};

	for (size_t i = 0; i < IMG_COUNT(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return begins(name, "fs.mqueue.");
}

/* Each part between dots is a name, so that a dot or a slash cannot lead
 * elsewhere.  A slash stands for a dot within a part: "eth0/1". */
static bool is_plain(const char *name)
{
	size_t len;

	for (; *name; name += len + (name[len] == '.')) {
		len = strcspn(name, ".");
		if (len == 0 || name[0] == '/' || strstr(name, "//"))
			return false;
		if (name[len] == '.' && !name[len + 1])
			return false;
	}
	return true;
}

int sysctl_check(const char *name, bool ipc, bool net, struct img_err *err)
{
	const bool of_net = begins(name, "net.");

	if (!name[0] || !is_plain(name))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--sysctl: '%s' is no name of a parameter",
				   name);
	if (!of_net && !is_ipc(name))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--sysctl: '%s' would change the host: no "
				   "namespace has it for itself",
				   name);
	if (of_net ? !net : !ipc)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--sysctl: '%s' needs %s of the container's "
				   "own",
				   name,
				   of_net ? "a network" : "an IPC namespace");
	return 0;
}

static int set(const struct sysctl *sysctl, struct img_err *err)
{
	char path[sizeof(ROOT) + NAME_MAX] = ROOT;
	size_t at = sizeof(ROOT) - 1, len = strlen(sysctl->value);
	img_auto(img_fd_release) int fd = -1;

	for (const char *c = sysctl->name; *c; c++) {
		if (at + 1 >= sizeof(path))
			return img_err_set(
				err, IMG_E_INPUT, 0,
				"--sysctl: the name '%s' is too long",
				sysctl->name);
		path[at++] = *c == '.' ? '/' : (*c == '/' ? '.' : *c);
	}
	path[at] = '\0';
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "this kernel has no parameter '%s'",
				   sysctl->name);
	if (fd < 0 || write(fd, sysctl->value, len) != (ssize_t)len)
		return img_err_sys(err, "cannot set '%s' to '%s'", sysctl->name,
				   sysctl->value);
	return 0;
}

int sysctl_set(const struct sysctl *list, size_t n, struct img_err *err)
{
	for (size_t i = 0; i < n; i++) {
		int r = set(&list[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}
