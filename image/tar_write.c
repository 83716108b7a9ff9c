#include "image/tar_write.h"

#include "base/cleanup.h"
#include "image/tar_acl.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <string.h>
#include <sys/sysmacros.h>

#define OPTIONS "xattrheader=SCHILY"

struct work {
	locale_t own, before; /* names are bytes, and most are UTF-8 */
	struct entry_source *source;
	struct archive *archive;
	struct archive_entry *entry;
	const struct progress *progress;
};

static void work_release(struct work *w)
{
	if (w->own) {
		(void)uselocale(w->before);
		freelocale(w->own);
	}
	archive_entry_free(w->entry);
	(void)archive_write_free(w->archive); /* it was closed, or failed */
}

static int failed(const struct work *w, struct img_err *err)
{
	int e = archive_errno(w->archive);

	if (e == ENOSPC || e == EDQUOT)
		return img_err_set(err, IMG_E_NO_SPACE, e,
				   "cannot write the archive");
	if (e > 0)
		return img_err_set(err, IMG_E_SYS, e,
				   "cannot write the archive");
	return img_err_set(err, IMG_E_INTERNAL, 0,
			   "cannot write the archive: %s",
			   archive_error_string(w->archive));
}

static int check_stop(const struct work *w, struct img_err *err)
{
	uint64_t done, total;

	w->source->position(w->source, &done, &total);
	progress_update(w->progress, done, total);
	if (progress_is_stopped(w->progress))
		return img_err_set(err, IMG_E_INTERRUPTED, 0, "interrupted");
	return 0;
}

static __LA_MODE_T type_of(enum entry_type type)
{
	switch (type) {
	case ENTRY_DIR:
		return AE_IFDIR;
	case ENTRY_SYMLINK:
		return AE_IFLNK;
	case ENTRY_CHAR:
		return AE_IFCHR;
	case ENTRY_BLOCK:
		return AE_IFBLK;
	case ENTRY_FIFO:
		return AE_IFIFO;
	case ENTRY_FILE:
	case ENTRY_HARDLINK:
	case ENTRY_SOCKET:
		break;
	}
	return AE_IFREG;
}

static int set_xattrs(struct work *w, const struct entry *from,
		      struct img_err *err)
{
	for (size_t i = 0; i < from->n_xattrs; i++) {
		const struct entry_xattr *x = &from->xattrs[i];
		bool is_default =
			strcmp(x->name, "system.posix_acl_default") == 0;
		int r = 0;

		if (is_default ||
		    strcmp(x->name, "system.posix_acl_access") == 0)
			r = tar_acl_write(x->value, x->size_bytes, is_default,
					  w->entry, err);
		else
			archive_entry_xattr_add_entry(w->entry, x->name,
						      x->value, x->size_bytes);
		if (r < 0)
			return entry_blame(from, err);
	}
	return 0;
}

/* What is between is left out of the archive, though libarchive wants to be
 * given the zeroes. */
static void set_extents(struct archive_entry *to, const struct entry *from)
{
	if (!from->n_extents)
		archive_entry_sparse_add_entry(to, 0, 0);
	for (size_t i = 0; i < from->n_extents; i++)
		archive_entry_sparse_add_entry(
			to, (la_int64_t)from->extents[i].offset_bytes,
			(la_int64_t)from->extents[i].size_bytes);
}

static int set_entry(struct work *w, const struct entry *from,
		     struct img_err *err)
{
	struct archive_entry *to = archive_entry_clear(w->entry);

	archive_entry_set_pathname(to, from->path);
	archive_entry_set_filetype(to, type_of(from->type));
	archive_entry_set_perm(to, from->mode);
	archive_entry_set_uid(to, from->uid);
	archive_entry_set_gid(to, from->gid);
	archive_entry_set_mtime(to, from->mtime_s, (long)from->mtime_ns);
	archive_entry_set_size(to, 0);
	switch (from->type) {
	case ENTRY_FILE:
		archive_entry_set_size(to, (la_int64_t)from->size_bytes);
		if (from->is_sparse)
			set_extents(to, from);
		break;
	case ENTRY_SYMLINK:
		archive_entry_set_symlink(to, from->link);
		break;
	case ENTRY_HARDLINK:
		archive_entry_set_hardlink(to, from->link);
		return 0; /* its attributes came with the first name */
	case ENTRY_CHAR:
	case ENTRY_BLOCK:
		archive_entry_set_rdev(to, makedev(from->dev_major,
						   from->dev_minor));
		break;
	case ENTRY_DIR:
	case ENTRY_FIFO:
	case ENTRY_SOCKET:
		break;
	}
	return set_xattrs(w, from, err);
}

static int write_bytes(struct work *w, const void *bytes, size_t n,
		       struct img_err *err)
{
	const char *from = bytes;

	while (n) {
		la_ssize_t r = archive_write_data(w->archive, from, n);

		if (r <= 0)
			return failed(w, err);
		from += r;
		n -= (size_t)r;
	}
	return check_stop(w, err);
}

static int write_zeroes(struct work *w, uint64_t n, struct img_err *err)
{
	static const char zeroes[65536];
	int r = 0;

	while (r == 0 && n) {
		size_t some = n < sizeof(zeroes) ? (size_t)n : sizeof(zeroes);

		r = write_bytes(w, zeroes, some, err);
		n -= some;
	}
	return r;
}

static int write_content(struct work *w, const struct entry *entry,
			 struct img_err *err)
{
	struct entry_data data;
	uint64_t at = 0;
	int r;

	while ((r = w->source->data(w->source, &data, err)) > 0) {
		r = write_zeroes(w, data.offset_bytes - at, err);
		if (r == 0)
			r = write_bytes(w, data.bytes, data.size_bytes, err);
		if (r < 0)
			return r;
		at = data.offset_bytes + data.size_bytes;
	}
	if (r < 0)
		return entry_blame(entry, err);
	return write_zeroes(w, entry->size_bytes - at, err);
}

static int write_all(struct work *w, struct img_err *err)
{
	struct entry entry;
	int r;

	while ((r = w->source->next(w->source, &entry, err)) > 0) {
		if (entry.type == ENTRY_SOCKET)
			continue;
		r = set_entry(w, &entry, err);
		if (r == 0 &&
		    archive_write_header(w->archive, w->entry) < ARCHIVE_WARN)
			r = failed(w, err);
		if (r == 0 && entry.type == ENTRY_FILE)
			r = write_content(w, &entry, err);
		if (r == 0)
			r = check_stop(w, err);
		if (r < 0)
			return r;
	}
	if (r == 0 && archive_write_close(w->archive) != ARCHIVE_OK)
		r = failed(w, err);
	return r;
}

int tar_write(struct entry_source *source, int fd,
	      const struct progress *progress, struct img_err *err)
{
	img_auto(work_release) struct work w = { .source = source,
						 .progress = progress };

	/* Without it, libarchive marks all names that are not ASCII as being in
	 * no known character set, and GNU tar says so of each. */
	w.own = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
	if (w.own)
		w.before = uselocale(w.own);
	w.archive = archive_write_new();
	w.entry = archive_entry_new();
	if (!w.archive || !w.entry)
		abort(); /* as base/str.h does */
	if (archive_write_set_format_pax(w.archive) != ARCHIVE_OK ||
	    archive_write_set_options(w.archive, OPTIONS) != ARCHIVE_OK ||
	    archive_write_open_fd(w.archive, fd) != ARCHIVE_OK)
		return failed(&w, err);
	return write_all(&w, err);
}
