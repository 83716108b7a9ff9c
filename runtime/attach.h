#ifndef IMG_RUNTIME_ATTACH_H
#define IMG_RUNTIME_ATTACH_H

/*
 * Between a monitor and who is attached to its container: a unix socket of
 * packets (SOCK_SEQPACKET), each one kind and its content.
 *
 * The monitor lets go of the sockets with its end, when all about the
 * container is settled: what comes before says only how it ended.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum attach_kind {
	/* to the monitor */
	ATTACH_INPUT = 'i',
	ATTACH_INPUT_END = 'e',
	ATTACH_SIZE = 'w', /* struct attach_size */
	/* from the monitor */
	ATTACH_STDOUT = 'o',
	ATTACH_STDERR = 'r',
	ATTACH_STATUS = 'x', /* one byte */
};

struct attach_size {
	uint16_t rows, columns;
};

#define ATTACH_DATA_MAX	  ((size_t)16 * 1024)
#define ATTACH_PACKET_MAX (1 + ATTACH_DATA_MAX)

/* A socket at a path of any length, which nobody but this user may use; what
 * a dead monitor left there goes. */
int attach_listen(const char *path, int *ret, struct img_err *err) IMG_MUST_USE;
/* IMG_E_NOT_FOUND where nobody listens. */
int attach_connect(const char *path, int *ret,
		   struct img_err *err) IMG_MUST_USE;

#define ATTACH_KEYS_MAX	    16
#define ATTACH_KEYS_DEFAULT "ctrl-p,ctrl-q"

struct attach_options {
	bool with_stdin, with_stdout, with_stderr;
	bool tty; /* the container has a terminal */
	bool forward_signals;
	int pidfd; /* of the container's first process; for those */
	/* What leaves, as the bytes that are typed; none: nothing does. */
	char detach_keys[ATTACH_KEYS_MAX];
	size_t n_detach_keys;
};

/**
 * attach_parse_keys - "ctrl-p,ctrl-q" or "a,ctrl-]" as the bytes they send
 * @text: NULL or "": the default
 *
 * Returns 0, or IMG_E_INPUT.
 */
int attach_parse_keys(const char *text, struct attach_options *ret,
		      struct img_err *err) IMG_MUST_USE;

enum attach_end {
	ATTACH_ENDED,	 /* the container has; its status is known */
	ATTACH_DETACHED, /* by its keys */
	ATTACH_LOST,	 /* the monitor went without a word */
};

/**
 * attach_run - carry the standard streams to and fro
 * @socket: to a monitor; borrowed
 * @ret_status: of the container, where it ended
 *
 * A terminal on stdin is raw meanwhile if the container has one, and restored
 * in every case.
 */
int attach_run(int socket, const struct attach_options *options,
	       enum attach_end *ret, int *ret_status,
	       struct img_err *err) IMG_MUST_USE;

#endif
