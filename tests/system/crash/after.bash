#!/bin/bash
# after.bash TOLD: the machine that worker.bash ran in was killed; looks whether
# the store is as it was told in the file TOLD, and whole.  Then removes most of
# it and tells on stdout of the rest, as worker.bash does.
set -uo pipefail
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT

fault() {
	echo "FAULT: $1"
	img ps -a
	img images
	exit 1
} >&2

# shellcheck source=tests/system/crash/store.bash
. "${0%/*}/store.bash"

img ps -a >"$T/out" 2>&1 || fault "the first command: $(<"$T/out")"
img df >"$T/out" 2>&1 || fault "the second command: $(<"$T/out")"
check_store
declare -A want=() there=()
while read -r what name mark; do
	want[$name]="$what ${mark-}"
done <"$1"
for name in "${!image_of[@]}"; do
	there[$name]=1
done
for name in "${!want[@]}"; do
	read -r what mark <<<"${want[$name]}"
	case $what in
	image)
		[ -n "${image_of[$name:latest]-}" ] || fault "$name is lost"
		found=$(img run --rm "$name" sh -c 'cat /mark 2>/dev/null || echo -') ||
			fault "$name does not run"
		[ "$found" = "$mark" ] || fault "$name holds '$found', not '$mark'"
		;;
	gone) [ -z "${image_of[$name:latest]-}" ] || fault "$name is back" ;;
	about) ;;
	esac
	unset "image_of[$name:latest]"
done
[ ${#image_of[@]} -eq 0 ] || fault "images nobody asked for: ${!image_of[*]}"

# What was in use when the lights went out is mended by its journal, when it
# is used again: the container runs, then its file system is sound.
for name in "${!container_of[@]}"; do
	img start -a "$name" >"$T/out" 2>&1 || fault "$name: $(<"$T/out")"
done
check_store
pool=$(dmsetup ls | sed -n 's/^img-.*-pool\t*(\([0-9]*\)[:, ]*\([0-9]*\))$/\1:\2/p')
for volume in "${volumes[@]}"; do
	sectors=$(sqlite3 "$IMG_ROOT/store.db" \
		"SELECT size_bytes / 512 FROM volumes WHERE id = $volume")
	dmsetup create look --readonly --table "0 $sectors thin $pool $volume" &&
		e2fsck -fn /dev/mapper/look >"$T/out" 2>&1 ||
		fault "volume $volume: $(<"$T/out")"
	dmsetup remove --retry look
done
[ ${#container_of[@]} -eq 0 ] || img rm "${!container_of[@]}" >"$T/out" ||
	fault 'cannot remove the containers'
kept=0 images=()
for name in "${!want[@]}"; do
	read -r what mark <<<"${want[$name]}"
	if [ "$what" = image ] && [ $((kept += 1)) -le 3 ]; then
		echo "image $name $mark"
	elif [ "$what" != gone ] && [ -n "${there[$name:latest]-}" ]; then
		images+=("$name")
	fi
done
[ ${#images[@]} -eq 0 ] || img rmi -f "${images[@]}" >"$T/out" ||
	fault 'cannot remove the images'
check_store
img pool stop || fault 'cannot stop the pool'
thin_check "$IMG_ROOT/pool/metadata" >"$T/out" 2>&1 ||
	fault "thin_check: $(<"$T/out")"
