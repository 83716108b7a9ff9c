#include "image/rootfs.h"

#include "base/num.h"
#include "tests/lib/ext4_image.h"
#include "tests/lib/tar_make.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const uint8_t uuid[16] = "0123456789abcdef";
static const struct rootfs_options plain = { .label = "test",
					     .uuid = uuid,
					     .now_s = 1000 };

struct fixture {
	struct ext4_image image;
	struct str tar, out;
	struct rootfs_stats stats;
	struct img_err err;
};

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	ext4_image_init(&f->image, 64 * MIB);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ext4_image_release(&f->image);
	str_release(&f->tar);
	str_release(&f->out);
	free(f);
	return 0;
}

static void import(struct fixture *f)
{
	tar_make_end(&f->tar);
	if (ext4_image_import(&f->image, &f->tar, &plain, &f->stats, &f->err) <
	    0)
		fail_msg("%s", f->err.msg);
	ext4_image_check(&f->image);
}

static void refused(struct fixture *f, const struct rootfs_options *options,
		    enum img_code code, const char *message)
{
	f->err = (struct img_err){ 0 };
	tar_make_end(&f->tar);
	assert_int_equal(ext4_image_import(&f->image, &f->tar, options, NULL,
					   &f->err),
			 -(int)code);
	assert_string_equal(f->err.msg, message);
	f->tar.len = 0;
}

static void nothing_gives_an_empty_root(void **state)
{
	struct fixture *f = *state;
	struct ext2_inode_large inode;

	import(f);
	(void)ext4_image_stat(&f->image, "/", &inode);
	assert_int_equal(inode.i_mode, 0040755);
	assert_int_equal(inode.i_mtime, 1000);
	assert_int_equal(inode.i_links_count, 2);
	assert_int_equal(f->stats.entries, 0);
	assert_int_equal(ext4_image_find(&f->image, "/lost+found"), 0);
}

static void files_have_content_and_attributes(void **state)
{
	struct fixture *f = *state;
	struct ext2_inode_large inode;
	struct str big = { 0 };

	for (int i = 0; big.len < 3000000; i++)
		str_addf(&big, "%d\n", i);
	tar_make_entry(&f->tar,
		       &(struct tar_header){ .name = "a/big",
					     .mode = 04711,
					     .uid = 70000,
					     .gid = 80000,
					     .mtime = 1234567890 },
		       big.s, big.len);
	tar_make_file(&f->tar, "a/small", "x");
	tar_make_file(&f->tar, "a/empty", "");
	tar_make_hardlink(&f->tar, "again", "a/big");
	import(f);
	(void)ext4_image_stat(&f->image, "/again", &inode);
	assert_int_equal(inode.i_mode, 0104711);
	assert_int_equal(inode.i_links_count, 2);
	assert_int_equal(inode_uid(inode), 70000);
	assert_int_equal(inode_gid(inode), 80000);
	assert_int_equal(inode.i_mtime, 1234567890);
	assert_int_equal(inode.i_atime, 1234567890);
	ext4_image_read(&f->image, "/a/big", &f->out);
	assert_int_equal(f->out.len, big.len);
	assert_memory_equal(f->out.s, big.s, big.len);
	ext4_image_read(&f->image, "/a/small", &f->out);
	assert_string_equal(f->out.s, "x");
	assert_int_equal(f->stats.regular_files, 3);
	assert_int_equal(f->stats.directories, 2);
	assert_int_equal(f->stats.data_bytes, big.len + 1);
	str_release(&big);
}

