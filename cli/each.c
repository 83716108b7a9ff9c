#include "cli/each.h"

#include "base/cleanup.h"

int each_argument(const struct cli *cli, struct each *each, int argc,
		  char **argv, struct img_err *err)
{
	img_auto(store_close) struct store *store = NULL;
	int r = cli_open_store(cli, false, &store, err);

	if (r < 0)
		return r;
	each->store = store;
	for (int i = 0; i < argc; i++) {
		struct img_err one = { 0 };

		if (each->fn(each, argv[i], &one) >= 0)
			continue;
		(void)img_err_prefix(&one, "cannot %s %s", each->doing,
				     argv[i]);
		if (err->code)
			(void)fprintf(stderr, "img: %s\n", err->msg);
		*err = one;
	}
	return -(int)err->code;
}
