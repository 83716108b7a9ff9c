#include "runtime/cgroup_tree.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "runtime/cgroup_file.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#define MOUNT	     "/sys/fs/cgroup"
#define MOUNT_SHARED MOUNT "/unified"
#define SYSTEMD	     "/run/systemd/system"
/* Where those go that stand in the way: a cgroup with processes can give no
 * controllers to others below it. */
#define ASIDE "supervisor"

/* A line for each hierarchy of version 1, too. */
#define PLACE_MAX ((size_t)65536)

static int open_dir(int at, const char *path)
{
	return openat(at, path,
		      O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

/* A mount of version 2, or -1. */
static int open_mount(const char *path)
{
	img_auto(img_fd_release) int fd = open_dir(AT_FDCWD, path);
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) != 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return -1;
	return img_fd_take(&fd);
}

static bool is_delegated(int dir)
{
	static const char *const names[] = { "trusted.delegate",
					     "user.delegate" };
	char value[2];

	for (size_t i = 0; i < IMG_COUNT(names); i++)
		if (fgetxattr(dir, names[i], value, sizeof(value)) == 1 &&
		    value[0] == '1')
			return true;
	return false;
}

/* The deepest directory on the way down @path that was handed over, or -1. */
static int find_delegated(int root, char *path)
{
	img_auto(img_fd_release) int found = -1;
	img_auto(img_fd_release) int at = -1;
	char *rest = path, *name;

	at = fcntl(root, F_DUPFD_CLOEXEC, 0);
	while (at >= 0 && (name = strsep(&rest, "/")) != NULL) {
		int next = *name ? open_dir(at, name) : -1;

		if (!*name)
			continue;
		img_fd_release(&at);
		at = next;
		if (at >= 0 && is_delegated(at)) {
			img_fd_release(&found);
			found = fcntl(at, F_DUPFD_CLOEXEC, 0);
		}
	}
	return img_fd_take(&found);
}

int cgroup_place(pid_t pid, char **ret, struct img_err *err)
{
	img_auto(img_mem_release) char *text = NULL;
	const char *line;
	char path[32] = "/proc/self/cgroup";
	int r;

	if (pid)
		(void)snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	r = file_read_all(AT_FDCWD, path, PLACE_MAX, &text, NULL, err);
	if (r < 0)
		return r;
	line = strncmp(text, "0::/", 4) == 0 ? text : strstr(text, "\n0::/");
	if (!line)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "%s names no cgroup of version 2", path);
	line = strchr(line, '/');
	*ret = mem_printf("%.*s", (int)strcspn(line, "\n"), line);
	return 0;
}

int cgroup_root_open(bool *ret_shared)
{
	int root = open_mount(MOUNT);

	*ret_shared = root < 0;
	return root < 0 ? open_mount(MOUNT_SHARED) : root;
}

void cgroup_tree_choose(struct cgroup_tree *tree, int *root, char *path,
			bool is_root)
{
	if (tree->systemd && path)
		tree->top = find_delegated(*root, path);
	tree->handed_over = tree->top >= 0;
	if (!tree->handed_over && (!tree->systemd || is_root))
		tree->top = img_fd_take(root);
}

int cgroup_tree_open(struct cgroup_tree *ret, struct img_err *err)
{
	img_auto(img_mem_release) char *path = NULL;
	img_auto(img_fd_release) int root = -1;
	struct img_err none = { 0 };

	*ret = CGROUP_TREE_EMPTY;
	root = cgroup_root_open(&ret->shared);
	ret->systemd = access(SYSTEMD, F_OK) == 0;
	if (root < 0)
		return 0;
	if (ret->systemd) /* elsewhere it does not matter */
		IMG_IGNORE(cgroup_place(0, &path, &none));
	cgroup_tree_choose(ret, &root, path, geteuid() == 0);
	return ret->top >= 0;
}

void cgroup_tree_release(struct cgroup_tree *tree)
{
	img_fd_release(&tree->top);
}

int cgroup_tree_explain(const struct cgroup_tree *tree, struct img_err *err)
{
	struct statfs fs;

	if (tree->systemd &&
	    (statfs(MOUNT_SHARED, &fs) == 0 ||
	     (statfs(MOUNT, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)))
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "systemd has the cgroups here: start img "
				   "in a part of its own, by 'systemd-run "
				   "--user --scope -p Delegate=yes img ...'");
	if (statfs(MOUNT, &fs) == 0 && fs.f_type == TMPFS_MAGIC)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "this host has cgroups of version 1 only, "
				   "and version 2 is needed: boot it with "
				   "systemd.unified_cgroup_hierarchy=1");
	return img_err_set(err, IMG_E_UNSUPPORTED, 0,
			   "there is no cgroup2 file system at " MOUNT
			   ": 'mount -t cgroup2 cgroup2 " MOUNT "'");
}

