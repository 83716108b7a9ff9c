#include "storage/backing_device.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "storage/backing.h"
#include "storage/catalog.h"
#include "storage/device.h"
#include "storage/label.h"
#include "storage/meta.h"
#include "storage/pool.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

/* Set once the metadata bears the store's mark: from then on metadata without
 * it is somebody else's. */
#define MARKED_KEY "pool_marked"

/* What the pool's transaction id is, from its first start on. */
static uint64_t mark_of(const char *store_id)
{
	char head[17];

	(void)snprintf(head, sizeof(head), "%.16s", store_id);
	return strtoull(head, NULL, 16);
}

static bool is_marked(struct store *store)
{
	img_auto(img_mem_release) char *text = NULL;
	struct img_err dropped = { 0 }; /* cannot read: as if marked */

	return catalog_setting_find(store->db, MARKED_KEY, &text, &dropped) !=
	       0;
}

static int set_durably(struct store *store, const char *key, const char *value,
		       struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store->db, true, err);

	if (r < 0)
		return r;
	txn = store->db;
	r = catalog_set(store->db, key, value, err);
	return r < 0 ? r : db_commit(store->db, err);
}

static int put_label(const struct store *store, int fd, uint64_t data_bytes,
		     struct img_err *err)
{
	struct label label = { .data_bytes = data_bytes };

	(void)snprintf(label.store_id, sizeof(label.store_id), "%s", store->id);
	(void)snprintf(label.root, sizeof(label.root), "%s", store->root);
	return label_write(fd, &label, store->data_device, err);
}

static int mark_data(const struct store *store, struct img_err *err)
{
	img_auto(img_fd_release) int fd =
		open(store->data_device, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return img_err_sys(err, "cannot open %s", store->data_device);
	return put_label(store, fd, store->sizes.data_bytes, err);
}

int backing_device_mark(struct store *store, struct img_err *err)
{
	img_auto(thin_meta_release) struct thin_meta *meta = NULL;
	img_auto(img_fd_release) int fd = -1;
	struct store_usage usage;
	int r;

	if (is_marked(store))
		return 0;
	r = pool_usage(store, &usage, err); /* the kernel commits for that */
	if (r == 0)
		r = backing_open(store, BACKING_METADATA, &fd, err);
	if (r == 0)
		r = thin_meta_open(fd, NULL, &meta, err);
	if (r == 0 && thin_meta_info(meta)->transaction_id == 0)
		r = pool_message(store, err, "set_transaction_id 0 %" PRIu64,
				 mark_of(store->id));
	if (r == 0)
		r = mark_data(store, err);
	return r < 0 ? r : set_durably(store, MARKED_KEY, "1", err);
}

/* Whether a device is what it should be: 0, or why not. */
typedef int check_fn(struct store *store, int fd, const char *name,
		     struct img_err *err);

static int is_shorter(const char *name, uint64_t have, uint64_t want,
		      struct img_err *err)
{
	char a[SIZE_TEXT_MAX], b[SIZE_TEXT_MAX];

	return img_err_set(err, IMG_E_CORRUPT, 0,
			   "%s is smaller than it was: %s of at least %s", name,
			   num_format_size(have, a), num_format_size(want, b));
}

static int check_data(struct store *store, int fd, const char *name,
		      struct img_err *err)
{
	uint64_t bytes = store->sizes.data_bytes, size;
	struct label label;
	int r = device_size(fd, name, &size, err);

	if (r == 0 && size < bytes + LABEL_BYTES)
		r = is_shorter(name, size, bytes + LABEL_BYTES, err);
	if (r == 0)
		r = label_read(fd, bytes, name, &label, err);
	if (r < 0 || (r == 0 && !is_marked(store)))
		return r; /* about to be started for the first time */
	if (r == 0)
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "%s does not hold the data of a store of "
				   "img",
				   name);
	if (strcmp(label.store_id, store->id) != 0)
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "%s holds the data of another store, that "
				   "in %s",
				   name, label.root);
	return 0;
}

static bool is_zero(int fd)
{
	_Alignas(LABEL_BYTES) static char block[LABEL_BYTES];

	if (pread(fd, block, sizeof(block), 0) != (ssize_t)sizeof(block))
		return false;
	for (size_t i = 0; i < sizeof(block); i++)
		if (block[i])
			return false;
	return true;
}

