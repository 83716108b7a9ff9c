#ifndef IMG_MACHINE_PROCESSOR_H
#define IMG_MACHINE_PROCESSOR_H

/*
 * The processor of a machine.
 *
 * linux.uml is one processor made of several processes that take turns: each
 * system call and each page fault in it wakes another of them.  On two
 * processors of the host that wakes an idle one each time, and takes more than
 * twice as long.
 */

/**
 * processor_settle - have the calling process, and its children, on one of the
 * processors that it may use
 *
 * On one that no other machine has, where there is such a one, else on the one
 * that it is on.  Returns a descriptor (close-on-exec, the caller's) that has
 * the processor for as long as it is open, or -1 where it is shared.
 */
int processor_settle(void);

#endif