static void symlinks_of_all_lengths(void **state)
{
	static const size_t lengths[] = { 1, 59, 60, 4095 };
	struct fixture *f = *state;
	struct ext2_inode_large inode;
	char target[4097], name[16];

	memset(target, 't', sizeof(target));
	for (size_t i = 0; i < IMG_COUNT(lengths); i++) {
		(void)snprintf(name, sizeof(name), "s%zu", lengths[i]);
		tar_make_pax(&f->tar, "linkpath", target, lengths[i]);
		tar_make_symlink(&f->tar, name, "x");
	}
	import(f);
	for (size_t i = 0; i < IMG_COUNT(lengths); i++) {
		(void)snprintf(name, sizeof(name), "/s%zu", lengths[i]);
		(void)ext4_image_stat(&f->image, name, &inode);
		assert_int_equal(inode.i_size, lengths[i]);
		if (lengths[i] <= 59)
			assert_memory_equal(inode.i_block, target, lengths[i]);
		assert_int_equal(inode.i_blocks, lengths[i] > 59 ? 8 : 0);
	}
	f->tar.len = 0;
	tar_make_pax(&f->tar, "linkpath", target, 4096);
	tar_make_symlink(&f->tar, "s", "x");
	refused(f, &plain, IMG_E_INPUT,
		"entry 1 's' is a symlink with a target of 4096 bytes; 1 to "
		"4095 are possible");
}

static void devices_keep_their_numbers(void **state)
{
	struct fixture *f = *state;
	struct ext2_inode_large inode;

	tar_make_entry(&f->tar,
		       &(struct tar_header){ .name = "null",
					     .type = '3',
					     .dev_major = 1,
					     .dev_minor = 3 },
		       "", 0);
	tar_make_entry(&f->tar,
		       &(struct tar_header){ .name = "big",
					     .type = '4',
					     .dev_major = 4095,
					     .dev_minor = 0xabcde },
		       "", 0);
	tar_make_entry(&f->tar,
		       &(struct tar_header){ .name = "p", .type = '6' }, "", 0);
	import(f);
	(void)ext4_image_stat(&f->image, "/null", &inode);
	assert_int_equal(inode.i_mode, 0020644);
	assert_int_equal(inode.i_block[0], 0x103);
	(void)ext4_image_stat(&f->image, "/big", &inode);
	assert_int_equal(inode.i_block[0], 0);
	assert_int_equal(inode.i_block[1], 0xabcfffde);
	(void)ext4_image_stat(&f->image, "/p", &inode);
	assert_int_equal(inode.i_mode, 0010644);
	f->tar.len = 0;
	tar_make_entry(&f->tar,
		       &(struct tar_header){
			       .name = "c", .type = '3', .dev_major = 4096 },
		       "", 0);
	refused(f, &plain, IMG_E_INPUT,
		"entry 1 'c' is device 4096:0; up to 4095:1048575 are "
		"possible");
}

/* A file in GNU's sparse format 1.0: @map and then its content. */
static void make_sparse(struct str *tar, const char *name, const char *real,
			const struct str *body)
{
	struct str records = { 0 };

	tar_make_record(&records, "GNU.sparse.major", "1", 1);
	tar_make_record(&records, "GNU.sparse.minor", "0", 1);
	tar_make_record(&records, "GNU.sparse.name", name, strlen(name));
	tar_make_record(&records, "GNU.sparse.realsize", real, strlen(real));
	tar_make_pax_header(tar, &records);
	tar_make_entry(tar, &(struct tar_header){ .name = "x" }, body->s,
		       body->len);
	str_release(&records);
}

/* Content in every other block, 3000 times: an extent tree of two levels. */
static void holes_stay_holes(void **state)
{
	struct fixture *f = *state;
	struct ext2_inode_large inode;
	struct str body = { 0 };
	const unsigned n = 3000;

	str_addf(&body, "%u\n", n);
	for (unsigned i = 0; i < n; i++)
		str_addf(&body, "%u\n512\n", i * 8192 + 100);
	str_addn(&body, (const char[512]){ 0 }, -body.len % 512);
	for (unsigned i = 0; i < n; i++)
		str_addf(&body, "%-512u", i);
	make_sparse(&f->tar, "sparse", "5497558138880", &body);
	import(f);
	(void)ext4_image_stat(&f->image, "/sparse", &inode);
	assert_int_equal(EXT2_I_SIZE(&inode), 5ULL << 40);
	/* a block each, nine leaves of the tree and an index block */
	assert_int_equal(inode.i_blocks, (n + 10) * 8);
	str_release(&body);
}

