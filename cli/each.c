#include "cli/each.h"

#include "base/cleanup.h"

void each_failed(struct img_err *err, const struct img_err *one)
{
	if (err->code)
		(void)cli_complain(err, 0);
	*err = *one;
}

int each_name(const struct cli *cli, struct each *each, int argc, char **argv,
	      struct img_err *err)
{
	each->cli = cli;
	for (int i = 0; i < argc; i++) {
		struct img_err one = { 0 };

		if (each->fn(each, argv[i], &one) >= 0)
			continue;
		(void)img_err_prefix(&one, "cannot %s %s", each->doing,
				     argv[i]);
		each_failed(err, &one);
	}
	return -(int)err->code;
}

int each_argument(const struct cli *cli, struct each *each, int argc,
		  char **argv, struct img_err *err)
{
	img_auto(store_close) struct store *store = NULL;
	int r = cli_open_store(cli, false, &store, err);

	each->store = store;
	return r < 0 ? r : each_name(cli, each, argc, argv, err);
}
