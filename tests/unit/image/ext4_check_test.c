#include "image/ext4_check.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "tests/lib/ext4_change.h"
#include "tests/lib/ext4_image.h"
#include "tests/lib/tar_make.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DEFAULT_ROUNDS 100
#define IMAGE_BYTES    (UINT64_C(16) << 20)

static const uint8_t uuid[16] = "0123456789abcdef";

/* What the last tool printed. */
static char said[4096];

/* Runs a program of e2fsprogs; its exit status. */
static int run_tool(const char *tool, char *const *argv)
{
	FILE *out = tmpfile();
	char *const env[] = { (char[]){ "LC_ALL=C" },
			      (char[]){ "MKE2FS_SYNC=0" }, NULL };
	int status = 0;
	pid_t pid = fork();

	assert_true(out && pid >= 0);
	if (pid == 0) {
		(void)dup2(fileno(out), 1);
		(void)dup2(fileno(out), 2);
		(void)execve(tool, argv, env);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	rewind(out);
	said[fread(said, 1, sizeof(said) - 1, out)] = '\0';
	(void)fclose(out);
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	assert_int_not_equal(WEXITSTATUS(status), 127);
	return WEXITSTATUS(status);
}

static int e2fsck(char *path)
{
	char *const argv[] = { (char[]){ "e2fsck" }, (char[]){ "-fn" }, path,
			       NULL };

	return run_tool("/sbin/e2fsck", argv);
}

static int check(int fd, struct img_err *err)
{
	int r;

	*err = (struct img_err){ 0 };
	r = ext4_check(fd, IMAGE_BYTES, NULL, err);
	assert_int_equal(r, -(int)err->code);
	assert_true(r == 0 || (err->msg[0] && !strchr(err->msg, '\n')));
	return r;
}

/* One of ours, with one of each thing that can be in it. */
static void fill_ours(struct ext4_image *image)
{
	struct rootfs_options options = { .uuid = uuid, .now_s = 1000 };
	struct rootfs_stats stats;
	struct img_err err = { 0 };
	char value[800], name[64];
	struct str tar = { 0 };

	memset(value, 'v', sizeof(value));
	tar_make_dir(&tar, "d");
	tar_make_dir(&tar, "d/e");
	tar_make_file(&tar, "d/file", "text");
	tar_make_hardlink(&tar, "d/e/again", "d/file");
	tar_make_symlink(&tar, "d/short", "file");
	memset(name, 't', sizeof(name));
	tar_make_symlink(&tar, "d/long",
			 "tttttttttttttttttttttttttttttttttttttttttttttttttttt"
			 "ttttttttttttttttttttttttttttttttttttttttttttttttttt");
	tar_make_entry(&tar,
		       &(struct tar_header){ .name = "null",
					     .type = '3',
					     .dev_major = 1,
					     .dev_minor = 3 },
		       NULL, 0);
	tar_make_entry(&tar, &(struct tar_header){ .name = "p", .type = '6' },
		       NULL, 0);
	tar_make_pax(&tar, "SCHILY.xattr.user.small", "abc", 3);
	tar_make_file(&tar, "small", "s");
	tar_make_pax(&tar, "SCHILY.xattr.user.large", value, sizeof(value));
	tar_make_file(&tar, "large", "l");
	tar_make_dir(&tar, "many");
	for (int i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof(name), "many/a-longer-name-%d", i);
		tar_make_file(&tar, name, "");
	}
	tar_make_end(&tar);
	if (ext4_image_import(image, &tar, &options, &stats, &err) < 0)
		fail_msg("%s", err.msg);
	str_release(&tar);
}

static void make_theirs(struct ext4_image *image, const char *features)
{
	img_auto(img_mem_release) char *option = mem_printf("-O%s", features);
	char *const argv[] = { (char[]){ "mke2fs" },
			       (char[]){ "-qFt" },
			       (char[]){ "ext4" },
			       (char[]){ "-b1024" },
			       option,
			       (char[]){ "-dimage" },
			       image->path,
			       NULL };

	assert_int_equal(run_tool("/sbin/mke2fs", argv), 0);
}

static void fill_theirs(struct ext4_image *image)
{
	make_theirs(image, "metadata_csum,64bit,orphan_file");
}

/* As what has grown is. */
static void fill_meta_bg(struct ext4_image *image)
{
	make_theirs(image, "metadata_csum,64bit,meta_bg,^resize_inode");
}

static void what_is_sound_is_accepted(void **state)
{
	static void (*const fill[])(
		struct ext4_image *) = { fill_ours, fill_theirs, fill_meta_bg };
	struct img_err err;

	for (size_t i = 0; i < IMG_COUNT(fill); i++) {
		struct ext4_image image;

		ext4_image_init(&image, IMAGE_BYTES);
		fill[i](&image);
		ext4_image_check(&image);
		if (check(image.fd, &err) < 0)
			fail_msg("file system %zu: %s", i, err.msg);
		ext4_image_release(&image);
	}
}

