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

int container_log(struct store *store, const struct container_row *row,
		  char **ret, struct img_err *err)
{
	img_auto(img_mem_release) char *dir = dir_path(store, row);
	int r = file_mkdirs(dir, 0700, err);

	if (r == 0)
		*ret = mem_printf("%s/log", dir);
	return r;
}

int container_files_remove(struct store *store, const struct container_row *row,
			   struct img_err *err)
{
	img_auto(img_mem_release) char *pid_path =
		container_pid_path(store, row);
	img_auto(img_mem_release) char *dir = dir_path(store, row);

	(void)unlink(pid_path); /* is there only while it runs */
	return file_remove_tree(AT_FDCWD, dir, err);
}

static void close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
	*dir = NULL;
}

void container_dirs_sweep(struct store *store)
{
	img_auto(img_mem_release) char *path =
		mem_printf("%s/containers", store_root(store));
	img_auto(close_dir) DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		struct img_err err = { 0 }; /* the next time tries again */
		int64_t one;

		if (entry->d_name[0] == '.' ||
		    db_get_int(store_db(store), &one, &err,
			       "SELECT 1 FROM containers WHERE id = ?", "s",
			       entry->d_name) != 0)
			continue;
		IMG_IGNORE(file_remove_tree(dirfd(dir), entry->d_name, &err));
	}
}
