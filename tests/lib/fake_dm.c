#include "tests/lib/fake_dm.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "tests/lib/fake_block.h"
#include "tests/lib/fake_pool.h"
#include "tests/lib/fake_snap.h"
#include "tests/lib/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

struct fake_dm *fake_enter(struct fake_dm *f)
{
	if (pthread_mutex_lock(&f->lock) == EOWNERDEAD)
		(void)pthread_mutex_consistent(&f->lock); /* nothing is half */
	return f;
}

void fake_leave(struct fake_dm **f)
{
	(void)pthread_mutex_unlock(&(*f)->lock); /* ours */
}

int fake_step(struct fake_dm *f, const char *what, struct img_err *err)
{
	f->calls++;
	if (f->absent)
		return img_err_set(err, IMG_E_NO_DM, 0,
				   "this kernel has no device-mapper");
	if (fault_is_due())
		return img_err_set(err, IMG_E_SYS, EIO, "injected into %s",
				   what);
	return 0;
}

dev_t fake_dev_of(const struct fake_dm *f, const struct fake_device *d)
{
	return makedev(FAKE_DM_MAJOR, (unsigned)(d - f->device));
}

static struct fake_device *find(struct fake_dm *f, const struct dm_name *name)
{
	for (size_t i = 0; i < FAKE_DM_DEVICES; i++)
		if (f->device[i].exists &&
		    strcmp(f->device[i].uuid, name->uuid) == 0)
			return &f->device[i];
	return NULL;
}

static int check_pool_table(struct fake_dm *f, const struct dm_name *name,
			    const char *params, struct img_err *err)
{
	unsigned meta, data, chunk;

	if (sscanf(params, "7:%u 7:%u %u", &meta, &data, &chunk) != 3 ||
	    meta >= f->loops || data >= f->loops || meta == data)
		return fake_no(IMG_E_SYS, EINVAL, name, "load a table into",
			       err);
	if (!strstr(f->loop[meta], "/pool/metadata") ||
	    !strstr(f->loop[data], "/pool/data"))
		fake_violate(f, "the pool's files are mixed up");
	return 0;
}

static int check_thin_table(struct fake_dm *f, const struct dm_name *name,
			    const char *params, struct img_err *err)
{
	unsigned major, minor, id;

	if (sscanf(params, "%u:%u %u", &major, &minor, &id) != 3 ||
	    major != FAKE_DM_MAJOR || minor >= FAKE_DM_DEVICES ||
	    strcmp(f->device[minor].target, "thin-pool") != 0)
		return fake_no(IMG_E_SYS, EINVAL, name, "load a table into",
			       err);
	if (!fake_dm_has_thin(f, id))
		return fake_no(IMG_E_NOT_FOUND, ENODATA, name,
			       "load a table into", err);
	return 0;
}

static int load(struct fake_dm *f, struct fake_device *d,
		const struct dm_name *name, const struct dm_table *table,
		struct img_err *err)
{
	int r;

	if (fake_snap_is(table->target))
		r = fake_snap_load(f, d, name, table, err);
	else if (strcmp(table->target, "thin-pool") == 0)
		r = check_pool_table(f, name, table->params, err);
	else
		r = check_thin_table(f, name, table->params, err);
	if (r < 0)
		return r;
	(void)snprintf(d->new_target, sizeof(d->new_target), "%s",
		       table->target);
	(void)snprintf(d->new_params, sizeof(d->new_params), "%s",
		       table->params);
	d->new_len_sectors = table->len_sectors;
	return 0;
}

/* What dm-thin sees of its two devices when it is resumed. */
static void measure(struct fake_dm *f, const struct fake_device *pool)
{
	unsigned metadata, data, chunk_sectors;
	struct stat st;

	if (sscanf(pool->params, "7:%u 7:%u %u", &metadata, &data,
		   &chunk_sectors) != 3)
		return;
	if (stat(f->loop[data], &st) == 0 &&
	    (uint64_t)st.st_size / SECTOR_BYTES < pool->len_sectors)
		fake_violate(f, "the pool is larger than its data");
	f->data_blocks = pool->len_sectors / chunk_sectors;
	if (stat(f->loop[metadata], &st) == 0)
		f->meta_blocks = (uint64_t)st.st_size / 4096;
}

static void go_on(struct fake_dm *f, struct fake_device *d)
{
	if (d->new_target[0]) {
		fake_snap_flush(f, d);
		memcpy(d->target, d->new_target, sizeof(d->target));
		memcpy(d->params, d->new_params, sizeof(d->params));
		d->len_sectors = d->new_len_sectors;
		d->new_target[0] = '\0';
		if (fake_snap_is(d->target))
			fake_snap_begin(f, d);
	}
	d->suspended = false;
	if (strcmp(d->target, "thin-pool") == 0) {
		measure(f, d);
		fake_pool_commit(f);
	}
}

