#include "runtime/user.h"

#include "base/cleanup.h"
#include "runtime/colonfile.h"

#include <grp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#define NAME_MAX_LEN 256

/* Fields of /etc/passwd and /etc/group, as passwd(5) and group(5) have them. */
enum { PW_NAME, PW_PASSWD, PW_UID, PW_GID, PW_GECOS, PW_HOME, PW_FIELDS };
enum { GR_NAME, GR_PASSWD, GR_GID, GR_MEMBERS, GR_FIELDS };

/* What was asked for: an id or a name on either side of the colon. */
struct wanted {
	char user[NAME_MAX_LEN], group[NAME_MAX_LEN];
	bool user_is_id, group_is_id;
	uint32_t uid, gid;
};

static bool is_digits(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == '\0';
}

static bool parse_id(const char *s, uint32_t *ret)
{
	uint64_t value = 0;

	if (!is_digits(s))
		return false;
	for (; *s; s++) {
		value = value * 10 + (uint64_t)(*s - '0');
		if (value > USER_ID_MAX)
			return false;
	}
	*ret = (uint32_t)value;
	return true;
}

static int parse_part(const char *text, size_t len, char *name, bool *is_id,
		      uint32_t *id, struct img_err *err)
{
	if (len >= NAME_MAX_LEN)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "a name is longer than %d bytes",
				   NAME_MAX_LEN - 1);
	memcpy(name, text, len);
	name[len] = '\0';
	*is_id = is_digits(name);
	if (*is_id && !parse_id(name, id))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "ids must be in the range 0 to %u",
				   USER_ID_MAX);
	return 0;
}

static int parse(const char *text, struct wanted *ret, struct img_err *err)
{
	size_t len = strcspn(text, ":");
	const char *group = text[len] ? text + len + 1 : "";
	int r = parse_part(text, len, ret->user, &ret->user_is_id, &ret->uid,
			   err);

	if (r == 0)
		r = parse_part(group, strlen(group), ret->group,
			       &ret->group_is_id, &ret->gid, err);
	if (r < 0)
		return r;
	if (!ret->user[0]) {
		ret->user_is_id = true;
		ret->uid = 0;
	}
	return 0;
}

/* Fills uid, gid and home; @name is the entry's, "" without one. */
static int find_user(int root, const struct wanted *wanted, struct user *ret,
		     char *name, struct img_err *err)
{
	img_auto(colonfile_close) struct colonfile file;
	char *f[PW_FIELDS];
	uint32_t uid, gid;
	int r;

	file.fd = -1;
	r = colonfile_open(&file, root, "/etc/passwd", err);
	while (r > 0 && (r = colonfile_next(&file, f, PW_FIELDS, err)) > 0) {
		if (!f[PW_NAME][0] || strlen(f[PW_NAME]) >= NAME_MAX_LEN ||
		    !parse_id(f[PW_UID], &uid) || !parse_id(f[PW_GID], &gid))
			continue;
		if (wanted->user_is_id ? uid != wanted->uid
				       : strcmp(f[PW_NAME], wanted->user) != 0)
			continue;
		ret->uid = uid;
		ret->gid = gid;
		if (f[PW_HOME][0] == '/' && strlen(f[PW_HOME]) < USER_HOME_MAX)
			memcpy(ret->home, f[PW_HOME], strlen(f[PW_HOME]) + 1);
		memcpy(name, f[PW_NAME], strlen(f[PW_NAME]) + 1);
		return 0;
	}
	if (r < 0)
		return r;
	if (!wanted->user_is_id)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "no matching entry in /etc/passwd of the "
				   "image");
	ret->uid = wanted->uid;
	return 0;
}

static bool is_member(const char *members, const char *name)
{
	size_t len = strlen(name);

	while (*members) {
		size_t n = strcspn(members, ",");

		if (n == len && memcmp(members, name, n) == 0)
			return true;
		members += n + (members[n] == ',');
	}
	return false;
}

/* Sets ret->gid to the group asked for. */
static int find_group(int root, const struct wanted *wanted, struct user *ret,
		      struct img_err *err)
{
	img_auto(colonfile_close) struct colonfile file;
	char *f[GR_FIELDS];
	uint32_t gid;
	int r;

