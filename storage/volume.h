#ifndef IMG_STORAGE_VOLUME_H
#define IMG_STORAGE_VOLUME_H

/*
 * Volumes: what holds a root file system.
 *
 * A change of the pool and the catalog is one intent: written first, settled
 * in the same transaction that makes the result visible, undone otherwise.
 * The process at work holds the intent's byte of the lock file; one that dies
 * lets go of it, and the next to open the store undoes or finishes its work.
 *
 *	img_auto(volume_pending_release) struct volume_pending new = { 0 };
 *
 *	volume_snapshot(store, &origin, &new, err);
 *	db_begin(db, true, err);
 *	... rows that name new.volume.id ...
 *	volume_settle(&new, err);
 *	db_commit(db, err);
 *	volume_keep(&new);
 */
#include "storage/store.h"

#define VOLUME_NODE_MAX DM_NODE_MAX
/* Device ids of dm-thin have 24 bits; 0 is the ledger's. */
#define VOLUME_ID_MAX 0xffffffu

/* Limits of what makes sense to run: the smallest that holds a journal and a
 * shell, the largest that 32-bit block numbers reach; in whole blocks. */
#define VOLUME_BYTES_MIN  (UINT64_C(16) << 20)
#define VOLUME_BYTES_MAX  ((UINT64_C(1) << 44) - VOLUME_BYTES_STEP)
#define VOLUME_BYTES_STEP UINT64_C(4096)

struct volume {
	uint32_t id;
	uint64_t size_bytes;
	uint32_t origin; /* what it is a snapshot of; 0: of nothing */
	/* For volume_activate: the device refuses writes. */
	bool read_only;
	/* Of its file system, where that has yet to grow (storage/resize.h);
	 * else 0. */
	uint64_t fs_bytes;
};

/* A volume that comes, goes or runs.  Zero-initialised: none. */
struct volume_pending {
	struct store *store;
	int64_t intent;
	struct volume volume;
	bool undo; /* the volume must not outlive this */
};

/* Reads a volume's row; IMG_E_NOT_FOUND. */
int volume_find(struct store *store, uint32_t id, struct volume *ret,
		struct img_err *err) IMG_MUST_USE;

/**
 * volume_create - a new, empty volume
 * @size_bytes: whole sectors; what it reads as is zeroes
 * @ret: undoes itself unless settled and kept
 *
 * Returns 0, or IMG_E_NO_SPACE, or what the kernel said.  A crash at any
 * point leaves an intent, and with it at most a volume, that the next open
 * removes.
 */
int volume_create(struct store *store, uint64_t size_bytes,
		  struct volume_pending *ret, struct img_err *err) IMG_MUST_USE;

/**
 * volume_snapshot - a snapshot of a volume, of the same size
 *
 * Copies no data.  An active origin is suspended, its file system frozen,
 * for as long as the kernel takes to note the snapshot, and always resumed.
 */
int volume_snapshot(struct store *store, const struct volume *origin,
		    struct volume_pending *ret,
		    struct img_err *err) IMG_MUST_USE;

/**
 * volume_copy - a volume with the content of another, to make an image of
 *
 * As volume_snapshot, for a volume of which snapshots will be taken: it needs
 * nothing of @origin any more.
 */
int volume_copy(struct store *store, const struct volume *origin,
		struct volume_pending *ret, struct img_err *err) IMG_MUST_USE;

/* The same with a size of its own, not less than the origin's, or 0.  What is
 * on it grows when it is used first: see resize_fill(). */
int volume_snapshot_larger(struct store *store, const struct volume *origin,
			   uint64_t size_bytes, struct volume_pending *ret,
			   struct img_err *err) IMG_MUST_USE;

/* Ends the intent.  Within a transaction of the caller's. */
int volume_settle(struct volume_pending *pending,
		  struct img_err *err) IMG_MUST_USE;
/* After that transaction's commit: the guard has nothing left to do. */
void volume_keep(struct volume_pending *pending);
void volume_pending_release(struct volume_pending *pending);

/* Instead of volume_settle: the volume is whole, and in use by this process
 * until volume_settle or its death.  Within a transaction of the caller's;
 * after its commit the guard no longer removes the volume. */
int volume_settle_running(struct volume_pending *pending,
			  struct img_err *err) IMG_MUST_USE;
