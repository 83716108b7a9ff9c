#include "tests/lib/fake_block.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "storage/loop.h"
#include "tests/lib/fake_pool.h"
#include "tests/lib/fake_snap.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#define LOOP_MAJOR 7

/* True when a snapshot device but @but lies on a loop. */
static bool is_held(const struct fake_dm *f, const struct fake_device *but,
		    unsigned loop)
{
	for (size_t i = 0; i < FAKE_DM_DEVICES; i++)
		if (&f->device[i] != but && fake_snap_uses(&f->device[i], loop))
			return true;
	return false;
}

void fake_block_gone(struct fake_dm *f, const struct fake_device *d)
{
	unsigned meta, data;

	if (strcmp(d->target, "thin-pool") == 0 &&
	    sscanf(d->params, "7:%u 7:%u", &meta, &data) == 2) {
		f->loop[meta][0] = '\0';
		f->loop[data][0] = '\0';
	}
	for (unsigned i = 0; fake_snap_is(d->target) && i < f->loops; i++)
		if (fake_snap_uses(d, i) && !is_held(f, d, i))
			f->loop[i][0] = '\0';
}

int fake_block_refresh(void *self, dev_t dev, struct img_err *err)
{
	img_auto(fake_leave) struct fake_dm *f = fake_enter(self);
	int r = fake_step(f, "refresh", err);

	if (r == 0 && (major(dev) != LOOP_MAJOR || minor(dev) >= f->loops))
		fake_violate(f, "no loop device is refreshed");
	return r;
}

int fake_block_attach(void *self, const char *path, struct loop *ret,
		      struct img_err *err)
{
	img_auto(fake_leave) struct fake_dm *f = fake_enter(self);
	int r = fake_step(f, "attach", err);

	if (r < 0)
		return r;
	ret->fd = open(path, O_RDWR | O_CLOEXEC);
	if (ret->fd < 0)
		return img_err_sys(err, "cannot open %s", path);
	assert_true(f->loops < FAKE_DM_LOOPS);
	(void)snprintf(f->loop[f->loops], sizeof(f->loop[0]), "%s", path);
	ret->dev = makedev(LOOP_MAJOR, f->loops++);
	return 0;
}

int fake_block_holders(void *self, dev_t dev, unsigned *ret,
		       struct img_err *err)
{
	img_auto(fake_leave) struct fake_dm *f = fake_enter(self);
	int r = fake_step(f, "count the holders", err);

	*ret = 0;
	for (size_t i = 0; r == 0 && i < FAKE_DM_DEVICES; i++)
		*ret += fake_snap_uses(&f->device[i], minor(dev));
	return r;
}

/* Loops that no table names are leaked: nobody opens one for long. */
static bool loop_is_used(const struct fake_dm *f, unsigned loop)
{
	for (size_t i = 0; i < FAKE_DM_DEVICES; i++) {
		unsigned meta, data;

		if (fake_snap_uses(&f->device[i], loop))
			return true;
		if (f->device[i].exists &&
		    sscanf(f->device[i].params, "7:%u 7:%u", &meta, &data) ==
			    2 &&
		    (meta == loop || data == loop))
			return true;
	}
	return false;
}

/* Not under the lock: the callee asks for more. */
int fake_block_each(void *self, dm_block_fn *fn, void *fn_self,
		    struct img_err *err)
{
	struct fake_dm *f = self;
	int r = fake_step(f, "list the devices", err);

	for (size_t i = 0; r == 0 && i < FAKE_DM_DEVICES; i++) {
		struct dm_block block = { 0 };
		const struct fake_device *d = &f->device[i];

		if (!d->exists)
			continue;
		memcpy(block.name.name, d->name, sizeof(d->name));
		memcpy(block.name.uuid, d->uuid, sizeof(d->uuid));
		block.dev = fake_dev_of(f, d);
		block.size_bytes = d->len_sectors * SECTOR_BYTES;
		r = fn(fn_self, &block, err);
	}
	for (unsigned i = 0; r == 0 && i < f->loops; i++) {
		struct dm_block block = { .is_loop = true };

		if (!f->loop[i][0])
			continue;
		memcpy(block.file, f->loop[i], sizeof(f->loop[i]));
		block.dev = makedev(LOOP_MAJOR, i);
		block.is_used = loop_is_used(f, i);
		r = fn(fn_self, &block, err);
	}
	return r;
}

int fake_block_detach(void *self, dev_t dev, struct img_err *err)
{
	img_auto(fake_leave) struct fake_dm *f = fake_enter(self);
	int r = fake_step(f, "detach", err);

	if (r == 0)
		f->loop[minor(dev)][0] = '\0';
	return r;
}
