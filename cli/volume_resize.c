#include "base/cleanup.h"
#include "cli/verb.h"
#include "cli/volume_option.h"
#include "image/named_volume.h"

#include <stdio.h>

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	img_auto(named_volume_release) struct named_volume named = { 0 };
	img_auto(store_close) struct store *store = NULL;
	uint64_t size = 0;
	int r = cli_open_store(cli, false, &store, err);

	if (r == 0)
		r = named_volume_find(store, argv[0], &named, err);
	if (r < 0)
		return r;
	r = volume_option_larger(argv[1], &named.volume, &size, err);
	if (r == 0)
		r = named_volume_resize(store, &named, size, err);
	if (r < 0)
		return img_err_prefix(err, "cannot resize the volume %s",
				      named.name);
	(void)printf("%s\n", argv[0]);
	return 0;
}

const struct verb verb_volume_resize = {
	.name = "volume resize",
	.arguments = "VOLUME SIZE",
	.summary = "Make a volume larger, also while containers use it",
	.description =
		"SIZE is the new size, as in 20G, or with a + before it what "
		"is to be added. On the\ndriver snapshot volumes keep the size "
		"that they were made with.",
	.values_size = 1,
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
