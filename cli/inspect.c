#include "base/cleanup.h"
#include "base/str.h"
#include "cli/clock.h"
#include "cli/format.h"
#include "cli/inspect_mounts.h"
#include "cli/object.h"
#include "cli/snapshots.h"
#include "cli/verb.h"
#include "cli/volume_view.h"
#include "image/config.h"
#include "image/record.h"
#include "storage/account.h"

#include <string.h>

struct options {
	const char *type, *format;
};

static const struct option_row rows[] = {
	{ 'f', "format", "FORMAT", "json, or a template as {{.State.Status}}",
	  OPTION_TEXT, offsetof(struct options, format) },
	{ 0, "type", "TYPE",
	  "container, image or volume, where several have the name",
	  OPTION_TEXT, offsetof(struct options, type) },
};

static int volume_json(struct store *store, const struct volume *volume,
		       json_t **ret, struct img_err *err)
{
	img_auto(account_close) struct account *account = NULL;
	struct account_usage usage;
	struct img_err lost = { 0 }; /* shown, with all the rest */
	int r = account_open(store, &account, err);

	if (r == 0)
		r = account_volume(account, volume->id, &usage, err);
	if (r == 0)
		IMG_IGNORE(volume_check(store, volume, &lost));
	if (r == 0)
		*ret = json_pack("{si sI sI sI ss}", "Id", (int)volume->id,
				 "SizeBytes", (json_int_t)volume->size_bytes,
				 "MappedBytes", (json_int_t)usage.mapped_bytes,
				 "ExclusiveBytes",
				 (json_int_t)usage.exclusive_bytes, "Error",
				 lost.msg);
	return r;
}

static int add_step(void *self, const struct image_step *step,
		    struct img_err *err)
{
	char time[CLOCK_TEXT_MAX];

	(void)json_array_append_new(
		self,
		json_pack("{ss ss ss ss}", "Layer", step->layer, "Created",
			  clock_rfc3339(step->created_ns, time), "CreatedBy",
			  step->created_by, "Comment", step->comment));
	return 0;
}

static int image_json(struct store *store, const struct image *image,
		      json_t **ret, struct img_err *err)
{
	img_auto(json_release) json_t *config = NULL;
	img_auto(json_release) json_t *names = NULL;
	img_auto(json_release) json_t *history = json_array();
	img_auto(json_release) json_t *volume = NULL;
	char time[CLOCK_TEXT_MAX];
	int r = image_config_parse(image->config, &config, err);

	if (r == 0)
		r = image_record_names(store, image->id.hex, &names, err);
	if (r == 0)
		r = image_each_step(store, image->id.hex, add_step, history,
				    err);
	if (r == 0)
		r = volume_json(store, &image->volume, &volume, err);
	if (r == 0)
		*ret = json_pack("{ss ss sO ss ss sO sO sO}", "Type", "image",
				 "Id", image->id.hex, "RepoTags", names,
				 "Parent", image->parent.hex, "Created",
				 clock_rfc3339(image->created_ns, time),
				 "Config", config, "History", history, "Volume",
				 volume);
	return r;
}

struct snapshots {
	struct store *store;
	json_t *array;
};

static int add_snapshot(void *self, const struct snapshot_row *row,
			struct img_err *err)
{
	const struct snapshots *snapshots = self;
	json_t *volume = NULL;
	char time[CLOCK_TEXT_MAX];
	int r = volume_json(snapshots->store, &row->volume, &volume, err);

	if (r == 0)
		(void)json_array_append_new(
			snapshots->array,
			json_pack("{ss ss so}", "Name", row->name, "Created",
				  clock_rfc3339(row->created_ns, time),
				  "Volume", volume));
	return r;
}

/* As podman shows them: CONTAINER:HOST:COUNT. */
static json_t *id_mappings(const struct userns *users)
{
	char uids[40], gids[40];

	(void)snprintf(uids, sizeof(uids), "0:%u:%u", users->uid_base,
		       USERNS_IDS);
	(void)snprintf(gids, sizeof(gids), "0:%u:%u", users->gid_base,
		       USERNS_IDS);
	return json_pack("{s[s] s[s]}", "UidMap", uids, "GidMap", gids);
}

