#include "cli/container_volumes.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "cli/event.h"
#include "cli/host_mounts.h"
#include "cli/volume_option.h"
#include "cli/volumes_from.h"
#include "image/config.h"
#include "runtime/bind.h"

#include <string.h>

/* Made for its container, which did not name one. */
static bool is_own(const json_t *mount)
{
	return json_is_true(json_object_get(mount, "Anonymous"));
}

static bool is_volume(const json_t *mount)
{
	return strcmp(json_text(mount, "Type"), "volume") == 0;
}

/* Whether a configuration may name one: by its text, since each new container
 * comes here and most have none. */
static bool may_have(const char *config)
{
	return strstr(config, "\"volume\"") ||
	       strstr(config, "\"Volumes\":{") ||
	       strstr(config, "\"VolumesFrom\":[\"") ||
	       !strstr(config, "\"Binds\":[]");
}

/* What the image declares, unless the command line puts something there. */
static int add_declared(json_t *config, json_t *host, struct img_err *err)
{
	json_t *declared = json_object_get(config, "Volumes");
	json_t *mounts = json_object_get(host, "Mounts");
	json_t *value;
	const char *path;

	json_object_foreach(declared, path, value)
	{
		img_auto(img_mem_release) char *target = NULL;
		int r = bind_target_parse(path, &target, err);

		if (r < 0)
			return img_err_prefix(err, "the image's VOLUME '%s'",
					      path);
		if (!host_mounts_has(host, target))
			host_mounts_put_volume(mounts, target);
	}
	return 0;
}

/* One that is there is taken as it is. */
static int need(struct store *store, const struct named_volume_new *new,
		struct img_err *err)
{
	img_auto(named_volume_release) struct named_volume named = { 0 };
	struct img_err first = { 0 };
	int r = named_volume_find(store, new->name, &named, &first);

	if (r == -IMG_E_NOT_FOUND) {
		first = (struct img_err){ 0 };
		r = named_volume_create(store, new, &first);
		if (r == 0)
			event_write_volume(store, "create", new->name, NULL);
	}
	if (r < 0 && r != -IMG_E_EXISTS) {
		*err = first;
		return img_err_prefix(err, "cannot make the volume '%s'",
				      new->name);
	}
	return 0;
}

static int need_bind(struct store *store, const char *text, struct img_err *err)
{
	img_auto(bind_text_release) struct bind_text bind = { 0 };
	int r = bind_parse(text, &bind, err);

	if (r < 0 || !bind.is_volume || !bind.source)
		return r;
	return need(store, &(struct named_volume_new){ .name = bind.source },
		    err);
}

static int need_mount(struct store *store, json_t *mount, struct img_err *err)
{
	json_t *options = json_object_get(mount, "VolumeOptions");
	struct named_volume_new new = {
		.name = image_config_string(mount, "Source"),
		.labels = json_object_get(options, "Labels"),
		.options = json_object_get(
			json_object_get(options, "DriverConfig"), "Options"),
	};
	struct id id;
	int r = volume_option_size(new.options, &new.size_bytes, err);

	if (r == 0 && !new.name) {
		new.anonymous = true;
		r = id_new(&id, err);
		if (r == 0)
			(void)json_object_set_new(mount, "Source",
						  json_string(id.hex));
		(void)json_object_set_new(mount, "Anonymous", json_true());
		new.name = id.hex;
	}
	return r < 0 ? r : need(store, &new, err);
}

static int need_all(struct store *store, const json_t *host,
		    struct img_err *err)
{
	json_t *one;
	size_t i;
	int r = 0;

