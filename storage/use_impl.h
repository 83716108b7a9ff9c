#ifndef IMG_STORAGE_USE_IMPL_H
#define IMG_STORAGE_USE_IMPL_H

/*
 * What uses share with volumes and recovery, inside storage/.
 */
#include "storage/intent.h"
#include "storage/use.h"

/**
 * use_check - refuse what cannot be done to a volume in use
 *
 * IMG_E_BUSY, saying where it is mounted or that it is active, when @op is
 * INTENT_DELETE and the volume or a view of it is in use, INTENT_RESIZE and
 * the volume is, or INTENT_RUN and its device was handed out.
 */
int use_check(struct store *store, uint32_t volume, enum intent_op op,
	      struct img_err *err) IMG_MUST_USE;

/* With the intent's byte held: 0 while it is in use, 1 when that is over,
 * USE_LAST when the volume has no other use either. */
#define USE_LAST 2
int use_is_over(struct store *store, uint32_t volume, int64_t intent,
		enum intent_op op, struct img_err *err) IMG_MUST_USE;

#endif