static int container_json(struct store *store, const struct container_row *row,
			  json_t **ret, struct img_err *err)
{
	img_auto(json_release) json_t *config = NULL;
	img_auto(json_release) json_t *volume = NULL;
	struct snapshots snapshots = { .store = store };
	img_auto(json_release) json_t *array = json_array();
	char created[CLOCK_TEXT_MAX], started[CLOCK_TEXT_MAX];
	char finished[CLOCK_TEXT_MAX];
	const char *state = "";
	json_t *host;
	bool running;
	int r = image_config_parse(row->config, &config, err);

	if (r == 0)
		r = container_state(store, row, &state, err);
	if (r == 0)
		r = volume_json(store, &row->volume, &volume, err);
	snapshots.array = array;
	if (r == 0)
		r = snapshot_each(store, row, add_snapshot, &snapshots, err);
	if (r < 0)
		return r;
	running = strcmp(state, "running") == 0 || strcmp(state, "paused") == 0;
	host = json_incref(json_object_get(config, "HostConfig"));
	(void)json_object_del(config, "HostConfig"); /* shown beside it */
	if (!host)
		host = json_object();
	(void)json_object_set_new(host, "AutoRemove",
				  json_boolean(row->auto_remove));
	if (userns_is_own(&row->users))
		(void)json_object_set_new(host, "IDMappings",
					  id_mappings(&row->users));
	*ret = json_pack(
		"{ss ss ss ss ss ss s{ss sb sb sb si si ss ss} so sO so sO sO}",
		"Type", "container", "Id", row->id.hex, "Name", row->name,
		"Created", clock_rfc3339(row->created_ns, created), "Image",
		row->image.hex, "ImageName", row->image_name, "State", "Status",
		state, "Running", running, "Paused",
		strcmp(state, "paused") == 0, "OOMKilled", row->oom_killed,
		"Pid", (int)container_pid(store, row), "ExitCode",
		row->exit_status, "StartedAt",
		clock_rfc3339(row->started_ns, started), "FinishedAt",
		clock_rfc3339(row->finished_ns, finished), "Mounts",
		inspect_mounts(host), "Config", config, "HostConfig", host,
		"Volume", volume, "Snapshots", array);
	return 0;
}

static int find_volume(struct store *store, const char *ref, json_t **ret,
		       struct img_err *err)
{
	img_auto(named_volume_release) struct named_volume named = { 0 };
	img_auto(account_close) struct account *account = NULL;
	int r = named_volume_find(store, ref, &named, err);

	if (r == 0)
		r = account_open(store, &account, err);
	return r < 0 ? r : volume_view_json(store, &named, account, ret, err);
}

static int find(struct store *store, const char *ref, const char *type,
		json_t **ret, struct img_err *err)
{
	img_auto(object_release) struct object object = { 0 };
	struct img_err missing = { 0 }, no_volume = { 0 };
	int r;

	if (type && strcmp(type, "volume") == 0)
		return find_volume(store, ref, ret, err);
	r = object_find_type(store, ref, type, &object, &missing);
	if (r == -IMG_E_NOT_FOUND && !type) {
		r = find_volume(store, ref, ret, &no_volume);
		if (r == -IMG_E_NOT_FOUND)
			return img_err_set(err, IMG_E_NOT_FOUND, 0,
					   "there is no container, image or "
					   "volume '%s'",
					   ref);
		if (r < 0)
			*err = no_volume;
		return r;
	}
	if (r < 0) {
		*err = missing;
		return r;
	}
	return object.is_image
		       ? image_json(store, &object.image, ret, err)
		       : container_json(store, &object.container, ret, err);
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(store_close) struct store *store = NULL;
	img_auto(json_release) json_t *list = json_array();
	int r = 0;

	if (o->type && strcmp(o->type, "container") != 0 &&
	    strcmp(o->type, "image") != 0 && strcmp(o->type, "volume") != 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--type is container, image or volume, not "
				   "'%s'",
				   o->type);
	r = format_of_objects(o->format, err);
	if (r == 0)
		r = cli_open_store(cli, false, &store, err);
	for (int i = 0; r == 0 && i < argc; i++) {
		json_t *one = NULL;

		r = find(store, argv[i], o->type, &one, err);
		if (r == 0)
			(void)json_array_append_new(list, one);
	}
	return r < 0 ? r : format_print_objects(list, o->format, err);
}

const struct verb verb_inspect = {
	.name = "inspect",
	.arguments = "NAME [NAME...]",
	.summary = "Show all about containers, images or volumes, as JSON",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
