#include "image/dir_read.h"

#include "base/file.h"
#include "base/str.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char dir[32];
	int fd;
	struct entry_source *source;
	struct img_err err;
};

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	(void)strcpy(f->dir, "/tmp/img-dir-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->fd >= 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	struct img_err err = { 0 };

	entry_source_release(&f->source);
	(void)close(f->fd);
	assert_int_equal(file_remove_tree(AT_FDCWD, f->dir, &err), 0);
	free(f);
	return 0;
}

static void make_file(struct fixture *f, const char *name, const char *text)
{
	int fd = openat(f->fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0640);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, 0640), 0);
	(void)close(fd);
}

static void begin(struct fixture *f)
{
	if (dir_source_open(f->dir, &f->source, &f->err) < 0)
		fail_msg("%s", f->err.msg);
}

static void next_is(struct fixture *f, struct entry *ret, const char *path,
		    enum entry_type type)
{
	int r = f->source->next(f->source, ret, &f->err);

	if (r != 1)
		fail_msg("%s instead of %s", r ? f->err.msg : "the end", path);
	assert_string_equal(ret->path, path);
	assert_int_equal(ret->type, type);
}

static void end_is_reached(struct fixture *f)
{
	struct entry entry;

	assert_int_equal(f->source->next(f->source, &entry, &f->err), 0);
}

static void entries_come_in_order(void **state)
{
	struct fixture *f = *state;
	struct entry e;

	assert_int_equal(mkdirat(f->fd, "b", 0755), 0);
	make_file(f, "b/\377z", "z");
	make_file(f, "b/a", "");
	make_file(f, "c", "");
	assert_int_equal(symlinkat("../away", f->fd, "a"), 0);
	assert_int_equal(mkfifoat(f->fd, "d", 0600), 0);
	begin(f);
	next_is(f, &e, ".", ENTRY_DIR);
	next_is(f, &e, "a", ENTRY_SYMLINK);
	assert_string_equal(e.link, "../away");
	next_is(f, &e, "b", ENTRY_DIR);
	next_is(f, &e, "b/a", ENTRY_FILE);
	assert_int_equal(e.mode, 0640);
	assert_int_equal(e.uid, geteuid());
	next_is(f, &e, "b/\377z", ENTRY_FILE);
	assert_int_equal(e.size_bytes, 1);
	next_is(f, &e, "c", ENTRY_FILE);
	next_is(f, &e, "d", ENTRY_FIFO);
	assert_int_equal(e.number, 7);
	end_is_reached(f);
}

static void links_are_found(void **state)
{
	struct fixture *f = *state;
	struct entry e;

	make_file(f, "a", "x");
	assert_int_equal(mkdirat(f->fd, "d", 0755), 0);
	assert_int_equal(linkat(f->fd, "a", f->fd, "d/b", 0), 0);
	begin(f);
	next_is(f, &e, ".", ENTRY_DIR);
	next_is(f, &e, "a", ENTRY_FILE);
	next_is(f, &e, "d", ENTRY_DIR);
	next_is(f, &e, "d/b", ENTRY_HARDLINK);
	assert_string_equal(e.link, "a");
	end_is_reached(f);
}

static void holes_are_left_out(void **state)
{
	struct fixture *f = *state;
	struct entry_data data;
	struct entry e;
	uint64_t seen = 0;
	int fd, r;

	make_file(f, "sparse", "begin");
	fd = openat(f->fd, "sparse", O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "end", 3, 100 << 20), 3);
	assert_int_equal(ftruncate(fd, 200 << 20), 0);
	(void)close(fd);
	begin(f);
	next_is(f, &e, ".", ENTRY_DIR);
	next_is(f, &e, "sparse", ENTRY_FILE);
	assert_int_equal(e.size_bytes, 200 << 20);
	while ((r = f->source->data(f->source, &data, &f->err)) > 0) {
		if (data.offset_bytes == 0)
			assert_memory_equal(data.bytes, "begin", 6);
		seen += data.size_bytes;
	}
	assert_int_equal(r, 0);
	assert_in_range(seen, 8, 1 << 20);
	end_is_reached(f);
}

static void what_shrinks_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct entry_data data;
	struct entry e;
	int fd;

	make_file(f, "a", "content");
	begin(f);
	next_is(f, &e, ".", ENTRY_DIR);
	next_is(f, &e, "a", ENTRY_FILE);
	fd = openat(f->fd, "a", O_WRONLY | O_TRUNC | O_CLOEXEC);
	(void)close(fd);
	assert_int_equal(f->source->data(f->source, &data, &f->err),
			 -IMG_E_INPUT);
	assert_string_equal(f->err.msg, "became shorter while it was read");
}

static void only_directories_are_read(void **state)
{
	struct fixture *f = *state;
	char path[64];

	make_file(f, "a", "content");
	(void)snprintf(path, sizeof(path), "%s/a", f->dir);
	assert_int_equal(dir_source_open(path, &f->source, &f->err),
			 -IMG_E_INPUT);
	assert_non_null(strstr(f->err.msg, "is no directory"));
	f->err = (struct img_err){ 0 };
	(void)snprintf(path, sizeof(path), "%s/none", f->dir);
	assert_int_equal(dir_source_open(path, &f->source, &f->err),
			 -IMG_E_NOT_FOUND);
	assert_null(f->source);
}

#define test_in_dir(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_dir(entries_come_in_order),
		test_in_dir(links_are_found),
		test_in_dir(holes_are_left_out),
		test_in_dir(what_shrinks_is_an_error),
		test_in_dir(only_directories_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
