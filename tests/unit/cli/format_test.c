#include "cli/format.h"

#include "base/cleanup.h"
#include "tests/lib/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What a list says to a format that is none. */
static void assert_wrong_list(const char *format, const char *message)
{
	struct img_err err = { 0 };
	enum format_kind kind;

	assert_int_equal(format_of_list(format, &kind, &err), -IMG_E_INPUT);
	assert_string_equal(err.msg, message);
}

static enum format_kind kind_of(const char *format)
{
	struct img_err err = { 0 };
	enum format_kind kind;

	assert_int_equal(format_of_list(format, &kind, &err), 0);
	return kind;
}

static void lists_have_all_three(void **state)
{
	assert_int_equal(kind_of(NULL), FORMAT_TABLE);
	assert_int_equal(kind_of("table"), FORMAT_TABLE);
	assert_int_equal(kind_of("json"), FORMAT_JSON);
	assert_int_equal(kind_of("{{.Name}}"), FORMAT_TEMPLATE);
	assert_int_equal(kind_of("table {{.Name}}"), FORMAT_TEMPLATE);
	assert_wrong_list("foo", "--format is table, json or a template as "
				 "'{{json .}}', not 'foo'");
	assert_wrong_list("JSON", "--format is table, json or a template as "
				  "'{{json .}}', not 'JSON'");
	assert_wrong_list("", "--format is table, json or a template as "
			      "'{{json .}}', not ''");
}

static void objects_have_no_table(void **state)
{
	struct img_err err = { 0 };

	assert_int_equal(format_of_objects(NULL, &err), 0);
	assert_int_equal(format_of_objects("json", &err), 0);
	assert_int_equal(format_of_objects("{{.Name}}", &err), 0);
	assert_int_equal(format_of_objects("table", &err), -IMG_E_INPUT);
	assert_string_equal(err.msg, "--format is json or a template as "
				     "'{{json .}}', not 'table'");
}

static void what_is_no_list_has_no_templates(void **state)
{
	struct img_err err = { 0 };
	bool json = true;

	assert_int_equal(format_is_json(NULL, &json, &err), 0);
	assert_false(json);
	assert_int_equal(format_is_json("json", &json, &err), 0);
	assert_true(json);
	assert_int_equal(format_is_json("table", &json, &err), 0);
	assert_false(json);
	assert_int_equal(format_is_json("JSON", &json, &err), -IMG_E_INPUT);
	assert_string_equal(err.msg, "--format is table or json, not 'JSON'");
	err = (struct img_err){ 0 };
	assert_int_equal(format_is_json("{{.A}}", &json, &err), -IMG_E_INPUT);
	assert_string_equal(err.msg, "--format is table or json here: this has "
				     "no templates, not '{{.A}}'");
}

static void json_is_printed_and_released(void **state)
{
	img_auto(img_mem_release) char *text = NULL;

	capture_begin();
	format_print_json(json_pack("[{ss}]", "a", "b"));
	text = capture_end();
	assert_string_equal(text, "[\n  {\n    \"a\": \"b\"\n  }\n]\n");
	img_mem_release(&text);
	capture_begin();
	format_print_json(json_array());
	text = capture_end();
	assert_string_equal(text, "[]\n");
}

/* What is printed for two objects that have a Name and a Size each. */
static char *printed(const char *format, int want, struct img_err *err)
{
	json_t *list = json_pack("[{ss si} {ss si}]", "Name", "a", "Size", 1,
				 "Name", "longer", "Size", 20);
	int r;

	capture_begin();
	r = format_print_objects(list, format, err);
	json_decref(list);
	assert_int_equal(r, want);
	return capture_end();
}

static void assert_printed(const char *format, const char *want)
{
	struct img_err err = { 0 };
	img_auto(img_mem_release) char *text = printed(format, 0, &err);

	assert_string_equal(text, want);
}

static void templates_are_lines_or_cells(void **state)
{
	assert_printed("{{.Name}}: {{.Size}}", "a: 1\nlonger: 20\n");
	assert_printed("{{json .}}", "{\"Name\":\"a\",\"Size\":1}\n"
				     "{\"Name\":\"longer\",\"Size\":20}\n");
	assert_printed("table {{.Name}}\\t{{.Size}}", "NAME     SIZE\n"
						      "a        1\n"
						      "longer   20\n");
	/* A tab that is one, and more cells than are named. */
	assert_printed("table {{.Name}}\t", "NAME     \na        \n"
					    "longer   \n");
}

static void a_member_that_is_not_there(void **state)
{
	struct img_err err = { 0 };
	img_auto(img_mem_release) char *text =
		printed("{{.Nope}}", -IMG_E_INPUT, &err);

	assert_string_equal(text, "");
	assert_string_equal(err.msg, "--format: there is no '.Nope' here; "
				     "'{{json .}}' shows all that is");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_have_all_three),
		cmocka_unit_test(objects_have_no_table),
		cmocka_unit_test(what_is_no_list_has_no_templates),
		cmocka_unit_test(json_is_printed_and_released),
		cmocka_unit_test(templates_are_lines_or_cells),
		cmocka_unit_test(a_member_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
