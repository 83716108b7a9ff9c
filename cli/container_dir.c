#include "cli/container.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"

#include <dirent.h>
#include <fcntl.h>

static char *dir_path(struct store *store, const struct container_row *row)
{
	return mem_printf("%s/containers/%s", store_root(store), row->id.hex);
}

char *container_log_path(struct store *store, const struct container_row *row)
{
	return mem_printf("%s/containers/%s/log", store_root(store),
			  row->id.hex);
}

int container_log(struct store *store, const struct container_row *row,
		  char **ret, struct img_err *err)
{
	img_auto(img_mem_release) char *dir = dir_path(store, row);
	int r = file_mkdirs(dir, 0700, err);

	if (r == 0)
		*ret = container_log_path(store, row);
	return r;
}

int container_files_remove(struct store *store, const struct container_row *row,
			   struct img_err *err)
{
	img_auto(img_mem_release) char *pid_path =
		container_pid_path(store, row);
	img_auto(img_mem_release) char *attach_path =
		container_attach_path(store, row);
	img_auto(img_mem_release) char *dir = dir_path(store, row);

	(void)unlink(pid_path);	   /* is there only while it runs, */
	(void)unlink(attach_path); /* as is this */
	return file_remove_tree(AT_FDCWD, dir, err);
}

int container_dirs_stray(struct store *store,
			 int (*fn)(void *self, const char *id,
				   struct img_err *err),
			 void *self, struct img_err *err)
{
	img_auto(img_mem_release) char *path =
		mem_printf("%s/containers", store_root(store));
	img_auto(img_dir_release) DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		int64_t one;
		int r;

		if (entry->d_name[0] == '.')
			continue;
		r = db_get_int(store_db(store), &one, err,
			       "SELECT 1 FROM containers WHERE id = ?", "s",
			       entry->d_name);
		if (r == 0)
			r = fn(self, entry->d_name, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int container_dir_remove(struct store *store, const char *id,
			 struct img_err *err)
{
	img_auto(img_mem_release) char *path =
		mem_printf("%s/containers/%s", store_root(store), id);

	return file_remove_tree(AT_FDCWD, path, err);
}

static int sweep_one(void *self, const char *id, struct img_err *err)
{
	struct img_err dropped = { 0 }; /* the next time tries again */

	IMG_IGNORE(container_dir_remove(self, id, &dropped));
	return 0;
}

void container_dirs_sweep(struct store *store)
{
	struct img_err dropped = { 0 };

	IMG_IGNORE(container_dirs_stray(store, sweep_one, store, &dropped));
}
