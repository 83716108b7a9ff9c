#include "image/ext4_acl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NOBODY 0xff, 0xff, 0xff, 0xff

/* tag, permissions, id: little-endian, as getxattr(2) returns them */
static const uint8_t named[] = {
	2,    0, 0, 0,			/* version */
	1,    0, 6, 0, NOBODY,		/* user:: */
	2,    0, 7, 0, 0xe8,   3, 0, 0, /* user:1000: */
	4,    0, 4, 0, NOBODY,		/* group:: */
	0x10, 0, 7, 0, NOBODY,		/* mask:: */
	0x20, 0, 0, 0, NOBODY,		/* other:: */
};

static const uint8_t plain[] = {
	2, 0, 0, 0,	 1,    0, 6, 0, NOBODY, 4,
	0, 4, 0, NOBODY, 0x20, 0, 0, 0, NOBODY,
};

static void ids_are_kept_for_users_alone(void **state)
{
	static const uint8_t want[] = {
		1, 0, 0, 0, 1, 0, 6,	0, 2, 0, 7,    0, 0xe8, 3,
		0, 0, 4, 0, 4, 0, 0x10, 0, 7, 0, 0x20, 0, 0,	0,
	};
	uint8_t out[sizeof(named)];
	struct img_err err = { 0 };
	size_t size;

	assert_int_equal(ext4_acl_encode(named, sizeof(named), false, out,
					 &size, &err),
			 0);
	assert_int_equal(size, sizeof(want));
	assert_memory_equal(out, want, sizeof(want));
}

static void what_the_mode_says_is_not_stored(void **state)
{
	uint8_t out[sizeof(plain)];
	struct img_err err = { 0 };
	size_t size;

	assert_int_equal(ext4_acl_encode(plain, sizeof(plain), false, out,
					 &size, &err),
			 0);
	assert_int_equal(size, 0);
	/* a directory's default has no mode that would say it */
	assert_int_equal(ext4_acl_encode(plain, sizeof(plain), true, out, &size,
					 &err),
			 0);
	assert_int_equal(size, 4 + 3 * 4);
}

static void refused(const uint8_t *acl, size_t acl_bytes)
{
	uint8_t out[64];
	struct img_err err = { 0 };
	size_t size;

	assert_int_equal(ext4_acl_encode(acl, acl_bytes, false, out, &size,
					 &err),
			 -IMG_E_INPUT);
	assert_string_equal(err.msg, "has a malformed ACL");
}

static void malformed_ones_are_refused(void **state)
{
	uint8_t acl[sizeof(named)];

	refused(named, 3);
	refused(named, sizeof(named) - 1);
	refused(named, 4 + 8); /* no group, no other */
	memcpy(acl, named, sizeof(acl));
	acl[0] = 1; /* version */
	refused(acl, sizeof(acl));
	memcpy(acl, named, sizeof(acl));
	acl[4] = 3; /* tag */
	refused(acl, sizeof(acl));
	memcpy(acl, named, sizeof(acl));
	acl[6] = 8; /* permission */
	refused(acl, sizeof(acl));
	memcpy(acl + 4, named + 12, 8); /* the user before its owner */
	memcpy(acl + 12, named + 4, 8);
	refused(acl, sizeof(acl));
	memcpy(acl, named, sizeof(acl)); /* no mask */
	memcpy(acl + 28, named + 36, 8);
	refused(acl, sizeof(acl) - 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_kept_for_users_alone),
		cmocka_unit_test(what_the_mode_says_is_not_stored),
		cmocka_unit_test(malformed_ones_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
