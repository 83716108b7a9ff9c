#include "base/cleanup.h"
#include "base/mountinfo.h"
#include "base/num.h"
#include "cli/object.h"
#include "cli/verb.h"
#include "storage/use.h"

static int find_running(void *self, const struct container_row *row,
			struct img_err *err)
{
	struct store *store = self;
	int r = container_is_running(store, row, err);

	if (r > 0)
		(void)img_err_set(err, IMG_E_BUSY, 0,
				  "the container %s is running", row->name);
	return r;
}

/* Says which volume is in use; a failure to find out is none. */
static void name_user(struct store *store, struct img_err *busy)
{
	img_auto(img_mem_release) struct use *uses = NULL;
	img_auto(img_mem_release) char *place = NULL;
	img_auto(img_mem_release) char *name = NULL;
	struct img_err found = { 0 };
	bool is_image;
	size_t count = 0;
	const struct use *use;

	if (container_each(store, find_running, store, &found) == 0 &&
	    use_list(store, &uses, &count, &found) == 0 && count) {
		use = &uses[0];
		if (object_name(store,
				use->kind == USE_VIEW ? use->volume.origin
						      : use->volume.id,
				&is_image, &name, &found) < 0)
			return;
		place = mountinfo_place(use->dev);
		if (place)
			(void)img_err_set(&found, IMG_E_BUSY, 0,
					  "%s is mounted at %s", name, place);
		else
			(void)img_err_set(&found, IMG_E_BUSY, 0, "%s is active",
					  name);
	}
	if (found.code == IMG_E_BUSY)
		(void)img_err_hint(busy, ": %s", found.msg);
}

static int run_stop(const struct cli *cli, void *values, int argc, char **argv,
		    struct img_err *err)
{
	img_auto(store_close) struct store *store = NULL;
	int r = cli_open_store(cli, false, &store, err);

	if (r == 0)
		r = store_stop(store, err);
	if (r == -IMG_E_BUSY)
		name_user(store, err);
	return r;
}

const struct verb verb_pool_stop = {
	.name = "pool stop",
	.arguments = "",
	.summary =
		"Take the store's devices down, before it is moved or copied",
	.description = "Refused while a container runs, or anything is mounted "
		       "or active. The next verb\nthat needs the pool brings "
		       "it up.",
	.run = run_stop,
};
