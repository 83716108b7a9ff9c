#ifndef IMG_STORAGE_HOLDER_H
#define IMG_STORAGE_HOLDER_H

/*
 * Who keeps a block device busy, for a message: a process that has it open, or
 * one in whose mount namespace it is mounted.
 */
#include <stdbool.h>
#include <sys/types.h>

#define HOLDER_TEXT_MAX 80

/* "open in sleep (process 123)"; false where nobody can be seen.  Reads all of
 * /proc: for when something has failed. */
bool holder_find(dev_t dev, char out[HOLDER_TEXT_MAX]);

#endif
