#include "base/cleanup.h"
#include "base/num.h"
#include "cli/verb.h"

struct options {
	struct store_sizes sizes;
	const char *driver, *data_device, *metadata_device;
	bool force;
};

static const struct option_row rows[] = {
	{ 0, "driver", "DRIVER", "thin: a thin pool; snapshot: a file a volume",
	  OPTION_TEXT, offsetof(struct options, driver) },
	{ 0, "data-device", "DEVICE",
	  "a block device for the data, in place of a file", OPTION_TEXT,
	  offsetof(struct options, data_device) },
	{ 0, "data-size", "SIZE", "size of the sparse data file [100G]",
	  OPTION_SIZE, offsetof(struct options, sizes.data_bytes) },
	{ 'f', "force", NULL, "overwrite what the devices hold", OPTION_FLAG,
	  offsetof(struct options, force) },
	{ 0, "max-size", "SIZE", "how large the data file may become by itself",
	  OPTION_SIZE, offsetof(struct options, sizes.max_bytes) },
	{ 0, "metadata-device", "DEVICE",
	  "a block device for the metadata, in place of a file", OPTION_TEXT,
	  offsetof(struct options, metadata_device) },
	{ 0, "metadata-size", "SIZE", "size of the sparse metadata file [1G]",
	  OPTION_SIZE, offsetof(struct options, sizes.metadata_bytes) },
	{ 0, "chunk-size", "SIZE",
	  "what the pool allocates at once, for its life [64K]", OPTION_SIZE,
	  offsetof(struct options, sizes.chunk_bytes) },
	{ 0, "reserve", "SIZE",
	  "below what is kept free no volume is made [2%, 1M to 1G]",
	  OPTION_SIZE, offsetof(struct options, sizes.reserve_bytes) },
	{ 0, "volume-size", "SIZE", "size of imported volumes [10G]",
	  OPTION_SIZE, offsetof(struct options, sizes.volume_bytes) },
};

static int check(const struct options *o, struct img_err *err)
{
	if (!o->data_device != !o->metadata_device)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--data-device and --metadata-device go "
				   "together");
	if (o->data_device && (o->sizes.data_bytes || o->sizes.metadata_bytes ||
			       o->sizes.max_bytes))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "a device is used whole: --data-size, "
				   "--metadata-size and --max-size are for "
				   "files");
	if (o->force && !o->data_device)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--force is for --data-device: nothing else "
				   "is overwritten");
	return 0;
}

static int make(const struct cli *cli, const struct options *o,
		struct img_err *err)
{
	img_auto(store_close) struct store *store = NULL;
	struct store_options options = {
		.root = cli->root,
		.run_root = cli->run_root,
		.create = true,
		.driver = o->driver,
		.sizes = o->sizes,
		.data_device = o->data_device,
		.metadata_device = o->metadata_device,
		.force = o->force,
	};
	struct store_usage usage = { 0 };
	char data[SIZE_TEXT_MAX], metadata[SIZE_TEXT_MAX];
	char chunk[SIZE_TEXT_MAX], volume[SIZE_TEXT_MAX];
	int r = store_open(&options, &store, err);

	if (r == 0)
		r = store_usage(store, &usage, err);
	if (r < 0)
		return r;
	(void)num_format_size(store_chunk_bytes(store), chunk);
	(void)num_format_size(store_volume_bytes(store), volume);
	if (usage.metadata_bytes)
		(void)printf("%s: data %s, metadata %s, chunks %s, volumes "
			     "%s\n",
			     cli->root, num_format_size(usage.data_bytes, data),
			     num_format_size(usage.metadata_bytes, metadata),
			     chunk, volume);
	else
		(void)printf("%s: driver %s, chunks %s, volumes %s\n",
			     cli->root, store_driver(store), chunk, volume);
	return 0;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	img_auto(store_close) struct store *store = NULL;
	struct img_err missing = { 0 };
	int r = check(values, err);

	if (r < 0)
		return r;
	r = cli_open_store(cli, false, &store, &missing);

	if (r == 0)
		return img_err_set(err, IMG_E_EXISTS, 0,
				   "there is a store in %s already", cli->root);
	if (r != -IMG_E_NOT_FOUND) {
		*err = missing;
		return r;
	}
	r = make(cli, values, err);
	return r < 0 ? img_err_prefix(err, "cannot make a store in %s",
				      cli->root)
		     : 0;
}

const struct verb verb_init = {
	.name = "init",
	.arguments = "",
	.summary = "Make a store, where the defaults do not fit",
	.description =
		"The first verb that needs a store makes one by itself; this "
		"one is for other\nsizes. The files are sparse: they take what "
		"is used. Small chunks share more\nbetween snapshots, large "
		"ones need less metadata: about 75 MiB for 100 GiB of\ndata in "
		"chunks of 64 KiB.\n\nFiles grow by themselves, before "
		"the last tenth is used, up to --max-size. Without\nit a "
		"--data-size is not exceeded, and the default size only as "
		"the host's file\nsystem has room. What --reserve keeps free "
		"is for what runs and for removals.\n\nWith --driver snapshot an image is a "
		"sparse file that can be mounted as it is, and a\ncontainer "
		"one of what differs, in chunks of 16K; there is no pool, and "
		"img commit\ncopies the image's file, or shares its blocks "
		"where the file system can.\n\nOn block devices the pool has no file "
		"system below it. They must be empty and used\nby nobody; they "
		"are known again by what is on them, whatever their names are "
		"then.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.run = run,
};
