# Where systemd has the cgroups: in a part that it handed over, and without one.
load lib/store
load lib/systemd

setup() {
	test_begin
	systemd_start
}

teardown() {
	systemd_stop
	test_end
}

# in_scope NAME CMD...: in a scope that may make cgroups below its own.
in_scope() {
	local name=$1
	shift
	inside systemd-run -q --scope -p Delegate=yes -u "$name.scope" -- "$@"
}

# pid_of NAME: of a container's first process, where systemd counts them.
pid_of() {
	inside "$IMG" inspect "$1" | sed -n 's/.*"Pid": \([0-9]*\).*/\1/p'
}

@test "a scope that was handed over holds the container and its limits" {
	local id group
	ok in_scope box "$IMG" run -d --name box --memory 32m --pids-limit 20 \
		--cpus 0.5 base sleep 1000
	id=$out
	group=$GROUP/system.slice/box.scope
	gives 33554432 cat "$group/img/$id/memory.max"
	gives 20 cat "$group/img/$id/pids.max"
	gives '50000 100000' cat "$group/img/$id/cpu.max"
	gives "0::/system.slice/box.scope/img/$id" \
		inside cat "/proc/$(pid_of box)/cgroup"
	# Its supervisor is in the scope as well; nothing is anywhere else.
	[ -n "$(<"$group/supervisor/cgroup.procs")" ]
	[ -z "$(<"$group/cgroup.procs")" ]
	[ ! -e "$GROUP/img" ]
	# From outside of the scope it is found where it is.
	ok inside "$IMG" stats --no-stream box
	has '/ 32.0 MiB'
	gives box inside "$IMG" update --memory 48m box
	gives 50331648 cat "$group/img/$id/memory.max"
	ok inside systemctl daemon-reload
	gives 50331648 cat "$group/img/$id/memory.max"
	gives 20 inside "$IMG" exec box cat /sys/fs/cgroup/pids.max
	gives box inside "$IMG" pause box
	ok inside "$IMG" ps
	has '(Paused)'
	gives box inside "$IMG" unpause box
	gives box inside "$IMG" rm -f box
	wait_for not test -e "$group"
}

@test "a scope that is stopped ends the container, which says how" {
	ok in_scope box "$IMG" run -d --name box base \
		sh -c 'trap "exit 3" TERM; echo up; while :; do sleep 0.1; done'
	wait_for sh -c "'$IMG' logs box | grep -q up"
	ok inside systemctl stop box.scope
	gives 3 inside "$IMG" wait box
	ok inside "$IMG" rm box
}

@test "a service runs a container, with its status and its restarts" {
	local unit=$T/units/web.service
	ok inside "$IMG" create --name web -v "$T:/host" base sh -c '
		echo x >>/host/starts
		[ $(wc -l </host/starts) -ge 3 ] && exec sleep 1000
		exit 7'
	printf '%s\n' '[Service]' "ExecStart=$IMG start -a web" \
		"ExecStop=$IMG stop -t 0 web" "Environment=IMG_ROOT=$IMG_ROOT" \
		"Environment=IMG_RUN=$IMG_RUN" Delegate=yes Restart=on-failure \
		RestartSec=100ms >"$unit"
	ok inside systemctl daemon-reload
	ok inside systemctl start web
	wait_for sh -c "[ \$(wc -l <'$T/starts') -eq 3 ]"
	gives NRestarts=2 inside systemctl show -p NRestarts web
	gives active inside systemctl is-active web
	ok inside systemctl stop web
	gives exited inside "$IMG" inspect --format '{{.State.Status}}' web
	ok inside "$IMG" rm web
}

@test "without a part of its own root's containers are at the top" {
	local id
	ok inside "$IMG" run -d --name box --memory 32m base sleep 1000
	id=$out
	gives 33554432 cat "$GROUP/img/$id/memory.max"
	ok inside systemctl daemon-reload
	gives 33554432 cat "$GROUP/img/$id/memory.max"
	gives box inside "$IMG" rm -f box
	[ ! -e "$GROUP/img/$id" ]
}
