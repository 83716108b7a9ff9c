#ifndef IMG_STORAGE_USE_H
#define IMG_STORAGE_USE_H

/*
 * Volumes that are in use although no process of ours is at work on them:
 * mounted to be looked at, or handed out as a block device.
 *
 * A row says what was meant; whether it still is so, the kernel is asked:
 *
 *	view	a throw-away snapshot: it goes once nobody has its device open
 *	look	a whole volume: its device goes once nobody has it open
 *	active	a whole volume whose device was asked for: it stays until
 *		use_end, or until a reboot took the device with it
 *
 * Every open of a store looks at the rows of dead processes and ends what is
 * over (storage/recover.h).  So a plain umount(8), a crash and a reboot are all
 * seen to by the next command, and nothing has to be told to anybody.
 */
#include "storage/volume.h"

enum use_kind { USE_VIEW, USE_LOOK, USE_ACTIVE };

struct use {
	int64_t intent;
	enum use_kind kind;
	struct volume volume; /* of a view: the snapshot, origin as usual */
	dev_t dev;
	bool is_open; /* somebody has the device open */
	bool read_only;
};

/**
 * use_list - what is in use now, oldest first
 * @ret: the caller frees it
 *
 * What is just being begun, or is over and not collected yet, is left out.
 */
int use_list(struct store *store, struct use **ret, size_t *ret_count,
	     struct img_err *err) IMG_MUST_USE;

/**
 * use_begin - note that a whole volume's device is about to be used: a look
 *
 * In a transaction of its own.  The row is held by this process until
 * use_keep, whatever becomes of its device until then.  Another process that
 * begins or ends a use of the same volume is waited for.
 *
 * IMG_E_BUSY when the volume is held for longer.
 */
int use_begin(struct store *store, const struct volume *volume,
	      struct volume_pending *ret, struct img_err *err) IMG_MUST_USE;

/* A snapshot that was just made becomes a view, or a look an active device: in
 * a transaction of its own. */
int use_turn(struct volume_pending *pending, enum use_kind kind,
	     struct img_err *err) IMG_MUST_USE;

/* The kernel holds it from now on: a mount, or the device as such. */
void use_keep(struct volume_pending *pending);

/* It came to nothing: what was begun goes again. */
void use_drop(struct volume_pending *pending);

/* Ends a use now.  IMG_E_BUSY while somebody has the device open. */
int use_end(struct store *store, const struct use *use,
	    struct img_err *err) IMG_MUST_USE;

/* IMG_E_BUSY when a volume's device was handed out for writing: what its user
 * has not written yet would be missing from a snapshot of it. */
int use_check_settled(struct store *store, uint32_t volume,
		      struct img_err *err) IMG_MUST_USE;

/* Directory for the mount of a use to which none was given; the caller frees
 * it.  It exists only while it is needed. */
char *use_place(const struct store *store, int64_t intent);
void use_place_remove(const struct store *store, int64_t intent);

#endif
