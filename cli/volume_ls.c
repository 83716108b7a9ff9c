#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/clock.h"
#include "cli/container_volumes.h"
#include "cli/list.h"
#include "cli/volume_view.h"

#include <stdio.h>

struct options {
	struct list_options list;
	struct text_list filters;
};

static const struct option_row rows[] = {
	{ 'f', "filter", "FILTER", "name=, label=, label!=, dangling=true",
	  OPTION_LIST, offsetof(struct options, filters) },
	LIST_OPTION_ROWS(struct options),
};

struct work {
	struct list *list;
	struct account *account;
	struct volume_filter filter;
};

static int add(const struct work *work, const struct named_volume *named,
	       const char *users, struct img_err *err)
{
	struct list *list = work->list;
	char size[SIZE_TEXT_MAX], age[CLOCK_TEXT_MAX];
	json_t *json = NULL;
	int r = volume_view_json(list->store, named, work->account, &json, err);

	if (r < 0)
		return r;
	list_add(list,
		 (const char *const[]){
			 "local", named->name,
			 num_format_size(named->volume.size_bytes, size),
			 clock_age(named->created_ns, age),
			 users ? users : "" },
		 json);
	return 0;
}

static int add_named(void *self, const struct named_volume *named,
		     struct img_err *err)
{
	struct work *work = self;
	img_auto(img_mem_release) char *users = NULL;
	int r = container_volumes_user_names(work->list->store, named->name,
					     &users, err);

	if (r == 0)
		r = volume_filter_match(&work->filter, named, users != NULL,
					err);
	if (r <= 0)
		return r;
	if (work->list->options->quiet) {
		(void)printf("%s\n", named->name);
		return 0;
	}
	return add(work, named, users, err);
}

static int fill(struct list *list, struct img_err *err)
{
	const struct options *o = list->values;
	img_auto(account_close) struct account *account = NULL;
	struct work work = { .list = list };
	int r = volume_filter_read(&o->filters, &work.filter, err);

	if (r == 0 && !list->options->quiet)
		r = account_open(list->store, &account, err);
	work.account = account;
	return r < 0 ? r
		     : named_volume_each(list->store, add_named, &work, err);
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	static const struct list_kind kind = {
		.columns = 5,
		.heading = { "DRIVER", "VOLUME NAME", "SIZE", "CREATED",
			     "CONTAINERS" },
		.fill = fill,
	};
	const struct options *o = values;

	return list_run(cli, &kind, &o->list, o, NULL, err);
}

const struct verb verb_volume_ls = {
	.name = "volume ls",
	.arguments = "",
	.summary = "List volumes",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.max_args = 0,
	.run = run,
};
