#ifndef IMG_IMAGE_ENTRY_H
#define IMG_IMAGE_ENTRY_H

/*
 * What comes out of a tar or a directory and goes into a file system: one
 * entry at a time, each with its attributes, then its content.
 *
 * Names, link targets and values of extended attributes are bytes, kept as
 * they are: no character set is assumed.  All that an entry points to belongs
 * to its source and lives until the source's next call.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum entry_type {
	ENTRY_FILE,
	ENTRY_DIR,
	ENTRY_SYMLINK,
	ENTRY_HARDLINK, /* one more name for the file at @link */
	ENTRY_CHAR,
	ENTRY_BLOCK,
	ENTRY_FIFO,
	ENTRY_SOCKET,
};

/* @name is whole, as listxattr(2) gives it: "security.capability".  POSIX
 * ACLs are "system.posix_acl_access" and "system.posix_acl_default", in the
 * form that getxattr(2) returns them. */
struct entry_xattr {
	const char *name;
	const void *value;
	size_t size_bytes;
};

/* Where a file has data. */
struct entry_extent {
	uint64_t offset_bytes, size_bytes;
};

struct entry {
	uint64_t number;  /* from 1, in the order of the source */
	const char *path; /* as found: may be absolute or hold ".." */
	enum entry_type type;
	uint16_t mode; /* permission bits, 07777 */
	uint32_t uid, gid;
	int64_t mtime_s; /* since 1970; may be negative */
	uint32_t mtime_ns;
	uint64_t size_bytes; /* of a file, holes included; else 0 */
	/* Of a file whose holes were looked up: its data, in ascending order.
	 * Where is_sparse is not set there may be holes as well. */
	bool is_sparse;
	const struct entry_extent *extents;
	size_t n_extents;
	uint32_t dev_major, dev_minor;
	const char *link; /* symlink: its target; hard link: a path */
	const struct entry_xattr *xattrs;
	size_t n_xattrs;
};

/* A stretch of a file's content.  Stretches come in ascending order and do
 * not overlap; what lies between them is a hole. */
struct entry_data {
	const void *bytes;
	size_t size_bytes;
	uint64_t offset_bytes;
};

/* Implemented by tar_read and dir_read; embedded as the first member. */
struct entry_source {
	/* 1 and *ret filled, 0 after the last entry, or an error that names
	 * the entry.  What was not read of the entry before is skipped. */
	int (*next)(struct entry_source *self, struct entry *ret,
		    struct img_err *err);
	/* The next stretch of the current ENTRY_FILE: 1, 0 at its end, or an
	 * error that does not name the entry. */
	int (*data)(struct entry_source *self, struct entry_data *ret,
		    struct img_err *err);
	/* Bytes of input used so far and in all, 0 where unknown. */
	void (*position)(struct entry_source *self, uint64_t *ret_done_bytes,
			 uint64_t *ret_total_bytes);
	void (*close)(struct entry_source *self);
};

#define ENTRY_QUOTED_MAX 168
#define ENTRY_LABEL_MAX	 (ENTRY_QUOTED_MAX + 32)

/**
 * entry_quote - a name fit for a terminal and a log, in single quotes
 *
 * What is not printable ASCII, and the quote and backslash themselves, become
 * backslash escapes; a long name loses its middle.  Returns @out.
 */
const char *entry_quote(const char *name, char out[ENTRY_QUOTED_MAX])
	IMG_NONNULL(1, 2);

/* "entry 17 'etc/passwd'"; returns @out. */
const char *entry_label(const struct entry *entry, char out[ENTRY_LABEL_MAX])
	IMG_NONNULL(1, 2);

/**
 * entry_blame - puts the entry's label before a message that wants a subject
 *
 * "leaves the image" becomes "entry 17 'a/../../b' leaves the image".
 * Returns -err->code.
 */
int entry_blame(const struct entry *entry, struct img_err *err)
	IMG_NONNULL(1, 2);
/* The same with another subject. */
int entry_blame_as(const char *subject, struct img_err *err) IMG_NONNULL(1, 2);

/* Closes *source, if there is one, and empties it: for img_auto. */
static inline void entry_source_release(struct entry_source **source)
{
	if (*source)
		(*source)->close(*source);
	*source = NULL;
}

#endif
