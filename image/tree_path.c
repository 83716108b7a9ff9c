#include "image/tree_path.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <string.h>

#define NAME_BYTES_MAX 255u /* EXT4_NAME_LEN */

/* Past slashes and components that are just ".". */
static const char *skip_nothing(const char *p)
{
	for (;;) {
		if (*p == '/')
			p++;
		else if (p[0] == '.' && (p[1] == '/' || p[1] == '\0'))
			p++;
		else
			return p;
	}
}

static bool is_up(const char *p)
{
	return p[0] == '.' && p[1] == '.' && (p[2] == '/' || p[2] == '\0');
}

/* Whether ".." takes the path above where it started, symlinks aside. */
static bool leaves(const char *p)
{
	unsigned long depth = 0;

	for (p = skip_nothing(p); *p; p = skip_nothing(p)) {
		if (!is_up(p))
			depth++;
		else if (depth-- == 0)
			return true;
		p += strcspn(p, "/");
	}
	return false;
}

int tree_path_next(struct tree_path *path, struct tree_node *dir,
		   struct tree_key *ret, struct img_err *err)
{
	const char *name = skip_nothing(path->rest);
	size_t len = strcspn(name, "/");

	if (len == 0)
		return 0;
	if (is_up(name))
		return img_err_set(err, IMG_E_INPUT, 0, "%s",
				   leaves(path->whole)
					   ? "leaves the image"
					   : "has '..' in its path");
	if (len > NAME_BYTES_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "has a name of %zu bytes; %u are possible",
				   len, NAME_BYTES_MAX);
	path->rest = name + len;
	tree_key_init(ret, path->index, dir, name, (uint8_t)len);
	return 1;
}

bool tree_path_is_last(const struct tree_path *path)
{
	return *skip_nothing(path->rest) == '\0';
}

int tree_path_refuse(const struct tree_path *path, const struct tree_node *node,
		     struct img_err *err)
{
	img_auto(img_mem_release) char *parent = NULL;
	char quoted[ENTRY_QUOTED_MAX], target[ENTRY_QUOTED_MAX];
	const char *start = skip_nothing(path->whole);
	struct str text = { 0 };

	str_addn(&text, start, (size_t)(path->rest - start));
	parent = str_take(&text);
	(void)entry_quote(parent, quoted);
	if (tree_node_is_symlink(node))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "goes through %s, a symlink to %s", quoted,
				   entry_quote(node->target, target));
	return img_err_set(err, IMG_E_INPUT, 0,
			   "goes through %s, which is no directory", quoted);
}