	json_array_foreach(json_object_get(host, "Binds"), i, one)
	{
		r = need_bind(store, json_string_value(one), err);
		if (r < 0)
			return r;
	}
	json_array_foreach(json_object_get(host, "Mounts"), i, one)
	{
		/* Of what another container has nothing is made. */
		if (is_volume(one) && !volumes_from_is(one))
			r = need_mount(store, one, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static void drop_mounts(struct store *store, const json_t *mounts)
{
	json_t *one;
	size_t i;

	json_array_foreach(mounts, i, one)
	{
		img_auto(
			named_volume_release) struct named_volume named = { 0 };
		struct img_err kept = { 0 }; /* `volume prune` finds it */

		if (is_own(one) && !volumes_from_is(one) &&
		    named_volume_find(store, json_text(one, "Source"), &named,
				      &kept) == 0 &&
		    named_volume_remove(store, &named, &kept) == 0)
			event_write_volume(store, "destroy", named.name, NULL);
	}
}

int container_volumes_resolve(struct store *store, char **config,
			      struct img_err *err)
{
	img_auto(json_release) json_t *json = NULL;
	json_t *host;
	int r;

	if (!may_have(*config))
		return 0;
	r = image_config_parse(*config, &json, err);
	if (r < 0)
		return r;
	host = json_object_get(json, "HostConfig");
	r = volumes_from_resolve(store, host, err);
	if (r == 0)
		r = add_declared(json, host, err);
	if (r == 0)
		r = need_all(store, host, err);
	if (r < 0) {
		drop_mounts(store, json_object_get(host, "Mounts"));
		return r;
	}
	img_mem_release(config);
	*config = image_config_text(json);
	return 0;
}

void container_volumes_drop(struct store *store, const char *config)
{
	img_auto(json_release) json_t *json = NULL;
	struct img_err odd = { 0 };

	if (config && image_config_parse(config, &json, &odd) == 0)
		drop_mounts(store,
			    json_object_get(json_object_get(json, "HostConfig"),
					    "Mounts"));
}

bool container_volumes_has_own(const char *config)
{
	return strstr(config, "\"Anonymous\":true") != NULL;
}

static int insert(struct store *store, const struct container_row *row,
		  const char *volume, bool own, struct img_err *err)
{
	int r = db_run(store_db(store), err,
		       "INSERT OR IGNORE INTO volume_users"
		       " (container, name, anonymous)"
		       " SELECT ?, name, ? FROM named_volumes WHERE name = ?",
		       "sis", row->id.hex, (int64_t)own, volume);

	return r < 0 ? r : 0;
}

int container_volumes_insert(struct store *store,
			     const struct container_row *row,
			     struct img_err *err)
{
	img_auto(json_release) json_t *json = NULL;
	json_t *host, *one;
	size_t i;
	int r;

	if (!may_have(row->config))
		return 0;
	r = image_config_parse(row->config, &json, err);
	host = json_object_get(json, "HostConfig");
	json_array_foreach(json_object_get(host, "Binds"), i, one)
	{
		img_auto(bind_text_release) struct bind_text bind = { 0 };
		struct img_err odd = { 0 };

		if (r == 0 &&
		    bind_parse(json_string_value(one), &bind, &odd) == 0 &&
		    bind.is_volume && bind.source)
			r = insert(store, row, bind.source, false, err);
	}
	json_array_foreach(json_object_get(host, "Mounts"), i, one)
	{
		if (r == 0 && is_volume(one))
			r = insert(store, row, json_text(one, "Source"),
				   is_own(one), err);
	}
	return r;
}

int container_volumes_check(struct store *store,
			    const struct container_row *row,
			    struct img_err *err)
{
	img_auto(json_release) json_t *json = NULL;
	img_auto(json_release) json_t *mounts = NULL;
	json_t *one;
	size_t i;
	int r;

	if (!may_have(row->config))
		return 0;
	r = image_config_parse(row->config, &json, err);
	if (r < 0)
		return r;
	mounts = host_mounts_all(json_object_get(json, "HostConfig"));
	json_array_foreach(mounts, i, one)
	{
		const char *name = json_text(one, "Source");
		int64_t there;

		if (!is_volume(one) || !*name)
			continue;
		r = db_get_int(store_db(store), &there, err,
			       "SELECT 1 FROM volume_users"
			       " WHERE container = ? AND name = ?",
			       "ss", row->id.hex, name);
		if (r == 0)
			r = img_err_set(err, IMG_E_NOT_FOUND, 0,
					"the volume '%s' was removed meanwhile",
					name);
		if (r < 0)
			return r;
	}
	return 0;
}

int container_volumes_users(struct store *store, const char *volume,
			    int (*fn)(void *self, const char *container,
				      struct img_err *err),
			    void *self, struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store_db(store), &row, err,
			 "SELECT c.name FROM volume_users u JOIN containers c"
			 " ON c.id = u.container WHERE u.name = ?"
			 " ORDER BY c.name",
			 "s", volume);

	while (r >= 0 && (r = db_next(row, err)) > 0) {
		r = fn(self, db_text(row, 0), err);
		if (r != 0)
			return r;
	}
	return r;
}

static int add_name(void *self, const char *container, struct img_err *err)
{
	struct str *names = self;

	str_addf(names, "%s%s", names->len ? ", " : "", container);
	return 0;
}

int container_volumes_user_names(struct store *store, const char *volume,
				 char **ret, struct img_err *err)
{
	img_auto(str_release) struct str names = { 0 };
	int r = container_volumes_users(store, volume, add_name, &names, err);

	*ret = r == 0 && names.len ? str_take(&names) : NULL;
	return r;
}
