#include "image/config.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static json_t *parse(const char *text)
{
	struct img_err err = { 0 };
	json_t *config = NULL;

	if (image_config_parse(text, &config, &err) < 0)
		fail_msg("%s", err.msg);
	return config;
}

static void assert_config(const json_t *config, const char *expected)
{
	img_auto(img_mem_release) char *text = image_config_text(config);

	assert_string_equal(text, expected);
}

static void good_changes(void **state)
{
	static const struct {
		const char *before, *change, *after;
	} cases[] = {
		{ "{}", "CMD [\"sh\",\"-c\",\"x y\"]",
		  "{\"Cmd\":[\"sh\",\"-c\",\"x y\"]}" },
		{ "{}", "CMD []", "{\"Cmd\":[]}" },
		{ "{\"Cmd\":[\"a\"]}", "cmd echo  hi",
		  "{\"Cmd\":[\"/bin/sh\",\"-c\",\"echo  hi\"]}" },
		{ "{}", "Entrypoint [\"/init\"]",
		  "{\"Entrypoint\":[\"/init\"]}" },
		{ "{}", "ENTRYPOINT exec top",
		  "{\"Entrypoint\":[\"/bin/sh\",\"-c\",\"exec top\"]}" },
		{ "{}", "ENV A=1", "{\"Env\":[\"A=1\"]}" },
		{ "{}", "ENV A=1 B=2  C=3",
		  "{\"Env\":[\"A=1\",\"B=2\",\"C=3\"]}" },
		{ "{}", "ENV A=\"x y\" B='p q' C=r\\ s",
		  "{\"Env\":[\"A=x y\",\"B=p q\",\"C=r s\"]}" },
		{ "{}", "ENV A x y  z", "{\"Env\":[\"A=x y  z\"]}" },
		{ "{\"Env\":[\"A=1\",\"AB=2\"]}", "ENV A=9 C=3",
		  "{\"Env\":[\"A=9\",\"AB=2\",\"C=3\"]}" },
		{ "{}", "ENV A=", "{\"Env\":[\"A=\"]}" },
		{ "{}", "ENV A=b=c", "{\"Env\":[\"A=b=c\"]}" },
		{ "{}", "ENV A='it\\'", "{\"Env\":[\"A=it\\\\\"]}" },
		{ "{}", "ENV A=\"\\\"\"", "{\"Env\":[\"A=\\\"\"]}" },
		{ "{\"Env\":\"no array\"}", "ENV A=1", "{\"Env\":[\"A=1\"]}" },
		{ "{}", "EXPOSE 80", "{\"ExposedPorts\":{\"80/tcp\":{}}}" },
		{ "{}", "EXPOSE 80 53/udp 7/sctp 8000-8010 1-2/tcp",
		  "{\"ExposedPorts\":{\"1-2/tcp\":{},\"53/udp\":{},"
		  "\"7/sctp\":{},\"80/tcp\":{},\"8000-8010/tcp\":{}}}" },
		{ "{\"ExposedPorts\":{\"1/tcp\":{}}}", "EXPOSE 65535",
		  "{\"ExposedPorts\":{\"1/tcp\":{},\"65535/tcp\":{}}}" },
		{ "{}", "LABEL a=b", "{\"Labels\":{\"a\":\"b\"}}" },
		{ "{\"Labels\":{\"a\":\"x\",\"c\":\"d\"}}",
		  "LABEL a=\"b c\" e.f=g",
		  "{\"Labels\":{\"a\":\"b c\",\"c\":\"d\",\"e.f\":\"g\"}}" },
		{ "{}", "LABEL a the rest",
		  "{\"Labels\":{\"a\":\"the rest\"}}" },
		{ "{}", "STOPSIGNAL SIGTERM", "{\"StopSignal\":\"SIGTERM\"}" },
		{ "{}", "STOPSIGNAL 9", "{\"StopSignal\":\"9\"}" },
		{ "{}", "USER www-data:www-data",
		  "{\"User\":\"www-data:www-data\"}" },
		{ "{\"User\":\"a\"}", "USER 0", "{\"User\":\"0\"}" },
		{ "{}", "VOLUME /a", "{\"Volumes\":{\"/a\":{}}}" },
		{ "{}", "VOLUME /a \"/b c\"",
		  "{\"Volumes\":{\"/a\":{},\"/b c\":{}}}" },
		{ "{}", "VOLUME [\"/a\",\"/b\"]",
		  "{\"Volumes\":{\"/a\":{},\"/b\":{}}}" },
		{ "{}", "WORKDIR /srv", "{\"WorkingDir\":\"/srv\"}" },
		{ "{}", "WORKDIR srv", "{\"WorkingDir\":\"/srv\"}" },
		{ "{\"WorkingDir\":\"/\"}", "WORKDIR srv",
		  "{\"WorkingDir\":\"/srv\"}" },
		{ "{\"WorkingDir\":\"/a\"}", "WORKDIR b/c",
		  "{\"WorkingDir\":\"/a/b/c\"}" },
		{ "{}", "WORKDIR \t /srv/x y",
		  "{\"WorkingDir\":\"/srv/x y\"}" },
		{ "{\"Mine\":[1,{}]}", "USER x",
		  "{\"Mine\":[1,{}],\"User\":\"x\"}" },
	};

	for (size_t i = 0; i < IMG_COUNT(cases); i++) {
		img_auto(json_release) json_t *config = parse(cases[i].before);
		struct img_err err = { 0 };

		if (image_config_change(config, cases[i].change, &err) < 0)
			fail_msg("%s: %s", cases[i].change, err.msg);
		assert_config(config, cases[i].after);
	}
}

