#ifndef IMG_TESTS_LIB_FAULT_H
#define IMG_TESTS_LIB_FAULT_H

/*
 * Faults on demand, for whatever changes the world outside of a process.
 *
 * Each such change is a step: a call of the fake device-mapper, and every
 * pwrite, ftruncate, rename, fsync and fdatasync of the program and of SQLite,
 * whose C library calls are replaced here by ones that count.  The n-th step
 * from when a fault was armed fails, or the process ends right before it, as
 * if by SIGKILL.  Real syncs are left out: no test cuts the power of this
 * machine, and they would take most of the time.  What a power cut could take
 * back is known all the same.
 */
#include <stdbool.h>

enum fault {
	FAULT_FAIL, /* the step does nothing and fails with EIO */
	FAULT_KILL, /* the process ends with status FAULT_KILLED */
};

#define FAULT_KILLED 77

/* Arms a fault for the @n-th step from now; 0 only counts. */
void fault_arm(enum fault fault, unsigned n);
/* Returns how many steps there were since fault_arm. */
unsigned fault_disarm(void);

/* Called by a step before it acts: true when it has to fail. */
bool fault_is_due(void);

/* True when this process has synced all that it wrote to a log of SQLite's. */
bool fault_log_is_synced(void);

/* What the fakes do for themselves is no step. */
void fault_pause(void);
void fault_go_on(void);

#endif
