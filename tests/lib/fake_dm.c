#include "tests/lib/fake_dm.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "storage/loop.h"
#include "tests/lib/fake_meta.h"
#include "tests/lib/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#define DM_MAJOR   252
#define LOOP_MAJOR 7

static int step(struct fake_dm *f, const char *what, struct img_err *err)
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

static int no(enum img_code code, int e, const struct dm_name *name,
	      const char *what, struct img_err *err)
{
	return img_err_set(err, code, e, "cannot %s %s", what, name->name);
}

static void violate(struct fake_dm *f, const char *what)
{
	if (!f->violation[0])
		(void)snprintf(f->violation, sizeof(f->violation), "%s", what);
}

static struct fake_device *find(struct fake_dm *f, const struct dm_name *name)
{
	for (size_t i = 0; i < FAKE_DM_DEVICES; i++)
		if (f->device[i].exists &&
		    strcmp(f->device[i].uuid, name->uuid) == 0)
			return &f->device[i];
	return NULL;
}

static dev_t dev_of(const struct fake_dm *f, const struct fake_device *d)
{
	return makedev(DM_MAJOR, (unsigned)(d - f->device));
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

static void thin_path(const struct fake_dm *f, uint32_t id, char out[64])
{
	(void)snprintf(out, 64, "%s/thin-%" PRIu32, f->dir, id);
}

static int by_id(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* What the pool commits. */
static void commit(struct fake_dm *f)
{
	struct fake_device *pool = fake_dm_find(f, "pool");
	unsigned loop, chunk_sectors;
	uint32_t ids[FAKE_DM_THINS];
	size_t n = 0;

	if (!pool || sscanf(pool->params, "%*u:%u %*u:%*u %u", &loop,
			    &chunk_sectors) != 2)
		return;
	for (size_t i = 0; i < FAKE_DM_THINS; i++)
		if (f->thin[i].exists)
			ids[n++] = f->thin[i].id;
	qsort(ids, n, sizeof(ids[0]), by_id);
	fake_meta_write(f->loop[loop], ids, n,
			(uint64_t)chunk_sectors * SECTOR_BYTES,
			pool->len_sectors / chunk_sectors);
}

static int check_pool_table(struct fake_dm *f, const struct dm_name *name,
			    const char *params, struct img_err *err)
{
	unsigned meta, data, chunk;

	if (sscanf(params, "7:%u 7:%u %u", &meta, &data, &chunk) != 3 ||
	    meta >= f->loops || data >= f->loops || meta == data)
		return no(IMG_E_SYS, EINVAL, name, "load a table into", err);
	if (!strstr(f->loop[meta], "/pool/metadata") ||
	    !strstr(f->loop[data], "/pool/data"))
		violate(f, "the pool's files are mixed up");
	return 0;
}

static int check_thin_table(struct fake_dm *f, const struct dm_name *name,
			    const char *params, struct img_err *err)
{
	unsigned major, minor, id;

	if (sscanf(params, "%u:%u %u", &major, &minor, &id) != 3 ||
	    major != DM_MAJOR || minor >= FAKE_DM_DEVICES ||
	    strcmp(f->device[minor].target, "thin-pool") != 0)
		return no(IMG_E_SYS, EINVAL, name, "load a table into", err);
	if (!find_thin(f, id))
		return no(IMG_E_NOT_FOUND, ENODATA, name, "load a table into",
			  err);
	return 0;
}

static int load(struct fake_dm *f, struct fake_device *d,
		const struct dm_name *name, const struct dm_table *table,
		struct img_err *err)
{
	int r = strcmp(table->target, "thin-pool") == 0
			? check_pool_table(f, name, table->params, err)
			: check_thin_table(f, name, table->params, err);

	if (r < 0)
		return r;
	(void)snprintf(d->new_target, sizeof(d->new_target), "%s",
		       table->target);
	(void)snprintf(d->new_params, sizeof(d->new_params), "%s",
		       table->params);
	d->len_sectors = table->len_sectors;
	return 0;
}

static void go_on(struct fake_dm *f, struct fake_device *d)
{
	if (d->new_target[0]) {
		memcpy(d->target, d->new_target, sizeof(d->target));
		memcpy(d->params, d->new_params, sizeof(d->params));
		d->new_target[0] = '\0';
	}
	d->suspended = false;
	if (strcmp(d->target, "thin-pool") == 0)
		commit(f);
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
	struct fake_dm *f = self;
	struct fake_device *d;
	int r = step(f, "create", err);

	if (r < 0)
		return r;
	if (strncmp(name->uuid, DM_UUID_PREFIX, strlen(DM_UUID_PREFIX)) != 0)
		violate(f, "a device of somebody else is touched");
	if (find(f, name))
		return no(IMG_E_BUSY, EBUSY, name, "create the device", err);
	d = add_device(f, name);
	r = step(f, "load", err);
	if (r == 0)
		r = load(f, d, name, table, err);
	if (r == 0)
		r = step(f, "first resume", err);
	if (r < 0) {
		d->exists = false;
		return r;
	}
	go_on(f, d);
	*ret = dev_of(f, d);
	return 0;
}

static int find_step(struct fake_dm *f, const struct dm_name *name,
		     const char *what, struct fake_device **ret,
		     struct img_err *err)
{
	int r = step(f, what, err);

	if (r < 0)
		return r;
	*ret = find(f, name);
	return *ret ? 0 : no(IMG_E_NOT_FOUND, ENXIO, name, what, err);
}

static int fake_reload(void *self, const struct dm_name *name,
		       const struct dm_table *table, struct img_err *err)
{
	struct fake_device *d;
	int r = find_step(self, name, "reload", &d, err);

	return r < 0 ? r : load(self, d, name, table, err);
}

static int fake_suspend(void *self, const struct dm_name *name,
			struct img_err *err)
{
	struct fake_dm *f = self;
	struct fake_device *d;
	int r = find_step(f, name, "suspend", &d, err);

	if (r < 0)
		return r;
	d->suspended = true;
	f->suspends++;
	return 0;
}

static int fake_resume(void *self, const struct dm_name *name,
		       struct img_err *err)
{
	struct fake_device *d;
	int r = find_step(self, name, "resume", &d, err);

	if (r == 0)
		go_on(self, d);
	return r;
}

static int add_thin(struct fake_dm *f, const struct dm_name *pool, uint32_t id,
		    struct img_err *err)
{
	char path[64];
	int fd;

	if (id > 0xffffff)
		return no(IMG_E_SYS, EINVAL, pool, "send a message to", err);
	if (find_thin(f, id))
		return no(IMG_E_EXISTS, EEXIST, pool, "send a message to", err);
	for (size_t i = 0; i < FAKE_DM_THINS; i++)
		if (!f->thin[i].exists) {
			f->thin[i] = (struct fake_thin){ id, true };
			thin_path(f, id, path);
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

	thin_path(f, from, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, bytes, sizeof(bytes));
	(void)close(fd);
	thin_path(f, to, path);
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
		return no(IMG_E_NOT_FOUND, ENODATA, pool, "send a message to",
			  err);
	if (active && !active->suspended)
		violate(f, "create_snap of an active origin");
	r = add_thin(f, pool, id, err);
	if (r == 0)
		copy_thin(f, origin, id);
	return r;
}

static int delete (struct fake_dm *f, const struct dm_name *pool, uint32_t id,
		   struct img_err *err)
{
	struct fake_thin *thin = find_thin(f, id);
	char path[64];

	if (!thin)
		return no(IMG_E_NOT_FOUND, ENODATA, pool, "send a message to",
			  err);
	if (find_active(f, id))
		return no(IMG_E_BUSY, EBUSY, pool, "send a message to", err);
	thin->exists = false;
	thin_path(f, id, path);
	(void)unlink(path); /* of nobody any more */
	return 0;
}

static int fake_message(void *self, const struct dm_name *name,
			const char *text, struct img_err *err)
{
	struct fake_dm *f = self;
	struct fake_device *d;
	uint32_t id, origin;
	int r = find_step(f, name, "send a message to", &d, err);

	if (r < 0)
		return r;
	if (strcmp(d->target, "thin-pool") != 0)
		return no(IMG_E_SYS, EINVAL, name, "send a message to", err);
	if (sscanf(text, "create_thin %" SCNu32, &id) == 1)
		r = add_thin(f, name, id, err);
	else if (sscanf(text, "create_snap %" SCNu32 " %" SCNu32, &id,
			&origin) == 2)
		r = create_snap(f, name, id, origin, err);
	else if (sscanf(text, "delete %" SCNu32, &id) == 1)
		r = delete (f, name, id, err);
	else
		r = no(IMG_E_SYS, EINVAL, name, "send a message to", err);
	if (r == 0)
		commit(f);
	return r;
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
	struct fake_dm *f = self;
	struct fake_device *d;
	int r = find_step(f, name, "remove", &d, err);

	if (r < 0)
		return r;
	if (d->open_count ||
	    (strcmp(d->target, "thin-pool") == 0 && pool_is_used(f)))
		return no(IMG_E_BUSY, EBUSY, name, "remove", err);
	if (f->busy_removals) {
		f->busy_removals--;
		return no(IMG_E_BUSY, EBUSY, name, "remove", err);
	}
	d->exists = false;
	d->target[0] = '\0';
	return 0;
}

static int fake_state(void *self, const struct dm_name *name,
		      struct dm_state *ret, struct img_err *err)
{
	struct fake_dm *f = self;
	struct fake_device *d;
	int r = step(f, "ask for the state of", err);

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
		.dev = dev_of(f, d),
		.open_count = d->open_count,
	};
	return 0;
}

static int fake_status(void *self, const struct dm_name *name, char **ret,
		       struct img_err *err)
{
	struct fake_dm *f = self;
	struct fake_device *d;
	int r = find_step(f, name, "ask for the status of", &d, err);

	if (r == 0)
		*ret = mem_strdup(
			f->status[0] ? f->status
				     : "0 11/512 3/1600 - rw discard_passdown "
				       "error_if_no_space - 1024");
	return r;
}

static int fake_node(void *self, const struct dm_name *name, dev_t dev,
		     char out[DM_NODE_MAX], struct img_err *err)
{
	struct fake_dm *f = self;
	const struct fake_device *d = &f->device[minor(dev)];
	unsigned id = 0;
	int r = step(f, "make a node for", err);

	if (r < 0)
		return r;
	if (!d->exists || !d->target[0] || d->suspended)
		violate(f, "a device is opened that is not running");
	if (sscanf(d->params, "%*u:%*u %u", &id) != 1)
		violate(f, "a node of no volume");
	thin_path(f, id, out);
	fault_pause();
	/* What was never written reads as zeroes. */
	r = truncate(out, (off_t)(d->len_sectors * SECTOR_BYTES));
	fault_go_on();
	return r < 0 ? img_err_sys(err, "cannot size %s", out) : 0;
}

static int fake_attach(void *self, const char *path, struct loop *ret,
		       struct img_err *err)
{
	struct fake_dm *f = self;
	int r = step(f, "attach", err);

	if (r < 0)
		return r;
	ret->fd = open(path, O_RDWR | O_CLOEXEC);
	if (ret->fd < 0)
		return img_err_sys(err, "cannot open %s", path);
	assert_true(f->loops < FAKE_DM_DEVICES);
	(void)snprintf(f->loop[f->loops], sizeof(f->loop[0]), "%s", path);
	ret->dev = makedev(LOOP_MAJOR, f->loops++);
	return 0;
}

struct dm fake_dm_ops(struct fake_dm *fake)
{
	static const struct dm_ops ops = {
		.create = fake_create,
		.reload = fake_reload,
		.suspend = fake_suspend,
		.resume = fake_resume,
		.message = fake_message,
		.remove = fake_remove,
		.state = fake_state,
		.status = fake_status,
		.node = fake_node,
		.attach = fake_attach,
	};

	return (struct dm){ .ops = &ops, .self = fake };
}

struct fake_dm *fake_dm_new(const char *dir)
{
	struct fake_dm *f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(f != MAP_FAILED);
	assert_true(strlen(dir) < sizeof(f->dir));
	(void)snprintf(f->dir, sizeof(f->dir), "%s", dir);
	return f;
}

void fake_dm_free(struct fake_dm *fake)
{
	assert_int_equal(munmap(fake, sizeof(*fake)), 0);
}

void fake_dm_reboot(struct fake_dm *fake)
{
	memset(fake->device, 0, sizeof(fake->device));
	fake->loops = 0;
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
	commit(fake);
}

size_t fake_dm_count_thins(const struct fake_dm *fake)
{
	size_t n = 0;

	for (size_t i = 0; i < FAKE_DM_THINS; i++)
		n += fake->thin[i].exists;
	return n;
}

struct fake_device *fake_dm_find(struct fake_dm *fake, const char *what)
{
	for (size_t i = 0; i < FAKE_DM_DEVICES; i++) {
		const char *dash = strrchr(fake->device[i].name, '-');

		if (fake->device[i].exists && dash &&
		    strcmp(dash + 1, what) == 0)
			return &fake->device[i];
	}
	return NULL;
}

size_t fake_dm_count_devices(const struct fake_dm *fake)
{
	size_t n = 0;

	for (size_t i = 0; i < FAKE_DM_DEVICES; i++)
		n += fake->device[i].exists;
	return n;
}

void fake_dm_check(const struct fake_dm *fake)
{
	assert_string_equal(fake->violation, "");
	for (size_t i = 0; i < FAKE_DM_DEVICES; i++) {
		const struct fake_device *d = &fake->device[i];

		if (d->exists && (d->suspended || !d->target[0]))
			fail_msg("%s was left %s", d->name,
				 d->suspended ? "suspended" : "half-made");
	}
}
