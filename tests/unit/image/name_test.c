#include "image/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The distribution project's reference grammar decides these. */
static void good_names(void **state)
{
	static const struct {
		const char *text, *name, *tag;
	} good[] = {
		{ "a", "a", "latest" },
		{ "7", "7", "latest" },
		{ "centos", "centos", "latest" },
		{ "centos:9", "centos", "9" },
		{ "ops-nginx", "ops-nginx", "latest" },
		{ "a.b_c__d-e---f", "a.b_c__d-e---f", "latest" },
		{ "library/debian:12.5-slim", "library/debian", "12.5-slim" },
		{ "a/b/c/d/e", "a/b/c/d/e", "latest" },
		{ "localhost/x", "localhost/x", "latest" },
		{ "localhost:5000/x", "localhost:5000/x", "latest" },
		{ "localhost:5000/x:y", "localhost:5000/x", "y" },
		{ "registry.example.com/team/app:v1.2",
		  "registry.example.com/team/app", "v1.2" },
		{ "Registry.Example.com/app", "Registry.Example.com/app",
		  "latest" },
		{ "my-host.io:443/app", "my-host.io:443/app", "latest" },
		{ "192.168.0.1:5000/app", "192.168.0.1:5000/app", "latest" },
		{ "HOST:5000/app", "HOST:5000/app", "latest" },
		{ "a:_x", "a", "_x" },
		{ "a:A.b-C_9", "a", "A.b-C_9" },
		{ "deadbeef", "deadbeef", "latest" },
	};

	for (size_t i = 0; i < IMG_COUNT(good); i++) {
		struct img_err err = { 0 };
		struct image_name got;

		if (image_name_parse(good[i].text, &got, &err) < 0)
			fail_msg("%s", err.msg);
		assert_string_equal(got.name, good[i].name);
		assert_string_equal(got.tag, good[i].tag);
	}
}

static void bad_names(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"A",
		"Centos",
		"cenTos",
		"-a",
		"a-",
		".a",
		"a.",
		"_a",
		"a_",
		"a..b",
		"a___b",
		"a.-b",
		"a._b",
		"a-_b",
		"a/",
		"/a",
		"a//b",
		"a/B",
		"a b",
		"a\n",
		"a@b",
		"a\xc3\xa4",
		"a+b",
		"Host/a",
		"localhost/",
		"localhost:/a",
		"host:80a/a",
		"-host.io/a",
		".io/a",
		"a/host:80/b",
		"host.io:80/",
		"..",
		"../a",
		"a/../b",
		"a\\b",
		"a%20b",
		"host_a.io:80/A",
	};

	for (size_t i = 0; i < IMG_COUNT(bad); i++) {
		struct img_err err = { 0 };
		struct image_name got;

		if (image_name_parse(bad[i], &got, &err) != -IMG_E_INPUT)
			fail_msg("'%s' was taken", bad[i]);
		if (!strstr(err.msg, "is not an image name") &&
		    !strstr(err.msg, "is not a tag"))
			fail_msg("%s", err.msg);
	}
}

static void bad_tags(void **state)
{
	static const char *const bad[] = {
		"a:",	 "a:.x",    "a:-x", "a:x y", "a:x:y",
		"a:x@y", "a:x\xff", "a:+",  "a:\n",  "a: x",
	};

	for (size_t i = 0; i < IMG_COUNT(bad); i++) {
		struct img_err err = { 0 };
		struct image_name got;
		char expected[128];

		if (image_name_parse(bad[i], &got, &err) != -IMG_E_INPUT)
			fail_msg("'%s' was taken", bad[i]);
		(void)snprintf(expected, sizeof(expected),
			       "'%s' is not a tag: up to 128 of letters, "
			       "digits, _ . -",
			       bad[i] + 2);
		assert_string_equal(err.msg, expected);
	}
}

