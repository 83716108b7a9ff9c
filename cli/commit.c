#include "base/cleanup.h"
#include "cli/event.h"
#include "cli/new_image.h"
#include "cli/verb.h"
#include "image/config.h"
#include "storage/use.h"

struct options {
	struct new_image_options new_image;
};

static const struct option_row rows[] = {
	NEW_IMAGE_OPTION_ROWS(struct options),
};

/* The image's configuration: the container's, less what is the container's
 * alone, with the changes. */
static int make_config(const struct container_row *row,
		       const struct text_list *changes, char **ret,
		       struct img_err *err)
{
	static const char *const own[] = { "Domainname",   "Hostname",
					   "Tty",	   "OpenStdin",
					   "StdinOnce",	   "StopTimeout",
					   "AttachStdin",  "AttachStdout",
					   "AttachStderr", "HostConfig" };
	img_auto(json_release) json_t *config = NULL;
	int r = image_config_parse(row->config, &config, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < IMG_COUNT(own); i++)
		(void)json_object_del(config, own[i]); /* may be absent */
	for (size_t i = 0; r == 0 && i < changes->n; i++)
		r = image_config_change(config, changes->text[i], err);
	if (r == 0)
		*ret = image_config_text(config);
	return r;
}

static int commit(struct store *store, const struct container_row *row,
		  const struct options *o, const struct image_name *name,
		  struct id *ret, struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	img_auto(image_release) struct image parent = { 0 };
	img_auto(img_mem_release) char *config = NULL;
	img_auto(img_mem_release) char *created_by = NULL;
	int has_parent, r;

	r = make_config(row, &o->new_image.changes, &config, err);
	if (r < 0)
		return r;
	has_parent = image_get(store, row->image.hex, &parent, err);
	if (has_parent < 0)
		return has_parent;
	created_by = image_config_command(row->config);
	r = use_check_settled(store, row->volume.id, err);
	if (r == 0)
		r = volume_copy(store, &row->volume, &new, err);
	if (r < 0)
		return r;
	return image_add(store,
			 &(struct image_new){
				 .volume = &new,
				 .parent = has_parent ? &parent : NULL,
				 .config = config,
				 .name = name,
				 .created_by = created_by,
				 .comment = o->new_image.message
						    ? o->new_image.message
						    : "",
			 },
			 ret, err);
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(container_row_release) struct container_row row = { 0 };
	img_auto(store_close) struct store *store = NULL;
	struct image_name name;
	struct id id;
	int r = 0;

	if (argc > 1)
		r = image_name_parse(argv[1], &name, err);
	if (r == 0)
		r = cli_open_container(cli, argv[0], &store, &row, err);
	if (r < 0)
		return r;
	r = commit(store, &row, o, argc > 1 ? &name : NULL, &id, err);
	if (r < 0)
		return img_err_prefix(err, "cannot commit %s", row.name);
	event_write_with(store, "commit", &row, "imageID", id.hex);
	event_write_image(store, "create", &id, NULL, NULL);
	if (argc > 1)
		event_write_image(store, "tag", &id, &name, NULL);
	if (!o->new_image.quiet)
		(void)printf("%s\n", id.hex);
	return 0;
}

const struct verb verb_commit = {
	.name = "commit",
	.arguments = "CONTAINER [NAME[:TAG]]",
	.summary = "Make an image of a container's state: one snapshot",
	.description =
		"Copies no data: it costs the same for any size. A running "
		"container's file system\nis frozen for the instant of the "
		"snapshot. The image takes over the container's\ncommand, "
		"environment, user and working directory.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = 2,
	.run = run,
};
