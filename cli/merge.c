#include "storage/merge.h"
#include "base/cleanup.h"
#include "cli/event.h"
#include "cli/new_image.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "image/config.h"
#include "image/image_merge.h"

#include <string.h>

struct options {
	struct new_image_options new_image;
	bool force;
};

static const struct option_row rows[] = {
	NEW_IMAGE_OPTION_ROWS(struct options),
	{ 'f', "force", NULL,
	  "also while others are made from the image: they keep it as it was",
	  OPTION_FLAG, offsetof(struct options, force) },
};

struct job {
	struct store *store;
	const struct container_row *row;
	const struct options *options;
	struct image image;
	char *config;
	bool in_place;
	struct volume_pending merge; /* in place */
	unsigned others;	     /* other containers of the image */
};

static void job_release(struct job *job)
{
	image_release(&job->image);
	img_mem_release(&job->config);
	volume_pending_release(&job->merge);
}

static int count_other(void *self, const struct container_row *row,
		       struct img_err *err)
{
	struct job *job = self;

	if (strcmp(row->image.hex, job->image.id.hex) == 0 &&
	    strcmp(row->id.hex, job->row->id.hex) != 0)
		job->others++;
	return 0;
}

/* The image of the container, which must not run. */
static int prepare(struct job *job, struct img_err *err)
{
	struct store *store = job->store;
	img_auto(json_release) json_t *config = NULL;
	const struct text_list *changes = &job->options->new_image.changes;
	int r = container_is_running(store, job->row, err);

	if (r > 0)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "it is running: stop it first");
	if (r == 0)
		r = volume_await(store, job->row->volume.id, err);
	if (r == 0)
		r = image_get(store, job->row->image.hex, &job->image, err);
	if (r == 0)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "its image was removed: 'img commit' makes "
				   "one of it");
	if (r > 0)
		r = container_each(store, count_other, job, err);
	if (r == 0)
		r = image_config_parse(job->image.config, &config, err);
	for (size_t i = 0; r == 0 && i < changes->n; i++)
		r = image_config_change(config, changes->text[i], err);
	if (r == 0)
		job->config = image_config_text(config);
	return r;
}

/* Whether the image's own volume takes the changes. */
static int choose(struct job *job, struct img_err *err)
{
	unsigned made_from_it;
	uint32_t base;
	int r = merge_base(job->store, &job->row->volume, &base, &made_from_it,
			   err);

	if (r < 0 || base == 0 || base != job->image.volume.id)
		return r;
	r = volume_await(job->store, base, err);
	if (r < 0)
		return r;
	job->in_place = made_from_it == 0;
	if (!job->in_place && !job->options->force)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "other containers, or their snapshots, are "
				   "made from its image (%u): remove those "
				   "first, or use --force, which leaves them "
				   "the image as it was",
				   made_from_it);
	return 0;
}

/* Within the transaction that moves the image's names. */
static int change_rows(void *self, const struct id *id, struct img_err *err)
{
	struct job *job = self;
	int r = db_run(store_db(job->store), err,
		       "UPDATE containers SET image = ? WHERE id = ?", "ss",
		       id->hex, job->row->id.hex);

	if (r >= 0 && job->in_place)
		r = merge_begin(job->store, &job->row->volume, &job->merge,
				err);
	return r < 0 ? r : 0;
}

static int merge(struct job *job, struct id *ret, struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending copy = { 0 };
	img_auto(img_mem_release) char *created_by =
		image_config_command(job->row->config);
	const char *message = job->options->new_image.message;
	int r = 0;

	if (!job->in_place)
		r = volume_copy(job->store, &job->row->volume, &copy, err);
	if (r == 0)
		r = image_merge(job->store,
				&(struct image_merge){
					.image = &job->image,
					.volume = job->in_place ? NULL : &copy,
					.config = job->config,
					.created_by = created_by,
					.comment = message ? message : "",
					.keep = job->others > 0,
					.rows = change_rows,
					.self = job,
				},
				ret, err);
	if (r < 0 || !job->in_place)
		return r;
	r = merge_finish(&job->merge, progress_begin(), err);
	progress_end();
	return r;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(container_row_release) struct container_row row = { 0 };
	img_auto(store_close) struct store *store = NULL;
	img_auto(job_release) struct job job = { .options = o };
	struct id id;
	int r = cli_open_store(cli, false, &store, err);

	if (r == 0)
		r = store_need_pool(store, err);
	if (r == 0)
		r = container_find(store, argv[0], &row, err);
	if (r < 0)
		return r;
	job.store = store;
	job.row = &row;
	r = prepare(&job, err);
	if (r == 0)
		r = choose(&job, err);
	if (r == 0)
		r = merge(&job, &id, err);
	if (r < 0)
		return img_err_prefix(err, "cannot merge %s", row.name);
	event_write_with(store, "merge", &row, "imageID", id.hex);
	event_write_image(store, "create", &id, NULL, job.config);
	if (!o->new_image.quiet)
		(void)printf("%s\n", id.hex);
	return 0;
}

const struct verb verb_merge = {
	.name = "merge",
	.arguments = "CONTAINER",
	.summary = "Fold a container's changes into its image",
	.description =
		"The names of the image then mean what the container has, and "
		"the container goes on\nwith nothing changed. It must not run. "
		"What else was made from the image stays as it\nis.\n\nOn the "
		"driver thin this is one snapshot; the old image is removed, "
		"or, while other\ncontainers were made from it, stays without "
		"a name. On the driver snapshot the\nchanges are written into "
		"the image's own file, which cannot be undone: killed or\ncut "
		"off, the next command goes on with it. While others are made "
		"from the image\nthat is refused; with --force a new file gets "
		"the changes, as by 'img commit'.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
