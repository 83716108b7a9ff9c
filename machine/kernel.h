#ifndef IMG_MACHINE_KERNEL_H
#define IMG_MACHINE_KERNEL_H

/*
 * User-Mode Linux as a program: where it is, and its command line.
 */
#include "base/err.h"
#include "machine/machine.h"

/* The descriptors that linux.uml inherits, at these numbers. */
enum kernel_fd {
	KERNEL_FD_CONSOLE = 1, /* and 2: what it says, a pipe */
	KERNEL_FD_LINE = 3,    /* serial line 0 */
	KERNEL_FD_MEMORY = 4,  /* the channel's memory */
	KERNEL_FD_STATE = 5,   /* the state disk */
};

/* Says to the program that it is pid 1 of a guest. */
#define KERNEL_INIT_WORD "machine-init"

#define KERNEL_MODULES_DIR "/usr/lib/uml/modules"
#define KERNEL_MEM_MIN	   (UINT64_C(128) << 20)

/**
 * kernel_find - the file of linux.uml
 * @search: directories to look in, as in PATH
 *
 * Returns its path, which the caller frees, or NULL with IMG_E_NOT_FOUND,
 * naming the package.
 */
char *kernel_find(const char *search, struct img_err *err) IMG_MUST_USE;

/* IMG_E_NOT_FOUND, naming the package, where there are no modules for it. */
int kernel_check_modules(const char *dir, struct img_err *err) IMG_MUST_USE;

/* What kernel_command needs; all strings are free of blanks and commas. */
struct kernel_command {
	const char *kernel; /* file of linux.uml */
	const char *dir;    /* private directory on the host */
	uint64_t mem_bytes;
	bool verbose;
};

/* The arguments of linux.uml, NULL-terminated, each on the heap;
 * <dir>/init is to be pid 1. */
char **kernel_argv(const struct kernel_command *command) IMG_MUST_USE;

/* The environment of linux.uml, likewise: <dir>/preload.so preloaded. */
char **kernel_env(const struct kernel_command *command) IMG_MUST_USE;

void kernel_strings_release(char ***list);

#endif
