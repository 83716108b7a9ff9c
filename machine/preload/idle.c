/*
 * A timer_gettime() for linux.uml, which asks in one place alone: its idle
 * loop, before it sleeps until the timer's signal.
 *
 * Now and then, under load, User-Mode Linux 6.1 loses a tick: the timer has
 * gone off, nobody took the interrupt, and nothing arms it again.  The idle
 * loop then does not sleep (it sees a timer that will never wake it) and no
 * time-out ever ends: the machine stands still at full speed.  Here a timer
 * that is not armed is armed for a moment from now.  One tick too many is
 * nothing to the kernel, which looks at its clock and arms the timer anew.
 *
 * Built alone into a shared object, and preloaded into linux.uml only.
 */
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WAKE_NS 10000000L

int timer_gettime(timer_t id, struct itimerspec *value)
{
	/* The C library's id is the kernel's, but for timers with threads. */
	const int number = (int)(intptr_t)id;

	if (syscall(SYS_timer_gettime, number, value) != 0)
		return -1;
	if (value->it_value.tv_sec != 0 || value->it_value.tv_nsec != 0)
		return 0;
	*value = (struct itimerspec){ .it_value.tv_nsec = WAKE_NS };
	return (int)syscall(SYS_timer_settime, number, 0, value, NULL);
}
