#include "cli/isolation.h"
#include "cli/isolation_spec.h"
#include "cli/name_files.h"
#include "image/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#define LIST(...)                                                              \
	((struct text_list){                                                   \
		.text = (const char *[]){ __VA_ARGS__ },                       \
		.n = sizeof((const char *[]){ __VA_ARGS__ }) /                 \
		     sizeof(const char *),                                     \
	})

struct fixture {
	json_t *config;
	struct isolation_parts parts;
	struct container_spec spec;
};

static void make(struct fixture *f, const struct isolation_options *o)
{
	struct img_err err = { 0 };
	json_t *host = json_object();

	*f = (struct fixture){ .config = json_object() };
	json_object_set_new(f->config, "HostConfig", host);
	if (isolation_put(f->config, host, o, &err) < 0 ||
	    isolation_read(f->config, &f->parts, &f->spec, &err) < 0)
		fail_msg("%s", err.msg);
}

static void fixture_release(struct fixture *f)
{
	isolation_parts_release(&f->parts);
	json_decref(f->config);
}

static void assert_refused(const struct isolation_options *o,
			   const char *message)
{
	struct img_err err = { 0 };
	json_t *config = json_object(), *host = json_object();

	assert_int_equal(isolation_put(config, host, o, &err), -IMG_E_INPUT);
	assert_string_equal(err.msg, message);
	json_decref(config);
	json_decref(host);
}

static const struct container_mount *mount_at(const struct fixture *f,
					      const char *target)
{
	for (size_t i = 0; i < f->spec.n_mounts; i++)
		if (strcmp(f->spec.mounts[i].target, target) == 0)
			return &f->spec.mounts[i];
	fail_msg("nothing at %s", target);
	return NULL;
}

static void mounts_come_back_as_they_were_asked_for(void **state)
{
	const struct isolation_options o = {
		.volumes = LIST("/a:/deep/er/a:ro,rslave", "/b:/b"),
		.tmpfs = LIST("/run", "/tmp/:size=1m,exec"),
		.mounts = LIST(
			"type=bind,source=/c,target=/c,readonly,"
			"bind-recursive=writable,bind-propagation=rshared",
			"type=tmpfs,dst=/t,tmpfs-size=2m,tmpfs-mode=700,ro",
			"type=bind,src=/d,destination=/d/../e,"
			"bind-recursive=disabled,ro=false",
			"source=data,target=/v,volume-subpath=deep/er",
			"source=data,target=/w,volume-nocopy"),
		.devices = LIST("/dev/null:/dev/x:rw", "/dev/zero:rwm"),
	};
	const struct container_mount *m;
	struct fixture f;

	make(&f, &o);
	assert_int_equal(f.spec.n_mounts, 11);
	/* Nearer to the root comes first. */
	assert_string_equal(f.spec.mounts[10].target, "/deep/er/a");
	m = mount_at(&f, "/deep/er/a");
	assert_int_equal(m->kind, MOUNT_BIND);
	assert_string_equal(m->source, "/a");
	assert_true(m->how.read_only && !m->how.read_only_top);
	assert_int_equal(m->how.propagation, BIND_SLAVE);
	m = mount_at(&f, "/b");
	assert_true(!m->how.read_only && !m->how.top && !m->if_there);
	m = mount_at(&f, "/tmp");
	assert_int_equal(m->kind, MOUNT_TMPFS);
	assert_string_equal(m->options, "size=1m,exec");
	m = mount_at(&f, "/t");
	assert_string_equal(m->options, "ro,size=2097152,mode=700");
	m = mount_at(&f, "/c");
	assert_true(m->how.read_only && m->how.read_only_top);
	assert_int_equal(m->how.propagation, BIND_SHARED);
	m = mount_at(&f, "/e");
	assert_true(m->how.top && !m->how.read_only);
	m = mount_at(&f, "/v");
	assert_int_equal(m->kind, MOUNT_VOLUME);
	assert_string_equal(m->source, "data");
	assert_string_equal(m->subpath, "deep/er");
	assert_true(m->how.no_copy);
	m = mount_at(&f, "/w");
	assert_true(m->how.no_copy && !m->subpath);
	m = mount_at(&f, "/dev/x");
	assert_int_equal(m->kind, MOUNT_DEVICE);
	assert_string_equal(m->source, "/dev/null");
	assert_string_equal(mount_at(&f, "/dev/zero")->source, "/dev/zero");
	fixture_release(&f);
}

