#include "cli/limits.h"

#include "base/num.h"
#include "base/str.h"
#include "image/config.h"
#include "runtime/cgroup_tree.h"
#include "runtime/oom_score.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_MIN (6 * MIB) /* docker's: less, and nothing starts */

static const char *const io_keys[CGROUP_IO_KINDS] = {
	[CGROUP_IO_READ_BPS] = "BlkioDeviceReadBps",
	[CGROUP_IO_WRITE_BPS] = "BlkioDeviceWriteBps",
	[CGROUP_IO_READ_IOPS] = "BlkioDeviceReadIOps",
	[CGROUP_IO_WRITE_IOPS] = "BlkioDeviceWriteIOps",
};
static const char *const io_options[CGROUP_IO_KINDS] = {
	[CGROUP_IO_READ_BPS] = "--device-read-bps",
	[CGROUP_IO_WRITE_BPS] = "--device-write-bps",
	[CGROUP_IO_READ_IOPS] = "--device-read-iops",
	[CGROUP_IO_WRITE_IOPS] = "--device-write-iops",
};

static json_int_t get(json_t *host, const char *key)
{
	return json_integer_value(json_object_get(host, key));
}

static void put(json_t *host, const char *key, int64_t value)
{
	(void)json_object_set_new(host, key, json_integer(value));
}

/* Where nothing was said the field is there all the same, as docker has it. */
static void put_nothing(json_t *host)
{
	static const char *const numbers[] = {
		"Memory",   "MemorySwap", "MemoryReservation",
		"NanoCpus", "CpuShares",  "CpuPeriod",
		"CpuQuota", "PidsLimit",  "BlkioWeight",
	};
	static const char *const texts[] = { "CpusetCpus", "CpusetMems" };

	for (size_t i = 0; i < IMG_COUNT(numbers); i++)
		if (!json_object_get(host, numbers[i]))
			put(host, numbers[i], 0);
	for (size_t i = 0; i < IMG_COUNT(texts); i++)
		if (!json_object_get(host, texts[i]))
			(void)json_object_set_new(host, texts[i],
						  json_string(""));
	for (size_t i = 0; i < CGROUP_IO_KINDS; i++)
		if (!json_object_get(host, io_keys[i]))
			(void)json_object_set_new(host, io_keys[i],
						  json_array());
}

/* A size, or "-1". */
static int put_size(json_t *host, const char *key, const char *option,
		    const char *text, bool may_be_any, struct img_err *err)
{
	uint64_t bytes = 0;
	int r;

	if (!text)
		return 0;
	if (may_be_any && strcmp(text, "-1") == 0) {
		put(host, key, CGROUP_UNLIMITED);
		return 0;
	}
	r = num_parse_size(text, option, &bytes, err);
	if (r == 0 && bytes > INT64_MAX)
		return img_err_set(err, IMG_E_INPUT, 0, "%s %s is too much",
				   option, text);
	if (r == 0)
		put(host, key, (int64_t)bytes);
	return r;
}

static int put_number(json_t *host, const char *key, const char *option,
		      const char *text, int64_t min, int64_t max,
		      struct img_err *err)
{
	char *end;
	long long value;

	if (!text)
		return 0;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (end == text || *end || errno || value < min || value > max)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "%s is a number from %lld to %lld, not "
				   "'%.80s'",
				   option, (long long)min, (long long)max,
				   text);
	put(host, key, value);
	return 0;
}

static int put_cpus(json_t *host, const char *text, struct img_err *err)
{
	char *end;
	double cpus;

	if (!text)
		return 0;
	cpus = strtod(text, &end);
	if (end == text || *end || !isdigit((unsigned char)end[-1]) ||
	    !(cpus == 0 || (cpus >= 0.01 && cpus <= 100000)))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--cpus is a number from 0.01 on, not "
				   "'%.80s'",
				   text);
	put(host, "NanoCpus", (int64_t)(cpus * 1e9 + 0.5));
	return 0;
}

