#include "base/cleanup.h"
#include "base/id.h"
#include "cli/event.h"
#include "cli/verb.h"
#include "cli/volume_option.h"
#include "image/config.h"
#include "image/named_volume.h"

#include <stdio.h>

struct options {
	const char *driver;
	struct text_list labels, options;
	uint64_t size_bytes;
};

static const struct option_row rows[] = {
	{ 'd', "driver", "DRIVER", "local, the only one", OPTION_TEXT,
	  offsetof(struct options, driver) },
	{ 0, "label", "NAME[=VALUE]", "say something about it", OPTION_LIST,
	  offsetof(struct options, labels) },
	{ 'o', "opt", "NAME=VALUE", "size=SIZE, as --size", OPTION_LIST,
	  offsetof(struct options, options) },
	{ 0, "size", "SIZE", "of its file system [as for images]", OPTION_SIZE,
	  offsetof(struct options, size_bytes) },
};

static int read_options(const struct options *o, struct named_volume_new *new,
			struct img_err *err)
{
	int r = o->driver ? volume_option_driver(o->driver, err) : 0;

	if (r == 0)
		r = volume_option_object(&o->labels, "--label", &new->labels,
					 err);
	if (r == 0)
		r = volume_option_object(&o->options, "--opt", &new->options,
					 err);
	if (r == 0)
		r = volume_option_size(new->options, &new->size_bytes, err);
	if (r < 0 || !o->size_bytes)
		return r;
	if (new->size_bytes)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--size and --opt size= say the same");
	new->size_bytes = o->size_bytes;
	return 0;
}

static int create(const struct cli *cli, struct named_volume_new *new,
		  struct img_err *err)
{
	img_auto(named_volume_release) struct named_volume named = { 0 };
	img_auto(store_close) struct store *store = NULL;
	struct img_err missing = { 0 };
	int r = cli_open_store(cli, true, &store, err);

	if (r < 0)
		return r;
	/* As docker has it: one that is there is no failure. */
	if (named_volume_find(store, new->name, &named, &missing) < 0) {
		r = named_volume_create(store, new, err);
		if (r == 0)
			event_write_volume(store, "create", new->name, NULL);
	}
	if (r < 0)
		return img_err_prefix(err, "cannot create the volume '%s'",
				      new->name);
	(void)printf("%s\n", new->name);
	return 0;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	struct id id;
	struct named_volume_new new = { .anonymous = argc == 0 };
	int r = id_new(&id, err);

	new.name = argc ? argv[0] : id.hex;
	if (r == 0)
		r = read_options(values, &new, err);
	if (r == 0)
		r = create(cli, &new, err);
	json_release(&new.labels);
	json_release(&new.options);
	return r;
}

const struct verb verb_volume_create = {
	.name = "volume create",
	.arguments = "[NAME]",
	.summary = "Make a volume that containers can mount",
	.description =
		"An ext4 of its own, which outlives the containers that use "
		"it, and which several can\nuse at once: img run -v "
		"NAME:/path. Prints its name, which is made up where none is\n"
		"given. One that is there already is left as it is.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.max_args = 1,
	.run = run,
};
