#include "runtime/syscall_filter.h"

#include "base/part.h"
#include "runtime/capability.h"
#include "runtime/syscall_compile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BIT(cap) (UINT64_C(1) << (cap))

static struct syscall_filter make(const struct syscall_policy *policy)
{
	struct img_err err = { 0 };
	struct syscall_filter filter;

	if (syscall_filter_make(policy, &filter, &err) < 0)
		fail_msg("%s", err.msg);
	return filter;
}

/* errno of a call in a process under the filter, 0 where it succeeds. */
static int outcome(const struct syscall_policy *policy, long number, long a,
		   long b)
{
	struct syscall_filter filter = make(policy);
	struct img_err err = { 0 };
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		    syscall_filter_load(&filter, &err) < 0)
			_exit(255);
		_exit(syscall(number, a, b, 0, 0, 0) < 0 ? errno : 0);
	}
	syscall_filter_release(&filter);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return -WTERMSIG(status);
	assert_int_not_equal(WEXITSTATUS(status), 255);
	return WEXITSTATUS(status);
}

static int by_default(uint64_t capabilities, long number, long a, long b)
{
	struct syscall_policy policy = { .capabilities = capabilities };

	return outcome(&policy, number, a, b);
}

/* Here it is linked to the program, which is looked at first. */
static void the_compiler_is_found(void **state)
{
	struct img_err err = { 0 };

	assert_ptr_equal(part_symbol(SYSCALL_COMPILE_PART, "syscall_compile",
				     &err),
			 syscall_compile);
}

static void what_programs_need_is_allowed(void **state)
{
	assert_int_equal(by_default(0, SYS_getpid, 0, 0), 0);
	assert_int_equal(by_default(0, SYS_socket, AF_UNIX, SOCK_STREAM), 0);
	assert_int_equal(by_default(0, SYS_personality, 0xffffffff, 0), 0);
	assert_int_equal(by_default(0, SYS_futex, 0, -1), ENOSYS);
	assert_int_equal(by_default(0, SYS_kill, 0, 99), EINVAL);
	assert_int_equal(by_default(0, SYS_close, -1, 0), EBADF);
}

static void what_reaches_the_host_is_refused(void **state)
{
	static const long calls[] = {
		SYS_unshare,	 SYS_setns,	      SYS_mount,
		SYS_umount2,	 SYS_pivot_root,      SYS_keyctl,
		SYS_add_key,	 SYS_request_key,     SYS_bpf,
		SYS_kexec_load,	 SYS_init_module,     SYS_finit_module,
		SYS_reboot,	 SYS_swapon,	      SYS_open_by_handle_at,
		SYS_userfaultfd, SYS_perf_event_open, SYS_io_uring_setup,
		SYS_fsopen,	 SYS_open_tree,	      SYS_move_mount,
		SYS_syslog,	 SYS_settimeofday,    SYS_chroot,
	};

	for (size_t i = 0; i < IMG_COUNT(calls); i++)
		assert_int_equal(by_default(0, calls[i], 0, 0), EPERM);
}

static void namespaces_are_not_made_by_clone(void **state)
{
	assert_int_equal(by_default(0, SYS_clone, CLONE_NEWUSER | SIGCHLD, 0),
			 EPERM);
	assert_int_equal(
		by_default(0, SYS_clone, CLONE_NEWNS | CLONE_NEWPID, 0), EPERM);
	assert_int_equal(by_default(0, SYS_clone3, 0, 0), ENOSYS);
	/* The kernel's own answers to calls that make no sense. */
	assert_int_equal(by_default(0, SYS_clone, CLONE_THREAD, 0), EINVAL);
	assert_int_equal(by_default(BIT(CAP_SYS_ADMIN), SYS_clone3, 0, 0),
			 EINVAL);
}

static void a_capability_unlocks_its_calls(void **state)
{
	assert_int_equal(by_default(BIT(CAP_SYS_ADMIN), SYS_setns, -1, 0),
			 EBADF);
	assert_int_equal(by_default(BIT(CAP_SYS_CHROOT), SYS_chroot, 0, 0),
			 EFAULT);
	assert_int_equal(by_default(BIT(CAP_NET_ADMIN), SYS_setns, -1, 0),
			 EPERM);
	assert_int_equal(by_default(CAPABILITY_ALL, SYS_keyctl, 0, 0), EPERM);
}

static void what_came_later_is_unknown(void **state)
{
	assert_int_equal(by_default(CAPABILITY_ALL, 451, 0, 0), ENOSYS);
	assert_int_equal(by_default(CAPABILITY_ALL, 900, 0, 0), ENOSYS);
}

