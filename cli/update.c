#include "base/cleanup.h"
#include "base/str.h"
#include "cli/container_cgroup.h"
#include "cli/each.h"
#include "cli/event.h"
#include "cli/limits.h"
#include "image/config.h"

#include <string.h>

struct options {
	struct limit_options limits;
};

static const struct option_row rows[] = {
	LIMIT_ROWS(offsetof(struct options, limits)),
};

static bool says_any(const struct limit_options *o)
{
	const struct limit_options none = { 0 };

	return memcmp(o, &none, sizeof(none)) != 0;
}

/* What was taken away has to be said to the kernel, where "nothing" means "as
 * it is". */
static void say_none(const struct limit_options *o, struct cgroup_limits *l)
{
	if (o->memory && !l->memory_bytes)
		l->memory_bytes = CGROUP_UNLIMITED;
	if (o->cpus && !l->cpu_quota_us)
		l->cpu_quota_us = CGROUP_UNLIMITED;
	if (o->cpu_quota && !l->cpu_quota_us)
		l->cpu_quota_us = CGROUP_UNLIMITED;
}

/* The cgroup of one that runs. */
static int apply(struct store *store, const struct container_row *row,
		 const struct limit_options *o, json_t *host,
		 struct img_err *err)
{
	img_auto(img_mem_release) struct cgroup_io *io = NULL;
	img_auto(img_fd_release) int cgroup = -1;
	struct cgroup_limits limits;
	dev_t device = 0;
	int r = container_is_running(store, row, err);

	if (r <= 0)
		return r;
	limits_get(host, &limits, &io);
	say_none(o, &limits);
	r = container_cgroup_need(store, row, &cgroup, err);
	if (r == -IMG_E_NOT_FOUND) { /* it ended this instant */
		*err = (struct img_err){ 0 };
		return 0;
	}
	if (r == 0 && limits.n_io > 0)
		r = volume_device(store, &row->volume, &device, err);
	return r < 0 ? r : cgroup_change(cgroup, &limits, device, err);
}

static int update_one(const struct each *each, const char *ref,
		      struct img_err *err)
{
	const struct options *o = each->values;
	img_auto(container_row_release) struct container_row row = { 0 };
	img_auto(json_release) json_t *config = NULL;
	img_auto(img_mem_release) char *text = NULL;
	json_t *host;
	int r = container_find(each->store, ref, &row, err);

	if (r == 0)
		r = image_config_parse(row.config, &config, err);
	if (r < 0)
		return r;
	host = json_object_get(config, "HostConfig");
	if (!host) {
		host = json_object();
		(void)json_object_set_new(config, "HostConfig", host);
	}
	r = limits_put(host, &o->limits, err);
	/* The kernel may refuse; what is written down is what holds. */
	if (r == 0)
		r = apply(each->store, &row, &o->limits, host, err);
	if (r < 0)
		return r;
	text = image_config_text(config);
	r = container_set_config(each->store, &row, text, err);
	if (r < 0)
		return r;
	event_write(each->store, "update", &row);
	(void)printf("%s\n", ref);
	return 0;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	struct each each = { .values = values,
			     .doing = "update",
			     .fn = update_one };

	if (!says_any(&o->limits))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "say what to change: 'img help update' "
				   "lists it");
	return each_argument(cli, &each, argc, argv, err);
}

const struct verb verb_update = {
	.name = "update",
	.arguments = "CONTAINER [CONTAINER...]",
	.summary = "Change what containers may use, while they run",
	.description =
		"What is not named stays. 0 takes a limit of memory or "
		"processors away. One that does\nnot run has the new limits "
		"from its next start on.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
