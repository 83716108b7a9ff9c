#ifndef IMG_RUNTIME_USER_H
#define IMG_RUNTIME_USER_H

/*
 * Who the command runs as: "name|uid[:group|gid]" looked up in the image.
 *
 * The rules are docker's: digits are always an id, and an id needs no entry;
 * a name does.  Without a group the user's own and those that list it are
 * taken; with one, only that.
 */
#include "base/err.h"

#include <stddef.h>
#include <sys/types.h>

#define USER_GROUPS_MAX 1024
#define USER_HOME_MAX	1024
#define USER_ID_MAX	2147483647u

struct user {
	uid_t uid;
	gid_t gid;
	gid_t groups[USER_GROUPS_MAX]; /* supplementary ones, gid first */
	size_t n_groups;
	char home[USER_HOME_MAX]; /* "/" where the image names none */
};

/**
 * user_resolve - look a user up in /etc/passwd and /etc/group below @root
 * @root: the root directory of the image, or AT_FDCWD while that is cwd
 * @text: NULL or "" is user 0
 *
 * Returns 0, or -IMG_E_NOT_FOUND for a name without an entry, -IMG_E_INPUT
 * for an id out of range.
 */
int user_resolve(int root, const char *text, struct user *ret,
		 struct img_err *err) IMG_MUST_USE;

/**
 * user_add_groups - let a user be in more groups
 * @groups: names or ids, NULL-terminated; NULL is an empty list
 *
 * Errors as user_resolve.
 */
int user_add_groups(int root, char *const *groups, struct user *user,
		    struct img_err *err) IMG_MUST_USE;

/* Gives the process those ids, for good. */
int user_become(const struct user *user, struct img_err *err) IMG_MUST_USE;

#endif
