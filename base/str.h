#ifndef IMG_BASE_STR_H
#define IMG_BASE_STR_H

/*
 * A string that grows.  Always NUL-terminated once something was added.
 * Running out of memory ends the program: these strings are small and there
 * is nothing better to do.
 */
#include "base/attr.h"

#include <stddef.h>

struct str {
	char *s; /* NULL while empty; never NULL after the first add */
	size_t len, cap;
};

void str_add(struct str *str, const char *text) IMG_NONNULL(1, 2);
void str_addn(struct str *str, const char *bytes, size_t len) IMG_NONNULL(1);
void str_addf(struct str *str, const char *fmt, ...) IMG_PRINTF(2, 3)
	IMG_NONNULL(1);
void str_release(struct str *str) IMG_NONNULL(1);
/* Hands the heap string on (never NULL) and leaves @str empty. */
char *str_take(struct str *str) IMG_NONNULL(1);

/* malloc and friends that end the program instead of returning NULL. */
void *mem_alloc(size_t size) IMG_MUST_USE;
void *mem_zalloc(size_t size) IMG_MUST_USE;
void *mem_realloc(void *old, size_t size) IMG_MUST_USE;
char *mem_strdup(const char *s) IMG_MUST_USE IMG_NONNULL(1);
char *mem_printf(const char *fmt, ...) IMG_PRINTF(1, 2) IMG_MUST_USE;

#endif
