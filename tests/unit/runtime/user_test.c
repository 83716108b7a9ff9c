#include "tests/unit/runtime/image_dir.h"

#include "runtime/user.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
			     "daemon:x:1:1::/usr/sbin:/usr/sbin/nologin\n"
			     "web:x:33:33::/var/www:/bin/sh\n"
			     "33:x:77:77::/named-like-an-id:/bin/sh\n"
			     "last:x:2147483647:9::/last:/bin/sh";
static const char group[] = "root:x:0:\n"
			    "adm:x:4:web,daemon\n"
			    "tty:x:5:\n"
			    "web:x:33:web\n"
			    "staff:x:50:webmaster,xweb,web\n";

static void put_both(const struct image_dir *dir)
{
	image_dir_puts(dir, "etc/passwd", passwd);
	image_dir_puts(dir, "etc/group", group);
}

static void assert_user(const struct image_dir *dir, const char *text,
			uid_t uid, gid_t gid, const char *home, size_t n_groups)
{
	struct img_err err = { 0 };
	struct user user;

	if (user_resolve(dir->fd, text, &user, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(user.uid, uid);
	assert_int_equal(user.gid, gid);
	assert_string_equal(user.home, home);
	assert_int_equal(user.n_groups, n_groups);
	assert_int_equal(user.groups[0], gid);
}

static void assert_refused(const struct image_dir *dir, const char *text,
			   enum img_code code, const char *message)
{
	struct img_err err = { 0 };
	struct user user;

	assert_int_equal(user_resolve(dir->fd, text, &user, &err), -(int)code);
	assert_string_equal(err.msg, message);
}

static void names_ids_and_groups_are_found(void **state)
{
	struct image_dir *dir = *state;

	put_both(dir);
	assert_user(dir, NULL, 0, 0, "/root", 1);
	assert_user(dir, "", 0, 0, "/root", 1);
	assert_user(dir, "daemon", 1, 1, "/usr/sbin", 2);
	assert_user(dir, "web", 33, 33, "/var/www", 3);
	assert_user(dir, "33", 33, 33, "/var/www", 3);
	assert_user(dir, "web:", 33, 33, "/var/www", 3);
	assert_user(dir, "web:tty", 33, 5, "/var/www", 1);
	assert_user(dir, "web:1234", 33, 1234, "/var/www", 1);
	assert_user(dir, "4711", 4711, 0, "/", 1);
	assert_user(dir, "4711:adm", 4711, 4, "/", 1);
	assert_user(dir, ":adm", 0, 4, "/root", 1);
	assert_user(dir, "last", 2147483647, 9, "/last", 1);
	assert_user(dir, "0000000000000033", 33, 33, "/var/www", 3);
}

static void an_image_without_files_has_ids_only(void **state)
{
	struct image_dir *dir = *state;

	assert_user(dir, NULL, 0, 0, "/", 1);
	assert_user(dir, "5:6", 5, 6, "/", 1);
	assert_refused(dir, "web", IMG_E_NOT_FOUND,
		       "cannot use user 'web': no matching entry in "
		       "/etc/passwd of the image");
	assert_refused(dir, "5:web", IMG_E_NOT_FOUND,
		       "cannot use user '5:web': no matching entry in "
		       "/etc/group of the image");
}

static void ids_out_of_range_are_refused(void **state)
{
	static const char *const ids[] = { "2147483648", "4294967295",
					   "4294967296", "0:2147483648",
					   "99999999999999999999999999" };
	struct image_dir *dir = *state;
	char expected[160];

	put_both(dir);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		snprintf(expected, sizeof(expected),
			 "cannot use user '%s': ids must be in the range 0 to "
			 "2147483647",
			 ids[i]);
		assert_refused(dir, ids[i], IMG_E_INPUT, expected);
	}
	assert_refused(dir, "-1", IMG_E_NOT_FOUND,
		       "cannot use user '-1': no matching entry in "
		       "/etc/passwd of the image");
}

/* An entry that is damaged must never read as user 0. */
static void damaged_entries_are_no_entries(void **state)
{
	static const char damaged[] = "a::::::\n"
				      "b:x\n"
				      "c:x:0\n"
				      "d:x:-1:0::/:\n"
				      "e:x:4294967296:0::/:\n"
				      "f:x: 0:0::/:\n"
				      "g:x:0x0:0::/:\n"
				      "h:x:0:zero::/:\n"
				      "+::::::\n"
				      "\n\n:::::::::\n"
				      "i\0:x:0:0::/:\n"
				      "ok:x:8:8::relative:/bin/sh\n";
	static const char *const names[] = { "a", "b", "c", "d", "e",
					     "f", "g", "h", "+", "i" };
	struct image_dir *dir = *state;
	struct img_err err;
	struct user user;

	image_dir_put(dir, "etc/passwd", damaged, sizeof(damaged) - 1);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		err = (struct img_err){ 0 };
		assert_int_equal(user_resolve(dir->fd, names[i], &user, &err),
				 -IMG_E_NOT_FOUND);
	}
	/* A home that is not absolute would lead HOME astray. */
	assert_user(dir, "ok", 8, 8, "/", 1);
}

