#include "runtime/mount_guard.h"

#include "runtime/syscall_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mount.h>

#define SETATTR 442 /* mount_setattr, on every architecture */
#define X32	0x40000000u

#if defined(__x86_64__)
#define ARCH	      AUDIT_ARCH_X86_64
#define MOUNT	      165
#define FOREIGN	      AUDIT_ARCH_I386
#define FOREIGN_MOUNT 21
#elif defined(__aarch64__)
#define ARCH	      AUDIT_ARCH_AARCH64
#define MOUNT	      40
#define FOREIGN	      AUDIT_ARCH_ARM
#define FOREIGN_MOUNT 21
#else
#error "which number mount(2) has on this architecture has to be said here"
#endif

#define LOAD(field)                                                            \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS,                                     \
		 (uint32_t)offsetof(struct seccomp_data, field))
#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, value)
#define IF_EQUAL(value, yes, no)                                               \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)

#define REMOUNT (MS_REMOUNT | MS_BIND)
#define KEPT	(MS_NODEV | MS_RDONLY)

/* The flags are the fourth argument, its lower half; both architectures store
 * that first. */
static struct sock_filter code[] = {
	/* 0 */ LOAD(arch),
	/* 1 */ IF_EQUAL(FOREIGN, 3, 0),
	/* 2 */ LOAD(nr),
	/* 3 */ BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~X32),
	/* 4 */ IF_EQUAL(MOUNT, 4, 2),
	/* 5 */ LOAD(nr),
	/* 6 */ IF_EQUAL(FOREIGN_MOUNT, 2, 0),
	/* 7 */ IF_EQUAL(SETATTR, 7, 0),
	/* 8 */ ANSWER(SECCOMP_RET_ALLOW),
	/* 9 */ LOAD(args[3]),
	/* 10 */ BPF_STMT(BPF_ALU | BPF_AND | BPF_K, REMOUNT | KEPT),
	/* 11 */ IF_EQUAL(REMOUNT, 2, 0),
	/* 12 */ IF_EQUAL(REMOUNT | MS_NODEV, 1, 0),
	/* 13 */ IF_EQUAL(REMOUNT | MS_RDONLY, 0, 2),
	/* 14 */ ANSWER(SECCOMP_RET_ERRNO | EPERM),
	/* As of a kernel that has none: mount(8) then asks the old way. */
	/* 15 */ ANSWER(SECCOMP_RET_ERRNO | ENOSYS),
	/* 16 */ ANSWER(SECCOMP_RET_ALLOW),
};

const struct sock_fprog mount_guard_program = { IMG_COUNT(code), code };

bool mount_guard_is_needed(const struct container_spec *spec)
{
	return userns_is_own(&spec->users) &&
	       (spec->capabilities & (UINT64_C(1) << CAP_SYS_ADMIN)) != 0;
}

int mount_guard_load(struct img_err *err)
{
	const struct syscall_filter filter = { code, IMG_COUNT(code) };

	return syscall_filter_load(&filter, err);
}
