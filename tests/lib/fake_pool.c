#include "tests/lib/fake_pool.h"

#include "base/num.h"
#include "tests/lib/fake_meta.h"
#include "tests/lib/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

int fake_no(enum img_code code, int e, const struct dm_name *name,
	    const char *what, struct img_err *err)
{
	return img_err_set(err, code, e, "cannot %s %s", what, name->name);
}

void fake_violate(struct fake_dm *f, const char *what)
{
	if (!f->violation[0])
		(void)snprintf(f->violation, sizeof(f->violation), "%s", what);
}

static struct fake_thin *find_thin(struct fake_dm *f, uint32_t id)
{
	for (size_t i = 0; i < FAKE_DM_THINS; i++)
		if (f->thin[i].exists && f->thin[i].id == id)
			return &f->thin[i];
	return NULL;
}

static struct fake_device *find_active(struct fake_dm *f, uint32_t id)
{
	for (size_t i = 0; i < FAKE_DM_DEVICES; i++) {
		struct fake_device *d = &f->device[i];
		unsigned of;

		if (d->exists && strcmp(d->target, "thin") == 0 &&
		    sscanf(d->params, "%*u:%*u %u", &of) == 1 && of == id)
			return d;
	}
	return NULL;
}

void fake_thin_path(const struct fake_dm *f, uint32_t id, char out[64])
{
	(void)snprintf(out, 64, "%s/thin-%" PRIu32, f->dir, id);
}

static int by_id(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static size_t list_thins(const struct fake_dm *f, uint32_t ids[FAKE_DM_THINS])
{
	size_t n = 0;

	for (size_t i = 0; i < FAKE_DM_THINS; i++)
		if (f->thin[i].exists)
			ids[n++] = f->thin[i].id;
	qsort(ids, n, sizeof(ids[0]), by_id);
	return n;
}

/* What the pool commits. */
void fake_pool_commit(struct fake_dm *f)
{
	struct fake_device *pool = fake_dm_find(f, "pool");
	unsigned loop, chunk_sectors;
	uint32_t ids[FAKE_DM_THINS];
	size_t n;

	if (!pool || sscanf(pool->params, "%*u:%u %*u:%*u %u", &loop,
			    &chunk_sectors) != 2)
		return;
	n = list_thins(f, ids);
	fake_meta_write(
		f->loop[loop],
		&(struct fake_meta){
			.ids = ids,
			.n = n,
			.is_held = f->is_held,
			.held_ids = f->held,
			.n_held = f->n_held,
			.time = f->time,
			.chunk_bytes = (uint64_t)chunk_sectors * SECTOR_BYTES,
			.data_blocks = pool->len_sectors / chunk_sectors,
		});
}

static int add_thin(struct fake_dm *f, const struct dm_name *pool, uint32_t id,
		    struct img_err *err)
{
	char path[64];
	int fd;

	if (id > 0xffffff)
		return fake_no(IMG_E_SYS, EINVAL, pool, "send a message to",
			       err);
	if (find_thin(f, id))
		return fake_no(IMG_E_EXISTS, EEXIST, pool, "send a message to",
			       err);
	for (size_t i = 0; i < FAKE_DM_THINS; i++)
		if (!f->thin[i].exists) {
			f->thin[i] = (struct fake_thin){ id, true };
			fake_thin_path(f, id, path);
			fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
				  0600);
			assert_true(fd >= 0);
			(void)close(fd); /* only made */
			return 0;
		}
	fail_msg("the fake has no room for volume %u", id);
	return 0;
}

