#include "tests/lib/ext4_change.h"

#include "base/crc32c.h"
#include "base/str.h"

#include <endian.h>
#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* It wants the types of those before. */
#include <ext2fs/ext2_ext_attr.h>

enum kind {
	SUPER,
	DESC,
	BLOCK_MAP,
	INODE_MAP,
	INODE,
	DIRECTORY,
	INDEX_ROOT,
	INDEX_NODE,
	EXTENTS,
	XATTRS,
	JOURNAL,
};

static const char *const kinds[] = {
	[SUPER] = "superblock",
	[DESC] = "descriptor",
	[BLOCK_MAP] = "block bitmap",
	[INODE_MAP] = "inode bitmap",
	[INODE] = "inode",
	[DIRECTORY] = "directory",
	[INDEX_ROOT] = "index root",
	[INDEX_NODE] = "index node",
	[EXTENTS] = "extents",
	[XATTRS] = "attributes",
	[JOURNAL] = "journal",
};

struct ext4_part {
	enum kind kind;
	size_t at, size;
	uint32_t ino, group;
	bool changed;
};

static void must(bool held)
{
	if (!held)
		abort();
}

static void add(struct ext4_change *c, enum kind kind, uint64_t at, size_t size,
		uint32_t ino, uint32_t group)
{
	must(at + size <= c->size);
	if (c->n == c->room) {
		c->room = c->room ? 2 * c->room : 256;
		c->parts = mem_realloc(c->parts, c->room * sizeof(*c->parts));
	}
	c->parts[c->n++] = (struct ext4_part){ .kind = kind,
					       .at = (size_t)at,
					       .size = size,
					       .ino = ino,
					       .group = group };
}

struct walk {
	struct ext4_change *c;
	uint32_t ino;
	bool is_dir, is_hashed;
};

static int add_block(ext2_filsys fs, blk64_t *block, e2_blkcnt_t at,
		     blk64_t ref_block, int ref_offset, void *self)
{
	struct walk *w = self;
	struct ext4_change *c = w->c;
	const uint8_t *bytes = c->bytes + *block * c->block_bytes;
	const struct ext2_dir_entry *first = (const void *)bytes;

	if (at < 0)
		add(c, EXTENTS, *block * c->block_bytes, c->block_bytes, w->ino,
		    0);
	else if (w->is_dir)
		add(c,
		    w->is_hashed && at == 0 ? INDEX_ROOT
		    : w->is_hashed && !first->inode &&
				    first->rec_len == c->block_bytes
			    ? INDEX_NODE
			    : DIRECTORY,
		    *block * c->block_bytes, c->block_bytes, w->ino, 0);
	else if (w->ino == EXT2_JOURNAL_INO && at == 0)
		add(c, JOURNAL, *block * c->block_bytes, 1024, 0, 0);
	return 0;
}

static void add_inode(struct ext4_change *c, ext2_filsys fs, uint32_t ino)
{
	uint32_t group = (ino - 1) / fs->super->s_inodes_per_group;
	uint32_t nth = (ino - 1) % fs->super->s_inodes_per_group;
	struct walk w = { .c = c, .ino = ino };
	struct ext2_inode inode;
	blk64_t xattr;

	must(!ext2fs_read_inode(fs, ino, &inode));
	add(c, INODE,
	    ext2fs_inode_table_loc(fs, group) * c->block_bytes +
		    nth * EXT2_INODE_SIZE(fs->super),
	    EXT2_INODE_SIZE(fs->super), ino, 0);
	if (!inode.i_links_count)
		return;
	xattr = ext2fs_file_acl_block(fs, &inode);
	if (xattr)
		add(c, XATTRS, xattr * c->block_bytes, c->block_bytes, 0, 0);
	w.is_dir = LINUX_S_ISDIR(inode.i_mode);
	w.is_hashed = inode.i_flags & EXT2_INDEX_FL;
	if (ino != EXT2_RESIZE_INO &&
	    ext2fs_inode_has_valid_blocks2(fs, &inode))
		must(!ext2fs_block_iterate3(fs, ino, BLOCK_FLAG_READ_ONLY, NULL,
					    add_block, &w));
}

