#ifndef IMG_TESTS_LIB_FAKE_SNAP_H
#define IMG_TESTS_LIB_FAKE_SNAP_H

/*
 * dm-snapshot in the fake device-mapper: the targets snapshot-origin, snapshot
 * and snapshot-merge, on loops over real files.
 *
 * A snapshot's node is a file of its own with what the origin and the exception
 * store have in their first FAKE_DM_BYTES; what is written there goes to the
 * store, in the kernel's format, whenever the device is suspended or removed.
 * A merge goes one exception further each time that its status is asked for.
 */
#include "tests/lib/fake_dm.h"

bool fake_snap_is(const char *target);

/* True when a table names a loop. */
bool fake_snap_uses(const struct fake_device *d, unsigned loop);

/* The kernel's rules for a new table of @d. */
int fake_snap_load(struct fake_dm *f, const struct fake_device *d,
		   const struct dm_name *name, const struct dm_table *table,
		   struct img_err *err);
/* A table went live: what the device reads as. */
void fake_snap_begin(struct fake_dm *f, const struct fake_device *d);
/* What was written goes to the store. */
void fake_snap_flush(struct fake_dm *f, const struct fake_device *d);
void fake_snap_removed(struct fake_dm *f, const struct fake_device *d);
void fake_snap_status(struct fake_dm *f, const struct fake_device *d, char *out,
		      size_t size);
void fake_snap_node(const struct fake_dm *f, const struct fake_device *d,
		    char out[DM_NODE_MAX]);

#endif
