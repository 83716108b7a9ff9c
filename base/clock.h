#ifndef IMG_BASE_CLOCK_H
#define IMG_BASE_CLOCK_H

/*
 * The clocks.  The wall clock is what the catalog and the ledger hold, and may
 * be set while we look; whoever waits or measures takes the steady one.
 */
#include <stdint.h>

/* Nanoseconds since the epoch. */
int64_t clock_now_ns(void);

/* Since some moment in the past, never backwards: only differences say
 * anything. */
int64_t clock_steady_us(void);
int64_t clock_steady_ms(void);

#endif
