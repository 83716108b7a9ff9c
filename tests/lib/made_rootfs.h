#ifndef IMG_TESTS_MADE_ROOTFS_H
#define IMG_TESTS_MADE_ROOTFS_H

/*
 * A tar that is made up, and the ext4 of 64 MiB that it becomes.
 */
#include "image/rootfs.h"
#include "tests/lib/ext4_image.h"

struct made_rootfs {
	struct ext4_image image;
	struct str tar, out; /* what is imported; room for what is read */
	struct rootfs_stats stats;
	struct img_err err;
};

/* Options that ask for nothing special. */
extern const struct rootfs_options made_plain;

/* Setup and teardown of a test: *state is a struct made_rootfs. */
int made_rootfs_setup(void **state);
int made_rootfs_teardown(void **state);

#define test_in_rootfs(fn)                                                     \
	cmocka_unit_test_setup_teardown(fn, made_rootfs_setup,                 \
					made_rootfs_teardown)

/* Ends the tar and imports it, which succeeds and satisfies e2fsck. */
void made_import(struct made_rootfs *f);
/* Ends the tar, whose import fails with that message; then it is empty. */
void made_refused(struct made_rootfs *f, const struct rootfs_options *options,
		  enum img_code code, const char *message);

#endif
