#!/bin/bash
# log_writes.bash BASE.TAR LOG_REPLAY thin|snapshot POINTS: a store on a file
# system on dm-log-writes, which notes every write and flush while images come
# and go.  Then the power goes, so to say, at POINTS of its flushes ("all": at
# each; "300-": at each from that one on): what a disk has for certain by then
# is laid out, mounted, and opened by the next command, after which all must be
# whole, what was acknowledged before is there, and nothing is left over.
#
# Wants a kernel with device-mapper that nobody else uses, img in PATH, and some
# 300 MB of memory in /dev/shm, which is faster than a disk.  SEED=N repeats the
# choices of another run; VERBOSE=1 tells of each point.
# shellcheck disable=SC2154 # of store.bash
set -uo pipefail
here=$(dirname "$0")
tar=$1 tool=$2 driver=$3 points=$4
seed=${SEED:-$((SRANDOM % 100000))}
dir=$(mktemp -d /dev/shm/log-writes.XXXXXX) || exit
T=$dir/t M=$dir/mnt
export IMG_ROOT=$M/store IMG_RUN=$dir/run
mkdir "$T" "$M" "$IMG_RUN"
size_mib=320
what='at the beginning'

fault() {
	echo "FAULT: $1"
	echo "SEED=$seed, driver $driver, $what"
	head -c 2000 "$T"/out "$T"/err
	img ps -a
	img images
	exit 1
}

# Whatever became of it, nothing stays.
clean_up() {
	local loop
	img pool stop 2>/dev/null
	umount "$M" 2>/dev/null
	for device in look replayed logged; do
		dmsetup remove --retry "$device" 2>/dev/null
	done
	for loop in "${loops[@]}"; do
		losetup -d "$loop"
	done
	rm -rf "$dir"
}
declare -a loops=()
trap clean_up EXIT

# shellcheck source=tests/system/crash/store.bash
. "$here/store.bash"
# shellcheck source=tests/system/crash/holds.bash
. "$here/holds.bash"

# loop FILE SIZE: a device of a new sparse file, in REPLY.
loop() {
	truncate -s "$2" "$1" && REPLY=$(losetup -f --show "$1") ||
		fault "no loop device for $1"
	loops+=("$REPLY")
}

# --- What is done, and noted -----------------------------------------------------

# After each command: its words, what the images are, which containers, snapshots
# and volumes there are, and the last command that was durable.
declare -a did=('nothing') state=('') rows=('') durable=(0)

# read_rows: those that have a name, in REPLY.
read_rows() {
	REPLY=$(sqlite3 -newline ' ' "$IMG_ROOT/store.db" "
		SELECT 'container/' || name FROM containers UNION ALL
		SELECT 'snapshot/' || c.name || '@' || s.name
			FROM snapshots s JOIN containers c ON c.id = container
		UNION ALL SELECT 'volume/' || name FROM named_volumes
			WHERE NOT anonymous") || fault 'the catalog cannot be read'
}

# act VERB...: does it, and then, as is acknowledged, notes what there is now.
act() {
	local n=${#did[@]}
	what="while img $*"
	img "$@" >"$T/out" 2>"$T/err" </dev/null || fault "img $* failed"
	dmsetup message logged 0 mark "$n"
	case $1 in
	import | commit | merge | rmi | tag) holds ;;
	*) REPLY=${state[-1]} ;;
	esac
	state+=("$REPLY") did+=("$*")
	read_rows
	rows+=("$REPLY")
	case $1 in
	run | start | create) n=${durable[-1]} ;;
	esac
	durable+=("$n")
}

work() {
	act init --driver "$driver" "${init[@]}" --volume-size 24M
	act import -q "$tar" a
	act run --name c1 a sh -c 'echo c1 >/mark; sync'
	act commit -q c1 k1
	act tag k1 t1
	act run --name c2 k1 sh -c 'echo c2 >/mark; rm -f /etc/motd'
	act commit -q c2 k2
	act rm c1
	act rmi t1
	act run --rm k2 cat /mark
	act import -q "$tar" b
	act run --name c3 b sh -c 'echo c3 >/mark'
	act merge -q c3
	act rmi -f k1
	act rm c2
	act rmi k2
	act run --name c4 b cat /mark
	act commit -q c4 k4
	act create --rm --name c5 b sh -c 'echo c5 >/mark'
	act start -a c5
	act run --rm -v /own b sh -c 'echo c6 >/own/mark'
	act snapshot create c4 s4
	act start -a c4
	act clone c4 c7
	act start -a c7
	act snapshot rollback c4 s4
	act start -a c4
	act snapshot rm c4 s4
	act volume create --size 16M v1
	act run --name c8 -v v1:/own b sh -c 'echo c8 >/own/mark'
	act resize c8 32M
	[ "$driver" != thin ] || act volume resize v1 24M
	act rm -v c8
	act volume rm v1
	act rmi a
	act rm c3 c4 c7
	act rmi -f b
}

