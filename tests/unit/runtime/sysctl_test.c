#include "runtime/sysctl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void assert_taken(const char *name)
{
	struct img_err err = { 0 };

	if (sysctl_check(name, true, true, &err) < 0)
		fail_msg("%s", err.msg);
}

static void assert_refused(const char *name, bool ipc, bool net,
			   const char *why)
{
	struct img_err err = { 0 };
	char expected[256];

	assert_int_equal(sysctl_check(name, ipc, net, &err), -IMG_E_INPUT);
	snprintf(expected, sizeof(expected), "--sysctl: '%s' %s", name, why);
	assert_string_equal(err.msg, expected);
}

static void what_a_namespace_has_for_itself_is_taken(void **state)
{
	assert_taken("net.ipv4.ip_forward");
	assert_taken("net.ipv4.conf.eth0/1.forwarding");
	assert_taken("kernel.shmmax");
	assert_taken("kernel.msgmni");
	assert_taken("kernel.sem");
	assert_taken("fs.mqueue.msg_max");
}

static void what_would_change_the_host_is_refused(void **state)
{
	static const char host[] = "would change the host: no "
				   "namespace has it for itself";

	assert_refused("kernel.panic", true, true, host);
	assert_refused("kernel.core_pattern", true, true, host);
	assert_refused("kernel.shmmaxx", true, true, host);
	assert_refused("vm.overcommit_memory", true, true, host);
	assert_refused("fs.file-max", true, true, host);
	assert_refused("network.x", true, true, host);
}

static void a_name_leads_nowhere_else(void **state)
{
	static const char name[] = "is no name of a parameter";

	assert_refused("", true, true, name);
	assert_refused("net..kernel.panic", true, true, name);
	assert_refused("net.ipv4.", true, true, name);
	assert_refused("net.ipv4.//.kernel.panic", true, true, name);
	assert_refused("/net.ipv4", true, true, name);
	assert_refused("net./.x", true, true, name);
}

static void a_shared_namespace_is_not_changed(void **state)
{
	assert_refused("net.ipv4.ip_forward", true, false,
		       "needs a network of the container's own");
	assert_refused("kernel.shmmax", false, true,
		       "needs an IPC namespace of the "
		       "container's own");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_namespace_has_for_itself_is_taken),
		cmocka_unit_test(what_would_change_the_host_is_refused),
		cmocka_unit_test(a_name_leads_nowhere_else),
		cmocka_unit_test(a_shared_namespace_is_not_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
