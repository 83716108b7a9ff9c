#include "runtime/syscall_compile.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void context_release(void **filter)
{
	if (*filter)
		seccomp_release(*filter);
	*filter = NULL;
}

int syscall_failed(int r, const char *what, struct img_err *err)
{
	return img_err_set(err, IMG_E_INPUT, -r, "seccomp: %s", what);
}

/* Refusals are speed or convenience: programs of the 32-bit kind then find
 * no rule, and end. */
void syscall_set_up(void *filter)
{
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* tree */
#ifdef __x86_64__
	(void)seccomp_arch_add(filter, SCMP_ARCH_X86);
#endif
}

static int export_code(scmp_filter_ctx filter, char **ret, size_t *ret_size,
		       struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	img_auto(img_mem_release) char *code = NULL;
	struct stat st;
	int r;

	fd = memfd_create("seccomp", MFD_CLOEXEC);
	if (fd < 0)
		return img_err_sys(err, "cannot make a file in memory");
	r = seccomp_export_bpf(filter, fd);
	if (r < 0)
		return syscall_failed(r, "cannot compile the filter", err);
	if (fstat(fd, &st) != 0)
		return img_err_sys(err, "cannot read the filter");
	code = mem_alloc((size_t)st.st_size);
	if (pread(fd, code, (size_t)st.st_size, 0) != st.st_size)
		return img_err_sys(err, "cannot read the filter");
	*ret = img_mem_take(&code);
	*ret_size = (size_t)st.st_size;
	return 0;
}

int syscall_compile(const char *profile, uint64_t capabilities, char **ret,
		    size_t *ret_size, struct img_err *err)
{
	img_auto(context_release) void *filter = NULL;
	int r;

	if (profile) {
		r = syscall_profile_rules(profile, capabilities, &filter, err);
	} else {
		filter = seccomp_init(SYSCALL_DEFAULT_ACTION);
		if (!filter)
			return syscall_failed(0, "no filter can be made", err);
		syscall_set_up(filter);
		r = syscall_default_rules(filter, capabilities, err);
	}
	return r < 0 ? r : export_code(filter, ret, ret_size, err);
}
