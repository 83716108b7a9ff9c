#ifndef IMG_STORAGE_SNAP_H
#define IMG_STORAGE_SNAP_H

/*
 * The driver "snapshot", in parts.
 *
 * A volume that stands alone, an image's, is a sparse file that holds its
 * blocks as they are: anybody can mount it.  A volume made from it, a
 * container's, is a sparse file of what differs, a persistent exception store
 * of dm-snapshot (snap_cow.h), over that base.  A base never changes while
 * anything is made from it, but by a merge, which wants to be the only one.
 *
 *	<root>/volumes/3	   volume 3, whole
 *	<root>/volumes/7-3.cow	   volume 7: what differs from 3
 *	<root>/volumes/7-3.merge   the same, being folded into 3
 *	<root>/volumes/3.base	   volume 3 is gone, others are made from it
 *	<root>/ledger		   the ledger (storage/ledger.h)
 *	<root>/ballast		   see snap_ballast
 *
 * The files' names are the truth about what is made from what.  LOCK_BASES +
 * base is held while a file or a device of that base, or of what is made from
 * it, comes, goes or is loaded.
 *
 * Devices, each on a loop device of its own that goes with it: a whole volume
 * is a snapshot-origin, there while it or a volume made from it is active; a
 * volume made from it is a snapshot.  An image whose containers are all
 * inactive has none.  The kernel's rules: Documentation/admin-guide/
 * device-mapper/snapshot.rst.
 *
 * storage/driver.h says what each operation of the driver must do.
 */
#include "base/lock.h"
#include "base/progress.h"
#include "storage/driver.h"
#include "storage/loop.h"
#include "storage/store_impl.h"

/* Names (snap_name.c). */

enum snap_kind {
	SNAP_NONE, /* there is no such volume */
	SNAP_WHOLE,
	SNAP_COW,
	SNAP_MERGE, /* as COW, while it is folded into its base */
	SNAP_BASE,  /* whole, but no volume any more */
};

struct snap_file {
	enum snap_kind kind;
	uint32_t id;
	uint32_t base; /* of a COW; else the id itself */
};

/* Finds a volume's file.  @origin, if not 0, is where to look first.  One that
 * is not there is SNAP_NONE and no failure. */
int snap_find(struct store *store, uint32_t id, uint32_t origin,
	      struct snap_file *ret, struct img_err *err) IMG_MUST_USE;
/* The file of a base, a volume's or what is left of one; IMG_E_NOT_FOUND. */
int snap_find_base(struct store *store, uint32_t base, struct snap_file *ret,
		   struct img_err *err) IMG_MUST_USE;
/* Calls @fn for each file, in no order. */
int snap_each(struct store *store,
	      int (*fn)(void *self, const struct snap_file *file,
			struct img_err *err),
	      void *self, struct img_err *err) IMG_MUST_USE;
/* How many volumes are made from a base; @but is not counted. */
int snap_count(struct store *store, uint32_t base, uint32_t but, unsigned *ret,
	       struct img_err *err) IMG_MUST_USE;
/* 1 when any volume but @but is made from it: ends with the first one. */
int snap_is_base(struct store *store, uint32_t base, uint32_t but,
		 struct img_err *err) IMG_MUST_USE;
/* Its path; heap. */
char *snap_path(const struct store *store, const struct snap_file *file);
/* From here on a power cut leaves the names as they are. */
int snap_sync_names(struct store *store, struct img_err *err) IMG_MUST_USE;
int snap_rename(struct store *store, const struct snap_file *from,
		const struct snap_file *to, struct img_err *err) IMG_MUST_USE;
int snap_unlink(struct store *store, const struct snap_file *file,
		struct img_err *err) IMG_MUST_USE;

int snap_lock_base(struct store *store, uint32_t base, struct lock *ret,
		   struct img_err *err) IMG_MUST_USE;

/* Devices (snap_base.c, snap_device.c, snap_resize.c). */

int snap_activate(struct store *store, const struct volume *volume, dev_t *ret,
		  struct img_err *err) IMG_MUST_USE;
int snap_deactivate(struct store *store, const struct volume *volume,
		    struct img_err *err) IMG_MUST_USE;
int snap_thaw(struct store *store, const struct volume *volume,
	      struct img_err *err) IMG_MUST_USE;
/* A file that is a volume by itself keeps its size. */
int snap_resize_check(struct store *store, const struct volume *volume,
		      struct img_err *err) IMG_MUST_USE;
int snap_resize(struct store *store, const struct volume *volume,
		struct img_err *err) IMG_MUST_USE;

int snap_volume_check(struct store *store, const struct volume *volume,
		      struct img_err *err) IMG_MUST_USE;

/* What follows is used between the parts. */

int snap_state(struct store *store, uint32_t id, struct dm_name *name,
	       struct dm_state *ret, struct img_err *err) IMG_MUST_USE;
/* What "7:1 7:2 P 32" begins with. */
int snap_table_dev(struct store *store, const struct dm_name *name, dev_t *ret,
		   uint64_t *ret_sectors, struct img_err *err) IMG_MUST_USE;
/* A device fit for use, if it is there: one that a dead process left suspended
 * goes on, one without a table is removed. */
int snap_ready(struct store *store, const struct dm_name *name,
	       struct dm_state *state, struct img_err *err) IMG_MUST_USE;
int snap_attach(struct store *store, const struct snap_file *file,
		struct loop *ret, struct img_err *err) IMG_MUST_USE;
/* A file that is to hold so much does; it has holes where it had nothing.
 * @ret_bytes: how much it holds. */
