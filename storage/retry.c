#include "storage/retry.h"

#include <time.h>

#define STEP_MS 5

int retry_while_busy(retry_fn *fn, void *arg, int wait_ms, struct img_err *err)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };

	for (int waited_ms = 0;; waited_ms += STEP_MS) {
		struct img_err busy = { 0 };
		int r = fn(arg, &busy);

		if (r != -IMG_E_BUSY || waited_ms >= wait_ms) {
			if (r < 0)
				*err = busy;
			return r;
		}
		(void)nanosleep(&step, NULL); /* a signal only hurries it */
	}
}
