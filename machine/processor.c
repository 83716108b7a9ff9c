#include "machine/processor.h"

#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A name that one process at a time can have, and that ends with it: an
 * abstract address.  Anybody can take them all, to no other harm than time. */
static int claim(int processor)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int n = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1,
			 "img-machine/processor/%d", processor);

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&address,
		 (socklen_t)offsetof(struct sockaddr_un, sun_path) + 1 +
			 (socklen_t)n) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static void move_to(int processor)
{
	cpu_set_t only;

	CPU_ZERO(&only);
	CPU_SET((size_t)processor, &only);
	(void)sched_setaffinity(0, sizeof(only), &only);
}

int processor_settle(void)
{
	cpu_set_t allowed;
	int here, fd = -1;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0 ||
	    CPU_COUNT(&allowed) < 2)
		return -1;
	here = sched_getcpu();
	for (int i = 0; i < CPU_SETSIZE && fd < 0; i++) {
		int processor = (here + i) % CPU_SETSIZE;

		if (!CPU_ISSET((size_t)processor, &allowed))
			continue;
		fd = claim(processor);
		if (fd >= 0)
			here = processor;
	}
	move_to(here);
	return fd;
}
