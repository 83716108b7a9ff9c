#ifndef IMG_STORAGE_THIN_H
#define IMG_STORAGE_THIN_H

/*
 * The driver "thin", in parts: volumes and their devices (thin.c), the files
 * of a new store (thin_make.c), what there is (thin_list.c), and who uses what,
 * read from the pool's own metadata (thin_account.c).  driver_thin in thin.c is
 * what others use; what each part must do is said in storage/driver.h.
 */
#include "storage/driver.h"
#include "storage/store_impl.h"

int thin_check_sizes(struct store_sizes *sizes,
		     struct img_err *err) IMG_MUST_USE;
int thin_make(const struct store_options *options, struct store_sizes *sizes,
	      struct img_err *err) IMG_MUST_USE;

int thin_list(struct store *store, struct volume_ids *ret, bool *ret_is_new,
	      struct img_err *err) IMG_MUST_USE;
/* When the pool came up: lets go of a metadata snapshot from before.  What
 * cannot be read or released now costs space, and nobody's data. */
void thin_drop_old_hold(struct store *store);

/* Nothing is asked of the kernel here, so this works without device-mapper
 * too; a pool in use shows its last commit, up to a second old. */
int thin_volume_usage(struct store *store, uint32_t volume,
		      struct account_usage *ret,
		      struct img_err *err) IMG_MUST_USE;
int thin_volume_change(struct store *store, uint32_t base, uint32_t volume,
		       uint64_t *ret_bytes, struct img_err *err) IMG_MUST_USE;
int thin_usage_all(struct store *store, struct account_all *ret,
		   struct img_err *err) IMG_MUST_USE;
int thin_usage_together(struct store *store, const uint32_t *volumes,
			size_t count, uint64_t *ret_bytes,
			struct img_err *err) IMG_MUST_USE;
int thin_host_bytes(struct store *store, uint64_t *ret,
		    struct img_err *err) IMG_MUST_USE;

int thin_describe(struct store *store, uint32_t id,
		  const struct volume_ids *candidates, struct volume *ret,
		  struct img_err *err) IMG_MUST_USE;

/* How large a volume is at least: as its file system, or as what it maps; 0
 * when there is nothing on it. */
struct peek;
int thin_least_bytes(const struct peek *peek, uint32_t id, uint64_t *ret,
		     struct img_err *err) IMG_MUST_USE;

#endif