# --- What is left when the power goes ----------------------------------------------

# expect MARK: the state at that mark, or that after it, and nothing between.
expect() {
	local known
	holds
	[ "$REPLY" != "${state[$1]}" ] || return 0
	[ "$REPLY" != "${state[$1 + 1]-}" ] || return 0
	known=${state[$1]}
	fault "there is: $REPLY; there was: $known; then came: ${state[$1 + 1]-}"
}

# expect_rows MARK: what was there ever since the last durable command is, and
# nothing that was not there at any time since.
expect_rows() {
	local i name found
	declare -A times=()
	local first=${durable[$1]} last=$(($1 + 1))
	[ "$last" -lt ${#rows[@]} ] || last=$1
	for ((i = first; i <= last; i++)); do
		for name in ${rows[i]}; do
			times[$name]=$((${times[$name]-0} + 1))
		done
	done
	read_rows
	found=" $REPLY"
	for name in $REPLY; do
		[ -n "${times[$name]-}" ] || fault "there is $name"
	done
	for name in "${!times[@]}"; do
		[ "${times[$name]}" -le $((last - first)) ] ||
			[[ $found == *" $name "* ]] || fault "$name is lost"
	done
}

# is_harmless MARK: a name that was not acknowledged may be in the ledger alone,
# which matters to nobody but the doctor, who mends it.  And while dm-thin passes
# a discard down, it holds the blocks by a count of their own, which its next
# commit writes: they are lost for use, until thin_check --auto-repair.
is_harmless() {
	local fine='leaked-blocks'
	[[ ! ${did[$1 + 1]-} =~ ^(tag|rmi|merge|volume\ resize) ]] || fine+='\|record-differs'
	! grep '^found' "$T/out" | grep -v "^found *\($fine\) " &&
		{ img doctor --repair >"$T/out" 2>"$T/err" ||
			! grep '^found' "$T/out" | grep -v '^found *leaked-blocks '; }
}

# next_command MARK: it works, whatever it is.
next_command() {
	local verb=()
	if [ "$1" -eq 0 ]; then
		img init --driver "$driver" "${init[@]}" --volume-size 24M \
			>"$T/out" 2>"$T/err" ||
			grep -q "^img: there is a store in" "$T/err" ||
			fault 'no store can be made'
	fi
	case $((RANDOM % 5)) in
	0) verb=(ps -a) ;;
	1) verb=(images) ;;
	2) verb=(tree) ;;
	3) verb=(df) ;;
	4)
		verb=(images -q)
		[ -z "${state[$1]}" ] || [[ ${did[$1 + 1]-} == *rmi* ]] ||
			verb=(run --rm "${state[$1]%%=*}" true)
		;;
	esac
	what+=", img ${verb[*]}"
	img "${verb[@]}" >"$T/out" 2>"$T/err" </dev/null ||
		fault 'the next command failed'
	[ ! -s "$T/err" ] || fault 'the next command complained'
	# What lists rows alone needs no pool, and leaves it as it is.
	img df >"$T/out" 2>"$T/err" && [ ! -s "$T/err" ] || fault 'img df failed'
	img doctor >"$T/out" 2>"$T/err" || is_harmless "$1" ||
		fault 'the doctor has found something'
}

