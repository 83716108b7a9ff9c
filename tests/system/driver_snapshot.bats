# What is special about the driver snapshot: files that can be mounted, copies,
# merges that are cut off, room that runs out.
load lib/store

setup_file() {
	export IMG_TEST_DRIVER=snapshot
	store_begin
	ok img import -q --size 64M "$CACHE/base.tar" base
	store_keep
}

# file_of NAME: a volume's own file, in REPLY.
file_of() {
	local volume
	volume=$(volume_of "$1")
	REPLY=$IMG_ROOT/volumes/${volume%%:*}
	[ -e "$REPLY" ] || REPLY=$(compgen -G "$REPLY-*.cow")
}

# small: goes on in a store of its own, on a file system of 64 MiB.
small() {
	truncate -s 64M "$T/host"
	mkfs.ext4 -q -O ^has_journal -m 0 "$T/host"
	mkdir "$T/small"
	mount -o loop "$T/host" "$T/small"
	IMG_ROOT=$T/small/store IMG_RUN=$T/run
	ok img init --driver snapshot
	ok img import -q --size 64M "$CACHE/base.tar" base
}

# fill: leaves 2 MiB of it.
fill() {
	local free
	free=$(df --output=avail -B1 "$T/small" | tail -n 1)
	fallocate -l $((free - (2 << 20))) "$T/small/filler"
}

# Leaves it.
large() {
	ok img pool stop
	IMG_ROOT=$FILES/store IMG_RUN=$FILES/run
	umount "$T/small"
}

@test "init: the driver and its sizes, and only such as it has" {
	IMG_ROOT=$T/store IMG_RUN=$T/run
	fails 1 "cannot make a store in $T/store: there is no driver 'zfs'*" \
		img init --driver zfs
	fails 1 "*no pool: it takes neither --data-size nor --metadata-size" \
		img init --driver snapshot --data-size 1G
	fails 1 "*chunk size*4K to 1M" img init --driver snapshot --chunk-size 3K
	gives "$T/store: driver snapshot, chunks 32.0 KiB, volumes 64.0 MiB" \
		img init --driver snapshot --chunk-size 32K --volume-size 64M
	ok img import -q "$CACHE/base.tar" base
	gives kept img run base sh -c 'echo kept'
	ok img pool stop
	# Files whose catalog is gone are not taken over.
	mkdir "$T/catalog"
	mv "$T/store"/store.db* "$T/catalog"
	fails 1 'there are volumes in *catalog*gone*' \
		img init --driver snapshot
	IMG_ROOT=$FILES/store IMG_RUN=$FILES/run
}

@test "an image is a file that anybody can mount, also while containers run" {
	local file
	file_of base
	file=$REPLY
	mkdir "$T/mnt"
	mount -o loop,ro "$file" "$T/mnt"
	[ "$(cat "$T/mnt/etc/motd")" = 'a small system' ]
	ok img run -d --name live base sleep 600
	dmsetup table >"$T/table"
	grep -q ' snapshot-origin 7:' "$T/table"
	grep -q ' snapshot 7:.* P 32' "$T/table"
	ok img run --rm base true
	[ "$(cat "$T/mnt/etc/motd")" = 'a small system' ]
	umount "$T/mnt"
	e2fsck -fn "$file" >"$T/fsck" 2>&1
	ok img rm -f live
	# With the last container the devices go.
	store_id=$(sql "SELECT value FROM settings WHERE key = 'store_id'")
	gives '' devices
}

