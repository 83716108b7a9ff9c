#include "tests/lib/fake_snap.h"

#include "base/num.h"
#include "tests/lib/fake_pool.h"
#include "tests/lib/fault.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* drivers/md/dm-snap-persistent.c */
#define MAGIC 0x70416e53u
/* Where an only exception has its data: behind the header and the area. */
#define FIRST_DATA 2u

struct table {
	unsigned lower, cow; /* loops */
	uint64_t chunk_bytes;
	bool has_cow;
};

bool fake_snap_is(const char *target)
{
	return strncmp(target, "snapshot", 8) == 0;
}

static bool parse(const char *params, struct table *ret)
{
	uint64_t sectors = 0;
	int n = sscanf(params, "7:%u 7:%u P %lu", &ret->lower, &ret->cow,
		       &sectors);

	ret->has_cow = n == 3;
	ret->chunk_bytes = sectors * SECTOR_BYTES;
	return n == 1 || n == 3;
}

bool fake_snap_uses(const struct fake_device *d, unsigned loop)
{
	struct table t;

	return d->exists && fake_snap_is(d->target) && parse(d->params, &t) &&
	       (t.lower == loop || (t.has_cow && t.cow == loop));
}

static bool same_file(const struct fake_dm *f, unsigned a, unsigned b)
{
	return strcmp(f->loop[a], f->loop[b]) == 0;
}

static void check_others(struct fake_dm *f, const struct fake_device *d,
			 const struct dm_table *table, const struct table *t)
{
	for (size_t i = 0; i < FAKE_DM_DEVICES; i++) {
		const struct fake_device *other = &f->device[i];
		struct table o;

		if (!other->exists || other == d ||
		    !fake_snap_is(other->target) || !parse(other->params, &o))
			continue;
		if (t->has_cow && o.has_cow && same_file(f, o.cow, t->cow))
			fake_violate(f, "two devices have one store");
		if (!same_file(f, o.lower, t->lower))
			continue;
		if (strcmp(table->target, "snapshot-merge") == 0 ||
		    strcmp(other->target, "snapshot-merge") == 0)
			fake_violate(f, "a merge below another snapshot");
		if (strcmp(other->target, "snapshot-origin") == 0 &&
		    !other->suspended && !d->target[0])
			fake_violate(f, "a snapshot is loaded and its origin "
					"not suspended");
	}
}

int fake_snap_load(struct fake_dm *f, const struct fake_device *d,
		   const struct dm_name *name, const struct dm_table *table,
		   struct img_err *err)
{
	bool origin = strcmp(table->target, "snapshot-origin") == 0;
	struct table t;

	if (!parse(table->params, &t) || t.has_cow == origin ||
	    t.lower >= f->loops || !f->loop[t.lower][0] ||
	    (t.has_cow && (t.cow >= f->loops || !f->loop[t.cow][0])))
		return fake_no(IMG_E_SYS, EINVAL, name, "load a table into",
			       err);
	if (t.has_cow && d->target[0] && strcmp(d->target, "snapshot") == 0 &&
	    !d->suspended)
		fake_violate(f, "a store is read while it is written");
	check_others(f, d, table, &t);
	return 0;
}

void fake_snap_node(const struct fake_dm *f, const struct fake_device *d,
		    char out[DM_NODE_MAX])
{
	const char *what = strrchr(d->name, '-');
	struct table t;

	assert_true(parse(d->params, &t));
	if (t.has_cow)
		(void)snprintf(out, DM_NODE_MAX, "%s/snap%s", f->dir, what);
	else
		(void)snprintf(out, DM_NODE_MAX, "%.63s", f->loop[t.lower]);
}

static void read_at(const char *path, uint64_t at, char *bytes, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : pread(fd, bytes, size, (off_t)at);

	if (fd >= 0)
		(void)close(fd);
	assert_true(n >= 0);
	memset(bytes + n, 0, size - (size_t)n);
}

static void write_at(const char *path, uint64_t at, const void *bytes,
		     size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	fault_pause();
	assert_int_equal(pwrite(fd, bytes, size, (off_t)at), size);
	fault_go_on();
	(void)close(fd);
}

