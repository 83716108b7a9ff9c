#include "image/ext4_dir.h"

#include "image/ext4_htree.h"

#include <string.h>
#include <sys/stat.h>

static uint8_t type_of(uint16_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return EXT2_FT_DIR;
	case S_IFLNK:
		return EXT2_FT_SYMLINK;
	case S_IFCHR:
		return EXT2_FT_CHRDEV;
	case S_IFBLK:
		return EXT2_FT_BLKDEV;
	case S_IFIFO:
		return EXT2_FT_FIFO;
	case S_IFSOCK:
		return EXT2_FT_SOCK;
	default:
		return EXT2_FT_REG_FILE;
	}
}

static void put(uint8_t *at, uint32_t ino, uint32_t rec_len, const char *name,
		uint8_t name_len, uint8_t type)
{
	struct ext2_dir_entry_2 *e = (void *)at;

	e->inode = ino;
	e->rec_len = (uint16_t)rec_len;
	e->name_len = name_len;
	e->file_type = type;
	memcpy(e->name, name, name_len);
}

void ext4_dirent_put(uint8_t *at, const struct tree_dentry *dentry,
		     uint32_t rec_len)
{
	put(at, dentry->node->ino, rec_len, dentry->name, dentry->name_len,
	    type_of(dentry->node->mode));
}

void ext4_dirent_put_dots(uint8_t *at, uint32_t ino, uint8_t name_len,
			  uint32_t rec_len)
{
	put(at, ino, rec_len, "..", name_len, EXT2_FT_DIR);
}

int ext4_dir_block_seal(struct ext4_fs *fs, const struct tree_node *dir,
			uint8_t *place, bool has_tail, struct img_err *err)
{
	errcode_t code;

	if (has_tail)
		ext2fs_initialize_dirent_tail(
			fs->e2, EXT2_DIRENT_TAIL(place, EXT4_BLOCK_BYTES));
	code = ext2fs_dir_block_csum_set(
		fs->e2, dir->ino, (struct ext2_dir_entry *)(void *)place);
	return code ? ext4_fs_failed(code, "seal a directory block", err) : 0;
}

static int linear_write(struct ext4_fs *fs, struct tree_node *dir,
			struct img_err *err)
{
	uint32_t used = 12, last = 12, room;
	uint64_t block;
	uint8_t *place;
	int r = ext4_fs_new_block(fs, &block, &place, err);

	if (r < 0)
		return r;
	memset(place, 0, EXT4_BLOCK_BYTES);
	ext4_dirent_put_dots(place, dir->ino, 1, 12);
	ext4_dirent_put_dots(place + used, dir->dir->parent->ino, 2, 12);
	used += 12;
	for (struct tree_dentry *d = dir->dir->first; d; d = d->next) {
		if (!d->node)
			continue;
		last = used;
		used += ext4_dirent_bytes(d->name_len);
		ext4_dirent_put(place + last, d, used - last);
	}
	room = EXT4_DIR_BLOCK_BYTES -
	       last; /* the last one takes what is left */
	((struct ext2_dir_entry_2 *)(void *)(place + last))->rec_len =
		(uint16_t)room;
	tree_map_add(&dir->map, 0, block, 1);
	dir->size_bytes = EXT4_BLOCK_BYTES;
	return ext4_dir_block_seal(fs, dir, place, true, err);
}

int ext4_dir_write(struct ext4_fs *fs, struct tree_node *dir,
		   struct img_err *err)
{
	uint64_t bytes = 24, n_dirs = 0;

	for (struct tree_dentry *d = dir->dir->first; d; d = d->next) {
		if (!d->node)
			continue;
		bytes += ext4_dirent_bytes(d->name_len);
		n_dirs += tree_node_is_dir(d->node);
	}
	/* more than EXT4_LINK_MAX is written as 1: dir_nlink */
	dir->links = n_dirs + 2 > 64999 ? 1 : (uint32_t)n_dirs + 2;
	if (bytes <= EXT4_DIR_BLOCK_BYTES)
		return linear_write(fs, dir, err);
	return ext4_htree_write(fs, dir, err);
}
