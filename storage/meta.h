#ifndef IMG_STORAGE_META_H
#define IMG_STORAGE_META_H

/*
 * The metadata of a thin pool, read inside this program.
 *
 * What dm-thin keeps about its volumes is a copy-on-write b-tree: two volumes
 * that share something share whole subtrees, and every node and every data
 * block has a reference count.  Reading it directly tells, at a cost that
 * follows the answer and not the size of the volumes, which blocks only one
 * volume has and where two volumes differ.
 *
 * What always holds:
 * - Nothing is written, nothing is locked, the kernel is not asked.
 * - Every block is checked (checksum, own number, bounds, order of keys)
 *   before it is believed.  Damage is -IMG_E_CORRUPT naming the metadata
 *   block, never a crash and never an endless loop: depth is limited and no
 *   walk enters more nodes than there are metadata blocks.
 * - A pool in use shows its last commit, up to a second old: asking for its
 *   status (without DM_NOFLUSH), any message, and a flush of a volume commit.
 *   Once it has committed again it may overwrite what was being read.  So an
 *   answer about a live pool is a hint: act only through requests that the
 * kernel checks again (discards, messages), and take -IMG_E_CORRUPT there as a
 *   reason to open and try once more.  For exact answers read a metadata
 *   snapshot, or a pool nobody writes to.
 *
 * The handle is for one thread.  A callback may ask reference counts of the
 * handle that called it, and may not start another walk on it.
 *
 * Callbacks return 0 to go on; anything else ends the walk and is what the
 * walk returns (a negative code with err filled, or a positive value of the
 * callback's own).
 *
 * Source of the format: the kernel's admin-guide/device-mapper/
 * thin-provisioning.rst, drivers/md/dm-thin-metadata.c and
 * drivers/md/persistent-data/.  docs/on-disk.md describes it.
 */
#include "base/attr.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thin_meta;

struct thin_meta_options {
	const char *name; /* of the metadata in messages; NULL: "metadata" */
	/* Read the snapshot that the message reserve_metadata_snap made, in
	 * place of the live tree. */
	bool from_snapshot;
};

/* The superblock.  Space is always the live one's: a metadata snapshot has no
 * space maps of its own. */
struct thin_meta_info {
	uint64_t transaction_id;
	uint32_t time; /* counts snapshots; 24 bits of it are kept per block */
	bool needs_check;
	uint64_t snapshot_block; /* of the metadata snapshot; 0: there is none */
	uint64_t chunk_bytes;	 /* size of a data block */
	uint64_t data_blocks, data_blocks_used;
	uint64_t meta_blocks, meta_blocks_used; /* of 4096 bytes */
};

struct thin_meta_dev {
	uint32_t id;
	uint64_t mapped_blocks;	 /* data blocks */
	uint64_t transaction_id; /* of the pool when it was made */
	uint32_t creation_time, snapshotted_time;
};

/* Blocks of a volume that lie one after the other in the pool too. */
struct thin_meta_run {
	uint64_t thin_begin, data_begin, length; /* data blocks */
	uint32_t time; /* the pool's, when these blocks were mapped */
};

enum thin_meta_kind {
	THIN_META_EXCLUSIVE, /* mapped by the volume and by nobody else */
	THIN_META_ONLY_A,    /* mapped in the first volume alone */
	THIN_META_ONLY_B,
	THIN_META_DIFFERENT, /* mapped in both, to different data blocks */
};

/* A stretch of a volume, as long as can be. */
struct thin_meta_range {
	enum thin_meta_kind kind;
	uint64_t begin, length; /* data blocks of the volume */
};

struct thin_meta_usage {
	uint64_t mapped_bytes;
	uint64_t exclusive_bytes; /* would be free if it alone were deleted */
};

/**
 * thin_meta_open - begin to read the metadata of a pool
 * @fd: metadata device or file, open for reading; borrowed until the close.
 *	Reads are 4096 bytes, aligned in file and memory, so O_DIRECT is fine.
 *	A block device of a live pool needs O_DIRECT: the kernel writes to it
 *	behind the page cache.  A loop device's backing file needs nothing.
 * @options: NULL for all defaults
 * @ret: the handle; thin_meta_close() it
 *
 * Reads the superblock only (two with from_snapshot).
 *
 * Returns 0, or -IMG_E_CORRUPT, -IMG_E_UNSUPPORTED (a version or feature that
 * this program does not know), -IMG_E_NOT_FOUND (there is no metadata
 * snapshot), or -IMG_E_SYS.
 */
