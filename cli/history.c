#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/clock.h"
#include "cli/list.h"
#include "image/image.h"
#include "storage/account.h"

#include <string.h>

/* Longest command that a table shows whole. */
#define COMMAND_MAX 45

struct options {
	struct list_options list;
};

static const struct option_row rows[] = {
	LIST_OPTION_ROWS(struct options),
};

struct walk {
	struct list *list;
	struct account *account;
};

/* What a step added: 1 with *ret_bytes, 0 when one of its sides is gone. */
static int step_bytes(const struct walk *walk, const char *layer,
		      uint64_t *ret_bytes, struct img_err *err)
{
	struct store *store = walk->list->store;
	img_auto(image_release) struct image image = { 0 };
	img_auto(image_release) struct image parent = { 0 };
	struct account_usage usage;
	int r = image_get(store, layer, &image, err);

	if (r <= 0)
		return r;
	if (!image.parent.hex[0]) {
		r = account_volume(walk->account, image.volume.id, &usage, err);
		*ret_bytes = usage.mapped_bytes;
		return r < 0 ? r : 1;
	}
	r = image_get(store, image.parent.hex, &parent, err);
	if (r <= 0)
		return r;
	r = account_change(walk->account, parent.volume.id, image.volume.id,
			   ret_bytes, err);
	return r < 0 ? r : 1;
}

static int add_step(void *self, const struct image_step *step,
		    struct img_err *err)
{
	const struct walk *walk = self;
	struct list *list = walk->list;
	char age[CLOCK_TEXT_MAX], time[CLOCK_TEXT_MAX], size[SIZE_TEXT_MAX];
	char id[ID_LEN + 1], by[COMMAND_MAX + 1];
	bool cut = !list->options->no_trunc &&
		   strlen(step->created_by) > COMMAND_MAX;
	uint64_t bytes = 0;
	int known;

	if (list_quiet(list, step->layer))
		return 0;
	known = step_bytes(walk, step->layer, &bytes, err);
	if (known < 0)
		return known;
	(void)snprintf(by, sizeof(by), "%.*s...", COMMAND_MAX - 3,
		       step->created_by);
	list_add(list,
		 (const char *const[]){ list_id(list, step->layer, id),
					clock_age(step->created_ns, age),
					cut ? by : step->created_by,
					known ? num_format_size(bytes, size)
					      : "-",
					step->comment },
		 json_pack("{ss ss ss ss so}", "Id", step->layer, "Created",
			   clock_rfc3339(step->created_ns, time), "CreatedBy",
			   step->created_by, "Comment", step->comment, "Size",
			   known ? json_integer((json_int_t)bytes)
				 : json_null()));
	return 0;
}

static int fill(struct list *list, struct img_err *err)
{
	img_auto(account_close) struct account *account = NULL;
	img_auto(image_release) struct image image = { 0 };
	struct walk walk = { .list = list };
	int r = image_find(list->store, list->ref, &image, err);

	if (r == 0)
		r = account_open(list->store, &account, err);
	if (r < 0)
		return r;
	walk.account = account;
	return image_each_step(list->store, image.id.hex, add_step, &walk, err);
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	static const struct list_kind kind = {
		.columns = 5,
		.heading = { "IMAGE", "CREATED", "CREATED BY", "SIZE",
			     "COMMENT" },
		.needs_store = true,
		.fill = fill,
	};
	const struct options *o = values;

	return list_run(cli, &kind, &o->list, o, argv[0], err);
}

const struct verb verb_history = {
	.name = "history",
	.arguments = "IMAGE",
	.summary = "Show how an image came about, newest step first",
	.description = "SIZE is what a step added or changed; \"-\" where the "
		       "images of the step are gone.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
