#include "base/lock.h"

#include "base/cleanup.h"
#include "base/lock_order.h"

#include <errno.h>
#include <fcntl.h>

int lock_open(const char *path, int *ret_fd, struct img_err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return img_err_sys(err, "cannot open the lock %s", path);
	*ret_fd = fd;
	return 0;
}

static struct flock one_byte(short type, uint64_t offset)
{
	return (struct flock){
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = (off_t)offset,
		.l_len = 1,
	};
}

static int wait_for(int fd, short type, uint64_t offset, const char *name,
		    struct img_err *err)
{
	struct flock fl = one_byte(type, offset);

	while (fcntl(fd, F_OFD_SETLKW, &fl) < 0)
		if (errno != EINTR)
			return img_err_sys(err, "cannot wait for %s", name);
	return 0;
}

int lock_wait(int fd, uint64_t offset, const char *name, struct img_err *err)
{
	int r;

	lock_order_take((uintptr_t)fd, offset, name);
	r = wait_for(fd, F_WRLCK, offset, name, err);
	if (r < 0)
		lock_order_drop((uintptr_t)fd, offset);
	return r;
}

int lock_wait_shared(int fd, uint64_t offset, const char *name,
		     struct img_err *err)
{
	int r;

	lock_order_take((uintptr_t)fd, offset, name);
	r = wait_for(fd, F_RDLCK, offset, name, err);
	if (r < 0)
		lock_order_drop((uintptr_t)fd, offset);
	return r;
}

int lock_try(int fd, uint64_t offset, struct img_err *err)
{
	struct flock fl = one_byte(F_WRLCK, offset);

	if (fcntl(fd, F_OFD_SETLK, &fl) == 0)
		return 1;
	if (errno == EAGAIN || errno == EACCES)
		return 0;
	return img_err_sys(err, "cannot take a lock");
}

int lock_is_held(int fd, uint64_t offset, struct img_err *err)
{
	struct flock fl = one_byte(F_WRLCK, offset);

	if (fcntl(fd, F_OFD_GETLK, &fl) < 0)
		return img_err_sys(err, "cannot ask for a lock");
	return fl.l_type != F_UNLCK;
}

int lock_is_held_from(int fd, uint64_t offset, struct img_err *err)
{
	struct flock fl = one_byte(F_WRLCK, offset);

	fl.l_len = 0; /* to the end, wherever that is */
	if (fcntl(fd, F_OFD_GETLK, &fl) < 0)
		return img_err_sys(err, "cannot ask for a lock");
	return fl.l_type != F_UNLCK;
}

void lock_drop(int fd, uint64_t offset)
{
	struct flock fl = one_byte(F_UNLCK, offset);
	int saved = errno;

	(void)fcntl(fd, F_OFD_SETLK, &fl); /* letting go cannot fail */
	lock_order_drop((uintptr_t)fd, offset);
	errno = saved;
}

void lock_close(int *fd)
{
	if (*fd >= 0)
		lock_order_forget((uintptr_t)*fd);
	img_fd_release(fd);
}