static struct fake_device *add_device(struct fake_dm *f,
				      const struct dm_name *name)
{
	for (size_t i = 0; i < FAKE_DM_DEVICES; i++) {
		struct fake_device *d = &f->device[i];

		if (d->exists)
			continue;
		*d = (struct fake_device){ .exists = true };
		memcpy(d->name, name->name, sizeof(d->name));
		memcpy(d->uuid, name->uuid, sizeof(d->uuid));
		return d;
	}
	fail_msg("the fake has no room for %s", name->name);
	return NULL;
}

/* Three requests of the kernel; a process may die between any two. */
static int fake_create(void *self, const struct dm_name *name,
		       const struct dm_table *table, dev_t *ret,
		       struct img_err *err)
{
	img_auto(fake_leave) struct fake_dm *f = fake_enter(self);
	struct fake_device *d;
	int r = fake_step(f, "create", err);

	if (r < 0)
		return r;
	if (strncmp(name->uuid, DM_UUID_PREFIX, strlen(DM_UUID_PREFIX)) != 0)
		fake_violate(f, "a device of somebody else is touched");
	if (find(f, name))
		return fake_no(IMG_E_BUSY, EBUSY, name, "create the device",
			       err);
	d = add_device(f, name);
	r = fake_step(f, "load", err);
	if (r == 0)
		r = load(f, d, name, table, err);
	if (r == 0)
		r = fake_step(f, "first resume", err);
	if (r < 0) {
		d->exists = false;
		return r;
	}
	go_on(f, d);
	*ret = fake_dev_of(f, d);
	return 0;
}

static int find_step(struct fake_dm *f, const struct dm_name *name,
		     const char *what, struct fake_device **ret,
		     struct img_err *err)
{
	int r = fake_step(f, what, err);

	if (r < 0)
		return r;
	*ret = find(f, name);
	return *ret ? 0 : fake_no(IMG_E_NOT_FOUND, ENXIO, name, what, err);
}

static int fake_load(void *self, const struct dm_name *name,
		     const struct dm_table *table, struct img_err *err)
{
	img_auto(fake_leave) struct fake_dm *f = fake_enter(self);
	struct fake_device *d;
	int r = find_step(f, name, "load a table into", &d, err);

	return r < 0 ? r : load(f, d, name, table, err);
}

static int fake_suspend(void *self, const struct dm_name *name,
			struct img_err *err)
{
	img_auto(fake_leave) struct fake_dm *f = fake_enter(self);
	struct fake_device *d;
	int r = find_step(f, name, "suspend", &d, err);

	if (r < 0)
		return r;
	if (d->suspended) /* as the kernel: dm_suspend() */
		return fake_no(IMG_E_SYS, EINVAL, name, "suspend", err);
	fake_snap_flush(f, d);
	d->suspended = true;
	f->suspends++;
	return 0;
}

static int fake_resume(void *self, const struct dm_name *name,
		       struct img_err *err)
{
	img_auto(fake_leave) struct fake_dm *f = fake_enter(self);
	struct fake_device *d;
	int r = find_step(f, name, "resume", &d, err);

	if (r == 0)
		go_on(f, d);
	return r;
}

static int fake_message(void *self, const struct dm_name *name,
			const char *text, struct img_err *err)
{
	img_auto(fake_leave) struct fake_dm *f = fake_enter(self);
	struct fake_device *d;
	int r = find_step(f, name, "send a message to", &d, err);

	if (r < 0)
		return r;
	if (strcmp(d->target, "thin-pool") != 0)
		return fake_no(IMG_E_SYS, EINVAL, name, "send a message to",
			       err);
	return fake_pool_message(f, name, text, err);
}

static bool pool_is_used(const struct fake_dm *f)
{
	for (size_t i = 0; i < FAKE_DM_DEVICES; i++)
		if (f->device[i].exists &&
		    strcmp(f->device[i].target, "thin") == 0)
			return true;
	return false;
}

static int fake_remove(void *self, const struct dm_name *name,
		       struct img_err *err)
{
	img_auto(fake_leave) struct fake_dm *f = fake_enter(self);
	struct fake_device *d;
	int r = find_step(f, name, "remove", &d, err);

