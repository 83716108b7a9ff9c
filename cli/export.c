#include "base/cleanup.h"
#include "base/part.h"
#include "base/str.h"
#include "cli/event.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "cli/view.h"
#include "image/formats.h"
#include "runtime/look.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct options {
	const char *format, *output;
};

static const struct option_row rows[] = {
	{ 0, "format", "FORMAT",
	  "tar, or ext4: the file system as it is, sparse", OPTION_TEXT,
	  offsetof(struct options, format) },
	{ 'o', "output", "FILE", "where to [standard output, for a tar]",
	  OPTION_TEXT, offsetof(struct options, output) },
};

/* A file that gets its name when it is whole; what is there already and is no
 * file, /dev/null or a pipe, is written to as it is. */
struct target {
	int fd;
	bool is_there;
	char *temporary; /* NULL: it has no name yet */
};

static void target_release(struct target *target)
{
	img_fd_release(&target->fd);
	if (target->temporary)
		(void)unlink(target->temporary);
	img_mem_release(&target->temporary);
}

static int target_open(const char *path, bool raw, struct target *ret,
		       struct img_err *err)
{
	img_auto(img_mem_release) char *dir = mem_strdup(path);
	char *slash = strrchr(dir, '/');
	struct stat st;

	ret->is_there = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
	if (ret->is_there && (raw || S_ISDIR(st.st_mode)))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "cannot write %s: it is there, and no file",
				   path);
	if (ret->is_there) {
		ret->fd = open(path, O_WRONLY | O_CLOEXEC);
		return ret->fd < 0 ? img_err_sys(err, "cannot write %s", path)
				   : 0;
	}
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

	if (target->is_there)
		return 0;
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

/* The kernel has replayed what a mount replays, so a reader finds it clean. */
static int write_raw(const struct view *view, int out, struct img_err *err)
{
	formats_raw_export_fn *export =
		part_symbol(FORMATS_PART, "formats_raw_export", err);
	img_auto(img_fd_release) int fd = -1;

	if (!export)
		return -(int)err->code;
	fd = open(view->node, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return img_err_sys(err, "cannot open %s", view->node);
	return export(fd, view->pending.volume.size_bytes, out,
		      progress_begin(), err);
}

static int write_tar(int root, int out, struct img_err *err)
{
	formats_tar_export_fn *export =
		part_symbol(FORMATS_PART, "formats_tar_export", err);
	char path[40];

	if (!export)
		return -(int)err->code;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", root);
	return export(path, out, progress_begin(), err);
}

static int write_view(const struct view *view, bool raw, int out,
		      struct img_err *err)
{
	img_auto(img_fd_release) int root = -1;
	int r = look_open(view->node, &root, err);

	if (r < 0)
		return r;
	if (raw) {
		img_fd_release(&root);
		r = write_raw(view, out, err);
	} else {
		r = write_tar(root, out, err);
	}
	progress_end();
	return r;
}

/* @path: NULL for standard output. */
static int export(struct store *store, const char *ref, const char *path,
		  bool raw, struct img_err *err)
{
	img_auto(target_release) struct target target = { .fd = -1 };
	img_auto(view_release) struct view view = { 0 };
	img_auto(object_release) struct object object = { 0 };
	int r = store_need_pool(store, err);

	if (r == 0)
		r = object_find(store, ref, &object, err);
	if (r == 0 && path)
		r = target_open(path, raw, &target, err);
	if (r == 0)
		r = view_open(store, &object, &view, err);
	if (r == 0)
		r = write_view(&view, raw, path ? target.fd : STDOUT_FILENO,
			       err);
	if (r == 0 && path)
		r = target_finish(&target, path, err);
	if (r == 0 && object.is_image)
		event_write_image(store, "save", &object.image.id, NULL,
				  object.image.config);
	else if (r == 0)
		event_write(store, "export", &object.container);
	return r;
}

static int check(const struct options *o, bool raw, const char *path,
		 struct img_err *err)
{
	if (o->format && !raw && strcmp(o->format, "tar") != 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--format is tar or ext4, not '%s'",
				   o->format);
	if (raw && !path)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "a file system goes to a file: use -o");
	if (!path && isatty(STDOUT_FILENO))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "an archive is nothing for a terminal: use "
				   "-o");
	return 0;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(store_close) struct store *store = NULL;
	bool raw = o->format && strcmp(o->format, "ext4") == 0;
	const char *path = o->output;
	int r;

	if (path && strcmp(path, "-") == 0)
		path = NULL;
	r = check(o, raw, path, err);
	if (r < 0)
		return r;
	r = cli_open_store(cli, false, &store, err);
	if (r == 0)
		r = export(store, argv[0], path, raw, err);
	return r < 0 ? img_err_prefix(err, "cannot export %s", argv[0]) : 0;
}

const struct verb verb_export = {
	.name = "export",
	.arguments = "OBJECT",
	.summary = "Write what is in a container or an image to a file",
	.description =
		"A running container's file system is frozen for the instant "
		"of a snapshot, and that\nis what is written. The file "
		"appears when it is whole.\n\nA tar has names, owners, modes, "
		"times, links, devices and extended attributes; holes\nbecome "
		"zeroes, sockets are left out. With --format ext4 it is the "
		"file system itself,\nclean and sparse: only what files and "
		"directories use is read, what was deleted does\nnot come "
		"along. 'mount -o loop' and 'img import' take it.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
