#include "base/cleanup.h"
#include "base/part.h"
#include "base/str.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "cli/view.h"
#include "image/formats.h"

#include <fcntl.h>
#include <string.h>

struct options {
	const char *format, *output;
};

static const struct option_row rows[] = {
	{ 0, "format", "FORMAT", "ext4: the file system as it is, sparse",
	  OPTION_TEXT, offsetof(struct options, format) },
	{ 'o', "output", "FILE", "where to", OPTION_TEXT,
	  offsetof(struct options, output) },
};

/* A file that gets its name when it is whole. */
struct target {
	int fd;
	char *temporary; /* NULL: it has no name yet */
};

static void target_release(struct target *target)
{
	img_fd_release(&target->fd);
	if (target->temporary)
		(void)unlink(target->temporary);
	img_mem_release(&target->temporary);
}

static int target_open(const char *path, struct target *ret,
		       struct img_err *err)
{
	img_auto(img_mem_release) char *dir = mem_strdup(path);
	char *slash = strrchr(dir, '/');

	if (slash)
		slash[slash == dir] = '\0';
	ret->fd = open(slash ? dir : ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (ret->fd >= 0)
		return 0;
	/* Not every file system has files without a name. */
	ret->temporary = mem_printf("%s.XXXXXX", path);
	ret->fd = mkostemp(ret->temporary, O_CLOEXEC);
	if (ret->fd >= 0)
		return 0;
	img_mem_release(&ret->temporary);
	return img_err_sys(err, "cannot write %s", path);
}

static int target_finish(struct target *target, const char *path,
			 struct img_err *err)
{
	char link[40];

	if (!target->temporary) {
		target->temporary = mem_printf("%s.%d.new", path, getpid());
		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d",
			       target->fd);
		(void)unlink(target->temporary); /* of a dead namesake */
		if (linkat(AT_FDCWD, link, AT_FDCWD, target->temporary,
			   AT_SYMLINK_FOLLOW) < 0)
			return img_err_sys(err, "cannot write %s", path);
	}
	if (rename(target->temporary, path) < 0)
		return img_err_sys(err, "cannot write %s", path);
	img_mem_release(&target->temporary);
	return 0;
}

static int write_raw(const struct view *view, int out, struct img_err *err)
{
	formats_raw_export_fn *export =
		part_symbol(FORMATS_PART, "formats_raw_export", err);
	img_auto(img_fd_release) int fd = -1;
	int r;

	if (!export)
		return -(int)err->code;
	fd = open(view->node, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return img_err_sys(err, "cannot open %s", view->node);
	r = export(fd, view->pending.volume.size_bytes, out, progress_begin(),
		   err);
	progress_end();
	return r;
}

static int export_raw(struct store *store, const char *ref, const char *path,
		      struct img_err *err)
{
	img_auto(target_release) struct target target = { .fd = -1 };
	img_auto(view_release) struct view view = { 0 };
	img_auto(object_release) struct object object = { 0 };
	int r = store_need_pool(store, err);

	if (r == 0)
		r = object_find(store, ref, &object, err);
	if (r == 0)
		r = target_open(path, &target, err);
	if (r == 0)
		r = view_open(store, &object, &view, err);
	if (r == 0)
		r = view_settle(&view, err);
	if (r == 0)
		r = write_raw(&view, target.fd, err);
	return r < 0 ? r : target_finish(&target, path, err);
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(store_close) struct store *store = NULL;
	int r;

	if (!o->format || strcmp(o->format, "ext4") != 0)
		return img_err_set(err, IMG_E_INPUT, 0, "--format is ext4");
	if (!o->output || strcmp(o->output, "-") == 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "a file system goes to a file: use -o");
	r = cli_open_store(cli, false, &store, err);
	if (r == 0)
		r = export_raw(store, argv[0], o->output, err);
	return r < 0 ? img_err_prefix(err, "cannot export %s", argv[0]) : 0;
}

const struct verb verb_export = {
	.name = "export",
	.arguments = "OBJECT",
	.summary = "Write the file system of a container or an image to a file",
	.description =
		"A running container's is frozen for the instant of a snapshot, "
		"and that is what is\nwritten: clean, with no journal to "
		"replay. Only what files and directories use is\nread; what "
		"was deleted does not come along. The file is sparse, and "
		"appears when it\nis whole; 'mount -o loop' and 'img import' "
		"take it.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
