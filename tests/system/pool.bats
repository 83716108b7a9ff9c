# The pool: what it says of itself, what is kept free, how it grows.
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

# pool KEY: a number from pool status.
pool() {
	img pool status --format json |
		sed -n "s/.*\"$1\": \"\?\([^\",]*\)\"\?,\?\$/\1/p"
}

# chunks FILE: the size of a pool as the kernel has it, in chunks.
kernel_chunks() {
	dmsetup table "$1" | awk '{ print $2 / $6 }'
}

pool_name() {
	echo "img-$(sql "SELECT substr(value, 1, 8) FROM settings WHERE key = 'store_id'")-pool"
}

@test "status: mode, space, reserve, counters" {
	ok img init --data-size 100M --metadata-size 16M --volume-size 64M
	ok img import -q "$CACHE/base.tar" base
	ok img pool status
	has_line 'mode       rw'
	matches 'data +[0-9.]+ MiB of 100 MiB used, [0-9.]+ MiB free'
	has '2.0 MiB kept for what runs and for removals'
	matches 'metadata +[0-9.]+ [KM]iB of 16.0 MiB used'
	has '4.0 MiB kept for what runs and for removals'
	has_line 'limit      100 MiB of data'
	has_line 'snapshots  0 of 16777215 made'
	has_line 'ids        1 of 16777215 given'
	ok img run --rm base true
	ok img pool status --format json
	json 'd["Mode"] == "rw"' 'd["NeedsCheck"] is False' \
		'd["DataBytes"] == 100 << 20' 'd["MetadataBytes"] == 16 << 20' \
		'd["DataReserveBytes"] == 2 << 20' 'd["MaxBytes"] == 100 << 20' \
		'd["CanGrow"] is True' 'd["SnapshotsMade"] == 1' \
		'd["HighestVolumeId"] == 2' 'd["DataDevice"] is None' \
		'0 < d["DataUsedBytes"] < 100 << 20'
	fails 1 '--format is table or json*' img pool status --format x
}

@test "reserve: creates are refused below it, removals never" {
	ok img init --data-size 64M --reserve 24M --volume-size 64M
	ok img import -q "$CACHE/base.tar" base
	ok img run --name filler base sh -c \
		'dd if=/dev/urandom of=/x bs=1M count=32 oflag=direct 2>/dev/null'
	fails 125 'the pool is nearly full: * of its data is free, and the last 24.0 MiB are kept for what runs and for removals; *img rm*img pool grow*' \
		img run --rm base true
	fails 1 'cannot commit filler: the pool is nearly full: *' img commit filler x
	fails 1 "cannot import $CACHE/base.tar: the pool is nearly full: *" \
		img import "$CACHE/base.tar" again
	# What runs goes on, into the reserve.
	ok img start -a filler
	ok img df
	ok img pool status
	has ': no new volumes'
	ok img rm filler
	ok img run --rm base true
}

@test "full: writers are told, everything that frees space works" {
	local before
	ok img init --data-size 48M --volume-size 64M
	ok img import -q "$CACHE/base.tar" base
	ok img run --name idle base true
	ok img commit -q idle image
	ok img run --name holes base sh -c 'head -c 4000000 /dev/urandom >/x
		sync; rm /x; sync'
	# The program itself hears of it.
	try img run --name filler base dd if=/dev/zero of=/x bs=1M count=60 \
		oflag=direct
	[ "$status" -eq 1 ]
	[[ $err == *'No space left on device'* ]]
	[ "$(pool Mode)" = out_of_data_space ]
	[ "$(pool DataUsedBytes)" -eq "$(pool DataBytes)" ]
	ok img pool status
	has_line 'mode       out_of_data_space (writes that need space fail)'
	ok img df
	ok img ps -a
	ok img images
	ok img tree
	fails 125 '*full*' img run --rm base true
	# A file system in a full pool may be beyond use; that is said as it is.
	try img start -a filler
	[ "$status" -eq 0 ] || [[ $err == *'pool is full'* || $err == *'No space'* ]]
	ok img gc --dry-run
	ok img gc
	# Without any free block: of what is in files that are gone, of an image
	# and of containers.
	before=$(pool DataUsedBytes)
	ok img trim holes
	[ "$(pool DataUsedBytes)" -lt $((before - 3000000)) ]
	ok img rm holes
	before=$(du -k "$IMG_ROOT/pool/data" | cut -f 1)
	ok img rmi image
	ok img rm idle
	ok img rm -f filler
	[ "$(du -k "$IMG_ROOT/pool/data" | cut -f 1)" -lt $((before - 20000)) ]
	[ "$(pool Mode)" = rw ]
	gives 'a small system' img run --rm base cat /etc/motd
}