# use_all: what is there can be used: each container starts, each volume is
# mounted, where there is an image for that.
use_all() {
	local name images=("${!image_of[@]}")
	for name in "${!container_of[@]}"; do
		img start -a "$name" >"$T/out" 2>"$T/err" </dev/null ||
			fault "$name does not start"
	done
	[ ${#images[@]} -gt 0 ] || return 0
	for name in $(sqlite3 "$IMG_ROOT/store.db" 'SELECT name FROM named_volumes'); do
		img run --rm -v "$name:/own" "${images[0]}" true \
			>"$T/out" 2>"$T/err" </dev/null ||
			fault "the volume $name cannot be used"
	done
}

# look_at MARK: what the replayed device has.
look_at() {
	rm -rf "$IMG_RUN" && mkdir "$IMG_RUN"
	dmsetup create replayed --table \
		"0 $((size_mib * 2048)) snapshot $base_loop $cow_loop N 16" &&
		mount /dev/mapper/replayed "$M" || fault 'cannot be mounted'
	next_command "$1"
	if [ "$driver" = thin ]; then
		check_store
		leaks+=$((leaked > 0))
		most=$((leaked > most ? leaked : most))
	else
		read_catalog
		[ ${#intents[@]} -eq 0 ] || fault "intents: ${intents[*]}"
		[ "${volumes[*]}" = "${used[*]}" ] ||
			fault "volumes ${volumes[*]}, in use ${used[*]}"
	fi
	expect "$1"
	expect_rows "$1"
	use_all
	img pool stop || fault 'the pool cannot be stopped'
	[ "$driver" != thin ] || thin_check -q --ignore-non-fatal-errors \
		"$IMG_ROOT/pool/metadata" ||
		fault 'the pool is unsound'
	umount "$M" && dmsetup remove --retry replayed ||
		fault 'cannot be taken down'
}

# choose COUNT OF: so many of the numbers from 0 to OF - 1, as keys of chosen.
# One is among the first, while the store is being made.
declare -A chosen=()
choose() {
	local n first=''
	case $1 in
	all) first=0 ;;
	*-) first=${1%-} ;;
	*) [ "$1" -lt "$2" ] || first=0 ;;
	esac
	if [ -n "$first" ]; then
		for ((n = first; n < $2; n++)); do
			chosen[$n]=1
		done
		return
	fi
	chosen[$((RANDOM % 8))]=1
	while [ ${#chosen[@]} -lt "$1" ]; do
		chosen[$((RANDOM % $2))]=1
	done
}

replay() {
	local index sector kind text mark=0 at=0 at_sector=0 n=0 moved
	"$tool" "$log_loop" list >"$T/list" || fault 'the log cannot be read'
	# Before the file system was there nothing could be mounted.
	sed -i '1,/ mark mounted$/d' "$T/list"
	flushes=$(grep -vc ' mark ' "$T/list")
	choose "$points" "$flushes"
	while read -r index sector kind text; do
		if [ "$kind" = mark ]; then
			mark=$text
			continue
		fi
		[ -n "${chosen[$n]-}" ] || { n=$((n + 1)) && continue; }
		what="$kind $n of $flushes, after '${did[$mark]}'"
		what+=", in '${did[$mark + 1]-}'"
		moved=$("$tool" "$log_loop" replay "$dir/base" "$at" "$at_sector" \
			$((index - at))) || fault 'cannot be replayed'
		replayed+=$moved at=$index at_sector=$sector n=$((n + 1))
		look_at "$mark"
		done_points+=1
		[ -z "${VERBOSE-}" ] || echo "$what"
	done <"$T/list"
}

declare -i replayed=0 done_points=0 flushes=0 leaks=0 most=0
may_leak=1
RANDOM=$seed
init=()
[ "$driver" != thin ] || init=(--data-size 200M --metadata-size 4M)
echo "SEED=$seed"
loop "$dir/live" ${size_mib}M && live_loop=$REPLY
loop "$dir/log" 4G && log_loop=$REPLY
dmsetup create logged --table \
	"0 $((size_mib * 2048)) log-writes $live_loop $log_loop" ||
	fault 'no dm-log-writes'
mkfs.ext4 -qF -E lazy_itable_init=1,nodiscard /dev/mapper/logged &&
	mount /dev/mapper/logged "$M" && sync -f "$M" &&
	dmsetup message logged 0 mark mounted || fault 'no file system'
work
img pool stop || fault 'the pool cannot be stopped'
umount "$M" && dmsetup remove --retry logged || fault 'cannot be unmounted'
rm "$dir/live"
loop "$dir/base" ${size_mib}M && base_loop=$REPLY
loop "$dir/cow" ${size_mib}M && cow_loop=$REPLY
begin=$SECONDS
replay
echo "driver $driver: $((${#state[@]} - 1)) commands, $done_points of $flushes" \
	"flushes replayed in $((SECONDS - begin)) s, $((replayed >> 20)) MiB" \
	"written, $((bytes >> 20)) MiB of images verified, 0 losses;" \
	"after $leaks of them the kernel counts blocks that nobody has, at most $most"
