#include "image/formats.h"

#include "base/cleanup.h"
#include "image/dir_read.h"
#include "image/raw.h"
#include "image/rootfs.h"
#include "image/tar_read.h"
#include "image/tar_write.h"

#include <string.h>
#include <sys/stat.h>

static int open_source(const struct formats_import *import,
		       struct entry_source **ret, struct img_err *err)
{
	struct tar_options tar = { .progress = import->progress,
				   .head = import->head,
				   .head_bytes = import->head_bytes };
	struct stat st;

	if (strcmp(import->source, "-") == 0)
		tar.name = "standard input";
	else if (stat(import->source, &st) < 0)
		return img_err_sys(err, "cannot open %s", import->source);
	else if (S_ISDIR(st.st_mode))
		return dir_source_open(import->source, ret, err);
	return tar_source_open(import->source, &tar, ret, err);
}

int formats_import(const struct formats_import *import, struct img_err *err)
{
	img_auto(entry_source_release) struct entry_source *source = NULL;
	struct rootfs_options options = {
		.max_entries = import->max_entries,
		.chunk_bytes = (uint32_t)import->chunk_bytes,
		.sync = true,
		.progress = import->progress,
	};
	int r = open_source(import, &source, err);

	return r < 0 ? r
		     : rootfs_write(source, import->fd, import->size_bytes,
				    &options, NULL, err);
}

int formats_raw_open(const char *source, struct raw_source *ret,
		     struct img_err *err)
{
	return raw_open(source, ret, err);
}

int formats_raw_import(const struct raw_source *source, int fd,
		       const struct progress *progress, struct img_err *err)
{
	return raw_read(source, fd, progress, err);
}

int formats_raw_export(int fd, uint64_t size_bytes, int out,
		       const struct progress *progress, struct img_err *err)
{
	return raw_write(fd, size_bytes, out, progress, err);
}

int formats_tar_export(const char *dir, int out,
		       const struct progress *progress, struct img_err *err)
{
	img_auto(entry_source_release) struct entry_source *source = NULL;
	int r = dir_source_open(dir, &source, err);

	return r < 0 ? r : tar_write(source, out, progress, err);
}

int formats_mkfs(int fd, uint64_t size_bytes, const char *label,
		 struct img_err *err)
{
	struct rootfs_options options = { .label = label, .sync = true };

	return rootfs_format_empty(fd, size_bytes, &options, err);
}
