#ifndef IMG_RUNTIME_CGROUP_FILE_H
#define IMG_RUNTIME_CGROUP_FILE_H

/*
 * The files of a cgroup: short texts, each written by one call and read by
 * one.  Source: the kernel's Documentation/admin-guide/cgroup-v2.rst.
 *
 * A directory is given as a descriptor, which O_PATH is enough for.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What "max" is read as. */
#define CGROUP_MAX UINT64_MAX
/* Room for any file but the lists of processes. */
#define CGROUP_TEXT_MAX 4096

/* IMG_E_NOT_FOUND where the file is missing: its controller is not there, or
 * the whole cgroup is gone, which is told as the end of its container. */
int cgroup_write(int dir, const char *file, const char *text,
		 struct img_err *err) IMG_MUST_USE;

/* Reads at most @size - 1 bytes, NUL-terminated; IMG_E_NOT_FOUND as above. */
int cgroup_read(int dir, const char *file, char *out, size_t size,
		struct img_err *err) IMG_MUST_USE;

/* A file that holds one number, or "max". */
int cgroup_read_number(int dir, const char *file, uint64_t *ret,
		       struct img_err *err) IMG_MUST_USE;

/* The number after "KEY " at the start of a line; false where there is none. */
bool cgroup_find_key(const char *text, const char *key, uint64_t *ret);

/* How long what was killed may take to be gone, and what is frozen to stand
 * still. */
#define CGROUP_PATIENCE_MS 10000

/* Waits until cgroup.events has @wanted for a key; false where that takes
 * longer than CGROUP_PATIENCE_MS, or cannot be read. */
bool cgroup_await(int dir, const char *key, uint64_t wanted);

/* Whether a list of words, as cgroup.controllers has them, holds one. */
bool cgroup_has_word(const char *text, const char *word);

#endif
