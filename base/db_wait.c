#include "base/db_wait.h"

#include "base/clock.h"

#include <time.h>

#define NAP_NS	   ((int64_t)16 * 1000 * 1000)
#define NAP_GROWTH 8 /* tries, after which a nap may be as much longer */
#define NAP_MAX_NS ((int64_t)100 * 1000 * 1000)

int db_wait_turn(void *self, int tries)
{
	struct db_wait *wait = self;
	struct timespec nap = { 0 };
	int64_t most = NAP_NS * (1 + tries / NAP_GROWTH);

	if (tries == 0)
		wait->until_ms = clock_steady_ms() + wait->wait_ms;
	if (clock_steady_ms() >= wait->until_ms)
		return 0;
	if (most > NAP_MAX_NS)
		most = NAP_MAX_NS;
	nap.tv_nsec = (long)(clock_now_ns() % most); /* by chance */
	(void)nanosleep(&nap, NULL);
	return 1;
}