int cgroup_tree_lacks(const struct cgroup_tree *tree, const char *controller,
		      const char *what, struct img_err *err)
{
	struct img_err none = { 0 };
	char text[CGROUP_TEXT_MAX];
	int has = cgroup_read(tree->top, "cgroup.controllers", text,
			      sizeof(text), &none) == 0 &&
		  cgroup_has_word(text, controller);

	if (has)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "%s: the cgroup controller '%s' cannot be "
				   "had: a cgroup above has processes of its "
				   "own, or does not pass it on",
				   what, controller);
	if (tree->shared)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "%s: the cgroup controller '%s' is not in "
				   "version 2 here, but in version 1 if "
				   "anywhere: boot with "
				   "systemd.unified_cgroup_hierarchy=1",
				   what, controller);
	return img_err_set(err, IMG_E_UNSUPPORTED, 0,
			   "%s: %s the cgroup controller '%s'", what,
			   tree->handed_over ? "what systemd handed over lacks"
					     : "this kernel lacks",
			   controller);
}

int cgroup_parent_check(const char *path, struct img_err *err)
{
	img_auto(img_mem_release) char *copy = mem_strdup(path);
	char *rest = copy, *name;
	bool any = false;

	while ((name = strsep(&rest, "/")) != NULL) {
		/* A name with a dot may be one of the kernel's files. */
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		    strchr(name, '\n') || strlen(name) > NAME_MAX)
			return img_err_set(err, IMG_E_INPUT, 0,
					   "'%.80s' is not a cgroup", path);
		any = any || *name;
	}
	if (!any)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "containers cannot be put into the root "
				   "cgroup: '%.80s'",
				   path);
	return 0;
}

/* All processes of @dir into a child of it, if it has any.  What fails is told
 * by what is tried next. */
static void move_aside(int dir)
{
	img_auto(img_fd_release) int aside = -1;
	struct img_err dropped = { 0 };
	char text[CGROUP_TEXT_MAX];
	char *rest = text, *pid;

	if (cgroup_read(dir, "cgroup.procs", text, sizeof(text), &dropped) <
		    0 ||
	    !text[0])
		return;
	(void)mkdirat(dir, ASIDE, 0755);
	aside = open_dir(dir, ASIDE);
	while (aside >= 0 && (pid = strsep(&rest, "\n")) != NULL)
		if (*pid)
			IMG_IGNORE(cgroup_write(aside, "cgroup.procs", pid,
						&dropped));
}

/*
 * One by one: a controller that cannot be had keeps none of the others from
 * us, and is missed when it is needed.  Those that count for threads come
 * last: in a cgroup with processes they alone would be let in, and turn what
 * is below it into something that takes no process at all.
 */
static void pass_on(const struct cgroup_tree *tree, int dir)
{
	static const char *const wanted[] = { "io", "memory", "cpu", "cpuset",
					      "pids" };
	char has[CGROUP_TEXT_MAX], passes[CGROUP_TEXT_MAX], word[16];
	struct img_err dropped = { 0 };

	if (cgroup_read(dir, "cgroup.controllers", has, sizeof(has), &dropped) <
		    0 ||
	    cgroup_read(dir, "cgroup.subtree_control", passes, sizeof(passes),
			&dropped) < 0)
		return;
	if (tree->handed_over)
		move_aside(dir);
	for (size_t i = 0; i < IMG_COUNT(wanted); i++) {
		if (!cgroup_has_word(has, wanted[i]) ||
		    cgroup_has_word(passes, wanted[i]))
			continue;
		(void)snprintf(word, sizeof(word), "+%s", wanted[i]);
		dropped = (struct img_err){ 0 };
		if (cgroup_write(dir, "cgroup.subtree_control", word,
				 &dropped) == -IMG_E_BUSY)
			return;
	}
}

int cgroup_parent_open(const struct cgroup_tree *tree, const char *path,
		       bool make, int *ret, struct img_err *err)
{
	img_auto(img_mem_release) char *copy =
		mem_strdup(path ? path : CGROUP_PARENT);
	img_auto(img_fd_release) int at = -1;
	char *rest = copy, *name;

	while ((name = strsep(&rest, "/")) != NULL) {
		const int above = at < 0 ? tree->top : at;
		int next;

		if (!*name)
			continue;
		if (make) {
			pass_on(tree, above);
			if (mkdirat(above, name, 0755) != 0 && errno != EEXIST)
				return img_err_sys(err, "cannot make cgroup %s",
						   name);
		}
		next = open_dir(above, name);
		if (next < 0)
			return img_err_sys(err, "cannot open cgroup %s", name);
		img_fd_release(&at);
		at = next;
	}
	if (make)
		pass_on(tree, at);
	*ret = img_fd_take(&at);
	return 0;
}
