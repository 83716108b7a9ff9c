# What is no root file system, or a hostile one: one line that names the entry
# or the object, and nothing left.  That nothing is left, teardown checks; here
# nothing is even there to remove.
load lib/store

setup_file() {
	store_begin
	/usr/bin/python3 -S "$FIXTURES/hostile.py" "$FILES/hostile"
	ok img init --volume-size 256M
}

setup() {
	test_begin
	H=$FILES/hostile
}

# refuses PATTERN FILE [OPTION...]: an import fails so, and leaves nothing.
refuses() {
	local pattern=$1 file=$2
	shift 2
	fails 1 "cannot import $file: $pattern" img import "$@" "$file" x
}

nothing_left() {
	gives '' img images -q
	gives '0|0' sql 'SELECT (SELECT count(*) FROM volumes),
		(SELECT count(*) FROM intents)'
	img pool stop
	gives '' devices
	[[ $(thin_ls --no-headers -o DEV "$IMG_ROOT/pool/metadata") =~ ^\ *0?\ *$ ]]
}

@test "what is no tar: noise, text, nothing, a zip, a truncated compression" {
	local file
	for file in random text zip elf html cpio ar; do
		refuses '*not a tar archive*' "$H/$file"
	done
	refuses '*' "$H/empty"
	refuses '*' "$H/gzip-of-text"
	refuses '*' "$H/gzip-of-nothing"
	refuses '*' "$H/broken-xz"
	refuses '*' "$H/broken-zst"
	refuses '*' "$H/broken-bz2"
	refuses '*' "$H/gzip-flipped"
	refuses '*No such file or directory' "$H/nosuch"
	refuses '*' /dev/null
	exits 1 sh -c "head -c 3000 $H/good.tar | $IMG import - x"
	[[ $err == 'img: cannot import -: '*truncated* ]] || say truncated
	nothing_left
}

@test "an archive cut short at every kind of place" {
	local size cut out_of=$H/good.tar
	size=$(stat -c %s "$out_of")
	# Each header, name extension, content and padding, and their edges.
	for cut in 1 511 512 513 1000 1024 1536 1537 2048 2049 2600 3072 3584 4000 \
		4608 5000 5120 5632 6144 6656 7000 $((size - 1025)) \
		$((size - 1024)); do
		[ "$cut" -lt "$size" ] || continue
		head -c "$cut" "$out_of" >"$T/cut.tar"
		refuses '*' "$T/cut.tar"
		[[ $err == *truncated* || $err == *'not a tar archive'* ||
			$err == *'damaged header'* ]] || say "cut at $cut"
	done
	for cut in 5 40 600; do
		for form in gz xz zst bz2; do
			head -c "$cut" "$out_of.$form" >"$T/cut.tar.$form"
			refuses '*' "$T/cut.tar.$form"
		done
	done
	for form in gz xz zst bz2; do
		size=$(stat -c %s "$out_of.$form")
		head -c $((size - 30)) "$out_of.$form" >"$T/cut.tar.$form"
		refuses '*' "$T/cut.tar.$form"
	done
	nothing_left
	# Whole, it is fine.
	ok img import -q "$out_of" good
	ok img import -q "$out_of.xz" good
}

@test "entries that would leave the image, or make no sense, are named" {
	refuses "entry 2, after 'first', has a damaged header: wrong checksum" \
		"$H/checksum.tar"
	refuses "entry 2 '../escape' leaves the image" "$H/dotdot.tar"
	refuses "entry 2 'a/../../escape' leaves the image" "$H/dotdot-deep.tar"
	refuses "entry 2 'd/../inside' has '..' in its path" "$H/dotdot-inside.tar"
	refuses "entry 3 'link/file' goes through 'link', a symlink to '/etc'" \
		"$H/through-symlink.tar"
	refuses "entry 3 'link/file' goes through 'link', a symlink to 'd'" \
		"$H/through-inner-symlink.tar"
	refuses "entry 2 'file/x' goes through 'file', which is no directory" \
		"$H/through-file.tar"
	refuses "entry 1 'h' is a hard link to '../../etc/passwd'*" \
		"$H/hardlink-outside.tar"
	refuses "entry 1 'h' is a hard link to '/etc/passwd'*" \
		"$H/hardlink-absolute.tar"
	refuses "entry 1 'h' is a hard link to 'nothing', which is not in the*" \
		"$H/hardlink-nothing.tar"
	refuses "entry 2 'h' is a hard link to 'd', which is a directory" \
		"$H/hardlink-directory.tar"
	refuses "entry 3 'h' *symlink*" "$H/hardlink-through-symlink.tar"
	refuses "entry 1 'h' is a hard link to 'h'*" "$H/hardlink-self.tar"
	refuses "*negative*" "$H/size-negative.tar"
	refuses "entry 1*" "$H/size-absurd.tar"
	refuses "*" "$H/size-pax-absurd.tar"
	refuses "*" "$H/size-pax-nonsense.tar"
	refuses "*" "$H/sparse-overlap.tar"
	refuses "*" "$H/sparse-beyond.tar"
	refuses "entry 1 * has a name of 256 bytes; 255 are possible" \
		"$H/long-name.tar"
	refuses "entry 2 *symlink*5000 bytes*" "$H/long-target.tar"
	refuses "entry 1 *device*" "$H/device-number.tar"
	refuses "entry 1 *owner*" "$H/owner.tar"
	refuses "entry 2 'd' would replace a directory that is not empty" \
		"$H/replaces-directory.tar"
	refuses "entry 1 '.' would replace the root directory" \
		"$H/root-is-file.tar"
	refuses "entry 1 'f' has more extended attributes than ext4 holds*" \
		"$H/xattr-too-large.tar"
	# What a terminal would obey is shown escaped.
	refuses "entry 1 '?x1b]0;owned?x07/../x' has '..' in its path" \
		"$H/escape.tar"
	nothing_left
}

