#ifndef IMG_TESTS_LIB_EXAMINING_H
#define IMG_TESTS_LIB_EXAMINING_H

/*
 * A store that is looked into, as `img doctor` does it.
 */
#include "storage/examine.h"
#include "tests/lib/temp_store.h"

struct store *examining_open(struct temp_store *t);

/* The same with two volumes: 1 is an image's, a:1; 2 is whole and of nobody
 * storage/ knows. */
struct store *examining_begin(struct temp_store *t);

/* All that there is to be found. */
void examining_look(struct store *store, struct findings *ret);

/* A line for each, "kind: object"; the caller frees it. */
char *examining_list(const struct findings *findings);

void examining_assert_well(struct store *store);

/* Finds just that; mends it, and then all is well. */
void examining_find_and_mend(struct store *store, const char *expect);

void examining_run_sql(struct store *store, const char *sql);

#endif
