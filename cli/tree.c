#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/format.h"
#include "cli/snapshots.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "image/image.h"
#include "storage/account.h"

#include <string.h>

struct options {
	const char *format;
};

static const struct option_row rows[] = {
	{ 0, "format", "FORMAT", "table or json", OPTION_TEXT,
	  offsetof(struct options, format) },
};

enum kind { IMAGE, CONTAINER, SNAPSHOT };

static const char *const kind_names[] = {
	[IMAGE] = "image",
	[CONTAINER] = "container",
	[SNAPSHOT] = "snapshot",
};

/* An image, a container of one, or a snapshot of that. */
struct node {
	struct id id, parent; /* a snapshot has its container's id */
	uint32_t volume;
	char *label;
	enum kind kind, parent_kind;
	uint64_t size_bytes; /* a root's own; else what it changed */
};

struct forest {
	struct store *store;
	struct account *account;
	struct node *nodes;
	size_t n;
};

static void forest_release(struct forest *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->nodes[i].label);
	img_mem_release(&f->nodes);
}

static struct node *add(struct forest *f)
{
	f->nodes = mem_realloc(f->nodes, (f->n + 1) * sizeof(*f->nodes));
	f->nodes[f->n] = (struct node){ 0 };
	return &f->nodes[f->n++];
}

static int join_name(void *self, const struct image_name *name,
		     struct img_err *err)
{
	struct str *label = self;

	str_addf(label, "%s%s:%s", label->len ? ", " : "", name->name,
		 name->tag);
	return 0;
}

static int add_image(void *self, const struct image *image, struct img_err *err)
{
	struct forest *f = self;
	struct node *node = add(f);
	struct str label = { 0 };
	int r = image_each_name(f->store, image->id.hex, join_name, &label,
				err);

	if (!label.len)
		str_addf(&label, "<none> %.12s", image->id.hex);
	node->id = image->id;
	node->parent = image->parent;
	node->volume = image->volume.id;
	node->label = str_take(&label);
	return r;
}

static int add_container(void *self, const struct container_row *row,
			 struct img_err *err)
{
	struct forest *f = self;
	struct node *node = add(f);
	const char *state;
	int r = container_state(f->store, row, &state, err);

	if (r < 0)
		return r;
	node->id = row->id;
	node->parent = row->image;
	node->volume = row->volume.id;
	node->kind = CONTAINER;
	node->label = mem_printf("container %s (%s)", row->name, state);
	return 0;
}

static int add_snapshot(void *self, const struct snapshot_row *row,
			struct img_err *err)
{
	struct node *node = add(self);

	node->id = node->parent = row->container;
	node->volume = row->volume.id;
	node->kind = SNAPSHOT;
	node->parent_kind = CONTAINER;
	node->label = mem_printf("snapshot %s", row->name);
	return 0;
}

static const struct node *parent_of(const struct forest *f,
				    const struct node *node)
{
	for (size_t i = 0; node->parent.hex[0] && i < f->n; i++)
		if (f->nodes[i].kind == node->parent_kind &&
		    strcmp(f->nodes[i].id.hex, node->parent.hex) == 0)
			return &f->nodes[i];
	return NULL;
}

static int measure(struct forest *f, struct node *node, struct img_err *err)
{
	const struct node *parent = parent_of(f, node);
	struct account_usage usage;
	int r;

	if (parent)
		return account_change(f->account, parent->volume, node->volume,
				      &node->size_bytes, err);
	r = account_volume(f->account, node->volume, &usage, err);
	node->size_bytes = usage.mapped_bytes;
	return r;
}

static int fill(const struct cli *cli, struct forest *f, struct img_err *err)
{
	img_auto(store_close) struct store *store = NULL;
	img_auto(account_close) struct account *account = NULL;
	struct img_err missing = { 0 };
	int r = cli_open_store(cli, false, &store, &missing);

	if (r == -IMG_E_NOT_FOUND)
		return 0; /* no store, no trees */
	if (r < 0) {
		*err = missing;
		return r;
	}
	r = account_open(store, &account, err);
	if (r < 0)
		return r;
	f->store = store;
	f->account = account;
	r = image_each(store, add_image, f, err);
	if (r == 0)
		r = container_each(store, add_container, f, err);
	if (r == 0)
		r = snapshot_each(store, NULL, add_snapshot, f, err);
	for (size_t i = 0; r == 0 && i < f->n; i++)
		r = measure(f, &f->nodes[i], err);
	return r;
}

static bool is_child(const struct forest *f, const struct node *node,
		     const struct node *parent)
{
	return parent_of(f, node) == parent;
}

/* Draws the children of @parent, or the roots, into @table. */
static void draw(const struct forest *f, const struct node *parent,
		 const char *indent, struct table *table)
{
	const struct node *last = NULL;

	for (size_t i = 0; i < f->n; i++)
		if (is_child(f, &f->nodes[i], parent))
			last = &f->nodes[i];
	for (size_t i = 0; i < f->n; i++) {
		const struct node *node = &f->nodes[i];
		img_auto(img_mem_release) char *name = NULL;
		img_auto(img_mem_release) char *next = NULL;
		img_auto(img_mem_release) char *size = NULL;
		char text[SIZE_TEXT_MAX];

		if (!is_child(f, node, parent))
			continue;
		name = mem_printf("%s%s%s", indent,
				  !parent	 ? ""
				  : node == last ? "└─ "
						 : "├─ ",
				  node->label);
		next = mem_printf("%s%s", indent,
				  !parent	 ? ""
				  : node == last ? "   "
						 : "│  ");
		size = mem_printf("%s%s", parent ? "+" : "",
				  num_format_size(node->size_bytes, text));
		table_add(table, (const char *const[]){ name, size });
		draw(f, node, next, table);
	}
}

static json_t *draw_json(const struct forest *f, const struct node *parent)
{
	json_t *array = json_array();

	for (size_t i = 0; i < f->n; i++) {
		const struct node *node = &f->nodes[i];

		if (is_child(f, node, parent))
			(void)json_array_append_new(
				array,
				json_pack("{ss ss ss sI so}", "Id",
					  node->id.hex, "Name", node->label,
					  "Type", kind_names[node->kind],
					  "Size", (json_int_t)node->size_bytes,
					  "Children", draw_json(f, node)));
	}
	return array;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(forest_release) struct forest forest = { 0 };
	img_auto(table_release) struct table table = { 0 };
	bool json;
	int r = format_is_json(o->format, &json, err);

	if (r == 0)
		r = fill(cli, &forest, err);
	if (r < 0)
		return r;
	if (json) {
		format_print_json(draw_json(&forest, NULL));
		return 0;
	}
	table_init(&table, 2, (const char *const[]){ "NAME", "SIZE" });
	draw(&forest, NULL, "", &table);
	table_print(&table, false);
	return 0;
}

const struct verb verb_tree = {
	.name = "tree",
	.arguments = "",
	.summary = "Show who descends from whom, with sizes",
	.description =
		"A root's size is all that it refers to; below it, +SIZE "
		"is what was added or\nchanged.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.run = run,
};
