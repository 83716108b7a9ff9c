#include "machine/guest.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "machine/kernel.h"
#include "machine/machine.h"

#include <fcntl.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define STATE_DEVICE "/dev/ubda"
#define STORE_DIR    MACHINE_STATE_MOUNT "/store"
#define OVERLAY_DIR  GUEST_RUN_DIR "/tmp"

#define KLOG_READ_ALL 3 /* syslog(2) */

struct mount_line {
	const char *type, *at, *options;
	unsigned long flags;
};

static const struct mount_line own_mounts[] = {
	{ "proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "devtmpfs", "/dev", "mode=755", MS_NOSUID },
	{ "devpts", "/dev/pts", "mode=620,ptmxmode=666,gid=5",
	  MS_NOSUID | MS_NOEXEC },
	{ "tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV },
	{ "mqueue", "/dev/mqueue", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "cgroup2", "/sys/fs/cgroup", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "tmpfs", "/run", "mode=755", MS_NOSUID | MS_NODEV },
};

static int mount_own(struct img_err *err)
{
	for (size_t i = 0; i < IMG_COUNT(own_mounts); i++) {
		const struct mount_line *m = &own_mounts[i];

		/* in /dev; elsewhere it is there, or mount says so */
		if (mkdir(m->at, 0755) < 0 && errno != EEXIST &&
		    errno != EROFS && errno != EPERM)
			return img_err_sys(err, "cannot make %s", m->at);
		/* the kernel has mounted /dev already */
		if (mount(m->type, m->at, m->type, m->flags, m->options) < 0 &&
		    errno != EBUSY)
			return img_err_sys(err, "cannot mount %s", m->at);
	}
	return 0;
}

static int make_node(const char *path, int minor_number, struct img_err *err)
{
	if (mknod(path, S_IFCHR | 0600,
		  makedev(10, (unsigned int)minor_number)) < 0 &&
	    errno != EEXIST)
		return img_err_sys(err, "cannot make %s", path);
	return 0;
}

/* Opening either loads its module; both numbers are the kernel's for good. */
static int make_nodes(struct img_err *err)
{
	int r = file_mkdirs("/dev/mapper", 0755, err);

	if (r == 0)
		r = make_node("/dev/mapper/control", 236, err);
	if (r == 0)
		r = make_node("/dev/loop-control", 237, err);
	return r;
}

static int make_link(const char *target, const char *path, struct img_err *err)
{
	if (symlink(target, path) < 0 && errno != EEXIST)
		return img_err_sys(err, "cannot make %s", path);
	return 0;
}

static int make_links(const struct job *job, struct img_err *err)
{
	int r = file_mkdirs(GUEST_BIN_DIR, 0755, err);

	if (r == 0)
		r = make_link(job->program, GUEST_BIN_DIR "/img", err);
	if (r == 0)
		r = make_link(job->program, GUEST_MODPROBE, err);
	if (r == 0)
		r = make_link("/proc/self/fd", "/dev/fd", err);
	if (r == 0)
		r = make_link("/proc/self/fd/0", "/dev/stdin", err);
	if (r == 0)
		r = make_link("/proc/self/fd/1", "/dev/stdout", err);
	if (r == 0)
		r = make_link("/proc/self/fd/2", "/dev/stderr", err);
	return r;
}

static int write_to(const char *path, const char *text, struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return img_err_sys(err, "cannot open %s", path);
	return file_write(fd, text, strlen(text), path, err);
}

/* The host's /tmp below, the guest's memory above. */
static int mount_tmp(struct img_err *err)
{
	int r = file_mkdirs(OVERLAY_DIR "/upper", 01777, err);

	if (r == 0)
		r = file_mkdirs(OVERLAY_DIR "/work", 0700, err);
	if (r < 0)
		return r;
	(void)chmod(OVERLAY_DIR "/upper", 01777); /* past the umask */
	if (mount("tmp", "/tmp", "overlay", MS_NOSUID | MS_NODEV,
		  "lowerdir=/tmp,upperdir=" OVERLAY_DIR
		  "/upper,workdir=" OVERLAY_DIR "/work") < 0)
		return img_err_sys(err, "cannot mount /tmp");
	return 0;
}

/* The host's directory at its own path, whatever lies there in the guest. */
static int mount_host(const char *path, unsigned long flags,
		      struct img_err *err)
{
	int r;

	if (strcmp(path, "/") == 0) {
		if (mount("host", "/", NULL, MS_REMOUNT | flags, NULL) < 0)
			return img_err_sys(err, "cannot share /");
		return 0;
	}
	if (access(path, F_OK) < 0) {
		r = file_mkdirs(path, 0755, err);
		if (r < 0)
			return r;
	}
	if (mount("host", path, "hostfs", flags, path) < 0)
		return img_err_sys(err, "cannot mount the host's %s", path);
	return 0;
}

/* Shows a directory of the host that the guest's own mounts have hidden. */
static int uncover(const char *path, struct img_err *err)
{
	if (access(path, F_OK) == 0)
		return 0;
	return mount_host(path, MS_RDONLY | MS_NOSUID | MS_NODEV, err);
}

static int uncover_program(const char *program, struct img_err *err)
{
	img_auto(img_mem_release) char *dir = mem_strdup(program);
	char *slash = strrchr(dir, '/');

	if (access(program, F_OK) == 0 || !slash || slash == dir)
		return 0;
	*slash = '\0';
	return mount_host(dir, MS_RDONLY | MS_NOSUID | MS_NODEV, err);
}

/* What the kernel's log last said of ext4, without its prefix. */
static bool last_words(char *ret, size_t size)
{
	img_auto(img_mem_release) char *log = mem_zalloc(65536 + 1);
	char *found = NULL, *end;

	if (klogctl(KLOG_READ_ALL, log, 65536) <= 0)
		return false;
	for (char *at = log; (at = strstr(at, "EXT4-fs")) != NULL; at++)
		found = at;
	if (!found)
		return false;
	end = strchr(found, '\n');
	if (end)
		*end = '\0';
	end = strstr(found, "): ");
	(void)snprintf(ret, size, "%s", end ? end + 3 : found);
	return true;
}

static int mount_state(const struct job *job, struct img_err *err)
{
	char why[160];
	int saved;

	if (mkdir(MACHINE_STATE_MOUNT, 0700) < 0)
		return img_err_sys(err, "cannot make " MACHINE_STATE_MOUNT);
	/* noinit_itable: else the kernel writes 2 GiB of zeros in time, where
	 * the host's file has holes */
	if (mount(STATE_DEVICE, MACHINE_STATE_MOUNT, "ext4",
		  MS_NOATIME | MS_NOSUID | MS_NODEV,
		  "discard,noinit_itable,errors=remount-ro") < 0) {
		saved = errno;
		if (!last_words(why, sizeof(why)))
			(void)snprintf(why, sizeof(why), "%s", strerror(saved));
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "the state disk %s cannot be mounted: %s",
				   job->state, why);
	}
	if (mkdir(STORE_DIR, 0700) < 0 && errno != EEXIST)
		return img_err_sys(err, "the state disk %s cannot be written",
				   job->state);
	return 0;
}

/* For each device that comes or goes the kernel would look for a program that
 * nobody has.  A kernel that is built without asks for none. */
static int quieten(struct img_err *err)
{
	static const char helper[] = "/proc/sys/kernel/hotplug";

	return access(helper, F_OK) == 0 ? write_to(helper, "\n", err) : 0;
}

int guest_mount(const struct job *job, struct img_err *err)
{
	int r = mount_own(err);

	if (r == 0)
		r = quieten(err);
	if (r == 0) /* it is what loads the modules for the rest */
		r = uncover_program(job->program, err);
	if (r == 0)
		r = make_nodes(err);
	if (r == 0)
		r = make_links(job, err);
	if (r == 0)
		r = write_to("/proc/sys/kernel/modprobe", GUEST_MODPROBE, err);
	if (r == 0)
		r = mount_tmp(err);
	for (char **share = job->shares; r == 0 && *share; share++)
		r = mount_host(*share, MS_NOSUID | MS_NODEV, err);
	if (r == 0)
		r = uncover(job->cwd, err);
	if (r == 0)
		r = mount_state(job, err);
	return r;
}
