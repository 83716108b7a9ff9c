#include "cli/container.h"
#include "cli/verb.h"
#include "image/adopt.h"

struct store_options cli_store_options(const struct cli *cli)
{
	return (struct store_options){
		.root = cli->root,
		.run_root = cli->run_root,
		.run_ended = container_run_ended,
		.adopt = image_adopt,
		.vanished = container_vanished,
		.grow = container_grow,
		.swept = container_dirs_sweep,
	};
}

int cli_open_store(const struct cli *cli, bool create, struct store **ret,
		   struct img_err *err)
{
	struct store_options options = cli_store_options(cli);

	options.create = create;
	return store_open(&options, ret, err);
}

int cli_open_container(const struct cli *cli, const char *ref,
		       struct store **ret_store, struct container_row *ret,
		       struct img_err *err)
{
	int r = cli_open_store(cli, false, ret_store, err);

	return r < 0 ? r : container_find(*ret_store, ref, ret, err);
}

int cli_open_store_to_examine(const struct cli *cli, struct store **ret,
			      struct img_err *err)
{
	struct store_options options = cli_store_options(cli);

	options.examine = true;
	return store_open(&options, ret, err);
}
