#include "image/dir_read.h"

#include "base/cleanup.h"
#include "base/hardlinks.h"
#include "base/num.h"
#include "base/str.h"
#include "image/dir_holes.h"
#include "image/dir_xattr.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define READ_BYTES (256u * 1024)

/* One directory on the way down, with the names that are left in it. */
struct level {
	struct level *up;
	int fd;
	struct dirent **names;
	int n_names, next;
	size_t path_len; /* of the tree's path, this directory included */
};

struct dir {
	struct entry_source source; /* first */
	struct level *level;
	struct str path;   /* of the current entry, from the tree's root */
	struct str target; /* of a symlink */
	struct hardlinks links;
	struct dir_xattrs xattrs;
	struct dir_holes holes;
	dev_t dev;
	int file; /* the current one, or -1 */
	uint64_t at_bytes, size_bytes, n_entries, done_bytes;
	uint8_t *buffer;
	char *root;
	bool begun;
};

static void level_pop(struct dir *dir)
{
	struct level *level = dir->level;

	dir->level = level->up;
	for (; level->next < level->n_names; level->next++)
		free(level->names[level->next]);
	free(level->names);
	(void)close(level->fd); /* was only read */
	free(level);
}

static int not_dots(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

/* By bytes: the order must not depend on the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int level_push(struct dir *dir, int *fd, struct img_err *err)
{
	struct level *level = mem_zalloc(sizeof(*level));

	level->fd = img_fd_take(fd);
	level->up = dir->level;
	level->path_len = dir->path.len;
	dir->level = level;
	level->n_names =
		scandirat(level->fd, ".", &level->names, not_dots, by_name);
	if (level->n_names < 0) {
		level->n_names = 0;
		return img_err_sys(err, "cannot list %s/%s", dir->root,
				   dir->path.s);
	}
	return 0;
}

static int failed(struct dir *dir, const char *what, struct img_err *err)
{
	char quoted[ENTRY_QUOTED_MAX];

	return img_err_sys(err, "cannot %s %s", what,
			   entry_quote(dir->path.s, quoted));
}

static void file_close(struct dir *dir)
{
	img_fd_release(&dir->file);
}

static enum entry_type type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return ENTRY_DIR;
	case S_IFLNK:
		return ENTRY_SYMLINK;
	case S_IFCHR:
		return ENTRY_CHAR;
	case S_IFBLK:
		return ENTRY_BLOCK;
	case S_IFIFO:
		return ENTRY_FIFO;
	case S_IFSOCK:
		return ENTRY_SOCKET;
	default:
		return ENTRY_FILE;
	}
}

static void attributes_of(struct dir *dir, const struct stat *st,
			  struct entry *ret)
{
	*ret = (struct entry){
		.number = ++dir->n_entries,
		.path = dir->path.len ? dir->path.s : ".",
		.type = type_of(st->st_mode),
		.mode = st->st_mode & 07777,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.mtime_s = st->st_mtim.tv_sec,
		.mtime_ns = (uint32_t)st->st_mtim.tv_nsec,
		.dev_major = major(st->st_rdev),
		.dev_minor = minor(st->st_rdev),
	};
}

static int symlink_read(struct dir *dir, const char *name, struct entry *ret,
			struct img_err *err)
{
	char text[4096];
	ssize_t n = readlinkat(dir->level->fd, name, text, sizeof(text));

	if (n < 0)
		return failed(dir, "read symlink", err);
	dir->target.len = 0;
	str_addn(&dir->target, text, (size_t)n);
	ret->link = dir->target.s;
	return 0;
}

static int file_open(struct dir *dir, const char *name, struct entry *ret,
		     struct img_err *err)
{
	struct stat st;

	dir->file = openat(dir->level->fd, name,
			   O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (dir->file < 0 || fstat(dir->file, &st) < 0)
		return failed(dir, "open", err);
	if (!S_ISREG(st.st_mode)) {
		errno = ESTALE;
		return failed(dir, "open", err);
	}
	dir->at_bytes = 0;
	dir->size_bytes = (uint64_t)st.st_size;
	ret->size_bytes = dir->size_bytes;
	/* Most have none, and that can be seen. */
	if ((uint64_t)st.st_blocks * SECTOR_BYTES < dir->size_bytes)
		ret->is_sparse =
			dir_holes_find(&dir->holes, dir->file, dir->size_bytes);
	if (ret->is_sparse) {
		ret->extents = dir->holes.extents;
		ret->n_extents = dir->holes.n;
	}
	return 0;
}

