#ifndef IMG_MACHINE_JOB_H
#define IMG_MACHINE_JOB_H

/*
 * The job: what the host half tells the guest half to do, as bytes.
 *
 * Written and read by the same program in one boot, so the format is free to
 * change: a magic, then each field in the order below; numbers are 8 bytes,
 * strings a number and their bytes, lists a number and their strings.
 */
#include "base/err.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

struct job {
	char **argv;   /* NULL-terminated, at least one */
	char **env;    /* NULL-terminated, NAME=VALUE */
	char **shares; /* NULL-terminated, absolute */
	char *cwd;     /* absolute */
	char *hostname;
	char *program; /* file of img itself */
	char *state;   /* the state disk's file on the host, for messages */
	uint64_t umask;
	uint64_t open_files_soft, open_files_hard; /* RLIMIT_NOFILE */
	uint64_t terminal; /* JOB_TTY_*: which streams are one terminal */
};

#define JOB_TTY_MAIN   1u /* stdin and stdout */
#define JOB_TTY_STDERR 2u /* stderr as well */

void job_encode(const struct job *job, struct str *ret);

/**
 * job_decode - the opposite
 * @bytes: @size of them, from job_encode
 *
 * Every string and list of *ret is on the heap, for job_release.  IMG_E_CORRUPT
 * where the bytes are not a whole job; *ret is then untouched.
 */
int job_decode(const char *bytes, size_t size, struct job *ret,
	       struct img_err *err) IMG_MUST_USE;

/* Only for a job that job_decode filled. */
void job_release(struct job *job);

#endif
