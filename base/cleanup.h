#ifndef IMG_BASE_CLEANUP_H
#define IMG_BASE_CLEANUP_H

/*
 * A local that owns something is released when its scope ends.
 *
 * Every releaser accepts the empty value, leaves the variable empty and keeps
 * errno.  Declare an img_auto variable alone, with its empty value; hand what
 * it owns on with the matching _take.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define img_auto(fn) __attribute__((cleanup(fn)))

static inline void img_fd_release(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = saved;
}

/* For a pointer to malloc'ed memory, of whatever type. */
static inline void img_mem_release(void *slot)
{
	void **p = slot;
	int saved = errno;

	free(*p);
	*p = NULL;
	errno = saved;
}

static inline void img_stdio_release(FILE **f)
{
	int saved = errno;

	if (*f)
		(void)fclose(*f);
	*f = NULL;
	errno = saved;
}

static inline void img_dir_release(DIR **dir)
{
	int saved = errno;

	if (*dir)
		(void)closedir(*dir);
	*dir = NULL;
	errno = saved;
}

/* Moves ownership out of an img_auto variable, into the caller's hands. */
static inline int img_fd_take(int *fd)
{
	int out = *fd;

	*fd = -1;
	return out;
}

#define img_mem_take(slot)                                                     \
	({                                                                     \
		__typeof__(*(slot)) taken_ = *(slot);                          \
		*(slot) = NULL;                                                \
		taken_;                                                        \
	})

#endif
