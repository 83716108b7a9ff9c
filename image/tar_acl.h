#ifndef IMG_IMAGE_TAR_ACL_H
#define IMG_IMAGE_TAR_ACL_H

/*
 * POSIX ACLs of a tar entry (SCHILY.acl.access, SCHILY.acl.default), in the
 * form of getxattr(2) that struct entry_xattr wants.
 */
#include "base/str.h"
#include "image/entry.h"

#include <stdbool.h>

struct archive_entry;

/**
 * tar_acl_read - one ACL of an entry
 * @is_default: that for new files in a directory; else that of the file
 * @ret: emptied, then filled with the ACL, or left empty where there is none
 * @mode: the group's bits are set to what an ACL says they stand for
 *
 * A user or group that has a name only, and no number, is looked up in this
 * system's databases, as GNU tar does.
 *
 * Returns 0, or -IMG_E_INPUT with a message that wants a subject.
 */
int tar_acl_read(struct archive_entry *entry, bool is_default, struct str *ret,
		 uint16_t *mode, struct img_err *err) IMG_MUST_USE
	IMG_NONNULL(1, 3, 4, 5);

/**
 * tar_acl_write - give an entry one ACL
 * @acl: as getxattr(2) returns it; @size_bytes of it
 *
 * Returns 0, or -IMG_E_INPUT with a message that wants a subject.
 */
int tar_acl_write(const void *acl, size_t size_bytes, bool is_default,
		  struct archive_entry *entry, struct img_err *err) IMG_MUST_USE
	IMG_NONNULL(1, 4, 5);

#endif
