# File systems and archives through pipes; holes; what a container has become.
load lib/store
load lib/mount

@test "export: a container that grew, which is another kind of ext4, and in again" {
	ok img import -q --size 64M "$CACHE/base.tar" small
	ok img run --name one small sh -c 'echo mine >/mine'
	ok img resize one 300M
	ok img export one --format ext4 -o "$T/one"
	dumpe2fs -h "$T/one" >"$T/dump" 2>&1
	grep -q meta_bg "$T/dump"
	e2fsck -fn "$T/one" >"$T/fsck" 2>&1
	# Only what is used of it.
	[ "$(du -k "$T/one" | cut -f1)" -lt 32768 ]
	img import -q - again <"$T/one"
	gives mine img run --rm again cat /mine
}

@test "export: a tar leaves holes out, as GNU tar reads it" {
	local file
	mkdir "$T/in" "$T/tree"
	truncate -s 20M "$T/in/hole"
	truncate -s 30M "$T/in/pieces"
	for at in 0 700 5000 7679; do # the last is its last block
		head -c 4096 /dev/urandom |
			dd of="$T/in/pieces" bs=4096 seek=$at conv=notrunc status=none
	done
	truncate -s 10M "$T/in/tail"
	echo end >>"$T/in/tail"
	head -c 100000 /dev/urandom >"$T/in/dense"
	ok img import -q --size 64M "$T/in" holes
	ok img export holes -o "$T/holes.tar"
	[ "$(stat -c %s "$T/holes.tar")" -lt 200000 ]
	tar -C "$T/tree" -xf "$T/holes.tar"
	for file in hole pieces tail dense; do
		cmp "$T/in/$file" "$T/tree/$file"
		[ "$(stat -c %b "$T/tree/$file")" -le \
			$(($(stat -c %b "$T/in/$file") + 16)) ]
	done
	# And in again, as it was.
	ok img import -q --size 64M "$T/holes.tar" again
	manifest_of holes >"$T/want"
	manifest_of again >"$T/got"
	diff "$T/want" "$T/got"
}

@test "import: a file system on standard input" {
	ok img import -q --size 32M "$CACHE/base.tar" small
	ok img export small --format ext4 -o "$T/fs"
	# Through a pipe, and as a file.
	cat "$T/fs" | img import -q - piped
	with_volume "$(volume_of piped)" cmp "$T/fs"
	img import -q - given <"$T/fs"
	with_volume "$(volume_of given)" cmp "$T/fs"
	gives 'a small system' img run --rm piped cat /etc/motd
	# What it takes is what is in it.
	ok img df --format json
	json 'all(v["ExclusiveBytes"] < 32 << 20 for v in d["Volumes"]
		if v["Name"] == "piped:latest")'
	ok img rmi piped given
	# Longer, with nothing in it, is a volume larger than what is on it.
	{ cat "$T/fs" && head -c 3000000 /dev/zero; } | img import -q - longer
	ok img rmi longer
	piped_in '*goes on behind its file system' sh -c "cat '$T/fs' && echo x"
	piped_in '*is cut short: of a file system of 32.0 MiB only 9.5 MiB came' \
		head -c 10000000 "$T/fs"
	piped_in '*checksum*' sh -c "head -c 1150 '$T/fs'; printf x;
		tail -c +1152 '$T/fs'"
	piped_in '*is not a tar archive*' sh -c "head -c 3000 /dev/zero | tr '\\0' x"
	piped_in '*is not a tar archive*' echo short
	# An archive is one, from its first byte on.
	img import -q --size 32M - tar <"$CACHE/base.tar"
	gzip -1 <"$CACHE/base.tar" | img import -q --size 32M - gz
	with_volume "$(volume_of tar)" debugfs -R 'cat /etc/motd' >"$T/motd"
	[ "$(<"$T/motd")" = 'a small system' ]
	gives 'a small system' img run --rm gz cat /etc/motd
	[ "$(sql 'SELECT count(*) FROM intents')" -eq 0 ]
}

# piped_in PATTERN CMD...: what CMD prints is refused so, and leaves nothing.
piped_in() {
	local pattern=$1 before
	before=$(sql 'SELECT count(*) FROM volumes')
	shift
	"$@" >"$T/input"
	fails 1 "cannot import -: $pattern" sh -c "cat '$T/input' | '$IMG' import - bad"
	[ "$(sql 'SELECT count(*) FROM volumes')" -eq "$before" ]
}