int thin_meta_open(int fd, const struct thin_meta_options *options,
		   struct thin_meta **ret, struct img_err *err) IMG_MUST_USE;

/* Accepts NULL. */
void thin_meta_close(struct thin_meta *meta);

/* For img_auto. */
void thin_meta_release(struct thin_meta **meta);

/* Never NULL; valid until the close. */
const struct thin_meta_info *thin_meta_info(const struct thin_meta *meta);

/**
 * thin_meta_dev - what the pool knows of one volume
 * Returns 0, or -IMG_E_NOT_FOUND, -IMG_E_CORRUPT, -IMG_E_SYS.
 */
int thin_meta_dev(struct thin_meta *meta, uint32_t dev_id,
		  struct thin_meta_dev *ret, struct img_err *err) IMG_MUST_USE;

/* All volumes, by ascending id. */
int thin_meta_each_dev(struct thin_meta *meta,
		       int (*fn)(void *self, const struct thin_meta_dev *dev,
				 struct img_err *err),
		       void *self, struct img_err *err) IMG_MUST_USE;

/* 1 with the data block that a block of a volume is mapped to, 0 when it is not
 * mapped; -IMG_E_NOT_FOUND when there is no such volume. */
int thin_meta_find(struct thin_meta *meta, uint32_t dev_id, uint64_t block,
		   uint64_t *ret, struct img_err *err) IMG_MUST_USE;

/* 1 with the last block that a volume maps, 0 when it maps none. */
int thin_meta_last(struct thin_meta *meta, uint32_t dev_id, uint64_t *ret,
		   struct img_err *err) IMG_MUST_USE;

/* 1 when the pool has committed nothing since the open, so that all that was
 * read belongs together. */
int thin_meta_is_current(struct thin_meta *meta,
			 struct img_err *err) IMG_MUST_USE;

/**
 * thin_meta_each_run - everything that a volume maps
 *
 * Runs come by ascending thin_begin; a run ends where the next block is not
 * mapped, lies elsewhere in the pool, or was mapped at another time.  Reads
 * the volume's whole tree: one metadata block for each 126 to 252 blocks.
 *
 * Returns 0, what @fn returned, or -IMG_E_NOT_FOUND, -IMG_E_CORRUPT,
 * -IMG_E_SYS.
 */
int thin_meta_each_run(struct thin_meta *meta, uint32_t dev_id,
		       int (*fn)(void *self, const struct thin_meta_run *run,
				 struct img_err *err),
		       void *self, struct img_err *err) IMG_MUST_USE;

/**
 * thin_meta_each_exclusive - what nobody but this volume maps
 *
 * Ranges of kind THIN_META_EXCLUSIVE, ascending and merged as far as the
 * volume's own blocks touch.  A subtree that is shared is not entered, so the
 * cost follows what is exclusive.  A metadata snapshot counts as somebody:
 * while one is held that knows the volume, nothing but what was written
 * since is exclusive.  A stale answer misses something, or names something
 * that is shared by now; discarding that from the volume frees nothing and
 * harms nobody, as the kernel counts references itself.
 *
 * Returns as thin_meta_each_run(), and -IMG_E_INPUT on a handle that reads a
 * metadata snapshot: there everything is shared with the live tree.
 */
int thin_meta_each_exclusive(struct thin_meta *meta, uint32_t dev_id,
			     int (*fn)(void *self,
				       const struct thin_meta_range *range,
				       struct img_err *err),
			     void *self, struct img_err *err) IMG_MUST_USE;

/**
 * thin_meta_each_difference - where two volumes map different data blocks
 *
 * Ranges of the other three kinds, ascending, as long as can be.  Both trees
 * are walked together and a subtree that both have is not entered, so the cost
 * follows the difference.  Ranges that neither maps are not reported, nor
 * are blocks that both share; blocks reported as different may still hold
 * equal bytes.
 *
 * Returns as thin_meta_each_run().
 */
