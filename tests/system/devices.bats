# Pools on block devices: which are taken, and how they are known again.
load lib/store

setup_file() {
	store_begin
}

# The devices of each test are loop devices over files of its own.
setup() {
	test_begin
	used=()
}

teardown() {
	local device
	[ ! -e "$IMG_ROOT/store.db" ] || {
		stop_containers
		img pool stop
	}
	for device in "${used[@]}"; do
		losetup -d "$device"
	done
	test_end_devices
	rm -rf "$IMG_ROOT" "$IMG_RUN"
}

# As test_end, less what is about a pool in files.
test_end_devices() {
	local left
	[ "$(</proc/self/mountinfo)" = "$mounts_before" ]
	left=$(strays)
	[ -z "$left" ] || {
		echo "left: $left"
		return 1
	}
}

# device NAME SIZE: makes a device over a new file, as $NAME.
device() {
	truncate -s "$2" "$T/$1.file"
	attach "$1"
}

# attach NAME: a device over the file that is there.
attach() {
	local node
	node=$(losetup -f --show "$T/$1.file")
	printf -v "$1" %s "$node"
	used+=("$node")
}

# detach NAME
detach() {
	local i
	losetup -d "${!1}"
	for i in "${!used[@]}"; do
		[ "${used[$i]}" != "${!1}" ] || unset "used[$i]"
	done
}

init() {
	img init --data-device "$data" --metadata-device "$metadata" "$@"
}

# refused PATTERN: as init says it.
refused() {
	fails 1 "cannot make a store in $IMG_ROOT: $1" init "${@:2}"
	[ ! -e "$IMG_ROOT/store.db" ]
}

@test "devices: all verbs, a restart, a reboot under other names" {
	device data 200M
	device metadata 16M
	gives "$IMG_ROOT: data 199 MiB, metadata 16.0 MiB, chunks 64.0 KiB, volumes 64.0 MiB" \
		init --volume-size 64M
	[ ! -e "$IMG_ROOT/pool/data" ]
	ok img import -q "$CACHE/base.tar" base
	ok img run --name one base sh -c 'echo kept >/kept'
	ok img commit -q one two
	ok img df
	gives '' img pool stop
	gives kept img run --rm two cat /kept
	# Other names, and the old ones lead elsewhere.
	img pool stop
	old_data=$data old_metadata=$metadata
	detach data
	detach metadata
	truncate -s 300M "$T/strange.file"
	attach strange
	attach metadata
	attach data
	[ "$data" != "$old_data" ] || [ "$metadata" != "$old_metadata" ]
	rm -rf "$IMG_RUN"
	gives kept img run --rm two cat /kept
	[ "$(sql "SELECT value FROM settings WHERE key = 'data_device'")" = "$data" ]
	ok img rm one
	ok img rmi two base
	gives '' img pool stop
	thin_check -q "$metadata"
	[ "$(thin_ls --no-headers -o DEV "$metadata" | tr -d ' \n')" = 0 ]
}

@test "devices: rm gives the space back by discards" {
	local before
	device data 200M
	device metadata 16M
	ok init --volume-size 64M
	ok img import -q "$CACHE/base.tar" base
	sync "$T/data.file"
	before=$(du -k "$T/data.file" | cut -f 1)
	ok img run --name big base sh -c 'head -c 20000000 /dev/urandom >/x; sync'
	[ "$(du -k "$T/data.file" | cut -f 1)" -gt $((before + 19000)) ]
	ok img rm big
	[ "$(du -k "$T/data.file" | cut -f 1)" -lt $((before + 1000)) ]
	ok img rmi base
}

@test "devices: what holds something is not taken, unless by force" {
	device data 100M
	device metadata 16M
	mkfs.ext4 -q "$data"
	refused "$data holds ext4; --force overwrites it"
	mkswap "$metadata" >/dev/null
	ok init --force
	ok img import -q "$CACHE/base.tar" base
	img pool stop
	# Another store's, not in use now.
	mv "$IMG_ROOT" "$T/first"
	refused "$metadata holds the metadata of a thin pool; --force overwrites it"
	dd if=/dev/zero of="$metadata" bs=4096 count=1 conv=fsync status=none
	device other 16M
	metadata=$other refused "$data holds the data of the store in $IMG_ROOT; --force overwrites it"
	rm -rf "$T/first"
}

