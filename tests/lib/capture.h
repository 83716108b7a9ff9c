#ifndef IMG_TESTS_LIB_CAPTURE_H
#define IMG_TESTS_LIB_CAPTURE_H

/*
 * What a function prints on stdout, as a string.
 */

/* From here on stdout goes to memory. */
void capture_begin(void);
/* Until here: what came is the caller's, NUL-terminated. */
char *capture_end(void);

#endif
