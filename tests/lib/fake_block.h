#ifndef IMG_TESTS_LIB_FAKE_BLOCK_H
#define IMG_TESTS_LIB_FAKE_BLOCK_H

/*
 * What the fake device-mapper has of other block devices: loops over files,
 * and which table names which.  Loops have autoclear.
 */
#include "tests/lib/fake_dm.h"

#define FAKE_DM_MAJOR 252

/* One request at a time, whoever makes it; the dead make none. */
struct fake_dm *fake_enter(struct fake_dm *f);
void fake_leave(struct fake_dm **f);
/* Begins a step of tests/lib/fault.h. */
int fake_step(struct fake_dm *f, const char *what, struct img_err *err);
dev_t fake_dev_of(const struct fake_dm *f, const struct fake_device *d);

/* The device @d goes, and with it the loops that nobody else has. */
void fake_block_gone(struct fake_dm *f, const struct fake_device *d);
int fake_block_refresh(void *self, dev_t dev, struct img_err *err);
int fake_block_attach(void *self, const char *path, struct loop *ret,
		      struct img_err *err);
int fake_block_holders(void *self, dev_t dev, unsigned *ret,
		       struct img_err *err);
int fake_block_each(void *self, dm_block_fn *fn, void *fn_self,
		    struct img_err *err);
int fake_block_detach(void *self, dev_t dev, struct img_err *err);

#endif
