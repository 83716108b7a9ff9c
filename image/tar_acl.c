#include "image/tar_acl.h"

#include <archive.h>
#include <archive_entry.h>
#include <grp.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN_ID (-1)

/* Who an entry is for: the number if the archive has it, else this system's
 * for the name. */
static int id_of(int tag, int id, const char *name, uint32_t *ret,
		 struct img_err *err)
{
	char quoted[ENTRY_QUOTED_MAX];
	struct passwd pw, *user = NULL;
	struct group gr, *group = NULL;
	char text[4096];

	*ret = (uint32_t)id;
	if (id != UNKNOWN_ID)
		return 0;
	if (!name)
		name = "";
	if (tag == ACL_USER &&
	    getpwnam_r(name, &pw, text, sizeof(text), &user) == 0 && user)
		*ret = user->pw_uid;
	else if (tag == ACL_GROUP &&
		 getgrnam_r(name, &gr, text, sizeof(text), &group) == 0 &&
		 group)
		*ret = group->gr_gid;
	else
		return img_err_set(err, IMG_E_INPUT, 0,
				   "has an ACL for %s %s, which has no number "
				   "in the archive and is not known here",
				   tag == ACL_USER ? "user" : "group",
				   entry_quote(name, quoted));
	return 0;
}

static int tag_of(int tag)
{
	switch (tag) {
	case ARCHIVE_ENTRY_ACL_USER_OBJ:
		return ACL_USER_OBJ;
	case ARCHIVE_ENTRY_ACL_USER:
		return ACL_USER;
	case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
		return ACL_GROUP_OBJ;
	case ARCHIVE_ENTRY_ACL_GROUP:
		return ACL_GROUP;
	case ARCHIVE_ENTRY_ACL_MASK:
		return ACL_MASK;
	default:
		return ACL_OTHER;
	}
}

static int by_tag_and_id(const void *a, const void *b)
{
	const struct posix_acl_xattr_entry *x = a, *y = b;

	if (x->e_tag != y->e_tag)
		return x->e_tag < y->e_tag ? -1 : 1;
	return x->e_id < y->e_id ? -1 : x->e_id > y->e_id;
}

int tar_acl_read(struct archive_entry *entry, bool is_default, struct str *ret,
		 uint16_t *mode, struct img_err *err)
{
	const int want = is_default ? ARCHIVE_ENTRY_ACL_TYPE_DEFAULT
				    : ARCHIVE_ENTRY_ACL_TYPE_ACCESS;
	const struct posix_acl_xattr_header header = {
		.a_version = POSIX_ACL_XATTR_VERSION
	};
	int type, perm, tag, id, group_perm = -1;
	const char *name;

	ret->len = 0;
	if (!archive_entry_acl_reset(entry, want))
		return 0;
	str_addn(ret, (const char *)&header, sizeof(header));
	while (archive_entry_acl_next(entry, want, &type, &perm, &tag, &id,
				      &name) == ARCHIVE_OK) {
		struct posix_acl_xattr_entry e = {
			.e_tag = (uint16_t)tag_of(tag),
			.e_perm = (uint16_t)(perm & 7),
			.e_id = (uint32_t)ACL_UNDEFINED_ID,
		};

		if (e.e_tag == ACL_USER || e.e_tag == ACL_GROUP) {
			int r = id_of(e.e_tag, id, name, &e.e_id, err);

			if (r < 0)
				return r;
		}
		if (e.e_tag == ACL_MASK ||
		    (e.e_tag == ACL_GROUP_OBJ && group_perm < 0))
			group_perm = e.e_perm;
		str_addn(ret, (const char *)&e, sizeof(e));
	}
	qsort(ret->s + sizeof(header),
	      (ret->len - sizeof(header)) /
		      sizeof(struct posix_acl_xattr_entry),
	      sizeof(struct posix_acl_xattr_entry), by_tag_and_id);
	if (!is_default && group_perm >= 0)
		*mode = (uint16_t)((*mode & ~070) | group_perm << 3);
	return 0;
}

static int archive_tag_of(int tag)
{
	switch (tag) {
	case ACL_USER_OBJ:
		return ARCHIVE_ENTRY_ACL_USER_OBJ;
	case ACL_USER:
		return ARCHIVE_ENTRY_ACL_USER;
	case ACL_GROUP_OBJ:
		return ARCHIVE_ENTRY_ACL_GROUP_OBJ;
	case ACL_GROUP:
		return ARCHIVE_ENTRY_ACL_GROUP;
	case ACL_MASK:
		return ARCHIVE_ENTRY_ACL_MASK;
	case ACL_OTHER:
		return ARCHIVE_ENTRY_ACL_OTHER;
	default:
		return 0;
	}
}

int tar_acl_write(const void *acl, size_t size_bytes, bool is_default,
		  struct archive_entry *entry, struct img_err *err)
{
	const int type = is_default ? ARCHIVE_ENTRY_ACL_TYPE_DEFAULT
				    : ARCHIVE_ENTRY_ACL_TYPE_ACCESS;
	struct posix_acl_xattr_header header;
	struct posix_acl_xattr_entry e;
	const char *from = acl;

	if (size_bytes < sizeof(header) ||
	    (size_bytes - sizeof(header)) % sizeof(e))
		return img_err_set(err, IMG_E_INPUT, 0, "has a broken ACL");
	memcpy(&header, from, sizeof(header));
	if (header.a_version != POSIX_ACL_XATTR_VERSION)
		return img_err_set(err, IMG_E_INPUT, 0, "has an unknown ACL");
	for (size_t at = sizeof(header); at < size_bytes; at += sizeof(e)) {
		bool named;
		int tag;

		memcpy(&e, from + at, sizeof(e));
		tag = archive_tag_of(e.e_tag);
		named = e.e_tag == ACL_USER || e.e_tag == ACL_GROUP;
		if (!tag || archive_entry_acl_add_entry(
				    entry, type, e.e_perm & 7, tag,
				    named ? (int)e.e_id : -1, NULL) != 0)
			return img_err_set(err, IMG_E_INPUT, 0,
					   "has a broken ACL");
	}
	return 0;
}