@test "a commit is a file of its own, with holes, whose base may go" {
	ok img run --name web base sh -c 'echo changed >/state'
	ok img commit -q web image
	file_of image
	[ "$(stat -c %s "$REPLY")" -eq $((64 << 20)) ]
	[ "$(du -k "$REPLY" | cut -f 1)" -lt $((16 << 10)) ]
	e2fsck -fn "$REPLY" >"$T/fsck" 2>&1
	gives changed img run --rm image cat /state
	# Both stay whole without the other.
	ok img tag image twice
	ok img run --name child image sh -c 'echo more >>/state'
	ok img rmi -f image twice
	ok img start -a child
	ok img commit -q child grown
	gives $'changed\nmore\nmore' img run --rm grown cat /state
	[ -n "$(compgen -G "$IMG_ROOT/volumes/*.base")" ]
	ok img rm child
	[ -z "$(compgen -G "$IMG_ROOT/volumes/*.base")" ]
}

@test "a commit of a busy container is a file system at one moment" {
	ok img run -d --name live base sh -c \
		'echo ready; n=0; while :; do n=$((n + 1)); echo $n >/a; echo $n >/b; done'
	wait_for grep -q ready "$IMG_ROOT"/containers/*/log
	for n in 1 2 3; do
		ok img commit -q live "n$n"
		file_of "n$n"
		mkdir -p "$T/mnt"
		mount -o loop "$REPLY" "$T/mnt" # its journal is replayed
		[ -e "$T/mnt/etc/motd" ]
		umount "$T/mnt"
		e2fsck -fn "$REPLY" >"$T/fsck" 2>&1
	done
	ok img rm -f live
}

@test "merge: the image has what the container changed, which goes on empty" {
	local old file
	ok img run --name web base sh -c \
		'echo merged >/state; head -c 8000000 /dev/urandom >/big'
	ok img commit -q web image
	ok img rm web
	ok img run --name web image sh -c \
		'echo again >>/state; rm -f /etc/motd; cat /big'
	mv "$T/out" "$T/big"
	ok img inspect image
	old=$(sed -n 's/.*"Id": "\([0-9a-f]*\)".*/\1/p' "$T/out" | head -n 1)
	file_of image
	file=$REPLY
	ok img merge -q web
	file_of image
	[ "$REPLY" = "$file" ]
	ok img images -q --no-trunc
	lacks "$old"
	gives $'merged\nagain' img run --rm image cat /state
	ok img run --rm image cat /big
	cmp "$T/out" "$T/big"
	exits 1 img run --rm image cat /etc/motd
	e2fsck -fn "$file" >"$T/fsck" 2>&1
	# The container has nothing of its own any more, but its journal.
	ok img inspect web
	json 'd[0]["Volume"]["ExclusiveBytes"] < 65536'
	ok img start -a web
	ok img history image
	has 'sh -c echo again'
	ok img merge -q web
	gives $'merged\nagain\nagain' img run --rm image cat /state
}

@test "merge: refused while others are made from the image; forced, they keep it" {
	ok img run --name web base true
	ok img commit -q web image
	ok img tag image twice
	ok img run --name one image sh -c 'echo one >/state'
	ok img run --name two image sh -c 'cat /state 2>/dev/null || echo none'
	fails 1 'cannot merge one: other containers*(1)*--force*' img merge one
	ok img run -d --name three image sleep 600
	fails 1 'cannot merge three: it is running: stop it first' img merge three
	ok img merge -q --force one
	gives one img run --rm image cat /state
	gives one img run --rm twice cat /state
	gives none img start -a two
	ok img images
	has '<none>'
	ok img rm -f one two three
	fails 1 "*no container 'one'*" img merge one
}

@test "kill -9 in the middle of merges, each followed by a command" {
	local n delay seed=${SEED:-$RANDOM} merges=${MERGES:-12}
	echo "# SEED=$seed: $merges kills in as many merges" >&3
	RANDOM=$seed
	ok img run --name web base true
	ok img commit -q web image
	ok img rm web
	for ((n = 1; n <= merges; n++)); do
		ok img run --name web image sh -c \
			"echo $n >>/lines; head -c 1500000 /dev/urandom >/noise; sync"
		printf -v delay '0.%03d' $((RANDOM % 300))
		"$IMG" merge -q web >"$T/merge" 2>&1 3>&- &
		sleep "$delay"
		kill -9 $! 2>/dev/null || :
		wait $! || :
		ok img ps -a
		gives '' sql "SELECT op FROM intents"
		[ -z "$(compgen -G "$IMG_ROOT/volumes/*.merge")" ]
		ok img merge -q web # if it was not begun
		ok img rm web
		gives "$n"$'\n'"$n" img run --rm image sh -c \
			'wc -l </lines; tail -n 1 /lines'
	done
	file_of image
	e2fsck -fn "$REPLY" >"$T/fsck" 2>&1
}

@test "a merge whose devices went with the power goes on from its file" {
	local file uuid
	ok img run --name web base true
	ok img commit -q web image
	ok img rm web
	ok img run --name web image sh -c \
		'echo merged >/state; head -c 20000000 /dev/urandom >/noise; sync'
	"$IMG" merge -q web >"$T/merge" 2>&1 3>&- &
	wait_for compgen -G "$IMG_ROOT/volumes/*.merge" || :
	kill -9 $! 2>/dev/null || :
	wait $! || :
	# It may have come to its end.
	for uuid in /sys/block/dm-*/dm/name; do
		[ ! -e "$uuid" ] || dmsetup remove "$(<"$uuid")" || :
	done
	# What the killed had open the kernel lets go of a moment later.
	wait_for "$IMG" pool stop
	gives merged img run --rm image cat /state
	[ -z "$(compgen -G "$IMG_ROOT/volumes/*.merge")" ]
	file_of image
	e2fsck -fn "$REPLY" >"$T/fsck" 2>&1
}

@test "the host's file system fills up: nothing new is begun, the old can go" {
	small
	ok img run --name web base true
	fill
	fails 125 '*the file system of * has * left, * are needed*' \
		img run --rm base true
	fails 1 '*the file system of * has * left, * are needed*' \
		img start -a web
	fails 1 '*the file system of * has * left, * are needed*' \
		img commit web image
	ok img ps -a
	ok img df
	ok img rm web
	rm "$T/small/filler"
	ok img run --rm base true
	large
}

@test "a container whose changes found no room is invalid, and says so" {
	small
	ok img run -d --name web -v "$T:/v" base sh -c \
		'while [ ! -e /v/go ]; do sleep 0.1; done; cat /dev/urandom >/big; sync; sleep 600'
	fill
	echo >"$T/go"
	wait_for eval 'dmsetup status | grep -q "snapshot Invalid"'
	ok img inspect web
	json '"gave it up" in d[0]["Volume"]["Error"]'
	ok img rm -f web
	rm "$T/small/filler"
	ok img run --rm base true
	# One that ended so cannot be started again.
	ok img run --name old base true
	file=$(compgen -G "$IMG_ROOT/volumes/*.cow")
	printf '\0\0\0\0' | dd of="$file" bs=1 seek=4 conv=notrunc status=none
	fails 1 '*invalid: the kernel could not write what changed*' \
		img start -a old
	ok img inspect old
	json '"gave it up" in d[0]["Volume"]["Error"]'
	fails 1 '*given up by the kernel*' img commit old image
	ok img rm old
	large
}

@test "pool status: there is none, but the host's file system" {
	ok img pool status
	has_line 'mode       rw'
	matches 'data +[0-9.]+ [KMG]iB of [0-9.]+ [MGT]iB used, [0-9.]+ [MGT]iB free'
	has 'kept for what runs and for removals'
	has_line "limit      the host's file system"
	lacks metadata
	lacks snapshots
	ok img pool status --format json
	json 'd["Driver"] == "snapshot"' 'd["Mode"] == "rw"' \
		'd["MetadataBytes"] is None' 'd["SnapshotsMade"] is None' \
		'0 < d["DataUsedBytes"] < d["DataBytes"]' \
		'0 < d["DataReserveBytes"] <= 256 << 20'
	ok img df
	lacks metadata
	fails 1 "the driver 'snapshot' has no pool" img pool grow +1G
	fails 1 "the driver 'snapshot' has no pool" img pool grow
}

@test "space goes back to the host with the files" {
	local empty full
	empty=$(du -sk "$IMG_ROOT" | cut -f 1)
	ok img run --name web base sh -c \
		'head -c 30000000 /dev/urandom >/big; sync'
	ok img commit -q web image
	full=$(du -sk "$IMG_ROOT" | cut -f 1)
	[ $((full - empty)) -gt 60000 ]
	ok img rm web
	ok img rmi image
	[ $(($(du -sk "$IMG_ROOT" | cut -f 1) - empty)) -lt 1000 ]
}
