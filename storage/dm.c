#include "storage/dm.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "storage/dm_block.h"
#include "storage/libdm.h"

#include <string.h>
#include <sys/sysmacros.h>

#define UDEV_FLAGS                                                             \
	(DM_UDEV_DISABLE_DM_RULES_FLAG |                                       \
	 DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG |                                \
	 DM_UDEV_DISABLE_DISK_RULES_FLAG | DM_UDEV_DISABLE_OTHER_RULES_FLAG |  \
	 DM_UDEV_DISABLE_LIBRARY_FALLBACK)

static const struct libdm *lib; /* opened by the first operation */

/* libdevmapper prints by itself; the errno of the task tells us enough. */
static void swallow_log(int level, const char *file, int line, int dm_errno,
			const char *fmt, ...)
{
}

static void task_release(struct dm_task **task)
{
	if (*task)
		lib->task_destroy(*task);
	*task = NULL;
}

static int fail(const struct dm_name *name, const char *doing, int e,
		struct img_err *err)
{
	switch (e) {
	case ENXIO:
	case ENODATA:
		return img_err_set(err, IMG_E_NOT_FOUND, e, "cannot %s %s",
				   doing, name->name);
	case EEXIST:
		return img_err_set(err, IMG_E_EXISTS, e, "cannot %s %s", doing,
				   name->name);
	case EBUSY:
		return img_err_set(err, IMG_E_BUSY, e, "cannot %s %s", doing,
				   name->name);
	case ENOSPC:
		return img_err_set(err, IMG_E_NO_SPACE, e, "cannot %s %s",
				   doing, name->name);
	default:
		return img_err_set(err, IMG_E_SYS, e ? e : EIO, "cannot %s %s",
				   doing, name->name);
	}
}

/* True when /proc/misc, which every kernel has, lists device-mapper. */
static bool kernel_has_dm(void)
{
	img_auto(img_stdio_release) FILE *f = fopen("/proc/misc", "re");
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, " device-mapper"))
			return true;
	return false;
}

static int no_dm(struct img_err *err)
{
	return img_err_set(err, IMG_E_NO_DM, 0,
			   "this kernel has no device-mapper");
}

static int not_allowed(struct img_err *err)
{
	return img_err_set(err, IMG_E_NO_DM, 0,
			   "device-mapper is for root with all capabilities");
}

static int check_usable(struct img_err *err)
{
	if (lib)
		return 0;
	if (access("/dev/mapper/control", F_OK) < 0 && !kernel_has_dm())
		return no_dm(err);
	if (geteuid() != 0)
		return not_allowed(err);
	lib = libdm_open(err);
	if (!lib)
		return -(int)err->code;
	lib->log_with_errno_init(swallow_log);
	(void)lib->udev_set_sync_support(0); /* never wait for udev */
	return 0;
}

static struct dm_task *task_new(int type, const struct dm_name *name,
				struct img_err *err)
{
	struct dm_task *task;

	if (check_usable(err) < 0)
		return NULL;
	task = lib->task_create(type); /* asks the kernel for its version */
	if (!task) {
		(void)(kernel_has_dm() ? not_allowed(err) : no_dm(err));
		return NULL;
	}
	if (!lib->task_set_uuid(task, name->uuid)) {
		(void)img_err_set(err, IMG_E_INTERNAL, 0,
				  "cannot prepare a device-mapper task");
		task_release(&task);
	}
	return task;
}

static int set_udev_flags(struct dm_task *task, struct img_err *err)
{
	uint32_t cookie = 0;

	if (!lib->task_set_cookie(task, &cookie, UDEV_FLAGS))
		return img_err_set(err, IMG_E_INTERNAL, 0,
				   "cannot set the flags for udev");
	return 0;
}

/* Creates the device without a table.  libdevmapper would do all three steps
 * in one task, but then tells nobody why it failed. */
static int create_empty(const struct dm_name *name, struct img_err *err)
{
	img_auto(task_release) struct dm_task *task = NULL;
	int r;

	task = task_new(DM_DEVICE_CREATE, name, err);
	if (!task)
		return -(int)err->code;
	if (!lib->task_set_name(task, name->name))
		return img_err_set(err, IMG_E_INTERNAL, 0,
				   "cannot name the device %s", name->name);
	r = set_udev_flags(task, err);
	if (r == 0 && !lib->task_run(task))
		r = fail(name, "create the device", lib->task_get_errno(task),
			 err);
	return r;
}

static int load_table(const struct dm_name *name, const struct dm_table *table,
		      struct img_err *err)
{
	img_auto(task_release) struct dm_task *task = NULL;

	task = task_new(DM_DEVICE_RELOAD, name, err);
	if (!task)
		return -(int)err->code;
	if (!lib->task_add_target(task, 0, table->len_sectors, table->target,
				  table->params) ||
	    (table->read_only && !lib->task_set_ro(task)))
		return img_err_set(err, IMG_E_INTERNAL, 0,
				   "cannot prepare a device-mapper table");
	if (!lib->task_run(task))
		return fail(name, "load a table into",
			    lib->task_get_errno(task), err);
	return 0;
}

static int run_simple(int type, const struct dm_name *name, const char *doing,
		      dev_t *ret_dev, struct img_err *err)
{
	img_auto(task_release) struct dm_task *task = NULL;
	struct dm_info info;

	task = task_new(type, name, err);
	if (!task)
		return -(int)err->code;
	if (type != DM_DEVICE_SUSPEND && set_udev_flags(task, err) < 0)
		return -(int)err->code;
	if (!lib->task_run(task))
		return fail(name, doing, lib->task_get_errno(task), err);
	if (ret_dev) {
		if (!lib->task_get_info(task, &info))
			return img_err_set(err, IMG_E_INTERNAL, 0,
					   "cannot learn the number of %s",
					   name->name);
		*ret_dev = makedev(info.major, info.minor);
	}
	return 0;
}

