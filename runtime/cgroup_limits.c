#include "runtime/cgroup_limits.h"

#include "base/cleanup.h"
#include "runtime/cgroup_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define PERIOD_US 100000

/* One file of one cgroup, and who wants it written. */
struct writing {
	int dir;
	struct cgroup_missing *missing;
	struct img_err *err;
};

bool cgroup_limits_any(const struct cgroup_limits *l)
{
	return l->memory_bytes || l->memory_swap_bytes || l->memory_low_bytes ||
	       l->cpu_quota_us || l->cpu_period_us || l->cpu_shares ||
	       l->cpus || l->mems || l->pids || l->io_weight || l->n_io;
}

/* Source: the conversion that crun and kubernetes have; ends meet ends. */
uint64_t cgroup_weight_of_shares(uint64_t shares)
{
	if (shares < 2)
		shares = 2;
	if (shares > 262144)
		shares = 262144;
	return 1 + (shares - 2) * 9999 / 262142;
}

uint64_t cgroup_weight_of_blkio(unsigned weight)
{
	return 1 + ((uint64_t)weight - 10) * 9999 / 990;
}

static int put(const struct writing *w, const char *file, const char *text,
	       const char *option)
{
	struct img_err why = { 0 };
	int r = cgroup_write(w->dir, file, text, &why);

	if (r == -IMG_E_NOT_FOUND) {
		*w->missing = (struct cgroup_missing){ .option = option };
		return -IMG_E_UNSUPPORTED;
	}
	if (r < 0)
		return img_err_set(w->err, why.code, 0, "%s: %s", option,
				   why.msg);
	return 0;
}

/* As put; names the controller of a file that is missing. */
static int set(const struct writing *w, const char *controller,
	       const char *file, const char *text, const char *option)
{
	int r = put(w, file, text, option);

	if (r == -IMG_E_UNSUPPORTED && w->missing->option == option)
		w->missing->controller = controller;
	return r;
}

static const char *number(int64_t value, char *out, size_t size)
{
	if (value < 0)
		(void)snprintf(out, size, "max");
	else
		(void)snprintf(out, size, "%" PRId64, value);
	return out;
}

/* What swap may hold beside memory; docker counts both together. */
static int64_t swap_alone(const struct cgroup_limits *l)
{
	if (l->memory_swap_bytes < 0 || l->memory_bytes < 0)
		return CGROUP_UNLIMITED;
	if (l->memory_swap_bytes == 0)
		return l->memory_bytes;
	return l->memory_swap_bytes - l->memory_bytes;
}

static int set_swap(const struct writing *w, const struct cgroup_limits *l)
{
	char text[32];
	int r;

	(void)number(swap_alone(l), text, sizeof(text));
	r = set(w, "memory", "memory.swap.max", text, "--memory-swap");
	/* A kernel without swap has no limit of it, and no need for one. */
	if (r == -IMG_E_UNSUPPORTED && l->memory_swap_bytes == 0) {
		*w->missing = (struct cgroup_missing){ 0 };
		return 0;
	}
	return r;
}

static int set_memory(const struct writing *w, const struct cgroup_limits *l)
{
	char text[32];
	int r = 0;

	if (l->memory_bytes)
		r = set(w, "memory", "memory.max",
			number(l->memory_bytes, text, sizeof(text)),
			"--memory");
	if (r == 0 && (l->memory_bytes || l->memory_swap_bytes))
		r = set_swap(w, l);
	if (r == 0 && l->memory_low_bytes)
		r = set(w, "memory", "memory.low",
			number(l->memory_low_bytes, text, sizeof(text)),
			"--memory-reservation");
	return r;
}

