# Stores broken in each way that the doctor knows, while a container runs: it
# says what is wrong, mends it, finds nothing any more, and all works.
load lib/doctor

@test "a sound store, with a container running: all is well" {
	well
	ok img commit idle probe
	gives kept img run --rm probe cat /file
	ok img rmi probe
	exits 0 img doctor --format json
	json "d == {'Findings': [], 'Left': 0, 'Mended': 0}"
	gives 'all is well' img doctor --repair
	fails 1 "*--format*" img doctor --format xml
	fails 1 "cannot rebuild the catalog: * is whole: 'img doctor --repair'*" \
		img doctor --rebuild
}

@test "orphan: a volume that nobody knows" {
	dmsetup message "$pool" 0 "create_snap 7000 $idle"
	finds orphan 'volume 7000'
	exits 2 img doctor --format json
	json "[f['Kind'] for f in d['Findings']] == ['orphan']" \
		"d['Left'] == 1" "d['Findings'][0]['Object'] == 'volume 7000'" \
		"d['Findings'][0]['Mendable'] and not d['Findings'][0]['Mended']"
	mends orphan
	run thin_ls --no-headers -o DEV "$IMG_ROOT/pool/metadata"
	[[ $output != *7000* ]]
}

@test "missing volume: a container that the pool lost, and an image" {
	local lost
	dmsetup message "$pool" 0 "delete $idle"
	finds missing-volume "volume $idle"
	exits 0 img doctor --repair
	has 'mended    missing-volume'
	fails 1 "*there is no container 'idle'" img rm idle
	gives 'all is well' img doctor
	# An image is not dropped unasked.
	ok img tag base other
	ok img run --name made base true
	ok img commit made gone
	lost=$(volume_of gone)
	dmsetup message "$pool" 0 "delete ${lost%:*}"
	exits 2 img doctor --repair
	matches 'left +missing-volume +volume .*img rmi'
	ok img rmi gone other
	ok img rm made
	gives 'all is well' img doctor
}

@test "stale intent, of a process that died" {
	local volume
	ok img run --name doomed base true
	volume=$(volume_of doomed)
	sql "PRAGMA foreign_keys = OFF;
		DELETE FROM containers WHERE name = 'doomed';
		INSERT INTO intents (op, volume) VALUES ('delete', ${volume%:*})"
	finds stale-intent 'intent '
	mends stale-intent
}

# The device of the container that does not run, as img would make it.
bring_up_idle() {
	local sectors dev
	sectors=$(sql "SELECT size_bytes / 512 FROM volumes WHERE id = $idle")
	dev=$(dmsetup info -c --noheadings --separator : -o major,minor "$pool")
	dmsetup create "img-${store_id:0:8}-$idle" -u "IMG-$store_id-$idle" \
		--table "0 $sectors thin $dev $idle"
}

@test "device: active with nobody using it, suspended, of no volume" {
	local name=img-${store_id:0:8}-$idle
	bring_up_idle
	finds stale-device "device $name"
	mends stale-device
	# That of the running container, left suspended.
	name=$(volume_of busy)
	name=img-${store_id:0:8}-${name%:*}
	dmsetup suspend "$name"
	finds suspended-device "device $name"
	mends suspended-device
	[[ $(dmsetup info -c --noheadings -o suspended "$name") == Active ]]
}

@test "device: open, but by nobody of img's: a person has to act" {
	local name=img-${store_id:0:8}-$idle fd
	bring_up_idle
	exec {fd}<"/dev/mapper/$name"
	exits 2 img doctor --repair
	matches "left +stale-device +device $name .*fuser"
	exec {fd}<&-
	mends stale-device
}

@test "leaked loop" {
	local loop
	loop=$(losetup -f --show "$IMG_ROOT/pool/data")
	finds leaked-loop "${loop#/dev/}"
	mends leaked-loop
	run losetup -j "$IMG_ROOT/pool/data"
	[ "${#lines[@]}" -eq 1 ] # the pool's own
}

@test "wrong size: a row that is smaller than its file system" {
	local right
	right=$(sql "SELECT size_bytes FROM volumes WHERE id = $idle")
	sql "UPDATE volumes SET size_bytes = 1048576 WHERE id = $idle"
	finds wrong-size "volume $idle"
	mends wrong-size
	[ "$(sql "SELECT size_bytes FROM volumes WHERE id = $idle")" -eq "$right" ]
}

@test "ledger and catalog: images that one of them does not know" {
	sql "INSERT INTO names SELECT 'extra', 'tag', image FROM names LIMIT 1"
	finds record-differs 'image '
	mends record-differs
	# An image whose rows are lost comes back, with its names.
	ok img commit idle precious
	sql "PRAGMA foreign_keys = ON; DELETE FROM images WHERE id =
		(SELECT image FROM names WHERE name = 'precious')"
	exits 2 img doctor
	has lost-image
	exits 0 img doctor --repair
	gives kept img run --rm precious cat /file
	gives 'all is well' img doctor
	ok img rmi precious extra:tag
	# Settings that were never recorded.
	sql "INSERT INTO settings VALUES ('later', '1')"
	finds store-unrecorded ledger
	mends store-unrecorded
	sql "DELETE FROM settings WHERE key = 'later'"
	mends store-unrecorded
}

@test "damaged ledger: written anew from the catalog" {
	ok img doctor # has the ledger's device up
	dmsetup mknodes "img-${store_id:0:8}-0"
	head -c 4096 /dev/urandom | dd of="/dev/mapper/img-${store_id:0:8}-0" \
		bs=4096 count=1 oflag=direct status=none
	head -c 4096 /dev/urandom | dd of="/dev/mapper/img-${store_id:0:8}-0" \
		bs=4096 count=1 seek=8192 oflag=direct status=none
	finds ledger-damaged ledger
	mends ledger-damaged
}

@test "metadata snapshot that nobody holds" {
	dmsetup message "$pool" 0 reserve_metadata_snap
	exits 2 img doctor
	matches 'found +stale-hold +metadata '
	gives 'all is well' img doctor
	dmsetup message "$pool" 0 reserve_metadata_snap
	mends stale-hold
}

@test "leftover files" {
	mkdir "$IMG_ROOT/containers/deadbeef"
	echo 1 >"$IMG_ROOT/containers/deadbeef/log"
	echo 1 >"$IMG_RUN/${store_id:0:12}/0123456789ab.pid"
	finds leftover-file deadbeef
	finds leftover-file 0123456789ab.pid
	mends leftover-file
	[ ! -e "$IMG_ROOT/containers/deadbeef" ]
	[ ! -e "$IMG_RUN/${store_id:0:12}/0123456789ab.pid" ]
}

@test "a row of a volume that nothing names becomes a container" {
	sql "PRAGMA foreign_keys = OFF; DELETE FROM containers WHERE name = 'idle'"
	finds unowned-volume "volume $idle"
	exits 0 img doctor --repair
	ok img start idle # as it was, by what was noted of it
	gives 'all is well' img doctor
	# Without the note it is one of its image, with a name of its own.
	rm -r "$IMG_ROOT"/containers/*
	sql "PRAGMA foreign_keys = OFF; DELETE FROM containers WHERE name = 'idle'"
	exits 0 img doctor --repair
	ok img rm "recovered-$idle"
	gives 'all is well' img doctor
}
