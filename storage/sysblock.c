#include "storage/sysblock.h"

#include "base/cleanup.h"
#include "base/num.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

/* One line of a device's file, without its end; false where there is none: a
 * device may go at any time. */
static bool read_line(const char *device, const char *file, char *out,
		      size_t size)
{
	img_auto(img_fd_release) int fd = -1;
	char path[300];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/sys/block/%s/%s", device, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, out, size - 1);
	if (n < 0)
		return false;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return true;
}

static bool read_numbers(const char *device, struct dm_block *block)
{
	char text[64];
	unsigned maj, min;
	unsigned long long sectors;

	if (!read_line(device, "dev", text, sizeof(text)) ||
	    sscanf(text, "%u:%u", &maj, &min) != 2 ||
	    !read_line(device, "size", text, sizeof(text)) ||
	    sscanf(text, "%llu", &sectors) != 1)
		return false;
	block->dev = makedev(maj, min);
	block->size_bytes = sectors * SECTOR_BYTES;
	return true;
}

static bool look_at_dm(const char *device, struct dm_block *block)
{
	return read_line(device, "dm/uuid", block->name.uuid,
			 sizeof(block->name.uuid)) &&
	       strncmp(block->name.uuid, DM_UUID_PREFIX,
		       strlen(DM_UUID_PREFIX)) == 0 &&
	       read_line(device, "dm/name", block->name.name,
			 sizeof(block->name.name)) &&
	       read_numbers(device, block);
}

/* A device that is mounted, or that a table names, cannot be claimed. */
static bool is_claimed(const char *device)
{
	char path[300];
	int fd;

	(void)snprintf(path, sizeof(path), "/dev/%s", device);
	fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (fd < 0)
		return true; /* or who knows: it is left alone */
	img_fd_release(&fd);
	return false;
}

static bool look_at_loop(const char *device, struct dm_block *block)
{
	if (!read_line(device, "loop/backing_file", block->file,
		       sizeof(block->file)) ||
	    !read_numbers(device, block))
		return false;
	block->is_loop = true;
	block->is_used = is_claimed(device);
	return true;
}

int sysblock_each(int (*fn)(void *self, const struct dm_block *block,
			    struct img_err *err),
		  void *self, struct img_err *err)
{
	img_auto(img_dir_release) DIR *dir = opendir("/sys/block");
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return img_err_sys(err, "cannot list /sys/block");
	while (r == 0 && (entry = readdir(dir)) != NULL) {
		struct dm_block block = { 0 };

		if ((strncmp(entry->d_name, "dm-", 3) == 0 &&
		     look_at_dm(entry->d_name, &block)) ||
		    (strncmp(entry->d_name, "loop", 4) == 0 &&
		     look_at_loop(entry->d_name, &block)))
			r = fn(self, &block, err);
	}
	return r;
}
