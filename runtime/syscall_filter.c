#include "runtime/syscall_filter.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/part.h"
#include "base/str.h"
#include "runtime/syscall_compile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CODE_MAX_BYTES (BPF_MAXINSNS * sizeof(struct sock_filter))

void syscall_filter_release(struct syscall_filter *filter)
{
	img_mem_release(&filter->code);
	filter->n = 0;
}

static void fill(struct syscall_filter *ret, char *code, size_t size)
{
	*ret = (struct syscall_filter){
		.code = (struct sock_filter *)(void *)code,
		.n = (unsigned short)(size / sizeof(struct sock_filter)),
	};
}

static bool is_program(size_t size)
{
	return size > 0 && size <= CODE_MAX_BYTES &&
	       size % sizeof(struct sock_filter) == 0;
}

static char *cache_path(const struct syscall_policy *policy)
{
	if (policy->profile || !policy->cache_dir)
		return NULL;
	return mem_printf("%s/syscalls-" IMG_VERSION "-%" PRIx64,
			  policy->cache_dir, policy->capabilities);
}

/* False when there is none that can be used. */
static bool read_cache(const char *path, struct syscall_filter *ret)
{
	struct img_err dropped = { 0 };
	char *code = NULL;
	size_t size = 0;

	if (file_read_all(AT_FDCWD, path, CODE_MAX_BYTES, &code, &size,
			  &dropped) < 0)
		return false;
	if (!is_program(size)) {
		free(code);
		return false;
	}
	fill(ret, code, size);
	return true;
}

/* Many may start at once: the file appears whole, and once.  Not synced: it is
 * made again after a crash. */
static void write_cache(const char *dir, const char *path,
			const struct syscall_filter *filter)
{
	const size_t size = filter->n * sizeof(*filter->code);
	img_auto(img_fd_release) int fd = -1;
	struct img_err dropped = { 0 };

	fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (fd >= 0 && file_write(fd, filter->code, size, path, &dropped) == 0)
		IMG_IGNORE(linkat(fd, "", AT_FDCWD, path, AT_EMPTY_PATH));
}

static int compile(const struct syscall_policy *policy,
		   struct syscall_filter *ret, struct img_err *err)
{
	syscall_compile_fn *part;
	char *code = NULL;
	size_t size = 0;
	int r;

	part = part_symbol(SYSCALL_COMPILE_PART, "syscall_compile", err);
	if (!part)
		return -(int)err->code;
	r = part(policy->profile, policy->capabilities, &code, &size, err);
	if (r < 0)
		return r;
	if (!is_program(size)) {
		free(code);
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the seccomp profile is too long for the "
				   "kernel");
	}
	fill(ret, code, size);
	return 0;
}

int syscall_filter_make(const struct syscall_policy *policy,
			struct syscall_filter *ret, struct img_err *err)
{
	img_auto(img_mem_release) char *path = cache_path(policy);
	int r;

	*ret = (struct syscall_filter){ 0 };
	if (policy->profile &&
	    strcmp(policy->profile, SYSCALL_FILTER_NONE) == 0)
		return 0;
	if (path && read_cache(path, ret))
		return 0;
	r = compile(policy, ret, err);
	if (r == 0 && path)
		write_cache(policy->cache_dir, path, ret);
	return r;
}

int syscall_filter_load(const struct syscall_filter *filter,
			struct img_err *err)
{
	const struct sock_fprog program = { filter->n, filter->code };

	if (filter->n == 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0)
		return 0;
	if (errno == ENOSYS || errno == EINVAL)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "this kernel cannot filter system calls; "
				   "'--security-opt seccomp=unconfined' runs "
				   "without");
	return img_err_sys(err, "cannot filter system calls");
}