static void what_is_not_a_file_is_not_opened(void **state)
{
	struct image_dir *dir = *state;
	struct img_err err = { 0 };
	struct user user;

	assert_int_equal(mkfifoat(dir->fd, "etc/passwd", 0644), 0);
	assert_int_equal(user_resolve(dir->fd, "web", &user, &err), -IMG_E_SYS);
	assert_string_equal(err.msg, "cannot use user 'web': cannot read "
				     "'/etc/passwd' of the image: Invalid "
				     "argument");
}

static void symlinks_stay_inside(void **state)
{
	struct image_dir *dir = *state;

	/* Both name files that exist on the host. */
	assert_int_equal(symlinkat("/etc/hosts", dir->fd, "etc/passwd"), 0);
	assert_int_equal(symlinkat("../../../../../../etc/hostname", dir->fd,
				   "etc/group"),
			 0);
	image_dir_puts(dir, "etc/hosts", "in:x:5:6::/in:/bin/sh\n");
	image_dir_puts(dir, "etc/hostname", "g:x:7:in\n");
	assert_user(dir, "in", 5, 6, "/in", 2);
}

static void endless_membership_is_refused(void **state)
{
	struct image_dir *dir = *state;
	char *text = malloc(64 * 1024), *at = text;

	image_dir_puts(dir, "etc/passwd", "web:x:33:33::/:/bin/sh\n");
	for (unsigned int i = 0; i < USER_GROUPS_MAX; i++)
		at += sprintf(at, "g%u:x:%u:web\n", i, 1000 + i);
	image_dir_put(dir, "etc/group", text, (size_t)(at - text));
	free(text);
	assert_refused(dir, "web", IMG_E_INPUT,
		       "cannot use user 'web': member of more than 1024 "
		       "groups");
	assert_user(dir, "web:g7", 33, 1007, "/", 1);
}

static void long_names_are_refused(void **state)
{
	struct image_dir *dir = *state;
	struct img_err err = { 0 };
	struct user user;
	char name[400];

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(user_resolve(dir->fd, name, &user, &err),
			 -IMG_E_INPUT);
	assert_non_null(strstr(err.msg, "a name is longer than 255 bytes"));
}

static void groups_are_added_once(void **state)
{
	char tty[] = "tty", number[] = "4711", adm[] = "adm", no[] = "nosuch";
	char *groups[] = { tty, number, adm, NULL };
	struct image_dir *dir = *state;
	struct img_err err = { 0 };
	struct user user;

	put_both(dir);
	assert_int_equal(user_resolve(dir->fd, "web", &user, &err), 0);
	assert_int_equal(user_add_groups(dir->fd, NULL, &user, &err), 0);
	assert_int_equal(user_add_groups(dir->fd, groups, &user, &err), 0);
	assert_int_equal(user.n_groups, 5); /* adm was there */
	assert_int_equal(user.groups[3], 5);
	assert_int_equal(user.groups[4], 4711);
	groups[0] = no;
	assert_int_equal(user_add_groups(dir->fd, groups, &user, &err),
			 -IMG_E_NOT_FOUND);
	assert_string_equal(err.msg,
			    "cannot use group 'nosuch': no matching entry in "
			    "/etc/group of the image");
	groups[0] = no + strlen(no);
	err = (struct img_err){ 0 };
	assert_int_equal(user_add_groups(dir->fd, groups, &user, &err),
			 -IMG_E_INPUT);
	assert_string_equal(err.msg, "cannot use group '': it has no name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_image(names_ids_and_groups_are_found),
		test_in_image(an_image_without_files_has_ids_only),
		test_in_image(ids_out_of_range_are_refused),
		test_in_image(damaged_entries_are_no_entries),
		test_in_image(what_is_not_a_file_is_not_opened),
		test_in_image(symlinks_stay_inside),
		test_in_image(endless_membership_is_refused),
		test_in_image(long_names_are_refused),
		test_in_image(groups_are_added_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