static void what_is_none_is_refused(void **state)
{
	uint8_t head[EXT4_PEEK_BYTES] = { 0 };
	struct ext4_image image;
	struct img_err err;

	assert_false(ext4_peek(head));
	ext4_image_init(&image, IMAGE_BYTES);
	assert_int_equal(check(image.fd, &err), -IMG_E_CORRUPT);
	assert_string_equal(err.msg, "it holds no ext4");
	fill_ours(&image);
	assert_int_equal(pread(image.fd, head, sizeof(head), 0), sizeof(head));
	assert_true(ext4_peek(head));
	/* Cut off at any place. */
	for (uint64_t size = 0; size < IMAGE_BYTES; size += IMAGE_BYTES / 64) {
		struct img_err one = { 0 };

		assert_int_equal(ext4_check(image.fd, size, NULL, &one),
				 -IMG_E_CORRUPT);
	}
	ext4_image_release(&image);
}

static bool stop(void *self)
{
	return true;
}

static void it_can_be_stopped(void **state)
{
	const struct progress progress = { .stopped = stop };
	struct ext4_image image;
	struct img_err err = { 0 };

	ext4_image_init(&image, IMAGE_BYTES);
	fill_ours(&image);
	assert_int_equal(ext4_check(image.fd, IMAGE_BYTES, &progress, &err),
			 -IMG_E_INTERRUPTED);
	ext4_image_release(&image);
}

static uint32_t pick(unsigned *seed, uint32_t below)
{
	return (uint32_t)rand_r(seed) % below;
}

/* A value where a field may be: near the old one, an extreme, or any. */
static void change_once(struct ext4_change *change, size_t part, unsigned *seed)
{
	static const uint32_t extremes[] = { 0,	     1,		 2,
					     0xffff, 0xffffffff, 0x80000000 };
	size_t size = 1u << pick(seed, 3);
	uint32_t offset = pick(seed, 1024) / (uint32_t)size * (uint32_t)size;
	uint32_t value;

	/* The interesting ones are at the beginning of most structures. */
	if (pick(seed, 2))
		offset %= 128;
	switch (pick(seed, 3)) {
	case 0:
		value = extremes[pick(seed, IMG_COUNT(extremes))];
		break;
	case 1:
		value = pick(seed, 256);
		break;
	default:
		value = (uint32_t)rand_r(seed);
	}
	ext4_change_put(change, part, offset, &value, size);
}

static void compare(void (*fill)(struct ext4_image *), unsigned rounds,
		    unsigned *seed)
{
	unsigned accepted = 0, stricter = 0;
	struct ext4_change change;
	struct ext4_image image;

	ext4_image_init(&image, IMAGE_BYTES);
	fill(&image);
	ext4_change_init(&change, image.fd, image.path);
	for (unsigned i = 0; i < rounds; i++) {
		/* Of each kind as often, however many there are of it. */
		size_t part = pick(seed, (uint32_t)ext4_change_parts(&change));
		unsigned began = *seed;
		struct img_err err;
		int ours, theirs;

		if (pick(seed, 4) == 0)
			part = pick(seed, 12);
		change_once(&change, part, seed);
		ours = check(image.fd, &err);
		theirs = e2fsck(image.path);
		if (ours == 0 && theirs != 0)
			fail_msg("seed %u: e2fsck (%d) finds what was "
				 "accepted: %s %zu: %s",
				 began, theirs, ext4_change_kind(&change, part),
				 part, said);
		accepted += ours == 0;
		stricter += ours != 0 && theirs == 0;
		ext4_change_undo(&change);
	}
	assert_int_equal(check(image.fd, &(struct img_err){ 0 }), 0);
	print_message("%u changes: %u accepted, %u refused that e2fsck "
		      "accepts\n",
		      rounds, accepted, stricter);
	ext4_change_release(&change);
	ext4_image_release(&image);
}

/* Nothing is accepted in which e2fsck finds an error.  IMG_TEST_SEED and
 * IMG_TEST_ROUNDS make it a campaign. */
static void no_more_is_accepted_than_by_e2fsck(void **state)
{
	const char *wanted = getenv("IMG_TEST_SEED");
	const char *more = getenv("IMG_TEST_ROUNDS");
	unsigned seed = wanted ? (unsigned)strtoul(wanted, NULL, 10) : 1;
	unsigned rounds =
		more ? (unsigned)strtoul(more, NULL, 10) : DEFAULT_ROUNDS;

	print_message("seed %u\n", seed);
	compare(fill_ours, rounds, &seed);
	compare(fill_theirs, rounds, &seed);
	compare(fill_meta_bg, rounds, &seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sound_is_accepted),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(it_can_be_stopped),
		cmocka_unit_test(no_more_is_accepted_than_by_e2fsck),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
