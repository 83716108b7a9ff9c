#include "image/tar_entry.h"

#include "image/tar_acl.h"

#include <archive.h>
#include <archive_entry.h>
#include <inttypes.h>
#include <stdlib.h>

#define ID_MAX (UINT32_MAX - 1) /* chown(2) takes the last for "leave it" */

void tar_xattrs_release(struct tar_xattrs *xattrs)
{
	str_release(&xattrs->acl[0]);
	str_release(&xattrs->acl[1]);
	free(xattrs->list);
	*xattrs = (struct tar_xattrs){ 0 };
}

static int type_of(struct archive_entry *from, enum entry_type *ret,
		   struct img_err *err)
{
	switch (archive_entry_filetype(from)) {
	case AE_IFREG:
		*ret = ENTRY_FILE;
		return 0;
	case AE_IFDIR:
		*ret = ENTRY_DIR;
		return 0;
	case AE_IFLNK:
		*ret = ENTRY_SYMLINK;
		return 0;
	case AE_IFCHR:
		*ret = ENTRY_CHAR;
		return 0;
	case AE_IFBLK:
		*ret = ENTRY_BLOCK;
		return 0;
	case AE_IFIFO:
		*ret = ENTRY_FIFO;
		return 0;
	case AE_IFSOCK:
		*ret = ENTRY_SOCKET;
		return 0;
	default:
		return img_err_set(err, IMG_E_INPUT, 0, "is of no known type");
	}
}

static int type_and_link(struct archive_entry *from, struct entry *ret,
			 struct img_err *err)
{
	int r;

	ret->link = archive_entry_hardlink(from);
	if (ret->link) {
		ret->type = ENTRY_HARDLINK;
		return 0;
	}
	r = type_of(from, &ret->type, err);
	if (r < 0 || ret->type != ENTRY_SYMLINK)
		return r;
	ret->link = archive_entry_symlink(from);
	if (!ret->link)
		ret->link = "";
	return 0;
}

static uint32_t clamp32(uint64_t value)
{
	return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static int owner_of(struct archive_entry *from, struct entry *ret,
		    struct img_err *err)
{
	int64_t uid = archive_entry_uid(from);
	int64_t gid = archive_entry_gid(from);

	if (uid < 0 || uid > ID_MAX || gid < 0 || gid > ID_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "has the impossible owner %" PRId64
				   ":%" PRId64,
				   uid, gid);
	ret->uid = (uint32_t)uid;
	ret->gid = (uint32_t)gid;
	return 0;
}

static int size_of(struct archive_entry *from, struct entry *ret,
		   struct img_err *err)
{
	int64_t size = archive_entry_size(from);

	if (ret->type != ENTRY_FILE)
		return 0;
	if (size < 0)
		return img_err_set(err, IMG_E_INPUT, 0, "has a negative size");
	ret->size_bytes = (uint64_t)size;
	return 0;
}

static void time_of(struct archive_entry *from, struct entry *ret)
{
	ret->mtime_s = archive_entry_mtime(from);
	ret->mtime_ns = (uint32_t)archive_entry_mtime_nsec(from);
	if (ret->mtime_s < 0 && ret->mtime_ns) {
		/* "-1.25" comes as -1 and .25: the fraction counts down */
		if (ret->mtime_s > INT64_MIN)
			ret->mtime_s -= 1;
		ret->mtime_ns = 1000000000u - ret->mtime_ns;
	}
}

static void xattr_push(struct tar_xattrs *xattrs, const char *name,
		       const void *value, size_t size)
{
	if (xattrs->n == xattrs->capacity) {
		xattrs->capacity = xattrs->capacity ? xattrs->capacity * 2 : 8;
		xattrs->list = mem_realloc(
			xattrs->list, xattrs->capacity * sizeof(*xattrs->list));
	}
	xattrs->list[xattrs->n++] = (struct entry_xattr){ .name = name,
							  .value = value,
							  .size_bytes = size };
}

static int xattrs_of(struct archive_entry *from, struct tar_xattrs *xattrs,
		     struct entry *ret, struct img_err *err)
{
	static const char *const acl_name[] = { "system.posix_acl_access",
						"system.posix_acl_default" };
	const char *name;
	const void *value;
	size_t size;

	xattrs->n = 0;
	if (archive_entry_xattr_reset(from))
		while (archive_entry_xattr_next(from, &name, &value, &size) ==
		       ARCHIVE_OK)
			xattr_push(xattrs, name, value, size);
	for (int i = 0; i < 2 && archive_entry_acl_types(from); i++) {
		int r = tar_acl_read(from, i == 1, &xattrs->acl[i], &ret->mode,
				     err);

		if (r < 0)
			return r;
		if (xattrs->acl[i].len)
			xattr_push(xattrs, acl_name[i], xattrs->acl[i].s,
				   xattrs->acl[i].len);
	}
	ret->xattrs = xattrs->list;
	ret->n_xattrs = xattrs->n;
	return 0;
}

int tar_entry_read(struct archive_entry *from, struct tar_xattrs *xattrs,
		   struct entry *ret, struct img_err *err)
{
	int r = type_and_link(from, ret, err);

	if (r == 0)
		r = size_of(from, ret, err);
	if (r == 0)
		r = owner_of(from, ret, err);
	if (r < 0)
		return r;
	ret->mode = archive_entry_perm(from) & 07777;
	time_of(from, ret);
	ret->dev_major = clamp32(archive_entry_rdevmajor(from));
	ret->dev_minor = clamp32(archive_entry_rdevminor(from));
	return xattrs_of(from, xattrs, ret, err);
}
