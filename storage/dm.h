#ifndef IMG_STORAGE_DM_H
#define IMG_STORAGE_DM_H

/*
 * Device-mapper, as one table of operations.
 *
 * dm_kernel() talks to the kernel through libdevmapper (storage/dm.c), which
 * the first operation opens; unit tests put a fake here that fails where they
 * want. What always holds:
 *
 * - A device is addressed by its UUID alone, "IMG-<store>-<what>", so that no
 *   device of anybody else can be touched; the name is for people.
 * - udev is told to leave our devices alone and is never waited for.  Nodes
 *   come from the table's node(), which trusts the device number only.
 * - All that storage/ asks of block devices goes through here, so that a fake
 *   can stand for the whole kernel.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define DM_UUID_PREFIX "IMG-"
#define DM_NAME_MAX    64
#define DM_UUID_MAX    80
#define DM_NODE_MAX    64

struct dm_name {
	char name[DM_NAME_MAX];
	char uuid[DM_UUID_MAX];
};

/* One-target table: all that img's devices are made of. */
struct dm_table {
	uint64_t len_sectors;
	const char *target; /* "thin-pool", "thin", "snapshot-origin" ... */
	const char *params;
	bool read_only;
};

struct loop;

/* A block device of the kernel's that could be ours. */
struct dm_block {
	struct dm_name name; /* of device-mapper */
	dev_t dev;
	uint64_t size_bytes;
	bool is_loop;
	char file[512]; /* of a loop device: as the kernel names it now */
	bool is_used;	/* a loop device is mounted, or in a table */
};
typedef int dm_block_fn(void *self, const struct dm_block *block,
			struct img_err *err);

struct dm_state {
	bool exists;
	/* False for a device whose maker died between its creation and its
	 * first resume: it is there, not suspended, and of no use. */
	bool has_table;
	bool suspended;
	bool read_only;
	dev_t dev;
	unsigned open_count;
};

/* A table as the kernel has it. */
struct dm_live {
	uint64_t len_sectors;
	char target[24];
	char *params;
};

/*
 * Errors, for every operation: IMG_E_NOT_FOUND (no such device; or, for a
 * message, the kernel's ENODATA: no such thin id), IMG_E_EXISTS, IMG_E_BUSY,
 * IMG_E_NO_SPACE, IMG_E_NO_DM (no device-mapper, or not for this user),
 * IMG_E_SYS.
 */
struct dm_ops {
	/* Creates, loads and resumes in one go; a device that could not be
	 * brought up is removed again. */
	int (*create)(void *self, const struct dm_name *name,
		      const struct dm_table *table, dev_t *ret,
		      struct img_err *err);
	/* Gives a device a table, which the next resume puts in place of the
	 * one it has: that resume suspends by itself, so that nobody's death
	 * leaves the device standing still. */
	int (*load)(void *self, const struct dm_name *name,
		    const struct dm_table *table, struct img_err *err);
	/* Flushes; a file system on the device is frozen, clean on disk. */
	int (*suspend)(void *self, const struct dm_name *name,
		       struct img_err *err);
	int (*resume)(void *self, const struct dm_name *name,
		      struct img_err *err);
	int (*message)(void *self, const struct dm_name *name, const char *text,
		       struct img_err *err);
	int (*remove)(void *self, const struct dm_name *name,
		      struct img_err *err);
	/* A device that does not exist is no failure: ret->exists says so. */
	int (*state)(void *self, const struct dm_name *name,
		     struct dm_state *ret, struct img_err *err);
	/* The live table's one line; ret->params is heap. */
	int (*table)(void *self, const struct dm_name *name,
		     struct dm_live *ret, struct img_err *err);
	/* How many mapped devices lie on @dev. */
	int (*holders)(void *self, dev_t dev, unsigned *ret,
		       struct img_err *err);
	/* The status line of the first target, without its name; heap. */
	int (*status)(void *self, const struct dm_name *name, char **ret,
		      struct img_err *err);
	/* The same without the commit that a pool does first: as of now, at the
	 * cost of a look. */
	int (*peek)(void *self, const struct dm_name *name, char **ret,
		    struct img_err *err);
	/* A path by which @dev can be opened: /dev/dm-N where devtmpfs made
	 * it, else a node of our own below /dev/img; never a name that
	 * somebody else may have pointed elsewhere. */
	int (*node)(void *self, const struct dm_name *name, dev_t dev,
		    char out[DM_NODE_MAX], struct img_err *err);
	/* Makes a block device of a file, loop_attach (storage/loop.h), or
	 * opens what is one already, device_attach (storage/device.h). */
	int (*attach)(void *self, const char *path, struct loop *ret,
		      struct img_err *err);
	/* Calls @fn for each device with a UUID of img's, of whatever store,
	 * and each loop device that has a file. */
	int (*each_block)(void *self, dm_block_fn *fn, void *fn_self,
			  struct img_err *err);
	/* Takes a loop device from its file: loop_detach. */
	int (*detach)(void *self, dev_t dev, struct img_err *err);
	/* A loop device learns that its file has grown: loop_refresh. */
	int (*refresh)(void *self, dev_t dev, struct img_err *err);
	/* From here on the next event of any device makes *fd readable; opened
	 * when it is -1.  IMG_E_UNSUPPORTED before Linux 4.13. */
	int (*listen)(void *self, int *fd, struct img_err *err);
};

struct dm {
	const struct dm_ops *ops;
	void *self;
};

/* The kernel's device-mapper.  Costs nothing before the first operation. */
struct dm dm_kernel(void);

/* Resumes a device that is still suspended when its scope ends. */
struct dm_hold {
	const struct dm *dm;
	const struct dm_name *name; /* NULL: nothing is held */
};
void dm_hold_release(struct dm_hold *hold);

#endif
