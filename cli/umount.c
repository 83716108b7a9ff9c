#include "base/cleanup.h"
#include "base/mountinfo.h"
#include "base/str.h"
#include "cli/each.h"
#include "cli/object.h"
#include "storage/use.h"

#include <string.h>
#include <sys/mount.h>

struct options {
	bool all;
};

static const struct option_row rows[] = {
	{ 'a', "all", NULL, "all that is mounted by 'img mount'", OPTION_FLAG,
	  offsetof(struct options, all) },
};

/* What to unmount of one use: a place, or all places. */
struct places {
	dev_t dev;
	const char *wanted; /* NULL: all */
	char **list;
	size_t n;
};

static void places_release(struct places *places)
{
	for (size_t i = 0; i < places->n; i++)
		free(places->list[i]);
	img_mem_release(&places->list);
}

static int collect(void *self, const struct mountinfo *mount,
		   struct img_err *err)
{
	struct places *p = self;

	if (mount->dev != p->dev ||
	    (p->wanted && strcmp(mount->place, p->wanted) != 0))
		return 0;
	p->list = mem_realloc(p->list, (p->n + 1) * sizeof(*p->list));
	p->list[p->n++] = mem_strdup(mount->place);
	return 0;
}

/* The newest first, which covers the others if they are in one place. */
static int unmount(const struct store *store, const struct places *places,
		   struct img_err *err)
{
	img_auto(img_mem_release) char *own =
		mem_printf("%s/mnt/", store_run(store));

	for (size_t i = places->n; i-- > 0;) {
		const char *place = places->list[i];

		if (umount2(place, UMOUNT_NOFOLLOW) < 0)
			return img_err_sys(err, "%s is mounted on", place);
		if (strncmp(place, own, strlen(own)) == 0)
			(void)rmdir(place); /* it was made for that mount */
	}
	return 0;
}

static int unmount_use(struct store *store, const struct use *use,
		       const char *place, bool *ret_any, struct img_err *err)
{
	img_auto(places_release) struct places places = { .dev = use->dev,
							  .wanted = place };
	int r = mountinfo_each(collect, &places, err);

	if (r < 0 || !places.n)
		return r;
	*ret_any = true;
	return unmount(store, &places, err);
}

/* Mounted in another place, too, or open for another reason: then it ends when
 * that ends. */
static int end_use(struct store *store, const struct use *use,
		   struct img_err *err)
{
	struct img_err open = { 0 };
	int r = use->kind == USE_ACTIVE ? 0 : use_end(store, use, &open);

	if (r == 0 || r == -IMG_E_BUSY)
		return 0;
	*err = open;
	return r;
}

/* The volume that an argument means, or a place where one is mounted. */
static int understand(struct store *store, const char *arg, char **ret_place,
		      uint32_t *ret_volume, struct img_err *err)
{
	img_auto(object_release) struct object object = { 0 };
	int r;

	*ret_volume = 0;
	if (strchr(arg, '/')) {
		struct img_err none = { 0 };

		*ret_place = realpath(arg, NULL);
		if (*ret_place && arg[0] == '/')
			return 0;
		if (object_find(store, arg, &object, &none) < 0)
			return *ret_place ? 0 : img_err_sys(err, "%s", arg);
		img_mem_release(ret_place);
		*ret_volume = object.volume.id;
		return 0;
	}
	r = object_find(store, arg, &object, err);
	if (r == 0)
		*ret_volume = object.volume.id;
	return r;
}

static int unmount_arg(struct store *store, const char *arg,
		       struct img_err *err)
{
	img_auto(img_mem_release) char *place = NULL;
	img_auto(img_mem_release) struct use *uses = NULL;
	uint32_t volume = 0;
	bool any = false;
	size_t count = 0, kept = 0;
	int r = arg ? understand(store, arg, &place, &volume, err) : 0;

	if (r == 0)
		r = use_list(store, &uses, &count, err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		uint32_t whose = uses[i].kind == USE_VIEW
					 ? uses[i].volume.origin
					 : uses[i].volume.id;

		if (!volume || whose == volume)
			uses[kept++] = uses[i];
	}
	for (size_t i = 0; r == 0 && i < kept; i++)
		r = unmount_use(store, &uses[i], place, &any, err);
	for (size_t i = 0; r == 0 && i < kept; i++)
		r = end_use(store, &uses[i], err);
	if (r == 0 && arg && !any)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   place ? "nothing of this store is mounted "
					   "there"
					 : "it is not mounted");
	return r;
}

static int unmount_one(const struct each *each, const char *arg,
		       struct img_err *err)
{
	return unmount_arg(each->store, arg, err);
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(store_close) struct store *store = NULL;
	struct each each = { .doing = "unmount", .fn = unmount_one };
	int r;

	if (o->all == (argc > 0))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "name what to unmount, or use --all");
	if (argc > 0)
		return each_argument(cli, &each, argc, argv, err);
	r = cli_open_store(cli, false, &store, err);
	return r < 0 ? r : unmount_arg(store, NULL, err);
}

const struct verb verb_umount = {
	.name = "umount",
	.arguments = "[OBJECT|DIR...]",
	.summary = "Unmount what 'img mount' mounted",
	.description =
		"OBJECT means all places where it is mounted. umount(8) does "
		"as well: what is left\nthen, the next command collects.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.max_args = -1,
	.run = run,
};
