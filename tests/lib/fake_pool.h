#ifndef IMG_TESTS_LIB_FAKE_POOL_H
#define IMG_TESTS_LIB_FAKE_POOL_H

/*
 * The thin pool of the fake device-mapper: its volumes, messages and metadata.
 */
#include "tests/lib/fake_dm.h"

/* What dm-thin does about a message; its errors too. */
int fake_pool_message(struct fake_dm *f, const struct dm_name *pool,
		      const char *text, struct img_err *err);

/* Writes the metadata as of now, if the pool is there. */
void fake_pool_commit(struct fake_dm *f);

/* The file in which a volume keeps its bytes. */
void fake_thin_path(const struct fake_dm *f, uint32_t id, char out[64]);

/* Notes that a rule was broken; the first one counts. */
void fake_violate(struct fake_dm *f, const char *what);

/* Fills @err as the kernel's refusal would be reported. */
int fake_no(enum img_code code, int e, const struct dm_name *name,
	    const char *what, struct img_err *err);

#endif
