#ifndef IMG_STORAGE_DM_BLOCK_H
#define IMG_STORAGE_DM_BLOCK_H

/*
 * The part of the kernel's struct dm_ops that libdevmapper has no share in:
 * nodes, loop devices, who holds a device, and waiting for events.  For
 * storage/dm.c alone, whose header says what each does; @self is nothing.
 */
#include "storage/dm.h"

int dm_block_holders(void *self, dev_t dev, unsigned *ret, struct img_err *err);
int dm_block_refresh(void *self, dev_t dev, struct img_err *err);
int dm_block_listen(void *self, int *fd, struct img_err *err);
int dm_block_node(void *self, const struct dm_name *name, dev_t dev,
		  char out[DM_NODE_MAX], struct img_err *err);
int dm_block_attach(void *self, const char *path, struct loop *ret,
		    struct img_err *err);
int dm_block_each(void *self, dm_block_fn *fn, void *fn_self,
		  struct img_err *err);
int dm_block_detach(void *self, dev_t dev, struct img_err *err);

#endif
