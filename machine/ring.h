#ifndef IMG_MACHINE_RING_H
#define IMG_MACHINE_RING_H

/*
 * A stream of bytes through memory that two kernels share: one producer, one
 * consumer, no locks.
 *
 * The counters run freely modulo 2^32; head - tail is what is in the ring.
 * Each side writes only its own counter and never trusts the other's: a count
 * larger than the ring reads as an empty, or a full, one.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_BYTES (256u * 1024)

struct ring {
	_Atomic uint32_t head;	 /* producer: bytes ever put in */
	_Atomic uint32_t tail;	 /* consumer: bytes ever taken out */
	_Atomic uint32_t ended;	 /* producer: nothing follows */
	_Atomic uint32_t closed; /* consumer: nothing is wanted any more */
};

/* One side's view: the shared counters, and RING_BYTES of shared memory. */
struct ring_end {
	struct ring *ring;
	unsigned char *data;
};

/* The bytes that can be taken out, or room that can be filled, without a
 * break; returns how many, 0 for none. */
size_t ring_peek(const struct ring_end *end, const unsigned char **ret);
size_t ring_space(const struct ring_end *end, unsigned char **ret);

/* Takes out, or puts in, @n of the bytes that the above gave. */
void ring_consume(const struct ring_end *end, size_t n);
void ring_produce(const struct ring_end *end, size_t n);

/* True when the producer ended and all was taken out. */
bool ring_is_drained(const struct ring_end *end);

#endif
