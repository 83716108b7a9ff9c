#include "base/cleanup.h"
#include "cli/container_process.h"
#include "cli/space_option.h"
#include "image/config.h"

#include <string.h>

#define CONTAINER "container:"

void space_parts_release(struct space_parts *parts)
{
	while (parts->n)
		img_fd_release(&parts->pidfds[--parts->n]);
}

/* Docker's rule: what a container does not offer is its own. */
static int check_offer(const struct container_row *row, const char *key,
		       struct img_err *err)
{
	img_auto(json_release) json_t *config = NULL;
	const char *mode;
	int r;

	if (strcmp(key, "IpcMode") != 0)
		return 0;
	r = image_config_parse(row->config, &config, err);
	if (r < 0)
		return r;
	mode = json_string_value(
		json_object_get(json_object_get(config, "HostConfig"), key));
	if (mode && (strcmp(mode, "private") == 0 || strcmp(mode, "none") == 0))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the IPC namespace of %s is not to be "
				   "shared: that takes '--ipc shareable'",
				   row->name);
	return 0;
}

static int open_other(struct store *store, const char *id, const char *key,
		      struct space_parts *parts, struct space *ret,
		      struct img_err *err)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	img_auto(img_fd_release) int pidfd = -1;
	int r = container_find(store, id, &row, err);

	if (r == 0)
		r = check_offer(&row, key, err);
	if (r < 0)
		return r;
	r = container_process_need(store, &row, &pidfd, err);
	if (r < 0)
		return img_err_prefix(err, "cannot share with %s", row.name);
	*ret = (struct space){ .kind = SPACE_JOIN, .pidfd = pidfd };
	parts->pidfds[parts->n++] = img_fd_take(&pidfd);
	return 0;
}

static int read_one(struct store *store, const json_t *host, const char *key,
		    struct space_parts *parts, struct space *ret,
		    struct img_err *err)
{
	const char *mode = json_string_value(json_object_get(host, key));

	if (!mode)
		return 0;
	if (strcmp(mode, "host") == 0)
		ret->kind = SPACE_HOST;
	if (strncmp(mode, CONTAINER, strlen(CONTAINER)) != 0)
		return 0;
	return open_other(store, mode + strlen(CONTAINER), key, parts, ret,
			  err);
}

/* Where none was declined, the ids are those of who is shared with. */
static int read_users(const json_t *host, const struct space_parts *parts,
		      struct container_spec *spec, struct img_err *err)
{
	const char *mode =
		json_string_value(json_object_get(host, "UsernsMode"));
	int r;

	if (parts->n == 0 || !mode || strcmp(mode, "container") != 0)
		return 0;
	r = spaces_users_of(parts->pidfds[0], &spec->users, NULL, err);
	if (r < 0)
		return r;
	spec->spaces.has_users = userns_is_own(&spec->users);
	spec->spaces.users_pidfd = parts->pidfds[0];
	return 0;
}

int space_spec_read(struct store *store, const json_t *config,
		    struct space_parts *parts, struct container_spec *spec,
		    struct img_err *err)
{
	const json_t *host = json_object_get(config, "HostConfig");
	struct spaces *spaces = &spec->spaces;
	const char *ipc = json_string_value(json_object_get(host, "IpcMode"));
	int r;

	if ((r = read_one(store, host, "NetworkMode", parts, &spaces->net,
			  err)) < 0 ||
	    (r = read_one(store, host, "PidMode", parts, &spaces->pid, err)) <
		    0 ||
	    (r = read_one(store, host, "IpcMode", parts, &spaces->ipc, err)) <
		    0 ||
	    (r = read_one(store, host, "UTSMode", parts, &spaces->uts, err)) <
		    0 ||
	    (r = read_one(store, host, "CgroupnsMode", parts, &spaces->cgroup,
			  err)) < 0)
		return r;
	spaces->no_shm = ipc && strcmp(ipc, "none") == 0;
	return read_users(host, parts, spec, err);
}
