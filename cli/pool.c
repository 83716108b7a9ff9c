#include "base/cleanup.h"
#include "base/num.h"
#include "cli/verb.h"

static int run_status(const struct cli *cli, void *values, int argc,
		      char **argv, struct img_err *err)
{
	img_auto(store_close) struct store *store = NULL;
	char used[SIZE_TEXT_MAX], all[SIZE_TEXT_MAX];
	struct store_usage usage = { 0 };
	int r = cli_open_store(cli, false, &store, err);

	if (r == 0)
		r = store_usage(store, &usage, err);
	if (r < 0)
		return r;
	(void)printf("mode       %s\n", usage.failed ? "failed"
					: usage.out_of_space
						? "out of space: writes fail"
					: usage.read_only ? "read-only"
							  : "read-write");
	if (usage.needs_check)
		(void)printf("check      needed: thin_check(8)\n");
	(void)printf("data       %s of %s\n",
		     num_format_size(usage.data_used_bytes, used),
		     num_format_size(usage.data_bytes, all));
	(void)printf("metadata   %s of %s\n",
		     num_format_size(usage.metadata_used_bytes, used),
		     num_format_size(usage.metadata_bytes, all));
	(void)printf("chunk      %s\n",
		     num_format_size(store_chunk_bytes(store), all));
	return 0;
}

const struct verb verb_pool_status = {
	.name = "pool status",
	.arguments = "",
	.summary = "Show the state of the pool",
	.run = run_status,
};

static int run_stop(const struct cli *cli, void *values, int argc, char **argv,
		    struct img_err *err)
{
	img_auto(store_close) struct store *store = NULL;
	int r = cli_open_store(cli, false, &store, err);

	return r < 0 ? r : store_stop(store, err);
}

const struct verb verb_pool_stop = {
	.name = "pool stop",
	.arguments = "",
	.summary =
		"Take the store's devices down, before it is moved or copied",
	.description = "Refused while a container runs. The next verb that "
		       "needs the pool brings it up.",
	.run = run_stop,
};
