#!/bin/bash
# flaky.bash BASE.TAR thin|snapshot ROUNDS: a store on a file system whose disk
# fails at a random moment of a command: every access (dm-error), every write
# (dm-flakey, error_writes), or in secret (dm-flakey, drop_writes).  The command
# ends, with one line if it failed; so does every other, meanwhile.  Then the disk
# works again, the file system is mounted anew, and the next command finds all
# that was acknowledged, and leaves nothing over.
#
# Wants a kernel with device-mapper that nobody else uses, img in PATH, and some
# 200 MB of memory in /dev/shm.  SEED=N repeats the choices of another run;
# VERBOSE=1 tells of each round.
# shellcheck disable=SC2154 # of store.bash and holds.bash
set -uo pipefail
here=$(dirname "$0")
tar=$1 driver=$2 rounds=$3
seed=${SEED:-$((SRANDOM % 100000))}
dir=$(mktemp -d /dev/shm/flaky.XXXXXX) || exit
T=$dir/t M=$dir/mnt
export IMG_ROOT=$M/store IMG_RUN=$dir/run
mkdir "$T" "$M" "$IMG_RUN"
sectors=$((320 * 2048))
what='at the beginning'

fault() {
	echo "FAULT: $1"
	echo "SEED=$seed, driver $driver, $what"
	head -c 2000 "$T"/out "$T"/err
	dmsetup status
	exit 1
}

clean_up() {
	works
	take_down
	dmsetup remove --retry shaky
	losetup -d "$disk"
	rm -rf "$dir"
} 2>/dev/null
trap clean_up EXIT

# shellcheck source=tests/system/crash/store.bash
. "$here/store.bash"
# shellcheck source=tests/system/crash/holds.bash
. "$here/holds.bash"

# now: microseconds, in REPLY.
now() {
	REPLY=${EPOCHREALTIME/./}
}

exec {never}<> <(:) # never has anything to read

# --- The disk ------------------------------------------------------------------

works() {
	dmsetup load shaky --table "0 $sectors linear $disk 0" &&
		dmsetup resume --noflush --nolockfs shaky
}

# prepare WAY: how it will fail; fail_now: it does.
prepare() {
	case $1 in
	error) set -- error ;;
	writes) set -- "flakey $disk 0 0 3600 1 error_writes" ;;
	secret) set -- "flakey $disk 0 0 3600 1 drop_writes" ;;
	esac
	dmsetup load shaky --table "0 $sectors $1"
}

fail_now() {
	dmsetup resume --noflush --nolockfs shaky
}

# As a reboot would: processes, devices and mounts go, whatever they say.
take_down() {
	local tries file name names pools
	img pool stop >/dev/null 2>&1 || stuck+=1
	for ((tries = 0; tries < 20; tries++)); do
		names=() pools=()
		for file in /sys/block/dm-*/dm/name; do
			{ name=$(<"$file"); } 2>/dev/null
			case $name in
			img-*-pool) pools+=("$name") ;;
			img-*) names+=("$name") ;;
			esac
		done
		for name in "${names[@]}" "${pools[@]}"; do
			dmsetup remove "$name" >/dev/null 2>&1
		done
		umount "$M" 2>/dev/null && return
		read -r -t 0.1 -u "$never"
	done
	return 1
}

# --- A round ---------------------------------------------------------------------

# plan: a command, and what the images are before it; $kept is a container.
plan() {
	local names=()
	read -r -a names <<<"$before"
	n+=1
	case $((RANDOM % 7)) in
	0) act=(import -q "$tar" "i$n") ;;
	1) act=(commit -q kept "k$n") ;;
	2) act=(tag base "t$n") ;;
	3) act=(run --name "c$n" base sh -c 'echo >/mark; sync') ;;
	4) act=(run --rm base sh -c 'echo >/mark; sync') ;;
	5) act=(rm "$(sqlite3 "$IMG_ROOT/store.db" "SELECT name FROM containers
			WHERE name <> 'kept' UNION SELECT 'none' LIMIT 1")") ;;
	6)
		act=(rmi "${names[-1]%%=*}")
		[ "${act[1]}" != base ] || act=(tag base "t$n")
		;;
	esac
}

# one_line: what a failed command said on stderr.
one_line() {
	[ "$(grep -c '^img: ' "$T/err")" -eq 1 ] ||
		fault "not one line of img's"
	said+=("$(grep '^img: ' "$T/err")")
}

# clear_flag: the kernel has failed to write the pool's metadata, and noted that
# somebody should look at them: a command that wants to write says so, and the
# doctor says what to do, which is done.
clear_flag() {
	local remedy
	[ "$driver" = thin ] || return 0
	img doctor >"$T/out" 2>"$T/err"
	grep -q '^found *needs-check ' "$T/out" || return 0
	img run --rm base true >"$T/said" 2>"$T/err" && fault 'a run in a broken pool'
	one_line
	grep -q 'img doctor' "$T/err" || fault 'no word of what to do'
	remedy=$(sed -n 's/^found *needs-check .* then \(thin_check [^;]*\)$/\1/p' \
		"$T/out")
	[ -n "$remedy" ] || fault 'the doctor gives no advice'
	img pool stop && $remedy >"$T/out" 2>"$T/err" || fault "failed: $remedy"
	img df >"$T/out" 2>"$T/err" || fault 'the cure does not help'
	cleared+=1
}

