#include "base/cleanup.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/container_cgroup.h"
#include "cli/format.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "image/config.h"
#include "runtime/cgroup_file.h"
#include "runtime/cgroup_stat.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>

/* Between two looks; the load of a processor is what changed meanwhile. */
#define FIRST_MS 300
#define ROUND_MS 1000

struct options {
	const char *format;
	bool no_stream, no_trunc;
};

static const struct option_row rows[] = {
	{ 0, "format", "FORMAT", "table, json, or a template as {{json .}}",
	  OPTION_TEXT, offsetof(struct options, format) },
	{ 0, "no-stream", NULL, "look once", OPTION_FLAG,
	  offsetof(struct options, no_stream) },
	{ 0, "no-trunc", NULL, "show whole ids", OPTION_FLAG,
	  offsetof(struct options, no_trunc) },
};

/* One container, and what was seen of it last. */
struct sample {
	struct container_row row;
	dev_t device;
	bool seen;
	int64_t at_us;
	struct cgroup_stat stat;
	double cpu_percent; /* of one processor; <0: unknown */
};

struct samples {
	struct store *store;
	struct sample *one;
	size_t n;
};

static void samples_release(struct samples *s)
{
	for (size_t i = 0; i < s->n; i++)
		container_row_release(&s->one[i].row);
	img_mem_release(&s->one);
}

static struct sample *add_row(struct samples *s)
{
	s->one = mem_realloc(s->one, (s->n + 1) * sizeof(*s->one));
	s->one[s->n] = (struct sample){ .cpu_percent = -1 };
	return &s->one[s->n++];
}

static struct sample *find(const struct samples *s, const char *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->one[i].row.id.hex, id) == 0)
			return &s->one[i];
	return NULL;
}

/* Those that run now; without words on the command line, all of them. */
static int add_running(void *self, const struct container_row *row,
		       struct img_err *err)
{
	struct samples *s = self;
	struct sample *one;
	int r = container_is_running(s->store, row, err);

	if (r <= 0 || find(s, row->id.hex))
		return r < 0 ? r : 0;
	one = add_row(s);
	return container_find(s->store, row->id.hex, &one->row, err);
}

static int find_all(struct samples *s, int argc, char **argv,
		    struct img_err *err)
{
	int r = 0;

	if (argc == 0)
		return container_each(s->store, add_running, s, err);
	for (int i = 0; r == 0 && i < argc; i++) {
		img_auto(img_fd_release) int cgroup = -1;
		struct sample *one = add_row(s);

		r = container_find(s->store, argv[i], &one->row, err);
		if (r == 0)
			r = container_is_running(s->store, &one->row, err);
		if (r > 0) /* says why there is nothing to see */
			r = container_cgroup_need(s->store, &one->row, &cgroup,
						  err);
		if (r < 0)
			return img_err_prefix(err, "cannot watch %s", argv[i]);
	}
	return r;
}

/* One that ended, or has no cgroup, is shown with nothing. */
static int look_at(struct samples *s, struct sample *one, struct img_err *err)
{
	const uint64_t cpu_before = one->stat.cpu_us;
	const int64_t before = one->at_us;
	const bool again = one->seen;
	img_auto(img_fd_release) int cgroup = -1;
	struct img_err gone = { 0 };
	int r = container_cgroup(s->store, &one->row, &cgroup, err);

	one->seen = false;
	if (r <= 0)
		return r;
	if (!one->device)
		IMG_IGNORE(volume_device(s->store, &one->row.volume,
					 &one->device, &gone));
	one->at_us = clock_steady_us();
	if (cgroup_stat_read(cgroup, one->device, &one->stat, &gone) < 0)
		return 0;
	one->seen = true;
	one->cpu_percent = -1;
	if (again && one->at_us > before && one->stat.cpu_us >= cpu_before)
		one->cpu_percent = 100.0 *
				   (double)(one->stat.cpu_us - cpu_before) /
				   (double)(one->at_us - before);
	return 0;
}

static int look(struct samples *s, struct img_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n; i++)
		r = look_at(s, &s->one[i], err);
	return r;
}

static bool known(uint64_t value)
{
	return value != CGROUP_UNKNOWN;
}

static uint64_t host_memory(void)
{
	struct sysinfo info;

	return sysinfo(&info) == 0 ? (uint64_t)info.totalram * info.mem_unit
				   : 0;
}

/* A limit above what there is limits nothing. */
static uint64_t limit_of(const struct cgroup_stat *stat)
{
	uint64_t host = host_memory();

	return stat->memory_limit_bytes < host ? stat->memory_limit_bytes
					       : host;
}

static double memory_percent(const struct sample *one)
{
	uint64_t limit = limit_of(&one->stat);

	if (!one->seen || !known(one->stat.memory_bytes) || limit == 0)
		return -1;
	return 100.0 * (double)one->stat.memory_bytes / (double)limit;
}

static char *percent_text(double percent)
{
	return percent < 0 ? mem_strdup("--") : mem_printf("%.2f%%", percent);
}

static char *pair_text(bool show, uint64_t a, uint64_t b)
{
	char first[SIZE_TEXT_MAX], second[SIZE_TEXT_MAX];

	if (!show || !known(a) || !known(b))
		return mem_strdup("-- / --");
	return mem_printf("%s / %s", num_format_size(a, first),
			  num_format_size(b, second));
}

/* A sample for people, and for docker's templates. */
struct texts {
	char id[ID_LEN + 1];
	char *cpu, *memory, *share, *io;
};

