#include "image/tar_read.h"

#include "base/str.h"
#include "tests/lib/tar_make.h"

#include <fcntl.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static const struct tar_options options = { .name = "t.tar" };

static int memory_file(const void *bytes, size_t size)
{
	int fd = memfd_create("tar", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Reads an archive to its end: the number of entries, or the error. */
static int read_all(const void *bytes, size_t size, struct img_err *err)
{
	struct entry_source *source = NULL;
	struct entry entry;
	struct entry_data data;
	int fd = memory_file(bytes, size), n = 0;
	int r = tar_source_open_fd(fd, &options, &source, err);

	while (r == 0 && (r = source->next(source, &entry, err)) > 0) {
		n++;
		r = 0;
		while (entry.type == ENTRY_FILE &&
		       (r = source->data(source, &data, err)) > 0)
			assert_true(data.size_bytes > 0);
		if (r < 0)
			(void)entry_blame(&entry, err);
	}
	entry_source_release(&source);
	(void)close(fd);
	assert_int_equal(r, -(int)err->code);
	return r < 0 ? r : n;
}

static void refused(struct str *tar, const char *message)
{
	struct img_err err = { 0 };

	assert_int_equal(read_all(tar->s, tar->len, &err), -IMG_E_INPUT);
	assert_string_equal(err.msg, message);
	tar->len = 0;
}

#define NO_TAR "t.tar is not a tar archive (plain, gzip, bzip2, xz or zstd)"

static void what_is_no_tar_is_refused(void **state)
{
	struct str tar = { 0 };

	str_add(&tar, "");
	refused(&tar, NO_TAR);
	for (int i = 0; i < 1000; i++)
		str_add(&tar, "just some text\n");
	refused(&tar, NO_TAR);
	str_addn(&tar, "PK\3\4zip archives are something else", 36);
	refused(&tar, NO_TAR);
	str_addn(&tar, "\37\213\10\0\0\0\0\0\0\3gzip?", 15);
	assert_true(read_all(tar.s, tar.len, &(struct img_err){ 0 }) < 0);
	tar.len = 0;
	tar_make_entry(
		&tar, &(struct tar_header){ .name = "x", .bad_checksum = true },
		"", 0);
	refused(&tar, NO_TAR);
	str_release(&tar);
}

static void damaged_headers_are_refused(void **state)
{
	struct str tar = { 0 };

	tar_make_file(&tar, "first", "1");
	tar_make_entry(
		&tar, &(struct tar_header){ .name = "x", .bad_checksum = true },
		"", 0);
	tar_make_end(&tar);
	refused(&tar, "entry 2, after 'first', has a damaged header: wrong "
		      "checksum");
	tar_make_entry(&tar,
		       &(struct tar_header){
			       .name = "x",
			       .raw_size = "\377\377\377\377\377\377\377\377"
					   "\377\377\377\377" },
		       "", 0);
	refused(&tar, "entry 1 cannot be read: Tar entry has negative size");
	tar_make_entry(&tar,
		       &(struct tar_header){
			       .name = "x",
			       .raw_size = "\200\177\377\377\377\377\377\377"
					   "\377\377\377\377" },
		       "", 0);
	refused(&tar, "entry 1 cannot be read: Tar entry size overflow");
	tar_make_pax(&tar, "size", "-5", 2);
	tar_make_file(&tar, "x", "1");
	refused(&tar, "entry 1 cannot be read: Tar size attribute is negative");
	tar_make_pax(&tar, "uid", "4294967295", 10);
	tar_make_file(&tar, "x", "1");
	refused(&tar, "entry 1 'x' has the impossible owner 4294967295:0");
	tar_make_entry(&tar, &(struct tar_header){ .name = "p", .type = 'x' },
		       "99 path=x\n", 10);
	tar_make_file(&tar, "x", "1");
	refused(&tar, "entry 1 'x' cannot be read: Ignoring malformed pax "
		      "extended attribute");
	str_release(&tar);
}

static void acls_must_make_sense(void **state)
{
	static const char unknown[] = "user::rw-,user:no such one:rwx,"
				      "group::r--,mask::rwx,other::r--";
	struct str tar = { 0 };

	tar_make_pax(&tar, "SCHILY.acl.access", unknown, sizeof(unknown) - 1);
	tar_make_file(&tar, "x", "1");
	refused(&tar, "entry 1 'x' has an ACL for user 'no such one', which "
		      "has no number in the archive and is not known here");
	tar_make_pax(&tar, "SCHILY.acl.access", "nonsense", 8);
	tar_make_file(&tar, "x", "1");
	refused(&tar, "entry 1 'x' cannot be read: Parse error:  "
		      "SCHILY.acl.access");
	str_release(&tar);
}

/* Wherever an archive is cut, it is noticed. */
static void every_truncation_is_noticed(void **state)
{
	struct str tar = { 0 };
	size_t whole;

	tar_make_file(&tar, "first", "content");
	tar_make_dir(&tar, "dir");
	tar_make_pax(&tar, "path", "a longer name", 13);
	tar_make_file(&tar, "x", "more content");
	whole = tar.len + 512; /* one block of zeroes is enough */
	tar_make_end(&tar);
	for (size_t cut = 0; cut < whole; cut += cut % 512 ? 101 : 1) {
		struct img_err err = { 0 };

		if (read_all(tar.s, cut, &err) != -IMG_E_INPUT)
			fail_msg("cut at %zu: %s", cut, err.msg);
	}
	for (size_t cut = whole; cut <= tar.len; cut++)
		assert_int_equal(read_all(tar.s, cut, &(struct img_err){ 0 }),
				 3);
	str_release(&tar);
}

static void truncation_names_the_entry(void **state)
{
	struct str tar = { 0 };
	size_t first;

	tar_make_file(&tar, "first", "content");
	first = tar.len;
	tar.len = 700;
	refused(&tar, "entry 1 'first' is cut short: the archive is truncated");
	tar_make_file(&tar, "first", "content");
	refused(&tar, "t.tar is truncated: it has no end-of-archive marker");
	tar_make_file(&tar, "first", "content");
	tar_make_file(&tar, "second", "content");
	tar.len = first + 100;
	refused(&tar, "entry 2, after 'first', is cut short: the archive is "
		      "truncated");
	tar_make_pax(&tar, "path", "x", 1);
	tar.len -= 512;
	refused(&tar, "entry 1 is cut short: the archive is truncated");
	str_release(&tar);
}

static void what_follows_the_end_is_ignored(void **state)
{
	struct str tar = { 0 };

	tar_make_file(&tar, "first", "content");
	tar_make_end(&tar);
	str_add(&tar, "anything");
	assert_int_equal(read_all(tar.s, tar.len, &(struct img_err){ 0 }), 1);
	tar.len = 0;
	tar_make_end(&tar);
	assert_int_equal(read_all(tar.s, tar.len, &(struct img_err){ 0 }), 0);
	str_release(&tar);
}

static struct entry_source *opened(const struct str *tar, int *fd)
{
	struct entry_source *source = NULL;
	struct img_err err = { 0 };

	*fd = memory_file(tar->s, tar->len);
	if (tar_source_open_fd(*fd, &options, &source, &err) < 0)
		fail_msg("%s", err.msg);
	return source;
}

static void must_have_next(struct entry_source *source, struct entry *ret)
{
	struct img_err err = { 0 };

	if (source->next(source, ret, &err) != 1)
		fail_msg("%s", err.msg);
}

static void attributes_arrive(void **state)
{
	static const char acl[] = "user::rw-,user:1000:rwx,group::r--,"
				  "mask::rw-,other::---";
	struct entry_source *source;
	struct str tar = { 0 };
	struct entry e;
	int fd;

	tar_make_pax(&tar, "mtime", "-1.25", 5);
	tar_make_entry(
		&tar,
		&(struct tar_header){
			.name = "f", .mode = 04755, .uid = 1000, .gid = 7 },
		"abc", 3);
	tar_make_pax(&tar, "SCHILY.xattr.user.bin", "\0\n=", 3);
	tar_make_dir(&tar, "d/");
	tar_make_entry(&tar,
		       &(struct tar_header){ .name = "c",
					     .type = '3',
					     .dev_major = 300,
					     .dev_minor = 70000 },
		       "", 0);
	tar_make_pax(&tar, "SCHILY.acl.access", acl, sizeof(acl) - 1);
	tar_make_file(&tar, "a", "");
	tar_make_end(&tar);
	source = opened(&tar, &fd);

	must_have_next(source, &e);
	assert_int_equal(e.type, ENTRY_FILE);
	assert_int_equal(e.mode, 04755);
	assert_int_equal(e.uid, 1000);
	assert_int_equal(e.gid, 7);
	assert_int_equal(e.size_bytes, 3);
	assert_int_equal(e.mtime_s, -2);
	assert_int_equal(e.mtime_ns, 750000000);
	must_have_next(source, &e); /* what was not read is skipped */
	assert_int_equal(e.type, ENTRY_DIR);
	assert_int_equal(e.n_xattrs, 1);
	assert_string_equal(e.xattrs->name, "user.bin");
	assert_int_equal(e.xattrs->size_bytes, 3);
	assert_memory_equal(e.xattrs->value, "\0\n=", 3);
	must_have_next(source, &e);
	assert_int_equal(e.type, ENTRY_CHAR);
	assert_int_equal(e.dev_major, 300);
	assert_int_equal(e.dev_minor, 70000);
	must_have_next(source, &e);
	assert_int_equal(e.mode, 0660); /* the group's bits are the mask */
	assert_int_equal(e.n_xattrs, 1);
	assert_string_equal(e.xattrs->name, "system.posix_acl_access");
	assert_int_equal(e.xattrs->size_bytes, 4 + 5 * 8);
	source->close(source);
	(void)close(fd);
	str_release(&tar);
}

/* Decomposed, composed and no UTF-8 at all: what libarchive would convert,
 * and in some locales change. */
static void names_stay_bytes(void **state)
{
	static const char *const names[] = { "cafe\314\201", "caf\303\251",
					     "\377\376" };
	static const char *const locales[] = { "C", "C.UTF-8", "POSIX" };
	struct entry_source *source;
	struct str tar = { 0 };
	struct entry e;
	int fd;

	for (size_t i = 0; i < IMG_COUNT(names); i++) {
		tar_make_pax(&tar, "path", names[i], strlen(names[i]));
		tar_make_file(&tar, "x", "");
		tar_make_pax(&tar, "linkpath", names[i], strlen(names[i]));
		tar_make_symlink(&tar, "x", "y");
	}
	tar_make_end(&tar);
	for (size_t l = 0; l < IMG_COUNT(locales); l++) {
		assert_non_null(setlocale(LC_ALL, locales[l]));
		source = opened(&tar, &fd);
		for (size_t i = 0; i < IMG_COUNT(names); i++) {
			must_have_next(source, &e);
			assert_string_equal(e.path, names[i]);
			must_have_next(source, &e);
			assert_string_equal(e.link, names[i]);
		}
		source->close(source);
		(void)close(fd);
	}
	(void)setlocale(LC_ALL, "C");
	str_release(&tar);
}

static bool always_stopped(void *self)
{
	return true;
}

static void a_missing_file_is_named(void **state)
{
	const struct progress stop = { .stopped = always_stopped };
	const struct tar_options plain = { .progress = &stop };
	struct entry_source *source = NULL;
	struct img_err err = { 0 };

	assert_int_equal(tar_source_open("/no/such.tar", &plain, &source, &err),
			 -IMG_E_NOT_FOUND);
	assert_non_null(strstr(err.msg, "cannot open /no/such.tar: No such"));
	err = (struct img_err){ 0 };
	assert_int_equal(tar_source_open("/", &plain, &source, &err),
			 -IMG_E_INPUT);
	assert_string_equal(err.msg, "/ is a directory, not a tar archive");
	assert_null(source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_tar_is_refused),
		cmocka_unit_test(damaged_headers_are_refused),
		cmocka_unit_test(acls_must_make_sense),
		cmocka_unit_test(every_truncation_is_noticed),
		cmocka_unit_test(truncation_names_the_entry),
		cmocka_unit_test(what_follows_the_end_is_ignored),
		cmocka_unit_test(attributes_arrive),
		cmocka_unit_test(names_stay_bytes),
		cmocka_unit_test(a_missing_file_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
