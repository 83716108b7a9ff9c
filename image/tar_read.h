#ifndef IMG_IMAGE_TAR_READ_H
#define IMG_IMAGE_TAR_READ_H

/*
 * A tar archive as a source of entries: plain, gzip, bzip2, xz or zstd; the
 * old, ustar, GNU and pax forms, with their sparse files, extended attributes
 * and ACLs.
 *
 * The file is read once, from its start to the end-of-archive marker, and
 * never sought in.  An archive without that marker is a truncated one.
 * Owners are taken by number, names are bytes whatever the locale.
 *
 * What libarchive 3.6 does not tell, and is therefore not here: the values
 * of global pax headers, the checksum of a gzip stream, and the sign of a
 * fraction of a second before 1970 (-0.5 comes out as 0.5).
 */
#include "base/progress.h"
#include "image/entry.h"

struct tar_options {
	const char *name;		 /* for messages; NULL: the path */
	const struct progress *progress; /* asked when a signal interrupts */
	/* What was read of it already, and comes before the rest; borrowed
	 * until the source is closed. */
	const void *head;
	size_t head_bytes;
};

/**
 * tar_source_open - begin to read an archive
 * @path: a file, a pipe or a device; "-" for standard input
 * @ret: closed by the caller, with its close()
 *
 * Returns 0, -IMG_E_NOT_FOUND, -IMG_E_SYS, or -IMG_E_INPUT for what is no
 * archive in one of these forms.
 */
int tar_source_open(const char *path, const struct tar_options *options,
		    struct entry_source **ret, struct img_err *err) IMG_MUST_USE
	IMG_NONNULL(1, 2, 3, 4);

/* As tar_source_open, from a descriptor that stays the caller's. */
int tar_source_open_fd(int fd, const struct tar_options *options,
		       struct entry_source **ret,
		       struct img_err *err) IMG_MUST_USE IMG_NONNULL(2, 3, 4);

#endif
