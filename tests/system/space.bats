# Stores of other sizes, pools that fill up, and what the pool is asked.
load lib/store

setup_file() {
	store_begin
}

# These tests make stores of their own.
setup() {
	test_begin
}

teardown() {
	test_end
	rm -rf "$IMG_ROOT" "$IMG_RUN"
}

@test "init: sizes as asked, once, and only such as can be" {
	local root=$IMG_ROOT
	fails 1 'there is no store in * yet: *' img df
	fails 1 'there is no store in * yet: *' img run-nothing || fails 125 \
		"there is no verb 'run-nothing'*" img run-nothing
	fails 125 'there is no store in * yet: *' img run x true
	ok img images
	ok img ps -a
	ok img tree
	[ ! -e "$root" ]
	fails 1 "cannot make a store in $root: *chunk size*power of two*" \
		img init --chunk-size 100K
	fails 1 "cannot make a store in $root: *metadata size*2M to 16G" \
		img init --metadata-size 1M
	fails 1 "cannot make a store in $root: *data size*16 chunks" \
		img init --data-size 512K
	fails 1 '--data-size: *' img init --data-size 1Q ||
		fails 1 '*1Q*' img init --data-size 1Q
	gives "$root: data 64.0 MiB, metadata 4.0 MiB, chunks 128 KiB, volumes 48.0 MiB" \
		img init --data-size 64M --metadata-size=4M --chunk-size 128K \
		--volume-size 48M
	fails 1 "there is a store in $root already" img init
	ok img pool status
	has_line 'mode       rw'
	has_line 'chunk      128 KiB'
	matches 'data +.* of 64.0 MiB'
	matches 'metadata +.* of 4.0 MiB'
	ok img import -q "$CACHE/base.tar" base
	ok img inspect base
	json 'd[0]["Volume"]["SizeBytes"] == 48 << 20'
	ok img run --rm base true
	# Another one beside it, named by an option.
	ok img --root "$T/other" --run-root "$T/run" init --data-size 1G
	gives 'REPOSITORY   TAG   IMAGE ID   CREATED   SIZE' \
		img --root="$T/other" --run-root="$T/run" images
	ok img --root "$T/other" --run-root "$T/run" pool stop
	ok img images
	has 'base '
}

@test "a pool that fills up: a message that says so, and all works again" {
	local used
	ok img init --data-size 24M --volume-size 64M
	ok img import -q "$CACHE/base.tar" base
	# During an import.
	head -c 30000000 /dev/urandom >"$T/big"
	tar -C "$T" -cf "$T/big.tar" big
	used=$(used_bytes)
	fails 1 "cannot import $T/big.tar: *full*" img import "$T/big.tar" big ||
		fails 1 "cannot import $T/big.tar: *space*" \
			img import "$T/big.tar" big
	[ "$(used_bytes)" -eq "$used" ]
	ok img pool status
	has_line 'mode       rw'
	# During a run: the writer is told, the container can be removed.
	try img run --name filler base dd if=/dev/urandom of=/big bs=1M count=40 \
		oflag=direct
	[ "$status" -ne 0 ] || try img run --name more base \
		sh -c 'cat /dev/urandom >/big; sync'
	ok img ps -a
	ok img df
	ok img rm -f filler more
	ok img pool status
	has_line 'mode       rw'
	[ "$(used_bytes)" -eq "$used" ]
	gives 'a small system' img run --rm base cat /etc/motd
}

@test "a file system that fills up: as any other, and its own affair" {
	ok img import -q --size 32M "$CACHE/base.tar" base
	try img run --name full base dd if=/dev/zero of=/big bs=1M count=64
	[ "$status" -eq 1 ]
	[[ $err == *'No space left on device'* ]]
	ok img commit -q full image
	ok img run --rm image sh -c 'rm /big; echo works >/x; cat /x'
	ok img start -a full || [ "$status" -eq 1 ]
}

@test "after the pool was stopped, any verb brings it up again" {
	ok img import -q "$CACHE/base.tar" base
	ok img run --name one base sh -c 'echo kept >/kept'
	for verb in 'run --rm base true' 'start -a one' 'commit -q one two' 'df' \
		'pool status' 'rm one' 'rmi two'; do
		gives '' img pool stop
		store_id=$(sql "SELECT value FROM settings WHERE key = 'store_id'")
		gives '' devices
		# shellcheck disable=SC2086 # words
		ok img $verb
	done
	ok img run -d --name busy base sleep 600
	fails 1 '*' img pool stop
	ok img ps
	has busy
	ok img rm -f busy
	gives '' img pool stop
	gives '' img pool stop
}

