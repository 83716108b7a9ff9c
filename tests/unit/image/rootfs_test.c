#include "image/rootfs.h"

#include "base/num.h"
#include "tests/lib/made_rootfs.h"
#include "tests/lib/tar_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void nothing_gives_an_empty_root(void **state)
{
	struct made_rootfs *f = *state;
	struct ext2_inode_large inode;

	made_import(f);
	(void)ext4_image_stat(&f->image, "/", &inode);
	assert_int_equal(inode.i_mode, 0040755);
	assert_int_equal(inode.i_mtime, 1000);
	assert_int_equal(inode.i_links_count, 2);
	assert_int_equal(f->stats.entries, 0);
	assert_int_equal(ext4_image_find(&f->image, "/lost+found"), 0);
}

static void files_have_content_and_attributes(void **state)
{
	struct made_rootfs *f = *state;
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
	made_import(f);
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
	struct made_rootfs *f = *state;
	struct ext2_inode_large inode;
	char target[4097], name[16];

	memset(target, 't', sizeof(target));
	for (size_t i = 0; i < IMG_COUNT(lengths); i++) {
		(void)snprintf(name, sizeof(name), "s%zu", lengths[i]);
		tar_make_pax(&f->tar, "linkpath", target, lengths[i]);
		tar_make_symlink(&f->tar, name, "x");
	}
	made_import(f);
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
	made_refused(
		f, &made_plain, IMG_E_INPUT,
		"entry 1 's' is a symlink with a target of 4096 bytes; 1 to "
		"4095 are possible");
}

static void devices_keep_their_numbers(void **state)
{
	struct made_rootfs *f = *state;
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
	made_import(f);
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
	made_refused(f, &made_plain, IMG_E_INPUT,
		     "entry 1 'c' is device 4096:0; up to 4095:1048575 are "
		     "possible");
}

static void extended_attributes_of_all_sizes(void **state)
{
	struct made_rootfs *f = *state;
	char big[3900];

	memset(big, 'v', sizeof(big));
	tar_make_pax(&f->tar, "SCHILY.xattr.security.capability",
		     "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
	tar_make_file(&f->tar, "cap", "");
	tar_make_pax(&f->tar, "SCHILY.xattr.trusted.big", big, sizeof(big));
	tar_make_file(&f->tar, "big", "");
	tar_make_pax(&f->tar, "SCHILY.xattr.com.apple.FinderInfo", "x", 1);
	tar_make_file(&f->tar, "mac", "");
	made_import(f);
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
	made_refused(
		f, &made_plain, IMG_E_UNSUPPORTED,
		"entry 2 'y' has more extended attributes than ext4 holds, "
		"about 4000 bytes");
}

static void the_root_can_be_marked(void **state)
{
	const struct entry_xattr mark = { .name = "trusted.img.volume",
					  .value = "id",
					  .size_bytes = 2 };
	struct rootfs_options options = made_plain;
	struct made_rootfs *f = *state;

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
	struct made_rootfs *f = *state;
	struct rootfs_options many = made_plain;
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
	struct made_rootfs *f = *state;
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
	made_import(f);
	ext4_image_read(&f->image, "/x", &f->out);
	assert_string_equal(f->out.s, "last");
	assert_int_equal(ext4_image_xattr(&f->image, "/d", "user.x", &f->out),
			 -1);
	assert_int_equal(f->stats.fs_used_bytes,
			 3 * 4096); /* two directories, "last" */
}

static void empty_ones_of_all_sizes_are_clean(void **state)
{
	static const uint64_t mib[] = { 16,  17,  127,	128,  129,
					131, 257, 1025, 5000, 131072 };

	for (size_t i = 0; i < IMG_COUNT(mib); i++) {
		struct ext4_image image;
		struct img_err err = { 0 };

		ext4_image_init(&image, mib[i] * MIB);
		if (rootfs_format_empty(image.fd, image.size_bytes, &made_plain,
					&err) < 0)
			fail_msg("%s", err.msg);
		ext4_image_check(&image);
		ext4_image_release(&image);
	}
}

/* The same archive gives the same bytes. */
static void imports_are_reproducible(void **state)
{
	struct made_rootfs *f = *state;
	struct ext4_image other;
	char a[65536], b[65536];

	tar_make_file(&f->tar, "a/b", "content");
	tar_make_symlink(&f->tar, "l", "a");
	made_import(f);
	ext4_image_init(&other, f->image.size_bytes);
	assert_int_equal(ext4_image_import(&other, &f->tar, &made_plain, NULL,
					   &f->err),
			 0);
	for (off_t at = 0; at < (off_t)f->image.size_bytes; at += sizeof(a)) {
		assert_int_equal(pread(f->image.fd, a, sizeof(a), at),
				 sizeof(a));
		assert_int_equal(pread(other.fd, b, sizeof(b), at), sizeof(b));
		assert_memory_equal(a, b, sizeof(a));
	}
	ext4_image_release(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_rootfs(nothing_gives_an_empty_root),
		test_in_rootfs(files_have_content_and_attributes),
		test_in_rootfs(symlinks_of_all_lengths),
		test_in_rootfs(devices_keep_their_numbers),
		test_in_rootfs(extended_attributes_of_all_sizes),
		test_in_rootfs(the_root_can_be_marked),
		test_in_rootfs(directories_of_all_sizes),
		test_in_rootfs(replaced_files_leave_nothing),
		cmocka_unit_test(empty_ones_of_all_sizes_are_clean),
		test_in_rootfs(imports_are_reproducible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
