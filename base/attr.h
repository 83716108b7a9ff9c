#ifndef IMG_BASE_ATTR_H
#define IMG_BASE_ATTR_H

/* What the compiler is asked to check, by short names. */
#define IMG_MUST_USE	      __attribute__((warn_unused_result))
#define IMG_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define IMG_NONNULL(...)      __attribute__((nonnull(__VA_ARGS__)))

/* Drops a result that must be used; say why beside it.  gcc does not take a
 * cast to void for an answer. */
#define IMG_IGNORE(call) ((void)!(call))

#define IMG_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
