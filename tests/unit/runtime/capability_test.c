#include "runtime/capability.h"

#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define BIT(cap) (UINT64_C(1) << (cap))

static char *const one[] = { (char[]){ "NET_ADMIN" }, NULL };
static char *const chown_and_kill[] = { (char[]){ "cap_chown" },
					(char[]){ "Kill" }, NULL };
static char *const all[] = { (char[]){ "All" }, NULL };
static char *const wrong[] = { (char[]){ "CAP_CHOWN" }, (char[]){ "CAP_FLY" },
			       NULL };

static uint64_t choose(char *const *add, char *const *drop)
{
	struct img_err err = { 0 };
	uint64_t set = 0;

	if (capability_choose(add, drop, &set, &err) < 0)
		fail_msg("%s", err.msg);
	return set;
}

static void names_are_read_in_every_spelling(void **state)
{
	static const char *const spellings[] = { "CAP_NET_RAW", "NET_RAW",
						 "net_raw", "cap_Net_Raw" };
	struct img_err err = { 0 };
	uint64_t set;

	for (size_t i = 0; i < IMG_COUNT(spellings); i++) {
		assert_int_equal(capability_parse(spellings[i], &set, &err), 0);
		assert_true(set == BIT(CAP_NET_RAW));
	}
	assert_int_equal(capability_parse("CHECKPOINT_RESTORE", &set, &err), 0);
	assert_true(set == BIT(CAP_LAST_CAP));
	assert_int_equal(capability_parse("chown", &set, &err), 0);
	assert_true(set == BIT(0));
}

static void an_unknown_name_is_named(void **state)
{
	static const char *const names[] = { "", "CAP_", "CAP_FLY", "CHOWN " };
	struct img_err err = { 0 };
	uint64_t set;

	for (size_t i = 0; i < IMG_COUNT(names); i++) {
		err = (struct img_err){ 0 };
		assert_int_equal(capability_parse(names[i], &set, &err),
				 -IMG_E_INPUT);
	}
	err = (struct img_err){ 0 };
	assert_int_equal(capability_choose(NULL, wrong, &set, &err),
			 -IMG_E_INPUT);
	assert_string_equal(err.msg, "unknown capability 'CAP_FLY'");
}

static void a_set_follows_dockers_rules(void **state)
{
	const uint64_t both = BIT(CAP_CHOWN) | BIT(CAP_KILL);
	const uint64_t admin = BIT(CAP_NET_ADMIN);

	assert_true(choose(NULL, NULL) == capability_default);
	assert_true(choose(one, NULL) == (capability_default | admin));
	assert_true(choose(NULL, chown_and_kill) ==
		    (capability_default & ~both));
	assert_true(choose(one, chown_and_kill) ==
		    ((capability_default & ~both) | admin));
	assert_true(choose(NULL, all) == 0);
	assert_true(choose(one, all) == admin);
	assert_true(choose(all, NULL) == CAPABILITY_ALL);
	assert_true(choose(all, one) == (CAPABILITY_ALL & ~admin));
}

static void what_changes_the_host_is_not_in_the_default(void **state)
{
	static const int host[] = { CAP_SYS_ADMIN,
				    CAP_SYS_MODULE,
				    CAP_SYS_RAWIO,
				    CAP_SYS_PTRACE,
				    CAP_SYS_BOOT,
				    CAP_SYS_TIME,
				    CAP_NET_ADMIN,
				    CAP_DAC_READ_SEARCH,
				    CAP_LINUX_IMMUTABLE,
				    CAP_SYSLOG,
				    CAP_BPF,
				    CAP_PERFMON };

	for (size_t i = 0; i < IMG_COUNT(host); i++)
		assert_false(capability_default & BIT(host[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_read_in_every_spelling),
		cmocka_unit_test(an_unknown_name_is_named),
		cmocka_unit_test(a_set_follows_dockers_rules),
		cmocka_unit_test(what_changes_the_host_is_not_in_the_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
