#ifndef IMG_CLI_CONTAINER_IDS_H
#define IMG_CLI_CONTAINER_IDS_H

/*
 * Which ids of the host a container's own are: each container that has any has
 * USERNS_IDS uids and as many gids that no other container of the store has,
 * from its creation until it is removed, whether it runs or not.
 *
 * They come from the ranges that /etc/subuid and /etc/subgid give the user
 * "img", or else from CONTAINER_IDS_FIRST to CONTAINER_IDS_END: above what
 * useradd hands out and what systemd takes for itself, below 2^31.  A second
 * store on the same host needs ranges of its own only if its containers
 * must not be able to signal the first's.
 */
#include "runtime/userns.h"
#include "storage/store.h"

#define CONTAINER_IDS_FIRST 0x70000000u
#define CONTAINER_IDS_END   0x7ffe0000u

struct id_range {
	uint32_t first;
	uint32_t count;
};
#define ID_RANGES_MAX 64

/**
 * id_ranges_read - the ranges of a file as subuid(5) has it
 * @root: a directory that is the root for @path
 * @ret: ID_RANGES_MAX of them; later lines are not read
 * @ret_n: how many of them @name has
 *
 * A line that makes no sense is skipped.
 */
int id_ranges_read(int root, const char *path, const char *name,
		   struct id_range *ret, size_t *ret_n,
		   struct img_err *err) IMG_MUST_USE;

/* The lowest USERNS_IDS ids of @ranges, aligned to each range's begin, that
 * overlap none of @used; 0 when there are none. */
uint32_t id_ranges_choose(const struct id_range *ranges, size_t n,
			  const uint32_t *used, size_t n_used);

/* Within the transaction that records them, so that no two get the same. */
int container_ids_choose(struct store *store, struct userns *ret,
			 struct img_err *err) IMG_MUST_USE;

#endif
