#include "base/lock_order.h"

#ifdef IMG_CHECK_LOCKS

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define HELD_MAX 16

static struct held {
	uintptr_t owner;
	uint64_t rank;
	const char *name; /* NULL: free */
} held[HELD_MAX];

static void __attribute__((noreturn))
broken(const char *held_name, const char *how, const char *what)
{
	(void)fprintf(stderr, "lock order: %s is held, and then %s %s\n",
		      held_name, how, what);
	abort();
}

static struct held *find(uintptr_t owner, uint64_t rank)
{
	for (size_t i = 0; i < HELD_MAX; i++)
		if (held[i].name && held[i].owner == owner &&
		    held[i].rank == rank)
			return &held[i];
	return NULL;
}

void lock_order_take(uintptr_t owner, uint64_t rank, const char *name)
{
	if (find(owner, rank))
		return;
	for (size_t i = 0; i < HELD_MAX; i++)
		if (held[i].name && held[i].rank >= rank)
			broken(held[i].name, "waited for is", name);
	for (size_t i = 0; i < HELD_MAX; i++)
		if (!held[i].name) {
			held[i] = (struct held){ owner, rank, name };
			return;
		}
	broken("every place for a lock", "taken is", name);
}

void lock_order_drop(uintptr_t owner, uint64_t rank)
{
	struct held *h = find(owner, rank);

	if (h)
		h->name = NULL;
}

void lock_order_forget(uintptr_t owner)
{
	for (size_t i = 0; i < HELD_MAX; i++)
		if (held[i].owner == owner)
			held[i].name = NULL;
}

void lock_order_none(const char *doing)
{
	for (size_t i = 0; i < HELD_MAX; i++)
		if (held[i].name)
			broken(held[i].name, "begun is to", doing);
}

#endif
