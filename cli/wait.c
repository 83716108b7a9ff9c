#include "base/cleanup.h"
#include "cli/container_process.h"
#include "cli/each.h"

static int wait_one(const struct each *each, const char *ref,
		    struct img_err *err)
{
	img_auto(container_row_release) struct container_row before = { 0 };
	img_auto(container_row_release) struct container_row row = { 0 };
	int r = container_find(each->store, ref, &before, err);

	if (r == 0)
		r = container_process_wait(each->store, &before, -1, err);
	if (r == 0)
		r = container_find(each->store, before.id.hex, &row, err);
	if (r == 0)
		(void)printf("%d\n", row.exit_status);
	return r;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	struct each each = { .doing = "wait for", .fn = wait_one };

	return each_argument(cli, &each, argc, argv, err);
}

const struct verb verb_wait = {
	.name = "wait",
	.arguments = "CONTAINER [CONTAINER...]",
	.summary = "Wait until containers end, and print their exit statuses",
	.description =
		"One that does not run has its last status printed at once. "
		"One that was run with --rm\nis gone with its status by then.",
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
