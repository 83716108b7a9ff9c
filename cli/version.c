#include "cli/verb.h"

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	(void)printf("img %s\n", IMG_VERSION);
	return 0;
}

const struct verb verb_version = {
	.name = "version",
	.arguments = "",
	.summary = "Show the version",
	.run = run,
};
