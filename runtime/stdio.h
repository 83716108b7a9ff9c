#ifndef IMG_RUNTIME_STDIO_H
#define IMG_RUNTIME_STDIO_H

/*
 * The standard streams that a command is given from outside.
 */

/**
 * stdio_unlock - let everybody who has a pipe open it once more
 *
 * Programs open /dev/stdout and /dev/stderr by name, which asks for the
 * permissions of what is behind it; a container's users own nothing of the
 * host.  A pipe without a name is reached by those alone who have it, so it
 * can permit everything.  Files and terminals of the host stay as they are.
 */
void stdio_unlock(void);

#endif
