# File systems as files: export of them, and import, with every structure
# checked.
load lib/store
load lib/mount

# tree_of FILE: what is in a file system, as manifest.
tree_of() {
	mkdir -p "$FILES/mnt"
	mount -o ro,loop "$1" "$FILES/mnt" || return
	"$FIXTURES/manifest" "$FILES/mnt"
	umount "$FILES/mnt"
}

@test "export: an image, sparse, and back again" {
	ok img export base --format ext4 -o "$T/large.ext4"
	[ -z "$out" ]
	[ "$(stat -c %s "$T/large.ext4")" -eq $((10 << 30)) ]
	[ "$(du -k "$T/large.ext4" | cut -f1)" -lt 65536 ]
	ok img import -q --size 96M "$CACHE/base.tar" small
	ok img export small --format ext4 -o "$T/base.ext4"
	# What it takes is what is in it, not its size.
	[ "$(du -k "$T/base.ext4" | cut -f1)" -lt 65536 ]
	e2fsck -fn "$T/base.ext4" >"$T/fsck" 2>&1
	manifest_of base >"$T/want"
	tree_of "$T/base.ext4" >"$T/got"
	diff "$T/want" "$T/got"
	ok img import "$T/base.ext4" again
	manifest_of again >"$T/got"
	diff "$T/want" "$T/got"
	with_volume "$(volume_of again)" cmp "$T/base.ext4"
	gives 'a small system' img run --rm again cat /etc/motd
	# Its blocks are as many as the file's, not more.
	ok img df --format json
	json 'all(v["ExclusiveBytes"] < 64 << 20 for v in d["Volumes"])'
}

@test "export: a container that runs and writes is clean on the disk" {
	ok img run -d --name busy base sh -c 'n=0; while :; do n=$((n + 1))
		echo $n >/f$((n % 50)); rm -f /f$(((n + 25) % 50)); done'
	wait_for sh -c "'$IMG' export busy --format ext4 -o '$T/1' &&
		debugfs -R 'stat /f1' '$T/1' 2>/dev/null | grep -q Inode"
	ok img export busy --format ext4 -o "$T/2"
	e2fsck -fn "$T/1" >"$T/fsck" 2>&1
	e2fsck -fn "$T/2" >"$T/fsck" 2>&1
	# A file that is open and deleted does not come along.
	ok img run -d --name open base sh -c 'exec 3>/gone; rm /gone
		head -c 3000000 /dev/zero | tr "\0" x >&3; echo >/done
		exec sleep 600'
	mkdir "$T/dir"
	wait_for sh -c "'$IMG' mount open '$T/dir' && [ -e '$T/dir/done' ];
		s=\$?; '$IMG' umount '$T/dir'; exit \$s"
	ok img export open --format ext4 -o "$T/3"
	e2fsck -fn "$T/3" >"$T/fsck" 2>&1
	ok img import -q "$T/3" three
	ok img rm -f busy open
	[ "$(sql 'SELECT count(*) FROM intents')" -eq 0 ]
}

@test "export: what was deleted does not come along; what fails leaves nothing" {
	ok img run --name one base sh -c \
		'echo hidden-treasure >/x; sync; rm /x; sync; echo >/y'
	ok img export one --format ext4 -o "$T/one"
	exits 1 grep -q hidden-treasure "$T/one"
	fails 1 'cannot export nosuch: there is no container or image *' \
		img export nosuch --format ext4 -o "$T/x"
	fails 1 "cannot export one: cannot write $T/no/x: No such file *" \
		img export one --format ext4 -o "$T/no/x"
	fails 1 'a file system goes to a file: use -o' \
		img export one --format ext4
	# Into a file system that is full.
	mkdir "$T/small"
	mount -t tmpfs -o size=1M tmpfs "$T/small"
	fails 1 'cannot export one: *No space left*' \
		img export one --format ext4 -o "$T/small/x"
	gives '' find "$T/small" -type f
	umount "$T/small"
	# Stopped half-way, by ^C and for good.
	echo before >"$T/target"
	img export base --format ext4 -o "$T/target" &
	kill -INT $!
	wait $! || :
	img export base --format ext4 -o "$T/target" &
	kill -KILL $!
	wait $! || :
	ok img ps -a
	gives '' find "$T" -name 'target?*'
	[ "$(sql 'SELECT count(*) FROM intents')" -eq 0 ]
	[ "$(sql 'SELECT count(*) FROM volumes')" -eq 2 ]
}

@test "export: a tar, equal to what was imported" {
	"$FIXTURES/everything" "$T/in"
	"$FIXTURES/manifest" "$T/in" >"$T/want"
	ok img import -q --size 1G "$T/in" every
	ok img export every -o "$T/every.tar"
	[ -z "$out" ]
	mkdir "$T/tree"
	tar -C "$T/tree" -xpf "$T/every.tar" --same-owner --numeric-owner --acls \
		--xattrs --xattrs-include='*'
	"$FIXTURES/manifest" "$T/tree" >"$T/got"
	diff "$T/want" "$T/got"
	# To standard output, of a container, and in again.
	ok img run --name one base sh -c 'echo mine >/mine'
	img export one >"$T/one.tar"
	ok tar -tf "$T/one.tar"
	has_line mine
	img export one | img import -q - again
	gives mine img run --rm again cat /mine
	ok img export base -o - >"$T/base.tar"
	fails 1 "--format is tar or ext4, not 'zip'" img export --format zip one
	# What is there and no file is not replaced.
	fails 1 'cannot export one: cannot write the archive: No space left *' \
		img export one -o /dev/full
	[ -c /dev/full ]
	fails 1 'cannot export one: cannot write /dev/full: it is there, *' \
		img export one --format ext4 -o /dev/full
	fails 1 "cannot export one: cannot write $T: it is there, *" \
		img export one -o "$T"
	fails 1 'cannot export one: cannot write the archive: Broken pipe' \
		to_nobody img export one
	[ "$(sql 'SELECT count(*) FROM intents')" -eq 0 ]
}

