#ifndef IMG_STORAGE_ACCOUNT_H
#define IMG_STORAGE_ACCOUNT_H

/*
 * Who uses how much of the store, as its driver counts it: the driver "thin"
 * reads the pool's own metadata, the driver "snapshot" the files' blocks.
 */
#include "storage/volume.h"

struct account;

/* Borrows @store. */
int account_open(struct store *store, struct account **ret,
		 struct img_err *err) IMG_MUST_USE;
void account_close(struct account **account);

struct account_usage {
	uint64_t mapped_bytes;	  /* what the volume refers to */
	uint64_t exclusive_bytes; /* what would be free without it */
};
/* A volume that has no blocks yet, or is gone, uses nothing. */
int account_volume(struct account *account, uint32_t volume,
		   struct account_usage *ret, struct img_err *err) IMG_MUST_USE;

/* Bytes of @volume that differ from @base: what was added or changed. */
int account_change(struct account *account, uint32_t base, uint32_t volume,
		   uint64_t *ret_bytes, struct img_err *err) IMG_MUST_USE;

/* False where volumes share files and not blocks: the parts of account_all do
 * not add up then, and account_together has nothing to tell. */
bool account_has_pool(const struct account *account);

/* One volume's share, of all that the pool has in use. */
struct account_row {
	uint32_t volume;
	struct account_usage usage;
};

struct account_all {
	struct account_row *row; /* by ascending volume; the ledger's not */
	size_t n;
	/* Where there is a pool. */
	uint64_t ledger_bytes;
	uint64_t shared_bytes; /* what several volumes have, once */
	/* Exclusive of all, ledger, shared: the sum; without a pool, what all
	 * files take of the host. */
	uint64_t used_bytes;
};
void account_all_release(struct account_all *all);

/**
 * account_all - who uses what, of all volumes that there are
 *
 * One walk of the pool's metadata as of one commit, so that the parts add up to
 * the whole; without a pool, one look at each volume's file.
 */
int account_all(struct account *account, struct account_all *ret,
		struct img_err *err) IMG_MUST_USE;
/* NULL: it is not there, or uses nothing. */
const struct account_usage *account_all_find(const struct account_all *all,
					     uint32_t volume);

/* What would be free without all of these volumes; each is named once.
 * IMG_E_UNSUPPORTED where the driver has no pool. */
int account_together(struct account *account, const uint32_t *volumes,
		     size_t count, uint64_t *ret_bytes,
		     struct img_err *err) IMG_MUST_USE;

/* Bytes of the host that the pool's backing files take. */
int account_host_bytes(struct account *account, uint64_t *ret,
		       struct img_err *err) IMG_MUST_USE;

#endif
