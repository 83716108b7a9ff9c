# Namespaces that a container shares: with the host, or with another container.
load lib/store

# ns WHAT ARGUMENT...: the container's namespace of that kind.
ns() {
	local what=$1
	shift
	ok img run --rm "$@" base readlink "/proc/self/ns/$what"
}

# running NAME ARGUMENT...: one that stays until it is removed.
running() {
	local name=$1
	shift
	ok img run -d --name "$name" "$@" base sh -c ': >/up; exec sleep 300'
	wait_for img exec "$name" ls /up
}

@test "network: none by default, the host's, and no other kind" {
	ns net
	[ "$out" != "$(readlink /proc/self/ns/net)" ]
	ns net --network none
	[ "$out" != "$(readlink /proc/self/ns/net)" ]
	for users in private host; do
		ns net --network host --userns "$users"
		[ "$out" = "$(readlink /proc/self/ns/net)" ]
		# It is seen in /sys, and cannot be changed without the capability.
		gives "$(cd /sys/class/net && echo *)" img run --rm --network host \
			--userns "$users" base sh -c 'cd /sys/class/net && echo *'
	done
	fails 125 "--network is none, host or container:NAME, not 'bridge'" \
		img run --rm --network bridge base true
	fails 125 "--sysctl: 'net.core.somaxconn' needs a network of the*own" \
		img run --rm --network host --sysctl net.core.somaxconn=9 base true
	# Its names are the host's.
	ok img run --rm --network host --add-host db:10.0.0.7 base \
		cat /etc/hosts /etc/resolv.conf
	has_line $'10.0.0.7\tdb'
	has "$(head -n 1 /etc/hosts)"
	gives host sh -c "$IMG run --name net --network host base true &&
		$IMG inspect net | sed -n 's/.*\"NetworkMode\": \"\\(.*\\)\".*/\\1/p'"
	ok img start -a net
	ok img rm net
}

@test "processes: the host's are seen, its own end with it" {
	local host
	host=$(readlink /proc/self/ns/pid)
	for users in private host; do
		ok img run --rm --pid host --userns "$users" base sh -c \
			'readlink /proc/self/ns/pid; cat /proc/1/comm; echo $$'
		[[ $out == "$host"$'\n'"$(</proc/1/comm)"$'\n'* ]]
		[ "${out##*$'\n'}" -gt 1 ]
	done
	exits 1 img run --rm --pid host base sh -c 'kill -0 1'
	exits 3 img run --rm --pid host base sh -c 'exit 3'
	fails 125 "--pid is private, host or container:NAME, not 'x'" \
		img run --rm --pid x base true
}

@test "names, messages and cgroups of the host" {
	ns uts --uts host
	[ "$out" = "$(readlink /proc/self/ns/uts)" ]
	gives "$(</proc/sys/kernel/hostname)" img run --rm --uts host base hostname
	fails 125 "--hostname has no place beside '--uts host'" \
		img run --rm --uts host -h box base true
	ns cgroup --cgroupns host
	[ "$out" = "$(readlink /proc/self/ns/cgroup)" ]
	ns cgroup --cgroupns private
	[ "$out" != "$(readlink /proc/self/ns/cgroup)" ]
	ns ipc --ipc host
	[ "$out" = "$(readlink /proc/self/ns/ipc)" ]
	echo mine >/dev/shm/img-test
	gives mine img run --rm --ipc host base cat /dev/shm/img-test
	rm /dev/shm/img-test
	ns ipc --ipc none
	[ "$out" != "$(readlink /proc/self/ns/ipc)" ]
	exits 2 img run --rm --ipc none base ls /dev/shm
	fails 125 "--shm-size has no place beside '--ipc host'" \
		img run --rm --ipc host --shm-size 1m base true
}

@test "with another container: its network, processes, messages and ids" {
	local kind
	running first --ipc shareable --dns 10.0.0.9
	for kind in net pid ipc user; do
		ok img exec first readlink "/proc/self/ns/$kind"
		printf -v "first_$kind" %s "$out"
	done
	ns net --network container:first
	[ "$out" = "$first_net" ]
	ns user --network container:first
	[ "$out" = "$first_user" ]
	ns pid --network container:first
	[ "$out" != "$first_pid" ]
	gives 10.0.0.9 img run --rm --network container:first base sh -c '
		[ ! -e /etc/resolv.conf ] || exit 1; echo 10.0.0.9'
	# Signals and /proc reach across, since the ids are the same.
	running second --pid container:first --ipc container:first
	ok img exec second sh -c 'readlink /proc/self/ns/pid /proc/self/ns/ipc
		readlink /proc/self/ns/user; cat /proc/1/comm
		echo shared >/dev/shm/x; id -u; touch /mine; stat -c %u /mine'
	[ "$out" = "$first_pid"$'\n'"$first_ipc"$'\n'"$first_user"$'\nsleep\n0\n0' ]
	gives shared img exec first cat /dev/shm/x
	ok img exec second sh -c 'kill -0 1'
	# With the first its processes end, and so does what shares them.
	ok img kill first
	ok img wait first second
	[ "$out" = $'137\n137' ]
	fails 1 "cannot start second: cannot share with first: it is not running" \
		img start second
	ok img start first
	ok img start second
	ok img rm -f second first
}

@test "with another container: one that is not there, or does not want it" {
	fails 125 "--network container:nosuch: there is no container 'nosuch'" \
		img run --rm --network container:nosuch base true
	running alone
	fails 125 "*the IPC namespace of alone is not to be shared*" \
		img run --rm --ipc container:alone base true
	fails 125 "--dns has no place beside '--network container:alone'" \
		img run --rm --network container:alone --dns 10.0.0.1 base true
	ok img stop -t 0 alone
	fails 125 "cannot share with alone: it is not running" \
		img run --rm --network container:alone base true
	gives '' img ps -q
	ok img rm alone
	# The host's ids for both.
	running plain --userns host
	ok img exec plain readlink /proc/self/ns/net
	first_net=$out
	ns net --network container:plain
	[ "$out" = "$first_net" ]
	ns user --pid container:plain
	[ "$out" = "$(readlink /proc/self/ns/user)" ]
	ok img rm -f plain
}
