#include "storage/store_make.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/id.h"
#include "base/num.h"
#include "base/str.h"
#include "storage/catalog.h"
#include "storage/store_impl.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <unistd.h>

#define DEFAULT_DRIVER "thin"
#define DEFAULT_VOLUME (10 * GIB)

/* What makes sense to run, and what ext4 reaches with 32-bit block numbers. */
#define VOLUME_MIN (16 * MIB)
#define VOLUME_MAX (16 * TIB - 4 * KIB)

static int set_number(struct db *db, const char *key, uint64_t value,
		      struct img_err *err)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	return catalog_set(db, key, text, err);
}

int store_sizes_check(const struct driver *driver, struct store_sizes *sizes,
		      struct img_err *err)
{
	if (!sizes->volume_bytes)
		sizes->volume_bytes = DEFAULT_VOLUME;
	if (sizes->volume_bytes < VOLUME_MIN ||
	    sizes->volume_bytes > VOLUME_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the volume size must be from 16M to 16T");
	sizes->volume_bytes = num_align_up(sizes->volume_bytes, 4 * KIB);
	return driver->check_sizes(sizes, err);
}

static int write_devices(struct db *db, const struct store_options *options,
			 struct img_err *err)
{
	int r = catalog_set(db, "data_device", options->data_device, err);

	return r < 0 ? r
		     : catalog_set(db, "metadata_device",
				   options->metadata_device, err);
}

static int write_settings(struct db *db, const struct store_options *options,
			  const struct driver *driver,
			  const struct store_sizes *sizes, struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	struct id id;
	int r;

	r = id_new(&id, err);
	if (r == 0)
		r = db_begin(db, true, err);
	if (r < 0)
		return r;
	txn = db;
	id.hex[STORE_ID_LEN] = '\0';
	r = catalog_set(db, "store_id", id.hex, err);
	if (r == 0)
		r = catalog_set(db, "driver", driver->name, err);
	if (r == 0)
		r = set_number(db, "data_bytes", sizes->data_bytes, err);
	if (r == 0)
		r = set_number(db, "metadata_bytes", sizes->metadata_bytes,
			       err);
	if (r == 0)
		r = set_number(db, "chunk_bytes", sizes->chunk_bytes, err);
	if (r == 0)
		r = set_number(db, "volume_bytes", sizes->volume_bytes, err);
	if (r == 0)
		r = set_number(db, "max_bytes", sizes->max_bytes, err);
	if (r == 0)
		r = set_number(db, "reserve_bytes", sizes->reserve_bytes, err);
	if (r == 0 && options->data_device)
		r = write_devices(db, options, err);
	return r < 0 ? r : db_commit(db, err);
}

int store_make(const struct store_options *options, const char *db_path,
	       struct db **ret, struct img_err *err)
{
	img_auto(db_close) struct db *db = NULL;
	img_auto(img_fd_release) int lock = -1;
	const char *name = options->driver ? options->driver : DEFAULT_DRIVER;
	const struct driver *driver = driver_find(name);
	struct store_sizes sizes = options->sizes;
	int64_t have = 0;
	int r;

	if (!driver)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "there is no driver '%s': it is thin or "
				   "snapshot",
				   name);
	if (options->data_device && !driver->capacity)
		return img_err_set(
			err, IMG_E_INPUT, 0,
			"the driver %s has no pool: it takes neither "
			"--data-device nor --metadata-device",
			name);
	r = store_sizes_check(driver, &sizes, err);
	if (r == 0)
		r = file_mkdirs(options->root, 0711, err);
	if (r < 0)
		return r;
	lock = open(options->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return img_err_sys(err, "cannot lock %s", options->root);
	if (access(db_path, F_OK) < 0) {
		r = driver->make(options, &sizes, err);
		if (r < 0)
			return r;
	}
	r = catalog_open(db_path, true, &db, err);
	if (r == 0)
		r = db_get_int(db, &have, err, "SELECT count(*) FROM settings",
			       "");
	if (r >= 0 && have == 0) { /* nobody was faster */
		r = driver->make(options, &sizes, err);
		if (r == 0)
			r = write_settings(db, options, driver, &sizes, err);
	}
	if (r < 0)
		return r;
	*ret = img_mem_take(&db);
	return 0;
}

int store_settings_write(struct db *db, const struct store_options *options,
			 struct img_err *err)
{
	const struct driver *driver = driver_find(options->driver);
	struct store_sizes sizes = options->sizes;
	int r = store_sizes_check(driver, &sizes, err);

	return r < 0 ? r : write_settings(db, options, driver, &sizes, err);
}