static int subdir_enter(struct dir *dir, const char *name,
			const struct stat *st, struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;

	if (st->st_dev != dir->dev)
		return 0; /* a mount point: its own tree is not ours */
	fd = openat(dir->level->fd, name,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return failed(dir, "open directory", err);
	return level_push(dir, &fd, err);
}

static int entry_read(struct dir *dir, const char *name, struct entry *ret,
		      struct img_err *err)
{
	const char *first;
	struct stat st;
	int r;

	if (fstatat(dir->level->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(dir, "look at", err);
	attributes_of(dir, &st, ret);
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1) {
		first = hardlinks_seen(&dir->links, st.st_dev, st.st_ino,
				       dir->path.s);
		if (first) {
			ret->type = ENTRY_HARDLINK;
			ret->link = first;
			return 1;
		}
	}
	if (dir_xattrs_read(&dir->xattrs, dir->level->fd, name) < 0)
		return failed(dir, "read extended attributes of", err);
	ret->xattrs = dir->xattrs.list;
	ret->n_xattrs = dir->xattrs.n;
	if (ret->type == ENTRY_SYMLINK)
		r = symlink_read(dir, name, ret, err);
	else if (ret->type == ENTRY_FILE)
		r = file_open(dir, name, ret, err);
	else if (ret->type == ENTRY_DIR)
		r = subdir_enter(dir, name, &st, err);
	else
		r = 0;
	return r < 0 ? r : 1;
}

static int root_read(struct dir *dir, struct entry *ret, struct img_err *err)
{
	struct stat st;

	dir->begun = true;
	if (fstat(dir->level->fd, &st) < 0)
		return img_err_sys(err, "cannot look at %s", dir->root);
	dir->dev = st.st_dev;
	attributes_of(dir, &st, ret);
	if (dir_xattrs_read(&dir->xattrs, dir->level->fd, ".") < 0)
		return img_err_sys(err, "cannot read extended attributes of %s",
				   dir->root);
	ret->xattrs = dir->xattrs.list;
	ret->n_xattrs = dir->xattrs.n;
	return 1;
}

static int dir_next(struct entry_source *self, struct entry *ret,
		    struct img_err *err)
{
	struct dir *dir = (struct dir *)self;
	img_auto(img_mem_release) struct dirent *name = NULL;

	file_close(dir);
	if (!dir->begun)
		return root_read(dir, ret, err);
	while (dir->level->next == dir->level->n_names) {
		if (!dir->level->up)
			return 0;
		level_pop(dir);
	}
	name = dir->level->names[dir->level->next++];
	dir->path.len = dir->level->path_len;
	if (dir->path.len)
		str_add(&dir->path, "/");
	str_add(&dir->path, name->d_name);
	return entry_read(dir, name->d_name, ret, err);
}

static int shrank(struct img_err *err)
{
	return img_err_set(err, IMG_E_INPUT, 0,
			   "became shorter while it was read");
}

static int hole_to_the_end(struct dir *dir, struct img_err *err)
{
	struct stat st;

	if (fstat(dir->file, &st) < 0)
		return img_err_sys(err, "cannot read it");
	return (uint64_t)st.st_size < dir->size_bytes ? shrank(err) : 0;
}

/* Finds the next stretch that is no hole; 0 at the end of the file. */
static int data_seek(struct dir *dir, uint64_t *ret_n, struct img_err *err)
{
	off_t start, end;

	if (dir->at_bytes >= dir->size_bytes)
		return 0;
	start = lseek(dir->file, (off_t)dir->at_bytes, SEEK_DATA);
	if (start < 0 && errno == ENXIO)
		return hole_to_the_end(dir, err);
	if (start < 0)
		return img_err_sys(err, "cannot read it");
	end = lseek(dir->file, start, SEEK_HOLE);
	if (end < 0)
		return img_err_sys(err, "cannot read it");
	if ((uint64_t)start >= dir->size_bytes)
		return 0;
	if ((uint64_t)end > dir->size_bytes)
		end = (off_t)dir->size_bytes;
	dir->at_bytes = (uint64_t)start;
	*ret_n = (uint64_t)(end - start);
	return 1;
}

static int dir_data(struct entry_source *self, struct entry_data *ret,
		    struct img_err *err)
{
	struct dir *dir = (struct dir *)self;
	uint64_t left = 0;
	ssize_t n;
	int r = data_seek(dir, &left, err);

	if (r <= 0)
		return r;
	n = pread(dir->file, dir->buffer,
		  left < READ_BYTES ? (size_t)left : READ_BYTES,
		  (off_t)dir->at_bytes);
	if (n < 0)
		return img_err_sys(err, "cannot read it");
	if (n == 0)
		return shrank(err);
	*ret = (struct entry_data){ .bytes = dir->buffer,
				    .size_bytes = (size_t)n,
				    .offset_bytes = dir->at_bytes };
	dir->at_bytes += (uint64_t)n;
	dir->done_bytes += (uint64_t)n;
	return 1;
}

static void dir_position(struct entry_source *self, uint64_t *ret_done_bytes,
			 uint64_t *ret_total_bytes)
{
	*ret_done_bytes = ((struct dir *)self)->done_bytes;
	*ret_total_bytes = 0;
}

static void dir_close(struct entry_source *self)
{
	struct dir *dir = (struct dir *)self;

	while (dir->level)
		level_pop(dir);
	file_close(dir);
	dir_holes_release(&dir->holes);
	hardlinks_release(&dir->links);
	dir_xattrs_release(&dir->xattrs);
	str_release(&dir->path);
	str_release(&dir->target);
	free(dir->buffer);
	free(dir->root);
	free(dir);
}

int dir_source_open(const char *path, struct entry_source **ret,
		    struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	struct dir *dir;
	int r;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOTDIR)
		return img_err_set(err, IMG_E_INPUT, 0, "%s is no directory",
				   path);
	if (fd < 0)
		return img_err_sys(err, "cannot open %s", path);
	dir = mem_zalloc(sizeof(*dir));
	dir->source = (struct entry_source){ .next = dir_next,
					     .data = dir_data,
					     .position = dir_position,
					     .close = dir_close };
	dir->file = -1;
	dir->root = mem_strdup(path);
	dir->buffer = mem_alloc(READ_BYTES);
	str_add(&dir->path, "");
	r = level_push(dir, &fd, err);
	if (r < 0)
		dir_close(&dir->source);
	else
		*ret = &dir->source;
	return r;
}
