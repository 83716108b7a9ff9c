#include "runtime/syscall_compile.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/*
 * The default profile.
 *
 * Every system call that Linux had up to the number REVIEWED_MAX is allowed,
 * but for those of the table.  Later ones are answered as an old kernel would
 * (ENOSYS), so that libraries fall back to what they did before.
 */
#define REVIEWED_MAX 450

enum {
	NO_CAPABILITY = -1, /* nothing unlocks it */
};

static const struct refused {
	const char *name;
	int capability; /* that unlocks it */
} refused[] = {
	/* Another kernel, or another kernel's code. */
	{ "kexec_load", NO_CAPABILITY },
	{ "kexec_file_load", NO_CAPABILITY },
	{ "init_module", CAP_SYS_MODULE },
	{ "finit_module", CAP_SYS_MODULE },
	{ "delete_module", CAP_SYS_MODULE },
	{ "create_module", NO_CAPABILITY },
	{ "query_module", NO_CAPABILITY },
	{ "get_kernel_syms", NO_CAPABILITY },
	{ "bpf", CAP_BPF },
	/* The machine as a whole. */
	{ "reboot", CAP_SYS_BOOT },
	{ "swapon", NO_CAPABILITY },
	{ "swapoff", NO_CAPABILITY },
	{ "acct", CAP_SYS_PACCT },
	{ "syslog", CAP_SYSLOG },
	{ "settimeofday", CAP_SYS_TIME },
	{ "stime", CAP_SYS_TIME },
	{ "clock_settime", CAP_SYS_TIME },
	{ "clock_settime64", CAP_SYS_TIME },
	{ "iopl", CAP_SYS_RAWIO },
	{ "ioperm", CAP_SYS_RAWIO },
	{ "vhangup", CAP_SYS_TTY_CONFIG },
	{ "quotactl", CAP_SYS_ADMIN },
	{ "quotactl_fd", CAP_SYS_ADMIN },
	{ "sethostname", CAP_SYS_ADMIN },
	{ "setdomainname", CAP_SYS_ADMIN },
	/* Mounts and namespaces; clone has its own rules below. */
	{ "mount", CAP_SYS_ADMIN },
	{ "umount", CAP_SYS_ADMIN },
	{ "umount2", CAP_SYS_ADMIN },
	{ "pivot_root", NO_CAPABILITY },
	{ "chroot", CAP_SYS_CHROOT },
	{ "open_tree", CAP_SYS_ADMIN },
	{ "move_mount", CAP_SYS_ADMIN },
	{ "mount_setattr", CAP_SYS_ADMIN },
	{ "fsopen", CAP_SYS_ADMIN },
	{ "fsconfig", CAP_SYS_ADMIN },
	{ "fsmount", CAP_SYS_ADMIN },
	{ "fspick", CAP_SYS_ADMIN },
	{ "setns", CAP_SYS_ADMIN },
	{ "unshare", CAP_SYS_ADMIN },
	/* Files of a file system by number, past every directory. */
	{ "open_by_handle_at", CAP_DAC_READ_SEARCH },
	{ "lookup_dcookie", CAP_SYS_ADMIN },
	/* Keyrings know no namespaces but that of users. */
	{ "add_key", NO_CAPABILITY },
	{ "keyctl", NO_CAPABILITY },
	{ "request_key", NO_CAPABILITY },
	/* Other processes, and what watches them. */
	{ "kcmp", CAP_SYS_PTRACE },
	{ "pidfd_getfd", CAP_SYS_PTRACE },
	{ "process_madvise", CAP_SYS_PTRACE },
	{ "perf_event_open", CAP_PERFMON },
	{ "fanotify_init", CAP_SYS_ADMIN },
	/* Where memory lies. */
	{ "get_mempolicy", CAP_SYS_NICE },
	{ "set_mempolicy", CAP_SYS_NICE },
	{ "set_mempolicy_home_node", CAP_SYS_NICE },
	{ "mbind", CAP_SYS_NICE },
	{ "migrate_pages", CAP_SYS_NICE },
	{ "move_pages", CAP_SYS_NICE },
	/* Much code behind them, and more of their past in advisories. */
	{ "io_uring_setup", NO_CAPABILITY },
	{ "io_uring_enter", NO_CAPABILITY },
	{ "io_uring_register", NO_CAPABILITY },
	{ "userfaultfd", NO_CAPABILITY },
	{ "vm86", NO_CAPABILITY },
	{ "vm86old", NO_CAPABILITY },
	/* Of no use, or of none any more. */
	{ "_sysctl", NO_CAPABILITY },
	{ "nfsservctl", NO_CAPABILITY },
	{ "sysfs", NO_CAPABILITY },
	{ "uselib", NO_CAPABILITY },
	{ "ustat", NO_CAPABILITY },
};

