# Containers that become larger: when they start, while they run, when they are
# stopped.  e2fsck looks at each volume at the end of each test.
load lib/store

setup_file() {
	store_begin
	ok img init --data-size 8G --volume-size 64M
	ok img import -q "$CACHE/base.tar" base
	store_keep
}

# blocks_of NAME: of its file system as the superblock on the volume says, in
# REPLY: the low half is enough here.
blocks_of() {
	with_volume "$(volume_of "$1")" od -An -tu4 -j1028 -N4 >"$T/blocks"
	read -r REPLY <"$T/blocks"
}

# has_size NAME MIB: row, device and file system of a container that does not
# run have that size.
has_size() {
	[ "$(sql "SELECT size_bytes / 1048576 FROM volumes v
		JOIN containers c ON c.volume = v.id
		WHERE c.name = '$1' AND fs_bytes IS NULL")" = "$2" ] ||
		say "the row of $1 is not $2 MiB" || return
	blocks_of "$1"
	[ "$REPLY" -eq $(($2 * 256)) ] ||
		say "the file system of $1 has $REPLY blocks" || return
}

# live_blocks NAME: of the file system of a running container, in REPLY.
live_blocks() {
	read -r pid <"$(echo "$IMG_RUN"/*/*.pid)"
	REPLY=$(stat -f -c %b "/proc/$pid/root")
}

@test "run --size: larger than the image, from the first moment" {
	ok img run --size 300M --name big base \
		sh -c 'dd if=/dev/zero of=/big bs=1M count=150 2>/dev/null; ls -l /big'
	has 157286400
	has_size big 300
	ok img inspect big
	json 'd[0]["Volume"]["SizeBytes"] == 300 << 20'
	# What comes of it has its size.
	ok img commit -q big bigger
	ok img inspect bigger
	json 'd[0]["Volume"]["SizeBytes"] == 300 << 20'
	ok img run --name child bigger true
	has_size child 300
	# The image's own size, said or not.
	ok img run --size 64M --name same base true
	has_size same 64
	ok img run --rm --size 1G base true
	# Sizes that are no whole blocks are rounded up.
	ok img run --size 104857601 --name odd base true
	[ "$(sql "SELECT size_bytes FROM volumes v JOIN containers c
		ON c.volume = v.id WHERE c.name = 'odd'")" -eq 104861696 ]
}

@test "run --size: smaller is refused, and nothing is left" {
	local volumes
	volumes=$(sql 'SELECT count(*) FROM volumes')
	fails 125 '--size 32.0 MiB is less than the 64.0 MiB of the image: a file system cannot be made smaller' \
		img run --size 32M base true
	fails 125 '--size: a volume cannot be larger than 16T' \
		img run --size 17T base true
	fails 125 '--size: *' img run --size big base true || fails 125 '*big*' \
		img run --size big base true
	[ "$(sql 'SELECT count(*) FROM volumes')" -eq "$volumes" ]
	[ "$(sql 'SELECT count(*) FROM containers')" -eq 0 ]
}

@test "a stopped container becomes larger, and keeps what it has" {
	ok img run --name web base sh -c 'echo x >>/kept; cat /kept'
	gives web img resize web 200M
	has_size web 200
	gives web img resize web +56M
	has_size web 256
	# The size that it has is no failure.
	gives web img resize web 256M
	ok img start -a web
	[ "$out" = $'x\nx' ]
	has_size web 256
	# Nothing is left active but the pool and its ledger.
	store_id=$(sql "SELECT value FROM settings WHERE key = 'store_id'")
	[ "$(devices | grep -c '^img-')" -eq 2 ]
}

