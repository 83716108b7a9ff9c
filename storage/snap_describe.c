#include "storage/snap.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <sys/stat.h>

/* A volume is as large as the file that holds it whole; what it was made from
 * is in its name. */
int snap_describe(struct store *store, uint32_t id,
		  const struct volume_ids *candidates, struct volume *ret,
		  struct img_err *err)
{
	img_auto(img_mem_release) char *path = NULL;
	struct snap_file file = { 0 }, base = { 0 };
	struct stat st;
	int r = snap_find(store, id, 0, &file, err);

	if (r < 0)
		return r;
	if (file.kind == SNAP_NONE)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "there is no volume %u", id);
	r = snap_find_base(store, file.base, &base, err);
	if (r < 0)
		return r;
	path = snap_path(store, &base);
	if (stat(path, &st) < 0)
		return img_err_sys(err, "cannot ask for the size of %s", path);
	*ret = (struct volume){
		.id = id,
		.size_bytes = (uint64_t)st.st_size,
		.origin = file.base == id ? 0 : file.base,
	};
	return 0;
}