int thin_meta_each_difference(struct thin_meta *meta, uint32_t dev_a,
			      uint32_t dev_b,
			      int (*fn)(void *self,
					const struct thin_meta_range *range,
					struct img_err *err),
			      void *self, struct img_err *err) IMG_MUST_USE;

/**
 * thin_meta_usage - what one volume maps, and what of that is its own
 *
 * Cost as thin_meta_each_exclusive().  Unlike there a metadata snapshot is no
 * owner: bytes count as exclusive when no other volume of the tree that the
 * handle reads maps them.  That costs one entry for each node and block in
 * which the live tree and the snapshot differ.
 */
int thin_meta_usage(struct thin_meta *meta, uint32_t dev_id,
		    struct thin_meta_usage *ret,
		    struct img_err *err) IMG_MUST_USE;

/**
 * thin_meta_each_usage - the same of all volumes, by ascending id
 *
 * One walk: what is exclusive is so to one volume only, so every node is
 * entered once at most, and what volumes share is not entered at all.  The
 * metadata snapshot, if there is one, is set aside once for all.
 */
int thin_meta_each_usage(struct thin_meta *meta,
			 int (*fn)(void *self, const struct thin_meta_dev *dev,
				   const struct thin_meta_usage *usage,
				   struct img_err *err),
			 void *self, struct img_err *err) IMG_MUST_USE;

/**
 * thin_meta_reclaimable - bytes that become free if all of @dev_ids go
 * @dev_ids: different ids, in any order
 *
 * Exact, a metadata snapshot left aside as in thin_meta_usage(); includes what
 * the volumes share among themselves only.  Repeats what the kernel would do,
 * on counts in memory: each node of the set is entered once, when its last
 * owner in the set has gone; 16 to 48 bytes of memory for each data block that
 * more than one volume maps, below such nodes.
 *
 * Returns 0, or -IMG_E_INPUT (an id twice), and as thin_meta_each_run().
 */
int thin_meta_reclaimable(struct thin_meta *meta, const uint32_t *dev_ids,
			  size_t count, uint64_t *ret_bytes,
			  struct img_err *err) IMG_MUST_USE;

/**
 * thin_meta_data_refs - how many mappings point to a data block
 * thin_meta_block_refs - how many pointers lead to a metadata block
 *
 * Counts are of pointers in trees, not of volumes: a data block under a shared
 * node has one however many volumes reach that node.
 *
 * Returns 0, or -IMG_E_INPUT (no such block), -IMG_E_CORRUPT, -IMG_E_SYS.
 */
int thin_meta_data_refs(struct thin_meta *meta, uint64_t block, uint32_t *ret,
			struct img_err *err) IMG_MUST_USE;
int thin_meta_block_refs(struct thin_meta *meta, uint64_t block, uint32_t *ret,
			 struct img_err *err) IMG_MUST_USE;

enum thin_meta_fault_kind {
	THIN_META_DAMAGED,   /* a block that cannot be believed */
	THIN_META_LEAKED,    /* blocks counted more often than pointed to */
	THIN_META_UNCOUNTED, /* blocks counted less often: not safe to use */
};

/* Something wrong with the metadata. */
struct thin_meta_fault {
	enum thin_meta_fault_kind kind;
	bool of_volume; /* the damage is in a volume's own tree */
	uint32_t dev_id;
	bool of_data;	  /* counts of data blocks, not of the metadata's own */
	uint64_t blocks;  /* leaked or uncounted */
	const char *text; /* of damage: which block, and what */
};

/**
 * thin_meta_check - read everything and compare all counts
 *
 * Walks every tree, of the metadata snapshot too, and verifies every block in
 * use; then the reference counts of the space maps are compared with the
 * pointers that were met.  On a handle that reads a metadata snapshot only
 * its trees are walked.  Damage in one place hides nothing elsewhere, but
 * then counts are not compared.  @fn is called for each fault.
 *
 * Takes memory for the pages of a table of 4 bytes a block that have blocks
 * in use.  On a live pool believe it only if thin_meta_is_current() after it.
 *
 * Returns 0, what @fn returned, or -IMG_E_SYS.
 */
int thin_meta_check(struct thin_meta *meta,
		    int (*fn)(void *self, const struct thin_meta_fault *fault,
			      struct img_err *err),
		    void *self, struct img_err *err) IMG_MUST_USE;

#endif
