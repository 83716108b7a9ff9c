# Looking at images and containers, and handing their devices out.
load lib/store

# Whatever a test that failed left must not fail the others.
teardown() {
	local left
	left=$(img mount -q && img activate -q)
	[ -z "$left" ] || {
		img umount --all
		# shellcheck disable=SC2046 # words
		img deactivate $(sql "SELECT c.name FROM containers c JOIN
			intents i ON i.volume = c.volume") base
	} >"$FILES/log" 2>&1
	test_end
	[ -z "$left" ] || {
		echo "left in use: $left"
		return 1
	}
}

# options_at PLACE: what mount(2) was told of where NAME is mounted.
options_at() {
	local line
	while read -r -a line; do
		[ "${line[4]}" != "$1" ] || echo "${line[5]} ${line[8]}"
	done </proc/self/mountinfo
}

# thins: devices of volumes, but the ledger's.
thins() {
	local file
	for file in /sys/block/dm-*/dm/name; do
		[[ ! -e $file || $(<"$file") == *-pool || $(<"$file") == *-0 ]] ||
			echo "$(<"$file")"
	done
}

intents() {
	sql "SELECT count(*) FROM intents"
}

@test "mount: an image, with no bit of it changed" {
	local place before
	ok img import -q --size 32M "$CACHE/base.tar" small
	before=$(with_volume "$(volume_of small)" sha256sum)
	ok img mount small
	place=$out
	[[ $place == "$IMG_RUN"/*/mnt/* ]]
	gives 'a small system' cat "$place/etc/motd"
	[[ $(options_at "$place") == *ro,*nosuid,nodev,noexec* ]]
	exits 1 touch "$place/x"
	exits 2 sh -c "echo >$place/etc/motd"
	exits 126 "$place/bin/true"
	ok img mount
	has "image * small:latest *$place"
	ok img mount --format json
	json "d == [{'Name': 'small:latest', 'Type': 'image',
		'MountPoint': '$place'}]"
	gives "$place" img mount -q
	# While it is looked at it can be used, and not removed.
	gives 'a small system' img run --rm small cat /etc/motd
	fails 1 "cannot remove small: it is mounted at $place: *" img rmi small
	fails 1 "cannot remove small: it is mounted at $place: *" img rmi -f small
	fails 1 "*: small:latest is mounted at $place" img pool stop
	gives '' img umount small
	[ ! -e "$place" ]
	[ "$(intents)" -eq 0 ]
	[ "$(with_volume "$(volume_of small)" sha256sum)" = "$before" ]
	fails 1 'cannot unmount small: it is not mounted' img umount small
}

@test "mount: a container that runs, as it was just then" {
	mkdir "$T/dir"
	ok img run -d --name web base sh -c \
		'echo one >/state; echo up >/up; exec sleep 600'
	wait_for img run --rm base true
	wait_for sh -c "'$IMG' mount web '$T/dir' && [ -s '$T/dir/up' ] ||
		{ '$IMG' umount '$T/dir'; false; }"
	gives one cat "$T/dir/state"
	ok img mount
	matches "container +web +$T/dir"
	# What it writes goes on, and is not seen; another mount sees it.
	ok img commit -q web image
	fails 1 "cannot remove web: it is running*" img rm web
	fails 1 "cannot remove web: it is mounted at $T/dir: *" img rm -f web
	ok img start web
	gives one cat "$T/dir/state"
	ok img umount "$T/dir"
	gives '' find "$T/dir" -mindepth 1
	[ "$(sql 'SELECT count(*) FROM intents WHERE op <> "run"')" -eq 0 ]
	ok img rm -f web
}

@test "mount: twice, below a link, and unmounted by anybody" {
	mkdir "$T/a" "$T/b"
	ln -s b "$T/link"
	ok img run --name one base sh -c 'echo 1 >/x'
	ok img mount base "$T/a"
	ok img mount base "$T/link"
	ok img mount one
	gives 1 cat "$out/x"
	ok img mount -q
	has "$T/a"
	has "$T/b"
	umount "$T/a"
	ok img mount -q
	lacks "$T/a"
	gives 'a small system' cat "$T/b/etc/motd"
	umount "$T/b"
	ok img ps -a # any command collects
	[ "$(sql "SELECT count(*) FROM intents WHERE op = 'look'")" -eq 0 ]
	ok img start one
	gives '' img umount --all
	[ "$(intents)" -eq 0 ]
	gives '' img mount -q
	# What cannot be.
	fails 1 "cannot mount base: *$T/nosuch*" img mount base "$T/nosuch"
	fails 1 "cannot mount one: *$T/nosuch*" img mount one "$T/nosuch"
	fails 1 'cannot mount nosuch: there is no container or image *' \
		img mount nosuch
	fails 1 "cannot unmount $T/a: nothing of this store is mounted there" \
		img umount "$T/a"
	fails 1 'name what to unmount, or use --all' img umount
	[ "$(intents)" -eq 0 ]
}

@test "mount: busy ones stay; in another namespace the kernel still knows" {
	mkdir "$T/dir"
	ok img run --name one base true
	ok img mount one "$T/dir"
	(cd "$T/dir" && fails 1 "cannot unmount one: $T/dir *" img umount one)
	gives '' img umount one
	unshare -m sh -c "'$IMG' mount one '$T/dir' >/dev/null; echo >'$T/up'
		while [ ! -e '$T/end' ]; do sleep 0.1; done" 3>&- &
	wait_for test -e "$T/up"
	ok img mount
	matches 'container +one +\(elsewhere\)'
	fails 1 'cannot remove one: it is mounted in another mount namespace' \
		img rm one
	touch "$T/end"
	wait
	ok img rm one
	[ "$(intents)" -eq 0 ]
}

@test "mount: after a kill and after the devices went, nothing is left" {
	local n
	mkdir "$T/dir"
	ok img run --name one base sh -c 'echo 1 >/x'
	for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
		timeout -s KILL "0.$((n * 2 + 10))" "$IMG" mount one "$T/dir" ||
			:
		timeout -s KILL "0.$((n * 2 + 10))" "$IMG" mount base || :
		timeout -s KILL "0.$((n * 2 + 10))" "$IMG" activate base || :
		img umount --all
		img deactivate base || :
	done >"$T/log" 2>&1
	ok img ps -a
	[ "$(intents)" -eq 0 ]
	[ "$(sql 'SELECT count(*) FROM volumes')" -eq 2 ]
	gives '' img mount -q
	gives '' find "$IMG_RUN" -path '*/mnt/*'
}

@test "activate: an image, read-only" {
	local node
	ok img activate base
	node=$out
	[ -b "$node" ]
	e2fsck -fn "$node" >"$T/fsck" 2>&1
	fails_to_write "$node"
	ok img activate
	matches "image +base:latest +read-only +$node"
	ok img run --rm base true
	fails 1 'cannot activate base: it is active already, read-only' \
		img activate base
	fails 1 'cannot activate base: an image never changes: *' \
		img activate --read-write base
	fails 1 'cannot remove base: its device is active: *' img rmi -f base
	fails 1 '*: base:latest is active' img pool stop
	# Any number of commands later it is there.
	ok img ps -a
	[ -b "$node" ]
	gives "$node" img activate -q
	exec {hold}<"$node"
	fails 1 'cannot deactivate base: its device is open: *' \
		img deactivate base
	exec {hold}<&-
	gives '' img deactivate base
	[ "$(intents)" -eq 0 ]
	gives '' thins
	fails 1 'cannot deactivate base: it is not active' img deactivate base
	# A device that went with a reboot is simply inactive.
	ok img activate base
	dmsetup remove "$(thins)"
	gives '' img activate -q
	[ "$(intents)" -eq 0 ]
}

# fails_to_write DEVICE
fails_to_write() {
	! dd if=/dev/zero of="$1" bs=4096 count=1 oflag=direct 2>"$T/dd"
}

@test "activate: a container, written by another system, and run again" {
	local node place
	ok img run --name vm base sh -c 'echo before >/x'
	ok img activate vm
	fails_to_write "$out"
	ok img commit -q vm read-only
	ok img deactivate vm
	ok img activate --read-write vm
	node=$out
	ok img activate --format json
	json "d == [{'Name': 'vm', 'Type': 'container', 'ReadOnly': False,
		'Open': False, 'Device': '$node'}]"
	fails 1 '*its device is active: *' img start -a vm
	fails 1 'cannot remove vm: its device is active: *' img rm -f vm
	fails 1 'cannot commit vm: its device is active for writing, *' \
		img commit vm x
	mkdir "$T/mnt"
	mount "$node" "$T/mnt"
	echo after >"$T/mnt/x"
	fails 1 "cannot deactivate vm: it is mounted at $T/mnt" \
		img deactivate vm
	# A look at it meanwhile, replayed in a snapshot.
	sync -f "$T/mnt"
	ok img mount vm
	place=$out
	gives after cat "$place/x"
	ok img umount "$place"
	umount "$T/mnt"
	gives '' img deactivate vm
	gives '' thins
	ok img start -a vm
	ok img run -d --name up base sleep 600
	fails 1 'cannot activate up: it is running: *' img activate up
	ok img rm -f up
	ok img commit -q vm image
	ok img rm vm
}

@test "the driver snapshot does all that as well" {
	local -x IMG_ROOT=$FILES/other IMG_RUN=$FILES/other-run
	ok img init --driver snapshot
	ok img import -q --size 32M "$CACHE/base.tar" base
	ok img run -d --name up base sh -c 'echo mine >/mine; exec sleep 600'
	ok img mount base
	gives 'a small system' cat "$out/etc/motd"
	gives 'a small system' img run --rm base cat /etc/motd
	fails 1 'cannot remove base: it is mounted at *' img rmi -f base
	ok img umount base
	mkdir "$T/dir"
	wait_for sh -c "'$IMG' mount up '$T/dir' && [ -e '$T/dir/mine' ] ||
		{ '$IMG' umount '$T/dir'; false; }"
	gives '' img umount up
	ok img export up --format ext4 -o "$FILES/up.ext4"
	e2fsck -fn "$FILES/up.ext4" >"$FILES/fsck" 2>&1
	ok img import -q "$FILES/up.ext4" again
	gives mine img run --rm again cat /mine
	ok img rm -f up
	ok img run --name vm base true
	ok img activate --read-write vm
	e2fsck -fn "$out" >"$FILES/fsck" 2>&1
	fails 1 'cannot remove vm: its device is active: *' img rm vm
	gives '' img deactivate vm
	[ "$(intents)" -eq 0 ]
	ok img rm vm
	ok img pool stop
	rm -rf "$IMG_ROOT" "$IMG_RUN" "$FILES/up.ext4"
}