static void a_profile_decides_alone(void **state)
{
	static const char json[] =
		"{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": ["
		"{ \"names\": [\"getpid\", \"not_a_call\"],"
		"  \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 22 },"
		"{ \"name\": \"close\", \"action\": \"SCMP_ACT_ERRNO\","
		"  \"args\": [{ \"index\": 0, \"value\": 77,"
		"               \"op\": \"SCMP_CMP_EQ\" }] },"
		"{ \"names\": [\"getppid\"], \"action\": \"SCMP_ACT_KILL\" },"
		"{ \"names\": [\"getuid\"], \"action\": \"SCMP_ACT_ERRNO\","
		"  \"includes\": { \"caps\": [\"CAP_KILL\"] } },"
		"{ \"names\": [\"getgid\"], \"action\": \"SCMP_ACT_ERRNO\","
		"  \"excludes\": { \"caps\": [\"CAP_KILL\"] } },"
		"{ \"names\": [\"geteuid\"], \"action\": \"SCMP_ACT_ERRNO\","
		"  \"includes\": { \"minKernel\": \"99.1\" } },"
		"{ \"names\": [\"getegid\"], \"action\": \"SCMP_ACT_ERRNO\","
		"  \"includes\": { \"arches\": [\"vax\"] } } ] }";
	struct syscall_policy policy = { .profile = json };

	assert_int_equal(outcome(&policy, SYS_getpid, 0, 0), EINVAL);
	assert_int_equal(outcome(&policy, SYS_close, 77, 0), EPERM);
	assert_int_equal(outcome(&policy, SYS_close, -1, 0), EBADF);
	assert_int_equal(outcome(&policy, SYS_getppid, 0, 0), -SIGSYS);
	assert_int_equal(outcome(&policy, SYS_getuid, 0, 0) == EPERM, false);
	assert_int_equal(outcome(&policy, SYS_getgid, 0, 0), EPERM);
	assert_int_equal(outcome(&policy, SYS_geteuid, 0, 0) == EPERM, false);
	assert_int_equal(outcome(&policy, SYS_getegid, 0, 0) == EPERM, false);
	policy.capabilities = BIT(CAP_KILL);
	assert_int_equal(outcome(&policy, SYS_getuid, 0, 0), EPERM);
	assert_int_equal(outcome(&policy, SYS_getgid, 0, 0) == EPERM, false);
}

static void a_bad_profile_is_refused_by_name(void **state)
{
	static const struct {
		const char *json, *message;
	} cases[] = {
		{ "", "seccomp profile: line 1: *" },
		{ "[]", "seccomp profile: line 1: not an object" },
		{ "{}", "seccomp profile: unknown action ''" },
		{ "{\"defaultAction\":\"SCMP_ACT_MAYBE\"}",
		  "seccomp profile: unknown action 'SCMP_ACT_MAYBE'" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\","
		  "\"defaultErrnoRet\":70000}",
		  "seccomp profile: number out of range 'defaultErrnoRet'" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{"
		  "\"names\":[7],\"action\":\"SCMP_ACT_KILL\"}]}",
		  "seccomp profile: a system call is no 'string'" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{"
		  "\"names\":[\"read\"],\"action\":\"SCMP_ACT_KILL\","
		  "\"args\":[{\"index\":6,\"op\":\"SCMP_CMP_EQ\"}]}]}",
		  "seccomp profile: no such argument: 'index'" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{"
		  "\"names\":[\"read\"],\"action\":\"SCMP_ACT_KILL\","
		  "\"args\":[{\"index\":0,\"op\":\"IS\"}]}]}",
		  "seccomp profile: unknown comparison 'IS'" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{"
		  "\"names\":[\"read\"],\"action\":\"SCMP_ACT_KILL\","
		  "\"includes\":{\"caps\":[\"CAP_FLY\"]}}]}",
		  "seccomp profile: unknown capability 'CAP_FLY'" },
	};

	for (size_t i = 0; i < IMG_COUNT(cases); i++) {
		struct syscall_policy policy = { .profile = cases[i].json };
		struct syscall_filter filter;
		struct img_err err = { 0 };

		assert_int_equal(syscall_filter_make(&policy, &filter, &err),
				 -IMG_E_INPUT);
		assert_null(filter.code);
		if (strchr(cases[i].message, '*'))
			assert_memory_equal(err.msg, cases[i].message,
					    strlen(cases[i].message) - 1);
		else
			assert_string_equal(err.msg, cases[i].message);
	}
}

static void unconfined_is_no_filter(void **state)
{
	struct syscall_policy policy = { .profile = SYSCALL_FILTER_NONE };
	struct syscall_filter filter = make(&policy);
	struct img_err err = { 0 };

	assert_int_equal(filter.n, 0);
	assert_int_equal(syscall_filter_load(&filter, &err), 0);
	assert_int_equal(prctl(PR_GET_SECCOMP), 0);
}

static void the_default_is_kept_and_a_spoilt_one_made_again(void **state)
{
	char dir[] = "/tmp/img-filter-XXXXXX", path[128];
	struct syscall_policy policy = { .capabilities = BIT(CAP_CHOWN),
					 .cache_dir = mkdtemp(dir) };
	struct syscall_filter first, second;
	struct stat st;
	int fd;

	assert_non_null(policy.cache_dir);
	first = make(&policy);
	(void)snprintf(path, sizeof(path), "%s/syscalls-" IMG_VERSION "-1",
		       dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal((size_t)st.st_size, first.n * sizeof(*first.code));

	second = make(&policy);
	assert_int_equal(second.n, first.n);
	assert_memory_equal(second.code, first.code,
			    first.n * sizeof(*first.code));
	syscall_filter_release(&second);

	assert_int_equal(truncate(path, 3), 0);
	second = make(&policy);
	assert_int_equal(second.n, first.n);
	syscall_filter_release(&second);
	syscall_filter_release(&first);

	assert_int_equal(unlink(path), 0);
	fd = open(path, O_RDONLY);
	assert_int_equal(fd, -1);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_compiler_is_found),
		cmocka_unit_test(what_programs_need_is_allowed),
		cmocka_unit_test(what_reaches_the_host_is_refused),
		cmocka_unit_test(namespaces_are_not_made_by_clone),
		cmocka_unit_test(a_capability_unlocks_its_calls),
		cmocka_unit_test(what_came_later_is_unknown),
		cmocka_unit_test(a_profile_decides_alone),
		cmocka_unit_test(a_bad_profile_is_refused_by_name),
		cmocka_unit_test(unconfined_is_no_filter),
		cmocka_unit_test(
			the_default_is_kept_and_a_spoilt_one_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
