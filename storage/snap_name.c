#include "storage/snap.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

char *snap_path(const struct store *store, const struct snap_file *file)
{
	switch (file->kind) {
	case SNAP_COW:
	case SNAP_MERGE:
		return mem_printf("%s/volumes/%" PRIu32 "-%" PRIu32 ".%s",
				  store->root, file->id, file->base,
				  file->kind == SNAP_COW ? "cow" : "merge");
	case SNAP_BASE:
		return mem_printf("%s/volumes/%" PRIu32 ".base", store->root,
				  file->id);
	case SNAP_WHOLE:
	case SNAP_NONE:
		break;
	}
	return mem_printf("%s/volumes/%" PRIu32, store->root, file->id);
}

static bool exists(const struct store *store, const struct snap_file *file)
{
	img_auto(img_mem_release) char *path = snap_path(store, file);

	return access(path, F_OK) == 0;
}

/* A number as we write it; NULL when there is none. */
static const char *parse_id(const char *text, uint32_t *ret)
{
	uint64_t n = 0;
	const char *end = text;

	for (; *end >= '0' && *end <= '9' && n <= VOLUME_ID_MAX; end++)
		n = n * 10 + (uint64_t)(*end - '0');
	if (n == 0 || n > VOLUME_ID_MAX || *text == '0')
		return NULL;
	*ret = (uint32_t)n;
	return end;
}

/* True when @name is one of ours. */
static bool parse(const char *name, struct snap_file *ret)
{
	struct snap_file file = { .kind = SNAP_NONE };
	const char *end = parse_id(name, &file.id);

	if (!end)
		return false;
	file.base = file.id;
	if (!*end) {
		file.kind = SNAP_WHOLE;
	} else if (*end == '.') {
		if (strcmp(end, ".base") == 0)
			file.kind = SNAP_BASE;
	} else if (*end == '-') {
		end = parse_id(end + 1, &file.base);
		if (end && strcmp(end, ".cow") == 0)
			file.kind = SNAP_COW;
		else if (end && strcmp(end, ".merge") == 0)
			file.kind = SNAP_MERGE;
	}
	*ret = file;
	return file.kind != SNAP_NONE;
}

int snap_each(struct store *store,
	      int (*fn)(void *self, const struct snap_file *file,
			struct img_err *err),
	      void *self, struct img_err *err)
{
	img_auto(img_mem_release) char *path =
		mem_printf("%s/volumes", store->root);
	img_auto(img_dir_release) DIR *dir = opendir(path);
	const struct dirent *entry;
	struct snap_file file = { 0 };
	int r = 0;

	if (!dir)
		return img_err_sys(err, "cannot read %s", path);
	errno = 0;
	while (r == 0 && (entry = readdir(dir))) {
		if (parse(entry->d_name, &file))
			r = fn(self, &file, err);
		errno = 0;
	}
	if (r == 0 && errno)
		return img_err_sys(err, "cannot read %s", path);
	return r;
}

struct search {
	uint32_t id;
	struct snap_file *found;
};

static int match(void *self, const struct snap_file *file, struct img_err *err)
{
	struct search *search = self;

	if (file->id != search->id || file->kind == SNAP_BASE)
		return 0;
	*search->found = *file;
	return 1;
}

int snap_find(struct store *store, uint32_t id, uint32_t origin,
	      struct snap_file *ret, struct img_err *err)
{
	struct search search = { id, ret };
	int r;

	*ret = (struct snap_file){ SNAP_WHOLE, id, id };
	if (exists(store, ret))
		return 0;
	*ret = (struct snap_file){ SNAP_COW, id, origin };
	if (origin && exists(store, ret))
		return 0;
	*ret = (struct snap_file){ SNAP_NONE, id, id };
	r = snap_each(store, match, &search, err);
	return r < 0 ? r : 0;
}

int snap_find_base(struct store *store, uint32_t base, struct snap_file *ret,
		   struct img_err *err)
{
	static const enum snap_kind kinds[] = { SNAP_WHOLE, SNAP_BASE };

	for (size_t i = 0; i < IMG_COUNT(kinds); i++) {
		*ret = (struct snap_file){ kinds[i], base, base };
		if (exists(store, ret))
			return 0;
	}
	return img_err_set(err, IMG_E_NOT_FOUND, 0,
			   "%s/volumes/%" PRIu32 " is gone", store->root, base);
}

struct count {
	uint32_t base, but;
	unsigned *n; /* NULL: whether there is one */
};

static int count_one(void *self, const struct snap_file *file,
		     struct img_err *err)
{
	const struct count *count = self;

	if ((file->kind != SNAP_COW && file->kind != SNAP_MERGE) ||
	    file->base != count->base || file->id == count->but)
		return 0;
	if (!count->n)
		return 1;
	++*count->n;
	return 0;
}

int snap_count(struct store *store, uint32_t base, uint32_t but, unsigned *ret,
	       struct img_err *err)
{
	struct count count = { base, but, ret };

	*ret = 0;
	return snap_each(store, count_one, &count, err);
}

int snap_is_base(struct store *store, uint32_t base, uint32_t but,
		 struct img_err *err)
{
	struct count count = { base, but, NULL };

	return snap_each(store, count_one, &count, err);
}

int snap_sync_names(struct store *store, struct img_err *err)
{
	img_auto(img_mem_release) char *path =
		mem_printf("%s/volumes", store->root);
	img_auto(img_fd_release) int fd =
		open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return img_err_sys(err, "cannot sync %s", path);
	return 0;
}

int snap_rename(struct store *store, const struct snap_file *from,
		const struct snap_file *to, struct img_err *err)
{
	img_auto(img_mem_release) char *old = snap_path(store, from);
	img_auto(img_mem_release) char *new = snap_path(store, to);

	if (rename(old, new) < 0)
		return img_err_sys(err, "cannot rename %s to %s", old, new);
	return snap_sync_names(store, err);
}

int snap_unlink(struct store *store, const struct snap_file *file,
		struct img_err *err)
{
	img_auto(img_mem_release) char *path = snap_path(store, file);

	if (unlink(path) < 0 && errno != ENOENT)
		return img_err_sys(err, "cannot remove %s", path);
	return 0;
}

int snap_lock_base(struct store *store, uint32_t base, struct lock *ret,
		   struct img_err *err)
{
	return store_lock(store, LOCK_BASES + base, ret, err);
}
