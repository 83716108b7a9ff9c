#include "runtime/cgroup.h"

#include "base/cleanup.h"
#include "runtime/cgroup_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* What a container with the right to do so has made below its own. */
static void remove_below(int dir)
{
	img_auto(img_dir_release) DIR *list = NULL;
	img_auto(img_fd_release) int fd = -1;
	struct dirent *entry;

	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	list = fd < 0 ? NULL : fdopendir(fd);
	if (!list)
		return;
	fd = -1; /* the list's */
	while ((entry = readdir(list)) != NULL) {
		img_auto(img_fd_release) int below = -1;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if (unlinkat(dirfd(list), entry->d_name, AT_REMOVEDIR) == 0)
			continue;
		below = openat(dirfd(list), entry->d_name,
			       O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below < 0)
			continue;
		remove_below(below);
		(void)unlinkat(dirfd(list), entry->d_name, AT_REMOVEDIR);
	}
}

void cgroup_end(struct cgroup *c)
{
	struct img_err dropped = { 0 };

	if (c->dir >= 0 && unlinkat(c->parent, c->name, AT_REMOVEDIR) != 0) {
		/* Somebody is left: of a container that has no pid namespace
		 * of its own, or one that does not end at once. */
		if (cgroup_write(c->dir, "cgroup.kill", "1", &dropped) == 0)
			IMG_IGNORE(cgroup_await(c->dir, "populated", 0));
		remove_below(c->dir);
		(void)unlinkat(c->parent, c->name, AT_REMOVEDIR);
	}
	img_fd_release(&c->dir);
	img_fd_release(&c->parent);
}

/* A controller that is there may still lack a file: io.weight wants a scheduler
 * that knows weights. */
static int missing(const struct cgroup_tree *tree, int dir,
		   const struct cgroup_missing *m, struct img_err *err)
{
	struct img_err none = { 0 };
	char text[CGROUP_TEXT_MAX];

	if (cgroup_read(dir, "cgroup.controllers", text, sizeof(text), &none) ==
		    0 &&
	    cgroup_has_word(text, m->controller))
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "%s: the cgroup controller '%s' of this "
				   "kernel has no such limit",
				   m->option, m->controller);
	return cgroup_tree_lacks(tree, m->controller, m->option, err);
}

/* Sets the limits; a controller that its parents do not pass on is asked of
 * them once. */
static int set_limits(const struct cgroup_tree *tree,
		      const struct cgroup_plan *plan, const struct cgroup *c,
		      struct img_err *err)
{
	struct cgroup_limits limits = { 0 };
	struct cgroup_missing m = { 0 };
	bool by_default;
	int r;

	if (plan->limits)
		limits = *plan->limits;
	by_default = limits.pids == 0;
	if (by_default)
		limits.pids = CGROUP_PIDS_DEFAULT;
	for (int try = 0; try < 2; try++) {
		r = cgroup_limits_set(c->dir, &limits, plan->root_device, &m,
				      err);
		if (r != -IMG_E_UNSUPPORTED || !m.controller || try == 1)
			break;
		img_auto(img_fd_release) int parent = -1;

		r = cgroup_parent_open(tree, plan->parent, true, &parent, err);
		if (r < 0)
			return r;
	}
	if (r != -IMG_E_UNSUPPORTED || !m.controller)
		return r;
	if (by_default && strcmp(m.controller, "pids") == 0)
		return 0; /* nobody asked; it comes last */
	return missing(tree, c->dir, &m, err);
}

static int make_dir(const struct cgroup_tree *tree,
		    const struct cgroup_plan *plan, struct cgroup *c,
		    struct img_err *err)
{
	struct img_err none = { 0 };
	int r = cgroup_parent_open(tree, plan->parent, false, &c->parent,
				   &none);

	if (r == -IMG_E_NOT_FOUND)
		r = cgroup_parent_open(tree, plan->parent, true, &c->parent,
				       err);
	else if (r < 0)
		*err = none;
	if (r < 0)
		return r;
	(void)snprintf(c->name, sizeof(c->name), "%s", plan->id);
	if (mkdirat(c->parent, c->name, 0755) != 0 && errno != EEXIST)
		return img_err_sys(err, "cannot make the container's cgroup");
	c->dir = openat(c->parent, c->name,
			O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (c->dir < 0)
		return img_err_sys(err, "cannot open the container's cgroup");
	return 0;
}

int cgroup_make(const struct cgroup_plan *plan, struct cgroup *ret,
		struct img_err *err)
{
	img_auto(cgroup_tree_release) struct cgroup_tree tree =
		CGROUP_TREE_EMPTY;
	img_auto(cgroup_end) struct cgroup c = CGROUP_EMPTY;
	const bool needed = plan->parent ||
			    (plan->limits && cgroup_limits_any(plan->limits));
	struct img_err why = { 0 };
	int r = cgroup_tree_open(&tree, err);

	*ret = CGROUP_EMPTY;
	if (r < 0)
		return r;
	if (r == 0)
		return needed ? cgroup_tree_explain(&tree, err) : 0;
	r = make_dir(&tree, plan, &c, &why);
	if (r == 0)
		r = set_limits(&tree, plan, &c, &why);
	if (r < 0 && !needed)
		return 0; /* a read-only tree, or one that is not ours */
	if (r < 0) {
		*err = why;
		return r;
	}
	*ret = c;
	c = CGROUP_EMPTY;
	return 0;
}

int cgroup_change(int dir, const struct cgroup_limits *limits,
		  dev_t root_device, struct img_err *err)
{
	img_auto(cgroup_tree_release) struct cgroup_tree tree =
		CGROUP_TREE_EMPTY;
	struct cgroup_missing m = { 0 };
	int r = cgroup_limits_set(dir, limits, root_device, &m, err);

	if (r != -IMG_E_UNSUPPORTED || !m.controller)
		return r;
	r = cgroup_tree_open(&tree, err);
	if (r < 0)
		return r;
	return r > 0 ? missing(&tree, dir, &m, err)
		     : cgroup_tree_explain(&tree, err);
}

void cgroup_collect(const char *parent, const char *id)
{
	img_auto(cgroup_tree_release) struct cgroup_tree tree =
		CGROUP_TREE_EMPTY;
	img_auto(cgroup_end) struct cgroup c = CGROUP_EMPTY;
	struct img_err none = { 0 };

	if (cgroup_tree_open(&tree, &none) <= 0 ||
	    cgroup_parent_open(&tree, parent, false, &c.parent, &none) < 0)
		return;
	(void)snprintf(c.name, sizeof(c.name), "%s", id);
	c.dir = openat(c.parent, c.name,
		       O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}
