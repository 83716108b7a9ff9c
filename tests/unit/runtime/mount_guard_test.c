#include "runtime/mount_guard.h"

#include "runtime/capability.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include <cmocka.h>

#define ALLOW  SECCOMP_RET_ALLOW
#define EPERM_ SECCOMP_RET_ERRNO | EPERM

#if defined(__x86_64__)
#define NATIVE	AUDIT_ARCH_X86_64
#define FOREIGN AUDIT_ARCH_I386
#else
#define NATIVE	AUDIT_ARCH_AARCH64
#define FOREIGN AUDIT_ARCH_ARM
#endif

/* What the kernel does with a program of the few kinds that ours has. */
static uint32_t answer(uint32_t arch, int nr, uint64_t flags)
{
	const struct sock_fprog *p = &mount_guard_program;
	const struct seccomp_data data = { .nr = nr,
					   .arch = arch,
					   .args = { 0, 0, 0, flags } };
	uint32_t a = 0;

	for (unsigned int i = 0; i < p->len; i++) {
		const struct sock_filter *f = &p->filter[i];

		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(f->k + 4 <= sizeof(data));
			memcpy(&a, (const char *)&data + f->k, 4);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= f->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			i += a == f->k ? f->jt : f->jf;
			break;
		case BPF_RET | BPF_K:
			return f->k;
		default:
			fail_msg("instruction %u is %x", i, f->code);
		}
	}
	fail_msg("it does not end");
	return 0;
}

static void assert_mounts(uint32_t arch, int mount_nr)
{
	const uint64_t bind = MS_REMOUNT | MS_BIND;

	assert_int_equal(answer(arch, mount_nr, 0), ALLOW);
	assert_int_equal(answer(arch, mount_nr, MS_BIND | MS_REC), ALLOW);
	assert_int_equal(answer(arch, mount_nr, MS_MOVE), ALLOW);
	assert_int_equal(answer(arch, mount_nr, MS_REMOUNT), ALLOW);
	assert_int_equal(answer(arch, mount_nr, bind), EPERM_);
	assert_int_equal(answer(arch, mount_nr, bind | MS_NODEV), EPERM_);
	assert_int_equal(answer(arch, mount_nr, bind | MS_RDONLY), EPERM_);
	assert_int_equal(answer(arch, mount_nr, bind | MS_NOSUID), EPERM_);
	assert_int_equal(answer(arch, mount_nr, bind | 1ull << 40), EPERM_);
	assert_int_equal(answer(arch, mount_nr, bind | MS_NODEV | MS_RDONLY),
			 ALLOW);
	assert_int_equal(answer(arch, mount_nr,
				bind | MS_NODEV | MS_RDONLY | MS_NOEXEC),
			 ALLOW);
	assert_int_equal(answer(arch, 442, 0), SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(answer(arch, 1, bind), ALLOW);
}

static void flags_of_mounts_cannot_be_taken(void **state)
{
	assert_mounts(NATIVE, SYS_mount);
	assert_mounts(FOREIGN, 21);
#ifdef __x86_64__
	assert_mounts(NATIVE, SYS_mount | 0x40000000);
	assert_int_equal(answer(NATIVE, 442 | 0x40000000, 0),
			 SECCOMP_RET_ERRNO | ENOSYS);
#endif
}

static void it_stands_where_it_is_needed(void **state)
{
	struct container_spec spec = { .capabilities = CAPABILITY_ALL };

	assert_false(mount_guard_is_needed(&spec)); /* the host's root */
	spec.users = (struct userns){ 65536, 65536 };
	assert_true(mount_guard_is_needed(&spec));
	spec.capabilities = capability_default;
	assert_false(mount_guard_is_needed(&spec));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_of_mounts_cannot_be_taken),
		cmocka_unit_test(it_stands_where_it_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
