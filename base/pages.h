#ifndef IMG_BASE_PAGES_H
#define IMG_BASE_PAGES_H

/*
 * The pages of the program itself, and of files that it maps, in the embedded
 * kernel.
 *
 * There each page that a process touches for the first time costs some 45 us,
 * and a command that uses a store touches some hundred pages of code, data,
 * heap and stack.  The kernel can map them all in one go, at 2 us each.
 */
#include <stddef.h>

/* Where the embedded kernel's own programs are: there, and nowhere else. */
#define PAGES_MACHINE_BIN "/run/img-machine/bin"

/*
 * All of these are for a process with one thread, do nothing outside of the
 * embedded kernel, where a page costs next to nothing, and whatever of them
 * fails changes nothing but the time.
 */

/* The program and libc, with heap and stack: before much of them is used, and
 * once more in a child of fork(2), which begins with none but what was written
 * to. */
void pages_map_program(void);

/* What was written to, in the parent of that child: fork(2) has made all of it
 * read-only until it is written to again. */
void pages_map_data(void);

/* Part of a file, mapped by mmap(2) to be read and written, and shared. */
void pages_map_file(void *from, size_t bytes);

/* A library that has been loaded, by its file's name. */
void pages_map_library(const char *name);

#endif
