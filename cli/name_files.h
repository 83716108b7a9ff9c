#ifndef IMG_CLI_NAME_FILES_H
#define IMG_CLI_NAME_FILES_H

/*
 * A container's /etc/hosts, /etc/hostname and /etc/resolv.conf.
 *
 * They are files in the container's directory, written anew at each start and
 * mounted over those of its root: its volume, and so an image made of it,
 * never has them.  Where the command line asks for none of what they say, a
 * file is mounted only where the image has one.
 *
 * With the host's network, hosts and resolv.conf say what the host's do; with
 * another container's, they are its files.
 */
#include "cli/container.h"
#include "cli/spec.h"

/* Adds the files to the mounts of @spec; they are written when the container
 * starts, those that are mounted. */
int name_files_add(struct store *store, const struct container_row *row,
		   struct spec_parts *parts, struct container_spec *spec,
		   struct img_err *err) IMG_MUST_USE;

/* The contents; heap. */
char *name_files_hosts(const json_t *config, const char *hostname);
/* @of_host: what the host's file says, or NULL. */
char *name_files_resolv(const json_t *host, const char *of_host);

#endif
