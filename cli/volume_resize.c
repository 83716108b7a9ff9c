#include "base/cleanup.h"
#include "base/num.h"
#include "cli/verb.h"
#include "image/named_volume.h"

#include <stdio.h>

/* SIZE, or +SIZE for so much more. */
static int read_size(const char *text, const struct volume *volume,
		     uint64_t *ret, struct img_err *err)
{
	bool more = text[0] == '+';
	uint64_t size = 0;
	int r = num_parse_size(text + more, "SIZE", &size, err);

	if (r < 0)
		return r;
	if ((more && num_add_overflows(size, volume->size_bytes, &size)) ||
	    size > VOLUME_BYTES_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "a volume cannot be larger than 16T");
	*ret = num_align_up(size, VOLUME_BYTES_STEP);
	return 0;
}

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
	r = read_size(argv[1], &named.volume, &size, err);
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
	.description = "SIZE is the new size, as in 20G, or with a + before it "
		       "what is to be added.",
	.values_size = 1,
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
