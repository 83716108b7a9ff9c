#include "image/import.h"

#include "base/cleanup.h"
#include "cli/event.h"
#include "cli/new_image.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "image/config.h"

#include <string.h>

struct options {
	struct new_image_options new_image;
	uint64_t size_bytes, max_entries;
};

static const struct option_row rows[] = {
	NEW_IMAGE_OPTION_ROWS(struct options),
	{ 0, "max-entries", "N", "refuse archives with more [10000000]",
	  OPTION_U64, offsetof(struct options, max_entries) },
	{ 0, "size", "SIZE", "size of the volume [10G, or as init said]",
	  OPTION_SIZE, offsetof(struct options, size_bytes) },
};

static int make_name(int argc, char **argv, struct image_name *ret,
		     struct img_err *err)
{
	if (argc > 1)
		return image_name_parse(argv[1], ret, err);
	if (strcmp(argv[0], "-") == 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "an image from standard input needs a name");
	return image_name_from_source(argv[0], ret, err);
}

static int import(const struct cli *cli, const struct import_options *options,
		  struct id *ret, struct img_err *err)
{
	img_auto(store_close) struct store *store = NULL;
	int r = cli_open_store(cli, true, &store, err);

	if (r == 0)
		r = import_image(store, options, ret, err);
	if (r == 0)
		event_write_image(store, "import", ret, options->name,
				  options->config);
	return r;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(json_release) json_t *config = image_config_new();
	img_auto(img_mem_release) char *config_text = NULL;
	struct import_options options = {
		.source = argv[0],
		.message = o->new_image.message,
		.size_bytes = o->size_bytes,
		.max_entries = o->max_entries,
	};
	struct image_name name;
	struct id id;
	int r = make_name(argc, argv, &name, err);

	for (size_t i = 0; r == 0 && i < o->new_image.changes.n; i++)
		r = image_config_change(config, o->new_image.changes.text[i],
					err);
	if (r == 0) {
		config_text = image_config_text(config);
		options.config = config_text;
		options.name = &name;
		options.progress = progress_begin();
		r = import(cli, &options, &id, err);
		progress_end();
	}
	if (r < 0)
		return img_err_prefix(err, "cannot import %s", argv[0]);
	if (!o->new_image.quiet)
		(void)printf("%s\n", id.hex);
	return 0;
}

const struct verb verb_import = {
	.name = "import",
	.arguments = "SOURCE [NAME[:TAG]]",
	.summary = "Make a base image of a root file system",
	.description =
		"SOURCE is a tar archive, plain or compressed by gzip, xz, "
		"zstd or bzip2, a\ndirectory, or a file that holds an ext4, as "
		"'img export --format ext4' writes it;\n- is an archive or an "
		"ext4 on standard input. Without NAME the image is named\nafter "
		"SOURCE.\n\n"
		"Nothing is mounted "
		"and nothing of SOURCE is trusted: an entry that would leave\n"
		"the image, a broken archive, or one that does not fit leaves "
		"nothing behind. Of an\next4 every structure is checked before "
		"any kernel may mount it.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = 2,
	.run = run,
};
