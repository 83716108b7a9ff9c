#ifndef IMG_RUNTIME_MOUNTS_H
#define IMG_RUNTIME_MOUNTS_H

/*
 * All that a container has mounted beside its root and the kernel's own file
 * systems, in the order in which it is attached.
 *
 * What comes from the host is opened by the supervisor, before there is a
 * container; what is new is made by the child.  Targets are looked up inside
 * the container's root while nothing else runs in it, and the mount goes to
 * the very object that was found (runtime/bind.h).
 */
#include "base/err.h"
#include "runtime/bind.h"

#include <stdbool.h>
#include <stddef.h>

enum container_mount_kind {
	MOUNT_BIND,
	MOUNT_TMPFS,
	MOUNT_DEVICE, /* a device node of the host, which works */
	MOUNT_VOLUME, /* a file system that the caller has mounted */
};

struct container_mount {
	enum container_mount_kind kind;
	const char *source;  /* of a bind or a device: a path of the host; of a
			      * volume: its name */
	const char *target;  /* absolute, in the container */
	struct bind_how how; /* of a bind or a volume */
	int *volume;	     /* its detached mount, taken over by mounts_open */
	const char *subpath; /* the directory of a volume that is meant; NULL:
			      * all of it */
	const char *options; /* of a tmpfs, or NULL */
	/* A file of the runtime's, not of the user's: the source is written
	 * first, with this in it, and its directory made. */
	const char *text;
	bool own;      /* the same, and may have been written before */
	bool if_there; /* left out where nothing is at the target */
};

/**
 * mounts_open - get hold of what comes from the host
 * @root: the container's root, for what is mounted only where something is
 * @nodes: device nodes in it work
 * @ret: @n trees, -1 for what the child makes; release with mounts_release,
 *	after a failure too.  NULL for none
 */
int mounts_open(int root, const struct container_mount *mounts, size_t n,
		bool nodes, struct bind_tree **ret,
		struct img_err *err) IMG_MUST_USE;

/**
 * mounts_map - show them under the container's ids
 * @ns: as for bind_map
 *
 * Devices belong to whom the host says they do where their file system cannot
 * be mapped, and the container's own files likewise: everybody may read them.
 */
int mounts_map(const struct container_mount *mounts, size_t n,
	       const struct bind_tree *trees, int ns,
	       struct img_err *err) IMG_MUST_USE;

void mounts_release(struct bind_tree **trees, size_t n);

/**
 * mounts_attach - put each in its place
 * @root: as for bind_attach
 * @nodes: as for mounts_open
 */
int mounts_attach(int root, const struct container_mount *mounts, size_t n,
		  const struct bind_tree *trees, bool nodes,
		  struct img_err *err) IMG_MUST_USE;

#endif