#define BEFORE                                                                 \
	"{\"Cmd\":[\"sh\"],\"Env\":[\"A=1\"],\"ExposedPorts\":{\"1/tcp\":{}}," \
	"\"Labels\":{\"a\":\"b\"},\"Volumes\":{\"/v\":{}}}"

static void bad_changes(void **state)
{
	static const struct {
		const char *change, *message;
	} cases[] = {
		{ "", "no such instruction" },
		{ "RUN make", "--change 'RUN make': no such instruction (CMD "
			      "ENTRYPOINT ENV EXPOSE LABEL STOPSIGNAL USER "
			      "VOLUME WORKDIR)" },
		{ "CMDX a", "no such instruction" },
		{ " CMD a", "no such instruction" },
		{ "CMD", "--change CMD: has no argument" },
		{ "CMD   ", "--change CMD: has no argument" },
		{ "CMD [1]", "--change CMD: not a JSON array of strings" },
		{ "CMD [\"a\"", "--change CMD: not a JSON array of strings" },
		{ "CMD [\"a\"] b",
		  "--change CMD: not a JSON array of strings" },
		{ "CMD [[\"a\"]]",
		  "--change CMD: not a JSON array of strings" },
		{ "CMD \xff", "--change CMD: not UTF-8" },
		{ "ENTRYPOINT [\"a\",]",
		  "--change ENTRYPOINT: not a JSON array of strings" },
		{ "ENV A", "--change ENV: wants NAME=VALUE" },
		{ "ENV =x", "--change ENV: wants NAME=VALUE" },
		{ "ENV A=1 B", "--change ENV: wants NAME=VALUE" },
		{ "ENV A=1 =2", "--change ENV: wants NAME=VALUE" },
		{ "ENV A=\"x", "--change ENV: a quote is not closed" },
		{ "ENV A=1 B='x", "--change ENV: a quote is not closed" },
		{ "ENV A=\xff", "--change ENV: not UTF-8" },
		{ "ENV A \xff", "--change ENV: not UTF-8" },
		{ "LABEL a", "--change LABEL: wants NAME=VALUE" },
		{ "LABEL a=\"", "--change LABEL: a quote is not closed" },
		{ "LABEL a=\xff", "--change LABEL: not UTF-8" },
		{ "LABEL \xff=a", "--change LABEL: not UTF-8" },
		{ "EXPOSE x", "--change EXPOSE: wants PORT[/tcp|/udp]" },
		{ "EXPOSE 80/", "--change EXPOSE: wants PORT[/tcp|/udp]" },
		{ "EXPOSE 80/icmp", "--change EXPOSE: wants PORT[/tcp|/udp]" },
		{ "EXPOSE 123456", "--change EXPOSE: wants PORT[/tcp|/udp]" },
		{ "EXPOSE 65536", "--change EXPOSE: wants PORT[/tcp|/udp]" },
		{ "EXPOSE 0", "--change EXPOSE: wants PORT[/tcp|/udp]" },
		{ "EXPOSE 10-5", "--change EXPOSE: wants PORT[/tcp|/udp]" },
		{ "EXPOSE 1-", "--change EXPOSE: wants PORT[/tcp|/udp]" },
		{ "EXPOSE -1", "--change EXPOSE: wants PORT[/tcp|/udp]" },
		{ "EXPOSE \"80", "--change EXPOSE: a quote is not closed" },
		{ "STOPSIGNAL TERM",
		  "--change STOPSIGNAL: wants a signal as SIGTERM or 15" },
		{ "STOPSIGNAL -9",
		  "--change STOPSIGNAL: wants a signal as SIGTERM or 15" },
		{ "USER \xff", "--change USER: not UTF-8" },
		{ "VOLUME \"/a", "--change VOLUME: a quote is not closed" },
		{ "VOLUME [\"/a\"", "--change VOLUME: not a JSON array of "
				    "strings" },
		{ "VOLUME \xff", "--change VOLUME: not UTF-8" },
		{ "WORKDIR \xff", "--change WORKDIR: not UTF-8" },
	};

	for (size_t i = 0; i < IMG_COUNT(cases); i++) {
		img_auto(json_release) json_t *config = parse(BEFORE);
		struct img_err err = { 0 };

		if (image_config_change(config, cases[i].change, &err) !=
		    -IMG_E_INPUT) {
			img_auto(img_mem_release) char *text =
				image_config_text(config);

			fail_msg("'%s' was taken: %s", cases[i].change, text);
		}
		if (!strstr(err.msg, cases[i].message))
			fail_msg("'%s': %s", cases[i].change, err.msg);
		assert_config(config, BEFORE);
	}
}