# set_time N: how many snapshots the pool has counted, while it is down.
set_time() {
	/usr/bin/python3 - "$IMG_ROOT/pool/metadata" "$1" <<'END'
import struct, sys
T = []
for n in range(256):
    for _ in range(8):
        n = n >> 1 ^ (0x82f63b78 if n & 1 else 0)
    T.append(n)
f = open(sys.argv[1], "r+b")
b = bytearray(f.read(4096))
struct.pack_into("<I", b, 44, int(sys.argv[2]))
c = 0xffffffff
for x in b[4:]:
    c = T[(c ^ x) & 255] ^ c >> 8
struct.pack_into("<I", b, 0, c ^ 160774)
f.seek(0)
f.write(b)
END
}

@test "counters: warned of at half, refused at 95 %, of the pool's own metadata" {
	ok img init --data-size 64M --metadata-size 4M --volume-size 64M
	ok img import -q "$CACHE/base.tar" base
	ok img run --name one base true
	ok img pool stop
	set_time 8388607
	ok img pool status
	has_line 'snapshots  8388607 of 16777215 made'
	ok img run --rm base true
	ok img pool status
	has_line 'snapshots  8388608 of 16777215 made: think of a new store, they are never used again'
	ok img pool stop
	set_time 15938340
	fails 125 'the pool has counted 15938340 snapshots of the 16777215 that it can count: move what you need into a new store, *' \
		img run --rm base true
	fails 1 'cannot commit one: the pool has counted *' img commit one x
	ok img pool status
	has_line 'snapshots  15938340 of 16777215 made: no new volumes'
	ok img start -a one
	ok img rm one
	ok img df
	# Ids come back.
	ok img pool stop
	set_time 5
	sql "UPDATE sqlite_sequence SET seq = 16777215 WHERE name = 'volumes'"
	ok img run --rm base true
	ok img pool status
	has_line 'ids        16777215 of 16777215 given: free ones are given again at the end'
}

@test "grow: by hand, while a container writes" {
	ok img init --data-size 64M --metadata-size 4M --volume-size 64M
	ok img import -q "$CACHE/base.tar" base
	ok img run -d --name writer base sh -c \
		'while :; do date >/x; sync; done'
	gives 'data 128 MiB, metadata 4.0 MiB' img pool grow 128M
	gives 'data 192 MiB, metadata 4.0 MiB' img pool grow +64M
	gives 'data 192 MiB, metadata 8.0 MiB' img pool grow --metadata +4M
	[ "$(kernel_chunks "$(pool_name)")" -eq $((192 * 16)) ]
	[ "$(stat -c %s "$IMG_ROOT/pool/data")" -eq $((192 << 20)) ]
	ok img pool status
	has_line 'limit      192 MiB of data'
	fails 1 '*cannot be made smaller' img pool grow 100M
	fails 1 '*cannot be made smaller' img pool grow --metadata 4M
	fails 1 '*16 GiB*' img pool grow --metadata 20G
	fails 1 'how large is it to be? *' img pool grow
	fails 1 '*' img pool grow +1Q
	ok img rm -f writer
	# As large after a restart.
	ok img pool stop
	[ "$(pool DataBytes)" -eq $((192 << 20)) ]
	[ "$(pool MetadataBytes)" -eq $((8 << 20)) ]
}

@test "grow: by itself, before the reserve is touched" {
	fails 1 '*maximal size is less*' img init --data-size 2G --max-size 1G
	ok img init --data-size 24M --max-size 400M --metadata-size 2M \
		--volume-size 300M
	# A single import that is larger than the pool.
	head -c 60000000 /dev/urandom >"$T/big"
	tar -C "$T" -cf "$T/big.tar" big
	ok img import -q "$T/big.tar" big
	[ "$(pool DataBytes)" -ge $((60 << 20)) ]
	ok img import -q "$CACHE/base.tar" base
	# A container that writes more than there is, while it runs.
	ok img run --name writer base sh -c 'sleep 1; for i in 1 2 3 4 5 6; do
		dd if=/dev/urandom of=/x$i bs=1M count=20 oflag=direct 2>&1 &&
		sleep 0.5 || exit 1; done'
	[ "$(pool DataBytes)" -ge $((180 << 20)) ]
	[ "$(pool DataBytes)" -le $((400 << 20)) ]
	[ "$(pool Mode)" = rw ]
	ok img rm writer
	ok img rmi big
}

@test "grow: one that was interrupted is finished by the next" {
	local name
	ok img init --data-size 64M --metadata-size 4M --volume-size 64M
	ok img import -q "$CACHE/base.tar" base
	name=$(pool_name)
	# Recorded, and nothing done.
	sql "UPDATE settings SET value = $((128 << 20)) WHERE key = 'data_bytes'"
	sql "UPDATE settings SET value = $((8 << 20)) WHERE key = 'metadata_bytes'"
	ok img run --rm base true
	[ "$(kernel_chunks "$name")" -eq $((128 * 16)) ]
	# Found when the pool comes up.
	ok img pool stop
	sql "UPDATE settings SET value = $((192 << 20)) WHERE key = 'data_bytes'"
	ok img run --rm base true
	[ "$(kernel_chunks "$name")" -eq $((192 * 16)) ]
	[ "$(pool MetadataBytes)" -eq $((8 << 20)) ]
}
