#include "runtime/cgroup_stat.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "runtime/cgroup_file.h"
#include "runtime/cgroup_state.h"

#include <inttypes.h>
#include <string.h>
#include <sys/sysmacros.h>

#define TEXT_MAX ((size_t)1 << 20)

static uint64_t number(int dir, const char *file)
{
	struct img_err none = { 0 };
	uint64_t value;

	return cgroup_read_number(dir, file, &value, &none) < 0 ? CGROUP_UNKNOWN
								: value;
}

static uint64_t memory(int dir)
{
	img_auto(img_mem_release) char *text = NULL;
	uint64_t all = number(dir, "memory.current"), files = 0;
	struct img_err none = { 0 };

	if (all != CGROUP_UNKNOWN && file_read_all(dir, "memory.stat", TEXT_MAX,
						   &text, NULL, &none) == 0)
		IMG_IGNORE(cgroup_find_key(text, "inactive_file", &files));
	return all == CGROUP_UNKNOWN || files > all ? all : all - files;
}

void cgroup_stat_parse_io(const char *text, dev_t device,
			  struct cgroup_stat *ret)
{
	char begin[32];
	size_t len = (size_t)snprintf(begin, sizeof(begin), "%u:%u ",
				      major(device), minor(device));

	ret->read_bytes = ret->write_bytes = 0;
	for (const char *at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, begin, len) == 0 &&
		    sscanf(at + len, "rbytes=%" SCNu64 " wbytes=%" SCNu64,
			   &ret->read_bytes, &ret->write_bytes) == 2)
			return;
	}
}

int cgroup_stat_read(int dir, dev_t device, struct cgroup_stat *ret,
		     struct img_err *err)
{
	img_auto(img_mem_release) char *io = NULL;
	struct img_err none = { 0 };
	char text[4096];
	int r = cgroup_read(dir, "cpu.stat", text, sizeof(text), err);

	if (r < 0)
		return r;
	*ret = (struct cgroup_stat){
		.cpu_us = CGROUP_UNKNOWN,
		.read_bytes = CGROUP_UNKNOWN,
		.write_bytes = CGROUP_UNKNOWN,
		.memory_bytes = memory(dir),
		.memory_limit_bytes = number(dir, "memory.max"),
		.pids = number(dir, "pids.current"),
		.oom_kills = cgroup_oom_kills(dir),
	};
	IMG_IGNORE(cgroup_find_key(text, "usage_usec", &ret->cpu_us));
	if (file_read_all(dir, "io.stat", TEXT_MAX, &io, NULL, &none) == 0)
		cgroup_stat_parse_io(io, device, ret);
	return 0;
}
