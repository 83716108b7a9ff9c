#ifndef IMG_STORAGE_LIBDM_H
#define IMG_STORAGE_LIBDM_H

/*
 * libdevmapper, opened by whoever needs it first.
 *
 * It brings libselinux, libudev, libpcre2 and libm, which together cost more
 * than all else that a program needs to start; and most verbs ask the kernel's
 * device-mapper for nothing.  What it calls dm_X is X here.
 */
#include "base/err.h"

#include <libdevmapper.h>

/* clang-format off */
#define LIBDM_CALLS(call) \
	call(get_next_target) \
	call(log_with_errno_init) \
	call(task_add_target) \
	call(task_create) \
	call(task_destroy) \
	call(task_get_errno) \
	call(task_get_info) \
	call(task_no_flush) \
	call(task_run) \
	call(task_set_cookie) \
	call(task_set_message) \
	call(task_set_name) \
	call(task_set_ro) \
	call(task_set_sector) \
	call(task_set_uuid) \
	call(udev_set_sync_support)
/* clang-format on */

struct libdm {
#define LIBDM_POINTER(name) __typeof__(dm_##name) *name;
	LIBDM_CALLS(LIBDM_POINTER)
#undef LIBDM_POINTER
};

extern const char *libdm_library; /* its file; tests name another */

/**
 * libdm_open - the library's functions
 *
 * It stays loaded until the program ends.  Returns NULL with @err filled,
 * IMG_E_NO_DM, where it is not installed or too old.
 */
const struct libdm *libdm_open(struct img_err *err) IMG_MUST_USE;

#endif
