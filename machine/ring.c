#include "machine/ring.h"

_Static_assert((RING_BYTES & (RING_BYTES - 1)) == 0, "counters wrap");

static size_t until_wrap(uint32_t at, uint32_t n)
{
	uint32_t left = RING_BYTES - at % RING_BYTES;

	return n < left ? n : left;
}

static uint32_t filled(const struct ring_end *end)
{
	return atomic_load(&end->ring->head) - atomic_load(&end->ring->tail);
}

size_t ring_peek(const struct ring_end *end, const unsigned char **ret)
{
	uint32_t tail = atomic_load(&end->ring->tail), n = filled(end);

	if (n > RING_BYTES)
		return 0;
	*ret = end->data + tail % RING_BYTES;
	return until_wrap(tail, n);
}

size_t ring_space(const struct ring_end *end, unsigned char **ret)
{
	uint32_t head = atomic_load(&end->ring->head), n = filled(end);

	if (n > RING_BYTES)
		return 0;
	*ret = end->data + head % RING_BYTES;
	return until_wrap(head, RING_BYTES - n);
}

void ring_consume(const struct ring_end *end, size_t n)
{
	(void)atomic_fetch_add(&end->ring->tail, (uint32_t)n);
}

void ring_produce(const struct ring_end *end, size_t n)
{
	(void)atomic_fetch_add(&end->ring->head, (uint32_t)n);
}

bool ring_is_drained(const struct ring_end *end)
{
	/* ended is stored after the last byte: read it first */
	return atomic_load(&end->ring->ended) && filled(end) == 0;
}
