#ifndef IMG_BASE_ERR_H
#define IMG_BASE_ERR_H

/*
 * How a failure travels.
 *
 * What can fail returns 0 (or a count) or a negative enum img_code, and fills
 * its last parameter.  The lowest level says what failed on what; each level
 * above may put its context before it.  The first record wins: what goes wrong
 * later, on an undo path, does not hide the cause.
 */
#include "base/attr.h"

enum img_code {
	IMG_OK = 0,
	IMG_E_SYS,   /* a system call failed: sys_errno says which way */
	IMG_E_INPUT, /* caller or user gave something invalid */
	IMG_E_NOT_FOUND,
	IMG_E_EXISTS,
	IMG_E_BUSY,	   /* open, mounted, locked or running */
	IMG_E_NO_SPACE,	   /* data or metadata of a pool, or a file system */
	IMG_E_CORRUPT,	   /* stored state contradicts itself */
	IMG_E_UNSUPPORTED, /* this kernel or build lacks what is needed */
	IMG_E_NO_DM,	   /* there is no device-mapper for us here */
	IMG_E_INTERRUPTED, /* the user asked to stop */
	IMG_E_INTERNAL,
};

/* Plain data, no heap: building one cannot fail, dropping one cannot leak,
 * and a forked child can hand it to its parent in one atomic pipe write. */
struct img_err {
	enum img_code code;
	int sys_errno; /* 0 unless a system call was the cause */
	char msg[480];
};
_Static_assert(sizeof(struct img_err) <= 512, "must fit POSIX PIPE_BUF");

/**
 * img_err_set - record a failure
 * @err: filled, unless it already holds a record
 * @sys_errno: the errno that caused it, or 0; its text ends the message
 *
 * Returns -code of the record that stands, so a caller can return the call.
 */
int img_err_set(struct img_err *err, enum img_code code, int sys_errno,
		const char *fmt, ...) IMG_PRINTF(4, 5) IMG_NONNULL(1);

/**
 * img_err_sys - record a failed system call from errno
 *
 * ENOSPC and EDQUOT become IMG_E_NO_SPACE, ENOENT IMG_E_NOT_FOUND, EBUSY
 * IMG_E_BUSY, EINTR IMG_E_INTERRUPTED; the rest is IMG_E_SYS.
 */
int img_err_sys(struct img_err *err, const char *fmt, ...) IMG_PRINTF(2, 3)
	IMG_NONNULL(1);

/* Puts "context: " before the recorded message; returns -err->code. */
int img_err_prefix(struct img_err *err, const char *fmt, ...) IMG_PRINTF(2, 3)
	IMG_NONNULL(1);

/* Appends to the recorded message: what to do next; returns -err->code. */
int img_err_hint(struct img_err *err, const char *fmt, ...) IMG_PRINTF(2, 3)
	IMG_NONNULL(1);

/* clang's analyzer sees one file at a time: these always return a failure. */
#if defined(__clang_analyzer__) && !defined(IMG_ERR_DEFINES)
#define img_err_set(...)    ((void)img_err_set(__VA_ARGS__), -1)
#define img_err_sys(...)    ((void)img_err_sys(__VA_ARGS__), -1)
#define img_err_prefix(...) ((void)img_err_prefix(__VA_ARGS__), -1)
#define img_err_hint(...)   ((void)img_err_hint(__VA_ARGS__), -1)
#endif

#endif
