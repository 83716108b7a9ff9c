#include "tests/lib/ext4_image.h"

#include "image/tar_read.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

void ext4_image_init(struct ext4_image *image, uint64_t size_bytes)
{
	*image = (struct ext4_image){ .size_bytes = size_bytes };
	(void)strcpy(image->path, "/tmp/img-ext4-XXXXXX");
	image->fd = mkostemp(image->path, O_CLOEXEC);
	assert_true(image->fd >= 0);
	assert_return_code(ftruncate(image->fd, (off_t)size_bytes), 0);
}

void ext4_image_release(struct ext4_image *image)
{
	if (image->fs)
		ext2fs_free(image->fs);
	(void)close(image->fd);
	(void)unlink(image->path);
}

int ext4_image_import(struct ext4_image *image, const struct str *tar,
		      const struct rootfs_options *options,
		      struct rootfs_stats *stats, struct img_err *err)
{
	const struct tar_options tar_options = { .name = "test.tar" };
	struct entry_source *source = NULL;
	int fd = memfd_create("tar", MFD_CLOEXEC);
	int r;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, tar->s, tar->len), tar->len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	r = tar_source_open_fd(fd, &tar_options, &source, err);
	if (r == 0)
		r = rootfs_write(source, image->fd, image->size_bytes, options,
				 stats, err);
	assert_int_equal(r, -(int)err->code);
	entry_source_release(&source);
	(void)close(fd);
	return r;
}

void ext4_image_check(struct ext4_image *image)
{
	char *const env[] = { (char[]){ "LC_ALL=C" }, NULL };
	char *const argv[] = { (char[]){ "e2fsck" }, (char[]){ "-fn" },
			       image->path, NULL };
	char said[4096] = "";
	FILE *out = tmpfile();
	int status;
	pid_t pid;

	assert_non_null(out);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(fileno(out), 1);
		(void)dup2(fileno(out), 2);
		(void)execve("/sbin/e2fsck", argv, env);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	rewind(out);
	said[fread(said, 1, sizeof(said) - 1, out)] = '\0';
	(void)fclose(out);
	if (status)
		fail_msg("e2fsck: status %d: %s", status, said);
}

static void open_it(struct ext4_image *image)
{
	if (!image->fs)
		assert_int_equal(ext2fs_open(image->path, EXT2_FLAG_64BITS, 0,
					     0, unix_io_manager, &image->fs),
				 0);
}

ext2_ino_t ext4_image_find(struct ext4_image *image, const char *path)
{
	ext2_ino_t ino = 0;

	open_it(image);
	if (ext2fs_namei(image->fs, EXT2_ROOT_INO, EXT2_ROOT_INO, path, &ino))
		return 0;
	return ino;
}

ext2_ino_t ext4_image_stat(struct ext4_image *image, const char *path,
			   struct ext2_inode_large *ret)
{
	ext2_ino_t ino = ext4_image_find(image, path);

	if (!ino)
		fail_msg("no %s in the image", path);
	assert_int_equal(ext2fs_read_inode_full(image->fs, ino,
						(struct ext2_inode *)ret,
						sizeof(*ret)),
			 0);
	return ino;
}

void ext4_image_read(struct ext4_image *image, const char *path,
		     struct str *ret)
{
	struct ext2_inode_large inode;
	ext2_ino_t ino = ext4_image_stat(image, path, &inode);
	ext2_file_t file;
	char some[8192];
	unsigned got;

	ret->len = 0;
	str_add(ret, "");
	assert_int_equal(ext2fs_file_open(image->fs, ino, 0, &file), 0);
	do {
		assert_int_equal(
			ext2fs_file_read(file, some, sizeof(some), &got), 0);
		str_addn(ret, some, got);
	} while (got);
	assert_int_equal(ext2fs_file_close(file), 0);
}

int ext4_image_xattr(struct ext4_image *image, const char *path,
		     const char *name, struct str *ret)
{
	struct ext2_xattr_handle *handle;
	struct ext2_inode_large inode;
	ext2_ino_t ino = ext4_image_stat(image, path, &inode);
	void *value = NULL;
	size_t size = 0;
	errcode_t code;

	ret->len = 0;
	assert_int_equal(ext2fs_xattrs_open(image->fs, ino, &handle), 0);
	assert_int_equal(ext2fs_xattrs_read(handle), 0);
	code = ext2fs_xattr_get(handle, name, &value, &size);
	assert_int_equal(ext2fs_xattrs_close(&handle), 0);
	if (code)
		return -1;
	str_addn(ret, value, size);
	ext2fs_free_mem(&value);
	return (int)size;
}
