#include "cli/container_process.h"

#include "base/cleanup.h"
#include "cli/event.h"
#include "image/config.h"
#include "runtime/signals.h"

#include <signal.h>

#define GRACE_S 10

/* What its configuration, or its image's, asks for. */
static void complete(const struct container_row *row,
		     struct container_stop *how)
{
	img_auto(json_release) json_t *config = NULL;
	struct img_err dropped = { 0 };
	const char *name = NULL;
	const json_t *timeout = NULL;

	if (image_config_parse(row->config, &config, &dropped) == 0) {
		name = image_config_string(config, "StopSignal");
		timeout = json_object_get(config, "StopTimeout");
	}
	if (!how->sig && name)
		how->sig = signals_parse(name);
	if (!how->sig)
		how->sig = SIGTERM;
	if (how->grace_s == CONTAINER_STOP_OWN)
		how->grace_s = json_is_integer(timeout)
				       ? (int)json_integer_value(timeout)
				       : GRACE_S;
}

int container_process_stop(struct store *store, const struct container_row *row,
			   const struct container_stop *how,
			   struct img_err *err)
{
	struct container_stop whole = *how;
	bool ran;
	int r;

	complete(row, &whole);
	r = container_process_signal(store, row, whole.sig, err);
	ran = r > 0;
	if (r > 0)
		r = container_process_wait(
			store, row,
			whole.grace_s < 0 ? -1 : whole.grace_s * 1000, err);
	if (r > 0)
		r = container_process_kill(store, row, err);
	if (r == 0 && ran)
		event_write(store, "stop", row);
	return r;
}
