#include "image/dir_holes.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <errno.h>
#include <unistd.h>

static void add(struct dir_holes *holes, off_t begin, off_t end)
{
	if (holes->n == holes->room) {
		holes->room = holes->room ? 2 * holes->room : 16;
		holes->extents = mem_realloc(
			holes->extents, holes->room * sizeof(*holes->extents));
	}
	holes->extents[holes->n++] =
		(struct entry_extent){ (uint64_t)begin,
				       (uint64_t)(end - begin) };
}

bool dir_holes_find(struct dir_holes *holes, int fd, uint64_t size_bytes)
{
	const off_t size = (off_t)size_bytes;
	off_t begin, end = 0, bytes = 0;

	holes->n = 0;
	while (end < size) {
		begin = lseek(fd, end, SEEK_DATA);
		if (begin < 0 && errno == ENXIO)
			break; /* a hole up to the end */
		end = begin < 0 ? -1 : lseek(fd, begin, SEEK_HOLE);
		if (end < 0 || holes->n == DIR_HOLES_MAX)
			return false;
		if (begin >= size) /* it grew */
			break;
		if (end > size)
			end = size;
		add(holes, begin, end);
		bytes += end - begin;
	}
	return bytes < size;
}

void dir_holes_release(struct dir_holes *holes)
{
	img_mem_release(&holes->extents);
}
