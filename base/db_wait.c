#include "base/db_wait.h"

#include "base/clock.h"

#include <time.h>

#define NAP_MAX_NS ((int64_t)16 * 1000 * 1000)

int db_wait_turn(void *self, int tries)
{
	struct db_wait *wait = self;
	struct timespec nap = { 0 };

	if (tries == 0)
		wait->until_ms = clock_steady_ms() + wait->wait_ms;
	if (clock_steady_ms() >= wait->until_ms)
		return 0;
	nap.tv_nsec = (long)(clock_now_ns() % NAP_MAX_NS); /* by chance */
	(void)nanosleep(&nap, NULL);
	return 1;
}
