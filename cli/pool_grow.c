#include "base/cleanup.h"
#include "base/num.h"
#include "cli/verb.h"
#include "storage/capacity.h"

struct options {
	bool metadata;
};

static const struct option_row rows[] = {
	{ 0, "metadata", NULL, "the metadata, in place of the data",
	  OPTION_FLAG, offsetof(struct options, metadata) },
};

/* "20G", or "+10G" for so much more than there is. */
static int parse(const char *text, uint64_t now_bytes, uint64_t *ret,
		 struct img_err *err)
{
	bool more = text[0] == '+';
	int r = num_parse_size(text + more, "the size", ret, err);

	if (r < 0 || !more)
		return r;
	if (num_add_overflows(*ret, now_bytes, ret))
		return img_err_set(err, IMG_E_INPUT, 0, "%s is too much", text);
	return 0;
}

static int choose(const struct options *o, const struct store_usage *usage,
		  const char *text, struct grow_target *ret,
		  struct img_err *err)
{
	if (!text)
		return 0;
	return o->metadata
		       ? parse(text, usage->metadata_bytes,
			       &ret->metadata_bytes, err)
		       : parse(text, usage->data_bytes, &ret->data_bytes, err);
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	img_auto(store_close) struct store *store = NULL;
	char data[SIZE_TEXT_MAX], metadata[SIZE_TEXT_MAX];
	struct grow_target target = { 0 };
	struct capacity_status status = { 0 };
	int r = cli_open_store(cli, false, &store, err);

	if (r == 0)
		r = capacity_status(store, &status, err);
	if (r == 0 && argc == 0 && status.has_pool && !store_data_device(store))
		r = img_err_set(err, IMG_E_INPUT, 0,
				"how large is it to be? as in 'img pool grow "
				"+10G'");
	if (r == 0)
		r = choose(values, &status.usage, argc ? argv[0] : NULL,
			   &target, err);
	if (r == 0)
		r = capacity_grow(store, &target, err);
	if (r == 0)
		r = capacity_status(store, &status, err);
	if (r < 0)
		return r;
	(void)printf("data %s, metadata %s\n",
		     num_format_size(status.usage.data_bytes, data),
		     num_format_size(status.usage.metadata_bytes, metadata));
	return 0;
}

const struct verb verb_pool_grow = {
	.name = "pool grow",
	.arguments = "[SIZE|+SIZE]",
	.summary = "Make the pool larger, while it is in use",
	.description =
		"For pools on files: to that size, or by that much. More than "
		"--max-size of img init\nis allowed from then on. A pool on "
		"devices takes no size: it uses the two devices as\nfar as "
		"they reach, after they were made larger. No pool is ever made "
		"smaller.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.max_args = 1,
	.run = run,
};