/* True when the store has an exception; it is of chunk 0. */
static bool has_exception(const struct fake_dm *f, const struct table *t)
{
	uint64_t pair[2];

	read_at(f->loop[t->cow], t->chunk_bytes, (char *)pair, sizeof(pair));
	return pair[1] != 0;
}

/* The device reads as its store says, where that says something. */
void fake_snap_begin(struct fake_dm *f, const struct fake_device *d)
{
	char path[DM_NODE_MAX], bytes[FAKE_DM_BYTES];
	uint32_t header[4];
	struct table t;

	if (!parse(d->params, &t) || !t.has_cow)
		return;
	read_at(f->loop[t.cow], 0, (char *)header, sizeof(header));
	if (header[0] == 0) {
		header[0] = htole32(MAGIC);
		header[1] = header[2] = htole32(1);
		header[3] = htole32((uint32_t)(t.chunk_bytes / SECTOR_BYTES));
		write_at(f->loop[t.cow], 0, header, sizeof(header));
	}
	if (strcmp(d->target, "snapshot") != 0)
		return;
	if (has_exception(f, &t))
		read_at(f->loop[t.cow], FIRST_DATA * t.chunk_bytes, bytes,
			sizeof(bytes));
	else
		read_at(f->loop[t.lower], 0, bytes, sizeof(bytes));
	fake_snap_node(f, d, path);
	write_at(path, 0, bytes, sizeof(bytes));
}

void fake_snap_flush(struct fake_dm *f, const struct fake_device *d)
{
	char path[DM_NODE_MAX], now[FAKE_DM_BYTES], base[FAKE_DM_BYTES];
	const uint64_t pair[2] = { 0, htole64(FIRST_DATA) };
	struct table t;

	if (strcmp(d->target, "snapshot") != 0 || !parse(d->params, &t))
		return;
	fake_snap_node(f, d, path);
	read_at(path, 0, now, sizeof(now));
	read_at(f->loop[t.lower], 0, base, sizeof(base));
	if (memcmp(now, base, sizeof(now)) == 0 && !has_exception(f, &t))
		return;
	write_at(f->loop[t.cow], FIRST_DATA * t.chunk_bytes, now, sizeof(now));
	write_at(f->loop[t.cow], t.chunk_bytes, pair, sizeof(pair));
}

void fake_snap_removed(struct fake_dm *f, const struct fake_device *d)
{
	struct table t;

	if (strcmp(d->target, "snapshot") != 0 || !parse(d->params, &t))
		return;
	for (size_t i = 0; i < FAKE_DM_DEVICES; i++) {
		const struct fake_device *other = &f->device[i];
		struct table o;

		if (other->exists && !other->suspended &&
		    strcmp(other->target, "snapshot-origin") == 0 &&
		    parse(other->params, &o) && o.lower == t.lower)
			fake_violate(f, "a snapshot goes and its origin is "
					"not suspended");
	}
}

/* The kernel goes on with it, whoever asks. */
static void merge_one(struct fake_dm *f, const struct table *t)
{
	const uint64_t none[2] = { 0, 0 };
	char bytes[FAKE_DM_BYTES];

	read_at(f->loop[t->cow], FIRST_DATA * t->chunk_bytes, bytes,
		sizeof(bytes));
	write_at(f->loop[t->lower], 0, bytes, sizeof(bytes));
	write_at(f->loop[t->cow], t->chunk_bytes, none, sizeof(none));
}

void fake_snap_status(struct fake_dm *f, const struct fake_device *d, char *out,
		      size_t size)
{
	unsigned metadata, allocated;
	struct table t;

	out[0] = '\0';
	if (!parse(d->params, &t) || !t.has_cow)
		return;
	metadata = (unsigned)(FIRST_DATA * t.chunk_bytes / SECTOR_BYTES);
	allocated = metadata;
	if (has_exception(f, &t))
		allocated += (unsigned)(t.chunk_bytes / SECTOR_BYTES);
	(void)snprintf(out, size, "%u/100000 %u", allocated, metadata);
	if (strcmp(d->target, "snapshot-merge") == 0 && allocated != metadata)
		merge_one(f, &t);
}
