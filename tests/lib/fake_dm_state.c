#include "tests/lib/fake_dm.h"

#include "tests/lib/fake_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

/*
 * The test's side of the fake: making it, looking at it.
 */

struct fake_dm *fake_dm_new(const char *dir)
{
	struct fake_dm *f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	pthread_mutexattr_t attr;

	assert_true(f != MAP_FAILED);
	assert_int_equal(pthread_mutexattr_init(&attr), 0);
	assert_int_equal(
		pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED), 0);
	assert_int_equal(
		pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST), 0);
	assert_int_equal(pthread_mutex_init(&f->lock, &attr), 0);
	assert_true(strlen(dir) < sizeof(f->dir));
	(void)snprintf(f->dir, sizeof(f->dir), "%s", dir);
	return f;
}

void fake_dm_free(struct fake_dm *fake)
{
	assert_int_equal(munmap(fake, sizeof(*fake)), 0);
}

void fake_dm_reboot(struct fake_dm *fake)
{
	memset(fake->device, 0, sizeof(fake->device));
	fake->loops = 0;
}

struct fake_device *fake_dm_find(struct fake_dm *fake, const char *what)
{
	for (size_t i = 0; i < FAKE_DM_DEVICES; i++) {
		const char *dash = strrchr(fake->device[i].name, '-');

		if (fake->device[i].exists && dash &&
		    strcmp(dash + 1, what) == 0)
			return &fake->device[i];
	}
	return NULL;
}

size_t fake_dm_count_devices(const struct fake_dm *fake)
{
	size_t n = 0;

	for (size_t i = 0; i < FAKE_DM_DEVICES; i++)
		n += fake->device[i].exists;
	return n;
}

void fake_dm_check(const struct fake_dm *fake)
{
	assert_string_equal(fake->violation, "");
	for (size_t i = 0; i < FAKE_DM_DEVICES; i++) {
		const struct fake_device *d = &fake->device[i];

		if (d->exists && (d->suspended || !d->target[0]))
			fail_msg("%s was left %s", d->name,
				 d->suspended ? "suspended" : "half-made");
	}
}
