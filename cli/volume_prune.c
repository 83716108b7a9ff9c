#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/container_volumes.h"
#include "cli/event.h"
#include "cli/verb.h"
#include "cli/volume_view.h"
#include "storage/account.h"

#include <stdio.h>
#include <string.h>

struct options {
	bool all, force;
	struct text_list filters;
};

static const struct option_row rows[] = {
	{ 'a', "all", NULL, "those with a name as well", OPTION_FLAG,
	  offsetof(struct options, all) },
	{ 0, "filter", "FILTER", "only those: label=, label!=, name=",
	  OPTION_LIST, offsetof(struct options, filters) },
	{ 'f', "force", NULL, "do not ask", OPTION_FLAG,
	  offsetof(struct options, force) },
};

struct found {
	struct named_volume named;
	uint64_t bytes;
};

struct work {
	struct store *store;
	const struct options *options;
	struct volume_filter filter;
	struct found *found;
	size_t n;
};

static void work_release(struct work *work)
{
	for (size_t i = 0; i < work->n; i++)
		named_volume_release(&work->found[i].named);
	img_mem_release(&work->found);
}

static int add(void *self, const struct named_volume *named,
	       struct img_err *err)
{
	struct work *work = self;
	img_auto(img_mem_release) char *users = NULL;
	int r = container_volumes_user_names(work->store, named->name, &users,
					     err);

	if (r < 0 || users || (!named->anonymous && !work->options->all))
		return r;
	r = volume_filter_match(&work->filter, named, false, err);
	if (r <= 0)
		return r;
	work->found =
		mem_realloc(work->found, (work->n + 1) * sizeof(*work->found));
	work->found[work->n] = (struct found){ .named = *named };
	work->found[work->n++].named.config = mem_strdup(named->config);
	return 0;
}

static bool asked(const struct options *o)
{
	char line[8] = "";

	if (o->force)
		return true;
	(void)printf("This removes all %svolumes that no container has. "
		     "Are you sure? [y/N] ",
		     o->all ? "" : "anonymous ");
	(void)fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		line[0] = '\0';
	return line[0] == 'y' || line[0] == 'Y';
}

/* What the going of each gives back, as far as can be told: before any goes,
 * since blocks do not become free while somebody counts them. */
static void count_bytes(struct work *work)
{
	img_auto(account_close) struct account *account = NULL;
	struct img_err untold = { 0 };

	if (account_open(work->store, &account, &untold) < 0)
		return;
	for (size_t i = 0; i < work->n; i++) {
		struct account_usage usage = { 0 };
		struct found *found = &work->found[i];

		if (account_volume(account, found->named.volume.id, &usage,
				   &untold) == 0)
			found->bytes = usage.exclusive_bytes;
	}
}

static int prune(struct work *work, struct img_err *err)
{
	char size[SIZE_TEXT_MAX];
	uint64_t bytes = 0;
	size_t n = 0;
	int r = 0;

	count_bytes(work);
	for (size_t i = 0; i < work->n; i++) {
		struct img_err one = { 0 };
		const struct found *found = &work->found[i];
		int removed =
			named_volume_remove(work->store, &found->named, &one);

		/* A container may have taken it meanwhile, or another prune. */
		if (removed == -IMG_E_BUSY || removed == -IMG_E_NOT_FOUND)
			continue;
		if (removed < 0 && r == 0) {
			*err = one;
			r = removed;
		}
		if (removed < 0)
			continue;
		if (n++ == 0)
			(void)printf("Deleted Volumes:\n");
		event_write_volume(work->store, "destroy", found->named.name,
				   NULL);
		(void)printf("%s\n", found->named.name);
		bytes += found->bytes;
	}
	event_write_prune(work->store, "volume", bytes);
	(void)printf("Total reclaimed space: %s\n",
		     num_format_size(bytes, size));
	return r;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(store_close) struct store *store = NULL;
	img_auto(work_release) struct work work = { .options = o };
	int r = volume_filter_read(&o->filters, &work.filter, err);

	if (r < 0 || !asked(o))
		return r;
	r = cli_open_store(cli, false, &store, err);
	work.store = store;
	if (r == 0)
		r = named_volume_each(store, add, &work, err);
	return r < 0 ? r : prune(&work, err);
}

const struct verb verb_volume_prune = {
	.name = "volume prune",
	.arguments = "",
	.summary = "Remove the volumes that no container has",
	.description = "The anonymous ones, or with -a all.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.max_args = 0,
	.run = run,
};