static int kernel_suspend(void *self, const struct dm_name *name,
			  struct img_err *err)
{
	return run_simple(DM_DEVICE_SUSPEND, name, "suspend", NULL, err);
}

static int kernel_resume(void *self, const struct dm_name *name,
			 struct img_err *err)
{
	return run_simple(DM_DEVICE_RESUME, name, "resume", NULL, err);
}

static int kernel_remove(void *self, const struct dm_name *name,
			 struct img_err *err)
{
	return run_simple(DM_DEVICE_REMOVE, name, "remove the device", NULL,
			  err);
}

static int kernel_create(void *self, const struct dm_name *name,
			 const struct dm_table *table, dev_t *ret,
			 struct img_err *err)
{
	struct img_err dropped = { 0 }; /* the first failure is reported */
	int r = create_empty(name, err);

	if (r < 0)
		return r;
	r = load_table(name, table, err);
	if (r == 0)
		r = run_simple(DM_DEVICE_RESUME, name, "start the device", ret,
			       err);
	if (r < 0)
		IMG_IGNORE(kernel_remove(self, name, &dropped));
	return r;
}

static int kernel_load(void *self, const struct dm_name *name,
		       const struct dm_table *table, struct img_err *err)
{
	return load_table(name, table, err);
}

static int kernel_message(void *self, const struct dm_name *name,
			  const char *text, struct img_err *err)
{
	img_auto(task_release) struct dm_task *task = NULL;

	task = task_new(DM_DEVICE_TARGET_MSG, name, err);
	if (!task)
		return -(int)err->code;
	if (!lib->task_set_sector(task, 0) ||
	    !lib->task_set_message(task, text))
		return img_err_set(err, IMG_E_INTERNAL, 0,
				   "cannot prepare the message '%s'", text);
	if (!lib->task_run(task)) {
		int e = lib->task_get_errno(task);

		(void)fail(name, "send a message to", e, err);
		return img_err_prefix(err, "%s", text);
	}
	return 0;
}

static int kernel_state(void *self, const struct dm_name *name,
			struct dm_state *ret, struct img_err *err)
{
	img_auto(task_release) struct dm_task *task = NULL;
	struct dm_info info;

	*ret = (struct dm_state){ 0 };
	task = task_new(DM_DEVICE_INFO, name, err);
	if (!task)
		return -(int)err->code;
	if (!lib->task_run(task) || !lib->task_get_info(task, &info))
		return fail(name, "ask for the state of",
			    lib->task_get_errno(task), err);
	if (!info.exists)
		return 0;
	ret->exists = true;
	ret->has_table = info.live_table;
	ret->suspended = info.suspended;
	ret->read_only = info.read_only;
	ret->dev = makedev(info.major, info.minor);
	ret->open_count = info.open_count < 0 ? 0 : (unsigned)info.open_count;
	return 0;
}

static int kernel_table(void *self, const struct dm_name *name,
			struct dm_live *ret, struct img_err *err)
{
	img_auto(task_release) struct dm_task *task = NULL;
	uint64_t start, len = 0;
	char *target = NULL, *params = NULL;

	task = task_new(DM_DEVICE_TABLE, name, err);
	if (!task)
		return -(int)err->code;
	if (!lib->task_run(task))
		return fail(name, "ask for the table of",
			    lib->task_get_errno(task), err);
	(void)lib->get_next_target(task, NULL, &start, &len, &target, &params);
	ret->len_sectors = len;
	(void)snprintf(ret->target, sizeof(ret->target), "%s",
		       target ? target : "");
	ret->params = mem_strdup(params ? params : "");
	return 0;
}

static int read_status(const struct dm_name *name, bool flush, char **ret,
		       struct img_err *err)
{
	img_auto(task_release) struct dm_task *task = NULL;
	uint64_t start, len;
	char *target, *params;

	task = task_new(DM_DEVICE_STATUS, name, err);
	if (!task)
		return -(int)err->code;
	if (!flush && !lib->task_no_flush(task))
		return img_err_set(err, IMG_E_INTERNAL, 0,
				   "cannot prepare a device-mapper task");
	if (!lib->task_run(task))
		return fail(name, "ask for the status of",
			    lib->task_get_errno(task), err);
	(void)lib->get_next_target(task, NULL, &start, &len, &target, &params);
	*ret = mem_strdup(params ? params : "");
	return 0;
}

static int kernel_status(void *self, const struct dm_name *name, char **ret,
			 struct img_err *err)
{
	return read_status(name, true, ret, err);
}

static int kernel_peek(void *self, const struct dm_name *name, char **ret,
		       struct img_err *err)
{
	return read_status(name, false, ret, err);
}

struct dm dm_kernel(void)
{
	static const struct dm_ops ops = {
		.create = kernel_create,
		.load = kernel_load,
		.suspend = kernel_suspend,
		.resume = kernel_resume,
		.message = kernel_message,
		.remove = kernel_remove,
		.state = kernel_state,
		.table = kernel_table,
		.holders = dm_block_holders,
		.status = kernel_status,
		.peek = kernel_peek,
		.node = dm_block_node,
		.attach = dm_block_attach,
		.each_block = dm_block_each,
		.detach = dm_block_detach,
		.refresh = dm_block_refresh,
		.listen = dm_block_listen,
	};

	return (struct dm){ .ops = &ops };
}

void dm_hold_release(struct dm_hold *hold)
{
	struct img_err dropped = { 0 }; /* the first failure is reported */

	if (hold->name)
		(void)hold->dm->ops->resume(hold->dm->self, hold->name,
					    &dropped);
	hold->name = NULL;
}
