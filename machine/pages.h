#ifndef IMG_MACHINE_PAGES_H
#define IMG_MACHINE_PAGES_H

/*
 * The pages of the program itself, in the embedded kernel.
 *
 * There each page that a process touches for the first time costs two changes
 * between it and the kernel, of some 25 us each; and a command that uses a
 * store touches some hundred pages of code.  The kernel can map them all in one
 * go, which saves a quarter of such a command's time.
 */

/**
 * pages_map_program - map the code of the program and its main libraries
 *
 * For a process with one thread that is about to use much of it.  Does nothing
 * outside of the embedded kernel, where a page costs next to nothing; any
 * failure changes nothing but the time.
 */
void pages_map_program(void);

#endif
