#include "base/cleanup.h"
#include "base/crc32c.h"
#include "base/str.h"
#include "image/ext4_checking.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TAIL_BYTES 12u
#define TAIL_TYPE  0xdeu
#define LINKS_MAX  65000u

struct name {
	const uint8_t *bytes;
	uint8_t len;
};

/* A directory on its way through. */
struct dir {
	struct checking *c;
	struct checking_inode inode;
	uint32_t parent;
	uint64_t *blocks;
	uint32_t n, filled;
	uint8_t *content; /* all of its blocks */
	struct checking_leaf *leaves;
	bool hashed;
	int hash_version;
	struct name *names;
	size_t n_names, room_names;
	uint32_t n_subdirs;
};

/* Directories that were found and not read yet, each with its parent. */
struct queue {
	struct {
		uint32_t ino, parent;
	} * item;
	size_t n, room;
};

static void dir_release(struct dir *d)
{
	free(d->blocks);
	free(d->content);
	free(d->leaves);
	free(d->names);
}

static void queue_release(struct queue *q)
{
	free(q->item);
}

static void push(struct queue *q, uint32_t ino, uint32_t parent)
{
	if (q->n == q->room) {
		q->room = q->room ? 2 * q->room : 256;
		q->item = mem_realloc(q->item, q->room * sizeof(*q->item));
	}
	q->item[q->n].ino = ino;
	q->item[q->n++].parent = parent;
}

static int bad(const struct dir *d, const char *what, struct img_err *err)
{
	return checking_bad(err, "the directory %u %s", d->inode.ino, what);
}

static int add_extent(void *self, const struct checking_extent *extent,
		      struct img_err *err)
{
	struct dir *d = self;

	for (uint32_t i = 0; i < extent->n && d->filled < d->n; i++)
		d->blocks[d->filled++] = extent->block + i;
	return 0;
}

/* As e2fsprogs numbers them in directory entries. */
static uint8_t type_of(uint8_t kind)
{
	switch (kind << 12) {
	case LINUX_S_IFREG:
		return EXT2_FT_REG_FILE;
	case LINUX_S_IFDIR:
		return EXT2_FT_DIR;
	case LINUX_S_IFCHR:
		return EXT2_FT_CHRDEV;
	case LINUX_S_IFBLK:
		return EXT2_FT_BLKDEV;
	case LINUX_S_IFIFO:
		return EXT2_FT_FIFO;
	case LINUX_S_IFSOCK:
		return EXT2_FT_SOCK;
	case LINUX_S_IFLNK:
		return EXT2_FT_SYMLINK;
	default:
		return EXT2_FT_UNKNOWN;
	}
}

struct dirent_head {
	uint32_t inode;
	uint16_t rec_len;
	uint8_t name_len, type;
};

static bool is_dots(const uint8_t *name, unsigned len)
{
	return (len == 1 && name[0] == '.') ||
	       (len == 2 && name[0] == '.' && name[1] == '.');
}

/* A name that is neither "." nor "..". */
static int check_entry(struct dir *d, const struct dirent_head *e,
		       const uint8_t *name, struct queue *queue,
		       struct img_err *err)
{
	struct checking *c = d->c;

	if (!e->name_len || memchr(name, '/', e->name_len) ||
	    memchr(name, 0, e->name_len) || is_dots(name, e->name_len))
		return bad(d, "has a name that cannot be", err);
	if (e->inode < c->sb.s_first_ino || e->inode > c->sb.s_inodes_count ||
	    !c->kind[e->inode] || e->inode == c->sb.s_orphan_file_inum)
		return bad(d, "names an inode that is none", err);
	if (e->type != type_of(c->kind[e->inode]))
		return bad(d, "is wrong about what an inode is", err);
	c->names[e->inode]++;
	if (e->type == EXT2_FT_DIR) {
		if (c->names[e->inode] > 1)
			return bad(d,
				   "names a directory that has a name "
				   "already",
				   err);
		d->n_subdirs++;
		push(queue, e->inode, d->inode.ino);
	}
	if (d->n_names == d->room_names) {
		d->room_names = d->room_names ? 2 * d->room_names : 64;
		d->names = mem_realloc(d->names,
				       d->room_names * sizeof(*d->names));
	}
	d->names[d->n_names++] = (struct name){ name, e->name_len };
	return 0;
}

static int check_dots(struct dir *d, const struct dirent_head *e,
		      const uint8_t *name, unsigned which, struct img_err *err)
{
	uint32_t wanted = which ? d->parent : d->inode.ino;

	if (e->inode != wanted || e->name_len != which + 1 ||
	    !is_dots(name, e->name_len) || e->type != EXT2_FT_DIR ||
	    name[e->name_len] || (!which && e->rec_len != 12))
		return bad(d, which ? "has a wrong '..'" : "has a wrong '.'",
			   err);
	return 0;
}

static int check_hash(const struct dir *d, const struct checking_leaf *leaf,
		      const uint8_t *name, uint8_t len, struct img_err *err)
{
	ext2_dirhash_t hash = 0, minor = 0;

	if (ext2fs_dirhash(d->hash_version, (const char *)name, len,
			   d->c->sb.s_hash_seed, &hash, &minor) ||
	    hash < leaf->low || hash > leaf->high)
		return bad(d, "has a name in a wrong place of its hash tree",
			   err);
	return 0;
}

static int check_tail(const struct dir *d, const uint8_t *block,
		      struct img_err *err)
{
	uint32_t end = d->c->block_bytes - TAIL_BYTES, crc;
	struct dirent_head tail;