# to_nobody CMD...: with nobody to read what it prints.
to_nobody() {
	local pipe status=0
	exec {pipe}> >(:)
	wait $! || :
	"$@" >&"$pipe" || status=$?
	exec {pipe}>&-
	return "$status"
}

# refused PATTERN FILE: import says so, and leaves nothing.
refused() {
	fails 1 "cannot import $2: $1" img import "$2" bad
	[ "$(sql 'SELECT count(*) FROM volumes')" -eq 1 ]
}

@test "import: file systems of others, with what mke2fs makes" {
	local n=0 options
	"$FIXTURES/everything" "$T/in"
	"$FIXTURES/manifest" "$T/in" >"$T/all"
	for options in '-b 4096' '-b 1024' '-b 4096 -O ^has_journal' \
		'-b 2048 -O ^64bit,^resize_inode' '-O orphan_file'; do
		n=$((n + 1))
		truncate -s 200M "$T/$n"
		# shellcheck disable=SC2086 # words
		mke2fs -q -t ext4 $options "$T/$n" >"$T/mkfs" 2>&1
		mkdir -p "$FILES/mnt"
		mount -o loop "$T/$n" "$FILES/mnt"
		# Smaller blocks do not hold the longest link and attribute.
		if [[ $options == *4096* ]]; then
			cp -a "$T/in/." "$FILES/mnt"
		else
			cp -a "$REPO/docs" "$FILES/mnt"
			ln "$FILES/mnt/docs/img.1" "$FILES/mnt/again"
			ln -s "$(printf %0200d 1)" "$FILES/mnt/link"
			setfattr -n user.x -v "$(printf %0300d 1)" "$FILES/mnt/again"
		fi
		mkdir "$FILES/mnt/hashed"
		(cd "$FILES/mnt/hashed" && eval 'touch name-{1..2000}' && rm name-1?7)
		umount "$FILES/mnt"
		tree_of "$T/$n" >"$T/want"
		ok img import -q "$T/$n" "other:$n"
		manifest_of "other:$n" >"$T/got"
		diff "$T/want" "$T/got"
	done
	ok img import -q "$(losetup -f --show -r "$T/1")" device
	losetup -j "$T/1" -O NAME -n | xargs losetup -d
}

@test "import: what is no clean, whole, known ext4 is refused" {
	ok img export base --format ext4 -o "$T/good"
	truncate -s 32M "$T/new"
	mke2fs -q -t ext4 "$T/new"
	cp "$T/new" "$T/short"
	truncate -s 20M "$T/short"
	refused '*superblock says * blocks of *' "$T/short"
	cp "$T/new" "$T/x"
	printf 'x' | dd of="$T/x" bs=1 seek=1150 conv=notrunc 2>"$T/dd"
	refused '*checksum of its superblock is wrong' "$T/x"
	truncate -s 32M "$T/2"
	mke2fs -q -t ext2 "$T/2"
	refused '*metadata has no checksums*' "$T/2"
	truncate -s 32M "$T/3"
	mke2fs -q -t ext4 -O encrypt "$T/3"
	refused '*features that are not known here*' "$T/3"
	# In use: mounted, with a journal to replay.
	mkdir "$T/mnt"
	cp "$T/new" "$T/used"
	mount -o loop "$T/used" "$T/mnt"
	echo >"$T/mnt/x"
	sync -f "$T/mnt"
	refused '*journal was not replayed*' "$T/used"
	umount "$T/mnt"
	ok img import -q "$T/used" used
	ok img rmi used
	# Structures that debugfs breaks and gives right checksums again.
	broken 'sif / i_links_count 7' '*directory 2 counts other*'
	broken 'sif <11> i_size 12345' '*directory*' 
	broken 'sif <11> i_mode 0100644' '*'
	broken 'freei <11>' '*group 0 says * free inodes *'
	broken 'freeb 700' '*'
	broken 'setb 7000' '*block 7000 is marked as used*'
	cp "$T/new" "$T/x"
	debugfs -w -R 'ssv state 0' "$T/x" >"$T/debugfs" 2>&1
	refused '*not cleanly unmounted*' "$T/x"
	broken 'ln <11> other' '*'
	broken 'unlink lost+found' '*'
	# Nothing of all that is left, and what is good still is.
	ok img import -q "$T/good" good
	[ "$(sql 'SELECT count(*) FROM volumes')" -eq 2 ]
	fails 1 "cannot import $T/good: a file system keeps its size: *" \
		img import --size 1G "$T/good" x
}

# broken COMMAND PATTERN: after debugfs did that, import says so, and e2fsck too.
broken() {
	cp "$T/new" "$T/x"
	debugfs -w -R "$1" "$T/x" >"$T/debugfs" 2>&1
	refused "$2" "$T/x"
	! e2fsck -fn "$T/x" >"$T/fsck" 2>&1
}
