#include "storage/rebuild_impl.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "storage/ledger_log.h"
#include "storage/meta.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_BYTES ((size_t)1 << 20)
#define READ_TRIES 5

void identity_release(struct identity *identity)
{
	img_mem_release(&identity->settings);
}

/* Where the parts of a pool are: its devices, or files of the store. */
static char *part_of(const struct store_options *options, const char *part,
		     const char *device)
{
	return device ? mem_strdup(device)
		      : mem_printf("%s/pool/%s", options->root, part);
}

static char *metadata_of(const struct store_options *options)
{
	return part_of(options, "metadata", options->metadata_device);
}

/* The driver "snapshot" has a directory of volumes, and, with the first image,
 * a ledger.  An empty directory was left by a making that was interrupted. */
static bool has_files(const struct store_options *options)
{
	img_auto(img_mem_release) char *path =
		mem_printf("%s/volumes", options->root);
	img_auto(img_mem_release) char *ledger =
		mem_printf("%s/ledger", options->root);
	img_auto(img_dir_release) DIR *dir = opendir(path);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			return true;
	return dir && access(ledger, F_OK) == 0;
}

static bool has_pool(const struct store_options *options)
{
	img_auto(img_mem_release) char *path = metadata_of(options);
	struct stat st;

	/* Sparse files that an interrupted making left hold nothing. */
	return stat(path, &st) == 0 &&
	       (S_ISBLK(st.st_mode) || st.st_blocks > 0);
}

bool identity_has_volumes(const struct store_options *options)
{
	return has_files(options) || has_pool(options);
}

/* The first record of all, if it is there. */
static int take_settings(void *self, const struct ledger_record *record,
			 struct img_err *err)
{
	if (record->volume == LEDGER_VOLUME)
		*(char **)self = mem_strdup(record->json);
	return 1;
}

static int read_ledger(int fd, struct identity *ret, struct img_err *err)
{
	const struct ledger_tail none = { 0 };
	struct ledger_tail tail;
	int r = ledger_log_open(fd, &none, &tail, err);

	if (r == 0)
		r = ledger_log_each(fd, &tail, take_settings, &ret->settings,
				    err);
	return r < 0 ? r : 0;
}

static int read_file(const struct store_options *options, struct identity *ret,
		     struct img_err *err)
{
	img_auto(img_mem_release) char *path =
		mem_printf("%s/ledger", options->root);
	img_auto(img_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) /* no image was ever made */
		return 0;
	if (fd < 0)
		return img_err_sys(err, "cannot open %s", path);
	return read_ledger(fd, ret, err);
}

struct copy {
	int from, to;
	uint64_t chunk_bytes;
};

/* Aligned, as a device that is read past the page cache wants it. */
static int copy_run(void *self, const struct thin_meta_run *run,
		    struct img_err *err)
{
	const struct copy *copy = self;
	uint64_t left = run->length * copy->chunk_bytes;
	uint64_t from = run->data_begin * copy->chunk_bytes;
	uint64_t to = run->thin_begin * copy->chunk_bytes;
	img_auto(img_mem_release) void *buf = aligned_alloc(4096, COPY_BYTES);
	int r = 0;

	while (buf && r == 0 && left) {
		size_t n = left < COPY_BYTES ? (size_t)left : COPY_BYTES;

		r = file_pread(copy->from, buf, n, from, "the pool's data",
			       err);
		if (r == 0)
			r = file_pwrite(copy->to, buf, n, to, "a copy", err);
		left -= n;
		from += n;
		to += n;
	}
	return buf ? r : img_err_sys(err, "cannot copy the ledger");
}

/* The ledger's volume, as far as it was written, in memory. */
static int copy_ledger(const struct store_options *options,
		       struct thin_meta *meta, int *ret, struct img_err *err)
{
	img_auto(img_mem_release) char *path =
		part_of(options, "data", options->data_device);
	img_auto(img_fd_release) int data = -1;
	img_auto(img_fd_release) int to = -1;
	struct copy copy = {
		.chunk_bytes = thin_meta_info(meta)->chunk_bytes,
	};
	int r;

	data = open(path, O_RDONLY | O_CLOEXEC |
				  (options->data_device ? O_DIRECT : 0));
	if (data < 0)
		return img_err_sys(err, "cannot open %s", path);
	to = memfd_create("ledger", MFD_CLOEXEC);
	if (to < 0 || ftruncate(to, LEDGER_BYTES) < 0)
		return img_err_sys(err, "cannot copy the ledger");
	copy.from = data;
	copy.to = to;
	r = thin_meta_each_run(meta, LEDGER_VOLUME, copy_run, &copy, err);
	if (r == 0)
		*ret = img_fd_take(&to);
	return r;
}

static int read_once(const struct store_options *options, int metadata,
		     struct identity *ret, struct img_err *err)
{
	img_auto(thin_meta_release) struct thin_meta *meta = NULL;
	img_auto(img_fd_release) int ledger = -1;
	const struct thin_meta_info *info;
	struct img_err missing = { 0 };
	int r = thin_meta_open(metadata, NULL, &meta, err);

	if (r < 0)
		return r;
	info = thin_meta_info(meta);
	ret->chunk_bytes = info->chunk_bytes;
	ret->data_bytes = info->data_blocks * info->chunk_bytes;
	ret->metadata_bytes = info->meta_blocks * 4096;
	r = copy_ledger(options, meta, &ledger, &missing);
	if (r == -IMG_E_NOT_FOUND) /* no image was ever made */
		return 0;
	if (r < 0) {
		*err = missing;
		return r;
	}
	return read_ledger(ledger, ret, err);
}

/* A pool that is up may change while it is read. */
static int read_pool(const struct store_options *options, struct identity *ret,
		     struct img_err *err)
{
	img_auto(img_mem_release) char *path = metadata_of(options);
	img_auto(img_fd_release) int fd = -1;
	int r = -IMG_E_CORRUPT;

	fd = open(path, O_RDONLY | O_CLOEXEC |
				(options->metadata_device ? O_DIRECT : 0));
	if (fd < 0)
		return img_err_sys(err, "cannot open %s", path);
	for (int try = 0; r == -IMG_E_CORRUPT && try < READ_TRIES; try++) {
		*err = (struct img_err){ 0 };
		r = read_once(options, fd, ret, err);
	}
	return r;
}

int identity_read(const struct store_options *options, struct identity *ret,
		  struct img_err *err)
{
	if (has_files(options)) {
		ret->driver = "snapshot";
		return read_file(options, ret, err);
	}
	if (!has_pool(options))
		return img_err_set(
			err, IMG_E_NOT_FOUND, 0,
			"there is nothing to make a catalog from: %s has no "
			"pool; one on devices is named by --data-device and "
			"--metadata-device",
			options->root);
	ret->driver = "thin";
	return read_pool(options, ret, err);
}
