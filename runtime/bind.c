#include "runtime/bind.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "runtime/inroot.h"
#include "runtime/userns.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* Drops empty parts and ".", and lets ".." take back the part before it. */
static void clean_path(char *path)
{
	char *out = path;
	const char *in = path;

	while (*in) {
		size_t len;

		while (*in == '/')
			in++;
		len = strcspn(in, "/");
		if (len == 2 && in[0] == '.' && in[1] == '.') {
			while (out > path && *--out != '/')
				;
		} else if (len && !(len == 1 && in[0] == '.')) {
			*out++ = '/';
			memmove(out, in, len);
			out += len;
		}
		in += len;
	}
	if (out == path)
		*out++ = '/';
	*out = '\0';
}

static char *absolute(const char *path, struct img_err *err)
{
	char cwd[PATH_MAX];

	if (path[0] == '/')
		return mem_strdup(path);
	if (!getcwd(cwd, sizeof(cwd))) {
		(void)img_err_sys(err, "cannot tell the working directory");
		return NULL;
	}
	return mem_printf("%s/%s", cwd, path);
}

static int parse_options(const char *text, struct bind_text *bind,
			 struct img_err *err)
{
	static const char *const neutral[] = { "rw", "z", "Z", "private",
					       "rprivate" };

	while (*text) {
		size_t len = strcspn(text, ",");
		bool known = len == 2 && strncmp(text, "ro", 2) == 0;

		bind->read_only |= known;
		for (size_t i = 0; i < IMG_COUNT(neutral); i++)
			known |= strlen(neutral[i]) == len &&
				 strncmp(text, neutral[i], len) == 0;
		if (!known)
			return img_err_set(err, IMG_E_INPUT, 0,
					   "unknown option '%.*s'", (int)len,
					   text);
		text += len;
		text += *text == ',';
	}
	return 0;
}

static int parse(char *text, struct bind_text *bind, struct img_err *err)
{
	char *target = strchr(text, ':');
	char *options = target ? strchr(target + 1, ':') : NULL;

	if (!target)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "expected SOURCE:TARGET[:ro]");
	*target++ = '\0';
	if (options)
		*options++ = '\0';
	if (text[0] != '/' && strncmp(text, "./", 2) != 0 &&
	    strncmp(text, "../", 3) != 0 && strcmp(text, ".") != 0 &&
	    strcmp(text, "..") != 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the source must be a path that starts "
				   "with '/' or './'");
	if (target[0] != '/')
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the target must be an absolute path");
	clean_path(target);
	if (strcmp(target, "/") == 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the target cannot be '/'");
	bind->source = absolute(text, err);
	if (!bind->source)
		return -(int)err->code;
	bind->target = mem_strdup(target);
	return parse_options(options ? options : "", bind, err);
}

int bind_parse(const char *text, struct bind_text *ret, struct img_err *err)
{
	img_auto(img_mem_release) char *copy = NULL;
	img_auto(bind_text_release) struct bind_text bind = { 0 };

	copy = mem_strdup(text);
	if (parse(copy, &bind, err) < 0)
		return img_err_prefix(err, "invalid volume '%s'", text);
	*ret = bind;
	bind = (struct bind_text){ 0 };
	return 0;
}

void bind_text_release(struct bind_text *bind)
{
	img_mem_release(&bind->source);
	img_mem_release(&bind->target);
}

int bind_open(const struct bind_mount *bind, bool nodes, struct bind_tree *ret,
	      struct img_err *err)
{
	struct mount_attr attr = {
		.attr_set = (bind->read_only ? MOUNT_ATTR_RDONLY : 0) |
			    (nodes ? 0 : MOUNT_ATTR_NODEV),
		.propagation = MS_PRIVATE,
	};
	img_auto(img_fd_release) int fd = -1;
	struct stat st;

	fd = open_tree(AT_FDCWD, bind->source,
		       OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (fd < 0 || fstat(fd, &st) != 0)
		return img_err_sys(err, "cannot use '%s' as a volume",
				   bind->source);
	if (mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
			  sizeof(attr)) != 0)
		return img_err_sys(err, "cannot make the volume '%s' %s",
				   bind->source,
				   bind->read_only ? "read-only" : "private");
	ret->is_dir = S_ISDIR(st.st_mode);
	ret->fd = img_fd_take(&fd);
	return 0;
}

int bind_map(const struct bind_mount *bind, const struct bind_tree *tree,
	     int ns, struct img_err *err)
{
	int r = userns_map_mount(tree->fd, ns, true);

	if (r == 0 || bind->read_only)
		return 0;
	return img_err_set(err, IMG_E_UNSUPPORTED, 0,
			   "cannot use '%s' as a volume: its file system, or "
			   "one mounted in it, cannot show its files under the "
			   "container's ids; ':ro' shows them as they are, "
			   "'--userns host' gives the container the host's ids",
			   bind->source);
}

int bind_attach(int root, const struct bind_mount *bind,
		const struct bind_tree *tree, struct img_err *err)
{
	img_auto(img_fd_release) int target = -1;
	struct statfs fs;
	int r;

	if (tree->is_dir)
		r = inroot_mkdirs(root, bind->target, 0755, &target, err);
	else
		r = inroot_mkfile(root, bind->target, &target, err);
	if (r < 0)
		return img_err_prefix(err, "cannot mount '%s'", bind->source);
	if (fstatfs(target, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "cannot mount '%s' at '%s': it is inside "
				   "/proc",
				   bind->source, bind->target);
	if (move_mount(tree->fd, "", target, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0)
		return img_err_sys(err, "cannot mount '%s' at '%s'",
				   bind->source, bind->target);
	return 0;
}
