#ifndef IMG_IMAGE_TAR_WRITE_H
#define IMG_IMAGE_TAR_WRITE_H

/*
 * A source of entries as a tar archive, in pax form: names as bytes, owners by
 * number, times to the nanosecond, extended attributes and ACLs as GNU tar
 * writes them (SCHILY).  Holes that the source knows of beforehand are left out
 * (GNU.sparse 1.0), others become zeroes; sockets are left out, as every tar
 * leaves them out.
 */
#include "base/progress.h"
#include "image/entry.h"

/**
 * tar_write - write all of a source's entries
 * @source: read to its end; stays the caller's
 * @fd: where to; borrowed, and only written to, in order
 * @progress: may be NULL
 *
 * Returns 0, what the source returns, -IMG_E_NO_SPACE, -IMG_E_SYS, or
 * -IMG_E_INTERRUPTED.
 */
int tar_write(struct entry_source *source, int fd,
	      const struct progress *progress, struct img_err *err) IMG_MUST_USE
	IMG_NONNULL(1, 4);

#endif