	if (wanted->group_is_id) {
		ret->gid = wanted->gid;
		return 0;
	}
	file.fd = -1;
	r = colonfile_open(&file, root, "/etc/group", err);
	while (r > 0 && (r = colonfile_next(&file, f, GR_GID + 1, err)) > 0)
		if (strcmp(f[GR_NAME], wanted->group) == 0 &&
		    parse_id(f[GR_GID], &gid)) {
			ret->gid = gid;
			return 0;
		}
	if (r < 0)
		return r;
	return img_err_set(err, IMG_E_NOT_FOUND, 0,
			   "no matching entry in /etc/group of the image");
}

/* Adds the groups that list @name. */
static int find_memberships(int root, const char *name, struct user *ret,
			    struct img_err *err)
{
	img_auto(colonfile_close) struct colonfile file;
	char *f[GR_FIELDS];
	uint32_t gid;
	int r;

	file.fd = -1;
	r = colonfile_open(&file, root, "/etc/group", err);
	while (r > 0 && (r = colonfile_next(&file, f, GR_FIELDS, err)) > 0) {
		if (!parse_id(f[GR_GID], &gid) || gid == ret->gid ||
		    !is_member(f[GR_MEMBERS], name))
			continue;
		if (ret->n_groups == USER_GROUPS_MAX)
			return img_err_set(err, IMG_E_INPUT, 0,
					   "member of more than %d groups",
					   USER_GROUPS_MAX);
		ret->groups[ret->n_groups++] = gid;
	}
	return r;
}

static int resolve(int root, const char *text, struct user *ret,
		   struct img_err *err)
{
	char name[NAME_MAX_LEN] = "";
	struct wanted wanted = { .user_is_id = true };
	int r = parse(text, &wanted, err);

	ret->gid = 0;
	memcpy(ret->home, "/", sizeof("/"));
	if (r == 0)
		r = find_user(root, &wanted, ret, name, err);
	if (r == 0 && wanted.group[0])
		r = find_group(root, &wanted, ret, err);
	if (r < 0)
		return r;
	ret->groups[0] = ret->gid;
	ret->n_groups = 1;
	if (name[0] && !wanted.group[0])
		return find_memberships(root, name, ret, err);
	return 0;
}

int user_resolve(int root, const char *text, struct user *ret,
		 struct img_err *err)
{
	int r = resolve(root, text ? text : "", ret, err);

	if (r < 0)
		return img_err_prefix(err, "cannot use user '%s'",
				      text && *text ? text : "root");
	return 0;
}

static int add_group(int root, const char *text, struct user *user,
		     struct img_err *err)
{
	struct wanted wanted = { 0 };
	struct user found = { 0 };
	int r = parse_part(text, strlen(text), wanted.group,
			   &wanted.group_is_id, &wanted.gid, err);

	if (r == 0 && !text[0])
		r = img_err_set(err, IMG_E_INPUT, 0, "it has no name");
	if (r == 0)
		r = find_group(root, &wanted, &found, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < user->n_groups; i++)
		if (user->groups[i] == found.gid)
			return 0;
	if (user->n_groups == USER_GROUPS_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "member of more than %d groups",
				   USER_GROUPS_MAX);
	user->groups[user->n_groups++] = found.gid;
	return 0;
}

int user_add_groups(int root, char *const *groups, struct user *user,
		    struct img_err *err)
{
	for (; groups && *groups; groups++)
		if (add_group(root, *groups, user, err) < 0)
			return img_err_prefix(err, "cannot use group '%s'",
					      *groups);
	return 0;
}

/*
 * By bare system calls: the C library would make every thread of its process
 * follow, and the child shares its memory with the supervisor.
 */
int user_become(const struct user *user, struct img_err *err)
{
	if (syscall(SYS_setgroups, user->n_groups, user->groups) != 0)
		return img_err_sys(err, "cannot set the groups");
	if (syscall(SYS_setresgid, user->gid, user->gid, user->gid) != 0)
		return img_err_sys(err, "cannot become group %u", user->gid);
	if (syscall(SYS_setresuid, user->uid, user->uid, user->uid) != 0)
		return img_err_sys(err, "cannot become user %u", user->uid);
	return 0;
}