static void content_lies_where_the_map_says(void **state)
{
	struct fixture *f = *state;
	struct str body = { 0 };
	static const char zeroes[20000];

	str_addf(&body, "3\n100\n512\n612\n512\n9000\n512\n");
	str_addn(&body, zeroes, -body.len % 512);
	str_addf(&body, "%-512d%-512d%-512d", 1, 2, 3);
	make_sparse(&f->tar, "sparse", "20000", &body);
	import(f);
	ext4_image_read(&f->image, "/sparse", &f->out);
	assert_int_equal(f->out.len, 20000);
	assert_memory_equal(f->out.s, zeroes, 100);
	assert_memory_equal(f->out.s + 100, body.s + 512, 1024);
	assert_memory_equal(f->out.s + 1124, zeroes, 9000 - 1124);
	assert_memory_equal(f->out.s + 9000, body.s + 1536, 512);
	assert_memory_equal(f->out.s + 9512, zeroes, 20000 - 9512);
	str_release(&body);
}

static void sparse_maps_are_checked(void **state)
{
	struct fixture *f = *state;
	struct str body = { 0 };

	str_add(&body, "2\n5000\n512\n0\n512\n");
	str_addn(&body, (const char[2048]){ 0 }, 512 + 1024 - body.len);
	make_sparse(&f->tar, "s", "100000", &body);
	refused(f, &plain, IMG_E_INPUT,
		"entry 1 's' has a map of holes that is out of order");
	make_sparse(&f->tar, "s", "5000", &body);
	refused(f, &plain, IMG_E_INPUT,
		"entry 1 's' has content beyond its size");
	make_sparse(&f->tar, "s", "-1", &body);
	refused(f, &plain, IMG_E_INPUT, "entry 1 's' has a negative size");
	make_sparse(&f->tar, "s", "20000000000000", &body);
	refused(f, &plain, IMG_E_INPUT,
		"entry 1 's' has 20000000000000 bytes; ext4 holds 16 TiB a "
		"file");
	str_release(&body);
}

