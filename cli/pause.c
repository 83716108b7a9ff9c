#include "base/cleanup.h"
#include "cli/container_cgroup.h"
#include "cli/each.h"
#include "cli/event.h"
#include "runtime/cgroup_state.h"

static int change(const struct each *each, const char *ref, bool pause,
		  struct img_err *err)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	img_auto(img_fd_release) int cgroup = -1;
	int r = container_find(each->store, ref, &row, err);

	if (r == 0)
		r = container_cgroup_need(each->store, &row, &cgroup, err);
	if (r == 0)
		r = cgroup_is_frozen(cgroup, err);
	if (r < 0)
		return r;
	if (pause == (r > 0))
		return img_err_set(err, IMG_E_BUSY, 0,
				   pause ? "it is paused already"
					 : "it is not paused");
	r = cgroup_freeze(cgroup, pause, err);
	if (r == 0)
		event_write(each->store, pause ? "pause" : "unpause", &row);
	if (r == 0)
		(void)printf("%s\n", ref);
	return r;
}

static int pause_one(const struct each *each, const char *ref,
		     struct img_err *err)
{
	return change(each, ref, true, err);
}

static int unpause_one(const struct each *each, const char *ref,
		       struct img_err *err)
{
	return change(each, ref, false, err);
}

static int run_pause(const struct cli *cli, void *values, int argc, char **argv,
		     struct img_err *err)
{
	struct each each = { .doing = "pause", .fn = pause_one };

	return each_argument(cli, &each, argc, argv, err);
}

static int run_unpause(const struct cli *cli, void *values, int argc,
		       char **argv, struct img_err *err)
{
	struct each each = { .doing = "unpause", .fn = unpause_one };

	return each_argument(cli, &each, argc, argv, err);
}

const struct verb verb_pause = {
	.name = "pause",
	.arguments = "CONTAINER [CONTAINER...]",
	.summary = "Stop all processes of containers where they are",
	.description =
		"Nothing in them runs until 'img unpause': they use memory, but "
		"no processor. They feel\nnothing of it, and signals wait; KILL "
		"does not.",
	.min_args = 1,
	.max_args = -1,
	.run = run_pause,
};

const struct verb verb_unpause = {
	.name = "unpause",
	.arguments = "CONTAINER [CONTAINER...]",
	.summary = "Let the processes of paused containers go on",
	.min_args = 1,
	.max_args = -1,
	.run = run_unpause,
};