static void lengths(void **state)
{
	char text[IMAGE_NAME_MAX + 1 + IMAGE_TAG_MAX + 2];
	struct image_name got;
	struct img_err err = { 0 };

	memset(text, 'a', sizeof(text));
	text[IMAGE_NAME_MAX] = ':';
	text[sizeof(text) - 2] = '\0';
	assert_int_equal(image_name_parse(text, &got, &err), 0);
	assert_int_equal(strlen(got.name), IMAGE_NAME_MAX);
	assert_int_equal(strlen(got.tag), IMAGE_TAG_MAX);
	text[sizeof(text) - 2] = 'a';
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(image_name_parse(text, &got, &err), -IMG_E_INPUT);
	assert_non_null(strstr(err.msg, "is not a tag"));
	text[IMAGE_NAME_MAX] = 'a';
	err = (struct img_err){ 0 };
	assert_int_equal(image_name_parse(text, &got, &err), -IMG_E_INPUT);
	assert_string_equal(err.msg,
			    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...' "
			    "is too long for an image name");
}

static void names_of_sources(void **state)
{
	static const struct {
		const char *path, *name; /* NULL: none can be made */
	} cases[] = {
		{ "centos.tar", "centos" },
		{ "/srv/images/centos.tar", "centos" },
		{ "debian.tar.gz", "debian" },
		{ "debian.tar.xz", "debian" },
		{ "debian.tar.zst", "debian" },
		{ "debian.tar.bz2", "debian" },
		{ "debian.tgz", "debian" },
		{ "debian.txz", "debian" },
		{ "debian.tzst", "debian" },
		{ "debian.tbz2", "debian" },
		{ "debian.gz", "debian" },
		{ "CentOS-9.TAR.GZ", "centos-9" },
		{ "rootfs", "rootfs" },
		{ "rootfs/", "rootfs" },
		{ "a/b/rootfs///", "rootfs" },
		{ "debian-12.5.tar", "debian-12.5" },
		{ "x.tar.tar", "x.tar" },
		{ ".tar", NULL },
		{ "-", NULL },
		{ "/", NULL },
		{ "", NULL },
		{ ".", NULL },
		{ "..", NULL },
		{ "my image.tar", NULL },
		{ "_x.tar", NULL },
		{ "a:b.tar", NULL },
	};

	for (size_t i = 0; i < IMG_COUNT(cases); i++) {
		struct img_err err = { 0 };
		struct image_name got;
		int r = image_name_from_source(cases[i].path, &got, &err);

		if (!cases[i].name) {
			if (r != -IMG_E_INPUT)
				fail_msg("'%s' was taken", cases[i].path);
			assert_non_null(strstr(err.msg,
					       "no image name can be made of"));
			continue;
		}
		if (r < 0)
			fail_msg("%s", err.msg);
		assert_string_equal(got.name, cases[i].name);
		assert_string_equal(got.tag, "latest");
	}
}

static void a_long_source(void **state)
{
	char path[2000];
	struct image_name got;
	struct img_err err = { 0 };

	memset(path, 'b', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(image_name_from_source(path, &got, &err), 0);
	assert_int_equal(strlen(got.name), IMAGE_NAME_MAX);
}

static void plain_names(void **state)
{
	static const char *const good[] = { "ab", "A.b_c-9", "0x", "a.-_" };
	static const char *const bad[] = { "",	  "a",	 "a/b", "a b",
					   "-ab", ".ab", "a\n", "abcdefghi" };

	for (size_t i = 0; i < IMG_COUNT(good); i++) {
		struct img_err err = { 0 };

		if (plain_name_check(good[i], "thing", 8, &err) < 0)
			fail_msg("%s", err.msg);
	}
	for (size_t i = 0; i < IMG_COUNT(bad); i++) {
		struct img_err err = { 0 };
		char text[100];

		assert_int_equal(plain_name_check(bad[i], "thing", 8, &err),
				 -IMG_E_INPUT);
		(void)snprintf(text, sizeof(text),
			       "'%s' is not a thing name: 2 to 8 letters, "
			       "digits, and _ . - after the first",
			       bad[i]);
		assert_string_equal(err.msg, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_names),
		cmocka_unit_test(bad_names),
		cmocka_unit_test(bad_tags),
		cmocka_unit_test(lengths),
		cmocka_unit_test(names_of_sources),
		cmocka_unit_test(a_long_source),
		cmocka_unit_test(plain_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