@test "absolute names are taken as the image's own, odd ones as they are" {
	ok img import -q "$H/absolute.tar" absolute
	ok img import -q "$H/good.tar" good
	ok img import -q "$H/repeated.tar" repeated
	ok img import -q "$H/no-directories.tar" implied
	ok img import -q "$H/trailing.tar" trailing
	ok img import -q "$H/global-header.tar" global
	# POSIX: what has no known type is a file.
	ok img import -q "$H/type.tar" type
}

@test "bombs: too many entries, too much content, too deep" {
	refuses "entry 11 * is beyond the limit of 10 entries" \
		"$H/many.tar" --max-entries 10
	ok img import -q --max-entries 3000 "$H/many.tar" enough
	ok img rmi enough
	refuses "entry 1 'bomb' does not fit in a volume of 256 MiB" "$H/bomb.tar.gz"
	refuses "entry 1 'bomb' does not fit in a volume of 64.0 MiB" \
		"$H/bomb.tar.gz" --size 64M
	refuses "entry * is one file more than the volume has inodes, *" \
		"$H/inodes.tar.gz" --size 16M
	refuses "*16M to 16T*" "$H/good.tar" --size 1M
	refuses "*16M to 16T*" "$H/good.tar" --size 17T
	ok img import -q --size 16M "$H/good.tar" small
	ok img import -q "$H/deep.tar" deep
	ok img rmi small deep
	nothing_left
}

@test "names, options and places that are none" {
	local name good=$H/good.tar
	for name in Upper 'a b' a: :b a//b a/ -a 'a:b c' a:-x "$(printf %0300d 0)"; do
		try img import "$good" -- "$name"
		[[ $status -eq 1 && $err == "img: cannot import $good: "* ]] ||
			say "was taken: $name"
	done
	cp "$good" "$T/---.tar"
	fails 1 "cannot import *: no image name can be made of *: give one*" \
		img import "$T/---.tar"
	fails 1 "cannot import $good: --change 'FROM x': no such instruction*" \
		img import -c 'FROM x' "$good" x
	fails 1 "cannot import $good: --change ENV: *" img import -c ENV "$good" x
	fails 1 "cannot import $good: --change EXPOSE: *" \
		img import -c 'EXPOSE 70000' "$good" x
	fails 1 "*--change WORKDIR: *" img import -c 'WORKDIR ' "$good" x
	fails 1 "*CMD*" img import -c 'CMD ["a", 1]' "$good" x
	fails 1 "--size: *" img import --size much "$good" x ||
		fails 1 "*much*" img import --size much "$good" x
	fails 1 "*-5*" img import --max-entries -5 "$good" x
	fails 1 "too few arguments: usage: img import *" img import
	fails 1 "too many arguments: usage: img import *" img import a b c
	fails 1 "unknown option --nosuch*" img import --nosuch "$good" x
	fails 1 "unknown option -Z*" img import -Z "$good" x
	fails 1 "option --size wants a value" img import --size
	nothing_left
}

@test "interrupted: nothing is left, and the next import is fine" {
	local signal
	for signal in INT TERM HUP; do
		mkfifo "$T/fifo"
		"$IMG" import "$T/fifo" x >"$T/out" 2>"$T/err" 3>&- &
		pid=$!
		exec 8>"$T/fifo"
		head -c 5000000 "$FILES/hostile/bulk.tar" >&8
		kill -"$signal" "$pid"
		wait_for sh -c "! kill -0 $pid" || kill -KILL "$pid"
		status=0
		wait "$pid" || status=$?
		exec 8>&-
		rm "$T/fifo"
		slurp err "$T/err"
		[[ $status -ne 0 && $err == *interrupted* ]] || say "$signal"
		gives '' img images -q
	done
	nothing_left
}