static int set_cpu(const struct writing *w, const struct cgroup_limits *l)
{
	char quota[32], text[64];
	int r = 0;

	if (l->cpu_quota_us || l->cpu_period_us) {
		(void)snprintf(text, sizeof(text), "%s %" PRIu64,
			       number(l->cpu_quota_us ? l->cpu_quota_us
						      : CGROUP_UNLIMITED,
				      quota, sizeof(quota)),
			       l->cpu_period_us ? l->cpu_period_us : PERIOD_US);
		r = set(w, "cpu", "cpu.max", text, "--cpus");
	}
	if (r == 0 && l->cpu_shares) {
		(void)snprintf(text, sizeof(text), "%" PRIu64,
			       cgroup_weight_of_shares(l->cpu_shares));
		r = set(w, "cpu", "cpu.weight", text, "--cpu-shares");
	}
	if (r == 0 && l->cpus)
		r = set(w, "cpuset", "cpuset.cpus", l->cpus, "--cpuset-cpus");
	if (r == 0 && l->mems)
		r = set(w, "cpuset", "cpuset.mems", l->mems, "--cpuset-mems");
	return r;
}

static int set_weight(const struct writing *w, const struct cgroup_limits *l)
{
	char text[32];
	int r;

	if (!l->io_weight)
		return 0;
	(void)snprintf(text, sizeof(text), "default %u", l->io_weight);
	/* Where the BFQ scheduler is in charge its file is there, with
	 * docker's own range. */
	r = put(w, "io.bfq.weight", text, "--blkio-weight");
	if (r != -IMG_E_UNSUPPORTED)
		return r;
	*w->missing = (struct cgroup_missing){ 0 };
	(void)snprintf(text, sizeof(text), "default %" PRIu64,
		       cgroup_weight_of_blkio(l->io_weight));
	return set(w, "io", "io.weight", text, "--blkio-weight");
}

static int find_device(const struct cgroup_io *io, dev_t root, dev_t *ret,
		       struct img_err *err)
{
	struct stat st;

	*ret = root;
	if (!io->device)
		return 0;
	if (stat(io->device, &st) != 0)
		return img_err_sys(err, "cannot limit the device %s",
				   io->device);
	if (!S_ISBLK(st.st_mode))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "cannot limit %s: it is not a block device",
				   io->device);
	*ret = st.st_rdev;
	return 0;
}

static int set_io(const struct writing *w, const struct cgroup_limits *l,
		  dev_t root)
{
	static const struct {
		const char *key, *option;
	} kinds[CGROUP_IO_KINDS] = {
		[CGROUP_IO_READ_BPS] = { "rbps", "--device-read-bps" },
		[CGROUP_IO_WRITE_BPS] = { "wbps", "--device-write-bps" },
		[CGROUP_IO_READ_IOPS] = { "riops", "--device-read-iops" },
		[CGROUP_IO_WRITE_IOPS] = { "wiops", "--device-write-iops" },
	};
	int r = set_weight(w, l);

	for (size_t i = 0; r == 0 && i < l->n_io; i++) {
		const struct cgroup_io *io = &l->io[i];
		char rate[32], text[96];
		dev_t device;

		r = find_device(io, root, &device, w->err);
		if (r < 0)
			return r;
		(void)snprintf(text, sizeof(text), "%u:%u %s=%s", major(device),
			       minor(device), kinds[io->kind].key,
			       number(io->rate ? (int64_t)io->rate
					       : CGROUP_UNLIMITED,
				      rate, sizeof(rate)));
		r = set(w, "io", "io.max", text, kinds[io->kind].option);
	}
	return r;
}

int cgroup_limits_set(int dir, const struct cgroup_limits *l, dev_t root_device,
		      struct cgroup_missing *missing, struct img_err *err)
{
	const struct writing w = { .dir = dir, .missing = missing, .err = err };
	char text[32];
	int r;

	*missing = (struct cgroup_missing){ 0 };
	if ((r = set_memory(&w, l)) < 0 || (r = set_cpu(&w, l)) < 0 ||
	    (r = set_io(&w, l, root_device)) < 0)
		return r;
	return l->pids ? set(&w, "pids", "pids.max",
			     number(l->pids, text, sizeof(text)),
			     "--pids-limit")
		       : 0;
}
