#include "base/part.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef IMG_PARTS_DIR
#define IMG_PARTS_DIR "/usr/local/lib/img"
#endif

/* The directory of the running program, without a trailing slash. */
static int program_dir(char *out, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", out, size - 1);
	char *slash;

	if (n <= 0)
		return -1;
	out[n] = '\0';
	slash = strrchr(out, '/');
	if (!slash)
		return -1;
	*slash = '\0';
	return 0;
}

char *part_path(const char *part, struct img_err *err)
{
	img_auto(img_mem_release) char *path = NULL;
	char dir[PATH_MAX];

	if (program_dir(dir, sizeof(dir)) == 0) {
		path = mem_printf("%s/img-%s.so", dir, part);
		if (access(path, R_OK) == 0)
			return img_mem_take(&path);
		img_mem_release(&path);
	}
	path = mem_printf("%s/img-%s.so", IMG_PARTS_DIR, part);
	if (access(path, R_OK) == 0)
		return img_mem_take(&path);
	(void)img_err_set(err, IMG_E_NOT_FOUND, 0,
			  "cannot find img-%s.so, neither beside the program "
			  "nor in " IMG_PARTS_DIR,
			  part);
	return NULL;
}

static void *open_part(const char *part, struct img_err *err)
{
	img_auto(img_mem_release) char *path = part_path(part, err);
	void *handle;

	if (!path)
		return NULL;
	handle = dlopen(path, RTLD_LAZY | RTLD_GLOBAL);
	if (!handle)
		(void)img_err_set(err, IMG_E_NOT_FOUND, 0,
				  "cannot load the part '%s': %s", part,
				  dlerror());
	return handle;
}

void *part_symbol(const char *part, const char *symbol, struct img_err *err)
{
	void *address = dlsym(RTLD_DEFAULT, symbol);
	void *handle;

	if (address)
		return address;
	handle = open_part(part, err);
	if (!handle)
		return NULL;
	address = dlsym(handle, symbol);
	if (!address)
		(void)img_err_set(err, IMG_E_NOT_FOUND, 0,
				  "the part '%s' has no '%s': it belongs to "
				  "another version of img",
				  part, symbol);
	return address;
}
