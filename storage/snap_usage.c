/*
 * Who uses what of all volumes, by one look at each file: which of them hang
 * together is in their names.
 */
#include "storage/snap.h"

#include "base/cleanup.h"
#include "base/str.h"

struct one {
	struct snap_file file;
	uint64_t bytes;
};

struct look {
	struct store *store;
	struct one *one;
	size_t n, room;
	uint64_t bytes;
};

static void look_release(struct look *look)
{
	img_mem_release(&look->one);
}

static int note(void *self, const struct snap_file *file, struct img_err *err)
{
	struct look *look = self;
	struct img_err gone = { 0 }; /* meanwhile */
	uint64_t bytes = 0;

	if (snap_file_bytes(look->store, file, &bytes, &gone) < 0)
		return 0;
	if (look->n == look->room) {
		look->room = look->room ? 2 * look->room : 64;
		look->one =
			mem_realloc(look->one, look->room * sizeof(*look->one));
	}
	look->one[look->n++] = (struct one){ *file, bytes };
	look->bytes += bytes;
	return 0;
}

static bool is_whole(const struct one *one)
{
	return one->file.kind == SNAP_WHOLE || one->file.kind == SNAP_BASE;
}

/* Each base, if it is there, before what is made from it. */
static int by_base(const void *a, const void *b)
{
	const struct one *x = a, *y = b;

	if (x->file.base != y->file.base)
		return x->file.base < y->file.base ? -1 : 1;
	return (int)is_whole(y) - (int)is_whole(x);
}

static int by_volume(const void *a, const void *b)
{
	const struct account_row *x = a, *y = b;

	return (x->volume > y->volume) - (x->volume < y->volume);
}

/* @one: all of one base; see snap_volume_usage for what is whose. */
static void add_family(struct store *store, const struct one *one, size_t n,
		       struct account_all *ret)
{
	const struct one *base = is_whole(&one[0]) ? &one[0] : NULL;
	uint64_t base_bytes = base ? base->bytes : 0;

	for (size_t i = 0; i < n; i++) {
		struct account_usage usage = { one[i].bytes, 0 };

		if (one[i].file.kind == SNAP_BASE)
			continue;
		if (one[i].file.kind != SNAP_WHOLE) {
			usage.mapped_bytes = base_bytes + one[i].bytes;
			usage.exclusive_bytes = one[i].bytes;
			if (base && base->file.kind == SNAP_BASE && n == 2)
				usage.exclusive_bytes += base_bytes;
		} else if (n == 1) {
			usage.exclusive_bytes = snap_file_own_bytes(
				store, &one[i].file, one[i].bytes);
		}
		ret->row[ret->n++] =
			(struct account_row){ one[i].file.id, usage };
	}
}

int snap_usage_all(struct store *store, struct account_all *ret,
		   struct img_err *err)
{
	img_auto(look_release) struct look look = { .store = store };
	int r = snap_each(store, note, &look, err);

	if (r < 0)
		return r;
	*ret = (struct account_all){ .used_bytes = look.bytes };
	if (!look.n)
		return 0;
	qsort(look.one, look.n, sizeof(*look.one), by_base);
	ret->row = mem_alloc(look.n * sizeof(*ret->row));
	for (size_t i = 0, end; i < look.n; i = end) {
		for (end = i + 1;
		     end < look.n &&
		     look.one[end].file.base == look.one[i].file.base;)
			end++;
		add_family(store, &look.one[i], end - i, ret);
	}
	qsort(ret->row, ret->n, sizeof(*ret->row), by_volume);
	return 0;
}
