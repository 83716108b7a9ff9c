#include "base/cleanup.h"
#include "base/str.h"
#include "cli/event.h"
#include "cli/verb.h"

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	img_auto(store_close) struct store *store = NULL;
	img_auto(img_mem_release) char *old = NULL;
	img_auto(container_row_release) struct container_row row = { 0 };
	int r = container_name_check(argv[1], err);

	if (r == 0)
		r = cli_open_container(cli, argv[0], &store, &row, err);
	if (r == 0)
		r = container_rename(store, &row, argv[1], err);
	if (r < 0)
		return r;
	old = mem_strdup(row.name);
	(void)snprintf(row.name, sizeof(row.name), "%s", argv[1]);
	container_note_again(store, &row);
	event_write_with(store, "rename", &row, "oldName", old);
	return 0;
}

const struct verb verb_rename = {
	.name = "rename",
	.arguments = "CONTAINER NAME",
	.summary = "Give a container another name",
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
