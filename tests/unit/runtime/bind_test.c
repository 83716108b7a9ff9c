#include "runtime/bind.h"

#include "base/cleanup.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_parses(const char *text, const char *source,
			  const char *target, bool read_only)
{
	struct img_err err = { 0 };
	struct bind_text bind;

	if (bind_parse(text, &bind, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(bind.source, source);
	assert_string_equal(bind.target, target);
	assert_int_equal(bind.how.read_only, read_only);
	bind_text_release(&bind);
	assert_null(bind.source);
}

static void assert_refused(const char *text, const char *why)
{
	struct img_err err = { 0 };
	struct bind_text bind;
	char expected[256];

	assert_int_equal(bind_parse(text, &bind, &err), -IMG_E_INPUT);
	snprintf(expected, sizeof(expected), "invalid volume '%s': %s", text,
		 why);
	assert_string_equal(err.msg, expected);
}

static void sources_targets_and_options_are_taken(void **state)
{
	assert_parses("/a:/b", "/a", "/b", false);
	assert_parses("/a:/b:ro", "/a", "/b", true);
	assert_parses("/a:/b:rw", "/a", "/b", false);
	assert_parses("/a:/b:z,ro,rprivate", "/a", "/b", true);
	assert_parses("/a:/b:", "/a", "/b", false);
	assert_parses("/a b:/c d:ro", "/a b", "/c d", true);
}

static void assert_propagates(const char *text, enum bind_propagation how)
{
	struct img_err err = { 0 };
	struct bind_text bind;

	if (bind_parse(text, &bind, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(bind.how.propagation, how);
	bind_text_release(&bind);
}

static void propagations_are_taken_by_name(void **state)
{
	enum bind_propagation how;

	assert_propagates("/a:/b", BIND_PRIVATE);
	assert_propagates("/a:/b:rprivate", BIND_PRIVATE);
	assert_propagates("/a:/b:slave,ro", BIND_SLAVE);
	assert_propagates("/a:/b:rro,rslave", BIND_SLAVE);
	assert_propagates("/a:/b:rshared", BIND_SHARED);
	assert_propagates("/a:/b:z,shared", BIND_SHARED);
	assert_false(bind_propagation_parse("", &how));
	assert_false(bind_propagation_parse("rrshared", &how));
	assert_parses("/a:/b:rro", "/a", "/b", true);
}

static void targets_are_cleaned_as_text(void **state)
{
	assert_parses("/a:/b/", "/a", "/b", false);
	assert_parses("/a://b/./c//", "/a", "/b/c", false);
	assert_parses("/a:/b/../c", "/a", "/c", false);
	assert_parses("/a:/../../b", "/a", "/b", false);
	assert_parses("/a:/b/c/../../d/e/..", "/a", "/d", false);
	assert_parses("/a:/...", "/a", "/...", false);
}

static void relative_sources_start_from_here(void **state)
{
	char cwd[PATH_MAX], expected[PATH_MAX + 8];

	assert_non_null(getcwd(cwd, sizeof(cwd)));
	snprintf(expected, sizeof(expected), "%s/./x", cwd);
	assert_parses("./x:/b", expected, "/b", false);
	snprintf(expected, sizeof(expected), "%s/..", cwd);
	assert_parses("..:/b", expected, "/b", false);
}

static void nonsense_is_refused(void **state)
{
	static const char source[] = "the source must be a volume's name, or "
				     "a path that starts with '/' or './'";
	static const char target[] = "the target must be an absolute path";
	static const char root[] = "the target cannot be '/'";

	assert_refused("", target);
	assert_refused("a", target);
	assert_refused("/", root);
	assert_refused("a/b:/b", source);
	assert_refused(":/b", source);
	assert_refused(".hidden/x:/b", source);
	assert_refused("/a:/b:nocopy", "'nocopy' is for volumes with a name");
	assert_refused("a:/b:ro,rslave", "'rslave' is for paths of the host, "
					 "not for volumes with a name");
	assert_refused("a:/b:private", "'private' is for paths of the host, "
				       "not for volumes with a name");
	assert_refused("/a:", target);
	assert_refused("/a:b", target);
	assert_refused("/a::ro", target);
	assert_refused("/a:/", root);
	assert_refused("/a:/b/..", root);
	assert_refused("/a:///", root);
	assert_refused("/a:/b:r", "unknown option 'r'");
	assert_refused("/a:/b:ro,nope", "unknown option 'nope'");
	assert_refused("/a:/b:averyverylongoption",
		       "unknown option 'averyverylongoption'");
	assert_refused("/a:/b:ro:x", "unknown option 'ro:x'");
}

static void names_are_of_volumes(void **state)
{
	img_auto(bind_text_release) struct bind_text named = { 0 };
	img_auto(bind_text_release) struct bind_text nameless = { 0 };
	struct img_err err = { 0 };

	assert_int_equal(bind_parse("data:/b/../c:ro,nocopy", &named, &err), 0);
	assert_true(named.is_volume);
	assert_string_equal(named.source, "data");
	assert_string_equal(named.target, "/c");
	assert_true(named.how.read_only && named.how.no_copy);
	assert_int_equal(bind_parse("/only/./here", &nameless, &err), 0);
	assert_true(nameless.is_volume);
	assert_null(nameless.source);
	assert_string_equal(nameless.target, "/only/here");
}

static void a_missing_source_is_named(void **state)
{
	const struct bind_mount bind = { .source = "/nowhere/at/all",
					 .target = "/b" };
	struct img_err err = { 0 };
	struct bind_tree tree = { .fd = -1 };

	assert_true(bind_open(&bind, false, &tree, &err) < 0);
	assert_non_null(
		strstr(err.msg, "cannot use '/nowhere/at/all' as a volume: "));
	assert_int_equal(tree.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources_targets_and_options_are_taken),
		cmocka_unit_test(propagations_are_taken_by_name),
		cmocka_unit_test(targets_are_cleaned_as_text),
		cmocka_unit_test(relative_sources_start_from_here),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(names_are_of_volumes),
		cmocka_unit_test(a_missing_source_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
