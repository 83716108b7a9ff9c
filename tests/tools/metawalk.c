/*
 * metawalk [-m] [-t N] FILE WHAT...: what storage/meta.h says of a pool's
 * metadata, in lines that are compared with those of the thin tools, or how
 * long it takes.
 *
 *	usage		   ID MAPPED EXCLUSIVE, of each volume, in blocks
 *	map ID		   BLOCK DATA TIME, of each block
 *	delta A B	   BLOCK KIND: different, left, right
 *	reclaim ID...	   bytes that are free when all of these are gone
 *	check		   what is wrong, one line each
 *
 * -m reads the metadata snapshot.  -t does it N times and prints the least and
 * the median milliseconds instead.
 */
#include "base/cleanup.h"
#include "storage/meta.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IDS_MAX 1024

static bool quiet;

static int on_usage(void *self, const struct thin_meta_dev *dev,
		    const struct thin_meta_usage *usage, struct img_err *err)
{
	uint64_t chunk = *(uint64_t *)self;

	if (!quiet)
		printf("%" PRIu32 " %" PRIu64 " %" PRIu64 "\n", dev->id,
		       usage->mapped_bytes / chunk,
		       usage->exclusive_bytes / chunk);
	return 0;
}

static int on_run(void *self, const struct thin_meta_run *run,
		  struct img_err *err)
{
	for (uint64_t i = 0; i < run->length && !quiet; i++)
		printf("%" PRIu64 " %" PRIu64 " %" PRIu32 "\n",
		       run->thin_begin + i, run->data_begin + i, run->time);
	return 0;
}

static int on_range(void *self, const struct thin_meta_range *range,
		    struct img_err *err)
{
	static const char *const kinds[] = { "", "left", "right", "different" };

	for (uint64_t i = 0; i < range->length && !quiet; i++)
		printf("%" PRIu64 " %s\n", range->begin + i,
		       kinds[range->kind]);
	return 0;
}

static int on_fault(void *self, const struct thin_meta_fault *fault,
		    struct img_err *err)
{
	if (!quiet)
		printf("%d %" PRIu64 " %s\n", (int)fault->kind, fault->blocks,
		       fault->text ? fault->text : "");
	return 0;
}

static int ask(struct thin_meta *meta, int argc, char **argv,
	       struct img_err *err)
{
	uint64_t chunk = thin_meta_info(meta)->chunk_bytes, bytes = 0;
	uint32_t ids[IDS_MAX];
	int n = 0, r;

	for (; n + 1 < argc && n < IDS_MAX; n++)
		ids[n] = (uint32_t)strtoul(argv[n + 1], NULL, 10);
	if (strcmp(argv[0], "usage") == 0)
		return thin_meta_each_usage(meta, on_usage, &chunk, err);
	if (strcmp(argv[0], "check") == 0)
		return thin_meta_check(meta, on_fault, NULL, err);
	if (strcmp(argv[0], "map") == 0 && n == 1)
		return thin_meta_each_run(meta, ids[0], on_run, NULL, err);
	if (strcmp(argv[0], "delta") == 0 && n == 2)
		return thin_meta_each_difference(meta, ids[0], ids[1], on_range,
						 NULL, err);
	if (strcmp(argv[0], "reclaim") != 0)
		return img_err_set(err, IMG_E_INPUT, 0, "what is '%s'?",
				   argv[0]);
	r = thin_meta_reclaimable(meta, ids, (size_t)n, &bytes, err);
	if (r == 0 && !quiet)
		printf("%" PRIu64 "\n", bytes);
	return r;
}

static int once(const char *path, bool from_snapshot, int argc, char **argv)
{
	const struct thin_meta_options options = {
		.name = path,
		.from_snapshot = from_snapshot,
	};
	img_auto(img_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC);
	img_auto(thin_meta_release) struct thin_meta *meta = NULL;
	struct img_err err = { 0 };
	int r;

	if (fd < 0) {
		perror(path);
		return 1;
	}
	r = thin_meta_open(fd, &options, &meta, &err);
	if (r == 0)
		r = ask(meta, argc, argv, &err);
	if (r < 0)
		fprintf(stderr, "metawalk: %s\n", err.msg);
	return r < 0;
}

static double now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail */
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int measure(int times, const char *path, bool from_snapshot, int argc,
		   char **argv)
{
	double *ms = calloc((size_t)times, sizeof(*ms));
	int r = ms ? 0 : 1;

	quiet = true;
	for (int i = 0; r == 0 && i < times; i++) {
		double begin = now_ms();

		r = once(path, from_snapshot, argc, argv);
		ms[i] = now_ms() - begin;
	}
	if (r == 0) {
		qsort(ms, (size_t)times, sizeof(*ms), by_size);
		printf("%.3f %.3f\n", ms[0], ms[times / 2]);
	}
	free(ms);
	return r;
}

int main(int argc, char **argv)
{
	bool from_snapshot = false;
	int times = 0, c;

	while ((c = getopt(argc, argv, "+mt:")) != -1) {
		if (c == 'm')
			from_snapshot = true;
		else if (c == 't')
			times = atoi(optarg);
		else
			return 2;
	}
	if (argc - optind < 2) {
		fprintf(stderr, "usage: metawalk [-m] [-t N] FILE WHAT...\n");
		return 2;
	}
	argc -= optind + 1;
	argv += optind + 1;
	return times > 0 ? measure(times, argv[-1], from_snapshot, argc, argv)
			 : once(argv[-1], from_snapshot, argc, argv);
}
