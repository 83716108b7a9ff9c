#ifndef IMG_STORAGE_PROBE_H
#define IMG_STORAGE_PROBE_H

/*
 * What is on a device or in a file, as libblkid sees it.
 *
 * Lives in the part "machine" (base/part.h): only verbs that are given a
 * device or a disk image load libblkid.
 */
#include "base/err.h"

#define PROBE_TYPE_MAX 64
#define PROBE_PART     "machine"

/**
 * probe_content - name the file system, partition table or other signature
 * @fd: open for reading; its position is left alone
 * @name: of the object, for messages
 * @type: "ext4", "xfs", "gpt", "LVM2_member" ...; empty when nothing is known
 *
 * Returns 1 when something was found, 0 when not, IMG_E_CORRUPT when several
 * signatures contradict each other, IMG_E_SYS.
 */
typedef int probe_content_fn(int fd, const char *name,
			     char type[PROBE_TYPE_MAX], struct img_err *err);
probe_content_fn probe_content;

#endif