/* docker's 0 is no limit; ours is where nothing was said. */
static int put_pids(json_t *host, const char *text, struct img_err *err)
{
	int r = put_number(host, "PidsLimit", "--pids-limit", text, -1, INT_MAX,
			   err);

	if (r == 0 && text && get(host, "PidsLimit") == 0)
		put(host, "PidsLimit", CGROUP_UNLIMITED);
	return r;
}

/* "0-2,7": what the kernel makes of it is told by the kernel. */
static int put_list(json_t *host, const char *key, const char *option,
		    const char *text, struct img_err *err)
{
	if (!text)
		return 0;
	if (strspn(text, "0123456789,-") != strlen(text))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "%s is a list as in 0-2,7, not '%.80s'",
				   option, text);
	(void)json_object_set_new(host, key, json_string(text));
	return 0;
}

/* "[DEVICE:]RATE", the device a path that may have colons itself. */
static int read_io(enum cgroup_io_kind kind, const char *text, json_t **ret,
		   struct img_err *err)
{
	const char *colon = strrchr(text, ':');
	const char *rate_text = colon ? colon + 1 : text;
	size_t len = colon ? (size_t)(colon - text) : 0;
	uint64_t rate = 0;
	int r;

	if (kind == CGROUP_IO_READ_BPS || kind == CGROUP_IO_WRITE_BPS)
		r = num_parse_size(rate_text, io_options[kind], &rate, err);
	else
		r = num_parse_u64(rate_text, io_options[kind], &rate, err);
	if (r < 0)
		return r;
	if ((colon && text[0] != '/') || rate > INT64_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "%s is [DEVICE:]RATE with the path of a "
				   "device, not '%.80s'",
				   io_options[kind], text);
	*ret = json_pack("{ss% sI}", "Path", text, len, "Rate",
			 (json_int_t)rate);
	if (!*ret)
		return img_err_set(err, IMG_E_INPUT, 0, "%s is not UTF-8",
				   io_options[kind]);
	return 0;
}

/* A device that is there already gets the new rate. */
static void join_io(json_t *array, json_t *one)
{
	const char *path = json_string_value(json_object_get(one, "Path"));
	json_t *there;
	size_t i;

	json_array_foreach(array, i,
			   there) if (strcmp(path,
					     json_string_value(json_object_get(
						     there, "Path"))) == 0)
	{
		(void)json_array_set_new(array, i, one);
		return;
	}
	(void)json_array_append_new(array, one);
}

static int put_io(json_t *host, const struct limit_options *o,
		  struct img_err *err)
{
	for (size_t kind = 0; kind < CGROUP_IO_KINDS; kind++) {
		const struct text_list *list = &o->io[kind];
		json_t *array = json_object_get(host, io_keys[kind]);

		for (size_t i = 0; i < list->n; i++) {
			json_t *one;
			int r = read_io(kind, list->text[i], &one, err);

			if (r < 0)
				return r;
			join_io(array, one);
		}
	}
	return 0;
}

static int check_memory(json_t *host, struct img_err *err)
{
	const int64_t memory = get(host, "Memory");
	const int64_t swap = get(host, "MemorySwap");
	const int64_t low = get(host, "MemoryReservation");

	if (memory > 0 && memory < (int64_t)MEMORY_MIN)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--memory: less than 6 MiB starts nothing");
	if (swap > 0 && memory <= 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--memory-swap counts memory as well: give "
				   "--memory, too");
	if (swap > 0 && swap < memory)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--memory-swap is memory and swap together: "
				   "it cannot be less than --memory");
	if (low > 0 && memory > 0 && low > memory)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--memory-reservation cannot be more than "
				   "--memory");
	return 0;
}

static int check(json_t *host, struct img_err *err)
{
	const int64_t weight = get(host, "BlkioWeight");

	if (get(host, "NanoCpus") &&
	    (get(host, "CpuQuota") || get(host, "CpuPeriod")))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--cpus is --cpu-quota and --cpu-period in "
				   "one: give one or the others");
	if (weight && weight < 10)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--blkio-weight is a number from 10 to "
				   "1000");
	return check_memory(host, err);
}

