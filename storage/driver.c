#include "storage/driver.h"

#include <string.h>

const struct driver *driver_find(const char *name)
{
	static const struct driver *const drivers[] = { &driver_thin,
							&driver_snapshot };

	for (size_t i = 0; i < IMG_COUNT(drivers); i++)
		if (strcmp(drivers[i]->name, name) == 0)
			return drivers[i];
	return NULL;
}
