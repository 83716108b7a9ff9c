#include "runtime/spaces.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const unsigned int all =
	CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;

static void what_is_not_shared_is_made(void **state)
{
	struct spaces spaces = { 0 };

	assert_int_equal(spaces_flags(&spaces, false), all);
	assert_int_equal(spaces_flags(&spaces, true), all | CLONE_NEWUSER);
	spaces.net.kind = SPACE_HOST;
	spaces.pid.kind = SPACE_JOIN;
	assert_int_equal(spaces_flags(&spaces, false),
			 all & ~(unsigned int)(CLONE_NEWNET | CLONE_NEWPID));
	spaces = (struct spaces){ .ipc = { .kind = SPACE_JOIN },
				  .uts = { .kind = SPACE_HOST } };
	assert_int_equal(spaces_flags(&spaces, false),
			 all & ~(unsigned int)(CLONE_NEWIPC | CLONE_NEWUTS));
}

/* What belongs to another user namespace is made inside it. */
static void in_anothers_users_only_processes_are_made_before(void **state)
{
	struct spaces spaces = { .net = { .kind = SPACE_JOIN },
				 .has_users = true };

	assert_int_equal(spaces_flags(&spaces, true), CLONE_NEWPID);
	spaces.pid.kind = SPACE_JOIN;
	assert_int_equal(spaces_flags(&spaces, true), 0);
}

static void without_a_container_there_is_nothing_to_undo(void **state)
{
	const struct spaces spaces = { .pid = { .kind = SPACE_HOST } };
	struct img_err err = { 0 };
	int saved = 5;

	assert_int_equal(spaces_begin_clone(&spaces, &saved, &err), 0);
	assert_int_equal(saved, -1);
	spaces_end_clone(&saved);
}

static void who_has_ended_has_no_ids(void **state)
{
	struct img_err err = { 0 };
	struct userns ids = { 1, 1 };
	pid_t pid = fork();
	int fd;

	if (pid == 0)
		_exit(0);
	fd = pidfd_open(pid, 0);
	assert_true(fd >= 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(spaces_users_of(fd, &ids, NULL, &err),
			 -IMG_E_NOT_FOUND);
	assert_string_equal(err.msg, "the container has ended");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_shared_is_made),
		cmocka_unit_test(
			in_anothers_users_only_processes_are_made_before),
		cmocka_unit_test(without_a_container_there_is_nothing_to_undo),
		cmocka_unit_test(who_has_ended_has_no_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