static int check_metadata(struct store *store, int fd, const char *name,
			  struct img_err *err)
{
	const struct thin_meta_options options = { .name = name };
	img_auto(thin_meta_release) struct thin_meta *meta = NULL;
	uint64_t want = store->sizes.metadata_bytes, size, mark;
	int r = device_size(fd, name, &size, err);

	if (r == 0 && size < want)
		r = is_shorter(name, size, want, err);
	if (r < 0)
		return r;
	if (!is_marked(store) && is_zero(fd))
		return 0;
	r = thin_meta_open(fd, &options, &meta, err);
	if (r < 0)
		return img_err_prefix(err,
				      "%s does not hold the metadata of "
				      "a store of img",
				      name);
	mark = thin_meta_info(meta)->transaction_id;
	if (mark != mark_of(store->id) && (mark != 0 || is_marked(store)))
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "%s holds the metadata of another pool",
				   name);
	return 0;
}

static int check(struct store *store, check_fn *fn, const char *name,
		 struct img_err *err)
{
	img_auto(img_fd_release) int fd =
		open(name, O_RDONLY | O_DIRECT | O_CLOEXEC);

	if (fd < 0)
		return img_err_sys(err, "%s is gone", name);
	return fn(store, fd, name, err);
}

/* Looks at every block device that the kernel has; NULL when none is it. */
static char *search(struct store *store, check_fn *fn)
{
	img_auto(img_stdio_release) FILE *f = fopen("/proc/partitions", "re");
	char line[256], name[64];

	while (f && fgets(line, sizeof(line), f)) {
		img_auto(img_mem_release) char *path = NULL;
		struct img_err other = { 0 };

		if (sscanf(line, " %*u %*u %*u %63s", name) != 1)
			continue;
		path = mem_printf("/dev/%s", name);
		if (check(store, fn, path, &other) == 0)
			return img_mem_take(&path);
	}
	return NULL;
}

/* Devices that are not marked yet have nothing to be known by. */
static int find_one(struct store *store, check_fn *fn, const char *key,
		    const char *what, char **name, struct img_err *err)
{
	img_auto(img_mem_release) char *found = NULL;
	struct img_err first = { 0 };
	int r = check(store, fn, *name, &first);

	if (r >= 0)
		return 0;
	if (is_marked(store))
		found = search(store, fn);
	if (!found) {
		*err = first;
		return img_err_prefix(err,
				      "the %s device of the store in %s is not "
				      "there",
				      what, store->root);
	}
	r = set_durably(store, key, found, err);
	if (r < 0)
		return r;
	free(*name);
	*name = img_mem_take(&found);
	return 0;
}

int backing_device_find(struct store *store, struct img_err *err)
{
	int r = find_one(store, check_metadata, "metadata_device", "metadata",
			 &store->metadata_device, err);

	return r < 0 ? r
		     : find_one(store, check_data, "data_device", "data",
				&store->data_device, err);
}

static int size_now(const char *name, int *ret_fd, uint64_t *ret,
		    struct img_err *err)
{
	*ret_fd = open(name, O_RDWR | O_CLOEXEC);
	if (*ret_fd < 0)
		return img_err_sys(err, "cannot open %s", name);
	return device_size(*ret_fd, name, ret, err);
}

/* While the old label still holds: the pool writes over it only once the new
 * size is recorded. */
int backing_device_grow(struct store *store, struct store_sizes *sizes,
			struct img_err *err)
{
	img_auto(img_fd_release) int data = -1;
	img_auto(img_fd_release) int metadata = -1;
	uint64_t data_size = 0, metadata_size = 0, usable;
	char have[SIZE_TEXT_MAX];
	int r = size_now(store->data_device, &data, &data_size, err);

	if (r == 0)
		r = size_now(store->metadata_device, &metadata, &metadata_size,
			     err);
	if (r < 0)
		return r;
	usable = label_data_bytes(data_size, sizes->chunk_bytes);
	if (usable < sizes->data_bytes || metadata_size < sizes->metadata_bytes)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "%s has %s: make the device larger first",
				   usable < sizes->data_bytes
					   ? store->data_device
					   : store->metadata_device,
				   num_format_size(usable < sizes->data_bytes
							   ? data_size
							   : metadata_size,
						   have));
	sizes->data_bytes = usable;
	sizes->metadata_bytes = metadata_size - metadata_size % (4 * KIB);
	if (usable == store->sizes.data_bytes)
		return 0;
	return put_label(store, data, usable, err);
}
