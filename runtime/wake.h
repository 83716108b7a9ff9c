#ifndef IMG_RUNTIME_WAKE_H
#define IMG_RUNTIME_WAKE_H

/*
 * What wakes a supervisor: signals, and whatever else its caller looks after
 * meanwhile (struct container_watch).  Without the latter it is the signalfd
 * itself, so a supervisor that only waits pays for nothing more.
 */
#include "base/err.h"
#include "runtime/container.h"

struct wake {
	int fd; /* readable when wake_look has something to do */
	int signals;
	int epoll, timer; /* -1: there is none */
	struct container_watch *watch;
};

/* @signals: a signalfd; borrowed, like @watch, which may be NULL. */
int wake_init(struct wake *wake, int signals, struct container_watch *watch,
	      struct img_err *err) IMG_MUST_USE;
void wake_release(struct wake *wake);

/* Waits for one event and sees to it, unless it is a signal: 1 when signals
 * can be read, 0 when not. */
int wake_look(struct wake *wake, struct img_err *err) IMG_MUST_USE;

#endif
