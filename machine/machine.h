#ifndef IMG_MACHINE_MACHINE_H
#define IMG_MACHINE_MACHINE_H

/*
 * The embedded kernel: one command, run as root in a User-Mode Linux that has
 * device-mapper, over the host's own files.
 *
 * Two halves of one program.  The host half boots the kernel, carries this
 * process's standard streams, terminal and signals, and returns the command's
 * status.  The guest half is the same program as pid 1: it lays out the mounts,
 * runs the command, and powers off.
 *
 * What always holds: when machine_exec returned, or its process died however
 * it died, no process and no temporary file of the machine is left.  The host's
 * files are changed only below the shared directories and in the state disk.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MACHINE_MEM_DEFAULT   (UINT64_C(2) << 30)
#define MACHINE_STATE_DEFAULT (UINT64_C(128) << 30)

/* Where the guest mounts the state disk; IMG_ROOT is "store" in it. */
#define MACHINE_STATE_MOUNT "/run/img-state"

/* Exit statuses of machine_exec's own, as docker gives them. */
enum machine_status {
	MACHINE_STATUS_FAILED = 125, /* the machine, not the command */
	MACHINE_STATUS_NO_EXEC = 126,
	MACHINE_STATUS_NO_COMMAND = 127,
};

struct machine_options {
	uint64_t mem_bytes;	   /* 0: MACHINE_MEM_DEFAULT */
	const char *state;	   /* NULL: see machine_state_path */
	uint64_t state_bytes;	   /* of a new one; 0: MACHINE_STATE_DEFAULT */
	const char *const *shares; /* directories shared read-write */
	size_t n_shares;
	const char *init_program; /* file of this very program */
	bool verbose;		  /* copy the kernel's console to stderr */
	/* Makes an ext4 file system on a new, empty, sparse file. */
	int (*format_state)(int fd, uint64_t size_bytes, void *self,
			    struct img_err *err);
	/* Looks into an existing state disk: 0 if it may hold an ext4, else an
	 * error that says what it holds.  NULL: the guest's kernel judges. */
	int (*check_state)(int fd, const char *path, void *self,
			   struct img_err *err);
	void *state_self; /* of both */
};

/**
 * machine_exec - boot, run @argv as root, power off
 * @argv: the command and its arguments, ended by NULL
 * @ret_status: always set: what this process should exit with
 *
 * Uses file descriptors 0 to 2, the environment, the working directory and the
 * signals of the calling process, which must have one thread only; signal
 * mask and terminal modes are as before when it returns.  The directory of the
 * machine's own files goes under $TMPDIR or /tmp.
 *
 * Returns 0 when the command ran, with its status (128+N after signal N); or a
 * negative code with one of enum machine_status, also when the command could
 * not be executed.  A crash of the host or of the kernel leaves the state disk
 * with a journal that the next call replays.
 */
int machine_exec(const struct machine_options *options, char **argv,
		 int *ret_status, struct img_err *err) IMG_MUST_USE;

/**
 * machine_state_path - where the state disk is when nobody says
 *
 * $IMG_STATE; else /var/lib/img/machine.state for root; else
 * img/machine.state in $XDG_DATA_HOME or ~/.local/share.  The caller frees
 * *ret.  IMG_E_INPUT where none of them is set.
 */
int machine_state_path(char **ret, struct img_err *err) IMG_MUST_USE;

struct machine_guest_hooks {
	/* After the command and all its processes ended, before the state
	 * disk is unmounted: let go of all that is on it.  Left out where
	 * nothing has used device-mapper.  Runs in pid 1, with the command's
	 * environment. */
	void (*before_poweroff)(void *self);
	void *self;
};

/* True when this process was started by a guest's kernel: as its pid 1, or to
 * load a module that it asks for. */
bool machine_is_guest(int argc, char *const argv[]);

/* The guest's half; only when machine_is_guest.  Never returns. */
void machine_guest_main(int argc, char *const argv[],
			const struct machine_guest_hooks *hooks)
	__attribute__((noreturn));

/**
 * machine_load_modules - load kernel modules and what they depend on
 * @dir: directory of the running kernel's modules, with its modules.dep.bin
 * @names: names or aliases, ended by NULL; what is loaded already is fine
 *
 * Lives in the part "machine", for libkmod.  Stops at the first failure,
 * naming the module; those before it stay loaded.
 */
int machine_load_modules(const char *dir, const char *const *names,
			 struct img_err *err) IMG_MUST_USE;

#endif
