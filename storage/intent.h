#ifndef IMG_STORAGE_INTENT_H
#define IMG_STORAGE_INTENT_H

/*
 * Intents: rows that say what a living process is doing to a volume.
 *
 * An intent's id is a byte of the store's lock file, locked before the row
 * becomes visible and held until the row is gone: a row whose byte is free
 * is the work of a dead process; but for what the kernel holds in its stead,
 * a mount or a device that was handed out.
 */
#include "storage/store_impl.h"

enum intent_op {
	INTENT_CREATE, /* the volume must not outlive a failure */
	INTENT_RUN,    /* the volume is whole and in use */
	INTENT_MERGE,  /* the volume is folded into what it was made from */
	INTENT_DELETE, /* the volume must go */
	INTENT_RESIZE, /* the volume grows, in use or not */
	INTENT_SHARE,  /* the volume is in use, by others perhaps too */
	INTENT_FILL,   /* the same, and by nobody else (storage/share.h) */
	INTENT_HOLD,   /* of no volume: the metadata snapshot is held */
	/* Of no process, but of the kernel: see storage/use.h. */
	INTENT_VIEW,   /* a throw-away snapshot, while its device is open */
	INTENT_LOOK,   /* the volume is active while its device is open */
	INTENT_ACTIVE, /* the volume's device was handed out */
};

/* Within a transaction.  A rollback must be followed by intent_drop. */
int intent_begin(struct store *store, enum intent_op op, uint32_t volume,
		 int64_t *ret, struct img_err *err) IMG_MUST_USE;
int intent_change(struct store *store, int64_t intent, enum intent_op op,
		  struct img_err *err) IMG_MUST_USE;
/* Removes the row, within a transaction; intent_drop follows its commit. */
int intent_end(struct store *store, int64_t intent,
	       struct img_err *err) IMG_MUST_USE;
/* The same two, in a transaction of their own. */
int intent_change_alone(struct store *store, int64_t intent, enum intent_op op,
			struct img_err *err) IMG_MUST_USE;
int intent_end_alone(struct store *store, int64_t intent,
		     struct img_err *err) IMG_MUST_USE;
/* Lets go of the byte. */
void intent_drop(struct store *store, int64_t intent);

#define INTENT_BIT(op) (1u << (op))

/* 1 when another process holds an intent of the volume, one of those whose
 * INTENT_BIT is in @ops. */
int intent_is_held(struct store *store, uint32_t volume, unsigned ops,
		   struct img_err *err) IMG_MUST_USE;

/* IMG_E_BUSY: what another process's intent keeps from being done. */
int intent_refuse(struct img_err *err);

/* Waits until no other process holds one of those, ten seconds at most, then it
 * is IMG_E_BUSY.  Not within a transaction. */
int intent_await(struct store *store, uint32_t volume, unsigned ops,
		 struct img_err *err) IMG_MUST_USE;

/* 1 when this process could take over a dead intent: its byte is then held.
 * 0 when its owner lives. */
int intent_adopt(struct store *store, int64_t intent,
		 struct img_err *err) IMG_MUST_USE;

/* 1 with the intent's present op, 0 when there is no such row any more. */
int intent_op(struct store *store, int64_t intent, enum intent_op *ret,
	      struct img_err *err) IMG_MUST_USE;

#endif
