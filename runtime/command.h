#ifndef IMG_RUNTIME_COMMAND_H
#define IMG_RUNTIME_COMMAND_H

/*
 * From a command's first word to the program: the search along PATH, and the
 * exit status that says what went wrong, as shells and docker give it.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	COMMAND_STATUS_RUNTIME = 125, /* img itself failed */
	COMMAND_STATUS_NO_EXEC = 126, /* found, cannot be executed */
	COMMAND_STATUS_NOT_FOUND = 127,
};

/**
 * command_find - search a program along PATH
 * @name: used as it is if it has a slash
 * @path: the search path; an empty part is the working directory
 * @out: receives the path, at most @size bytes with its NUL
 * @ret_status: set on failure, to one of enum above
 *
 * A file that may not be executed is passed over, and reported if nothing
 * better is found.
 */
int command_find(const char *name, const char *path, char *out, size_t size,
		 int *ret_status, struct img_err *err) IMG_MUST_USE;

/**
 * command_exec - replace this process; returns only on failure
 * @path: value of PATH in the new environment, or NULL
 */
int command_exec(char *const *argv, char *const *env, const char *path,
		 int *ret_status, struct img_err *err);

/* Why a program could not be executed. */
struct command_failure {
	int error; /* errno of execve */
	bool is_there, is_directory;
};

/**
 * command_failed - the error that says so
 * @name: the command, as it was given
 */
int command_failed(const char *name, const struct command_failure *why,
		   int *ret_status, struct img_err *err);

#endif
