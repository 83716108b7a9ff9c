#ifndef IMG_IMAGE_EXT4_IO_H
#define IMG_IMAGE_EXT4_IO_H

/*
 * libext2fs writes through here: superblocks, descriptors and bitmaps are
 * gathered, and written in order of their blocks.  Nothing is ever read.
 */
#include "image/ext4_fs.h"

/* For ext2fs_initialize(); the name it is given is not looked at. */
io_manager ext4_io_manager(void);

/* Must come before the first write; @out is borrowed. */
void ext4_io_attach(io_channel channel, struct ext4_out *out) IMG_NONNULL(1, 2);

/* Hands everything gathered to the channel's ext4_out, in order. */
int ext4_io_write_out(io_channel channel, struct img_err *err) IMG_MUST_USE
	IMG_NONNULL(1, 2);

#endif
