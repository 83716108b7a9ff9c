#include "runtime/syscall_compile.h"

#include "runtime/capability.h"

#include <errno.h>
#include <jansson.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#define ARGS_MAX 6

struct name {
	const char *text;
	uint32_t value;
};

static const struct name actions[] = {
	{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },
	{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0) },
	{ "SCMP_ACT_KILL", SCMP_ACT_KILL },
	{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_LOG", SCMP_ACT_LOG },
	{ "SCMP_ACT_TRACE", SCMP_ACT_TRACE(0) },
	{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
};

static const struct name compares[] = {
	{ "SCMP_CMP_EQ", SCMP_CMP_EQ },
	{ "SCMP_CMP_GE", SCMP_CMP_GE },
	{ "SCMP_CMP_GT", SCMP_CMP_GT },
	{ "SCMP_CMP_LE", SCMP_CMP_LE },
	{ "SCMP_CMP_LT", SCMP_CMP_LT },
	{ "SCMP_CMP_NE", SCMP_CMP_NE },
	{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
};

#define FIND(list, text, ret) find(list, IMG_COUNT(list), text, ret)

static bool find(const struct name *list, size_t n, const char *text,
		 uint32_t *ret)
{
	for (size_t i = 0; text && i < n; i++)
		if (strcmp(list[i].text, text) == 0) {
			*ret = list[i].value;
			return true;
		}
	return false;
}

static int wrong(const char *what, const char *value, struct img_err *err)
{
	return img_err_set(err, IMG_E_INPUT, 0, "seccomp profile: %s '%s'",
			   what, value ? value : "");
}

/* An action and, with ERRNO and TRACE, its number: 1 (EPERM) if not given. */
static int read_action(const json_t *object, const char *key,
		       const char *number_key, uint32_t *ret,
		       struct img_err *err)
{
	const char *text = json_string_value(json_object_get(object, key));
	const json_t *number = json_object_get(object, number_key);
	uint32_t data = EPERM;

	if (!FIND(actions, text, ret))
		return wrong("unknown action", text, err);
	if (json_is_integer(number)) {
		if (json_integer_value(number) < 0 ||
		    json_integer_value(number) > 0xffff)
			return wrong("number out of range", number_key, err);
		data = (uint32_t)json_integer_value(number);
	}
	if (*ret == SCMP_ACT_ERRNO(0) || *ret == SCMP_ACT_TRACE(0))
		*ret |= data;
	return 0;
}

static bool has_string(const json_t *array, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach(array, i, item) if (json_is_string(item) &&
					       strcmp(json_string_value(item),
						      text) == 0) return true;
	return false;
}

/* 1 when one of the capabilities named is the container's; IMG_E_INPUT. */
static int has_capability(const json_t *names, uint64_t capabilities, bool all,
			  struct img_err *err)
{
	const json_t *item;
	bool any = false;
	size_t i;

	json_array_foreach(names, i, item)
	{
		uint64_t bit = 0;
		int r;

		if (!json_is_string(item))
			return wrong("a capability is no", "string", err);
		r = capability_parse(json_string_value(item), &bit, err);
		if (r < 0)
			return img_err_prefix(err, "seccomp profile");
		if (capabilities & bit)
			any = true;
		else if (all)
			return 0;
	}
	return any || (all && json_array_size(names) > 0);
}

static const char *architecture(void)
{
#if defined(__x86_64__)
	return "amd64";
#elif defined(__aarch64__)
	return "arm64";
#else
	static struct utsname name;

	return uname(&name) == 0 ? name.machine : "";
#endif
}

/* "4.8", or none. */
static bool kernel_is(const char *least)
{
	struct utsname name;
	unsigned want[2], have[2];

	if (!least || sscanf(least, "%u.%u", &want[0], &want[1]) != 2 ||
	    uname(&name) != 0 ||
	    sscanf(name.release, "%u.%u", &have[0], &have[1]) != 2)
		return true;
	return have[0] > want[0] || (have[0] == want[0] && have[1] >= want[1]);
}

/* 1 when docker's "includes" and "excludes" let a rule hold here. */
static int applies(const json_t *rule, uint64_t capabilities,
		   struct img_err *err)
{
	const json_t *in = json_object_get(rule, "includes");
	const json_t *out = json_object_get(rule, "excludes");
	const json_t *arches = json_object_get(in, "arches");
	const json_t *caps = json_object_get(in, "caps");
	int r;

	if (json_array_size(arches) && !has_string(arches, architecture()))
		return 0;
	if (has_string(json_object_get(out, "arches"), architecture()))
		return 0;
	if (!kernel_is(json_string_value(json_object_get(in, "minKernel"))))
		return 0;
	if (json_array_size(caps)) {
		r = has_capability(caps, capabilities, true, err);
		if (r <= 0)
			return r;
	}
	r = has_capability(json_object_get(out, "caps"), capabilities, false,
			   err);
	return r < 0 ? r : r == 0;
}

static int read_args(const json_t *rule, struct scmp_arg_cmp args[ARGS_MAX],
		     unsigned *ret_n, struct img_err *err)
{
	const json_t *array = json_object_get(rule, "args"), *item;
	size_t i;

	*ret_n = 0;
	if (json_array_size(array) > ARGS_MAX)
		return wrong("more than six", "args", err);
	json_array_foreach(array, i, item)
	{
		const json_t *index = json_object_get(item, "index");
		const json_t *two = json_object_get(item, "valueTwo");
		const char *op = json_string_value(json_object_get(item, "op"));
		uint32_t compare;

		if (!json_is_integer(index) || json_integer_value(index) < 0 ||
		    json_integer_value(index) >= ARGS_MAX)
			return wrong("no such argument:", "index", err);
		if (!FIND(compares, op, &compare))
			return wrong("unknown comparison", op, err);
		args[*ret_n] = (struct scmp_arg_cmp){
			.arg = (unsigned)json_integer_value(index),
			.op = (enum scmp_compare)compare,
			.datum_a = (uint64_t)json_integer_value(
				json_object_get(item, "value")),
			.datum_b = (uint64_t)json_integer_value(two),
		};
		(*ret_n)++;
	}
	return 0;
}

/* A name that this libseccomp does not know is none that could be called, or
 * newer than it: passed over, as others do. */
static int add_name(void *filter, uint32_t action, const json_t *name,
		    const struct scmp_arg_cmp *args, unsigned n,
		    struct img_err *err)
{
	int number, r;

	if (!json_is_string(name))
		return wrong("a system call is no", "string", err);
	number = seccomp_syscall_resolve_name(json_string_value(name));
	if (number == __NR_SCMP_ERROR)
		return 0;
	r = seccomp_rule_add_array(filter, action, number, n, args);
	/* EACCES: it is what happens anyway. */
	if (r < 0 && r != -EEXIST && r != -EACCES)
		return wrong("a rule cannot be made for",
			     json_string_value(name), err);
	return 0;
}

static int add_rule(void *filter, const json_t *rule, uint64_t capabilities,
		    struct img_err *err)
{
	const json_t *names = json_object_get(rule, "names"), *name;
	struct scmp_arg_cmp args[ARGS_MAX];
	uint32_t action;
	unsigned n;
	size_t i;
	int r = applies(rule, capabilities, err);

	if (r <= 0)
		return r;
	if ((r = read_action(rule, "action", "errnoRet", &action, err)) < 0 ||
	    (r = read_args(rule, args, &n, err)) < 0)
		return r;
	if (!names)
		return add_name(filter, action, json_object_get(rule, "name"),
				args, n, err);
	json_array_foreach(names, i, name)
	{
		r = add_name(filter, action, name, args, n, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_rules(const json_t *root, uint64_t capabilities,
		     void **ret_filter, struct img_err *err)
{
	const json_t *rule;
	uint32_t action;
	size_t i;
	int r = read_action(root, "defaultAction", "defaultErrnoRet", &action,
			    err);

	if (r < 0)
		return r;
	*ret_filter = seccomp_init(action);
	if (!*ret_filter)
		return syscall_failed(0, "no filter can be made", err);
	syscall_set_up(*ret_filter);
	json_array_foreach(json_object_get(root, "syscalls"), i, rule)
	{
		r = add_rule(*ret_filter, rule, capabilities, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int syscall_profile_rules(const char *json, uint64_t capabilities,
			  void **ret_filter, struct img_err *err)
{
	json_error_t where;
	json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &where);
	int r;

	if (!json_is_object(root)) {
		r = img_err_set(err, IMG_E_INPUT, 0,
				"seccomp profile: line %d: %s",
				root ? 1 : where.line,
				root ? "not an object" : where.text);
		json_decref(root);
		return r;
	}
	r = add_rules(root, capabilities, ret_filter, err);
	json_decref(root);
	return r;
}
