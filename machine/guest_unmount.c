#include "machine/guest.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "machine/machine.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#define DISK_STAT	"/sys/block/ubda/stat"
#define QUIET_MS	10
#define DISCARDS_MAX_MS 20000

/* Discards that the state disk has completed so far. */
static unsigned long long discards(void)
{
	img_auto(img_mem_release) char *text = NULL;
	struct img_err ignored = { 0 };
	unsigned long long n = 0;

	/* the 12th number; a kernel that has none discards nothing */
	if (file_read_all(AT_FDCWD, DISK_STAT, 4096, &text, NULL, &ignored) ==
	    0)
		(void)sscanf(text,
			     "%*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %llu",
			     &n);
	return n;
}

/*
 * ext4 discards freed blocks in the background, after the transaction that
 * freed them is committed, and forgets about the rest at unmount.  It works
 * through them without a pause, so a pause means that it is done.
 */
static void wait_for_discards(void)
{
	unsigned long long before, now = discards();

	for (int ms = 0; ms < DISCARDS_MAX_MS; ms += QUIET_MS) {
		before = now;
		(void)poll(NULL, 0, QUIET_MS);
		now = discards();
		if (now == before)
			return;
	}
}

/* errors=remount-ro: after a failed write it is read-only. */
static bool has_failed(void)
{
	struct statvfs fs;

	return statvfs(MACHINE_STATE_MOUNT, &fs) == 0 &&
	       (fs.f_flag & ST_RDONLY);
}

/* Something is still open on it: leave it consistent all the same. */
static void freeze(void)
{
	img_auto(img_fd_release) int fd = -1;

	fd = open(MACHINE_STATE_MOUNT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) /* if this fails too, the journal is replayed */
		(void)ioctl(fd, FIFREEZE, 0);
}

int guest_unmount(const struct job *job, struct img_err *err)
{
	bool failed;

	sync(); /* all file systems: the shared directories too */
	wait_for_discards();
	failed = has_failed();
	if (umount2(MACHINE_STATE_MOUNT, 0) < 0 && errno == EBUSY)
		freeze();
	if (!failed)
		return 0;
	return img_err_set(err, IMG_E_CORRUPT, 0,
			   "writing to the state disk %s failed: is its file "
			   "system full? e2fsck -f mends it",
			   job->state);
}
