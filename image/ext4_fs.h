#ifndef IMG_IMAGE_EXT4_FS_H
#define IMG_IMAGE_EXT4_FS_H

/*
 * An ext4 file system being written: its geometry, made once at the start,
 * and its free blocks, handed out in ascending order.
 *
 * Geometry, chosen so that a snapshot's first writes meet few chunks of the
 * pool: 4 KiB blocks, 256 groups to a flex group; superblock, descriptors and
 * the first groups' bitmaps side by side, then the journal, the inode tables,
 * and after them everything else without a gap.  The device must read as
 * zeroes: inode tables and journal are declared zeroed, not written.
 *
 * On-disk format: the kernel's Documentation/filesystems/ext4.
 */
#include "image/ext4_out.h"

#include <endian.h>
#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>
#include <stdbool.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "ext4 structures are filled in here in the order of their bytes on disk"
#endif

#define EXT4_INODE_BYTES 256u
#define EXT4_MIN_BYTES	 (UINT64_C(16) << 20)

struct ext4_geometry {
	uint64_t size_bytes;
	const char *label; /* at most 16 bytes; NULL: none */
	uint8_t uuid[16];
	uint64_t bytes_per_inode;
	uint64_t journal_bytes;
	uint32_t chunk_bytes; /* of the pool below */
	int64_t now_s;
};

/* Blocks that were handed out and then given back. */
struct ext4_freed {
	struct ext4_freed *next;
	uint64_t block, n;
};

struct ext4_fs {
	ext2_filsys e2;
	struct ext4_out out;
	uint64_t size_bytes;
	uint64_t journal_block, n_journal;
	uint64_t data_block;	 /* where handing out begins */
	uint64_t next, area_end; /* blocks left before the next metadata */
	uint64_t n_left;	 /* blocks left in all */
	uint64_t n_free;	 /* blocks there were at the start */
	struct ext4_freed *freed;
	int64_t now_s;
};

/**
 * ext4_fs_create - lay out a file system; nothing is written yet
 * @fd: block device or file of at least size_bytes; borrowed
 *
 * Returns 0, or -IMG_E_INPUT (too small, too large, not a multiple that ext4
 * can use).  @fs is to be released either way.
 */
int ext4_fs_create(struct ext4_fs *fs, int fd, const struct ext4_geometry *geo,
		   struct img_err *err) IMG_MUST_USE IMG_NONNULL(1, 3, 4);
void ext4_fs_release(struct ext4_fs *fs) IMG_NONNULL(1);

/* Says in our terms what libext2fs could not do. */
int ext4_fs_failed(errcode_t code, const char *what, struct img_err *err)
	IMG_NONNULL(2, 3);

/**
 * ext4_fs_take - hand out consecutive free blocks
 * @n: how many are wanted, at least 1
 * @ret_n: how many there are in a row, 1 to @n
 *
 * Returns 0, or -IMG_E_NO_SPACE with a message that wants a subject.
 */
int ext4_fs_take(struct ext4_fs *fs, uint64_t n, uint64_t *ret_block,
		 uint64_t *ret_n, struct img_err *err) IMG_MUST_USE
	IMG_NONNULL(1, 3, 4, 5);

/* Takes back the last @n blocks that were handed out. */
void ext4_fs_untake(struct ext4_fs *fs, uint64_t n) IMG_NONNULL(1);

/* Hands out one block and the place to fill it. */
int ext4_fs_new_block(struct ext4_fs *fs, uint64_t *ret_block, uint8_t **ret,
		      struct img_err *err) IMG_MUST_USE IMG_NONNULL(1, 2, 3, 4);

/* Gives blocks back that were written and then replaced.  They stay unused
 * until the file system is mounted. */
void ext4_fs_free(struct ext4_fs *fs, uint64_t block, uint64_t n)
	IMG_NONNULL(1);

/* Enters into the block bitmap what was handed out and not given back. */
void ext4_fs_settle(struct ext4_fs *fs) IMG_NONNULL(1);

/* Inodes for files: those that ext4 keeps for itself are not counted. */
uint64_t ext4_fs_n_inodes(const struct ext4_fs *fs) IMG_NONNULL(1);

/* What files and directories take, as df shows it: tables and journal aside.
 * Right once ext4_fs_settle was called. */
uint64_t ext4_fs_used_bytes(const struct ext4_fs *fs) IMG_NONNULL(1);

/* "does not fit in a volume of 10 GiB" */
int ext4_fs_full(const struct ext4_fs *fs, struct img_err *err)
	IMG_NONNULL(1, 2);

#endif
