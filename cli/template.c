#include "cli/template.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

bool template_is(const char *format)
{
	return format && strstr(format, "{{") != NULL;
}

static int no_action(const char *action, struct img_err *err)
{
	return img_err_set(err, IMG_E_INPUT, 0,
			   "--format: '{{%s}}' is none of {{.Name}}, "
			   "{{.Label \"KEY\"}}, {{json .Name}}, {{upper "
			   ".Name}}, {{lower .Name}}",
			   action);
}

static json_t *member(json_t *object, const char *name)
{
	json_t *found = json_object_get(object, name);
	const char *key;
	json_t *value;

	json_object_foreach(object, key,
			    value) if (!found && strcasecmp(key, name) == 0)
		found = value;
	return found;
}

/* ".A.B", or "." for the object itself. */
static int look_up(json_t *object, const char *path, json_t **ret,
		   struct img_err *err)
{
	img_auto(img_mem_release) char *copy = mem_strdup(path + 1);
	char *rest = copy, *name;

	*ret = object;
	while ((name = strsep(&rest, ".")) != NULL && *name) {
		*ret = member(*ret, name);
		if (!*ret)
			return img_err_set(err, IMG_E_INPUT, 0,
					   "--format: there is no '%s' here; "
					   "'{{json .}}' shows all that is",
					   path);
	}
	return 0;
}

/* As docker shows labels: "a=1,b=2"; a list likewise. */
static void add_value(struct str *out, json_t *value)
{
	const char *key, *separator = "";
	json_t *part;
	size_t i;

	if (json_is_string(value)) {
		str_add(out, json_string_value(value));
	} else if (json_is_integer(value)) {
		str_addf(out, "%" JSON_INTEGER_FORMAT,
			 json_integer_value(value));
	} else if (json_is_boolean(value)) {
		str_add(out, json_is_true(value) ? "true" : "false");
	} else if (json_is_object(value)) {
		json_object_foreach(value, key, part)
		{
			str_addf(out, "%s%s=", separator, key);
			add_value(out, part);
			separator = ",";
		}
	} else if (json_is_array(value)) {
		json_array_foreach(value, i, part)
		{
			str_add(out, separator);
			add_value(out, part);
			separator = ",";
		}
	}
}

static void add_json(struct str *out, json_t *value)
{
	img_auto(img_mem_release) char *text =
		json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	str_add(out, text ? text : "null");
}

static void change_case(char *text, int (*to)(int))
{
	for (; *text; text++)
		*text = (char)to((unsigned char)*text);
}

/* .Label "KEY" */
static int add_label(json_t *object, const char *action, struct str *out,
		     struct img_err *err)
{
	const char *key = strchr(action, '"');
	size_t len = key ? strcspn(key + 1, "\"") : 0;
	json_t *labels;
	img_auto(img_mem_release) char *name = NULL;
	int r;

	if (!key || !key[1 + len])
		return no_action(action, err);
	name = mem_printf("%.*s", (int)len, key + 1);
	r = look_up(object, ".Labels", &labels, err);
	if (r == 0) /* one that is not there is empty */
		add_value(out, json_object_get(labels, name));
	return r;
}

static int add_action(json_t *object, const char *action, struct str *out,
		      struct img_err *err)
{
	const char *dot = strchr(action, '.');
	const size_t word = strcspn(action, " .");
	json_t *value;
	size_t begin = out->len;
	int r;

	if (strncmp(action, ".Label ", 7) == 0)
		return add_label(object, action, out, err);
	if (!dot || strpbrk(dot, " |()\"") ||
	    (word > 0 && strncmp(action, "json ", 5) != 0 &&
	     strncmp(action, "upper ", 6) != 0 &&
	     strncmp(action, "lower ", 6) != 0))
		return no_action(action, err);
	r = look_up(object, dot, &value, err);
	if (r < 0)
		return r;
	if (action[0] == 'j' || value == object) {
		add_json(out, value);
		return 0;
	}
	add_value(out, value);
	if (out->len > begin && word > 0)
		change_case(out->s + begin,
			    action[0] == 'u' ? toupper : tolower);
	return 0;
}

/* ".Names" as NAMES; .Label "x" as x. */
static void add_heading(const char *action, struct str *out)
{
	const char *quote = strchr(action, '"');
	const char *dot = strrchr(action, '.');

	if (quote) {
		str_addn(out, quote + 1, strcspn(quote + 1, "\""));
		return;
	}
	for (dot = dot ? dot + 1 : action; *dot; dot++)
		str_addn(out, &(char){ (char)toupper((unsigned char)*dot) }, 1);
}

/* @object: NULL for the heading. */
static int walk(const char *format, json_t *object, struct str *out,
		struct img_err *err)
{
	while (*format) {
		const char *end;

		if (strncmp(format, "{{", 2) == 0) {
			img_auto(img_mem_release) char *action = NULL;
			const char *begin = format + 2;
			size_t len;
			int r = 0;

			end = strstr(begin, "}}");
			if (!end)
				return img_err_set(err, IMG_E_INPUT, 0,
						   "--format: a '{{' has no "
						   "'}}'");
			begin += strspn(begin, " ");
			len = (size_t)(end - begin);
			while (len > 0 && begin[len - 1] == ' ')
				len--;
			action = mem_printf("%.*s", (int)len, begin);
			if (object)
				r = add_action(object, action, out, err);
			else
				add_heading(action, out);
			if (r < 0)
				return r;
			format = end + 2;
		} else if (format[0] == '\\' &&
			   (format[1] == 't' || format[1] == 'n')) {
			str_add(out, format[1] == 't' ? "\t" : "\n");
			format += 2;
		} else {
			str_addn(out, format++, 1);
		}
	}
	return 0;
}

int template_render(const char *format, json_t *object, struct str *out,
		    struct img_err *err)
{
	return walk(format, object, out, err);
}

int template_heading(const char *format, struct str *out, struct img_err *err)
{
	return walk(format, NULL, out, err);
}