int snap_grow_file(struct store *store, const struct snap_file *file,
		   uint64_t bytes, uint64_t *ret_bytes,
		   struct img_err *err) IMG_MUST_USE;
/**
 * snap_base_up - make the device of a whole volume's file, a snapshot-origin
 * @bytes: how large it must be at least: the file grows by a hole
 * @loop: keeps *ret_lower until the caller has made use of it
 * @ret_lower: what the device lies on, and others that share its blocks must
 * @ret: the device, which may have been there
 *
 * LOCK_BASES of it is held.
 */
int snap_base_up(struct store *store, const struct snap_file *file,
		 uint64_t bytes, bool read_only, struct loop *loop,
		 dev_t *ret_lower, dev_t *ret,
		 struct img_err *err) IMG_MUST_USE;
/* 1 when somebody is at a volume, or its device was asked for. */
int snap_is_wanted(struct store *store, uint32_t id,
		   struct img_err *err) IMG_MUST_USE;
/* A container's table, with what has to be there until it is loaded. */
struct snap_table {
	struct dm_table table;
	struct loop lower, cow;
	char params[80];
};
#define SNAP_TABLE_NONE                                                        \
	{                                                                      \
		.lower = LOOP_NONE, .cow = LOOP_NONE                           \
	}
void snap_table_release(struct snap_table *table);
/* Makes its base's device and grows its files; LOCK_BASES is held. */
int snap_cow_table(struct store *store, const struct volume *volume,
		   const struct snap_file *file, struct snap_table *ret,
		   struct img_err *err) IMG_MUST_USE;
/* 1 when devices of what is made from a base lie beside its own, 0 when there
 * are none.  Its own is there. */
int snap_has_others(struct store *store, const struct dm_name *name,
		    struct img_err *err) IMG_MUST_USE;
/* The same, or some come or go just now. */
int snap_is_needed(struct store *store, uint32_t base,
		   struct img_err *err) IMG_MUST_USE;
/* The origin's device goes, unless somebody needs it; LOCK_BASES is held. */
int snap_base_down(struct store *store, uint32_t base,
		   struct img_err *err) IMG_MUST_USE;
/* IMG_E_CORRUPT when the kernel has given up a snapshot, and says why. */
int snap_check(struct store *store, uint32_t id,
	       struct img_err *err) IMG_MUST_USE;

/* Copies (snap_copy.c). */

/**
 * snap_copy_file - make @to read as @from does
 * @to: empty, or of the same size and full of holes
 *
 * Shares the blocks where the file system can (FICLONE); copies what is not
 * a hole otherwise.  Not synced.
 */
int snap_copy_file(int from, int to, const char *what,
		   struct img_err *err) IMG_MUST_USE;
/* 1 when @to now shares all blocks of @from, 0 when that is not possible. */
int snap_clone_file(int from, int to);

int snap_snapshot(struct store *store, const struct volume *volume,
		  struct img_err *err) IMG_MUST_USE;
int snap_copy(struct store *store, const struct volume *volume,
	      struct img_err *err) IMG_MUST_USE;

/* Merging (snap_merge.c). */

int snap_merge_base(struct store *store, const struct volume *volume,
		    uint32_t *ret_base, unsigned *ret_others,
		    struct img_err *err) IMG_MUST_USE;
int snap_merge(struct store *store, const struct volume *volume,
	       const struct progress *progress,
	       struct img_err *err) IMG_MUST_USE;

/* Space (snap_account.c, snap_usage.c). */

int snap_usage(struct store *store, struct store_usage *ret,
	       struct img_err *err) IMG_MUST_USE;
/* What a file takes of the host; of that, what no other file has too. */
int snap_file_bytes(struct store *store, const struct snap_file *file,
		    uint64_t *ret, struct img_err *err) IMG_MUST_USE;
uint64_t snap_file_own_bytes(struct store *store, const struct snap_file *file,
			     uint64_t bytes);
int snap_usage_all(struct store *store, struct account_all *ret,
		   struct img_err *err) IMG_MUST_USE;
int snap_status(struct store *store, struct capacity_status *ret,
		struct img_err *err) IMG_MUST_USE;
int snap_volume_usage(struct store *store, uint32_t volume,
		      struct account_usage *ret,
		      struct img_err *err) IMG_MUST_USE;
int snap_volume_change(struct store *store, uint32_t base, uint32_t volume,
		       uint64_t *ret_bytes, struct img_err *err) IMG_MUST_USE;
int snap_host_bytes(struct store *store, uint64_t *ret,
		    struct img_err *err) IMG_MUST_USE;
/* IMG_E_NO_SPACE when the host's file system has less than @bytes beside a
 * reserve: a snapshot that cannot grow would be lost. */
int snap_need_room(struct store *store, uint64_t bytes,
		   struct img_err *err) IMG_MUST_USE;
/**
 * snap_ballast - keep, or give up, a little of the host's file system
 *
 * The catalog lies beside the volumes: when they have filled the file system,
 * nothing could be written there, not even that a volume is to go.  So a file
 * holds a MiB, which is given up when nothing else is left and taken again when
 * there is room.
 */
void snap_ballast(struct store *store);
/* Notes in a file how much of it was changed since @base, for whoever asks. */
void snap_note_change(int fd, uint32_t base, uint64_t bytes);

int snap_describe(struct store *store, uint32_t id,
		  const struct volume_ids *candidates, struct volume *ret,
		  struct img_err *err) IMG_MUST_USE;

#endif