static void nonsense_is_named(void **state)
{
	static const struct {
		const char *text, *why;
	} mounts[] = {
		{ "type=nfs,target=/a",
		  "'type' is bind, volume or tmpfs, not 'nfs'" },
		{ "type=bind,target=/a", "a bind wants a 'source'" },
		{ "type=bind,source=/a", "it has no 'target'" },
		{ "type=bind,source=,target=/a", "'source' wants a value" },
		{ "type=tmpfs,source=/a,target=/a", "a tmpfs has no 'source'" },
		{ "type=tmpfs,target=a",
		  "the target must be an absolute path" },
		{ "type=tmpfs,target=/", "the target cannot be '/'" },
		{ "type=tmpfs,target=/a,bind-propagation=slave",
		  "it has an option of another type than 'tmpfs'" },
		{ "type=volume,source=a1,target=/a,bind-propagation=shared",
		  "it has an option of another type than 'volume'" },
		{ "target=/a,bind-propagation=private",
		  "it has an option of another type than 'volume'" },
		{ "type=tmpfs,target=/a,tmpfs-mode=9",
		  "'tmpfs-mode' is an octal number, not '9'" },
		{ "type=bind,source=/a,target=/a,ro=maybe",
		  "'ro' is true or false, not 'maybe'" },
		{ "type=bind,source=/a,target=/a,nosuch",
		  "unknown key 'nosuch'" },
		{ "type=bind,source=/a,target=/a,bind-nosuch=1",
		  "unknown key 'bind-nosuch'" },
		{ "type=bind,source=/a,target=/a,bind-recursive=readonly",
		  "'bind-recursive=readonly' wants 'readonly'" },
		{ "source=data,target=/a,volume-subpath=/b",
		  "'volume-subpath': a directory inside the volume is wanted, "
		  "as in 'a/b'" },
		{ "source=data,target=/a,volume-subpath=b/../..",
		  "'volume-subpath': a directory inside the volume is wanted, "
		  "as in 'a/b'" },
		{ "target=/a,volume-subpath=b",
		  "'volume-subpath' wants a 'source'" },
		{ "type=bind,source=/b,target=/a,volume-subpath=b",
		  "it has an option of another type than 'bind'" },
		{ "type=bind,source=/a,target=/a,bind-propagation=odd",
		  "'bind-propagation' is private, slave or shared, or one of "
		  "them with an 'r' before, not 'odd'" },
	};
	struct isolation_options o = { 0 };
	char expected[400];

	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		o.mounts = LIST(mounts[i].text);
		snprintf(expected, sizeof(expected), "invalid --mount '%s': %s",
			 mounts[i].text, mounts[i].why);
		assert_refused(&o, expected);
	}
	assert_refused(
		&(struct isolation_options){ .tmpfs = LIST("/a", "/b/../a") },
		"invalid --tmpfs '/b/../a': there are two mounts at "
		"'/a'");
	assert_refused(&(struct isolation_options){ .tmpfs = LIST("a") },
		       "invalid --tmpfs 'a': the target must be an absolute "
		       "path");
	assert_refused(
		&(struct isolation_options){ .devices = LIST("/dev/null:r") },
		"invalid --device '/dev/null:r': a device can be given "
		"whole only: 'rw' or 'rwm', not 'r'");
	assert_refused(&(struct isolation_options){ .devices = LIST("null") },
		       "invalid --device 'null': expected HOST[:DST[:rwm]], "
		       "both absolute paths");
	assert_refused(&(struct isolation_options){ .sysctls = LIST(
							    "kernel.panic=1") },
		       "--sysctl: 'kernel.panic' would change the host: no "
		       "namespace has it for itself");
	assert_refused(&(struct isolation_options){ .add_hosts =
							    LIST("box:1.2.3") },
		       "invalid --add-host 'box:1.2.3': '1.2.3' is no IP "
		       "address");
	assert_refused(&(struct isolation_options){ .dns = LIST("here") },
		       "--dns: 'here' is no IP address");
	assert_refused(&(struct isolation_options){ .dns_search =
							    LIST("a\nb") },
		       "--dns-search: 'a\nb' is not one word");
}

static void limits_and_parameters_come_back(void **state)
{
	const struct isolation_options o = {
		.ulimits = LIST("nofile=5:6", "core=0", "nofile=7:-1"),
		.sysctls = LIST("net.ipv4.ip_forward=1", "kernel.sem=1 2 3 4"),
		.groups = LIST("wheel", "7"),
		.shm_bytes = 4096,
		.read_only = true,
	};
	struct fixture f;

	make(&f, &o);
	assert_int_equal(f.spec.n_ulimits, 2);
	assert_int_equal(f.spec.ulimits[0].resource, RLIMIT_NOFILE);
	assert_int_equal(f.spec.ulimits[0].soft, 7);
	assert_true(f.spec.ulimits[0].hard == ULIMIT_NONE);
	assert_int_equal(f.spec.n_sysctls, 2);
	assert_string_equal(f.spec.sysctls[1].name, "kernel.sem");
	assert_string_equal(f.spec.sysctls[1].value, "1 2 3 4");
	assert_string_equal(f.spec.groups[1], "7");
	assert_null(f.spec.groups[2]);
	assert_int_equal(f.spec.shm_size_bytes, 4096);
	assert_true(f.spec.read_only);
	fixture_release(&f);
}