/* A snapshot has what its origin has. */
static void copy_thin(struct fake_dm *f, uint32_t from, uint32_t to)
{
	char path[64], bytes[FAKE_DM_BYTES];
	ssize_t n;
	int fd;

	fake_thin_path(f, from, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, bytes, sizeof(bytes));
	(void)close(fd);
	fake_thin_path(f, to, path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(n >= 0 && write(fd, bytes, (size_t)n) == n);
	(void)close(fd);
}

static int create_snap(struct fake_dm *f, const struct dm_name *pool,
		       uint32_t id, uint32_t origin, struct img_err *err)
{
	const struct fake_device *active = find_active(f, origin);
	int r;

	if (!find_thin(f, origin))
		return fake_no(IMG_E_NOT_FOUND, ENODATA, pool,
			       "send a message to", err);
	if (active && !active->suspended)
		fake_violate(f, "create_snap of an active origin");
	r = add_thin(f, pool, id, err);
	if (r == 0)
		copy_thin(f, origin, id);
	return r;
}

static int delete_thin(struct fake_dm *f, const struct dm_name *pool,
		       uint32_t id, struct img_err *err)
{
	struct fake_thin *thin = find_thin(f, id);
	char path[64];

	if (!thin)
		return fake_no(IMG_E_NOT_FOUND, ENODATA, pool,
			       "send a message to", err);
	if (find_active(f, id))
		return fake_no(IMG_E_BUSY, EBUSY, pool, "send a message to",
			       err);
	thin->exists = false;
	f->went_for_good = fault_log_is_synced();
	fake_thin_path(f, id, path);
	(void)unlink(path); /* of nobody any more */
	return 0;
}

static int reserve(struct fake_dm *f, const struct dm_name *pool,
		   struct img_err *err)
{
	if (f->is_held)
		return fake_no(IMG_E_BUSY, EBUSY, pool, "send a message to",
			       err);
	f->is_held = true;
	f->n_held = list_thins(f, f->held);
	return 0;
}

static int release(struct fake_dm *f, const struct dm_name *pool,
		   struct img_err *err)
{
	if (!f->is_held)
		return fake_no(IMG_E_SYS, EINVAL, pool, "send a message to",
			       err);
	f->is_held = false;
	return 0;
}

int fake_pool_message(struct fake_dm *f, const struct dm_name *pool,
		      const char *text, struct img_err *err)
{
	uint32_t id, origin;
	int r;

	if (f->refuses)
		r = fake_no(IMG_E_SYS, EOPNOTSUPP, pool, "send a message to",
			    err);
	else if (sscanf(text, "create_thin %" SCNu32, &id) == 1)
		r = add_thin(f, pool, id, err);
	else if (sscanf(text, "create_snap %" SCNu32 " %" SCNu32, &id,
			&origin) == 2)
		r = create_snap(f, pool, id, origin, err);
	else if (sscanf(text, "delete %" SCNu32, &id) == 1)
		r = delete_thin(f, pool, id, err);
	else if (strcmp(text, "reserve_metadata_snap") == 0)
		r = reserve(f, pool, err);
	else if (strcmp(text, "release_metadata_snap") == 0)
		r = release(f, pool, err);
	else
		r = fake_no(IMG_E_SYS, EINVAL, pool, "send a message to", err);
	if (r == 0)
		fake_pool_commit(f);
	return r;
}

bool fake_dm_has_thin(const struct fake_dm *fake, uint32_t id)
{
	for (size_t i = 0; i < FAKE_DM_THINS; i++)
		if (fake->thin[i].exists && fake->thin[i].id == id)
			return true;
	return false;
}

void fake_dm_add_thin(struct fake_dm *fake, uint32_t id)
{
	const struct dm_name pool = { .name = "pool" };
	struct img_err err = { 0 };

	assert_int_equal(add_thin(fake, &pool, id, &err), 0);
	fake_pool_commit(fake);
}

void fake_dm_remove_thin(struct fake_dm *fake, uint32_t id)
{
	for (size_t i = 0; i < FAKE_DM_THINS; i++)
		if (fake->thin[i].id == id)
			fake->thin[i].exists = false;
	fake_pool_commit(fake);
}

size_t fake_dm_count_thins(const struct fake_dm *fake)
{
	size_t n = 0;

	for (size_t i = 0; i < FAKE_DM_THINS; i++)
		n += fake->thin[i].exists;
	return n;
}
