#include "image/dir_xattr.h"

#include "base/cleanup.h"

#include <errno.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/xattr.h>

void dir_xattrs_release(struct dir_xattrs *xattrs)
{
	free(xattrs->list);
	str_release(&xattrs->names);
	str_release(&xattrs->values);
	*xattrs = (struct dir_xattrs){ 0 };
}

static struct entry_xattr *push(struct dir_xattrs *xattrs)
{
	if (xattrs->n == xattrs->capacity) {
		xattrs->capacity = xattrs->capacity ? xattrs->capacity * 2 : 8;
		xattrs->list = mem_realloc(
			xattrs->list, xattrs->capacity * sizeof(*xattrs->list));
	}
	return &xattrs->list[xattrs->n++];
}

static int values_read(struct dir_xattrs *xattrs, const char *path)
{
	img_auto(img_mem_release) char *value = mem_alloc(XATTR_SIZE_MAX);
	const char *end = xattrs->names.s + xattrs->names.len;
	size_t at = 0;

	for (const char *n = xattrs->names.s; n < end; n += strlen(n) + 1) {
		ssize_t size = lgetxattr(path, n, value, XATTR_SIZE_MAX);
		struct entry_xattr *xattr;

		if (size < 0 && errno == ENODATA)
			continue;
		if (size < 0)
			return -1;
		xattr = push(xattrs);
		xattr->name = n;
		xattr->size_bytes = (size_t)size;
		str_addn(&xattrs->values, value, (size_t)size);
	}
	/* only now do the values stay where they are */
	for (size_t i = 0; i < xattrs->n; i++) {
		xattrs->list[i].value = xattrs->values.s + at;
		at += xattrs->list[i].size_bytes;
	}
	return 0;
}

int dir_xattrs_read(struct dir_xattrs *xattrs, int dirfd, const char *name)
{
	img_auto(img_mem_release) char *path = NULL;
	img_auto(img_mem_release) char *names = NULL;
	ssize_t size;

	xattrs->n = 0;
	xattrs->names.len = 0;
	xattrs->values.len = 0;
	/* there is no lgetxattrat() in the kernels that are about */
	path = mem_printf("/proc/self/fd/%d/%s", dirfd, name);
	size = llistxattr(path, NULL, 0);
	if (size == 0 || (size < 0 && errno == EOPNOTSUPP))
		return 0;
	if (size < 0)
		return -1;
	names = mem_alloc(XATTR_LIST_MAX);
	size = llistxattr(path, names, XATTR_LIST_MAX);
	if (size < 0)
		return -1;
	str_addn(&xattrs->names, names, (size_t)size);
	return values_read(xattrs, path);
}