void volume_keep_running(struct volume_pending *pending);

/* The same for a volume that was settled earlier. */
int volume_begin_run(struct store *store, const struct volume *volume,
		     struct volume_pending *ret,
		     struct img_err *err) IMG_MUST_USE;

/* 1 when a living process holds the volume, for whatever it does with it. */
int volume_is_held(struct store *store, uint32_t id, struct img_err *err);
/* 1 while the process lives that volume_settle_running or volume_begin_run has
 * told that it runs the volume. */
int volume_is_running(struct store *store, uint32_t id, struct img_err *err);
/* The same, and until a living process has removed it. */
int volume_runs_or_goes(struct store *store, uint32_t id, struct img_err *err);

/**
 * volume_await - let others end what they do with a volume for a moment
 *
 * Look at it (use_begin), be alone on it (share_begin), or make it larger.
 * Before the transaction that is to have it.  IMG_E_BUSY after ten seconds.
 */
int volume_await(struct store *store, uint32_t id,
		 struct img_err *err) IMG_MUST_USE;
/* Calls @fn, which begins such a transaction, once they have ended; and again
 * where another one came in between. */
int volume_when_free(struct store *store, uint32_t id,
		     int (*fn)(void *self, struct img_err *err), void *self,
		     struct img_err *err) IMG_MUST_USE;

/**
 * volume_begin_delete - note that a volume is to go
 *
 * Within a transaction of the caller's, which also drops the rows that name
 * the volume.  After the commit volume_pending_release removes the volume;
 * if this process dies first, the next open of the store does.
 * IMG_E_BUSY when another process holds the volume.
 *
 * The transaction is a durable one, for this and the next two, unless no power
 * cut can bring back rows that would let the volume stay: what is removed gets
 * holes before it is gone.
 */
int volume_begin_delete(struct store *store, uint32_t id,
			struct volume_pending *ret,
			struct img_err *err) IMG_MUST_USE;
/* Removes the volume now and says how that went. */
int volume_finish_delete(struct volume_pending *pending,
			 struct img_err *err) IMG_MUST_USE;
/* A running volume becomes one that is to go: in the caller's transaction. */
int volume_turn_delete(struct volume_pending *pending,
		       struct img_err *err) IMG_MUST_USE;

/* For the adopt hook: a row for a volume that the pool has and the catalog
 * lost.  Within a transaction of the caller's. */
int volume_adopt(struct store *store, uint32_t id, uint64_t size_bytes,
		 struct img_err *err) IMG_MUST_USE;

/* For the vanished hook: a volume that nothing names any more loses its row,
 * and goes as an orphan.  Within a transaction of the caller's. */
int volume_orphan(struct store *store, uint32_t id,
		  struct img_err *err) IMG_MUST_USE;

/* For the run_ended hook: the volume is to go as well, or another one that
 * nobody is at.  Within a transaction of the caller's; whoever recovers the
 * store removes the volume then. */
int volume_condemn(struct store *store, uint32_t id,
		   struct img_err *err) IMG_MUST_USE;

/* IMG_E_CORRUPT when the volume's content is lost, with a message that says
 * why; does not look for damage that nobody knows of. */
int volume_check(struct store *store, const struct volume *volume,
		 struct img_err *err) IMG_MUST_USE;

/* Makes the block device; an active volume is no failure.  @node is a path
 * by which to open it. */
int volume_activate(struct store *store, const struct volume *volume,
		    char node[VOLUME_NODE_MAX],
		    struct img_err *err) IMG_MUST_USE;
/* 1 with the number of the block device, 0 while there is none. */
int volume_device(struct store *store, const struct volume *volume, dev_t *ret,
		  struct img_err *err);
/**
 * volume_open_device - the device of a volume that others use
 * @node: a path by which to open it
 * @ret_fd: close it: until then the device stays, and no other gets its node
 *
 * Returns 1, or 0 where there is none: it is not made yet, or gone.
 */
int volume_open_device(struct store *store, const struct volume *volume,
		       char node[VOLUME_NODE_MAX], int *ret_fd,
		       struct img_err *err) IMG_MUST_USE;
/* Waits up to ten seconds for the last user to let go; IMG_E_BUSY then. */
int volume_deactivate(struct store *store, const struct volume *volume,
		      struct img_err *err) IMG_MUST_USE;

#endif
