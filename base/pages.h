#ifndef IMG_BASE_PAGES_H
#define IMG_BASE_PAGES_H

/*
 * The pages of the program itself, in the embedded kernel.
 *
 * There each page that a process touches for the first time costs two changes
 * between it and the kernel, of some 50 us each; and a command that uses a
 * store touches some hundred pages of code, data, heap and stack.  The kernel
 * can map them all in one go, at 2 us each.
 */

/* Where the embedded kernel's own programs are: there, and nowhere else. */
#define PAGES_MACHINE_BIN "/run/img-machine/bin"

/**
 * pages_map_program - map the pages of the program and its main libraries
 *
 * For a process with one thread that is about to use much of them; and once
 * more for its child, of fork(2), which begins with none but what was written
 * to.  Does nothing outside of the embedded kernel, where a page costs next to
 * nothing; any failure changes nothing but the time.
 */
void pages_map_program(void);

#endif
