/*
 * hostile: what a program in a container tries, for tests/system/hostile_*.bats.
 *
 *	hostile calls		system calls that reach the kernel or the host;
 *				prints those that were let through
 *	hostile remount PATH	tries to take nodev and read-only from a mount
 *	hostile hunt SECONDS	looks into every process that enters; prints
 *				what it could get of one that was img still,
 *				and in the end how many it saw
 *	hostile overwrite SECONDS
 *				opens the program of every process that is
 *				img, and tries to open it for writing as long
 *				as it lives; prints whether it could, and how
 *				many it had
 *	hostile swap A B	exchanges two names, for ever
 *	hostile mounts DIR N	mounts DIR over itself N times
 *	hostile key NAME	looks for a key in the session's keyring
 *	hostile with-key NAME COMMAND...
 *				on the host: runs a command in a session that
 *				has such a key
 *	hostile stubborn	ignores all signals, and so do its children,
 *				each in a session of its own
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void let_through(const char *what, bool yes)
{
	if (yes)
		printf("let through: %s\n", what);
}

/* The root of a file system by its handle: CVE-none, "shocker". */
static bool opens_by_handle(void)
{
	struct {
		struct file_handle head;
		uint32_t ino[4];
	} handle = { .head = { .handle_bytes = 8, .handle_type = 1 },
		     .ino = { 2, 0 } };
	int root = open("/", O_RDONLY | O_DIRECTORY);

	return open_by_handle_at(root, &handle.head, O_RDONLY) >= 0;
}

static bool loads_bpf(void)
{
	/* r0 = 0; exit: of a kind that sees the whole machine. */
	const struct bpf_insn code[] = { { .code = 0xb7 }, { .code = 0x95 } };
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_KPROBE,
		.insn_cnt = 2,
		.insns = (uint64_t)(uintptr_t)code,
		.license = (uint64_t)(uintptr_t) "GPL",
	};

	return syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)) >= 0;
}

/* All events of processor 0, whoever runs there. */
static bool watches_processor(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_CPU_CLOCK };

	return syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0) >= 0;
}

/* A disk by its number; of any driver there may be. */
static bool makes_disk(void)
{
	return mknod("/tmp/disk", S_IFBLK | 0600, makedev(254, 0)) == 0 &&
	       open("/tmp/disk", O_RDONLY) >= 0;
}

static bool mounts_disk(void)
{
	return mount("/dev/dm-0", "/mnt", "ext4", MS_RDONLY, NULL) == 0 ||
	       mount("/dev/loop0", "/mnt", "ext4", MS_RDONLY, NULL) == 0;
}

