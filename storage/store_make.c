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
#include <sys/stat.h>

#define DEFAULT_DATA	 (100 * GIB)
#define DEFAULT_METADATA GIB
#define DEFAULT_CHUNK	 (64 * KIB)
#define DEFAULT_VOLUME	 (10 * GIB)

/* Limits of dm-thin: Documentation/admin-guide/device-mapper/
 * thin-provisioning.rst. */
#define CHUNK_MIN    (64 * KIB)
#define CHUNK_MAX    GIB
#define METADATA_MIN (2 * MIB)
#define METADATA_MAX (16 * GIB)

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

int store_sizes_check(struct store_sizes *sizes, struct img_err *err)
{
	if (!sizes->data_bytes)
		sizes->data_bytes = DEFAULT_DATA;
	if (!sizes->metadata_bytes)
		sizes->metadata_bytes = DEFAULT_METADATA;
	if (!sizes->chunk_bytes)
		sizes->chunk_bytes = DEFAULT_CHUNK;
	if (!sizes->volume_bytes)
		sizes->volume_bytes = DEFAULT_VOLUME;
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
	if (sizes->volume_bytes < VOLUME_MIN ||
	    sizes->volume_bytes > VOLUME_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the volume size must be from 16M to 16T");
	sizes->data_bytes -= sizes->data_bytes % sizes->chunk_bytes;
	sizes->metadata_bytes -= sizes->metadata_bytes % (4 * KIB);
	sizes->volume_bytes = num_align_up(sizes->volume_bytes, 4 * KIB);
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
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "%s holds a pool, but its catalog "
				   "%s/store.db is gone",
				   path, root);
	if (ftruncate(fd, (off_t)size) < 0)
		return img_err_sys(err, "cannot make %s", path);
	return 0;
}

static int write_settings(struct db *db, const struct store_sizes *sizes,
			  struct img_err *err)
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
		r = catalog_set(db, "driver", driver_thin.name, err);
	if (r == 0)
		r = set_number(db, "data_bytes", sizes->data_bytes, err);
	if (r == 0)
		r = set_number(db, "metadata_bytes", sizes->metadata_bytes,
			       err);
	if (r == 0)
		r = set_number(db, "chunk_bytes", sizes->chunk_bytes, err);
	if (r == 0)
		r = set_number(db, "volume_bytes", sizes->volume_bytes, err);
	return r < 0 ? r : db_commit(db, err);
}

static int make_files(const struct store_options *options,
		      const struct store_sizes *sizes, struct img_err *err)
{
	int r = make_backing_file(options->root, "pool/data", sizes->data_bytes,
				  err);

	return r < 0 ? r
		     : make_backing_file(options->root, "pool/metadata",
					 sizes->metadata_bytes, err);
}

int store_make(const struct store_options *options, const char *db_path,
	       struct db **ret, struct img_err *err)
{
	img_auto(db_close) struct db *db = NULL;
	img_auto(img_fd_release) int lock = -1;
	img_auto(img_mem_release) char *pool = NULL;
	struct store_sizes sizes = options->sizes;
	int64_t have = 0;
	int r;

	r = store_sizes_check(&sizes, err);
	if (r < 0)
		return r;
	pool = mem_printf("%s/pool", options->root);
	r = file_mkdirs(options->root, 0711, err);
	if (r == 0)
		r = file_mkdirs(pool, 0700, err);
	if (r < 0)
		return r;
	lock = open(pool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return img_err_sys(err, "cannot lock %s", pool);
	if (access(db_path, F_OK) < 0) {
		r = make_files(options, &sizes, err);
		if (r < 0)
			return r;
	}
	r = catalog_open(db_path, true, &db, err);
	if (r == 0)
		r = db_get_int(db, &have, err, "SELECT count(*) FROM settings",
			       "");
	if (r >= 0 && have == 0) { /* nobody was faster */
		r = make_files(options, &sizes, err);
		if (r == 0)
			r = write_settings(db, &sizes, err);
	}
	if (r < 0)
		return r;
	*ret = img_mem_take(&db);
	return 0;
}
