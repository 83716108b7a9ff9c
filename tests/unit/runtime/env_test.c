#include "runtime/env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Entries that execve could write to, as its prototype says. */
static char given_a[] = "A=1", given_path[] = "PATH=/mine",
	    given_b[] = "B=", given_a2[] = "A=2", given_bare[] = "BARE",
	    given_noname[] = "=x", given_home[] = "HOME=/given",
	    given_ab[] = "AB=3", given_term[] = "TERM=vt100",
	    given_host[] = "HOSTNAME=mine", home[] = "HOME=/root";

static void assert_vars(const struct env *env, const char *const *expected)
{
	size_t n = 0;

	for (; expected[n]; n++) {
		assert_non_null(env->vars[n]);
		assert_string_equal(env->vars[n], expected[n]);
	}
	assert_null(env->vars[n]);
	assert_int_equal(env->n, n);
}

static void an_empty_one_gets_what_docker_adds(void **state)
{
	static const char *const plain[] = { "PATH=" ENV_PATH_DEFAULT,
					     "HOSTNAME=box", NULL };
	static const char *const with_tty[] = { "PATH=" ENV_PATH_DEFAULT,
						"HOSTNAME=box", "TERM=xterm",
						"HOME=/root", NULL };
	struct env env;

	env_init(&env, NULL, "box", false);
	assert_vars(&env, plain);
	env_release(&env);

	env_init(&env, NULL, "box", true);
	env_add_home(&env, home);
	assert_vars(&env, with_tty);
	env_release(&env);
}

static void what_is_given_wins(void **state)
{
	char *given[] = { given_path, given_home, given_term, given_host,
			  NULL };
	static const char *const expected[] = { "PATH=/mine", "HOME=/given",
						"TERM=vt100", "HOSTNAME=mine",
						NULL };
	struct env env;

	env_init(&env, given, "box", true);
	env_add_home(&env, home);
	assert_vars(&env, expected);
	assert_string_equal(env_get(&env, "PATH"), "/mine");
	env_release(&env);
}

static void the_last_of_a_name_stands_in_the_first_place(void **state)
{
	char *given[] = { given_a, given_b, given_a2, given_ab, NULL };
	static const char *const expected[] = {
		"A=2",		"B=", "AB=3", "PATH=" ENV_PATH_DEFAULT,
		"HOSTNAME=box", NULL
	};
	struct env env;

	env_init(&env, given, "box", false);
	assert_vars(&env, expected);
	assert_string_equal(env_get(&env, "B"), "");
	assert_null(env_get(&env, "BA"));
	assert_null(env_get(&env, ""));
	env_release(&env);
}

static void entries_without_name_or_value_are_left_out(void **state)
{
	char *given[] = { given_bare, given_noname, NULL };
	static const char *const expected[] = { "PATH=" ENV_PATH_DEFAULT,
						"HOSTNAME=box", NULL };
	struct env env;

	env_init(&env, given, "box", false);
	assert_vars(&env, expected);
	env_release(&env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_one_gets_what_docker_adds),
		cmocka_unit_test(what_is_given_wins),
		cmocka_unit_test(the_last_of_a_name_stands_in_the_first_place),
		cmocka_unit_test(entries_without_name_or_value_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
