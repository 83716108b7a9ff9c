#include "image/rootfs.h"

#include "base/num.h"
#include "image/ext4_file.h"
#include "image/ext4_inode.h"
#include "image/ext4_write.h"
#include "image/ext4_xattr.h"

#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define MAX_ENTRIES	   10000000u
#define CHUNK_BYTES	   65536u
#define REPORT_EVERY_BYTES MIB
#define SYMLINK_BYTES_MAX  4095u /* with its NUL it must fit a block */
#define DEV_MAJOR_MAX	   0xfffu
#define DEV_MINOR_MAX	   0xfffffu

struct work {
	struct entry_source *source;
	const struct rootfs_options *options;
	struct ext4_fs fs;
	struct tree *tree;
	struct rootfs_stats stats;
	uint64_t reported_bytes; /* of work done, when last reported */
};

static int report(struct work *w, struct img_err *err)
{
	uint64_t done, total;
	/* not of input: a little of that can unpack to a lot */
	uint64_t work = w->stats.data_bytes + w->stats.entries * 512;

	if (work - w->reported_bytes < REPORT_EVERY_BYTES)
		return 0;
	w->reported_bytes = work;
	w->source->position(w->source, &done, &total);
	progress_update(w->options->progress, done, total);
	if (progress_is_stopped(w->options->progress))
		return img_err_set(err, IMG_E_INTERRUPTED, 0, "interrupted");
	return 0;
}

/* What the caller will say of the entry: an error that wants a subject gets
 * it; one of the device or of the source has its own. */
static int blame(const struct entry *entry, struct img_err *err)
{
	char label[ENTRY_LABEL_MAX];

	if (err->code == IMG_E_INTERRUPTED)
		return -IMG_E_INTERRUPTED;
	if (err->code == IMG_E_SYS || err->code == IMG_E_CORRUPT)
		return img_err_prefix(err, "%s", entry_label(entry, label));
	return entry_blame(entry, err);
}

static int content_copy(struct work *w, struct tree_node *node,
			const struct entry *entry, struct img_err *err)
{
	struct ext4_file file;
	struct entry_data data;
	int r = ext4_file_begin(&file, &w->fs, node, entry->size_bytes, err);

	while (r == 0 && (r = w->source->data(w->source, &data, err)) > 0) {
		r = ext4_file_data(&file, &data, err);
		w->stats.data_bytes += data.size_bytes;
		if (r == 0)
			r = report(w, err);
	}
	if (r < 0)
		return r;
	ext4_file_end(&file);
	return 0;
}

static int symlink_store(struct work *w, struct tree_node *node,
			 const char *target, struct img_err *err)
{
	struct entry_data data = { .bytes = target,
				   .size_bytes = strlen(target) };
	struct ext4_file file;
	char *copy;
	int r;

	if (!data.size_bytes || data.size_bytes > SYMLINK_BYTES_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "is a symlink with a target of %zu bytes; "
				   "1 to %u are possible",
				   data.size_bytes, SYMLINK_BYTES_MAX);
	copy = tree_alloc(w->tree, data.size_bytes + 1);
	memcpy(copy, target, data.size_bytes + 1);
	node->target = copy;
	if (data.size_bytes <= EXT4_FAST_SYMLINK_BYTES)
		return 0;
	r = ext4_file_begin(&file, &w->fs, node, data.size_bytes, err);
	if (r == 0)
		r = ext4_file_data(&file, &data, err);
	if (r == 0)
		ext4_file_end(&file);
	return r;
}

static int check_device(const struct entry *entry, struct img_err *err)
{
	if (entry->dev_major <= DEV_MAJOR_MAX &&
	    entry->dev_minor <= DEV_MINOR_MAX)
		return 0;
	return img_err_set(err, IMG_E_INPUT, 0,
			   "is device %u:%u; up to %u:%u are possible",
			   entry->dev_major, entry->dev_minor, DEV_MAJOR_MAX,
			   DEV_MINOR_MAX);
}

/* Directories and inodes are written last; better to know early. */
static int check_tree_fits(struct work *w, struct img_err *err)
{
	uint64_t n_inodes = ext4_fs_n_inodes(&w->fs);

	if (tree_n_nodes(w->tree) > n_inodes)
		return img_err_set(err, IMG_E_NO_SPACE, 0,
				   "is one file more than the volume has "
				   "inodes, %" PRIu64,
				   n_inodes);
	if (tree_name_bytes(w->tree) / EXT4_BLOCK_BYTES > w->fs.n_left)
		return ext4_fs_full(&w->fs, err);
	return 0;
}

static int entry_store(struct work *w, const struct entry *entry,
		       struct img_err *err)
{
	struct tree_node *node;
	int r = tree_add(w->tree, entry, &node, err);