static void learn(struct ext4_change *c, ext2_filsys fs)
{
	uint64_t descs =
		(fs->super->s_first_data_block + 1) * (uint64_t)fs->blocksize;
	uint32_t used = 0;

	c->block_bytes = fs->blocksize;
	c->desc_bytes = EXT2_DESC_SIZE(fs->super);
	c->seed = fs->csum_seed;
	add(c, SUPER, SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE, 0, 0);
	for (uint32_t g = 0; g < fs->group_desc_count; g++) {
		add(c, DESC, descs + g * c->desc_bytes, c->desc_bytes, 0, g);
		if (!ext2fs_bg_flags_test(fs, g, EXT2_BG_BLOCK_UNINIT))
			add(c, BLOCK_MAP,
			    ext2fs_block_bitmap_loc(fs, g) * c->block_bytes,
			    c->block_bytes, 0, g);
		if (!ext2fs_bg_flags_test(fs, g, EXT2_BG_INODE_UNINIT))
			add(c, INODE_MAP,
			    ext2fs_inode_bitmap_loc(fs, g) * c->block_bytes,
			    c->block_bytes, 0, g);
	}
	/* Of many that are much the same a few are enough. */
	for (uint32_t ino = 1; ino <= fs->super->s_inodes_count; ino++)
		if (ext2fs_test_inode_bitmap2(fs->inode_map, ino) &&
		    used++ < 60)
			add_inode(c, fs, ino);
}

void ext4_change_init(struct ext4_change *c, int fd, const char *path)
{
	ext2_filsys fs = NULL;
	struct stat st;

	*c = (struct ext4_change){ 0 };
	must(fstat(fd, &st) == 0);
	c->size = (size_t)st.st_size;
	c->bytes =
		mmap(NULL, c->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(c->bytes != MAP_FAILED);
	c->good = mem_alloc(c->size);
	memcpy(c->good, c->bytes, c->size);
	must(!ext2fs_open(path, EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &fs));
	must(!ext2fs_read_bitmaps(fs));
	learn(c, fs);
	ext2fs_free(fs);
}

void ext4_change_release(struct ext4_change *c)
{
	(void)munmap(c->bytes, c->size);
	free(c->good);
	free(c->parts);
}

size_t ext4_change_parts(const struct ext4_change *c)
{
	return c->n;
}

const char *ext4_change_kind(const struct ext4_change *c, size_t part)
{
	return kinds[c->parts[part].kind];
}

static uint32_t inode_seed(const struct ext4_change *c, uint32_t ino)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct ext4_part *p = &c->parts[i];
		const struct ext2_inode *inode =
			(const void *)(c->bytes + p->at);

		if (p->kind == INODE && p->ino == ino)
			return crc32c_update(crc32c_update(c->seed, &ino,
							   sizeof(ino)),
					     &inode->i_generation,
					     sizeof(inode->i_generation));
	}
	abort();
}

static void mend_desc(struct ext4_change *c, uint32_t group)
{
	struct ext4_group_desc *desc = NULL;
	uint32_t crc;

	for (size_t i = 0; i < c->n; i++)
		if (c->parts[i].kind == DESC && c->parts[i].group == group) {
			desc = (void *)(c->bytes + c->parts[i].at);
			c->parts[i].changed = true;
		}
	must(desc);
	desc->bg_checksum = 0;
	crc = crc32c_update(c->seed, &group, sizeof(group));
	desc->bg_checksum = (uint16_t)crc32c_update(crc, desc, c->desc_bytes);
}

