# What the doctor must not take for a leftover.
load lib/doctor

@test "what is mounted, looked at or handed out is as it should be" {
	local device
	mkdir "$T/view" "$T/look"
	ok img mount busy "$T/view"
	ok img mount base "$T/look"
	ok img activate idle
	device=$out
	gives 'all is well' img doctor
	gives 'all is well' img doctor --repair
	# It is all still there.
	[ -e "$T/view/etc/motd" ] && [ -e "$T/look/etc/motd" ] && [ -b "$device" ]
	ok img umount "$T/view"
	ok img umount "$T/look"
	ok img deactivate idle
	well
}

@test "an orphan that is noted as a container becomes one again" {
	local id
	id=$(sql "SELECT id FROM containers WHERE name = 'idle'")
	sql "PRAGMA foreign_keys = OFF;
		DELETE FROM containers WHERE name = 'idle';
		DELETE FROM volumes WHERE id = $idle"
	exits 2 img doctor
	matches "found +orphan +volume $idle .*container idle; --repair makes it that"
	lacks leftover-file
	mends orphan
	[ "$(sql "SELECT id FROM containers WHERE name = 'idle'")" = "$id" ]
	ok img start -a idle
	ok img commit -q idle again
	gives kept img run --rm again cat /file
	ok img rmi again
}

@test "who keeps a device busy is named, and the removal is finished later" {
	local name=img-${store_id:0:8}-$idle sectors dev fd
	sectors=$(sql "SELECT size_bytes / 512 FROM volumes WHERE id = $idle")
	dev=$(dmsetup info -c --noheadings --separator : -o major,minor "$pool")
	dmsetup create "$name" -u "IMG-$store_id-$idle" \
		--table "0 $sectors thin $dev $idle"
	exec {fd}<"/dev/mapper/$name"
	fails 1 "cannot remove idle: *[(]it is open in * [(]process *" img rm idle
	exec {fd}<&-
	ok img ps -a # as any command does
	well
}
