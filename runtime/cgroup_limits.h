#ifndef IMG_RUNTIME_CGROUP_LIMITS_H
#define IMG_RUNTIME_CGROUP_LIMITS_H

/*
 * What a container may use, in docker's terms, and how cgroup v2 says it.
 *
 * A limit that was asked for is set, or the start fails and says which
 * controller is missing: there is no half of it.  Zero everywhere is no limit.
 * Sources: the kernel's cgroup-v2.rst; OCI runtime-spec, config-linux.md.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* podman's, for containers that name none. */
#define CGROUP_PIDS_DEFAULT 2048

/* "No limit", said aloud. */
#define CGROUP_UNLIMITED (-1)

enum cgroup_io_kind {
	CGROUP_IO_READ_BPS,
	CGROUP_IO_WRITE_BPS,
	CGROUP_IO_READ_IOPS,
	CGROUP_IO_WRITE_IOPS,
	CGROUP_IO_KINDS,
};

struct cgroup_io {
	enum cgroup_io_kind kind;
	const char *device; /* a block device node; NULL: the root device */
	uint64_t rate;	    /* a second; 0: none */
};

struct cgroup_limits {
	int64_t memory_bytes;
	/* Memory and swap together; 0 with memory: twice that, as docker. */
	int64_t memory_swap_bytes;
	int64_t memory_low_bytes;
	int64_t cpu_quota_us;	 /* of each period; */
	uint64_t cpu_period_us;	 /* 0: 100 ms */
	uint64_t cpu_shares;	 /* 2 to 262144 */
	const char *cpus, *mems; /* "0-2,7" */
	int64_t pids;
	unsigned io_weight; /* docker's: 10 to 1000 */
	const struct cgroup_io *io;
	size_t n_io;
};

/* What a limit needs, and who asked for it, for messages. */
struct cgroup_missing {
	const char *controller; /* NULL: nothing is missing */
	const char *option;
};

/**
 * cgroup_limits_set - write limits to a cgroup
 * @dir: the cgroup
 * @root_device: number of the device that stands for a missing name
 * @missing: what is missing where this returns IMG_E_UNSUPPORTED; @err is then
 *	left for the caller, who knows why
 *
 * What is zero is left as it is.  Shrinking memory below what is used ends in
 * the kernel's out-of-memory killer; it asks for memory back first.
 */
int cgroup_limits_set(int dir, const struct cgroup_limits *limits,
		      dev_t root_device, struct cgroup_missing *missing,
		      struct img_err *err) IMG_MUST_USE;

/* False where nothing is asked for. */
bool cgroup_limits_any(const struct cgroup_limits *limits);

/* docker's shares, 2 to 262144, as a weight, 1 to 10000; and its blkio weight,
 * 10 to 1000, as the same. */
uint64_t cgroup_weight_of_shares(uint64_t shares);
uint64_t cgroup_weight_of_blkio(unsigned weight);

#endif