@test "devices: what is in use, too small, too large or none at all" {
	device data 100M
	device metadata 16M
	mkdir "$T/mnt"
	mkfs.ext4 -q "$data"
	mount "$data" "$T/mnt"
	refused "$data is mounted on $T/mnt" --force
	umount "$T/mnt"
	dmsetup create test-user --table "0 2048 linear $metadata 0"
	refused "$metadata is used by dm-*" --force
	dmsetup remove test-user
	metadata=$data refused "$data and $data are the same device: *" --force
	data=$T/data.file refused "$T/data.file is no block device"
	data=/dev/nowhere refused "there is no device /dev/nowhere: No such file or directory"
	device small 1M
	device large 17G
	data=$small refused "$small is too small for data: *" --force
	metadata=$small refused "$small is too small for metadata: *need 2.0 MiB" --force
	metadata=$large refused "$large is too large for metadata: *16 GiB*--force*"
	fails 1 '--data-device and --metadata-device go together' \
		img init --data-device "$data"
	fails 1 'a device is used whole: *' init --data-size 1G
	fails 1 '*: the driver snapshot has no pool: *' init --driver snapshot
	fails 1 '--force is for --data-device: *' img init --force
	# A pool that runs.
	ok init --force
	(IMG_ROOT=$T/second IMG_RUN=$T/run2
		fails 1 "*$data is used by dm-*" init --force)
}

@test "devices: gone, swapped or shrunk at the next start" {
	device data 100M
	device metadata 16M
	ok init --volume-size 64M
	ok img import -q "$CACHE/base.tar" base
	img pool stop
	# Gone.
	detach data
	fails 125 "the data device of the store in $IMG_ROOT is not there: *" \
		img run --rm base true
	# Another one is there by its name.
	device stranger 100M
	fails 125 "the data device of the store in $IMG_ROOT is not there: *" \
		img run --rm base true
	detach stranger
	# Smaller than it was.
	cp --sparse=always "$T/data.file" "$T/whole"
	truncate -s 50M "$T/data.file"
	attach data
	fails 125 "the data device of the store in $IMG_ROOT is not there: *smaller*" \
		img run --rm base true
	detach data
	mv "$T/whole" "$T/data.file"
	attach data
	# Empty metadata in place of the store's: never formatted anew.
	detach metadata
	device blank 16M
	fails 125 "the metadata device of the store in $IMG_ROOT is not there: *" \
		img run --rm base true
	[ "$(od -An -tx8 -N8 -j 32 "$blank" | tr -d ' ')" = 0000000000000000 ]
	detach blank
	attach metadata
	gives '' img run --rm base true
}

@test "devices: a lost catalog is made again from them" {
	local before
	device data 100M
	device metadata 16M
	ok init --volume-size 64M
	ok img import -q "$CACHE/base.tar" base
	ok img run --name one base sh -c 'echo kept >/kept'
	ok img commit -q one two
	before=$(sql "SELECT name, tag, image FROM names ORDER BY 1, 2")
	img pool stop
	rm "$IMG_ROOT"/store.db*
	fails 1 '*there is nothing to make a catalog from: *--data-device and --metadata-device*' \
		img doctor --rebuild
	fails 1 '*' img doctor --rebuild --data-device "$data"
	fails 1 '*' img doctor --rebuild --data-device "$metadata" \
		--metadata-device "$data"
	ok img doctor --rebuild --data-device "$data" --metadata-device "$metadata"
	[ "$(sql "SELECT name, tag, image FROM names ORDER BY 1, 2")" = "$before" ]
	gives kept img run --rm two cat /kept
	ok img start -a one
	exits 0 img doctor --repair
	gives 'all is well' img doctor
	# With their other names, while the pool is up.
	rm "$IMG_ROOT"/store.db*
	ok img doctor --rebuild --data-device "$data" --metadata-device "$metadata"
	img pool stop
	detach data
	detach metadata
	device strange 100M
	attach metadata
	attach data
	rm "$IMG_ROOT"/store.db*
	ok img doctor --rebuild --data-device "$data" --metadata-device "$metadata"
	gives kept img run --rm two cat /kept
	ok img df
	has "on host    $data, $metadata"
}

