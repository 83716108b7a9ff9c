#ifndef IMG_BASE_CLOCK_H
#define IMG_BASE_CLOCK_H

/* The wall clock, as the catalog and the ledger hold it. */
#include <stdint.h>

/* Nanoseconds since the epoch. */
int64_t clock_now_ns(void);

#endif
