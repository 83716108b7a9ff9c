#ifndef IMG_TESTS_MADE_CONTAINER_H
#define IMG_TESTS_MADE_CONTAINER_H

/*
 * Containers of the catalog that never ran: their ids are one letter, their
 * image is "debian".
 */
#include "cli/container.h"
#include "tests/lib/temp_store.h"

/* A row with a volume of its own, for container_insert; nobody has to release
 * it.  It was made at the time @letter. */
struct container_row made_container_row(struct store *store, char letter,
					const char *name);
/* The same, inserted. */
struct container_row made_container(struct store *store, char letter,
				    const char *name);

/* It is there; the caller releases it. */
void made_container_find(struct store *store, const char *ref,
			 struct container_row *ret);
/* It is not, and that is said like this. */
void assert_no_container(struct store *store, const char *ref,
			 enum img_code code, const char *message);

#endif
