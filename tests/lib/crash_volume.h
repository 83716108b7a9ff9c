#ifndef IMG_TESTS_LIB_CRASH_VOLUME_H
#define IMG_TESTS_LIB_CRASH_VOLUME_H

/*
 * Volumes of a store that is tested at every step: kept, run and marked as the
 * verbs do it.
 */
#include "storage/volume.h"
#include "tests/lib/crash.h"

/* Settles a new volume, in a transaction of its own. */
int crash_volume_keep(struct volume_pending *new,
		      struct img_err *err) IMG_MUST_USE;

/* Settles a new volume as run by this process, in the same way. */
int crash_volume_begin_run(struct volume_pending *new,
			   struct img_err *err) IMG_MUST_USE;

/* A snapshot of c->volume[0] from its beginning to its end, as `img run` does
 * it: the run of a crash_test. */
int crash_volume_run(struct crash_case *c, struct store *store,
		     struct img_err *err) IMG_MUST_USE;

/* temp_store_check, where each volume is an image's, a container's, a
 * snapshot's, or has a name. */
void crash_volume_check_owned(const struct crash_case *c, struct store *store);

/* The last that was made; 0 where there is none. */
uint32_t crash_volume_newest(struct store *store);

/* Writes a text to a volume, which is active afterwards. */
void crash_volume_mark(struct store *store, const struct volume *volume,
		       const char *mark);

/* On the driver thin, whose volumes are files here: whether that is there. */
bool crash_volume_has_mark(const struct crash_case *c, uint32_t id,
			   const char *mark);

#endif
