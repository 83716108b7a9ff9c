# What is mounted in a container, and with which limits and names it runs.
load lib/store

# Mounts that a test made on the host's side go before what they lie on.
teardown() {
	local mounts dir
	local n
	mapfile -t mounts </proc/self/mountinfo
	for ((n = ${#mounts[@]} - 1; n >= 0; n--)); do
		read -r _ _ _ _ dir _ <<<"${mounts[n]}"
		[[ $dir != "$T"/* ]] || umount "$dir"
	done
	test_end
}

@test "a read-only root: nothing in it can be written, what is mounted can" {
	mkdir "$T/dir"
	exits 1 img run --rm --read-only -v "$T/dir:/new/place" --tmpfs /run \
		-w /made/here base sh -c 'touch /new/place/x /run/y /dev/shm/z
			echo x >/dev/null; pwd; touch /here'
	[ "$out" = /made/here ]
	[[ $err == *"/here'"*"ead-only file system" ]]
	[ -e "$T/dir/x" ]
	exits 2 img run --rm --read-only base sh -c 'echo x >/etc/motd'
	# The container keeps it; --privileged does not undo it.
	exits 1 img run --privileged --name sealed --read-only base touch /x
	exits 1 img start -a sealed
	[ "$(img inspect sealed | grep -c '"ReadonlyRootfs": true')" = 1 ]
	ok img rm sealed
}

@test "tmpfs: empty, of its size, nothing in it runs unless it may" {
	ok img run --rm --tmpfs /run --tmpfs /srv:size=64k,mode=700,exec base \
		sh -c 'cat /proc/mounts; stat -c "%a %n" /run /srv
		printf "#!/bin/sh\necho ran\n" >/srv/x; cp /srv/x /run/x
		chmod 755 /srv/x /run/x; /srv/x; (/run/x) 2>&1
		head -c 100000 /dev/zero >/srv/full 2>&1 || echo full'
	matches 'tmpfs /run tmpfs rw,nosuid,nodev,noexec'
	matches 'tmpfs /srv tmpfs rw,nosuid,nodev,relatime,size=64k,mode=700'
	has $'1777 /run\n700 /srv\nran\n'
	matches '/run/x: .*ermission denied'
	has_line full
	gives 'ro 0' img run --rm --mount \
		type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=755,readonly base \
		sh -c 'set -- $(ls -A /t | wc -l)
		while read -r _ dir _ options _; do
			[ $dir != /t ] || echo ${options%%,*} $1; done </proc/mounts'
	fails 125 "invalid --tmpfs '/x:nosuch': tmpfs: unknown option 'nosuch'" \
		img run --rm --tmpfs /x:nosuch base true
	fails 125 "cannot mount at '/x': tmpfs: cannot use the option 'size=y'*" \
		img run --rm --tmpfs /x:size=y base true
}

@test "bind: what is mounted below the source, read-only in depth or not" {
	mkdir "$T/dir" "$T/dir/sub"
	mount -t tmpfs none "$T/dir/sub"
	touch "$T/dir/sub/below"
	write='ls /mnt/sub; touch /mnt/a; touch /mnt/sub/b; :'
	both() { [ "$(grep -c 'ead-only file system' <<<"$err")" -eq "$1" ]; }
	exits 0 img run --rm -v "$T/dir:/mnt:ro" base sh -c "$write"
	[ "$out" = below ] && both 2
	exits 0 img run --rm -v "$T/dir:/mnt:rro" base sh -c "$write"
	both 2
	exits 0 img run --rm --mount "type=bind,src=$T/dir,dst=/mnt,ro" base \
		sh -c "$write"
	[ "$out" = below ] && both 2
	exits 0 img run --rm --userns host --mount \
		"type=bind,src=$T/dir,dst=/mnt,ro,bind-recursive=writable" base \
		sh -c "$write"
	both 1 && [ -e "$T/dir/sub/b" ] && [ ! -e "$T/dir/a" ]
	exits 2 img run --rm --mount \
		"type=bind,src=$T/dir,dst=/mnt,bind-recursive=disabled" base \
		ls /mnt/sub/below
	umount "$T/dir/sub"
	fails 125 "invalid --mount 'type=bind,target=/x': a bind wants a 'source'" \
		img run --rm --mount type=bind,target=/x base true
	fails 125 "*there are two mounts at '/x'" \
		img run --rm -v "$T:/x" --tmpfs /x/ base true
}

@test "propagation: private, from the host, and both ways" {
	mkdir "$T/dir" "$T/dir/late" "$T/dir/own"
	mount -t tmpfs none "$T/dir"
	mount --make-shared "$T/dir"
	mkdir "$T/dir/late" "$T/dir/own"
	for how in rprivate rslave rshared; do
		ok img run -d --userns host --cap-add SYS_ADMIN --name "$how" \
			-v "$T/dir:/mnt:$how" --security-opt seccomp=unconfined base sh -c "
			mount -t tmpfs none /mnt/own && touch /mnt/own/$how
			: >/up; while [ ! -e /mnt/late/go ] && [ ! -e /end ]; do
				sleep 0.05; done; touch /mnt/own/seen"
	done
	for how in rprivate rslave rshared; do
		wait_for img exec "$how" ls /up
	done
	# What a container mounts comes to the host from one of them alone.
	[ -e "$T/dir/own/rshared" ]
	[ ! -e "$T/dir/own/rprivate" ] && [ ! -e "$T/dir/own/rslave" ]
	mount -t tmpfs none "$T/dir/late"
	touch "$T/dir/late/go"
	ok img wait rslave rshared
	[ "$out" = $'0\n0' ]
	exits 2 img exec rprivate ls /mnt/late/go
	ok img exec rprivate touch /end
	ok img wait rprivate
	ok img rm rprivate rslave rshared
	while umount "$T/dir/own" 2>"$T/no"; do :; done
	umount "$T/dir/late" "$T/dir"
}

@test "targets are found inside the root, however they are spelled" {
	mkdir "$T/dir"
	echo mine >"$T/dir/file"
	ok img run --name link base sh -c 'ln -s /../../../../tmp /t
		ln -s /proc/1/root /magic; ln -s /nowhere/at/all /dangling'
	ok img commit -q link linked
	gives mine img run --rm -v "$T/dir:/t/../t/./in" linked cat /t/in/file
	[ ! -e /tmp/in ]
	gives tmpfs img run --rm --tmpfs /t/in linked \
		sh -c 'while read -r _ dir type _; do
			[ $dir != /tmp/in ] || echo $type; done </proc/mounts'
	fails 125 "cannot mount*/magic/x*" \
		img run --rm -v "$T/dir:/magic/x" linked true
	fails 125 "cannot mount*" img run --rm -v "$T/dir:/dangling" linked true
	for inside in /proc /proc/sys /proc/1/x; do
		fails 125 "cannot mount*/proc*" \
			img run --rm --tmpfs "$inside" linked true
	done
	ok img rm link
}

@test "devices of the host: those that were asked for, and no others" {
	gives 'works 1:3' img run --rm --device /dev/null:/dev/hole base sh -c \
		'echo x >/dev/hole && echo works $(stat -c %t:%T /dev/hole)'
	gives works img run --rm --device /dev/zero:/in/it:rw base \
		sh -c 'head -c 1 /in/it >/dev/null && echo works'
	# One like it, made inside, does not work.
	ok img run --rm --device /dev/null:/dev/hole base sh -c \
		'mknod /dev/other c 1 3 2>/dev/null; (: >/dev/other) 2>/dev/null &&
		[ -c /dev/other ] && echo works; :'
	[ -z "$out" ]
	fails 125 "invalid --device '/dev/null:r': a device can be given whole*" \
		img run --rm --device /dev/null:r base true
	fails 125 "'/etc/passwd' is not a device" \
		img run --rm --device /etc/passwd base true
	fails 125 "cannot use the device '/dev/nosuch': No such file*" \
		img run --rm --device /dev/nosuch base true
}

@test "parameters of the kernel: its own, and never the host's" {
	local before
	before=$(</proc/sys/kernel/shmmni)
	gives $'17\n7' img run --rm --sysctl kernel.shmmni=17 \
		--sysctl net.ipv4.conf.lo.tag=7 base \
		sh -c 'cat /proc/sys/kernel/shmmni /proc/sys/net/ipv4/conf/lo/tag'
	[ "$before" = "$(</proc/sys/kernel/shmmni)" ]
	for name in kernel.panic vm.swappiness fs.file-max kernel.hostname; do
		fails 125 "--sysctl: '$name' would change the host*" \
			img run --rm --sysctl "$name=1" base true
	done
	fails 125 "this kernel has no parameter 'net.nosuch'" \
		img run --rm --sysctl net.nosuch=1 base true
	fails 125 "cannot set 'kernel.shmmni' to 'x': Invalid argument" \
		img run --rm --sysctl kernel.shmmni=x base true
	fails 125 "--sysctl: expected NAME=VALUE, not 'kernel.sem'" \
		img run --rm --sysctl kernel.sem base true
}

@test "limits of each process, groups, and the size of /dev/shm" {
	gives $'77 99\n0\nunlimited' img run --rm --ulimit nofile=77:99 \
		--ulimit core=0 --ulimit memlock=-1 base bash -c \
		'echo $(ulimit -Sn) $(ulimit -Hn); ulimit -c; ulimit -l'
	ok img run -d --name held --ulimit nofile=33 --group-add wheel \
		-u ann:club base sleep 60
	gives '33 77 10' img exec held bash -c 'echo $(ulimit -n) $(id -G)'
	ok img rm -f held
	fails 125 "invalid --ulimit 'nosuch=1': there is no limit 'nosuch'" \
		img run --rm --ulimit nosuch=1 base true
	gives '1000 10 77 4711' img run --rm -u ann --group-add 4711 \
		--group-add club base id -G
	gives '12 0 77' img run --rm -u 12 --group-add club base \
		sh -c 'echo $(id -u) $(id -G)'
	fails 125 "cannot use group 'nosuch': no matching entry in /etc/group*" \
		img run --rm --group-add nosuch base true
	gives $'1024k\nfull' img run --rm --shm-size 1m base sh -c '
		while read -r _ dir _ options _; do
			case $dir,$options in /dev/shm,*size=1024k*) echo 1024k;; esac
		done </proc/mounts
		head -c 2000000 /dev/zero >/dev/shm/x 2>/dev/null || echo full'
}

@test "names: in the kernel, in the files, and never in the volume" {
	local id
	ok img run --name named -h box --domainname example.org \
		--add-host db:10.0.0.7 --add-host six:[fd00::7] --dns 10.0.0.2 \
		--dns-search example.org --dns-option ndots:2 base sh -c '
		cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname \
			/etc/hostname /etc/hosts /etc/resolv.conf
		echo mine >>/etc/hosts'
	[[ $out == $'box\nexample.org\nbox\n127.0.0.1\tlocalhost\n'* ]]
	has_line $'127.0.0.1\tbox.example.org box'
	has_line $'10.0.0.7\tdb'
	has_line $'fd00::7\tsix'
	has $'nameserver 10.0.0.2\nsearch example.org\noptions ndots:2'
	# Made anew at each start; what is committed has no word of them.
	lacks mine
	ok img start -a named
	lacks mine
	ok img inspect named
	json 'd[0]["Config"]["Domainname"] == "example.org"' \
		'd[0]["HostConfig"]["Dns"] == ["10.0.0.2"]' \
		'd[0]["HostConfig"]["ExtraHosts"] == ["db:10.0.0.7", "six:fd00::7"]'
	ok img commit -q named plain
	ok img inspect plain
	json '"Hostname" not in d[0]["Config"]' \
		'"Domainname" not in d[0]["Config"]'
	gives '0 0' img run --rm -v "$T:/t" plain sh -c \
		'umount /etc/hosts 2>/dev/null; echo $(grep -c db /etc/hosts) \
		$(grep -c box /etc/hostname)'
	ok img rm named
	ok img rmi plain
	# An image that has such files gets them; one that has none stays as it is.
	gives none img run --rm base sh -c '[ -e /etc/hosts ] || echo none'
	ok img run --name files base sh -c 'echo old >/etc/hosts
		echo old >/etc/hostname'
	ok img commit -q files withfiles
	ok img run --rm withfiles cat /etc/hosts /etc/hostname
	lacks old
	has localhost
	gives kept img run --rm -v /etc/passwd:/etc/hosts:ro withfiles \
		sh -c 'grep -q root /etc/hosts && echo kept'
	ok img rm files
	fails 125 "invalid --add-host 'x:y': 'y' is no IP address" \
		img run --rm --add-host x:y base true
	fails 125 "--dns: 'x' is no IP address" img run --rm --dns x base true
	fails 125 "the domain name '*' is longer than 64 bytes" \
		img run --rm --domainname "$(printf %065d 0)" base true
}

@test "a container keeps all of it: inspect, start and clone" {
	mkdir "$T/dir"
	ok img run --name first --read-only --tmpfs /run:size=1m -v "$T/dir:/d:ro" \
		--mount type=tmpfs,target=/t --device /dev/null:/dev/hole \
		--sysctl kernel.shmmni=18 --ulimit nofile=44 --group-add wheel \
		--shm-size 2m base sh -c 'cat /proc/sys/kernel/shmmni; ulimit -n
		id -G; touch /t/x /run/y; echo >/dev/hole; ! touch /d/z 2>/dev/null'
	[ "$out" = $'18\n44\n0 10 77' ]
	ok img inspect first
	json 'd[0]["HostConfig"]["ReadonlyRootfs"]' \
		'd[0]["HostConfig"]["Tmpfs"] == {"/run": "size=1m"}' \
		'd[0]["HostConfig"]["Binds"][0].endswith("/dir:/d:ro")' \
		'd[0]["HostConfig"]["Mounts"][0]["Type"] == "tmpfs"' \
		'd[0]["HostConfig"]["Devices"][0]["PathInContainer"] == "/dev/hole"' \
		'd[0]["HostConfig"]["Sysctls"] == {"kernel.shmmni": "18"}' \
		'd[0]["HostConfig"]["Ulimits"] == [{"Name": "nofile", "Soft": 44, "Hard": 44}]' \
		'd[0]["HostConfig"]["GroupAdd"] == ["wheel"]' \
		'd[0]["HostConfig"]["ShmSize"] == 2097152'
	ok img clone first second
	gives $'18\n44\n0 10 77' img start -a second
	ok img rm first second
}
