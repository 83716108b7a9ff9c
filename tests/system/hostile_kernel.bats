# Programs that reach for the kernel and its devices, with no more power than a
# container has, and with all that its own namespaces can give.
load lib/hostile

@test "kexec, modules, handles, bpf, disks, clocks: nothing is let through" {
	gives 'all were tried' img run --rm "${TOOL[@]}" base /hostile calls
	gives 'all were tried' img run --rm "${TOOL[@]}" -u ann base \
		/hostile calls
	gives 'all were tried' img run --rm "${TOOL[@]}" "${POWER[@]}" base \
		/hostile calls
	ok img run -d --name host "${TOOL[@]}" base sleep 600
	gives 'all were tried' img exec --privileged host /hostile calls
	store_works
}

@test "devices of the pool: neither made, nor brought along, nor opened" {
	local pool mode
	store_works # and its pool is up
	pool=$(cat /sys/block/dm-0/dev)
	# An image may hold any node; it imports, and it stays a name.
	/usr/bin/python3 -S - "$T/nodes.tar" "${pool%:*}" "${pool#*:}" <<'END'
import sys, tarfile
with tarfile.open(sys.argv[1], 'w') as tar:
    for name, kind, major, minor in (
            ('pool', tarfile.BLKTYPE, int(sys.argv[2]), int(sys.argv[3])),
            ('mem', tarfile.CHRTYPE, 1, 1), ('null', tarfile.CHRTYPE, 1, 3)):
        node = tarfile.TarInfo(name)
        node.type, node.devmajor, node.devminor = kind, major, minor
        node.mode = 0o666
        tar.addfile(node)
END
	mkdir "$T/root"
	tar -C "$T/root" -xf "$CACHE/base.tar"
	tar -C "$T/root" -xf "$T/nodes.tar"
	tar -C "$T/root" -cf "$T/both.tar" .
	rm -rf "$T/root"
	ok img import -q "$T/both.tar" nodes
	local open_all='for n in pool mem null; do (: </$n) || echo none; done'
	for mode in '' --userns=host; do
		# shellcheck disable=SC2086 # none or one
		try img run --rm $mode nodes sh -c "$open_all"
		[[ $out == $'none\nnone\nnone' && $err == *'Permission denied'* ]] ||
			say "a node works: $mode"
	done
	# Who may mount, may not make them work.
	gives 'all were tried' img run --rm "${TOOL[@]}" "${POWER[@]}" nodes \
		/hostile remount /
	try img run --rm "${POWER[@]}" nodes sh -c "mount -o remount,dev /
		mount -o bind,remount,dev /; mkdir /x; mount --bind / /x
		mount -o remount,bind,dev /x; $open_all; cd /x; $open_all"
	[[ $out == $'none\nnone\nnone\nnone\nnone\nnone' ]] ||
		say 'a node was made to work'
	# Its own file systems it may change.
	gives changed img run --rm "${POWER[@]}" base sh -c 'mount -t tmpfs x /srv &&
		mount -o bind,remount,ro,nodev /srv && echo changed'
	store_works
}

@test "a read-only volume stays so for who may mount" {
	mkdir "$T/data"
	ok img run --rm "${TOOL[@]}" "${POWER[@]}" -v "$T/data:/data:ro" base \
		/hostile remount /data
	[ "$out" = 'all were tried' ] || say 'it was changed'
	exits 0 img run --rm "${POWER[@]}" -v "$T/data:/data:ro" base sh -c \
		'mount -o remount,rw /data; mount -o remount,bind,rw /data
		mount --bind /data /srv; mount -o remount,bind,rw /srv
		! touch /data/x && ! touch /srv/x'
	[ ! -e "$T/data/x" ]
}

@test "release_agent and cgroups: what the host runs is not the container's to say" {
	ok img run --rm "${POWER[@]}" base sh -c 'exec 2>/dev/null
		find() { for f in "$1"/*; do
			case $f in */release_agent) echo "$f" ;; esac
			[ ! -d "$f" ] || [ -L "$f" ] || find "$f"; done; }
		find /sys/fs/cgroup
		mkdir /sys/fs/cgroup/x && echo made
		mount -o remount,rw /sys/fs/cgroup && echo writable
		(echo "|/x" >/proc/sys/kernel/core_pattern) && echo core_pattern
		(echo /x >/proc/sys/kernel/modprobe) && echo modprobe
		(echo /x >/sys/kernel/uevent_helper) && echo uevent_helper
		(echo c >/proc/sysrq-trigger) && echo sysrq
		mkdir /p; mount -t proc x /p && {
			(echo "|/x" >/p/sys/kernel/core_pattern) && echo core_pattern
			(echo /x >/p/sys/kernel/modprobe) && echo modprobe
			(echo c >/p/sysrq-trigger) && echo sysrq
			(: </p/kcore) && echo kcore
		}
		mkdir /s; mount -t sysfs x /s && {
			(echo /x >/s/kernel/uevent_helper) && echo uevent_helper
			for f in /s/block/dm-0/uevent /s/power/state; do
				(echo x >$f) && echo $f
			done
		}
		:'
	[ -z "$out" ] || say 'it reached the host'
	store_works
}

@test "keyrings: those of who started it are not there" {
	gives 'found it' "$CACHE/hostile" with-key img-test \
		"$CACHE/hostile" key img-test
	ok "$CACHE/hostile" with-key img-test "$IMG" run --rm "${TOOL[@]}" \
		"${POWER[@]}" base /hostile key img-test
	[[ $out == 'no such key: '* ]] || say 'it has the key'
	ok "$CACHE/hostile" with-key img-test "$IMG" run --rm "${TOOL[@]}" \
		--userns host --security-opt seccomp=unconfined base \
		/hostile key img-test
	[[ $out == 'no such key: '* ]] || say 'it has the key, as the host'
	ok img run -d --name host "${TOOL[@]}" "${POWER[@]}" base sleep 600
	ok "$CACHE/hostile" with-key img-test "$IMG" exec host \
		/hostile key img-test
	[[ $out == 'no such key: '* ]] || say 'it has the key of exec'
	gives 'no such key: Operation not permitted' img run --rm "${TOOL[@]}" \
		base /hostile key img-test
}
