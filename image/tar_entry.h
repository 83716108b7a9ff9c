#ifndef IMG_IMAGE_TAR_ENTRY_H
#define IMG_IMAGE_TAR_ENTRY_H

/*
 * What libarchive says of one tar entry, in our terms, checked.
 */
#include "base/str.h"
#include "image/entry.h"

struct archive_entry;

/* What an entry's attributes point to, until the next one is read. */
struct tar_xattrs {
	struct entry_xattr *list;
	size_t n, capacity;
	struct str acl[2]; /* access, default */
};

void tar_xattrs_release(struct tar_xattrs *xattrs) IMG_NONNULL(1);

/**
 * tar_entry_read - all of an entry but its number and path
 * @ret: its link and xattrs belong to @from and @xattrs
 *
 * Returns 0, or -IMG_E_INPUT with a message that wants a subject: an unknown
 * type, a negative size, an owner no file can have, an ACL for somebody
 * unknown.
 */
int tar_entry_read(struct archive_entry *from, struct tar_xattrs *xattrs,
		   struct entry *ret, struct img_err *err) IMG_MUST_USE
	IMG_NONNULL(1, 2, 3, 4);

#endif
