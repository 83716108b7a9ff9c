#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/clock.h"
#include "cli/container_cgroup.h"
#include "cli/event.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "runtime/process.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

/* What ps(1) calls them with -o, and what it writes above them. */
struct field {
	const char *name, *heading;
	char *(*text)(const struct process *p);
};

static char *hours(int64_t seconds)
{
	return mem_printf("%02" PRId64 ":%02" PRId64 ":%02" PRId64,
			  seconds / 3600, seconds / 60 % 60, seconds % 60);
}

static int64_t age_ms(const struct process *p)
{
	int64_t ms = (clock_now_ns() - p->started_ns) / 1000000;

	return ms > 0 ? ms : 0;
}

static char *uid_text(const struct process *p)
{
	return mem_printf("%u", p->uid);
}

static char *pid_text(const struct process *p)
{
	return mem_printf("%d", (int)p->pid);
}

static char *ppid_text(const struct process *p)
{
	return mem_printf("%d", (int)p->ppid);
}

static char *c_text(const struct process *p)
{
	int64_t age = age_ms(p);

	return mem_printf("%" PRIu64,
			  age ? p->cpu_ms * 100 / (uint64_t)age : 0);
}

static char *pcpu_text(const struct process *p)
{
	int64_t age = age_ms(p);

	return mem_printf("%.1f",
			  age ? (double)p->cpu_ms * 100 / (double)age : 0.0);
}

/* The time of a day, or the day. */
static char *stime_text(const struct process *p)
{
	const time_t at = p->started_ns / 1000000000;
	struct tm tm;
	char text[16];

	if (!localtime_r(&at, &tm) ||
	    strftime(text, sizeof(text),
		     age_ms(p) < INT64_C(86400000) ? "%H:%M" : "%b%d",
		     &tm) == 0)
		return mem_strdup("?");
	return mem_strdup(text);
}

static char *tty_text(const struct process *p)
{
	return mem_strdup(p->tty);
}

static char *time_text(const struct process *p)
{
	return hours((int64_t)p->cpu_ms / 1000);
}

static char *etime_text(const struct process *p)
{
	return hours(age_ms(p) / 1000);
}

static char *stat_text(const struct process *p)
{
	return mem_printf("%c", p->state);
}

static char *nlwp_text(const struct process *p)
{
	return mem_printf("%u", p->threads);
}

static char *rss_text(const struct process *p)
{
	return mem_printf("%" PRIu64, p->resident_bytes / KIB);
}

static char *vsz_text(const struct process *p)
{
	return mem_printf("%" PRIu64, p->virtual_bytes / KIB);
}

static char *comm_text(const struct process *p)
{
	return mem_strdup(p->name);
}

static char *args_text(const struct process *p)
{
	return mem_strdup(p->command);
}

/* The first eight are those of ps -ef, as docker has it. */
static const struct field fields[] = {
	{ "uid", "UID", uid_text },	    { "pid", "PID", pid_text },
	{ "ppid", "PPID", ppid_text },	    { "c", "C", c_text },
	{ "stime", "STIME", stime_text },   { "tty", "TTY", tty_text },
	{ "time", "TIME", time_text },	    { "cmd", "CMD", args_text },
	{ "args", "COMMAND", args_text },   { "comm", "COMMAND", comm_text },
	{ "etime", "ELAPSED", etime_text }, { "nlwp", "NLWP", nlwp_text },
	{ "pcpu", "%CPU", pcpu_text },	    { "rss", "RSS", rss_text },
	{ "stat", "STAT", stat_text },	    { "user", "USER", uid_text },
	{ "vsz", "VSZ", vsz_text },
};
#define FULL 8

struct choice {
	const struct field *field[TABLE_COLUMNS_MAX];
	size_t n;
};

