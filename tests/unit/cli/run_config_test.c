#include "cli/run_config.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "image/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define IMAGE                                                                  \
	"{\"Cmd\":[\"sh\"],\"Entrypoint\":[\"/init\"],\"Env\":[\"A=1\"],"      \
	"\"User\":\"ann\",\"WorkingDir\":\"srv\"}"

/* The configuration of a container that is run with these options; @word: its
 * command, or NULL. */
static json_t *make(const struct run_config *o, const char *word)
{
	char *const argv[] = { (char *)(uintptr_t)word, NULL };
	img_auto(img_mem_release) char *text = NULL;
	struct img_err err = { 0 };
	json_t *config = NULL;

	if (run_config_make(IMAGE, o, argv, &text, &err) < 0 ||
	    image_config_parse(text, &config, &err) < 0)
		fail_msg("%s", err.msg);
	return config;
}

static void assert_member(const json_t *object, const char *key,
			  const char *json)
{
	img_auto(img_mem_release) char *text = json_dumps(
		json_object_get(object, key), JSON_COMPACT | JSON_ENCODE_ANY);

	assert_string_equal(text ? text : "", json);
}

static void assert_refused(const struct run_config *o, const char *message)
{
	img_auto(img_mem_release) char *text = NULL;
	struct img_err err = { 0 };

	assert_true(run_config_make(IMAGE, o, (char *[]){ NULL }, &text, &err) <
		    0);
	assert_string_equal(err.msg, message);
}

#define LIST(...)                                                              \
	{                                                                      \
		.text = (const char *[]){ __VA_ARGS__ },                       \
		.n = IMG_COUNT(((const char *[]){ __VA_ARGS__ }))              \
	}

static void assert_security(const struct run_config *o, const char *json)
{
	img_auto(json_release) json_t *config = make(o, NULL);

	assert_member(json_object_get(config, "HostConfig"), "SecurityOpt",
		      json);
}

static void nothing_said_is_the_image(void **state)
{
	const struct run_config none = { 0 };
	img_auto(json_release) json_t *config = make(&none, NULL);
	const json_t *host = json_object_get(config, "HostConfig");

	assert_member(config, "Entrypoint", "[\"/init\"]");
	assert_member(config, "Cmd", "[\"sh\"]");
	assert_member(config, "Env", "[\"A=1\"]");
	assert_member(config, "User", "\"ann\"");
	assert_member(config, "WorkingDir", "\"srv\"");
	assert_member(config, "Tty", "false");
	assert_member(host, "Privileged", "false");
	assert_member(host, "UsernsMode", "\"private\"");
	assert_member(host, "SecurityOpt", "[]");
}

static void the_command_line_goes_first(void **state)
{
	const struct run_config o = { .entrypoint = "/bin/echo",
				      .workdir = "/tmp",
				      .user = "0:0",
				      .env = LIST("B=2", "A=3"),
				      .privileged = true,
				      .tty = true };
	const struct run_config reset = { .entrypoint = "" };
	img_auto(json_release) json_t *config = make(&o, "hi");
	img_auto(json_release) json_t *bare = make(&reset, NULL);

	assert_member(config, "Entrypoint", "[\"/bin/echo\"]");
	assert_member(config, "Cmd", "[\"hi\"]");
	assert_member(config, "Env", "[\"A=1\",\"B=2\",\"A=3\"]");
	assert_member(config, "User", "\"0:0\"");
	assert_member(config, "WorkingDir", "\"/tmp\"");
	assert_member(config, "Tty", "true");
	assert_member(json_object_get(config, "HostConfig"), "UsernsMode",
		      "\"host\"");
	/* An entrypoint that is reset takes the image's command along. */
	assert_member(bare, "Entrypoint", "[]");
	assert_member(bare, "Cmd", "");
}

static void security_options(void **state)
{
	static const char *const same[] = { "no-new-privileges",
					    "no-new-privileges=true",
					    "no-new-privileges:true" };
	static const char *const nothing[] = {
		"no-new-privileges=false", "no-new-privileges:false",
		"apparmor=unconfined", "label=disable", "label:disable"
	};

	for (size_t i = 0; i < IMG_COUNT(same); i++) {
		const struct run_config o = { .security = LIST(same[i]) };

		assert_security(&o, "[\"no-new-privileges\"]");
	}
	for (size_t i = 0; i < IMG_COUNT(nothing); i++) {
		const struct run_config o = {
			.security = LIST(nothing[i], "seccomp=unconfined")
		};

		assert_security(&o, "[\"seccomp=unconfined\"]");
	}
}

static void mistakes_are_named(void **state)
{
	const struct {
		struct run_config o;
		const char *message;
	} cases[] = {
		{ { .workdir = "srv" },
		  "--workdir 'srv' is not an absolute path" },
		{ { .workdir = "" }, "--workdir '' is not an absolute path" },
		{ { .user = "\xff" }, "User is not UTF-8" },
		{ { .entrypoint = "\xff" }, "Entrypoint is not UTF-8" },
		{ { .env = LIST("=x") }, "--env '=x' has no name" },
		{ { .env = LIST("") }, "--env '' has no name" },
		{ { .cap_add = LIST("SYS_NO") },
		  "unknown capability 'SYS_NO'" },
		{ { .security = LIST("no-new-privileges=maybe") },
		  "--security-opt 'no-new-privileges=maybe' is not known" },
		{ { .security = LIST("no-new-privilegesx") },
		  "--security-opt 'no-new-privilegesx' is not known" },
		{ { .security = LIST("apparmor=x") },
		  "--security-opt 'apparmor=x' is not known" },
		{ { .security = LIST("seccomp=/nosuch/profile") },
		  "--security-opt seccomp: cannot open /nosuch/profile: No "
		  "such file or directory" },
		{ { .userns = "keep-id" },
		  "--userns is host or private, not 'keep-id'" },
		{ { .userns = "private", .privileged = true },
		  "--privileged wants the host's user ids: leave '--userns "
		  "private' away" },
	};

	for (size_t i = 0; i < IMG_COUNT(cases); i++)
		assert_refused(&cases[i].o, cases[i].message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_said_is_the_image),
		cmocka_unit_test(the_command_line_goes_first),
		cmocka_unit_test(security_options),
		cmocka_unit_test(mistakes_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