/* What is allowed with some arguments: its rules are functions below. */
static const char *const conditional[] = { "clone", "clone3", "personality",
					   "socket" };

static bool may(uint64_t capabilities, int capability)
{
	uint64_t any;

	if (capability == NO_CAPABILITY)
		return false;
	any = UINT64_C(1) << capability;
	/* Those that were once part of it. */
	if (capability == CAP_BPF || capability == CAP_PERFMON ||
	    capability == CAP_SYSLOG)
		any |= UINT64_C(1) << CAP_SYS_ADMIN;
	return (capabilities & any) != 0;
}

static bool is_refused(const char *name, uint64_t capabilities)
{
	for (size_t i = 0; i < IMG_COUNT(refused); i++)
		if (strcmp(name, refused[i].name) == 0)
			return !may(capabilities, refused[i].capability);
	return false;
}

static bool is_conditional(const char *name)
{
	for (size_t i = 0; i < IMG_COUNT(conditional); i++)
		if (strcmp(name, conditional[i]) == 0)
			return true;
	return false;
}

static int add(void *filter, uint32_t action, int number,
	       const struct scmp_arg_cmp *arg, struct img_err *err)
{
	int r = seccomp_rule_add_array(filter, action, number, arg ? 1 : 0,
				       arg);

	/* EEXIST: a second architecture has it as well. */
	if (r == 0 || r == -EEXIST)
		return 0;
	return syscall_failed(r, "a rule of the default profile was refused",
			      err);
}

/* Calls of one architecture; those that native programs have too get their
 * rule once. */
static int add_calls(void *filter, uint32_t arch, uint64_t capabilities,
		     struct img_err *err)
{
	int r = 0;

	for (int n = 0; r == 0 && n <= REVIEWED_MAX; n++) {
		char *name = seccomp_syscall_resolve_num_arch(arch, n);
		int number;

		if (!name || is_conditional(name)) {
			free(name);
			continue;
		}
		number = seccomp_syscall_resolve_name(name);
		if (number == __NR_SCMP_ERROR)
			number = n;
		r = add(filter,
			is_refused(name, capabilities) ? SCMP_ACT_ERRNO(EPERM)
						       : SCMP_ACT_ALLOW,
			number, NULL, err);
		free(name);
	}
	return r;
}

/* New namespaces by clone's flags; clone3 has them in memory, where no filter
 * can look, so libraries are made to fall back to clone. */
static int add_clone(void *filter, uint64_t capabilities, struct img_err *err)
{
	static const unsigned long spaces[] = {
		CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
		CLONE_NEWUSER, CLONE_NEWPID,	CLONE_NEWNET,
	};
	unsigned long all = 0;
	struct scmp_arg_cmp arg = {
#if defined(__s390__) || defined(__s390x__)
		.arg = 1,
#endif
		.op = SCMP_CMP_MASKED_EQ,
	};
	int r;

	if (may(capabilities, CAP_SYS_ADMIN)) {
		r = add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), NULL, err);
		return r < 0 ? r
			     : add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone3),
				   NULL, err);
	}
	for (size_t i = 0; i < IMG_COUNT(spaces); i++) {
		all |= spaces[i];
		arg.datum_a = arg.datum_b = spaces[i];
		r = add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), &arg,
			err);
		if (r < 0)
			return r;
	}
	arg.datum_a = all;
	arg.datum_b = 0;
	return add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), &arg, err);
}

/* Linux, 32-bit Linux, both with the old way of time-outs, and the question
 * what it is. */
static int add_personality(void *filter, struct img_err *err)
{
	static const uint32_t known[] = { 0, 8, 0x20000, 0x20008, 0xffffffff };

	for (size_t i = 0; i < IMG_COUNT(known); i++) {
		struct scmp_arg_cmp arg = { .op = SCMP_CMP_EQ,
					    .datum_a = known[i] };
		int r = add(filter, SCMP_ACT_ALLOW, SCMP_SYS(personality), &arg,
			    err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Sockets to the hypervisor belong to no network namespace. */
static int add_socket(void *filter, struct img_err *err)
{
	struct scmp_arg_cmp vsock = { .op = SCMP_CMP_NE, .datum_a = 40 };
	int r = add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), &vsock, err);

	vsock.op = SCMP_CMP_EQ;
	return r < 0 ? r
		     : add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT),
			   SCMP_SYS(socket), &vsock, err);
}

int syscall_default_rules(void *filter, uint64_t capabilities,
			  struct img_err *err)
{
	int r;

	if ((r = add_calls(filter, seccomp_arch_native(), capabilities, err)) <
		    0 ||
#ifdef __x86_64__
	    (r = add_calls(filter, SCMP_ARCH_X86, capabilities, err)) < 0 ||
#endif
	    (r = add_clone(filter, capabilities, err)) < 0 ||
	    (r = add_personality(filter, err)) < 0)
		return r;
	return add_socket(filter, err);
}
