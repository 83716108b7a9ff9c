#include "runtime/command.h"

#include "base/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

static int not_found(const char *name, int *ret_status, struct img_err *err)
{
	*ret_status = COMMAND_STATUS_NOT_FOUND;
	return img_err_set(err, IMG_E_NOT_FOUND, 0,
			   "\"%s\": executable file not found in $PATH", name);
}

/* Executes nothing: a failed execve costs far more than these. */
static bool is_program(const char *path, bool *denied)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		*denied |= errno == EACCES;
		return false;
	}
	if (!S_ISREG(st.st_mode))
		return false;
	if (access(path, X_OK) != 0) {
		*denied = true;
		return false;
	}
	return true;
}

/* "dir/name", or false where that is too long to be a path. */
static bool join(const char *dir, size_t dir_len, const char *name, char *out,
		 size_t size)
{
	size_t name_len = strlen(name);

	if (dir_len + 1 + name_len >= size)
		return false;
	memcpy(out, dir, dir_len);
	out[dir_len] = '/';
	memcpy(out + dir_len + 1, name, name_len + 1);
	return true;
}

int command_find(const char *name, const char *path, char *out, size_t size,
		 int *ret_status, struct img_err *err)
{
	bool denied = false;

	if (!*name)
		return not_found(name, ret_status, err);
	if (strchr(name, '/')) {
		if (strlen(name) < size) {
			memcpy(out, name, strlen(name) + 1);
			return 0;
		}
		*ret_status = COMMAND_STATUS_NO_EXEC;
		return img_err_set(err, IMG_E_INPUT, ENAMETOOLONG, "\"%s\"",
				   name);
	}
	while (*path) {
		size_t len = strcspn(path, ":");

		if (join(len ? path : ".", len ? len : 1, name, out, size) &&
		    is_program(out, &denied))
			return 0;
		path += len + (path[len] == ':');
	}
	if (!denied)
		return not_found(name, ret_status, err);
	*ret_status = COMMAND_STATUS_NO_EXEC;
	return img_err_set(err, IMG_E_INPUT, EACCES, "\"%s\"", name);
}

int command_failed(const char *name, const struct command_failure *why,
		   int *ret_status, struct img_err *err)
{
	int error = why->is_directory ? EISDIR : why->error;

	*ret_status = COMMAND_STATUS_NO_EXEC;
	if (error != ENOENT && error != ENOTDIR)
		return img_err_set(err, IMG_E_INPUT, error, "\"%s\"", name);
	*ret_status = COMMAND_STATUS_NOT_FOUND;
	if (why->is_there)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "\"%s\": its interpreter or loader is not "
				   "in the image",
				   name);
	return img_err_set(err, IMG_E_NOT_FOUND, error, "\"%s\"", name);
}

int command_exec(char *const *argv, char *const *env, const char *path,
		 int *ret_status, struct img_err *err)
{
	char program[PATH_MAX];
	struct command_failure why;
	struct stat st;
	int r = command_find(argv[0], path ? path : "", program,
			     sizeof(program), ret_status, err);

	if (r < 0)
		return r;
	(void)execve(program, argv, env);
	why.error = errno;
	why.is_there = stat(program, &st) == 0;
	why.is_directory = why.is_there && S_ISDIR(st.st_mode);
	return command_failed(argv[0], &why, ret_status, err);
}
