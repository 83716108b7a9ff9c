#ifndef IMG_CLI_LIMITS_H
#define IMG_CLI_LIMITS_H

/*
 * What a container may use: options of `run` and `update`, and the same in
 * "HostConfig", under docker's names.
 */
#include "base/err.h"
#include "cli/options.h"
#include "runtime/cgroup_limits.h"

#include <jansson.h>

/* As typed; zero-initialised: nothing is asked for. */
struct limit_options {
	const char *memory, *memory_swap, *memory_reservation;
	const char *cpus, *cpu_quota, *cpu_period, *cpu_shares;
	const char *cpuset_cpus, *cpuset_mems;
	const char *pids, *blkio_weight;
	struct text_list io[CGROUP_IO_KINDS];
};

/* What only `run` takes. */
struct limit_run_options {
	const char *cgroup_parent, *oom_score;
	bool oom_kill_disable;
};

#define LIMIT_ROW(letter_, name_, arg_, help_, base_, member_)                 \
	OPTION_ROW(letter_, name_, arg_, help_, OPTION_TEXT, base_,            \
		   struct limit_options, member_)
#define LIMIT_IO_ROW(name_, arg_, help_, base_, kind_)                         \
	OPTION_ROW(0, name_, arg_, help_, OPTION_LIST, base_,                  \
		   struct limit_options, io[kind_])

/* Rows of a verb's table; @base: where in its struct the options are. */
#define LIMIT_ROWS(base)                                                       \
	LIMIT_ROW(0, "blkio-weight", "WEIGHT",                                 \
		  "share of the disks' time, 10 to 1000 [500]", base,          \
		  blkio_weight),                                               \
		LIMIT_ROW(0, "cpu-period", "MICROSECONDS",                     \
			  "length of the period of a quota [100000]", base,    \
			  cpu_period),                                         \
		LIMIT_ROW(0, "cpu-quota", "MICROSECONDS",                      \
			  "processor time in each period, -1: any", base,      \
			  cpu_quota),                                          \
		LIMIT_ROW('c', "cpu-shares", "SHARES",                         \
			  "share of the processors, 2 to 262144 [1024]", base, \
			  cpu_shares),                                         \
		LIMIT_ROW(0, "cpus", "NUMBER",                                 \
			  "processors at most, as in 1.5", base, cpus),        \
		LIMIT_ROW(0, "cpuset-cpus", "LIST",                            \
			  "which processors, as in 0-2,7", base, cpuset_cpus), \
		LIMIT_ROW(0, "cpuset-mems", "LIST",                            \
			  "which memory nodes, as in 0,1", base, cpuset_mems), \
		LIMIT_IO_ROW("device-read-bps", "[DEVICE:]SIZE",               \
			     "bytes read a second [of its own disk]", base,    \
			     CGROUP_IO_READ_BPS),                              \
		LIMIT_IO_ROW("device-read-iops", "[DEVICE:]NUMBER",            \
			     "reads a second", base, CGROUP_IO_READ_IOPS),     \
		LIMIT_IO_ROW("device-write-bps", "[DEVICE:]SIZE",              \
			     "bytes written a second", base,                   \
			     CGROUP_IO_WRITE_BPS),                             \
		LIMIT_IO_ROW("device-write-iops", "[DEVICE:]NUMBER",           \
			     "writes a second", base, CGROUP_IO_WRITE_IOPS),   \
		LIMIT_ROW('m', "memory", "SIZE", "memory at most", base,       \
			  memory),                                             \
		LIMIT_ROW(0, "memory-reservation", "SIZE",                     \
			  "memory that is taken back last", base,              \
			  memory_reservation),                                 \
		LIMIT_ROW(0, "memory-swap", "SIZE",                            \
			  "memory and swap, -1: any [twice the memory]", base, \
			  memory_swap),                                        \
		LIMIT_ROW(0, "pids-limit", "NUMBER",                           \
			  "processes and threads, -1: any [2048]", base, pids)

#define LIMIT_RUN_ROW(name_, arg_, help_, kind_, base_, member_)               \
	OPTION_ROW(0, name_, arg_, help_, kind_, base_,                        \
		   struct limit_run_options, member_)
#define LIMIT_RUN_ROWS(base)                                                   \
	LIMIT_RUN_ROW("cgroup-parent", "PATH",                                 \
		      "cgroup to make the container's in [img]", OPTION_TEXT,  \
		      base, cgroup_parent),                                    \
		LIMIT_RUN_ROW("oom-kill-disable", NULL,                        \
			      "not possible with cgroups of version 2",        \
			      OPTION_FLAG, base, oom_kill_disable),            \
		LIMIT_RUN_ROW("oom-score-adj", "NUMBER",                       \
			      "when the host is out of memory: -1000, never, " \
			      "to 1000, first",                                \
			      OPTION_TEXT, base, oom_score)

/**
 * limits_put - enter options into a HostConfig
 * @host: what is there and not asked for is kept
 *
 * Returns 0, or IMG_E_INPUT where an option, or what comes of it together with
 * what was there, makes no sense.
 */
int limits_put(json_t *host, const struct limit_options *o,
	       struct img_err *err) IMG_MUST_USE;
int limits_put_run(json_t *host, const struct limit_run_options *o,
		   struct img_err *err) IMG_MUST_USE;

/**
 * limits_get - read them back
 * @ret: borrows from @host, and from *@ret_io
 * @ret_io: the caller frees it
 */
void limits_get(json_t *host, struct cgroup_limits *ret,
		struct cgroup_io **ret_io);

#endif
