#include "runtime/cgroup.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "runtime/cgroup_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

/* How long what was killed may take to be gone, and what is frozen to stand
 * still. */
#define PATIENCE_MS 10000
#define EVENTS_MAX  512

/* Until cgroup.events has that value of a key; false when it takes too long. */
static bool await_event(int dir, const char *key, uint64_t wanted)
{
	const int64_t end = clock_steady_ms() + PATIENCE_MS;
	img_auto(img_fd_release) int fd = -1;
	char text[EVENTS_MAX];

	fd = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
	for (;;) {
		struct pollfd changed = { .fd = fd, .events = POLLPRI };
		ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
		int64_t left = end - clock_steady_ms();
		uint64_t value;

		if (n < 0)
			return false;
		text[n] = '\0';
		if (cgroup_find_key(text, key, &value) && value == wanted)
			return true;
		if (left <= 0 || poll(&changed, 1, (int)left) < 0)
			return false;
	}
}

/* What a container with the right to do so has made below its own. */
static void remove_below(int dir)
{
	img_auto(img_fd_release) int fd = -1;
	struct dirent *entry;
	DIR *list;

	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	list = fd < 0 ? NULL : fdopendir(fd);
	if (!list)
		return;
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
	fd = -1; /* the list's */
	(void)closedir(list);
}

void cgroup_end(struct cgroup *c)
{
	struct img_err dropped = { 0 };

	if (c->dir >= 0 && unlinkat(c->parent, c->name, AT_REMOVEDIR) != 0) {
		/* Somebody is left: of a container that has no pid namespace
		 * of its own, or one that does not end at once. */
		if (cgroup_write(c->dir, "cgroup.kill", "1", &dropped) == 0)
			IMG_IGNORE(await_event(c->dir, "populated", 0));
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
	char text[EVENTS_MAX];

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

int cgroup_of_process(pid_t pid, const char *id, int *ret, struct img_err *err)
{
	img_auto(img_mem_release) char *text = NULL;
	img_auto(img_mem_release) char *path = NULL;
	struct img_err gone = { 0 };
	static const char *const mounts[] = { "/sys/fs/cgroup",
					      "/sys/fs/cgroup/unified" };
	char file[64], *line, *at;
	int r;

	(void)snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pid);
	r = file_read_all(AT_FDCWD, file, 65536, &text, NULL, &gone);
	if (r < 0)
		return 0;
	line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	at = line ? strstr(line, id) : NULL;
	if (!at || at[-1] != '/')
		return 0;
	at[strlen(id)] = '\0';
	line = strchr(line, ':') + 2;
	for (size_t i = 0; i < IMG_COUNT(mounts); i++) {
		img_mem_release(&path);
		path = mem_printf("%s%s/cgroup.procs", mounts[i], line);
		if (access(path, F_OK) != 0)
			continue;
		*strrchr(path, '/') = '\0';
		*ret = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		return *ret >= 0 ? 1
				 : img_err_sys(err, "cannot open its cgroup");
	}
	return 0;
}

int cgroup_is_frozen(int dir, struct img_err *err)
{
	char text[EVENTS_MAX];
	uint64_t value;
	int r = cgroup_read(dir, "cgroup.events", text, sizeof(text), err);

	if (r < 0)
		return r;
	return cgroup_find_key(text, "frozen", &value) && value == 1;
}

int cgroup_freeze(int dir, bool frozen, struct img_err *err)
{
	struct img_err dropped = { 0 };
	int r = cgroup_write(dir, "cgroup.freeze", frozen ? "1" : "0", err);

	if (r < 0)
		return r;
	if (await_event(dir, "frozen", frozen))
		return 0;
	IMG_IGNORE(cgroup_write(dir, "cgroup.freeze", frozen ? "0" : "1",
				&dropped));
	return img_err_set(err, IMG_E_BUSY, 0,
			   "its processes do not %s within %d seconds",
			   frozen ? "stand still" : "go on",
			   PATIENCE_MS / 1000);
}

uint64_t cgroup_oom_kills(int dir)
{
	struct img_err none = { 0 };
	char text[EVENTS_MAX];
	uint64_t n;

	if (cgroup_read(dir, "memory.events", text, sizeof(text), &none) < 0 ||
	    !cgroup_find_key(text, "oom_kill", &n))
		return 0;
	return n;
}
