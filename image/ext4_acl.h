#ifndef IMG_IMAGE_EXT4_ACL_H
#define IMG_IMAGE_EXT4_ACL_H

/*
 * POSIX ACLs: from the form of getxattr(2) (linux/posix_acl_xattr.h) to the
 * shorter one that ext4 stores (kernel: fs/ext4/acl.h).
 */
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * ext4_acl_encode - convert one ACL
 * @is_default: the default ACL of a directory, which is always stored
 * @out: room for @size_bytes
 * @ret_size: what was used; 0 when the mode bits say it all, so that nothing
 *	is to be stored
 *
 * Returns 0, or -IMG_E_INPUT with a message that wants a subject.
 */
int ext4_acl_encode(const void *acl, size_t size_bytes, bool is_default,
		    uint8_t *out, size_t *ret_size,
		    struct img_err *err) IMG_MUST_USE IMG_NONNULL(1, 4, 5, 6);

#endif