@test "a store that cannot be used says why" {
	ok img import -q "$CACHE/base.tar" base
	img pool stop
	# Moved whole, it works where it is; its old place is none.
	mv "$IMG_ROOT" "$T/moved"
	fails 1 'there is no store in * yet: *' img df
	gives 'a small system' img --root "$T/moved" run --rm base cat /etc/motd
	img --root "$T/moved" pool stop
	# A pool whose catalog is gone is not overwritten.
	mkdir "$T/catalog"
	mv "$T/moved"/store.db* "$T/catalog"
	fails 1 "*catalog $T/moved/store.db is gone: 'img doctor --rebuild'*" \
		img --root "$T/moved" init
	fails 1 '*catalog*gone*' img --root "$T/moved" import "$CACHE/base.tar" x
	# A catalog that is none; one of a pool that is gone.
	head -c 8192 /dev/urandom >"$T/moved/store.db"
	fails 1 "*$T/moved/store.db*" img --root "$T/moved" images
	rm "$T/moved"/store.db*
	mv "$T/catalog"/* "$T/moved"
	mv "$T/moved/pool/data" "$T/data"
	fails 125 "*$T/moved/pool/data*No such file or directory" \
		img --root "$T/moved" run --rm base true
	mv "$T/data" "$T/moved/pool/data"
	gives '' img --root "$T/moved" run --rm base true
	img --root "$T/moved" pool stop
	fails 1 '*' img --root /dev/null images
	fails 1 '*' img --root /proc/nowhere init
	mv "$T/moved" "$IMG_ROOT"
}

@test "who may not use device-mapper is pointed to the machine" {
	ok img import -q "$CACHE/base.tar" base
	img pool stop
	# Root without the capability; an ordinary user, with a store of its own
	# and with one that is root's.
	fails 125 '*device-mapper*; try: img machine exec -- img run ...' \
		setpriv --bounding-set -sys_admin "$IMG" run --rm base true
	chmod 755 "$FILES"
	mkdir -m 777 "$T/own"
	fails 1 '*device-mapper*; try: img machine exec -- img import ...' \
		setpriv --reuid 65534 --regid 65534 --clear-groups "$IMG" \
		--root "$T/own/store" --run-root "$T/own/run" \
		import "$CACHE/base.tar" base
	[ ! -e "$T/own/store/pool" ]
	fails 125 "*$IMG_ROOT/store.db*" \
		setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$IMG" run base true
	# What only reads needs no device.
	ok setpriv --bounding-set -sys_admin "$IMG" images
	has 'base '
}

@test "nothing but img is executed: all works where there are no programs" {
	local verb
	ok img import -q "$CACHE/base.tar" base
	gzip -1 <"$CACHE/base.tar" >"$T/base.tar.gz"
	for verb in "import -q $T/base.tar.gz gz" 'run --name one base true' \
		'snapshot create one first' 'resize one +64M' 'commit -q one two' \
		"export one -o $T/tar" "export two --format ext4 -o $T/fs" \
		"import -q $T/fs three" 'clone one other' 'merge -q one' 'trim two' \
		'gc' 'df' 'rm one other' 'doctor'; do
		# shellcheck disable=SC2086 # words
		ok env PATH=/nowhere "$IMG" $verb
	done
	has 'all is well'
}

@test "nodes that lead elsewhere, or are there already, are not used" {
	local n made=()
	ok img import -q "$CACHE/base.tar" base
	ok img pool stop
	# What udev, or somebody, has left by the names of the next devices.
	for n in {0..15}; do
		[ ! -e "/dev/dm-$n" ] || continue
		mknod "/dev/dm-$n" b 7 255
		made+=("/dev/dm-$n")
	done
	gives 'a small system' img run --rm base cat /etc/motd
	ok img import -q "$CACHE/base.tar" again
	rm "${made[@]}"
	gives 'a small system' img run --rm again cat /etc/motd
}