	if (r < 0)
		return r;
	if (d->open_count ||
	    (strcmp(d->target, "thin-pool") == 0 && pool_is_used(f)))
		return fake_no(IMG_E_BUSY, EBUSY, name, "remove", err);
	if (f->busy_removals) {
		f->busy_removals--;
		return fake_no(IMG_E_BUSY, EBUSY, name, "remove", err);
	}
	fake_snap_flush(f, d);
	fake_snap_removed(f, d);
	fake_block_gone(f, d);
	d->exists = false;
	d->target[0] = '\0';
	return 0;
}

static int fake_state(void *self, const struct dm_name *name,
		      struct dm_state *ret, struct img_err *err)
{
	img_auto(fake_leave) struct fake_dm *f = fake_enter(self);
	struct fake_device *d;
	int r = fake_step(f, "ask for the state of", err);

	*ret = (struct dm_state){ 0 };
	if (r < 0)
		return r;
	d = find(f, name);
	if (!d)
		return 0;
	*ret = (struct dm_state){
		.exists = true,
		.has_table = d->target[0] != '\0',
		.suspended = d->suspended,
		.dev = fake_dev_of(f, d),
		.open_count = d->open_count,
	};
	return 0;
}

static int fake_status(void *self, const struct dm_name *name, char **ret,
		       struct img_err *err)
{
	img_auto(fake_leave) struct fake_dm *f = fake_enter(self);
	struct fake_device *d;
	char text[80];
	int r = find_step(f, name, "ask for the status of", &d, err);

	if (r < 0)
		return r;
	if (fake_snap_is(d->target))
		fake_snap_status(f, d, text, sizeof(text));
	if (f->status[0])
		*ret = mem_strdup(f->status);
	else if (fake_snap_is(d->target))
		*ret = mem_strdup(text);
	else
		*ret = mem_printf("0 %" PRIu64 "/%" PRIu64 " %" PRIu64
				  "/%" PRIu64 " - rw discard_passdown "
				  "error_if_no_space - 1024",
				  f->meta_used ? f->meta_used : 11,
				  f->meta_blocks,
				  f->data_used ? f->data_used : 3,
				  f->data_blocks);
	return 0;
}

static int fake_table(void *self, const struct dm_name *name,
		      struct dm_live *ret, struct img_err *err)
{
	img_auto(fake_leave) struct fake_dm *f = fake_enter(self);
	struct fake_device *d;
	int r = find_step(f, name, "ask for the table of", &d, err);

	if (r < 0)
		return r;
	ret->len_sectors = d->len_sectors;
	memcpy(ret->target, d->target, sizeof(ret->target));
	ret->params = mem_strdup(d->params);
	return 0;
}

/* Nothing ever happens by itself here. */
static int fake_listen(void *self, int *fd, struct img_err *err)
{
	img_auto(fake_leave) struct fake_dm *f = fake_enter(self);
	int r = fake_step(f, "listen", err);

	if (r == 0 && *fd < 0)
		*fd = eventfd(0, EFD_CLOEXEC);
	return r;
}

static int fake_node(void *self, const struct dm_name *name, dev_t dev,
		     char out[DM_NODE_MAX], struct img_err *err)
{
	img_auto(fake_leave) struct fake_dm *f = fake_enter(self);
	const struct fake_device *d = &f->device[minor(dev)];
	unsigned id = 0;
	int r = fake_step(f, "make a node for", err);

	if (r < 0)
		return r;
	if (!d->exists || !d->target[0] || d->suspended)
		fake_violate(f, "a device is opened that is not running");
	if (fake_snap_is(d->target)) {
		fake_snap_node(f, d, out);
		return 0;
	}
	if (sscanf(d->params, "%*u:%*u %u", &id) != 1)
		fake_violate(f, "a node of no volume");
	fake_thin_path(f, id, out);
	fault_pause();
	/* What was never written reads as zeroes. */
	r = truncate(out, (off_t)(d->len_sectors * SECTOR_BYTES));
	fault_go_on();
	return r < 0 ? img_err_sys(err, "cannot size %s", out) : 0;
}

struct dm fake_dm_ops(struct fake_dm *fake)
{
	static const struct dm_ops ops = {
		.create = fake_create,
		.load = fake_load,
		.suspend = fake_suspend,
		.resume = fake_resume,
		.message = fake_message,
		.remove = fake_remove,
		.state = fake_state,
		.holders = fake_block_holders,
		.status = fake_status,
		.peek = fake_status,
		.table = fake_table,
		.node = fake_node,
		.attach = fake_block_attach,
		.each_block = fake_block_each,
		.detach = fake_block_detach,
		.refresh = fake_block_refresh,
		.listen = fake_listen,
	};

	return (struct dm){ .ops = &ops, .self = fake };
}
