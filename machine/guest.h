#ifndef IMG_MACHINE_GUEST_H
#define IMG_MACHINE_GUEST_H

/*
 * The guest half, as pid 1: what it does one after the other.
 */
#include "base/err.h"
#include "base/pages.h"
#include "machine/channel.h"
#include "machine/job.h"

/* Made in the guest's /run. */
#define GUEST_RUN_DIR  "/run/img-machine"
#define GUEST_BIN_DIR  PAGES_MACHINE_BIN /* first in PATH: img itself */
#define GUEST_MODPROBE GUEST_RUN_DIR "/modprobe"

/**
 * guest_mount - lay out the guest's file systems
 *
 * proc, sys, dev with pts, shm and mqueue, and cgroup2 are the guest's own, as
 * is an empty /run.  /tmp shows the host's files; what is written there stays
 * in the guest.  Then what is shared, at its own path; the working directory,
 * should all this have hidden it; and the state disk.
 */
int guest_mount(const struct job *job, struct img_err *err) IMG_MUST_USE;

/* Host name, loopback device, limits, modules and how to get more of them. */
int guest_prepare(const struct job *job, struct img_err *err) IMG_MUST_USE;

/**
 * guest_run - run the command to its end, and its processes with it
 * @ret_status: its exit status, or 128+N for signal N; where it cannot be
 * executed, 126 or 127 beside the error
 *
 * All other processes are killed when the command ends; what it wrote has
 * reached the channel when this returns.
 */
int guest_run(const struct job *job, const struct channel *channel,
	      int *ret_status, struct img_err *err) IMG_MUST_USE;

/**
 * guest_unmount - bring everything to the host's disks
 *
 * The state disk's blocks that were freed have been given back to the host,
 * and it is unmounted; where something keeps it busy, it is frozen in a
 * consistent state instead.
 * Fails with IMG_E_CORRUPT if writing to it failed at any time.
 */
int guest_unmount(const struct job *job, struct img_err *err) IMG_MUST_USE;

#endif