/* The descriptor has it, whose own is next. */
static void mend_map(struct ext4_change *c, const struct ext4_part *p)
{
	const struct ext2_super_block *sb =
		(const void *)(c->good + SUPERBLOCK_OFFSET);
	bool blocks = p->kind == BLOCK_MAP;
	uint32_t bits =
		blocks ? sb->s_clusters_per_group : sb->s_inodes_per_group;
	uint32_t crc = crc32c_update(c->seed, c->bytes + p->at, bits / 8);

	for (size_t i = 0; i < c->n; i++) {
		struct ext4_group_desc *d = (void *)(c->bytes + c->parts[i].at);

		if (c->parts[i].kind != DESC || c->parts[i].group != p->group)
			continue;
		if (blocks)
			d->bg_block_bitmap_csum_lo = (uint16_t)crc;
		else
			d->bg_inode_bitmap_csum_lo = (uint16_t)crc;
		if (c->desc_bytes < 64)
			continue;
		if (blocks)
			d->bg_block_bitmap_csum_hi = (uint16_t)(crc >> 16);
		else
			d->bg_inode_bitmap_csum_hi = (uint16_t)(crc >> 16);
	}
	mend_desc(c, p->group);
}

static void mend_inode(struct ext4_change *c, const struct ext4_part *p)
{
	struct ext2_inode_large *in = (void *)(c->bytes + p->at);
	bool wide = in->i_extra_isize >= 4;
	uint32_t crc;

	in->osd2.linux2.l_i_checksum_lo = 0;
	if (wide)
		in->i_checksum_hi = 0;
	crc = crc32c_update(inode_seed(c, p->ino), in, p->size);
	in->osd2.linux2.l_i_checksum_lo = (uint16_t)crc;
	if (wide)
		in->i_checksum_hi = (uint16_t)(crc >> 16);
}

static void put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

static void mend_index(struct ext4_change *c, const struct ext4_part *p)
{
	size_t entries = p->kind == INDEX_ROOT ? 32 : 8;
	uint8_t *bytes = c->bytes + p->at;
	uint16_t limit, count;
	uint32_t crc;

	memcpy(&limit, bytes + entries, 2);
	memcpy(&count, bytes + entries + 2, 2);
	if (entries + limit * 8u + 8 > p->size || count > limit)
		return; /* nobody knows where it is */
	crc = crc32c_update(inode_seed(c, p->ino), bytes, entries + count * 8u);
	crc = crc32c_update(crc, bytes + entries + limit * 8u, 4);
	put32(bytes + entries + limit * 8u + 4,
	      crc32c_update(crc, "\0\0\0", 4));
}

static void mend(struct ext4_change *c, const struct ext4_part *p)
{
	uint8_t *bytes = c->bytes + p->at;
	struct ext2_ext_attr_header *xattr = (void *)bytes;
	uint64_t block = p->at / c->block_bytes;
	size_t end = p->size;

	switch (p->kind) {
	case SUPER:
		put32(bytes + 1020, crc32c_update(UINT32_MAX, bytes, 1020));
		return;
	case DESC:
		mend_desc(c, p->group);
		return;
	case BLOCK_MAP:
	case INODE_MAP:
		mend_map(c, p);
		return;
	case INODE:
		mend_inode(c, p);
		return;
	case DIRECTORY:
		put32(bytes + end - 4,
		      crc32c_update(inode_seed(c, p->ino), bytes, end - 12));
		return;
	case INDEX_ROOT:
	case INDEX_NODE:
		mend_index(c, p);
		return;
	case EXTENTS:
		end = 12 + (end - 12) / 12 * 12;
		put32(bytes + end,
		      crc32c_update(inode_seed(c, p->ino), bytes, end));
		return;
	case XATTRS:
		xattr->h_checksum = 0;
		xattr->h_checksum = crc32c_update(crc32c_update(c->seed, &block,
								sizeof(block)),
						  bytes, end);
		return;
	case JOURNAL:
		put32(bytes + 252, 0);
		put32(bytes + 252,
		      htobe32(crc32c_update(UINT32_MAX, bytes, 1024)));
		return;
	}
}

void ext4_change_put(struct ext4_change *c, size_t part, size_t offset,
		     const void *bytes, size_t n)
{
	struct ext4_part *p = &c->parts[part % c->n];

	if (n > p->size)
		n = p->size;
	offset %= p->size - n + 1;
	memcpy(c->bytes + p->at + offset, bytes, n);
	p->changed = true;
	mend(c, p);
}

void ext4_change_undo(struct ext4_change *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct ext4_part *p = &c->parts[i];

		if (p->changed)
			memcpy(c->bytes + p->at, c->good + p->at, p->size);
		p->changed = false;
	}
}