static void modes_are_checked_and_kept(void **state)
{
	static const struct {
		const char *network, *pid, *ipc, *uts, *why;
	} wrong[] = {
		{ .network = "bridge",
		  .why = "--network is none, host or container:NAME, "
			 "not 'bridge'" },
		{ .network = "container:",
		  .why = "--network is none, host or container:NAME, "
			 "not 'container:'" },
		{ .pid = "none host",
		  .why = "--pid is private, host or container:NAME, not "
			 "'none host'" },
		{ .uts = "container:x",
		  .why = "--uts is private or host, not 'container:x'" },
	};
	struct isolation_options o = { 0 };
	struct fixture f;
	json_t *host;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		o.spaces = (struct space_options){ .network = wrong[i].network,
						   .pid = wrong[i].pid,
						   .ipc = wrong[i].ipc,
						   .uts = wrong[i].uts };
		assert_refused(&o, wrong[i].why);
	}
	make(&f, &(struct isolation_options){ 0 });
	host = json_object_get(f.config, "HostConfig");
	assert_string_equal(image_config_string(host, "NetworkMode"), "none");
	assert_string_equal(image_config_string(host, "IpcMode"), "private");
	assert_null(space_network_of(f.config));
	assert_false(space_has_host_network(f.config));
	fixture_release(&f);
	make(&f,
	     &(struct isolation_options){
		     .spaces = { .network = "container:abc", .ipc = "none" } });
	assert_string_equal(space_network_of(f.config), "abc");
	fixture_release(&f);
}

static void what_is_shared_is_not_changed(void **state)
{
	struct isolation_options o = { .hostname = "box" };

	o.spaces.uts = "host";
	assert_refused(&o, "--hostname has no place beside '--uts host'");
	o.spaces.uts = NULL;
	o.spaces.network = "container:x";
	assert_refused(
		&o, "--hostname has no place beside '--network container:x'");
	o = (struct isolation_options){ .dns = LIST("10.0.0.1") };
	o.spaces.network = "container:x";
	assert_refused(&o, "--dns has no place beside '--network container:x'");
	o = (struct isolation_options){ .shm_bytes = 4096 };
	o.spaces.ipc = "host";
	assert_refused(&o, "--shm-size has no place beside '--ipc host'");
	o = (struct isolation_options){ .sysctls = LIST("net.core.x=1") };
	o.spaces.network = "host";
	assert_refused(&o, "--sysctl: 'net.core.x' needs a network of the "
			   "container's own");
	o = (struct isolation_options){ .sysctls = LIST("kernel.sem=1") };
	o.spaces.ipc = "container:x";
	assert_refused(&o, "--sysctl: 'kernel.sem' needs an IPC namespace of "
			   "the container's own");
}

static void names_are_in_the_files(void **state)
{
	const struct isolation_options o = {
		.hostname = "box",
		.domainname = "example.org",
		.add_hosts = LIST("a:10.0.0.1", "six:[fd00::1]"),
		.dns = LIST("10.0.0.2", "fd00::2"),
		.dns_search = LIST("one.org", "two.org"),
		.dns_options = LIST("ndots:2"),
	};
	struct fixture f;
	char *text;

	make(&f, &o);
	assert_string_equal(f.spec.hostname, "box");
	assert_string_equal(f.spec.domainname, "example.org");
	text = name_files_hosts(f.config, "box");
	assert_non_null(strstr(text, "127.0.0.1\tlocalhost\n"));
	assert_non_null(strstr(text, "127.0.0.1\tbox.example.org box\n"));
	assert_non_null(strstr(text, "10.0.0.1\ta\nfd00::1\tsix\n"));
	free(text);
	text = name_files_resolv(json_object_get(f.config, "HostConfig"), NULL);
	assert_string_equal(text, "nameserver 10.0.0.2\nnameserver fd00::2\n"
				  "search one.org two.org\noptions ndots:2\n");
	free(text);
	fixture_release(&f);
	make(&f, &(struct isolation_options){ 0 });
	text = name_files_resolv(json_object_get(f.config, "HostConfig"), NULL);
	assert_string_equal(text, "");
	free(text);
	text = name_files_resolv(json_object_get(f.config, "HostConfig"),
				 "nameserver 10.0.0.3\n");
	assert_string_equal(text, "nameserver 10.0.0.3\n");
	free(text);
	fixture_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mounts_come_back_as_they_were_asked_for),
		cmocka_unit_test(nonsense_is_named),
		cmocka_unit_test(limits_and_parameters_come_back),
		cmocka_unit_test(modes_are_checked_and_kept),
		cmocka_unit_test(what_is_shared_is_not_changed),
		cmocka_unit_test(names_are_in_the_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