static void texts_release(struct texts *t)
{
	free(t->cpu);
	free(t->memory);
	free(t->share);
	free(t->io);
}

static void texts_make(const struct sample *one, const struct options *o,
		       struct texts *ret)
{
	const struct cgroup_stat *stat = &one->stat;

	(void)snprintf(ret->id, sizeof(ret->id), "%.*s",
		       o->no_trunc ? ID_LEN : ID_SHORT_LEN, one->row.id.hex);
	ret->cpu = percent_text(one->seen ? one->cpu_percent : -1);
	ret->memory = pair_text(one->seen, stat->memory_bytes, limit_of(stat));
	ret->share = percent_text(memory_percent(one));
	ret->io = pair_text(one->seen, stat->read_bytes, stat->write_bytes);
}

static void print_table(const struct samples *s, const struct options *o)
{
	img_auto(table_release) struct table table = { 0 };

	table_init(&table, 7,
		   (const char *const[]){ "CONTAINER ID", "NAME", "CPU %",
					  "MEM USAGE / LIMIT", "MEM %",
					  "BLOCK I/O", "PIDS" });
	for (size_t i = 0; i < s->n; i++) {
		const struct sample *one = &s->one[i];
		img_auto(texts_release) struct texts t = { 0 };
		img_auto(img_mem_release) char *pids =
			one->seen && known(one->stat.pids)
				? mem_printf("%" PRIu64, one->stat.pids)
				: mem_strdup("--");

		texts_make(one, o, &t);
		table_add(&table, (const char *const[]){ t.id, one->row.name,
							 t.cpu, t.memory,
							 t.share, t.io, pids });
	}
	table_print(&table, false);
}

static json_t *number(bool show, uint64_t value)
{
	return show && known(value) ? json_integer((json_int_t)value)
				    : json_null();
}

static json_t *real(bool show, double value)
{
	return show && value >= 0 ? json_real(value) : json_null();
}

static json_t *samples_json(const struct samples *s, const struct options *o)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n; i++) {
		const struct sample *one = &s->one[i];
		const struct cgroup_stat *stat = &one->stat;
		const bool show = one->seen;
		img_auto(texts_release) struct texts t = { 0 };

		texts_make(one, o, &t);
		(void)json_array_append_new(
			list,
			json_pack("{ss ss so so so so so so so so so"
				  " ss ss ss ss ss}",
				  "Id", one->row.id.hex, "Name", one->row.name,
				  "CPUPercent", real(show, one->cpu_percent),
				  "CPUMicroseconds", number(show, stat->cpu_us),
				  "MemoryBytes",
				  number(show, stat->memory_bytes),
				  "MemoryLimitBytes",
				  number(show, limit_of(stat)), "MemoryPercent",
				  real(show, memory_percent(one)),
				  "BlockReadBytes",
				  number(show, stat->read_bytes),
				  "BlockWriteBytes",
				  number(show, stat->write_bytes), "Pids",
				  number(show, stat->pids), "OOMKills",
				  number(show, stat->oom_kills), "ID", t.id,
				  "CPUPerc", t.cpu, "MemUsage", t.memory,
				  "MemPerc", t.share, "BlockIO", t.io));
	}
	return list;
}

static int nap(int ms)
{
	const struct timespec t = { .tv_sec = ms / 1000,
				    .tv_nsec = ms % 1000 * 1000000L };

	return nanosleep(&t, NULL);
}

/* A screen is begun anew for each look; a file or a pipe gets one after the
 * other. */
static int show(const struct samples *s, const struct options *o,
		enum format_kind format, struct img_err *err)
{
	img_auto(json_release) json_t *list = NULL;
	int r = 0;

	if (!o->no_stream && format != FORMAT_JSON && isatty(STDOUT_FILENO))
		(void)fputs("\033[H\033[2J", stdout);
	if (format == FORMAT_TABLE) {
		print_table(s, o);
	} else {
		list = samples_json(s, o);
		if (format == FORMAT_JSON)
			format_print_json(json_incref(list));
		else
			r = format_print_template(list, o->format, err);
	}
	(void)fflush(stdout);
	return r;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(samples_release) struct samples s = { 0 };
	img_auto(store_close) struct store *store = NULL;
	enum format_kind format;
	int wait_ms = FIRST_MS;
	int r = format_of_list(o->format, &format, err);

	if (r == 0)
		r = cli_open_store(cli, false, &store, err);
	s.store = store;
	if (r == 0)
		r = find_all(&s, argc, argv, err);
	if (r == 0)
		r = look(&s, err);
	while (r == 0) {
		if (s.n > 0 || !o->no_stream)
			IMG_IGNORE(nap(wait_ms));
		wait_ms = ROUND_MS;
		if (argc == 0 && !o->no_stream)
			r = container_each(store, add_running, &s, err);
		if (r == 0)
			r = look(&s, err);
		if (r == 0)
			r = show(&s, o, format, err);
		if (o->no_stream || ferror(stdout))
			break;
	}
	return r;
}

const struct verb verb_stats = {
	.name = "stats",
	.arguments = "[CONTAINER...]",
	.summary = "Show what running containers use",
	.description =
		"Every second, until interrupted, unless asked for one look. "
		"The load is of one processor;\nmemory is without what the "
		"kernel can drop at once; block I/O is that of the "
		"container's\nown volume. What the host does not count is "
		"shown as --, like all of one that is\nnamed and does not run.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.min_args = 0,
	.max_args = -1,
	.run = run,
};
