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
#define BASE_BYTES (64 * MIB)
#define BIG_BYTES  (2 * GIB)

enum { OPEN, CREATE, ACTIVATE, REMOVE, DELTA, KINDS };
static const char *const names[] = { "open", "create", "activate", "remove",
				     "delta" };
static double times[KINDS][ROUNDS];
static struct store_options options = {
	.create = true,
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

static double median(int kind)
{
	qsort(times[kind], ROUNDS, sizeof(double), by_value);
	return times[kind][ROUNDS / 2];
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

static void one_round(const struct volume *base, int round)
{
	char node[VOLUME_NODE_MAX];
	struct volume volume;
	double at[5];

	store_close(&store);
	at[0] = now_ms();
	must(store_open(&options, &store, &err));
	at[1] = now_ms();
	must(store_need_pool(store, &err));
	at[2] = now_ms();
	volume = make(0, base);
	at[3] = now_ms();
	must(volume_activate(store, &volume, node, &err));
	at[4] = now_ms();
	times[OPEN][round] = at[1] - at[0];
	times[CREATE][round] = at[3] - at[2];
	times[ACTIVATE][round] = at[4] - at[3];
	must(volume_deactivate(store, &volume, &err));
	at[0] = now_ms();
	drop(&volume);
	times[REMOVE][round] = now_ms() - at[0];
}

static void measure_delta(void)
{
	struct volume base = make(BIG_BYTES, NULL), changed;
	img_auto(account_close) struct account *account = NULL;
	uint64_t bytes = 0;

	fill(&base, 0, BIG_BYTES);
	changed = make(0, &base);
	fill(&changed, GIB, 4 * KIB);
	must(account_open(store, &account, &err));
	for (int i = 0; i < ROUNDS; i++) {
		double start = now_ms();

		must(account_change(account, base.id, changed.id, &bytes,
				    &err));
		times[DELTA][i] = now_ms() - start;
	}
	if (bytes != store_chunk_bytes(store))
		exit(1);
	(void)printf("delta %.3f\nids %u %u\n", median(DELTA), base.id,
		     changed.id);
}

int main(int argc, char **argv)
{
	struct volume base;
	int have = 1;

	if (argc < 5)
		return 2;
	options.root = argv[1];
	options.run_root = argv[2];
	options.driver = argv[3];
	must(store_open(&options, &store, &err));
	base = make(BASE_BYTES, NULL);
	fill(&base, 0, 16 * MIB);
	for (int i = 4; i < argc; i++) {
		for (int count = atoi(argv[i]); have < count; have++)
			(void)make(0, &base);
		for (int round = 0; round < ROUNDS; round++)
			one_round(&base, round);
		for (int kind = OPEN; kind <= REMOVE; kind++)
			(void)printf("%s-%s %.3f\n", names[kind], argv[i],
				     median(kind));
		(void)fflush(stdout);
	}
	if (strcmp(argv[3], "thin") == 0)
		measure_delta();
	store_close(&store);
	return 0;
}
