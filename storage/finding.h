#ifndef IMG_STORAGE_FINDING_H
#define IMG_STORAGE_FINDING_H

/*
 * What an examination of a store finds: one thing that is wrong, and what
 * mends it.
 */
#include "storage/store.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct finding {
	const char *kind; /* "orphan"; for programs, never changes */
	char object[96];  /* "volume 17" */
	char text[360];	  /* what is wrong with it */
	char remedy[360]; /* what mends it */
	bool certain;	  /* not the work of a moment: one look is enough */
	/* Mends it, and must see for itself that it is still so; NULL: a
	 * person has to do what the remedy says. */
	int (*mend)(struct store *store, const struct finding *finding,
		    struct img_err *err);
	/* For mend. */
	uint64_t number, bytes;
	char *name;
};

/* Zero-initialise. */
struct findings {
	struct finding *all;
	size_t n, room;
};

/* Adds one, whose texts are still to be set; valid until the next add. */
struct finding *findings_add(struct findings *findings, const char *kind);
void finding_object(struct finding *finding, const char *fmt, ...)
	IMG_PRINTF(2, 3);
void finding_text(struct finding *finding, const char *fmt, ...)
	IMG_PRINTF(2, 3);
void finding_remedy(struct finding *finding, const char *fmt, ...)
	IMG_PRINTF(2, 3);

/* True when @findings has one of the same kind about the same object. */
bool findings_has(const struct findings *findings, const struct finding *like);
void findings_release(struct findings *findings);

#endif
