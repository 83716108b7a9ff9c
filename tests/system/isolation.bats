# What a program in a container cannot do to the host.
load lib/store

@test "capabilities: docker's set, added to, taken from" {
	ok img run --rm base grep Cap /proc/self/status
	has_line $'CapInh:\t0000000000000000'
	has_line $'CapPrm:\t00000000a80425fb'
	has_line $'CapEff:\t00000000a80425fb'
	has_line $'CapBnd:\t00000000a80425fb'
	has_line $'CapAmb:\t0000000000000000'
	gives $'CapBnd:\t0000000000002000' img run --rm --cap-drop=ALL \
		--cap-add CAP_NET_RAW base grep CapBnd /proc/self/status
	gives $'CapEff:\t00000000a80425fa' img run --rm --cap-drop chown \
		base grep CapEff /proc/self/status
	# Another user has none, and can get none that was dropped.
	ok img run --rm --cap-add ALL --cap-drop sys_admin -u ann base \
		grep Cap /proc/self/status
	has_line $'CapEff:\t0000000000000000'
	has_line $'CapPrm:\t0000000000000000'
	[[ $out =~ CapBnd:.([0-9a-f]+) ]]
	((!(0x${BASH_REMATCH[1]} & 1 << 21) && 0x${BASH_REMATCH[1]} & 1 << 12))
	fails 125 "unknown capability 'CAP_FLY'" \
		img run --rm --cap-add CAP_FLY base true
	fails 125 "unknown capability ''" img run --rm --cap-drop= base true
	# They stay with the container.
	ok img run --name none --cap-drop ALL base grep CapEff /proc/self/status
	gives $'CapEff:\t0000000000000000' img start -a none
	ok img inspect none
	[[ ${out//[[:space:]]/} == *'"CapDrop":["ALL"]'* ]]
}

@test "device nodes work where the runtime put them, and nowhere else" {
	mkdir "$T/shared"
	ok img run --rm -v "$T/shared:/shared" base sh -c '
		echo x >/dev/null && head -c 4 /dev/zero | wc -c &&
		head -c 4 /dev/urandom | wc -c &&
		! echo x 2>/dev/null >/dev/full'
	[ "$out" = $'4\n4' ]
	# The pool's own device, by its number, in each file system it has: with
	# ids of its own none can be made, with the host's none can be opened.
	pool=$(cat /sys/block/dm-0/dev)
	for users in private host; do
		ok img run --rm --userns "$users" -v "$T/shared:/shared" base sh -c "
			for dir in / /dev /dev/shm /tmp /shared; do
				mknod \$dir/$users b ${pool/:/ } && (: <\$dir/$users) &&
					echo \$dir
			done 2>/refused
			grep -c 'Operation not permitted' /refused
			grep -c 'Permission denied' /refused; true"
		[[ $users$out == private$'5\n0' || $users$out == host$'0\n5' ]] ||
			say 'a node of the pool can be opened'
	done
	gives works img run --rm --privileged base \
		sh -c 'mknod /n c 1 3 && echo x >/n && echo works'
}

@test "what of /proc and /sys tells of the host, or changes it" {
	ok img run --rm base sh -c 'cat /proc/kcore /proc/keys /proc/timer_list |
		wc -c; ls -A /sys/firmware | wc -l'
	[ "$out" = $'0\n0' ]
	ok img run --rm base sh -c '
		for file in /proc/sysrq-trigger /proc/sys/kernel/core_pattern \
			/sys/kernel/uevent_helper /sys/power/state; do
			[ ! -e $file ] || ! (echo x >$file) || echo $file
		done 2>&1 | grep -v "Read-only file system"
		exec 2>/dev/null
		mount -t tmpfs none /tmp && echo mounted
		mount -o remount,rw /proc/sys && echo writable
		umount /proc/kcore && echo seen
		hostname other && echo renamed
		echo done'
	[ "$out" = done ] || say 'a guard was passed'
	ok img run --rm --privileged base sh -c '
		mount -t tmpfs none /tmp && hostname other &&
		mount -o remount,rw /sys && hostname'
	[ "$out" = other ]
}

@test "system calls: a default filter, one's own, and none" {
	gives $'Seccomp:\t2\nSeccomp_filters:\t1' \
		img run --rm base grep Seccomp /proc/self/status
	gives $'Seccomp:\t0' img run --rm --security-opt seccomp=unconfined \
		base grep Seccomp: /proc/self/status
	gives $'Seccomp:\t0' \
		img run --rm --privileged base grep Seccomp: /proc/self/status
	gives $'Seccomp:\t2' \
		img run --rm -u ann base grep Seccomp: /proc/self/status

	echo '{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [ { "names":
		[ "mkdir", "mkdirat" ], "action": "SCMP_ACT_ERRNO" } ] }' \
		>"$T/no-mkdir.json"
	try img run --name own --security-opt "seccomp=$T/no-mkdir.json" base \
		mkdir /new
	[[ $status -eq 1 && $err == *'Operation not permitted' ]]
	# The profile is the container's from then on.
	rm "$T/no-mkdir.json"
	exits 1 img start -a own
	echo '{ "defaultAction": "SCMP_ACT_SING" }' >"$T/wrong.json"
	fails 125 "seccomp profile: unknown action 'SCMP_ACT_SING'" \
		img run --rm --security-opt "seccomp=$T/wrong.json" base true
	fails 125 "--security-opt seccomp: cannot open $T/none.json: No such file or directory" \
		img run --rm --security-opt "seccomp=$T/none.json" base true
	fails 125 "--security-opt 'apparmor=x' is not known" \
		img run --rm --security-opt apparmor=x base true
}

@test "no-new-privileges: a set-user-ID program gains nothing" {
	ok img run --name suid base \
		sh -c 'cp /usr/bin/id /suid-id && chmod 4755 /suid-id'
	ok img commit suid suid
	gives '1000 0' img run --rm -u ann suid \
		sh -c 'echo $(/suid-id -ru) $(/suid-id -u)'
	gives '1000 1000' img run --rm -u ann \
		--security-opt no-new-privileges suid \
		sh -c 'echo $(/suid-id -ru) $(/suid-id -u)'
	gives $'NoNewPrivs:\t1\nSeccomp:\t2' img run --rm \
		--security-opt no-new-privileges=true base \
		grep -E 'NoNewPrivs|Seccomp:' /proc/self/status
}
