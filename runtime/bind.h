#ifndef IMG_RUNTIME_BIND_H
#define IMG_RUNTIME_BIND_H

/*
 * Host directories and files seen inside a container: -v SRC:DST[:OPTIONS].
 * What is no path before the colon is the name of a volume, which others see
 * to (runtime/volume_mount.h).
 *
 * The source is resolved by the supervisor, in the host's view, and cloned
 * into a detached private mount tree.  The target is resolved by the child
 * inside the container's root, where no symlink can lead out, and the tree is
 * attached to the very object that was found.  Read-only means all of it,
 * mounts below the source included (mount_setattr(2), AT_RECURSIVE), unless it
 * is asked for otherwise.
 *
 * A container with ids of its own sees the source's files under its own: what
 * is root's is its root's.  A file system that cannot show them so is shown as
 * it is where it is read-only, its files nobody's; a writable one is refused.
 */
#include "base/err.h"

#include <stdbool.h>

/* What becomes of mounts that are made later, on the host below the source or
 * in the container below the target. */
enum bind_propagation {
	BIND_PRIVATE, /* each stays where it was made */
	BIND_SLAVE,   /* the host's come to the container */
	BIND_SHARED,  /* those of each come to the other */
};

/* Zero-initialised: all below the source, writable, private. */
struct bind_how {
	bool read_only;
	bool read_only_top; /* with read_only: what is mounted below the source
			     * is as writable as the host has it */
	bool top;	    /* without what is mounted below the source */
	bool no_copy;	    /* of a volume: it is not filled when it is new */
	enum bind_propagation propagation;
};

struct bind_mount {
	const char *source;
	const char *target;
	struct bind_how how;
};

/* A bind_mount that owns its strings. */
struct bind_text {
	char *source, *target;
	bool is_volume; /* the source is the name of one, or NULL: of none */
	char *options;	/* as they were given, or NULL */
	struct bind_how how;
};

/**
 * bind_target_parse - make a path inside a container plain
 * @path: absolute, and not "/"; "." and ".." in it are resolved as text
 * @ret: heap
 */
int bind_target_parse(const char *path, char **ret,
		      struct img_err *err) IMG_MUST_USE;

/* "private", "rslave" and so on: true where that is one.  The mounts below a
 * source follow it in either form. */
bool bind_propagation_parse(const char *text, enum bind_propagation *ret);

/**
 * bind_parse - read the argument of -v
 * @text: SRC:DST[:OPTION[,OPTION...]], options ro, rro, rw, a propagation of a
 *        path, and nocopy of a volume; z and Z are accepted and change nothing;
 *        or DST alone, of a volume without a name
 * @ret: release with bind_text_release
 *
 * SRC is absolute, or starts with "./" or "../" and is then made absolute;
 * anything else without a slash is a volume's name, which is not looked at.
 * DST is absolute and not "/"; "." and ".." in it are resolved as text.
 *
 * Returns 0 or -IMG_E_INPUT.
 */
int bind_parse(const char *text, struct bind_text *ret,
	       struct img_err *err) IMG_MUST_USE;

void bind_text_release(struct bind_text *bind);

/* A source, ready to be attached. */
struct bind_tree {
	int fd; /* a detached mount tree, or -1 */
	bool is_dir;
};

/**
 * bind_open - clone the source of a bind into a detached tree
 * @nodes: device nodes in it work; else they cannot be opened
 * @ret: the caller closes @ret->fd; closing it unattached leaves no trace
 */
int bind_open(const struct bind_mount *bind, bool nodes, struct bind_tree *ret,
	      struct img_err *err) IMG_MUST_USE;

/**
 * bind_map - show a tree's files under the container's ids
 * @ns: its user namespace, from userns_map
 *
 * Before it is attached.
 */
int bind_map(const struct bind_mount *bind, const struct bind_tree *tree,
	     int ns, struct img_err *err) IMG_MUST_USE;

/**
 * bind_attach - put a tree at its target, which is made where missing
 * @root: the container's root directory, or AT_FDCWD while that is cwd
 *
 * A target in /proc is refused: what the kernel and the runtime say there
 * must not be replaced.
 */
int bind_attach(int root, const struct bind_mount *bind,
		const struct bind_tree *tree, struct img_err *err) IMG_MUST_USE;

#endif
