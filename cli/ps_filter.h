#ifndef IMG_CLI_PS_FILTER_H
#define IMG_CLI_PS_FILTER_H

/*
 * --filter of `ps`: of one kind any may match, of different kinds all must;
 * labels all must.
 */
#include "cli/container.h"
#include "cli/options.h"

struct ps_filter; /* an array, ended by one without a kind */

/* Returns 0, or IMG_E_INPUT that names the filter; before= and since= name a
 * container that is looked up now. */
int ps_filter_read(struct store *store, const struct text_list *texts,
		   struct ps_filter **ret, struct img_err *err) IMG_MUST_USE;
void ps_filter_free(struct ps_filter **filters);

/* Whether there is one that asks for a state: stopped ones are looked at. */
bool ps_filter_wants_all(const struct ps_filter *filters);

/* 1 when the container is to be shown, 0 when not. */
int ps_filter_match(const struct ps_filter *filters, struct store *store,
		    const struct container_row *row, const char *state,
		    struct img_err *err);

#endif
