/*
 * volumes ROOT RUN DRIVER COUNT...
 *
 * Makes stores and prints, for each COUNT of volumes in one, the time that a
 * quarter of all rounds kept to, of opening it, and of making, activating and
 * removing one more volume, in milliseconds: "open-COUNT 1.234" and so on.  An
 * open is that of a warm process whose pool is up.  Then, on the driver thin,
 * that of finding what one small change in a volume of 2 GB has changed, as
 * "delta MS", and "ids BASE CHANGED" of its two volumes.  The stores stay as
 * they are.
 */
#include "base/cleanup.h"
#include "base/num.h"
#include "storage/account.h"
#include "storage/store.h"
#include "storage/volume.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The counts take turns, so that what else the machine does meets all of them
 * alike; the first rounds warm the caches. */
#define ROUNDS	   101
#define WARMING	   3
#define COUNTS_MAX 8
#define BASE_BYTES (64 * MIB)
#define BIG_BYTES  (2 * GIB)

enum { OPEN, CREATE, ACTIVATE, REMOVE, KINDS };
static const char *const names[] = { "open", "create", "activate", "remove" };
static struct store_options options = {
	.create = true,
};

struct sized {
	char root[256], run[256];
	struct volume base;
	double times[KINDS][ROUNDS];
};

static struct store *store;
static struct img_err err;

static void must(int r)
{
	if (r >= 0)
		return;
	(void)fprintf(stderr, "volumes: %s\n", err.msg);
	exit(1);
}

static double now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail */
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Where the machine is busy, half of all rounds and more have waited for it. */
static double quartile(double *times)
{
	qsort(times, ROUNDS, sizeof(*times), by_value);
	return times[ROUNDS / 4];
}

static void open_store(const struct sized *sized)
{
	options.root = sized->root;
	options.run_root = sized->run;
	must(store_open(&options, &store, &err));
}

static void settle(struct volume_pending *new)
{
	must(db_begin(store_db(store), false, &err));
	must(volume_settle(new, &err));
	must(db_commit(store_db(store), &err));
	volume_keep(new);
}

static struct volume make(uint64_t size_bytes, const struct volume *origin)
{
	struct volume_pending new = { 0 };
	struct volume volume;

	must(origin ? volume_snapshot(store, origin, &new, &err)
		    : volume_create(store, size_bytes, &new, &err));
	volume = new.volume;
	settle(&new);
	return volume;
}

static void drop(const struct volume *volume)
{
	struct volume_pending gone = { 0 };

	must(db_begin(store_db(store), false, &err));
	must(volume_begin_delete(store, volume->id, &gone, &err));
	must(db_commit(store_db(store), &err));
	must(volume_finish_delete(&gone, &err));
}

/* Fills @bytes from @at on; in steps, each of which is a change of its own. */
static void fill(const struct volume *volume, uint64_t at, uint64_t bytes)
{
	char node[VOLUME_NODE_MAX];
	char *buf = malloc(MIB);
	int fd;

	must(volume_activate(store, volume, node, &err));
	fd = open(node, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || !buf)
		exit(1);
	memset(buf, 'x', MIB);
	for (uint64_t n; bytes > 0; at += n, bytes -= n) {
		n = bytes < MIB ? bytes : MIB;
		if (pwrite(fd, buf, n, (off_t)at) != (ssize_t)n)
			exit(1);
	}
	if (fsync(fd) < 0 || close(fd) < 0)
		exit(1);
	free(buf);
	must(volume_deactivate(store, volume, &err));
}

/* The pool is up and the catalog's log as long as it happens to be: each round
 * writes some more to it. */
static void one_open(struct sized *sized, int round)
{
	double start = now_ms();

	open_store(sized);
	if (round >= 0)
		sized->times[OPEN][round] = now_ms() - start;
	must(db_begin(store_db(store), false, &err));
	must(db_run(store_db(store), &err,
		    "UPDATE volumes SET size_bytes = ? WHERE id = ?", "ii",
		    (int64_t)sized->base.size_bytes, (int64_t)sized->base.id));
	must(db_commit(store_db(store), &err));
	store_close(&store);
}

static void one_volume(struct sized *sized, int round)
{
	char node[VOLUME_NODE_MAX];
	struct volume volume;
	double at[5];

	open_store(sized);
	must(store_need_pool(store, &err));
	at[0] = now_ms();
	volume = make(0, &sized->base);
	at[1] = now_ms();
	must(volume_activate(store, &volume, node, &err));
	at[2] = now_ms();
	must(volume_deactivate(store, &volume, &err));
	at[3] = now_ms();
	drop(&volume);
	at[4] = now_ms();
	store_close(&store);
	if (round < 0)
		return;
	sized->times[CREATE][round] = at[1] - at[0];
	sized->times[ACTIVATE][round] = at[2] - at[1];
	sized->times[REMOVE][round] = at[4] - at[3];
}

static void take_turns(struct sized *all, int n,
		       void (*fn)(struct sized *sized, int round))
{
	for (int round = -WARMING; round < ROUNDS; round++)
		for (int i = 0; i < n; i++)
			fn(&all[(i + round + n * WARMING) % n], round);
}

static void measure_delta(void)
{
	struct volume base = make(BIG_BYTES, NULL), changed;
	img_auto(account_close) struct account *account = NULL;
	double times[ROUNDS];
	uint64_t bytes = 0;

	fill(&base, 0, BIG_BYTES);
	changed = make(0, &base);
	fill(&changed, GIB, 4 * KIB);
	must(account_open(store, &account, &err));
	for (int i = 0; i < ROUNDS; i++) {
		double start = now_ms();

		must(account_change(account, base.id, changed.id, &bytes,
				    &err));
		times[i] = now_ms() - start;
	}
	if (bytes != store_chunk_bytes(store))
		exit(1);
	(void)printf("delta %.3f\nids %u %u\n", quartile(times), base.id,
		     changed.id);
}

static void prepare(struct sized *sized, char **argv, const char *count)
{
	(void)snprintf(sized->root, sizeof(sized->root), "%s/%s", argv[1],
		       count);
	(void)snprintf(sized->run, sizeof(sized->run), "%s/%s", argv[2], count);
	options.driver = argv[3];
	open_store(sized);
	sized->base = make(BASE_BYTES, NULL);
	fill(&sized->base, 0, 16 * MIB);
	for (int have = 1; have < atoi(count); have++)
		(void)make(0, &sized->base);
	store_close(&store);
}

int main(int argc, char **argv)
{
	static struct sized all[COUNTS_MAX];
	int n = argc - 4;

	if (n < 1 || n > COUNTS_MAX)
		return 2;
	/* What was freed is not given back: that the process touches memory
	 * for the first time is not what a store costs. */
	(void)mallopt(M_TRIM_THRESHOLD, (int)(64 * MIB));
	for (int i = 0; i < n; i++)
		prepare(&all[i], argv, argv[4 + i]);
	take_turns(all, n, one_volume);
	take_turns(all, n, one_open);
	for (int i = 0; i < n; i++)
		for (int kind = OPEN; kind < KINDS; kind++)
			(void)printf("%s-%s %.3f\n", names[kind], argv[4 + i],
				     quartile(all[i].times[kind]));
	if (strcmp(argv[3], "thin") == 0) {
		open_store(&all[n - 1]);
		measure_delta();
		store_close(&store);
	}
	return 0;
}
