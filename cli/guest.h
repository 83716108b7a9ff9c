#ifndef IMG_CLI_GUEST_H
#define IMG_CLI_GUEST_H

/*
 * img as the first process of the embedded kernel: machine/ does the work,
 * this hands it the store to stop before the power goes.
 */
#include <stdbool.h>

bool guest_is_init(int argc, char **argv);
/* Exit status for main; does not return while the kernel runs. */
int guest_main(int argc, char **argv);

#endif
