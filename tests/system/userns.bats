# A container's own user ids, and that nobody sees anything of them on disk.
load lib/store

# base_of CONTAINER: where its ids begin on the host.
base_of() {
	sql "SELECT uid_base FROM containers WHERE name = '$1'"
}

@test "ids: a range of its own, kept until it is removed, then the next one's" {
	local one two pid uid
	ok img run -d --name one base sleep 600
	ok img run -d --name two base sleep 600
	one=$(base_of one)
	two=$(base_of two)
	[[ $one -ge 65536 && $two -eq $((one + 65536)) ]] || say "$one, $two"
	[ "$(sql "SELECT gid_base FROM containers WHERE name = 'two'")" -ge 65536 ]
	ok img inspect two
	json "d[0]['HostConfig']['UsernsMode'] == 'private'" \
		"d[0]['HostConfig']['IDMappings']['UidMap'] == ['0:$two:65536']"
	# What runs in it is nobody on the host.
	for pid in $(pgrep -xf 'sleep 600'); do
		uid=$(stat -c %u "/proc/$pid")
		[[ $uid -eq $one || $uid -eq $two ]] || say "process $pid has $uid"
	done
	ok img exec two cat /proc/self/uid_map /proc/self/gid_map
	matches "^ +0 +$two +65536"
	# A copy has others; a stopped one keeps them; a removed one's are free.
	ok img clone two three
	[ "$(base_of three)" -eq $((two + 65536)) ]
	ok img rm -f one
	ok img stop -t 0 two
	ok img run -d --name four base sleep 600
	[ "$(base_of four)" -eq "$one" ] || say 'not the lowest free'
	ok img start two
	[ "$(base_of two)" -eq "$two" ]
	ok img exec two cat /proc/self/uid_map
	matches "^ +0 +$two +65536"
}

@test "ids: what is on the volume is as if there were none" {
	ok img run --name made base sh -c 'echo 1 >/root-file; mkdir /of-ann
		chown ann:club /of-ann; cp /bin/id /set-id; chown ann /set-id
		chmod 4755 /set-id'
	ok img export made -o "$T/made.tar"
	ok tar --numeric-owner -tvf "$T/made.tar"
	matches '-rw-r--r-- 0/0 .* (\./)?root-file'
	matches 'drwxr-xr-x 1000/77 .* (\./)?of-ann'
	matches '-rwsr-xr-x 1000/0 .* (\./)?set-id'
	ok img commit -q made again
	gives $'0 0\n1000 77\n1000' img run --rm again \
		sh -c 'stat -c "%u %g" /root-file /of-ann; /set-id -u'
	gives $'0 0\n1000 77\n1000' img run --rm --userns host again \
		sh -c 'stat -c "%u %g" /root-file /of-ann; /set-id -u'
	# Ids above the range are nobody's.
	exits 1 img run --rm base chown 65536 /etc/motd
	fails 125 "cannot use user '70000': the container has the ids 0 to 65535,*" \
		img run --rm -u 70000 base true
	gives 70000 img run --rm -u 70000 --userns host base id -u
}

@test "ids: a volume's files are root's where its file system can show them so" {
	mkdir "$T/data"
	echo secret >"$T/data/file"
	chmod 600 "$T/data/file"
	gives $'secret\n0 0' img run --rm -v "$T/data:/data" base sh -c \
		'cat /data/file; stat -c "%u %g" /data/file; echo new >/data/new
		echo x >/data/of-ann; chown ann:club /data/of-ann'
	[ "$(stat -c '%u %g' "$T/data/new" "$T/data/of-ann")" = $'0 0\n1000 77' ] ||
		say 'other owners outside'
	# One that cannot: as it is where it is read-only, else not at all.
	gives 65534 img run --rm -v /sys/kernel:/data:ro base stat -c %u /data
	fails 125 "cannot use '/sys/kernel' as a volume: *':ro'*'--userns host'*" \
		img run --rm -v /sys/kernel:/data base true
	gives 0 img run --rm --userns host -v /sys/kernel:/data base \
		stat -c %u /data
}

@test "ids: terminals and streams belong to who uses them" {
	ok "$FIXTURES/terminal" -- "$IMG" run -t --rm base sh -c \
		'stat -c "%u:%g %a" $(tty) /dev/pts; : <>$(tty) && echo opened'
	has '0:5 620'
	has '0:0 755'
	has opened
	ok "$FIXTURES/terminal" -- "$IMG" run -t --rm -u ann base sh -c \
		'stat -c "%u:%g %a" $(tty); : <>$(tty) && echo opened'
	has '1000:5 620'
	has opened
	ok img run -d --name host base sleep 600
	ok "$FIXTURES/terminal" -- "$IMG" exec -t -u ann host sh -c \
		'stat -c "%u:%g" $(tty); : <>$(tty) && echo opened'
	has '1000:5'
	has opened
	# By name, through a pipe of the host's, as root and as another.
	for user in root ann; do
		[ "$(img run --rm -u "$user" base sh -c 'echo by name >/dev/stdout' |
			cat)" = 'by name' ] || say "not as $user"
		[ "$(img exec -u "$user" host sh -c 'echo by name >/dev/stdout' |
			cat)" = 'by name' ] || say "not as $user, by exec"
	done
}

@test "ids: --userns host declines, --privileged means it, others are refused" {
	ok img run --name host --userns host base cat /proc/self/uid_map
	matches '^ +0 +0 +4294967295'
	[ -z "$(base_of host)" ]
	ok img start -a host
	matches '^ +0 +0 +4294967295'
	ok img run --rm --privileged base cat /proc/self/uid_map
	matches '^ +0 +0 +4294967295'
	for mode in auto private; do
		ok img run --rm --userns "$mode" base cat /proc/self/uid_map
		lacks 4294967295
		fails 125 "--privileged wants the host's user ids*" \
			img run --rm --userns "$mode" --privileged base true
	done
	fails 125 "--userns is host or private, not 'keep-id'" \
		img run --rm --userns keep-id base true
	# Where the kernel makes none, that is said, and nothing is left.
	was=$(</proc/sys/user/max_user_namespaces)
	echo 0 >/proc/sys/user/max_user_namespaces
	try img run --rm base true
	echo "$was" >/proc/sys/user/max_user_namespaces
	[[ $status -eq 125 && $err == *"namespaces"*"'--userns host' runs without" ]] ||
		say 'other than expected'
}
