#!/bin/bash
# storm.bash BASE.TAR KILLS ACT...: so many kill -9 at random moments of ACTs
# (acts.bash), each followed by a working command, after which all must be as
# if nothing had been begun, or as if it had ended.  Wants a kernel with
# device-mapper that nobody else uses, img in PATH and an IMG_ROOT for a new
# store.  SEED=N repeats the choices of another run; VERBOSE=1 tells them.
# shellcheck disable=SC2034,SC2154 # shared with acts.bash and store.bash
set -uo pipefail
here=$(dirname "$0")
tar=$1 kills=$2
acts=("${@:3}")
seed=${SEED:-$((SRANDOM % 100000))}
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
round=0 what='at the beginning'

exec {told}>&1

# fault MESSAGE: ends all; heard from wherever the caller's output goes.
fault() {
	echo "FAULT: $1"
	echo "round $round, SEED=$seed: $what"
	head -c 2000 "$T"/out "$T"/err
	img ps -a
	img images
	exit 1
} >&"$told"

# shellcheck source=tests/system/crash/store.bash
. "$here/store.bash"
# shellcheck source=tests/system/crash/acts.bash
. "$here/acts.bash"
# shellcheck source=tests/system/crash/volume_acts.bash
. "$here/volume_acts.bash"
driver=thin
# shellcheck source=tests/system/crash/holds.bash
. "$here/holds.bash"

exec {never}<> <(:) # never has anything to read

# nap SECONDS: without a process.
nap() {
	read -r -t "$1" -u "$never" || :
}

# now: microseconds, in REPLY.
now() {
	REPLY=${EPOCHREALTIME/./}
}

# img_processes: those of img that were started since, in REPLY.
img_processes() {
	local id name found=''
	new_processes
	for id in "${fresh[@]}"; do
		read -r name 2>/dev/null <"/proc/$id/comm" || continue
		[ "$name" != img ] || found+="$id "
	done
	REPLY=$found
}

# settle: ends what runs in the background, as its user would: by the end of
# its command.
settle() {
	local tries pid file
	for ((tries = 0; tries < 1000; tries++)); do
		img_processes
		[ -n "$REPLY" ] || return 0
		for file in "${IMG_RUN:-/run/img}"/*/*.pid; do
			read -r pid 2>/dev/null <"$file" || continue
			kill -9 "$pid" 2>/dev/null
		done
		nap 0.01
	done
	fault "does not end: $REPLY"
}

# strike WHOM: kill -9; true if it found somebody.
strike() {
	case $1 in
	one) kill -9 "$pid" ;;
	group) kill -9 -- "-$pid" ;;
	all | others)
		img_processes
		[ "$1" = all ] || REPLY=" $REPLY" REPLY=${REPLY/" $pid "/ }
		# shellcheck disable=SC2086 # pids
		[ -n "${REPLY// /}" ] && kill -9 $REPLY
		;;
	esac 2>/dev/null
}

# measure: how long every act takes, in length_us[ACT], by doing each unharmed.
measure() {
	local act begin
	for act in "${acts[@]}"; do
		"plan_$act"
		launch
		now
		begin=$REPLY
		wait "$pid" || fault "failed unharmed: ${plan[*]}"
		img_processes
		while [ -n "$ends" ] && [ -n "$REPLY" ]; do
			nap 0.005
			img_processes
		done
		now
		length_us[$act]=$((REPLY - begin))
		settle
		read_catalog
		expect made
	done
}

# launch: starts the planned command, in a process group of its own.
launch() {
	remember
	set -m
	"${plan[@]}" >"$T/out" 2>"$T/err" </dev/null &
	pid=$!
	set +m
}

# follow: the command after the kill, which has to work.
follow() {
	case $((RANDOM % 5)) in
	0) set -- ps -a ;;
	1) set -- images ;;
	2) set -- tree ;;
	3) set -- df ;;
	4)
		pick "${!image_of[@]}"
		[ "$change" != "-image $REPLY" ] || REPLY=base
		set -- run --rm "$REPLY" true
		;;
	esac
	what+="; then img $*"
	img "$@" >"$T/out" 2>"$T/err" </dev/null ||
		fault "the command after the kill failed"
	[ ! -s "$T/err" ] || fault 'the command after the kill complained'
}

# one_round: true if the kill found somebody.
one_round() {
	local act whom delay delay_us status=0 hit=1
	RANDOM=$((seed + round))
	keep_few
	pick "${acts[@]}"
	act=$REPLY
	"plan_$act"
	whom=one
	[ $((RANDOM % 3)) -ne 0 ] || whom=group
	[ -z "$background" ] || pick "$whom" all all others
	[ -z "$background" ] || whom=$REPLY
	delay_us=$(((RANDOM * 32768 + RANDOM) % length_us[$act]))
	printf -v delay '%d.%06d' $((delay_us / 1000000)) $((delay_us % 1000000))
	what="$round. ${plan[*]}; kill -9 of $whom after $delay s"
	launch
	nap "$delay"
	strike "$whom" && hit=0
	wait "$pid" 2>/dev/null || status=$?
	[ -z "$background" ] || settle
	follow
	check_store
	check_kernel
	if [ "$status" -eq 0 ]; then
		expect made
	else
		expect either
	fi
	[ -z "${VERBOSE-}" ] || echo "$what: status $status, $outcome"
	# The measure was taken once; other times are faster or slower.
	if [ $hit -eq 1 ]; then
		length_us[$act]=$(((length_us[$act] + delay_us) / 2))
		return 1
	fi
	[ $((delay_us * 10)) -lt $((length_us[$act] * 9)) ] ||
		length_us[$act]=$((length_us[$act] * 11 / 10))
	count[$act]=$((${count[$act]-0} + 1))
}

# clear: removes all but the base.
clear() {
	local name images=()
	for name in "${!image_of[@]}"; do
		[ "$name" = base:latest ] || images+=("$name")
	done
	[ ${#container_of[@]} -eq 0 ] || img rm "${!container_of[@]}" ||
		fault 'cannot remove the containers'
	[ ${#images[@]} -eq 0 ] || img rmi -f "${images[@]}" ||
		fault 'cannot remove the images'
	check_store
	check_kernel
} >/dev/null

declare -A length_us=() count=()
declare -i hits=0 made=0 traceless=0
echo "SEED=$seed"
img init --data-size 4G --metadata-size 16M --volume-size 64M >/dev/null
img import -q "$tar" base || fault 'cannot import'
note_base
check_store
measure
clear
begin=$SECONDS
for ((round = 1; hits < kills; round++)); do
	one_round || continue
	hits+=1
	if [ -z "$change" ]; then
		traceless+=1
	elif [ "$outcome" = made ]; then
		made+=1
	fi
done
echo "$hits kills in $((round - 1)) rounds, $((SECONDS - begin)) s:" \
	"$((hits - made - traceless)) undone, $made done, $traceless leave no trace"
for act in "${!length_us[@]}"; do
	echo "  $act: ${count[$act]-0} in $((length_us[$act] / 1000)) ms"
done

what='at the end'
for name in "${!image_of[@]}"; do
	found=$(img run --rm "$name" sh -c 'cat /mark || :' 2>/dev/null) ||
		fault "$name does not run"
	[ -z "${mark[$name]-}" ] || [ "$found" = "${mark[$name]}" ] ||
		fault "$name holds '$found', not '${mark[$name]}'"
done
# Byte for byte they can be read, and their file systems are sound.
holds
echo "$((bytes >> 20)) MiB of images verified"