	if (r < 0)
		return r; /* names the entry itself */
	if (entry->type == ENTRY_HARDLINK)
		return 0;
	r = check_tree_fits(w, err);
	if (r == 0)
		r = ext4_xattrs_write(&w->fs, w->tree, node, entry->xattrs,
				      entry->n_xattrs, &w->stats.skipped_xattrs,
				      err);
	if (r == 0 && entry->type == ENTRY_FILE)
		r = content_copy(w, node, entry, err);
	else if (r == 0 && entry->type == ENTRY_SYMLINK)
		r = symlink_store(w, node, entry->link, err);
	else if (r == 0 &&
		 (entry->type == ENTRY_CHAR || entry->type == ENTRY_BLOCK))
		r = check_device(entry, err);
	return r < 0 ? blame(entry, err) : 0;
}

static int entries_store(struct work *w, struct img_err *err)
{
	struct entry entry;
	int r;

	while ((r = w->source->next(w->source, &entry, err)) > 0) {
		w->stats.entries++;
		r = entry_store(w, &entry, err);
		if (r == 0)
			r = report(w, err);
		if (r < 0)
			return r;
	}
	return r;
}

static int root_mark(struct work *w, struct img_err *err)
{
	const struct rootfs_options *o = w->options;

	if (!o->n_root_xattrs)
		return 0;
	return ext4_xattrs_write(&w->fs, w->tree, tree_first(w->tree),
				 o->root_xattrs, o->n_root_xattrs,
				 &w->stats.skipped_xattrs, err);
}

static void stats_count(struct work *w)
{
	for (struct tree_node *n = tree_first(w->tree); n; n = n->next) {
		if (!n->links)
			continue;
		if (tree_node_is_dir(n))
			w->stats.directories++;
		else if ((n->mode & 0170000) == 0100000)
			w->stats.regular_files++;
	}
	w->stats.fs_used_bytes = ext4_fs_used_bytes(&w->fs);
	w->stats.written_bytes = w->fs.out.written_bytes;
}

static int fill(struct work *w, struct img_err *err)
{
	int r = w->source ? entries_store(w, err) : 0;

	if (r == 0)
		r = root_mark(w, err);
	if (r == 0)
		r = ext4_write_tree(&w->fs, w->tree, err);
	if (r == 0 && w->options->sync)
		r = ext4_out_sync(&w->fs.out, err);
	if (r == 0)
		stats_count(w);
	return r;
}

static int uuid_choose(const uint8_t *wanted, uint8_t ret[16],
		       struct img_err *err)
{
	if (wanted) {
		memcpy(ret, wanted, 16);
		return 0;
	}
	if (getrandom(ret, 16, 0) != 16)
		return img_err_sys(err, "cannot make a uuid");
	ret[6] = (ret[6] & 0x0f) | 0x40; /* RFC 4122: version 4 */
	ret[8] = (ret[8] & 0x3f) | 0x80;
	return 0;
}

static int run(struct work *w, int fd, struct ext4_geometry *geo,
	       struct img_err *err)
{
	const struct rootfs_options *o = w->options;
	int r;

	geo->label = o->label;
	geo->chunk_bytes = o->chunk_bytes ? o->chunk_bytes : CHUNK_BYTES;
	geo->now_s = o->now_s ? o->now_s : (int64_t)time(NULL);
	r = uuid_choose(o->uuid, geo->uuid, err);
	if (r < 0)
		return r;
	r = ext4_fs_create(&w->fs, fd, geo, err);
	if (r == 0) {
		struct tree_options options = {
			.max_entries =
				o->max_entries ? o->max_entries : MAX_ENTRIES,
			.now_s = geo->now_s,
		};

		w->tree = tree_new(&options);
		r = fill(w, err);
	}
	tree_free(w->tree);
	ext4_fs_release(&w->fs);
	return r;
}

int rootfs_write(struct entry_source *source, int fd, uint64_t size_bytes,
		 const struct rootfs_options *options,
		 struct rootfs_stats *stats, struct img_err *err)
{
	struct work w = { .source = source, .options = options };
	struct ext4_geometry geo = {
		.size_bytes = size_bytes,
		.bytes_per_inode = options->bytes_per_inode
					   ? options->bytes_per_inode
					   : 16 * KIB,
		.journal_bytes = options->journal_bytes,
	};
	int r;

	if (!geo.journal_bytes)
		geo.journal_bytes = size_bytes < 256 * MIB ? 4 * MIB : 8 * MIB;
	r = run(&w, fd, &geo, err);
	if (r == 0 && stats)
		*stats = w.stats;
	return r;
}

int rootfs_format_empty(int fd, uint64_t size_bytes,
			const struct rootfs_options *options,
			struct img_err *err)
{
	struct work w = { .options = options };
	struct ext4_geometry geo = {
		.size_bytes = size_bytes,
		.bytes_per_inode = options->bytes_per_inode
					   ? options->bytes_per_inode
					   : 64 * KIB,
		.journal_bytes = options->journal_bytes,
	};

	if (!geo.journal_bytes) {
		geo.journal_bytes = size_bytes / 64 / MIB * MIB;
		if (geo.journal_bytes < 4 * MIB)
			geo.journal_bytes = 4 * MIB;
		if (geo.journal_bytes > 64 * MIB)
			geo.journal_bytes = 64 * MIB;
	}
	return run(&w, fd, &geo, err);
}
