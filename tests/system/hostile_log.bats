# A container that says more than anybody wants to keep.
load lib/store

# kept_bytes NAME: what its log takes up.
kept_bytes() {
	local id
	id=$(sql "SELECT id FROM containers WHERE name = '$1'")
	cat "$IMG_ROOT/containers/$id"/log* | wc -c
}

@test "a flood of lines: a log stays within its limit, given or not" {
	ok img run -d --name flood --log-opt max-size=64k --log-opt max-file=2 \
		base seq 1 20000
	# In the log each is 75 bytes or more: more than is kept by default.
	ok img run -d --name default base seq 1 500000
	gives $'0\n0' img wait flood default
	[ "$(kept_bytes flood)" -le $((2 * 65536)) ]
	[ "$(kept_bytes default)" -le $((3 * 10 * 1048576)) ]
	[ "$(kept_bytes default)" -gt $((2 * 10 * 1048576)) ]
	gives 20000 img logs -n 1 flood
	gives $'499999\n500000' img logs -n 2 default
}

@test "a line without an end, and noise: neither memory nor disk" {
	local pid id own
	ok img run -d --name endless --log-opt max-size=256k base sh -c \
		'head -c 2000000 /dev/zero | tr "\0" "\1"; : >/done; sleep 600'
	ok img run -d --name noise --log-opt max-size=256k base sh -c \
		'head -c 1000000 /dev/urandom >&2; head -c 1000000 /dev/urandom
		: >/done; sleep 600'
	wait_for "$IMG" exec endless sh -c "test -e /done"
	wait_for "$IMG" exec noise sh -c "test -e /done"
	for name in endless noise; do
		# The limit, and one entry more for each file.
		[ "$(kept_bytes "$name")" -le $((3 * (262144 + 102400))) ]
		[ "$(kept_bytes "$name")" -gt $((2 * 262144)) ]
		id=$(sql "SELECT substr(id, 1, 12) FROM containers
			WHERE name = '$name'")
		pid=$(<"$(echo "$IMG_RUN"/*/"$id.pid")")
		pid=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$pid/status")
		own=$(awk '/^Private_/ { n += $2 } END { print n }' \
			"/proc/$pid/smaps_rollup")
		echo "# the monitor of $name has $own KiB of its own" >&3
		[ "$own" -le 1024 ]
	done
	gives $'endless\nnoise' img stop -t 0 endless noise
	ok img logs -n 1 endless
	try img logs noise
	[ "$status" -eq 0 ]
}

@test "its own streams are all that a container reaches through them" {
	ok img run -d --name reach base sh -c '
		for fd in 1 2; do
			readlink /proc/1/fd/$fd
			: >/proc/1/fd/$fd # truncates nothing
			dd if=/proc/self/fd/$fd of=/read bs=1 count=1 \
				iflag=nonblock 2>/dev/null
			ls /proc/1/fd/$fd/.. 2>/dev/null
		done; echo still; exec sleep 600'
	wait_for sh -c "$IMG logs reach | grep still"
	try img logs reach
	lacks /containers/
	lacks "$FILES"
	gives reach img stop -t 0 reach
}
