/*
 * backing_device_make: two block devices become those of a new store.
 */
#include "storage/backing_device.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/num.h"
#include "base/part.h"
#include "base/str.h"
#include "storage/device.h"
#include "storage/label.h"
#include "storage/meta.h"
#include "storage/probe.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

/* dm-thin uses no more than 255 bitmaps of 16320 blocks for its metadata:
 * drivers/md/dm-thin-metadata.h, THIN_METADATA_MAX_SECTORS. */
#define METADATA_MIN (2 * MIB)
#define METADATA_MAX (16 * GIB)
#define CHUNKS_MIN   16
/* What thin-provisioning.rst reckons for a chunk. */
#define METADATA_PER_CHUNK 48
/* Where signatures of others may lie: at the beginning and at the end. */
#define WIPE_BYTES MIB

struct pair {
	const struct store_options *options;
	struct device data, metadata;
};

static void pair_release(struct pair *pair)
{
	device_release(&pair->data);
	device_release(&pair->metadata);
}

/* Two names may lead to one device, which then could not be claimed twice. */
static int claim(struct pair *pair, struct img_err *err)
{
	const struct store_options *o = pair->options;
	struct stat data, metadata;
	int r;

	if (stat(o->data_device, &data) == 0 && S_ISBLK(data.st_mode) &&
	    stat(o->metadata_device, &metadata) == 0 &&
	    S_ISBLK(metadata.st_mode) && data.st_rdev == metadata.st_rdev)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "%s and %s are the same device: data and "
				   "metadata need one each",
				   o->data_device, o->metadata_device);
	r = device_claim(o->data_device, &pair->data, err);
	return r < 0 ? r
		     : device_claim(o->metadata_device, &pair->metadata, err);
}

static int check_sizes(const struct pair *pair, struct store_sizes *sizes,
		       struct img_err *err)
{
	const struct store_options *o = pair->options;
	char have[SIZE_TEXT_MAX], want[SIZE_TEXT_MAX], all[SIZE_TEXT_MAX];
	uint64_t chunk = sizes->chunk_bytes, least;

	sizes->data_bytes = label_data_bytes(pair->data.size_bytes, chunk);
	sizes->metadata_bytes = pair->metadata.size_bytes -
				pair->metadata.size_bytes % (4 * KIB);
	if (sizes->data_bytes < CHUNKS_MIN * chunk)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "%s is too small for data: %s, which is "
				   "less than 16 chunks",
				   o->data_device,
				   num_format_size(pair->data.size_bytes,
						   have));
	least = sizes->data_bytes / chunk * METADATA_PER_CHUNK;
	if (least < METADATA_MIN)
		least = METADATA_MIN;
	if (least > METADATA_MAX)
		least = METADATA_MAX;
	if (sizes->metadata_bytes < least)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "%s is too small for metadata: %s, and %s "
				   "of data in such chunks need %s",
				   o->metadata_device,
				   num_format_size(sizes->metadata_bytes, have),
				   num_format_size(sizes->data_bytes, all),
				   num_format_size(num_align_up(least, MIB),
						   want));
	if (sizes->metadata_bytes > METADATA_MAX && !o->force)
		return img_err_set(
			err, IMG_E_INPUT, 0,
			"%s is too large for metadata: a thin pool "
			"uses 16 GiB and not more of its %s; --force "
			"wastes the rest",
			o->metadata_device,
			num_format_size(sizes->metadata_bytes, have));
	return 0;
}

static int holds(const char *name, const char *what, struct img_err *err)
{
	return img_err_set(err, IMG_E_EXISTS, 0,
			   "%s holds %s; --force overwrites it", name, what);
}

static int check_signature(const struct device *device, const char *name,
			   struct img_err *err)
{
	probe_content_fn *probe = (probe_content_fn *)part_symbol(
		PROBE_PART, "probe_content", err);
	char type[PROBE_TYPE_MAX];
	int r;

	if (!probe)
		return -(int)err->code;
	r = probe(device->fd, name, type, err);
	return r > 0 ? holds(name, type, err) : r;
}

/* A pool that is not in use: libblkid does not know its metadata. */
static int check_no_pool(const struct pair *pair, struct img_err *err)
{
	const char *name = pair->options->metadata_device;
	img_auto(thin_meta_release) struct thin_meta *meta = NULL;
	struct img_err none = { 0 };
	int r = thin_meta_open(pair->metadata.fd, NULL, &meta, &none);

	if (r < 0)
		return 0;
	return holds(name,
		     thin_meta_info(meta)->needs_check
			     ? "the metadata of a thin pool that needs a check "
			       "(thin_check)"
			     : "the metadata of a thin pool",
		     err);
}

static int check_no_label(const struct pair *pair, uint64_t data_bytes,
			  struct img_err *err)
{
	const struct store_options *o = pair->options;
	struct label label;
	int r = label_read(pair->data.fd, data_bytes, o->data_device, &label,
			   err);

	if (r <= 0)
		return r;
	return img_err_set(err, IMG_E_EXISTS, 0,
			   "%s holds the data of the store in %s; --force "
			   "overwrites it",
			   o->data_device, label.root);
}

static int check_empty(const struct pair *pair, uint64_t data_bytes,
		       struct img_err *err)
{
	const struct store_options *o = pair->options;
	int r = check_no_pool(pair, err);

	if (r == 0)
		r = check_no_label(pair, data_bytes, err);
	if (r == 0)
		r = check_signature(&pair->data, o->data_device, err);
	return r < 0 ? r
		     : check_signature(&pair->metadata, o->metadata_device,
				       err);
}

static int wipe(const struct device *device, const char *name,
		struct img_err *err)
{
	img_auto(img_mem_release) void *zeroes = mem_zalloc(WIPE_BYTES);
	int r = file_pwrite(device->fd, zeroes, WIPE_BYTES, 0, name, err);

	if (r == 0)
		r = file_pwrite(device->fd, zeroes, WIPE_BYTES,
				device->size_bytes - WIPE_BYTES, name, err);
	if (r == 0 && fsync(device->fd) < 0)
		r = img_err_sys(err, "cannot sync %s", name);
	return r;
}

/* The metadata first: once it is empty nothing can be had of the data. */
static int wipe_both(const struct pair *pair, struct img_err *err)
{
	const struct store_options *o = pair->options;
	int r = wipe(&pair->metadata, o->metadata_device, err);

	return r < 0 ? r : wipe(&pair->data, o->data_device, err);
}

int backing_device_make(const struct store_options *options,
			struct store_sizes *sizes, struct img_err *err)
{
	img_auto(pair_release) struct pair pair = { .options = options,
						    .data = DEVICE_NONE,
						    .metadata = DEVICE_NONE };
	int r = claim(&pair, err);

	if (r == 0)
		r = check_sizes(&pair, sizes, err);
	if (r == 0 && !options->force)
		r = check_empty(&pair, sizes->data_bytes, err);
	return r < 0 ? r : wipe_both(&pair, err);
}
