#ifndef IMG_RUNTIME_CGROUP_TREE_H
#define IMG_RUNTIME_CGROUP_TREE_H

/*
 * Where this host's cgroups of version 2 are, and which part of them is ours.
 *
 * On a plain host that is all of it.  Where systemd runs the tree is its own,
 * and others are to work below a directory that it has handed over, which it
 * marks by an extended attribute: the deepest such one above this process is
 * taken.  Source: systemd's docs/CGROUP_DELEGATION.md.
 *
 * Where it has handed none over, root still has the whole tree: a directory of
 * our own at its top, as crun and podman make without systemd's help.  systemd
 * leaves alone what it did not make, and the kernel lets it withdraw no
 * controller that is in use there.  Who is not root has nothing: asking systemd
 * for a part takes D-Bus, which 'systemd-run' speaks.
 */
#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* Below the part that is ours, where no other place is given. */
#define CGROUP_PARENT "img"

struct cgroup_tree {
	int top;     /* of what is ours; -1: nothing is */
	bool shared; /* version 1 is here as well and may have controllers */
	bool systemd;
	bool handed_over; /* top is, by systemd, with whoever is in it */
};
#define CGROUP_TREE_EMPTY ((struct cgroup_tree){ .top = -1 })

/* The mount of version 2, or -1.  @ret_shared: it is beside one of version 1.
 * The caller closes it. */
int cgroup_root_open(bool *ret_shared);

/**
 * cgroup_place - where a process is in it
 * @pid: 0 is this one
 * @ret: "/PATH" from the top, heap
 */
int cgroup_place(pid_t pid, char **ret, struct img_err *err) IMG_MUST_USE;

/**
 * cgroup_tree_open - look what there is
 * @ret: release with cgroup_tree_release
 *
 * Returns 1, or 0 where there is nothing that we may use; @ret then still says
 * why not (cgroup_tree_explain).
 */
int cgroup_tree_open(struct cgroup_tree *ret, struct img_err *err);
void cgroup_tree_release(struct cgroup_tree *tree);

/* IMG_E_UNSUPPORTED: why there is nothing to use, and what to do about it. */
int cgroup_tree_explain(const struct cgroup_tree *tree, struct img_err *err);

/* IMG_E_UNSUPPORTED: why a controller is missing, which @what needs. */
int cgroup_tree_lacks(const struct cgroup_tree *tree, const char *controller,
		      const char *what, struct img_err *err);

/**
 * cgroup_tree_choose - which part of a tree is ours, into tree->top
 * @root: of the tree; taken over where it is chosen
 * @own_path: this process's place in it, "/a/b"; NULL: unknown.  Is cut up
 * @is_root: whether this process may write everywhere
 */
void cgroup_tree_choose(struct cgroup_tree *tree, int *root, char *own_path,
			bool is_root);

/**
 * cgroup_parent_check - is that a place for containers?
 * @path: "/a/b" or "a/b", from the top of what is ours
 *
 * Returns 0 or IMG_E_INPUT.
 */
int cgroup_parent_check(const char *path, struct img_err *err) IMG_MUST_USE;

/**
 * cgroup_parent_open - the directory that containers' cgroups are made in
 * @path: checked; NULL is CGROUP_PARENT
 * @make: make it where it is missing, with all controllers that can be had
 * @ret: the caller closes it
 *
 * IMG_E_NOT_FOUND where it is missing and not to be made.
 */
int cgroup_parent_open(const struct cgroup_tree *tree, const char *path,
		       bool make, int *ret, struct img_err *err) IMG_MUST_USE;

#endif