@test "a running container becomes larger under its own feet" {
	ok img run -d --name live base sh -c 'echo ready
		while [ ! -e /go ]; do echo alive >>/alive; done
		dd if=/dev/zero of=/big bs=1M count=400 2>/dev/null && echo done >/done'
	wait_for grep -q ready "$IMG_ROOT"/containers/*/log
	gives live img resize live 512M
	live_blocks
	[ "$REPLY" -gt $((480 * 256)) ]
	gives live img resize live 1G
	live_blocks
	[ "$REPLY" -gt $((980 * 256)) ]
	[ "$(cat /sys/block/dm-*/dm/suspended | sort -u)" = 0 ]
	fails 1 'cannot resize live: it has 1.0 GiB already, and a file system can only be made larger: its blocks may be anywhere' \
		img resize live 512M
	ok img exec live touch /go
	wait_for sh -c "[ -z \"\$($IMG ps -q)\" ]"
	has_size live 1024
	ok img commit -q live grown
	gives done img run --rm grown cat /done
}

@test "a full container goes on once it is larger" {
	try img run --name full base dd if=/dev/zero of=/big bs=1M count=100
	[ "$status" -eq 1 ]
	[[ $err == *'No space left on device'* ]]
	gives full img resize full +128M
	try img start -a full
	[ "$status" -eq 0 ]
	has_size full 192
}

@test "snapshots and clones have the size of their time" {
	ok img run --name web base true
	gives small img snapshot create web small
	gives web img resize web 128M
	gives large img snapshot create web large
	ok img clone web copy
	has_size copy 128
	gives web img resize web 256M
	gives web img snapshot rollback web large
	has_size web 128
	gives web img snapshot rollback web small
	has_size web 64
	ok img start -a web
	gives web img resize web 96M
	has_size web 96
	ok img snapshot ls --format json web
	json '[s["SizeBytes"] >> 20 for s in d] == [64, 128]'
}

@test "a container that plays with its root is resized all the same" {
	# It may go anywhere, and put anything over its root: its volume is
	# reached without it.
	ok img run -d --privileged --name nasty base sh -c \
		'cp -a /bin /lib* /usr /tmp 2>/dev/null; echo ready; exec chroot /tmp sleep 600'
	wait_for grep -q ready "$IMG_ROOT"/containers/*/log
	gives nasty img resize nasty 512M
	gives nasty img ps --format '{{.Names}}'
	stop_containers
	wait_for sh -c "[ -z \"\$($IMG ps -q)\" ]"
	has_size nasty 512
}

@test "resize says what is wrong, and changes nothing" {
	ok img run --name web base true
	fails 1 "there is no container 'nobody'" img resize nobody 1G
	fails 1 'cannot resize web: it has 64.0 MiB already, and a file system can only be made larger: its blocks may be anywhere' \
		img resize web 32M
	fails 1 "cannot resize web: SIZE '*" img resize web large
	fails 1 "cannot resize web: SIZE '*" img resize web ++1G
	fails 1 'cannot resize web: a volume cannot be larger than 16T' \
		img resize web 17T
	fails 1 'cannot resize web: a volume cannot be larger than 16T' \
		img resize web +16T
	has_size web 64
}

@test "what a crash left of a resize is finished by the next use" {
	# As if the process had died after its row was written: by the next
	# command where an intent tells of it, else when the container starts.
	ok img run --name web base true
	sql "UPDATE volumes SET fs_bytes = size_bytes, size_bytes = 134217728
		WHERE id = (SELECT volume FROM containers WHERE name = 'web')"
	ok img start -a web
	has_size web 128
	sql "UPDATE volumes SET fs_bytes = size_bytes, size_bytes = 201326592
		WHERE id = (SELECT volume FROM containers WHERE name = 'web');
		INSERT INTO intents (op, volume)
		SELECT 'resize', volume FROM containers WHERE name = 'web'"
	ok img ps -a
	has_size web 192
	# The same while it runs.
	ok img run -d --name live base sh -c 'echo ready; exec sleep 600'
	wait_for grep -q ready "$IMG_ROOT"/containers/*/log
	sql "UPDATE volumes SET fs_bytes = size_bytes, size_bytes = 268435456
		WHERE id = (SELECT volume FROM containers WHERE name = 'live');
		INSERT INTO intents (op, volume)
		SELECT 'resize', volume FROM containers WHERE name = 'live'"
	ok img images
	live_blocks
	[ "$REPLY" -gt $((240 * 256)) ]
	stop_containers
	wait_for sh -c "[ -z \"\$($IMG ps -q)\" ]"
	has_size live 256
}
