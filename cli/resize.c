#include "storage/resize.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "cli/event.h"
#include "cli/verb.h"
#include "cli/volume_option.h"
#include "runtime/rootfs.h"

int container_grow(struct store *store, const char *node, uint64_t size_bytes,
		   struct img_err *err)
{
	return rootfs_grow(node, size_bytes, err);
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	img_auto(store_close) struct store *store = NULL;
	char text[SIZE_TEXT_MAX];
	uint64_t size = 0;
	int r = cli_open_container(cli, argv[0], &store, &row, err);

	if (r < 0)
		return r;
	r = volume_option_larger(argv[1], &row.volume, &size, err);
	if (r == 0)
		r = resize_volume(store, row.volume.id, size, err);
	if (r < 0)
		return img_err_prefix(err, "cannot resize %s", row.name);
	event_write_with(store, "resize", &row, "size",
			 num_format_size(size, text));
	(void)printf("%s\n", argv[0]);
	return 0;
}

const struct verb verb_resize = {
	.name = "resize",
	.arguments = "CONTAINER SIZE",
	.summary = "Make a container's file system larger, also while it runs",
	.description =
		"SIZE is the new size, as in 20G, or with a + before it what "
		"is to be added. Its\nsnapshots keep theirs. A file system "
		"cannot be made smaller; to have a smaller one,\nimport the "
		"image anew with another --size.",
	.values_size = 1,
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
