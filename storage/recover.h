#ifndef IMG_STORAGE_RECOVER_H
#define IMG_STORAGE_RECOVER_H

/*
 * What a store does about the dead: intents that nobody works on any more,
 * and thin ids that the catalog does not know.
 */
#include "storage/volume.h"

/**
 * recover_intents - finish or undo what dead processes began
 *
 * An intent whose byte can be locked belongs to nobody.  A volume that was
 * being made or removed is removed; one that was running is made inactive and
 * handed to the run_ended hook; what is mounted or handed out stays as long
 * as the kernel says so (storage/use.h).  Intents are independent: one that
 * fails stays for the next open and does not hinder the others.  Without
 * device-mapper nothing is done.
 *
 * Returns 0 unless the catalog cannot be read.
 */
int recover_intents(struct store *store, struct img_err *err) IMG_MUST_USE;

/* The same for one intent whose byte this process holds, and goes on to. */
int recover_held(struct store *store, int64_t intent, uint32_t volume,
		 struct img_err *err) IMG_MUST_USE;

/**
 * recover_intent - finish or undo one thing that a dead process began
 *
 * Returns 0 when it is settled, or was already; 1 when its owner lives; or
 * what is in the way.
 */
int recover_intent(struct store *store, int64_t intent, uint32_t volume,
		   struct img_err *err) IMG_MUST_USE;

/**
 * recover_remove - make sure that a volume is gone, with its intent and row
 *
 * The one way by which volumes go, for undo, removal and recovery alike.
 * The intent's byte is held and stays so.  May be repeated.
 */
int recover_remove(struct store *store, const struct volume *volume,
		   int64_t intent, struct img_err *err) IMG_MUST_USE;

/**
 * recover_orphans - see to volumes that only the pool or only the catalog has
 *
 * Both come from a power cut: what `run` and `rm` of a container wrote to the
 * catalog is not synced.  Volumes that no row knows are removed, unless the
 * ledger says that they are images: those are given to the adopt hook, or left
 * alone where there is none.  Rows of containers whose volumes are gone from
 * the pool go, too, by the vanished hook.
 * Called with LOCK_STORE held, right after the pool came up.
 */
int recover_orphans(struct store *store, struct img_err *err) IMG_MUST_USE;

#endif
