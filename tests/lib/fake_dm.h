#ifndef IMG_TESTS_LIB_FAKE_DM_H
#define IMG_TESTS_LIB_FAKE_DM_H

/*
 * A kernel's device-mapper, as far as one thin pool needs it, or snapshots of
 * files (tests/lib/fake_snap.h).
 *
 * It is there to inject faults: every operation is a step (tests/lib/fault.h),
 * and creating a device is three, as it is in the kernel.  It lies in memory
 * that forked processes share, so it outlives the one that dies, and it keeps
 * the pool's metadata file as the kernel would.  What the kernel punishes only
 * by losing data is noted as a violation, which fake_dm_check() reports.
 *
 * Thin volumes read and write plain files in @dir, so a snapshot has its
 * origin's first FAKE_DM_BYTES.
 */
#include "storage/dm.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_DM_DEVICES 64
#define FAKE_DM_LOOPS	1024
#define FAKE_DM_THINS	100
#define FAKE_DM_BYTES	4096u

struct fake_device {
	bool exists, suspended;
	unsigned open_count;
	char name[DM_NAME_MAX], uuid[DM_UUID_MAX];
	uint64_t len_sectors;
	char target[24], params[128]; /* of the live table; "": none */
	uint64_t new_len_sectors;
	char new_target[24], new_params[128];
};

struct fake_thin {
	uint32_t id;
	bool exists;
};

struct fake_dm {
	pthread_mutex_t lock;
	char dir[48];
	struct fake_device device[FAKE_DM_DEVICES];
	struct fake_thin thin[FAKE_DM_THINS];
	bool is_held; /* there is a metadata snapshot */
	uint32_t held[FAKE_DM_THINS];
	size_t n_held;
	char loop[FAKE_DM_LOOPS][128]; /* backing file of each, by minor */
	unsigned loops;
	unsigned calls;
	unsigned suspends; /* of an existing device */
	bool absent;	   /* no device-mapper here */
	bool refuses; /* the pool takes no message, as one that is read-only */
	/* The next so many removals of a device fail with EBUSY. */
	unsigned busy_removals;
	char status[128];		   /* of the pool, unless empty */
	uint64_t data_used, meta_used;	   /* blocks in it; 0: 3 and 11 */
	uint64_t data_blocks, meta_blocks; /* as of the pool's last resume */
	uint32_t time;			   /* of the pool: snapshots made */
	bool went_for_good; /* the last thin volume: no power cut undoes it */
	char violation[256];
};

/* @dir: where volumes keep what is written to them. */
struct fake_dm *fake_dm_new(const char *dir);
void fake_dm_free(struct fake_dm *fake);
struct dm fake_dm_ops(struct fake_dm *fake);

/* As after a reboot: no device is left, what is in the pool stays. */
void fake_dm_reboot(struct fake_dm *fake);

bool fake_dm_has_thin(const struct fake_dm *fake, uint32_t id);
/* A volume that the catalog never hears of. */
void fake_dm_add_thin(struct fake_dm *fake, uint32_t id);
void fake_dm_remove_thin(struct fake_dm *fake, uint32_t id);
size_t fake_dm_count_thins(const struct fake_dm *fake);

/* The device whose name ends in "-<what>", or NULL. */
struct fake_device *fake_dm_find(struct fake_dm *fake, const char *what);
size_t fake_dm_count_devices(const struct fake_dm *fake);

/* Fails the running test if a rule of the kernel's was broken, a device is
 * suspended, or one was left half-made. */
void fake_dm_check(const struct fake_dm *fake);

#endif
