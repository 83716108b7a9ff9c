#ifndef IMG_BASE_ID_H
#define IMG_BASE_ID_H

/*
 * Identities: random, 64 hexadecimal digits, 12 of them shown.
 */
#include "base/err.h"

#include <stdbool.h>

#define ID_LEN	     64
#define ID_SHORT_LEN 12

struct id {
	char hex[ID_LEN + 1];
};

/* Fills @ret from the kernel's random numbers. */
int id_new(struct id *ret, struct img_err *err) IMG_MUST_USE;

/* True when @text could begin an id: 1 to 64 lower-case hex digits. */
bool id_is_prefix(const char *text);

#endif