	memcpy(&tail, block + end, sizeof(tail));
	memcpy(&crc, block + end + sizeof(tail), sizeof(crc));
	if (tail.inode || tail.rec_len != TAIL_BYTES || tail.name_len ||
	    tail.type != TAIL_TYPE ||
	    crc != crc32c_update(d->inode.seed, block, end))
		return bad(d, "has a wrong checksum", err);
	return 0;
}

static int check_linear(struct dir *d, uint32_t at, struct queue *queue,
			struct img_err *err)
{
	const uint8_t *block = d->content + (size_t)at * d->c->block_bytes;
	uint32_t end = d->c->block_bytes - TAIL_BYTES, pos = 0;
	unsigned nth = at ? 2 : 0; /* the first two of all are the dots */
	int r = check_tail(d, block, err);

	while (r == 0 && pos < end) {
		const uint8_t *name = block + pos + sizeof(struct dirent_head);
		struct dirent_head e;

		memcpy(&e, block + pos, sizeof(e));
		if (e.rec_len < 12 || e.rec_len % 4 || e.rec_len > end - pos ||
		    e.rec_len < sizeof(e) + (e.name_len + 3u) / 4 * 4)
			return bad(d, "has entries that overlap", err);
		if (nth < 2)
			r = check_dots(d, &e, name, nth, err);
		else if (e.inode)
			r = check_entry(d, &e, name, queue, err);
		if (r == 0 && d->hashed && e.inode)
			r = check_hash(d, &d->leaves[at], name, e.name_len,
				       err);
		nth++;
		pos += e.rec_len;
	}
	if (r == 0 && !at && nth < 2)
		return bad(d, "has no '..'", err);
	return r;
}

/* The root of a hash tree looks like a block with just the dots. */
static int check_hashed(struct dir *d, struct img_err *err)
{
	struct dirent_head dot, dots;
	int r;

	memcpy(&dot, d->content, sizeof(dot));
	memcpy(&dots, d->content + 12, sizeof(dots));
	r = check_dots(d, &dot, d->content + sizeof(dot), 0, err);
	if (r == 0)
		r = check_dots(d, &dots, d->content + 12 + sizeof(dots), 1,
			       err);
	if (r == 0 && dots.rec_len != d->c->block_bytes - 12)
		r = bad(d, "has a broken hash tree", err);
	if (r == 0)
		r = checking_htree(d->c, &d->inode, d->blocks, d->n, d->leaves,
				   &d->hash_version, err);
	return r;
}

static int compare_names(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->bytes, y->bytes, x->len);
}

static int check_names(struct dir *d, struct img_err *err)
{
	if (d->n_names)
		qsort(d->names, d->n_names, sizeof(*d->names), compare_names);
	for (size_t i = 1; i < d->n_names; i++)
		if (compare_names(&d->names[i - 1], &d->names[i]) == 0)
			return bad(d, "has a name twice", err);
	return 0;
}

static int check_links(const struct dir *d, struct img_err *err)
{
	uint32_t links = 2 + d->n_subdirs;

	if (links > LINKS_MAX &&
	    d->c->sb.s_feature_ro_compat & EXT4_FEATURE_RO_COMPAT_DIR_NLINK)
		links = 1;
	if (d->c->links[d->inode.ino] != links)
		return bad(d, "counts other subdirectories than it has", err);
	return 0;
}

static int read_all(struct dir *d, struct img_err *err)
{
	struct checking *c = d->c;
	uint64_t n_tree;
	int r = checking_inode_read(c, d->inode.ino, &d->inode, err);

	if (r < 0)
		return r;
	/* Its blocks were all claimed, so there are not more than that. */
	d->n = d->inode.disk.i_size / c->block_bytes;
	d->hashed = d->inode.disk.i_flags & EXT2_INDEX_FL;
	d->blocks = mem_zalloc((size_t)d->n * sizeof(*d->blocks));
	d->content = mem_alloc((size_t)d->n * c->block_bytes);
	d->leaves = mem_zalloc((size_t)d->n * sizeof(*d->leaves));
	r = checking_extents(c, &d->inode, false, add_extent, d, &n_tree, err);
	for (uint32_t i = 0; r == 0 && i < d->n; i++)
		r = checking_read(c, d->blocks[i],
				  d->content + (size_t)i * c->block_bytes, err);
	return r;
}

static int check_dir(struct checking *c, uint32_t ino, uint32_t parent,
		     struct queue *queue, struct img_err *err)
{
	img_auto(dir_release) struct dir d = { .c = c, .parent = parent };
	int r;

	d.inode.ino = ino;
	r = read_all(&d, err);
	if (r == 0 && d.hashed)
		r = check_hashed(&d, err);
	for (uint32_t i = 0; r == 0 && i < d.n; i++)
		if (!d.hashed || d.leaves[i].what == HTREE_LEAF)
			r = check_linear(&d, i, queue, err);
	if (r == 0)
		r = check_names(&d, err);
	return r < 0 ? r : check_links(&d, err);
}

int checking_directories(struct checking *c, struct img_err *err)
{
	img_auto(queue_release) struct queue queue = { 0 };
	int r = 0;

	/* Each is pushed once, when its one name is found; what is in no
	 * directory that the root leads to has none. */
	push(&queue, EXT2_ROOT_INO, EXT2_ROOT_INO);
	while (r == 0 && queue.n) {
		uint32_t ino = queue.item[--queue.n].ino;

		r = check_dir(c, ino, queue.item[queue.n].parent, &queue, err);
		progress_update(c->progress, 0, 0);
		if (r == 0 && progress_is_stopped(c->progress))
			r = img_err_set(err, IMG_E_INTERRUPTED, 0,
					"interrupted");
	}
	return r;
}
