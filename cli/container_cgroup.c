#include "cli/container_cgroup.h"

#include "base/cleanup.h"
#include "cli/container_process.h"
#include "image/config.h"
#include "runtime/cgroup_state.h"

int container_cgroup(struct store *store, const struct container_row *row,
		     int *ret, struct img_err *err)
{
	img_auto(img_fd_release) int dir = -1;
	pid_t pid = container_pid(store, row);
	int r = pid > 0 ? cgroup_of_process(pid, row->id.hex, &dir, err) : 0;

	/* Its own id is in the path: a number that is another process's by now
	 * leads nowhere. */
	if (r > 0)
		*ret = img_fd_take(&dir);
	return r;
}

int container_cgroup_need(struct store *store, const struct container_row *row,
			  int *ret, struct img_err *err)
{
	img_auto(cgroup_tree_release) struct cgroup_tree tree =
		CGROUP_TREE_EMPTY;
	img_auto(img_fd_release) int pidfd = -1;
	/* waits for one that is just being started */
	int r = container_process_need(store, row, &pidfd, err);

	if (r == 0)
		r = container_cgroup(store, row, ret, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = cgroup_tree_open(&tree, err);
	if (r == 0)
		return cgroup_tree_explain(&tree, err);
	return r < 0 ? r
		     : img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "it has no cgroup: there was none to be had "
				   "when it was started");
}

void container_cgroup_collect(const struct container_row *row)
{
	img_auto(json_release) json_t *config = NULL;
	struct img_err dropped = { 0 };
	const char *parent;

	if (image_config_parse(row->config, &config, &dropped) < 0)
		return;
	parent = image_config_string(json_object_get(config, "HostConfig"),
				     "CgroupParent");
	cgroup_collect(parent && parent[0] ? parent : NULL, row->id.hex);
}
