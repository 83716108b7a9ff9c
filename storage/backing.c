#include "storage/backing.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "storage/backing_device.h"
#include "storage/grow.h"

#include <fcntl.h>
#include <sys/stat.h>

bool backing_is_device(const struct store *store)
{
	return store->data_device != NULL;
}

char *backing_name(const struct store *store, enum backing_part part)
{
	if (backing_is_device(store))
		return mem_strdup(part == BACKING_DATA
					  ? store->data_device
					  : store->metadata_device);
	return mem_printf("%s/pool/%s", store->root,
			  part == BACKING_DATA ? "data" : "metadata");
}

int backing_open(struct store *store, enum backing_part part, int *ret_fd,
		 struct img_err *err)
{
	img_auto(img_mem_release) char *name = backing_name(store, part);
	/* The kernel writes to a device behind the page cache. */
	int flags = O_RDONLY | O_CLOEXEC |
		    (backing_is_device(store) ? O_DIRECT : 0);

	*ret_fd = open(name, flags);
	return *ret_fd < 0 ? img_err_sys(err, "cannot open %s", name) : 0;
}

static int attach(struct store *store, enum backing_part part, struct loop *ret,
		  struct img_err *err)
{
	img_auto(img_mem_release) char *name = backing_name(store, part);

	return store->dm.ops->attach(store->dm.self, name, ret, err);
}

int backing_attach(struct store *store, struct loop *data,
		   struct loop *metadata, struct img_err *err)
{
	int r = 0;

	if (backing_is_device(store))
		r = backing_device_find(store, err);
	else /* its growth may have been interrupted */
		r = grow_files(store, err);
	if (r == 0)
		r = attach(store, BACKING_METADATA, metadata, err);
	if (r == 0)
		r = attach(store, BACKING_DATA, data, err);
	return r;
}

int backing_mark(struct store *store, struct img_err *err)
{
	return backing_is_device(store) ? backing_device_mark(store, err) : 0;
}

static int allocated(struct store *store, enum backing_part part, uint64_t *ret,
		     struct img_err *err)
{
	img_auto(img_mem_release) char *name = backing_name(store, part);
	struct stat st;

	if (stat(name, &st) < 0)
		return img_err_sys(err, "cannot ask for the size of %s", name);
	*ret = (uint64_t)st.st_blocks * SECTOR_BYTES;
	return 0;
}

int backing_host_bytes(struct store *store, uint64_t *ret_data,
		       uint64_t *ret_metadata, struct img_err *err)
{
	int r;

	*ret_data = *ret_metadata = 0;
	if (backing_is_device(store))
		return 0;
	r = allocated(store, BACKING_DATA, ret_data, err);
	return r < 0 ? r
		     : allocated(store, BACKING_METADATA, ret_metadata, err);
}
