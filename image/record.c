#include "image/record.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "image/config.h"
#include "storage/ledger.h"

#include <string.h>

static int add_name(void *self, const struct image_name *name,
		    struct img_err *err)
{
	img_auto(img_mem_release) char *text =
		mem_printf("%s:%s", name->name, name->tag);

	(void)json_array_append_new(self, json_string(text));
	return 0;
}

int image_record_names(struct store *store, const char *id, json_t **ret,
		       struct img_err *err)
{
	*ret = json_array();
	return image_each_name(store, id, add_name, *ret, err);
}

static json_t *step_object(const struct image_step *step)
{
	return json_pack("{ss sI ss ss}", "layer", step->layer, "created_ns",
			 (json_int_t)step->created_ns, "created_by",
			 step->created_by, "comment", step->comment);
}

static int add_step(void *self, const struct image_step *step,
		    struct img_err *err)
{
	/* Steps come newest first, the record has the oldest first. */
	(void)json_array_insert_new(self, 0, step_object(step));
	return 0;
}

void image_record_add_step(json_t *history, const struct image_step *step)
{
	(void)json_array_append_new(history, step_object(step));
}

int image_record_history(struct store *store, const char *id, json_t **ret,
			 struct img_err *err)
{
	*ret = json_array();
	return image_each_step(store, id, add_step, *ret, err);
}

/* Bytes of the UTF-8 character that @s begins with; 0 when it is none. */
static size_t character_len(const char *s)
{
	size_t left = strnlen(s, 4);

	for (size_t len = 1; len <= left; len++) {
		img_auto(json_release) json_t *one = json_stringn(s, len);

		if (one)
			return len;
	}
	return 0;
}

char *image_record_text(const char *text)
{
	struct str clean = { 0 };

	while (*text) {
		size_t len = character_len(text);

		str_addn(&clean, len ? text : "?", len ? len : 1);
		text += len ? len : 1;
	}
	return str_take(&clean);
}

int image_record_put(struct store *store, const struct image *image,
		     json_t *names, json_t *history, struct img_err *err)
{
	img_auto(json_release) json_t *config = NULL;
	img_auto(json_release) json_t *record = NULL;
	img_auto(img_mem_release) char *text = NULL;
	int r = image_config_parse(image->config, &config, err);

	if (r < 0) {
		json_decref(names);
		json_decref(history);
		return r;
	}
	record = json_pack("{ss ss sI sO so so}", "id", image->id.hex, "parent",
			   image->parent.hex, "created_ns",
			   (json_int_t)image->created_ns, "config", config,
			   "names", names, "history", history);
	text = image_config_text(record);
	return ledger_put(store,
			  &(struct ledger_record){
				  .volume = image->volume.id,
				  .size_bytes = image->volume.size_bytes,
				  .json = text,
			  },
			  err);
}
