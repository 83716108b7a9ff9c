#include "base/cleanup.h"
#include "base/num.h"
#include "cli/clock.h"
#include "cli/each.h"
#include "cli/list.h"
#include "cli/snapshots.h"
#include "storage/account.h"

/* --- snapshot create ------------------------------------------------------ */

static int run_create(const struct cli *cli, void *values, int argc,
		      char **argv, struct img_err *err)
{
	img_auto(container_row_release) struct container_row container = { 0 };
	img_auto(store_close) struct store *store = NULL;
	struct snapshot_row row = { 0 };
	int r = argc > 1 ? snapshot_name_check(argv[1], err) : 0;

	if (r == 0)
		r = cli_open_container(cli, argv[0], &store, &container, err);
	if (r < 0)
		return r;
	if (argc > 1)
		(void)snprintf(row.name, sizeof(row.name), "%s", argv[1]);
	r = snapshot_take(store, &container, &row, err);
	if (r < 0)
		return img_err_prefix(err, "cannot make a snapshot of %s",
				      container.name);
	(void)printf("%s\n", row.name);
	return 0;
}

const struct verb verb_snapshot_create = {
	.name = "snapshot create",
	.arguments = "CONTAINER [NAME]",
	.summary = "Keep a container's present state, to return to it",
	.description =
		"Copies no data. A running container's file system is frozen "
		"for the instant of the\nsnapshot. Without NAME it is called "
		"snap0, snap1 and so on. Snapshots go with their\ncontainer.",
	.values_size = 1,
	.min_args = 1,
	.max_args = 2,
	.run = run_create,
};

/* --- snapshot ls ---------------------------------------------------------- */

struct ls_options {
	struct list_options list;
};

static const struct option_row ls_rows[] = {
	LIST_OPTION_ROWS(struct ls_options),
};

struct ls {
	struct list *list;
	struct account *account;
};

static int add(void *self, const struct snapshot_row *row, struct img_err *err)
{
	struct ls *ls = self;
	char age[CLOCK_TEXT_MAX], time[CLOCK_TEXT_MAX];
	char exclusive[SIZE_TEXT_MAX], size[SIZE_TEXT_MAX];
	struct account_usage usage;
	int r;

	if (ls->list->options->quiet) {
		(void)printf("%s\n", row->name);
		return 0;
	}
	r = account_volume(ls->account, row->volume.id, &usage, err);
	if (r < 0)
		return r;
	list_add(ls->list,
		 (const char *const[]){
			 row->container_name, row->name,
			 clock_age(row->created_ns, age),
			 num_format_size(usage.exclusive_bytes, exclusive),
			 num_format_size(row->volume.size_bytes, size) },
		 json_pack("{ss ss ss ss sI sI}", "Container",
			   row->container.hex, "ContainerName",
			   row->container_name, "Name", row->name, "Created",
			   clock_rfc3339(row->created_ns, time),
			   "ExclusiveBytes", (json_int_t)usage.exclusive_bytes,
			   "SizeBytes", (json_int_t)row->volume.size_bytes));
	return 0;
}

static int fill(struct list *list, struct img_err *err)
{
	img_auto(container_row_release) struct container_row container = { 0 };
	img_auto(account_close) struct account *account = NULL;
	struct ls ls = { .list = list };
	int r = 0;

	if (list->ref)
		r = container_find(list->store, list->ref, &container, err);
	if (r == 0)
		r = account_open(list->store, &account, err);
	if (r < 0)
		return r;
	ls.account = account;
	return snapshot_each(list->store, list->ref ? &container : NULL, add,
			     &ls, err);
}

static int run_ls(const struct cli *cli, void *values, int argc, char **argv,
		  struct img_err *err)
{
	struct list_kind kind = {
		.columns = 5,
		.heading = { "CONTAINER", "NAME", "CREATED", "EXCLUSIVE",
			     "SIZE" },
		.needs_store = argc > 0,
		.fill = fill,
	};
	const struct ls_options *o = values;

	return list_run(cli, &kind, &o->list, o, argc > 0 ? argv[0] : NULL,
			err);
}

const struct verb verb_snapshot_ls = {
	.name = "snapshot ls",
	.arguments = "[CONTAINER]",
	.summary = "List a container's snapshots, or those of all",
	.description = "EXCLUSIVE is what removing that one alone gives back. "
		       "With -q names alone.",
	.options = VERB_OPTIONS(ls_rows),
	.values_size = sizeof(struct ls_options),
	.max_args = 1,
	.run = run_ls,
};

/* --- snapshot rm ---------------------------------------------------------- */

static int remove_one(const struct each *each, const char *name,
		      struct img_err *err)
{
	int r = snapshot_remove(each->store, each->values, name, err);

	if (r == 0)
		(void)printf("%s\n", name);
	return r;
}

static int run_rm(const struct cli *cli, void *values, int argc, char **argv,
		  struct img_err *err)
{
	img_auto(container_row_release) struct container_row container = { 0 };
	img_auto(store_close) struct store *store = NULL;
	struct each each = { .values = &container,
			     .doing = "remove the snapshot",
			     .fn = remove_one };
	int r = cli_open_container(cli, argv[0], &store, &container, err);

	each.store = store;
	return r < 0 ? r : each_name(cli, &each, argc - 1, argv + 1, err);
}

const struct verb verb_snapshot_rm = {
	.name = "snapshot rm",
	.arguments = "CONTAINER NAME [NAME...]",
	.summary = "Remove snapshots of a container, and give their space back",
	.values_size = 1,
	.min_args = 2,
	.max_args = -1,
	.run = run_rm,
};

/* --- snapshot rollback ---------------------------------------------------- */

static int run_rollback(const struct cli *cli, void *values, int argc,
			char **argv, struct img_err *err)
{
	img_auto(container_row_release) struct container_row container = { 0 };
	img_auto(store_close) struct store *store = NULL;
	int r = cli_open_container(cli, argv[0], &store, &container, err);

	if (r < 0)
		return r;
	r = snapshot_roll_back(store, &container, argv[1], err);
	if (r < 0)
		return img_err_prefix(err, "cannot roll %s back",
				      container.name);
	(void)printf("%s\n", argv[0]);
	return 0;
}

const struct verb verb_snapshot_rollback = {
	.name = "snapshot rollback",
	.arguments = "CONTAINER NAME",
	.summary = "Return a stopped container to the state of a snapshot",
	.description =
		"What was written since the snapshot is lost, also where the "
		"container was made\nlarger. The snapshot stays, and so do all "
		"others, older and newer. Copies no data.",
	.values_size = 1,
	.min_args = 2,
	.max_args = 2,
	.run = run_rollback,
};
