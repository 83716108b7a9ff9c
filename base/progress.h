#ifndef IMG_BASE_PROGRESS_H
#define IMG_BASE_PROGRESS_H

/*
 * How long work tells its caller how far it is, and learns that it should
 * stop.  Modules report; only cli/ draws.
 */
#include <stdbool.h>
#include <stdint.h>

struct progress {
	/* Called now and then; must be cheap.  @total is 0 while unknown. */
	void (*update)(void *self, uint64_t done_bytes, uint64_t total_bytes);
	/* True once the user asked to stop; the work then fails with
	 * IMG_E_INTERRUPTED and undoes itself. */
	bool (*stopped)(void *self);
	void *self;
};

/* Both accept a NULL @p, or one with an empty function. */
static inline void progress_update(const struct progress *p, uint64_t done,
				   uint64_t total)
{
	if (p && p->update)
		p->update(p->self, done, total);
}

static inline bool progress_is_stopped(const struct progress *p)
{
	return p && p->stopped && p->stopped(p->self);
}

#endif
