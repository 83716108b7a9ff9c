#include "image/ext4_acl.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdbool.h>
#include <string.h>

#define STORED_VERSION 1u

static int malformed(struct img_err *err)
{
	return img_err_set(err, IMG_E_INPUT, 0, "has a malformed ACL");
}

static int entry_encode(const struct posix_acl_xattr_entry *e, uint8_t *out,
			size_t *used, struct img_err *err)
{
	if (e->e_perm & ~(ACL_READ | ACL_WRITE | ACL_EXECUTE))
		return malformed(err);
	memcpy(out + *used, &e->e_tag, 2);
	memcpy(out + *used + 2, &e->e_perm, 2);
	*used += 4;
	switch (e->e_tag) {
	case ACL_USER_OBJ:
	case ACL_GROUP_OBJ:
	case ACL_MASK:
	case ACL_OTHER:
		return 0;
	case ACL_USER:
	case ACL_GROUP:
		memcpy(out + *used, &e->e_id, 4);
		*used += 4;
		return 0;
	default:
		return malformed(err);
	}
}

/* The kernel refuses a file whose ACL is not in this order (fs/posix_acl.c,
 * posix_acl_valid). */
static bool follows(uint16_t tag_before, uint16_t tag)
{
	if (tag == ACL_USER || tag == ACL_GROUP)
		return tag_before <= tag;
	return tag_before < tag;
}

int ext4_acl_encode(const void *acl, size_t size_bytes, bool is_default,
		    uint8_t *out, size_t *ret_size, struct img_err *err)
{
	struct posix_acl_xattr_header header;
	struct posix_acl_xattr_entry e;
	uint16_t before = 0;
	uint32_t version = STORED_VERSION, seen = 0;
	const uint32_t base = ACL_USER_OBJ | ACL_GROUP_OBJ | ACL_OTHER;
	size_t used = sizeof(version), n, at = sizeof(header);

	if (size_bytes < sizeof(header) ||
	    (size_bytes - sizeof(header)) % sizeof(e))
		return malformed(err);
	memcpy(&header, acl, sizeof(header));
	if (header.a_version != POSIX_ACL_XATTR_VERSION)
		return malformed(err);
	memcpy(out, &version, sizeof(version));
	n = (size_bytes - sizeof(header)) / sizeof(e);
	for (size_t i = 0; i < n; i++, at += sizeof(e)) {
		int r;

		memcpy(&e, (const uint8_t *)acl + at, sizeof(e));
		if (!follows(before, e.e_tag))
			return malformed(err);
		before = e.e_tag;
		seen |= e.e_tag;
		r = entry_encode(&e, out, &used, err);
		if (r < 0)
			return r;
	}
	if (n && ((seen & base) != base ||
		  ((seen & (ACL_USER | ACL_GROUP)) && !(seen & ACL_MASK))))
		return malformed(err);
	*ret_size = (is_default ? n : seen & ~base) ? used : 0;
	return 0;
}
