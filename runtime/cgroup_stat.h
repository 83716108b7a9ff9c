#ifndef IMG_RUNTIME_CGROUP_STAT_H
#define IMG_RUNTIME_CGROUP_STAT_H

/*
 * What a container uses, as its cgroup counts it.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CGROUP_UNKNOWN (UINT64_MAX - 1)

/* CGROUP_UNKNOWN where nobody counts it: its controller is not there. */
struct cgroup_stat {
	uint64_t cpu_us; /* since it was made */
	/* Without what the kernel can drop at once, as docker counts it. */
	uint64_t memory_bytes;
	uint64_t memory_limit_bytes;	  /* CGROUP_MAX: none */
	uint64_t read_bytes, write_bytes; /* of one device */
	uint64_t pids;			  /* and threads */
	uint64_t oom_kills;
};

/**
 * cgroup_stat_read - look at all of it
 * @device: whose io; others' would count twice what passes through a stack of
 *	devices
 *
 * IMG_E_NOT_FOUND where the cgroup is gone.
 */
int cgroup_stat_read(int dir, dev_t device, struct cgroup_stat *ret,
		     struct img_err *err) IMG_MUST_USE;

/* Reads a device's line of io.stat. */
void cgroup_stat_parse_io(const char *text, dev_t device,
			  struct cgroup_stat *ret);

#endif
