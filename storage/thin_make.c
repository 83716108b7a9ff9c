#include "storage/thin.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/num.h"
#include "base/str.h"
#include "storage/backing_device.h"

#include <fcntl.h>
#include <sys/stat.h>

#define DEFAULT_DATA	 (100 * GIB)
#define DEFAULT_METADATA GIB
#define DEFAULT_CHUNK	 (64 * KIB)

/* Limits of dm-thin: Documentation/admin-guide/device-mapper/
 * thin-provisioning.rst. */
#define CHUNK_MIN    (64 * KIB)
#define CHUNK_MAX    GIB
#define METADATA_MIN (2 * MIB)
#define METADATA_MAX (16 * GIB)

int thin_check_sizes(struct store_sizes *sizes, struct img_err *err)
{
	if (!sizes->max_bytes)
		sizes->max_bytes = sizes->data_bytes; /* no default: no more */
	if (!sizes->data_bytes)
		sizes->data_bytes = DEFAULT_DATA;
	if (sizes->max_bytes && sizes->max_bytes < sizes->data_bytes)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the maximal size is less than the data "
				   "size");
	if (sizes->reserve_bytes > sizes->data_bytes / 2)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the reserve is more than half of the data");
	if (!sizes->metadata_bytes)
		sizes->metadata_bytes = DEFAULT_METADATA;
	if (!sizes->chunk_bytes)
		sizes->chunk_bytes = DEFAULT_CHUNK;
	if (sizes->chunk_bytes < CHUNK_MIN || sizes->chunk_bytes > CHUNK_MAX ||
	    (sizes->chunk_bytes & (sizes->chunk_bytes - 1)) != 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the chunk size must be a power of two from "
				   "64K to 1G");
	if (sizes->metadata_bytes < METADATA_MIN ||
	    sizes->metadata_bytes > METADATA_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the metadata size must be from 2M to 16G");
	if (sizes->data_bytes < 16 * sizes->chunk_bytes)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the data size must be at least 16 chunks");
	sizes->data_bytes -= sizes->data_bytes % sizes->chunk_bytes;
	sizes->metadata_bytes -= sizes->metadata_bytes % (4 * KIB);
	return 0;
}

/* Makes the sparse file, or accepts one that an interrupted first command
 * left: nothing can be in it while there is no catalog and it is unwritten. */
static int make_backing_file(const char *root, const char *name, uint64_t size,
			     struct img_err *err)
{
	img_auto(img_mem_release) char *path = mem_printf("%s/%s", root, name);
	img_auto(img_fd_release) int fd = -1;
	struct stat st;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		return img_err_sys(err, "cannot create %s", path);
	if (st.st_blocks != 0)
		return img_err_set(
			err, IMG_E_CORRUPT, 0,
			"%s holds a pool, but its catalog "
			"%s/store.db is gone: 'img doctor --rebuild' "
			"makes it again",
			path, root);
	if (ftruncate(fd, (off_t)size) < 0)
		return img_err_sys(err, "cannot make %s", path);
	return 0;
}

int thin_make(const struct store_options *options, struct store_sizes *sizes,
	      struct img_err *err)
{
	const char *root = options->root;
	img_auto(img_mem_release) char *pool = mem_printf("%s/pool", root);
	int r;

	if (options->data_device)
		return backing_device_make(options, sizes, err);
	r = file_mkdirs(pool, 0700, err);
	if (r == 0)
		r = make_backing_file(root, "pool/data", sizes->data_bytes,
				      err);
	return r < 0 ? r
		     : make_backing_file(root, "pool/metadata",
					 sizes->metadata_bytes, err);
}
