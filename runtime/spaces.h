#ifndef IMG_RUNTIME_SPACES_H
#define IMG_RUNTIME_SPACES_H

/*
 * Which namespaces a container has for itself, and which it shares: with the
 * host, or with a container that runs.
 *
 * Who shares with a container that has ids of its own has the same ids: its
 * user namespace is joined first, since what it owns is closed to any other.
 * The network is one of them: a container without another's has the loopback
 * device alone.
 */
#include "base/err.h"
#include "runtime/userns.h"

#include <stdbool.h>

enum space_kind {
	SPACE_OWN,
	SPACE_HOST,
	SPACE_JOIN, /* another container's */
};

struct space {
	enum space_kind kind;
	int pidfd; /* of the other container's first process; borrowed */
};

/* Zero-initialised: all for itself. */
struct spaces {
	struct space net, pid, ipc, uts, cgroup;
	bool no_shm;	/* there is no /dev/shm */
	bool has_users; /* another container's user namespace is joined: */
	int users_pidfd;
};

/* What the child brings along on its way in.  -1: nothing. */
struct spaces_brought {
	int proc; /* a /proc, attached nowhere */
	int shm;  /* the other container's /dev/shm, likewise */
};
#define SPACES_BROUGHT_NONE ((struct spaces_brought){ .proc = -1, .shm = -1 })

/* Flags of clone(2) for the first process; @own_users: with a user namespace
 * that is made for it. */
unsigned int spaces_flags(const struct spaces *spaces, bool own_users);

/**
 * spaces_begin_clone - let children be in another container's processes
 * @ret: to give to spaces_end_clone, -1 where nothing has to be undone
 */
int spaces_begin_clone(const struct spaces *spaces, int *ret,
		       struct img_err *err) IMG_MUST_USE;
void spaces_end_clone(int *saved);

/**
 * spaces_enter - for the child: take what is shared, make the rest
 *
 * What spaces_flags could not make is made here.  With has_users the process
 * is the root of that user namespace afterwards.
 */
int spaces_enter(const struct spaces *spaces, struct spaces_brought *ret,
		 struct img_err *err) IMG_MUST_USE;

/**
 * spaces_users_of - the user namespace of a process
 * @ret_ids: where its ids begin; zero for the host's
 * @ret_ns: the namespace, or NULL; the caller closes it
 */
int spaces_users_of(int pidfd, struct userns *ret_ids, int *ret_ns,
		    struct img_err *err) IMG_MUST_USE;

#endif