static void a_text_that_is_no_configuration(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "", "damaged" },
		{ "{", "damaged" },
		{ "[]", "it is no object" },
		{ "\"x\"", "damaged" },
		{ "{} x", "end of file expected" },
		{ "{\"a\":1,\"a\":2}", "duplicate" },
		{ "{\"a\":\"\\u0000\"}", "damaged" },
	};

	for (size_t i = 0; i < IMG_COUNT(cases); i++) {
		json_t *config = NULL;
		struct img_err err = { 0 };

		assert_int_equal(image_config_parse(cases[i].text, &config,
						    &err),
				 -IMG_E_CORRUPT);
		if (!strstr(err.msg, cases[i].message))
			fail_msg("%s", err.msg);
		assert_null(config);
	}
}

static void members(void **state)
{
	img_auto(json_release) json_t *config =
		parse("{\"User\":\"me\",\"Empty\":\"\",\"N\":1,"
		      "\"Env\":[\"a\",5,\"b\",null],\"Cmd\":\"x\"}");
	char **strings;

	assert_string_equal(image_config_string(config, "User"), "me");
	assert_null(image_config_string(config, "Empty"));
	assert_null(image_config_string(config, "N"));
	assert_null(image_config_string(config, "None"));
	strings = image_config_strings(config, "Env");
	assert_string_equal(strings[0], "a");
	assert_string_equal(strings[1], "b");
	assert_null(strings[2]);
	image_config_strings_free(&strings);
	assert_null(strings);
	image_config_strings_free(&strings);
	strings = image_config_strings(config, "Cmd");
	assert_null(strings[0]);
	image_config_strings_free(&strings);
	strings = image_config_strings(NULL, "Cmd");
	assert_null(strings[0]);
	image_config_strings_free(&strings);
}

static void a_new_one_is_empty(void **state)
{
	img_auto(json_release) json_t *config = image_config_new();

	assert_config(config, "{}");
}

static void commands(void **state)
{
	static const struct {
		const char *config, *command;
	} cases[] = {
		{ "{\"Cmd\":[\"sh\",\"-c\",\"a b\"]}", "sh -c a b" },
		{ "{\"Cmd\":[\"x\"],\"Entrypoint\":[\"/init\",\"-v\"]}",
		  "/init -v x" },
		{ "{}", "" },
		{ "no JSON", "" },
	};

	for (size_t i = 0; i < IMG_COUNT(cases); i++) {
		img_auto(img_mem_release) char *line =
			image_config_command(cases[i].config);

		assert_string_equal(line, cases[i].command);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_changes),
		cmocka_unit_test(bad_changes),
		cmocka_unit_test(a_text_that_is_no_configuration),
		cmocka_unit_test(members),
		cmocka_unit_test(a_new_one_is_empty),
		cmocka_unit_test(commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
