#ifndef IMG_TESTS_LIB_TAR_MAKE_H
#define IMG_TESTS_LIB_TAR_MAKE_H

/*
 * Archives made to measure, right and wrong ones, in a growing string.
 */
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct tar_header {
	const char *name;
	char type; /* '0' where it is 0 */
	const char *link;
	unsigned mode; /* 0644 where it is 0 */
	unsigned uid, gid, mtime, dev_major, dev_minor;
	const char *raw_size; /* the field's 12 bytes instead of a number */
	bool bad_checksum;
};

/* A header, and @size bytes of content with their padding. */
void tar_make_entry(struct str *tar, const struct tar_header *header,
		    const void *data, size_t size);

/* A regular file, directory, symlink, hard link. */
void tar_make_file(struct str *tar, const char *name, const char *text);
void tar_make_dir(struct str *tar, const char *name);
void tar_make_symlink(struct str *tar, const char *name, const char *target);
void tar_make_hardlink(struct str *tar, const char *name, const char *target);

/* One record of a pax header, and a header of records for the entry that
 * follows; then both at once for a single record. */
void tar_make_record(struct str *records, const char *key, const void *value,
		     size_t size);
void tar_make_pax_header(struct str *tar, const struct str *records);
void tar_make_pax(struct str *tar, const char *key, const void *value,
		  size_t size);

/* The end-of-archive marker. */
void tar_make_end(struct str *tar);

#endif
