/*
 * libFuzzer entry: changes to a sound ext4, whose checksums are made right
 * again, and what the check says.
 *
 * The bytes are changes of eight bytes each: structure, offset, length and
 * value.  Whatever they do, the check ends with yes or with one line that says
 * why not; the sanitizers see the rest.
 */
#include "image/ext4_check.h"
#include "image/rootfs.h"
#include "image/tar_read.h"
#include "tests/lib/ext4_change.h"
#include "tests/lib/tar_make.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define INPUT_MAX    1024u
#define VOLUME_BYTES (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct change {
	uint16_t part, offset;
	uint8_t size;
	uint8_t value[3];
};

/* Something of everything. */
static void tar_fill(struct str *tar)
{
	char name[64], value[800];

	memset(value, 'v', sizeof(value));
	tar_make_dir(tar, "d");
	tar_make_file(tar, "d/file", "text");
	tar_make_hardlink(tar, "again", "d/file");
	tar_make_symlink(tar, "short", "file");
	memset(name, 't', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	tar_make_symlink(tar, "long", name);
	tar_make_pax(tar, "SCHILY.xattr.user.large", value, sizeof(value));
	tar_make_file(tar, "large", "l");
	for (int i = 0; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "d/a-longer-name-%d", i);
		tar_make_file(tar, name, "");
	}
	tar_make_end(tar);
}

static int make_volume(void)
{
	static const uint8_t uuid[16];
	const struct rootfs_options options = { .uuid = uuid, .now_s = 1 };
	const struct tar_options tar_options = { 0 };
	struct entry_source *source = NULL;
	int tar = memfd_create("tar", MFD_CLOEXEC);
	int volume = memfd_create("volume", MFD_CLOEXEC);
	struct img_err err = { 0 };
	struct str text = { 0 };

	tar_fill(&text);
	if (tar < 0 || volume < 0 || ftruncate(volume, VOLUME_BYTES) < 0 ||
	    write(tar, text.s, text.len) != (ssize_t)text.len ||
	    lseek(tar, 0, SEEK_SET) != 0 ||
	    tar_source_open_fd(tar, &tar_options, &source, &err) < 0 ||
	    rootfs_write(source, volume, VOLUME_BYTES, &options, NULL, &err) <
		    0)
		abort();
	entry_source_release(&source);
	str_release(&text);
	(void)close(tar);
	return volume;
}

static void look(int volume)
{
	struct img_err err = { 0 };
	int r = ext4_check(volume, VOLUME_BYTES, NULL, &err);

	if (r != -(int)err.code ||
	    (r < 0 && (!err.msg[0] || strchr(err.msg, '\n'))))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ext4_change change;
	static int volume = -1;
	char path[40];

	if (size > INPUT_MAX)
		return -1;
	if (volume < 0) {
		volume = make_volume();
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", volume);
		ext4_change_init(&change, volume, path);
	}
	for (; size >= sizeof(struct change); size -= sizeof(struct change)) {
		struct change c;

		memcpy(&c, data, sizeof(c));
		data += sizeof(c);
		ext4_change_put(&change, c.part, c.offset, c.value,
				c.size % (sizeof(c.value) + 1));
	}
	look(volume);
	ext4_change_undo(&change);
	return 0;
}
