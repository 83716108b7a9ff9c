#include "base/hardlinks.h"

#include "base/str.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct seen {
	dev_t dev;
	ino_t ino;
	char path[];
};

static int by_inode(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

void hardlinks_release(struct hardlinks *links)
{
	tdestroy(links->root, free);
	links->root = NULL;
}

const char *hardlinks_seen(struct hardlinks *links, dev_t dev, ino_t ino,
			   const char *path)
{
	size_t size = strlen(path) + 1;
	struct seen *seen = mem_alloc(sizeof(*seen) + size);
	struct seen **found;

	seen->dev = dev;
	seen->ino = ino;
	memcpy(seen->path, path, size);
	found = tsearch(seen, &links->root, by_inode);
	if (!found)
		abort(); /* as base/str.h does */
	if (*found == seen)
		return NULL;
	free(seen);
	return (*found)->path;
}
