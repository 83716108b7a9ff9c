#include "runtime/bind.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "runtime/inroot.h"
#include "runtime/userns.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdint.h>
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

bool bind_propagation_parse(const char *text, enum bind_propagation *ret)
{
	static const char *const names[] = { [BIND_PRIVATE] = "private",
					     [BIND_SLAVE] = "slave",
					     [BIND_SHARED] = "shared" };

	text += text[0] == 'r';
	for (size_t i = 0; i < IMG_COUNT(names); i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum bind_propagation)i;
			return true;
		}
	return false;
}

/* "z" and "Z" are for SELinux. */
static bool parse_option(const char *text, struct bind_how *how)
{
	static const char *const neutral[] = { "rw", "z", "Z" };

	if (strcmp(text, "ro") == 0 || strcmp(text, "rro") == 0) {
		how->read_only = true;
		return true;
	}
	if (strcmp(text, "nocopy") == 0) {
		how->no_copy = true;
		return true;
	}
	for (size_t i = 0; i < IMG_COUNT(neutral); i++)
		if (strcmp(text, neutral[i]) == 0)
			return true;
	return bind_propagation_parse(text, &how->propagation);
}

/* What is mounted later is below paths of the host, and not in volumes. */
static int check_kind(const char *option, const struct bind_text *bind,
		      struct img_err *err)
{
	enum bind_propagation propagation;

	if (bind->is_volume && bind_propagation_parse(option, &propagation))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "'%s' is for paths of the host, not for "
				   "volumes with a name",
				   option);
	if (!bind->is_volume && strcmp(option, "nocopy") == 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "'nocopy' is for volumes with a name");
	return 0;
}

static int parse_options(const char *text, struct bind_text *bind,
			 struct img_err *err)
{
	while (*text) {
		size_t len = strcspn(text, ",");
		char option[16];
		int r;

		if (len < sizeof(option)) {
			memcpy(option, text, len);
			option[len] = '\0';
		}
		if (len >= sizeof(option) || !parse_option(option, &bind->how))
			return img_err_set(err, IMG_E_INPUT, 0,
					   "unknown option '%.*s'", (int)len,
					   text);
		r = check_kind(option, bind, err);
		if (r < 0)
			return r;
		text += len;
		text += *text == ',';
	}
	return 0;
}

int bind_target_parse(const char *path, char **ret, struct img_err *err)
{
	img_auto(img_mem_release) char *target = NULL;

	if (path[0] != '/')
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the target must be an absolute path");
	target = mem_strdup(path);
	clean_path(target);
	if (strcmp(target, "/") == 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the target cannot be '/'");
	*ret = img_mem_take(&target);
	return 0;
}

static bool is_path(const char *text)
{
	return text[0] == '/' || strncmp(text, "./", 2) == 0 ||
	       strncmp(text, "../", 3) == 0 || strcmp(text, ".") == 0 ||
	       strcmp(text, "..") == 0;
}

static int parse_source(const char *text, struct bind_text *bind,
			struct img_err *err)
{
	if (is_path(text)) {
		bind->source = absolute(text, err);
		return bind->source ? 0 : -(int)err->code;
	}
	if (!*text || strchr(text, '/'))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the source must be a volume's name, or a "
				   "path that starts with '/' or './'");
	bind->is_volume = true;
	bind->source = mem_strdup(text);
	return 0;
}

static int parse(char *text, struct bind_text *bind, struct img_err *err)
{
	char *target = strchr(text, ':');
	char *options = target ? strchr(target + 1, ':') : NULL;
	int r = 0;

	if (!target) {
		bind->is_volume = true;
		return bind_target_parse(text, &bind->target, err);
	}
	*target++ = '\0';
	if (options)
		*options++ = '\0';
	r = parse_source(text, bind, err);
	if (r == 0)
		r = bind_target_parse(target, &bind->target, err);
	if (r < 0)
		return r;
	if (options && *options)
		bind->options = mem_strdup(options);
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
	img_mem_release(&bind->options);
}

static int set_attributes(int fd, const struct bind_how *how, bool nodes,
			  unsigned int below)
{
	static const uint64_t propagation[] = { [BIND_PRIVATE] = MS_PRIVATE,
						[BIND_SLAVE] = MS_SLAVE,
						[BIND_SHARED] = MS_SHARED };
	const uint64_t read_only = how->read_only ? MOUNT_ATTR_RDONLY : 0;
	struct mount_attr all = {
		.attr_set = (how->read_only_top ? 0 : read_only) |
			    (nodes ? 0 : MOUNT_ATTR_NODEV),
		.propagation = propagation[how->propagation],
	};
	struct mount_attr top = { .attr_set = read_only };

	if (mount_setattr(fd, "", AT_EMPTY_PATH | below, &all, sizeof(all)) !=
	    0)
		return -1;
	if (!read_only || !how->read_only_top)
		return 0;
	return mount_setattr(fd, "", AT_EMPTY_PATH, &top, sizeof(top));
}

int bind_open(const struct bind_mount *bind, bool nodes, struct bind_tree *ret,
	      struct img_err *err)
{
	const unsigned int below = bind->how.top ? 0 : AT_RECURSIVE;
	img_auto(img_fd_release) int fd = -1;
	struct stat st;

	fd = open_tree(AT_FDCWD, bind->source,
		       OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | below);
	if (fd < 0 || fstat(fd, &st) != 0)
		return img_err_sys(err, "cannot use '%s' as a volume",
				   bind->source);
	if (set_attributes(fd, &bind->how, nodes, below) != 0)
		return img_err_sys(
			err, "cannot make the volume '%s' %s", bind->source,
			bind->how.read_only ? "read-only" : "private");
	ret->is_dir = S_ISDIR(st.st_mode);
	ret->fd = img_fd_take(&fd);
	return 0;
}

int bind_map(const struct bind_mount *bind, const struct bind_tree *tree,
	     int ns, struct img_err *err)
{
	int r = userns_map_mount(tree->fd, ns, true);

	if (r == 0 || (bind->how.read_only && !bind->how.read_only_top))
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
