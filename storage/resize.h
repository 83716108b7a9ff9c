#ifndef IMG_STORAGE_RESIZE_H
#define IMG_STORAGE_RESIZE_H

/*
 * Volumes that become larger, with what is on them.
 *
 * Three things have a size: the volume's row, its device, and its file system;
 * and they grow in this order, so that at every moment a row is as large as
 * its device at least, and a device as its file system.  The row says how far
 * the file system has come (fs_bytes) until it fills the volume: what a crash
 * leaves is finished by the next open of the store, or when the volume is used
 * next.  Nothing is ever made smaller: a file system cannot be while it is in
 * use, and its blocks may be anywhere.
 *
 * The file system is grown by the store's grow hook (storage/store.h).
 */
#include "storage/volume.h"

/* IMG_E_UNSUPPORTED where the volume keeps the size that it was made with: on
 * the driver snapshot, what is no snapshot. */
int resize_check(struct store *store, const struct volume *volume,
		 struct img_err *err) IMG_MUST_USE;

/**
 * resize_volume - make a volume larger, whether it is in use or not
 * @size_bytes: a multiple of 4096; the size that it has is no failure
 *
 * Durable when it returns 0.  Returns IMG_E_INPUT where the volume would become
 * smaller, IMG_E_BUSY where a process other than one that runs it is at it,
 * IMG_E_UNSUPPORTED as resize_check says: then, and where the device cannot
 * grow, all is as before.  A file system that cannot
 * grow is told, and tried again as after a crash: the volume is larger then,
 * which does no harm.
 */
int resize_volume(struct store *store, uint32_t id, uint64_t size_bytes,
		  struct img_err *err) IMG_MUST_USE;

/**
 * resize_fill - let the file system of a volume in use fill it
 * @running: held as running by this process; made active if there is anything
 *	to do
 *
 * For a volume that was made larger than its origin, or whose resize was
 * interrupted; of any other it costs nothing.
 */
int resize_fill(struct store *store, struct volume_pending *running,
		struct img_err *err) IMG_MUST_USE;

/* What a process that died left of resize_volume: the device gets the row's
 * size, and the file system, if it can.  The intent's byte is held and stays
 * so; its row goes. */
int resize_recover(struct store *store, const struct volume *volume,
		   int64_t intent, struct img_err *err) IMG_MUST_USE;

#endif