static void extended_attributes_of_all_sizes(void **state)
{
	struct fixture *f = *state;
	char big[3900];

	memset(big, 'v', sizeof(big));
	tar_make_pax(&f->tar, "SCHILY.xattr.security.capability",
		     "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
	tar_make_file(&f->tar, "cap", "");
	tar_make_pax(&f->tar, "SCHILY.xattr.trusted.big", big, sizeof(big));
	tar_make_file(&f->tar, "big", "");
	tar_make_pax(&f->tar, "SCHILY.xattr.com.apple.FinderInfo", "x", 1);
	tar_make_file(&f->tar, "mac", "");
	import(f);
	assert_int_equal(f->stats.skipped_xattrs, 1);
	assert_int_equal(ext4_image_xattr(&f->image, "/cap",
					  "security.capability", &f->out),
			 20);
	assert_memory_equal(f->out.s, "\1\0\0\2\0\4\0\0", 8);
	assert_int_equal(ext4_image_xattr(&f->image, "/big", "trusted.big",
					  &f->out),
			 sizeof(big));
	assert_memory_equal(f->out.s, big, sizeof(big));
	f->tar.len = 0;
	tar_make_pax(&f->tar, "SCHILY.xattr.user.x", big, sizeof(big));
	tar_make_dir(&f->tar, "x");
	tar_make_pax(&f->tar, "SCHILY.xattr.user.x", (const char[5000]){ 1 },
		     5000);
	tar_make_file(&f->tar, "y", "");
	refused(f, &plain, IMG_E_UNSUPPORTED,
		"entry 2 'y' has more extended attributes than ext4 holds, "
		"about 4000 bytes");
}

static void the_root_can_be_marked(void **state)
{
	const struct entry_xattr mark = { .name = "trusted.img.volume",
					  .value = "id",
					  .size_bytes = 2 };
	struct rootfs_options options = plain;
	struct fixture *f = *state;

	options.root_xattrs = &mark;
	options.n_root_xattrs = 1;
	tar_make_end(&f->tar);
	assert_int_equal(ext4_image_import(&f->image, &f->tar, &options, NULL,
					   &f->err),
			 0);
	ext4_image_check(&f->image);
	assert_int_equal(ext4_image_xattr(&f->image, "/", "trusted.img.volume",
					  &f->out),
			 2);
}

/* One block, the last entry that fits it, several blocks, index blocks. */
static void directories_of_all_sizes(void **state)
{
	static const unsigned sizes[] = { 252, 253, 254, 255, 256, 8000 };
	struct fixture *f = *state;
	struct rootfs_options many = plain;
	char name[300];

	for (size_t s = 0; s < IMG_COUNT(sizes); s++)
		for (unsigned i = 0; i < sizes[s]; i++) {
			(void)snprintf(name, sizeof(name), "d%u/%08u", sizes[s],
				       i);
			tar_make_hardlink(&f->tar, name, "one");
		}
	for (unsigned i = 0; i < 9000; i++) { /* 18 to a leaf: two levels */
		char path[300];

		(void)snprintf(path, sizeof(path), "long/%0220u", i);
		tar_make_pax(&f->tar, "path", path, strlen(path));
		tar_make_hardlink(&f->tar, "x", "one");
	}
	f->out.len = 0;
	tar_make_file(&f->out, "one", "1");
	str_addn(&f->out, f->tar.s, f->tar.len);
	tar_make_end(&f->out);
	many.max_entries = 20000;
	if (ext4_image_import(&f->image, &f->out, &many, NULL, &f->err) < 0)
		fail_msg("%s", f->err.msg);
	ext4_image_check(&f->image);
	for (size_t s = 0; s < IMG_COUNT(sizes); s++) {
		(void)snprintf(name, sizeof(name), "/d%u/%08u", sizes[s],
			       sizes[s] - 1);
		assert_int_not_equal(ext4_image_find(&f->image, name), 0);
	}
	(void)snprintf(name, sizeof(name), "/long/%0220u", 8999);
	assert_int_not_equal(ext4_image_find(&f->image, name), 0);
}

/* What was replaced leaves neither blocks nor inodes behind: e2fsck would
 * tell. */
static void replaced_files_leave_nothing(void **state)
{
	struct fixture *f = *state;
	char big[100000];

	memset(big, 'b', sizeof(big));
	tar_make_file(&f->tar, "d/y", "");
	tar_make_pax(&f->tar, "SCHILY.xattr.user.x", big, 3000);
	tar_make_entry(&f->tar, &(struct tar_header){ .name = "x" }, big,
		       sizeof(big));
	tar_make_pax(&f->tar, "SCHILY.xattr.user.x", big, 3000);
	tar_make_dir(&f->tar, "d");
	tar_make_file(&f->tar, "x", "last");
	tar_make_dir(&f->tar, "d");
	import(f);
	ext4_image_read(&f->image, "/x", &f->out);
	assert_string_equal(f->out.s, "last");
	assert_int_equal(ext4_image_xattr(&f->image, "/d", "user.x", &f->out),
			 -1);
	assert_int_equal(f->stats.fs_used_bytes,
			 3 * 4096); /* two directories, "last" */
}

static void a_full_volume_names_the_entry(void **state)
{
	struct fixture *f = *state;
	char *big = mem_zalloc(62 * MIB);

	tar_make_file(&f->tar, "small", "x");
	tar_make_entry(&f->tar, &(struct tar_header){ .name = "big" }, big,
		       62 * MIB);
	refused(f, &plain, IMG_E_NO_SPACE,
		"entry 2 'big' does not fit in a volume of 64.0 MiB");
	free(big);
}

static void inodes_run_out_by_name(void **state)
{
	struct fixture *f = *state;
	char name[16];

	for (int i = 0; i < 4200; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		tar_make_file(&f->tar, name, "");
	}
	refused(f, &plain, IMG_E_NO_SPACE,
		"entry 4087 '4086' is one file more than the volume has "
		"inodes, 4087");
}

static void limits_and_sizes_are_checked(void **state)
{
	struct rootfs_options options = plain;
	struct fixture *f = *state;

	options.max_entries = 2;
	tar_make_dir(&f->tar, "a/b/c");
	refused(f, &options, IMG_E_INPUT,
		"entry 1 'a/b/c' is beyond the limit of 2 entries");
	options.label = "more than 16 bytes";
	tar_make_dir(&f->tar, "a");
	refused(f, &options, IMG_E_INPUT,
		"file system label 'more than 16 bytes' is longer than 16 "
		"bytes");
	f->image.size_bytes = 15 * MIB;
	tar_make_dir(&f->tar, "a");
	refused(f, &plain, IMG_E_INPUT,
		"a volume of 15.0 MiB is too small for a file system: 16 MiB "
		"at least");
}

static bool stopped(void *self)
{
	return true;
}

static void a_stop_is_heeded(void **state)
{
	const struct progress progress = { .stopped = stopped };
	struct rootfs_options options = plain;
	struct fixture *f = *state;
	char *big = mem_zalloc(3 * MIB);

	options.progress = &progress;
	tar_make_entry(&f->tar, &(struct tar_header){ .name = "big" }, big,
		       3 * MIB);
	refused(f, &options, IMG_E_INTERRUPTED, "interrupted");
	free(big);
}

static void device_errors_are_told(void **state)
{
	struct img_err err = { 0 };
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	assert_int_equal(rootfs_format_empty(fd, 64 * MIB, &plain, &err),
			 -IMG_E_NO_SPACE);
	assert_string_equal(err.msg,
			    "does not fit: what lies under the volume is full: "
			    "No space left on device");
	(void)close(fd);
	err = (struct img_err){ 0 };
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(rootfs_format_empty(fd, 64 * MIB, &plain, &err),
			 -IMG_E_SYS);
	assert_non_null(strstr(err.msg, "cannot write to the volume at byte "));
	assert_non_null(strstr(err.msg, ": Bad file descriptor"));
	(void)close(fd);
}

static void empty_ones_of_all_sizes_are_clean(void **state)
{
	static const uint64_t mib[] = { 16,  17,  127,	128,  129,
					131, 257, 1025, 5000, 131072 };

	for (size_t i = 0; i < IMG_COUNT(mib); i++) {
		struct ext4_image image;
		struct img_err err = { 0 };

		ext4_image_init(&image, mib[i] * MIB);
		if (rootfs_format_empty(image.fd, image.size_bytes, &plain,
					&err) < 0)
			fail_msg("%s", err.msg);
		ext4_image_check(&image);
		ext4_image_release(&image);
	}
}

/* The same archive gives the same bytes. */
static void imports_are_reproducible(void **state)
{
	struct fixture *f = *state;
	struct ext4_image other;
	char a[65536], b[65536];

	tar_make_file(&f->tar, "a/b", "content");
	tar_make_symlink(&f->tar, "l", "a");
	import(f);
	ext4_image_init(&other, f->image.size_bytes);
	assert_int_equal(
		ext4_image_import(&other, &f->tar, &plain, NULL, &f->err), 0);
	for (off_t at = 0; at < (off_t)f->image.size_bytes; at += sizeof(a)) {
		assert_int_equal(pread(f->image.fd, a, sizeof(a), at),
				 sizeof(a));
		assert_int_equal(pread(other.fd, b, sizeof(b), at), sizeof(b));
		assert_memory_equal(a, b, sizeof(a));
	}
	ext4_image_release(&other);
}

#define test_in_image(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_image(nothing_gives_an_empty_root),
		test_in_image(files_have_content_and_attributes),
		test_in_image(symlinks_of_all_lengths),
		test_in_image(devices_keep_their_numbers),
		test_in_image(holes_stay_holes),
		test_in_image(content_lies_where_the_map_says),
		test_in_image(sparse_maps_are_checked),
		test_in_image(extended_attributes_of_all_sizes),
		test_in_image(the_root_can_be_marked),
		test_in_image(directories_of_all_sizes),
		test_in_image(replaced_files_leave_nothing),
		test_in_image(a_full_volume_names_the_entry),
		test_in_image(inodes_run_out_by_name),
		test_in_image(limits_and_sizes_are_checked),
		test_in_image(a_stop_is_heeded),
		cmocka_unit_test(device_errors_are_told),
		cmocka_unit_test(empty_ones_of_all_sizes_are_clean),
		test_in_image(imports_are_reproducible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
