#include "cli/container.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "image/config.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#define NOTE	     "container.json"
#define NOTE_MAX     ((size_t)1 << 20)
#define NOTE_VERSION 1

void container_note(struct store *store, const struct container_row *row)
{
	img_auto(img_mem_release) char *dir = NULL;
	img_auto(img_mem_release) char *path = NULL;
	img_auto(img_mem_release) char *text = NULL;
	img_auto(json_release) json_t *config = NULL;
	img_auto(json_release) json_t *note = NULL;
	struct img_err dropped = { 0 }; /* see the header */

	if (image_config_parse(row->config, &config, &dropped) < 0)
		return;
	note = json_pack("{si sI ss ss ss ss sI sO}", "Version", NOTE_VERSION,
			 "Volume", (json_int_t)row->volume.id, "Id",
			 row->id.hex, "Name", row->name, "Image",
			 row->image.hex, "ImageName", row->image_name,
			 "CreatedNs", (json_int_t)row->created_ns, "Config",
			 config);
	if (!note)
		return; /* a name that is no UTF-8 */
	text = image_config_text(note);
	dir = mem_printf("%s/containers/%s", store_root(store), row->id.hex);
	path = mem_printf("%s/" NOTE, dir);
	if (file_mkdirs(dir, 0700, &dropped) == 0)
		IMG_IGNORE(file_replace(AT_FDCWD, path, text, strlen(text),
					false, &dropped));
}

void container_note_again(struct store *store, const struct container_row *row)
{
	struct img_err dropped = { 0 }; /* of a directory that stays: gc */
	int64_t one;

	container_note(store, row);
	if (db_get_int(store_db(store), &one, &dropped,
		       "SELECT 1 FROM containers WHERE id = ?", "s",
		       row->id.hex) == 0)
		IMG_IGNORE(container_dir_remove(store, row->id.hex, &dropped));
}

/* True when the note is of that volume, and is whole. */
static bool read_note(const char *path, uint32_t volume,
		      struct container_row *ret)
{
	img_auto(img_mem_release) char *text = NULL;
	img_auto(json_release) json_t *note = NULL;
	struct img_err none = { 0 };
	const char *id, *name, *image, *image_name;
	json_int_t of, created_ns;
	json_t *config;
	int version;

	if (file_read_all(AT_FDCWD, path, NOTE_MAX, &text, NULL, &none) < 0)
		return false;
	note = json_loads(text, 0, NULL);
	if (!note ||
	    json_unpack(note, "{si sI ss ss ss ss sI so}", "Version", &version,
			"Volume", &of, "Id", &id, "Name", &name, "Image",
			&image, "ImageName", &image_name, "CreatedNs",
			&created_ns, "Config", &config) < 0 ||
	    version != NOTE_VERSION || of != volume || strlen(id) != ID_LEN ||
	    !id_is_prefix(id) || strlen(image) > ID_LEN ||
	    container_name_check(name, &none) < 0 || !json_is_object(config))
		return false;
	(void)snprintf(ret->id.hex, sizeof(ret->id.hex), "%s", id);
	(void)snprintf(ret->image.hex, sizeof(ret->image.hex), "%s", image);
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	ret->image_name = mem_strdup(image_name);
	ret->created_ns = created_ns;
	ret->config = image_config_text(config);
	return true;
}

bool container_find_note(struct store *store, uint32_t volume,
			 struct container_row *ret)
{
	img_auto(img_mem_release) char *containers =
		mem_printf("%s/containers", store_root(store));
	img_auto(img_dir_release) DIR *dir = opendir(containers);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		img_auto(img_mem_release) char *path =
			mem_printf("%s/%s/" NOTE, containers, entry->d_name);

		if (entry->d_name[0] != '.' && read_note(path, volume, ret) &&
		    strcmp(ret->id.hex, entry->d_name) == 0)
			return true;
	}
	return false;
}
