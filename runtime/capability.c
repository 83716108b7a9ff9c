#include "runtime/capability.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BIT(cap) (UINT64_C(1) << (cap))

const uint64_t capability_default =
	BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) |
	BIT(CAP_FSETID) | BIT(CAP_KILL) | BIT(CAP_SETGID) | BIT(CAP_SETUID) |
	BIT(CAP_SETPCAP) | BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_NET_RAW) |
	BIT(CAP_SYS_CHROOT) | BIT(CAP_MKNOD) | BIT(CAP_AUDIT_WRITE) |
	BIT(CAP_SETFCAP);

/* By number. */
static const char *const names[] = {
	"CHOWN",
	"DAC_OVERRIDE",
	"DAC_READ_SEARCH",
	"FOWNER",
	"FSETID",
	"KILL",
	"SETGID",
	"SETUID",
	"SETPCAP",
	"LINUX_IMMUTABLE",
	"NET_BIND_SERVICE",
	"NET_BROADCAST",
	"NET_ADMIN",
	"NET_RAW",
	"IPC_LOCK",
	"IPC_OWNER",
	"SYS_MODULE",
	"SYS_RAWIO",
	"SYS_CHROOT",
	"SYS_PTRACE",
	"SYS_PACCT",
	"SYS_ADMIN",
	"SYS_BOOT",
	"SYS_NICE",
	"SYS_RESOURCE",
	"SYS_TIME",
	"SYS_TTY_CONFIG",
	"MKNOD",
	"LEASE",
	"AUDIT_WRITE",
	"AUDIT_CONTROL",
	"SETFCAP",
	"MAC_OVERRIDE",
	"MAC_ADMIN",
	"SYSLOG",
	"WAKE_ALARM",
	"BLOCK_SUSPEND",
	"AUDIT_READ",
	"PERFMON",
	"BPF",
	"CHECKPOINT_RESTORE",
};
_Static_assert(IMG_COUNT(names) == CAP_LAST_CAP + 1, "one name for each");

int capability_parse(const char *name, uint64_t *ret, struct img_err *err)
{
	const char *bare = strncasecmp(name, "CAP_", 4) == 0 ? name + 4 : name;

	if (strcasecmp(bare, "ALL") == 0) {
		*ret = CAPABILITY_ALL;
		return 0;
	}
	for (size_t i = 0; i < IMG_COUNT(names); i++)
		if (strcasecmp(bare, names[i]) == 0) {
			*ret = BIT(i);
			return 0;
		}
	return img_err_set(err, IMG_E_INPUT, 0, "unknown capability '%s'",
			   name);
}

static int parse_all(char *const *list, uint64_t *ret, bool *ret_all,
		     struct img_err *err)
{
	*ret = 0;
	*ret_all = false;
	for (; list && *list; list++) {
		uint64_t one = 0;
		int r = capability_parse(*list, &one, err);

		if (r < 0)
			return r;
		if (one == CAPABILITY_ALL)
			*ret_all = true;
		else
			*ret |= one;
	}
	return 0;
}

int capability_choose(char *const *add, char *const *drop, uint64_t *ret,
		      struct img_err *err)
{
	uint64_t added, dropped;
	bool add_all, drop_all;
	int r;

	if ((r = parse_all(add, &added, &add_all, err)) < 0 ||
	    (r = parse_all(drop, &dropped, &drop_all, err)) < 0)
		return r;
	if (add_all)
		*ret = CAPABILITY_ALL & ~dropped;
	else if (drop_all)
		*ret = added;
	else
		*ret = (capability_default & ~dropped) | added;
	return 0;
}

int capability_bound(uint64_t keep, struct img_err *err)
{
	for (unsigned int cap = 0; cap < 64; cap++) {
		if (keep & BIT(cap))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL) /* above the kernel's last one */
			break;
		return img_err_sys(err, "cannot drop capability %u", cap);
	}
	return 0;
}

int capability_keep(uint64_t keep, struct img_err *err)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct half[2];

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 &&
	    errno != EINVAL) /* older than Linux 4.3: there is none */
		return img_err_sys(err, "cannot clear the ambient "
					"capabilities");
	if (syscall(SYS_capget, &head, half) != 0)
		return img_err_sys(err, "cannot read the capabilities");
	for (int i = 0; i < 2; i++) {
		uint32_t mask = (uint32_t)(keep >> (32 * i));

		half[i].effective &= mask;
		half[i].permitted &= mask;
		half[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &head, half) != 0)
		return img_err_sys(err, "cannot drop capabilities");
	return 0;
}
