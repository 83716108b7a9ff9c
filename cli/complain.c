#include "cli/verb.h"

int cli_complain(const struct img_err *err, int status)
{
	(void)fprintf(stderr, "img: %s\n", err->msg);
	return status;
}
