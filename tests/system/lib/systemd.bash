# A systemd of a test's own: process 1 of a pid namespace, with a tree of cgroups
# and a /run that are its own.  Needs what store.bash has.

# systemd_start: it answers when this returns.
systemd_start() {
	local unit
	GROUP=/sys/fs/cgroup/test-systemd
	mkdir "$GROUP" "$T/units"
	# Empty, in the place of what a distribution starts.
	for unit in default sysinit basic shutdown umount; do
		printf '[Unit]\nDefaultDependencies=no\n' >"$T/units/$unit.target"
	done
	# What it hands over has to come from above.
	echo '+cpu +io +memory +pids' >/sys/fs/cgroup/cgroup.subtree_control
	unshare --pid --fork --mount --propagation private --kill-child \
		"$REPO/tests/system/lib/systemd-begin" "$GROUP" "$T" \
		</dev/null >"$T/systemd.log" 2>&1 3>&- &
	unshare=$!
	wait_for is_systemd || {
		cat "$T/systemd.log"
		return 1
	}
}

is_systemd() {
	systemd=$(pgrep -P "$unshare" -x systemd) &&
		inside systemctl is-system-running
}

# inside CMD...: as root types it where systemd runs, in none of its units.
inside() {
	nsenter -t "$systemd" -m -p -C -- sh -c '
		mkdir -p /sys/fs/cgroup/login &&
		echo 0 >/sys/fs/cgroup/login/cgroup.procs && exec "$@"' sh "$@"
}

# systemd_stop: whatever ran in it is gone.
systemd_stop() {
	kill -9 "$unshare"
	wait "$unshare" || :
	wait_for find "$GROUP" -depth -type d -exec rmdir {} +
}