/* A hierarchy whose owner may say what the host runs when a group is empty. */
static bool mounts_release_agent(void)
{
	static const char *const kinds[] = {
		"rdma",	   "memory",	       "cpu", "pids", "freezer",
		"devices", "none,name=hostile"
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (mount("cgroup", "/mnt", "cgroup", 0, kinds[i]) == 0) {
			int fd = open("/mnt/release_agent", O_WRONLY);

			if (fd >= 0 && write(fd, "/x", 2) == 2)
				return true;
			(void)umount2("/mnt", MNT_DETACH);
		}
	return false;
}

static void calls(void)
{
	const struct timespec clock = { .tv_sec = 1 };
	const struct timeval time = { .tv_sec = 1 };

	(void)mkdir("/mnt", 0755);
	(void)mkdir("/tmp", 01777);
	let_through("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0) == 0);
	let_through("kexec_file_load",
		    syscall(SYS_kexec_file_load, -1, -1, 0, "", 4) == 0 ||
			    errno == EBADF);
	let_through("init_module", syscall(SYS_init_module, "", 0, "") == 0 ||
					   errno == ENOEXEC);
	let_through("delete_module",
		    syscall(SYS_delete_module, "loop", O_NONBLOCK) == 0 ||
			    errno == EWOULDBLOCK);
	let_through("open_by_handle_at", opens_by_handle());
	let_through("bpf", loads_bpf());
	let_through("perf_event_open", watches_processor());
	let_through("a disk's node", makes_disk());
	let_through("a disk's mount", mounts_disk());
	let_through("release_agent", mounts_release_agent());
	let_through("swapon", swapon("/etc/passwd", 0) == 0 || errno == EINVAL);
	let_through("clock_settime",
		    clock_settime(CLOCK_REALTIME, &clock) == 0);
	let_through("settimeofday", settimeofday(&time, NULL) == 0);
	let_through("syslog", klogctl(5, NULL, 0) >= 0);
	let_through("acct", acct("/etc/passwd") == 0);
#ifdef __x86_64__
	let_through("iopl", syscall(SYS_iopl, 3) == 0);
	let_through("ioperm", syscall(SYS_ioperm, 0x80, 1, 1) == 0);
#endif
	printf("all were tried\n");
}

static void remount(const char *path)
{
	struct {
		uint64_t set, clear, propagation, userns;
	} attr = { .clear = 4 | 1 }; /* nodev, rdonly */
	int tree;

	let_through("remount",
		    mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL) == 0);
	let_through("remount, nodev alone",
		    mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_NODEV,
			  NULL) == 0);
	let_through("remount, read-only alone",
		    mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY,
			  NULL) == 0);
	let_through("remount of the file system",
		    mount(NULL, path, NULL, MS_REMOUNT, NULL) == 0);
	let_through("mount_setattr",
		    syscall(442, AT_FDCWD, path, 0, &attr, sizeof(attr)) == 0);
	tree = (int)syscall(428, AT_FDCWD, path, 1); /* open_tree, a clone */
	let_through("mount_setattr of a clone",
		    tree >= 0 && syscall(442, tree, "", AT_EMPTY_PATH, &attr,
					 sizeof(attr)) == 0);
	printf("all were tried\n");
}

static bool is_img(const char *pid)
{
	char path[300], comm[17] = "";
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	if (read(fd, comm, 16) < 0)
		comm[0] = '\0';
	(void)close(fd);
	return strcmp(comm, "img\n") == 0;
}

static int open_img_of(const char *pid)
{
	char path[300], target[4096];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%s/exe", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target));
	if (n > 4 && memcmp(target + n - 4, "/img", 4) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* What may not be looked into may be anything. */
static bool has_new_program(const char *pid)
{
	char path[300], target[4096];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%s/exe", pid);
	n = readlink(path, target, sizeof(target));
	return n > 0 && (n < 4 || memcmp(target + n - 4, "/img", 4) != 0);
}

/*
 * Opens what a process has.
 *
 * A process is under its old name for a moment after its new program is in
 * place, and then who may trace sees into it: at its new memory, and at
 * what the old one left.  That may be of the container alone.
 */
static void take(const char *pid, const char *what)
{
	struct stat got, own;
	char path[300];
	int fd, exe;

	(void)snprintf(path, sizeof(path), "/proc/%s/%s", pid, what);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return;
	if (strncmp(what, "fd/", 3) == 0) {
		if (is_img(pid) && !has_new_program(pid))
			printf("got %s of img\n", what);
	} else if (strcmp(what, "cwd") == 0 || strcmp(what, "root") == 0) {
		if (fstat(fd, &got) == 0 && stat("/", &own) == 0 &&
		    got.st_dev != own.st_dev && is_img(pid))
			printf("got %s of img\n", what);
	} else {
		exe = open_img_of(pid);
		if (exe >= 0 && is_img(pid))
			printf("got %s of img\n", what);
		if (exe >= 0)
			(void)close(exe);
	}
	(void)close(fd);
}

static void trace(const char *pid)
{
	const pid_t p = atoi(pid);

	if (ptrace(PTRACE_SEIZE, p, NULL, NULL) != 0)
		return;
	(void)ptrace(PTRACE_INTERRUPT, p, NULL, NULL);
	(void)waitpid(p, NULL, __WALL);
	if (is_img(pid)) /* stopped: it cannot become another */
		printf("traced img\n");
	(void)ptrace(PTRACE_DETACH, p, NULL, NULL);
}

static void hunt(int seconds)
{
	static const char *const parts[] = { "mem",  "exe",    "cwd",  "root",
					     "fd/0", "fd/3",   "fd/4", "fd/5",
					     "fd/6", "fd/7",   "fd/8", "fd/9",
					     "maps", "environ" };
	const time_t end = time(NULL) + seconds;
	unsigned seen = 0;

	while (time(NULL) < end && access("/stop", F_OK) != 0) {
		DIR *proc = opendir("/proc");
		struct dirent *e;

		while (proc && (e = readdir(proc)) != NULL) {
			if (e->d_name[0] < '1' || e->d_name[0] > '9' ||
			    !is_img(e->d_name))
				continue;
			seen++;
			for (size_t i = 0; i < sizeof(parts) / sizeof(*parts);
			     i++)
				take(e->d_name, parts[i]);
			trace(e->d_name);
		}
		if (proc)
			(void)closedir(proc);
	}
	printf("looked into %u\n", seen);
}

/* The way in which a program that may not be written while it runs is kept for
 * later: by a descriptor. */
static bool writable_by(int fd)
{
	char path[32];
	int out;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	out = open(path, O_WRONLY | O_APPEND);
	if (out >= 0)
		(void)close(out);
	return out >= 0;
}

static void overwrite(int seconds)
{
	const time_t end = time(NULL) + seconds;
	int kept[64], n = 0;

	printf("begun\n");
	while (time(NULL) < end && access("/stop", F_OK) != 0) {
		DIR *proc = opendir("/proc");
		struct dirent *e;

		while (proc && n < 64 && (e = readdir(proc)) != NULL) {
			kept[n] = open_img_of(e->d_name);
			n += kept[n] >= 0;
		}
		if (proc)
			(void)closedir(proc);
		for (int i = 0; i < n; i++)
			if (writable_by(kept[i]))
				printf("it can be written\n");
	}
	printf("had %d\n", n);
}

static void swap(const char *a, const char *b)
{
	for (;;)
		if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) != 0) {
			perror("exchange");
			exit(1);
		}
}