int limits_put(json_t *host, const struct limit_options *o, struct img_err *err)
{
	int r;

	put_nothing(host);
	if ((r = put_size(host, "Memory", "--memory", o->memory, false, err)) <
		    0 ||
	    (r = put_size(host, "MemorySwap", "--memory-swap", o->memory_swap,
			  true, err)) < 0 ||
	    (r = put_size(host, "MemoryReservation", "--memory-reservation",
			  o->memory_reservation, false, err)) < 0 ||
	    (r = put_cpus(host, o->cpus, err)) < 0 ||
	    (r = put_number(host, "CpuQuota", "--cpu-quota", o->cpu_quota, -1,
			    INT64_MAX / 1000, err)) < 0 ||
	    (r = put_number(host, "CpuPeriod", "--cpu-period", o->cpu_period, 0,
			    1000000, err)) < 0 ||
	    (r = put_number(host, "CpuShares", "--cpu-shares", o->cpu_shares, 0,
			    262144, err)) < 0 ||
	    (r = put_list(host, "CpusetCpus", "--cpuset-cpus", o->cpuset_cpus,
			  err)) < 0 ||
	    (r = put_list(host, "CpusetMems", "--cpuset-mems", o->cpuset_mems,
			  err)) < 0 ||
	    (r = put_pids(host, o->pids, err)) < 0 ||
	    (r = put_number(host, "BlkioWeight", "--blkio-weight",
			    o->blkio_weight, 0, 1000, err)) < 0 ||
	    (r = put_io(host, o, err)) < 0)
		return r;
	return check(host, err);
}

int limits_put_run(json_t *host, const struct limit_run_options *o,
		   struct img_err *err)
{
	int r = 0;

	if (o->oom_kill_disable)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "--oom-kill-disable: cgroups of version 2 "
				   "have no such thing; see --oom-score-adj");
	put(host, "OomScoreAdj", 0);
	(void)json_object_set_new(host, "OomKillDisable", json_false());
	if (o->cgroup_parent)
		r = cgroup_parent_check(o->cgroup_parent, err);
	if (r == 0 &&
	    json_object_set_new(host, "CgroupParent",
				json_string(o->cgroup_parent ? o->cgroup_parent
							     : "")) < 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--cgroup-parent is not UTF-8");
	return r < 0 ? r
		     : put_number(host, "OomScoreAdj", "--oom-score-adj",
				  o->oom_score, -OOM_SCORE_MAX, OOM_SCORE_MAX,
				  err);
}

static void get_io(json_t *host, struct cgroup_limits *ret,
		   struct cgroup_io **ret_io)
{
	struct cgroup_io *io = NULL;
	json_t *one;
	size_t i;

	for (size_t kind = 0; kind < CGROUP_IO_KINDS; kind++)
		json_array_foreach(json_object_get(host, io_keys[kind]), i, one)
		{
			io = mem_realloc(io, (ret->n_io + 1) * sizeof(*io));
			io[ret->n_io++] = (struct cgroup_io){
				.kind = kind,
				.device = image_config_string(one, "Path"),
				.rate = (uint64_t)get(one, "Rate"),
			};
		}
	*ret_io = io;
	ret->io = io;
}

void limits_get(json_t *host, struct cgroup_limits *ret,
		struct cgroup_io **ret_io)
{
	const int64_t nano = get(host, "NanoCpus");

	*ret = (struct cgroup_limits){
		.memory_bytes = get(host, "Memory"),
		.memory_swap_bytes = get(host, "MemorySwap"),
		.memory_low_bytes = get(host, "MemoryReservation"),
		/* of docker's 100 ms: a hundred thousandth is enough */
		.cpu_quota_us = nano ? nano / 10000 : get(host, "CpuQuota"),
		.cpu_period_us = (uint64_t)get(host, "CpuPeriod"),
		.cpu_shares = (uint64_t)get(host, "CpuShares"),
		.cpus = image_config_string(host, "CpusetCpus"),
		.mems = image_config_string(host, "CpusetMems"),
		.pids = get(host, "PidsLimit"),
		.io_weight = (unsigned)get(host, "BlkioWeight"),
	};
	get_io(host, ret, ret_io);
}