one_round() {
	local way ways=(error writes secret) pid status=0 delay ended failed act
	RANDOM=$((seed + round))
	plan
	way=${ways[RANDOM % 3]}
	printf -v delay '0.%03d' $((RANDOM % 400))
	what="round $round: img ${act[*]}; fails ($way) after $delay s"
	prepare "$way" || fault 'the disk cannot be prepared'
	{
		img "${act[@]}" >"$T/out" 2>"$T/err" </dev/null
		echo "$? ${EPOCHREALTIME/./}" >"$T/status"
	} &
	pid=$!
	read -r -t "$delay" -u "$never"
	now
	failed=$REPLY
	fail_now || fault 'the disk does not fail'
	wait "$pid"
	read -r status ended <"$T/status"
	[ "$status" -eq 0 ] || [[ ${act[0]} == run ]] || [[ ${act[1]} == none ]] ||
		one_line
	[ "$status" -ne 0 ] || [ "$ended" -lt "$failed" ] || [ "$way" != secret ] ||
		status=lost # nobody could know
	# Others end as well, and say why they do not work.
	for verb in "images -q" "df" "run --rm base true" "tag base late"; do
		# shellcheck disable=SC2086 # words
		timeout 60 "$(type -P img)" $verb >"$T/out" 2>"$T/err" </dev/null
		case $? in
		0) ;;
		124) fault "does not end: img $verb" ;;
		*) one_line ;;
		esac
	done
	# A disk that lost writes in secret and then goes on is beyond help: it
	# is as one that lost its cache, at the moment of a power cut.
	[ "$way" != secret ] || take_down || fault 'cannot be taken down'
	works || fault 'the disk does not work again'
	[ "$way" = secret ] || take_down || fault 'cannot be taken down'
	mount "$shaky" "$M" || fault 'cannot be mounted'
	rm -rf "$IMG_RUN" && mkdir "$IMG_RUN"
	img df >"$T/out" 2>"$T/err" || fault 'the next command failed'
	[ ! -s "$T/err" ] || fault 'the next command complained'
	clear_flag
	img rmi late >"$T/out" 2>"$T/err"
	[ "$driver" != thin ] || check_store
	[ "$driver" = thin ] || img doctor >"$T/out" 2>"$T/err" ||
		grep -q record-differs "$T/out" || fault 'the doctor is not content'
	holds
	expect "$status"
	before=$REPLY
	img run --rm base cat /etc/motd >"$T/out" 2>"$T/err" ||
		fault 'base does not run'
	[ -z "${VERBOSE-}" ] || echo "$what: $status"
}

# expect STATUS: what was there is there, in REPLY as in before, but for the one
# that the command was about: that is there, if it was acknowledged.
expect() {
	local word name=${act[-1]} is_there=0 was_there=0
	for word in $before; do
		[ "${word%%=*}" != "$name" ] || { was_there=1 && continue; }
		[[ " $REPLY" == *" $word "* ]] || fault "lost: $word; left: $REPLY"
	done
	for word in $REPLY; do
		[ "${word%%=*}" != "$name" ] || { is_there=1 && continue; }
		[[ " $before" == *" $word "* ]] || fault "new: $word"
	done
	case $1,${act[0]} in
	0,import | 0,commit | 0,tag) [ $is_there -eq 1 ] || fault "lost: $name" ;;
	0,rmi) [ $is_there -eq 0 ] || fault "is back: $name" ;;
	*,import | *,commit | *,tag | *,rmi) ;;
	*) [ $is_there -eq $was_there ] || fault "changed: $name" ;;
	esac
	[ "$1" != 0 ] || acknowledged+=1
}

declare -i n=0 acknowledged=0 stuck=0 cleared=0
declare -a said=()
may_leak=1
RANDOM=$seed
init=()
[ "$driver" != thin ] || init=(--data-size 200M --metadata-size 4M)
echo "SEED=$seed"
truncate -s $((sectors * 512)) "$dir/disk" &&
	disk=$(losetup -f --show "$dir/disk") &&
	dmsetup create shaky --table "0 $sectors linear $disk 0" &&
	shaky=/dev/mapper/shaky && mkfs.ext4 -qF "$shaky" &&
	mount "$shaky" "$M" || fault 'no file system'
img init --driver "$driver" "${init[@]}" --volume-size 24M >/dev/null &&
	img import -q "$tar" base &&
	img run --name kept base sh -c 'echo kept >/mark' || fault 'no store'
holds
before=$REPLY
begin=$SECONDS
for ((round = 1; round <= rounds; round++)); do
	one_round
done
echo "driver $driver: $rounds failures of the disk in $((SECONDS - begin)) s:" \
	"$acknowledged commands acknowledged, ${#said[@]} refused in one line each," \
	"$((bytes >> 20)) MiB of images verified, 0 losses; the pool's flag" \
	"needs_check cleared $cleared times, as told"
printf '%s\n' "${said[@]}" | sed 's/[0-9a-f]\{8,\}/ID/g; s/[0-9][0-9]*/N/g' |
	sort | uniq -c | sort -rn | sed 's/^/  /'