static void pile_up(const char *dir, int n)
{
	char path[64];
	int done = 0;

	for (int i = 0; i < 100; i++) {
		(void)snprintf(path, sizeof(path), "%s/%d", dir, i);
		(void)mkdir(path, 0755);
		for (int j = 0; j < n / 100; j++)
			done += mount(path, path, NULL, MS_BIND, NULL) == 0;
	}
	printf("mounted %d\n", done);
}

static void find_key(const char *name)
{
	long id = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING,
			  "user", name, 0);

	printf(id >= 0 ? "found it\n" : "no such key: %s\n", strerror(errno));
}

static void run_with_key(const char *name, char **argv)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ||
	    syscall(SYS_add_key, "user", name, "secret", 6,
		    KEY_SPEC_SESSION_KEYRING) < 0)
		perror("cannot add a key");
	else
		(void)execvp(argv[0], argv);
	exit(2);
}

static void be_stubborn(void)
{
	for (int sig = 1; sig < 65; sig++)
		(void)signal(sig, SIG_IGN);
	for (int i = 0; i < 5; i++)
		if (fork() == 0) {
			(void)setsid();
			break;
		}
	printf("here\n");
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(what, "calls") == 0)
		calls();
	else if (strcmp(what, "remount") == 0 && argc == 3)
		remount(argv[2]);
	else if (strcmp(what, "hunt") == 0 && argc == 3)
		hunt(atoi(argv[2]));
	else if (strcmp(what, "overwrite") == 0 && argc == 3)
		overwrite(atoi(argv[2]));
	else if (strcmp(what, "swap") == 0 && argc == 4)
		swap(argv[2], argv[3]);
	else if (strcmp(what, "mounts") == 0 && argc == 4)
		pile_up(argv[2], atoi(argv[3]));
	else if (strcmp(what, "key") == 0 && argc == 3)
		find_key(argv[2]);
	else if (strcmp(what, "with-key") == 0 && argc > 3)
		run_with_key(argv[2], argv + 3);
	else if (strcmp(what, "stubborn") == 0)
		be_stubborn();
	else
		return 2;
	return 0;
}
