/*
 * volumes ROOT RUN DRIVER COUNT...
 *
 * Makes a store and prints, for each COUNT of volumes in it, the median times
 * of opening it, and of making, activating and removing one more volume, in
 * milliseconds: "open-COUNT 1.234" and so on.  Then, on the driver thin, that
 * of finding what one small change in a volume of 2 GB has changed, as "delta
 * MS", and "ids BASE CHANGED" of its two volumes.  The store stays as it is.
 */
#include "base/cleanup.h"
#include "base/num.h"
#include "storage/account.h"
#include "storage/store.h"
#include "storage/volume.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS	   21
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

static double median(double *times)
{
	qsort(times, ROUNDS, sizeof(*times), by_value);
	return times[ROUNDS / 2];
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

static void one_round(struct sized *sized, int round)
{
	char node[VOLUME_NODE_MAX];
	struct volume volume;
	double at[5];

	at[0] = now_ms();
	open_store(sized);
	at[1] = now_ms();
	must(store_need_pool(store, &err));
	at[2] = now_ms();
	volume = make(0, &sized->base);
	at[3] = now_ms();
	must(volume_activate(store, &volume, node, &err));
	at[4] = now_ms();
	sized->times[OPEN][round] = at[1] - at[0];
	sized->times[CREATE][round] = at[3] - at[2];
	sized->times[ACTIVATE][round] = at[4] - at[3];
	must(volume_deactivate(store, &volume, &err));
	at[0] = now_ms();
	drop(&volume);
	sized->times[REMOVE][round] = now_ms() - at[0];
	store_close(&store);
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
	(void)printf("delta %.3f\nids %u %u\n", median(times), base.id,
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
	for (int i = 0; i < n; i++)
		prepare(&all[i], argv, argv[4 + i]);
	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < n; i++)
			one_round(&all[(i + round) % n], round);
	for (int i = 0; i < n; i++)
		for (int kind = OPEN; kind < KINDS; kind++)
			(void)printf("%s-%s %.3f\n", names[kind], argv[4 + i],
				     median(all[i].times[kind]));
	if (strcmp(argv[3], "thin") == 0) {
		open_store(&all[n - 1]);
		measure_delta();
		store_close(&store);
	}
	return 0;
}