# make_strays FROM COUNT: volumes that nobody knows, each with a tree of its own:
# a block of metadata.  By ioctl(2), since a process takes its time.
make_strays() {
	/usr/bin/python3 -S - "$pool" "$@" <<'END'
import fcntl, struct, sys
name, begin, count = sys.argv[1].encode(), int(sys.argv[2]), int(sys.argv[3])
TARGET_MSG = 0xc138fd0e
with open("/dev/mapper/control", "r+b", 0) as f:
    for i in range(begin, begin + count):
        text = b"create_thin %d\0" % (1000000 + i)
        buf = bytearray(struct.pack("<3IIIIiIIIQ128s129s7xQ", 4, 0, 0, 512, 312,
                                    0, 0, 0, 0, 0, 0, name, b"", 0) + text)
        fcntl.ioctl(f, TARGET_MSG, buf + bytes(512 - len(buf)))
END
}

# fill_metadata LEFT: has the pool make such volumes until it counts so many
# free blocks of metadata.
fill_metadata() {
	local used free
	while :; do
		read -r _ _ _ _ used _ < <(dmsetup status "$pool")
		free=$((${used#*/} - ${used%/*}))
		[ "$free" -gt "$1" ] || return 0
		make_strays "$strays" $(((free - $1 + 1) / 2)) || return
		strays=$((strays + (free - $1 + 1) / 2))
	done
}

@test "devices: metadata that runs out: creates end before the kernel does" {
	local pool strays=0
	device data 100M
	device metadata 2M
	ok init --volume-size 64M
	ok img import -q "$CACHE/base.tar" base
	ok img run --name one base true
	ok img commit -q one two
	pool=img-$(sql "SELECT substr(value, 1, 8) FROM settings WHERE key = 'store_id'")-pool
	# Half of so little is kept, a good deal more than the kernel itself keeps.
	fill_metadata 300
	ok img run --rm base true
	fill_metadata 240
	fails 125 'the pool is nearly full: * of its metadata is free, and the last 1.0 MiB are kept for what runs and for removals; *' \
		img run --rm base true
	fails 1 'cannot commit one: the pool is nearly full: *' img commit one x
	[[ $(dmsetup status "$pool") == *' rw '* ]]
	# Removals go on almost to the end, and what runs does.
	fill_metadata 24
	[[ $(dmsetup status "$pool") == *' rw '* ]]
	ok img start -a one
	ok img df
	ok img pool status
	has ': no new volumes'
	ok img rm one
	ok img rmi two
	ok img gc --dry-run
	[[ $(dmsetup status "$pool") == *' rw '* ]]
	[[ $(dmsetup status "$pool") != *needs_check* ]]
	# With room there is again, all works.
	truncate -s 16M "$T/metadata.file"
	losetup -c "$metadata"
	gives 'data 99.9 MiB, metadata 16.0 MiB' img pool grow
	gives 'a small system' img run --rm base cat /etc/motd
	img pool stop
	thin_check -q "$metadata"
}

@test "devices: a pool on larger ones grows, and is known again" {
	device data 100M
	device metadata 16M
	ok init --volume-size 64M
	ok img import -q "$CACHE/base.tar" base
	fails 1 'devices are used as far as they reach: *' img pool grow +10M
	truncate -s 200M "$T/data.file"
	losetup -c "$data"
	gives 'data 199 MiB, metadata 16.0 MiB' img pool grow
	ok img pool status
	has_line "devices    $data for data, $metadata for metadata"
	has_line 'limit      the devices'
	ok img pool stop
	detach data
	truncate -s 300M "$T/strange.file"
	attach strange
	attach data
	gives 'a small system' img run --rm base cat /etc/motd
	ok img df
	has "on host    $data, $metadata"
}
