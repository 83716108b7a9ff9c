#include "base/cleanup.h"
#include "cli/event.h"
#include "cli/verb.h"

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	img_auto(store_close) struct store *store = NULL;
	img_auto(image_release) struct image image = { 0 };
	struct image_name name;
	int r = image_name_parse(argv[1], &name, err);

	if (r == 0)
		r = cli_open_store(cli, false, &store, err);
	if (r == 0)
		r = image_find(store, argv[0], &image, err);
	if (r == 0)
		r = image_tag(store, &image, &name, err);
	if (r == 0)
		event_write_image(store, "tag", &image.id, &name, image.config);
	return r;
}

const struct verb verb_tag = {
	.name = "tag",
	.arguments = "IMAGE NAME[:TAG]",
	.summary = "Give an image one more name",
	.description = "A name that another image has moves to this one.",
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