static int choose(struct choice *ret, const char *text, struct img_err *err)
{
	img_auto(img_mem_release) char *copy = mem_strdup(text);
	char *rest = copy, *name;

	while ((name = strsep(&rest, ", ")) != NULL) {
		const struct field *found = NULL;

		if (!*name) /* "a, b" */
			continue;
		for (size_t i = 0; i < IMG_COUNT(fields); i++)
			if (strcmp(fields[i].name, name) == 0)
				found = &fields[i];
		if (!found)
			return img_err_set(err, IMG_E_INPUT, 0,
					   "-o: there is no column '%.40s': "
					   "see 'img help top'",
					   name);
		if (ret->n == TABLE_COLUMNS_MAX)
			return img_err_set(err, IMG_E_INPUT, 0,
					   "-o: %d columns at most",
					   TABLE_COLUMNS_MAX);
		ret->field[ret->n++] = found;
	}
	return 0;
}

/* "-ef", "-o a,b", "-oa,b", "-eo a,b"; nothing else of ps. */
static int read_options(char **argv, struct choice *ret, struct img_err *err)
{
	int r = 0;

	for (; r == 0 && *argv; argv++) {
		const char *word = *argv;
		size_t o = strspn(word, "-e");

		if (strcmp(word, "-ef") == 0 || strcmp(word, "-e") == 0 ||
		    strcmp(word, "-f") == 0)
			continue;
		if (word[0] != '-' || word[o] != 'o')
			return img_err_set(err, IMG_E_INPUT, 0,
					   "'%.40s': of ps only -ef and -o "
					   "are known",
					   word);
		if (!word[o + 1] && !argv[1])
			return img_err_set(err, IMG_E_INPUT, 0,
					   "-o wants columns");
		r = choose(ret, word[o + 1] ? word + o + 1 : *++argv, err);
	}
	if (ret->n == 0)
		for (; ret->n < FULL; ret->n++)
			ret->field[ret->n] = &fields[ret->n];
	return r;
}

static int add(struct table *table, const struct choice *choice, pid_t pid,
	       struct img_err *err)
{
	img_auto(process_release) struct process process = { 0 };
	char *cells[TABLE_COLUMNS_MAX];
	int r = process_read(pid, &process, err);

	if (r <= 0)
		return r;
	for (size_t i = 0; i < choice->n; i++)
		cells[i] = choice->field[i]->text(&process);
	table_add(table, (const char *const *)cells);
	for (size_t i = 0; i < choice->n; i++)
		free(cells[i]);
	return 0;
}

static int show(struct store *store, const struct container_row *row,
		const struct choice *choice, struct img_err *err)
{
	img_auto(table_release) struct table table = { 0 };
	img_auto(img_mem_release) pid_t *pids = NULL;
	img_auto(img_fd_release) int cgroup = -1;
	const char *heading[TABLE_COLUMNS_MAX];
	size_t n = 0;
	int r = container_cgroup_need(store, row, &cgroup, err);

	if (r == 0)
		r = process_list(cgroup, &pids, &n, err);
	for (size_t i = 0; i < choice->n; i++)
		heading[i] = choice->field[i]->heading;
	table_init(&table, choice->n, heading);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add(&table, choice, pids[i], err);
	if (r == 0)
		table_print(&table, false);
	return r;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	img_auto(store_close) struct store *store = NULL;
	struct choice choice = { 0 };
	int r = read_options(argv + 1, &choice, err);

	if (r == 0)
		r = cli_open_container(cli, argv[0], &store, &row, err);
	if (r == 0)
		r = show(store, &row, &choice, err);
	if (r == 0)
		event_write(store, "top", &row);
	return r < 0 ? img_err_prefix(err, "cannot list the processes of %s",
				      argv[0])
		     : 0;
}

const struct verb verb_top = {
	.name = "top",
	.arguments = "CONTAINER [-ef | -o COLUMN,...]",
	.summary = "Show the processes of a container",
	.description =
		"With their numbers outside, whoever started them. Columns: "
		"uid user pid ppid c pcpu stime\netime time tty stat nlwp rss "
		"vsz comm cmd args, as ps(1) has them; users are numbers.",
	.options = { .stop_at_argument = true },
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
