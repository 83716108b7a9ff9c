#include "cli/launch_volumes.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "cli/event.h"
#include "image/named_volume.h"
#include "runtime/volume_mount.h"
#include "storage/share.h"

#include <stdio.h>

/* What is to happen with one mount. */
struct place {
	struct store *store;
	const struct container_mount *mount;
	const struct container_spec *spec;
	bool is_first; /* start of the container */
};

/* Nobody else has it: what is new becomes whole, before others come. */
static int prepare(const struct place *p, struct launch_volume *v,
		   struct img_err *err)
{
	int r = volume_mount_is_new(v->mount, err);

	if (r > 0 && p->is_first && !p->mount->how.no_copy)
		r = volume_mount_fill(v->mount, p->spec->root_device,
				      p->spec->root_options, p->mount->target,
				      err);
	else if (r > 0)
		r = volume_mount_clear(v->mount, err);
	return r < 0 ? r : share_admit(&v->share, err);
}

static int mount_one(const struct place *p, struct launch_volume *v,
		     struct img_err *err)
{
	img_auto(named_volume_release) struct named_volume named = { 0 };
	char node[VOLUME_NODE_MAX];
	bool alone = false;
	int r = named_volume_find(p->store, v->name, &named, err);

	if (r == 0)
		r = share_begin(p->store, named.volume.id, &v->share, &alone,
				err);
	if (r == 0)
		r = volume_activate(p->store, &v->share.volume, node, err);
	if (r == 0)
		r = volume_mount_open(node, p->spec->privileged, &v->mount,
				      err);
	if (r == 0 && alone)
		r = prepare(p, v, err);
	if (r == 0 && p->mount->how.read_only)
		r = volume_mount_seal(v->mount, err);
	return r;
}

static size_t count(const struct spec_parts *parts)
{
	size_t n = 0;

	for (size_t i = 0; i < parts->isolation.n_mounts; i++)
		n += parts->isolation.mounts[i].kind == MOUNT_VOLUME;
	return n;
}

int launch_volumes_begin(struct store *store, const struct container_row *row,
			 struct spec_parts *parts,
			 const struct container_spec *spec,
			 struct launch_volumes *ret, struct img_err *err)
{
	const size_t n = count(parts);

	if (n == 0)
		return 0;
	ret->all = mem_zalloc(n * sizeof(*ret->all));
	ret->store = store;
	ret->row = row;
	for (size_t i = 0; i < parts->isolation.n_mounts; i++) {
		struct container_mount *m = &parts->isolation.mounts[i];
		const struct place place = {
			.store = store,
			.mount = m,
			.spec = spec,
			.is_first = row->finished_ns == 0,
		};
		struct launch_volume *v;

		if (m->kind != MOUNT_VOLUME)
			continue;
		v = &ret->all[ret->n++];
		v->name = mem_strdup(m->source);
		v->mount = -1;
		m->volume = &v->mount;
		if (mount_one(&place, v, err) < 0)
			return img_err_prefix(
				err, "cannot mount the volume '%s'", v->name);
		event_write_mount(store, v->name, row, m->target,
				  m->how.read_only);
		v->told = true;
	}
	return 0;
}

void launch_volumes_end(struct launch_volumes *volumes)
{
	for (size_t i = 0; i < volumes->n; i++) {
		struct launch_volume *v = &volumes->all[i];
		struct img_err err = { 0 };

		img_fd_release(&v->mount);
		if (share_end(&v->share, &err) < 0)
			(void)fprintf(stderr, "img: warning: volume %s: %s\n",
				      v->name, err.msg);
		if (v->told)
			event_write_volume(volumes->store, "unmount", v->name,
					   volumes->row);
		img_mem_release(&v->name);
	}
	img_mem_release(&volumes->all);
	volumes->n = 0;
}
