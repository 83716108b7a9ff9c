#ifndef IMG_IMAGE_CONFIG_H
#define IMG_IMAGE_CONFIG_H

/*
 * What an image says about how to run it.
 *
 * Kept as the JSON object that the OCI image specification calls config
 * (config.md, "Properties"): Cmd, Entrypoint, Env, ExposedPorts, Labels,
 * StopSignal, User, Volumes, WorkingDir.  Members that img does not know are
 * carried along.
 */
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

/* An empty configuration. */
json_t *image_config_new(void);

/* From the catalog or the ledger: IMG_E_CORRUPT when it is no object. */
int image_config_parse(const char *text, json_t **ret,
		       struct img_err *err) IMG_MUST_USE;
/* Compact, with sorted keys; heap. */
char *image_config_text(const json_t *config);

/**
 * image_config_change - apply one --change
 * @change: an instruction as docker import and commit take it:
 *	CMD ENTRYPOINT ENV EXPOSE LABEL STOPSIGNAL USER VOLUME WORKDIR, in any
 *	case; CMD and ENTRYPOINT as JSON array or as a line for /bin/sh -c
 *
 * Returns 0, or IMG_E_INPUT naming the instruction; @config is then as before.
 */
int image_config_change(json_t *config, const char *change,
			struct img_err *err) IMG_MUST_USE;

/* The value of a string member, or NULL when missing or empty. */
const char *image_config_string(const json_t *config, const char *key);
/* A NULL-terminated copy of an array of strings, never NULL; the caller frees
 * it with image_config_strings_free. */
char **image_config_strings(const json_t *config, const char *key);
/* What an image or container with this configuration runs, as one line: its
 * Entrypoint, then its Cmd; heap. */
char *image_config_command(const char *config_text);
void image_config_strings_free(char ***strings);

/* The value of a string member, "" where there is none. */
static inline const char *json_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static inline void json_release(json_t **json)
{
	json_decref(*json);
	*json = NULL;
}

#endif
