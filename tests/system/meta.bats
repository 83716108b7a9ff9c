# The metadata of a pool that the kernel wrote, as img reads it and as the thin
# tools do: volumes, mappings, what is exclusive, what differs; on random work,
# held still while it goes on, and at rest.
load lib/base

METAWALK=${METAWALK:-$REPO/build/metawalk}
CHUNKS=1024 # of 64 KiB, in the pool
SIZE=256    # of a volume

setup() {
	if [[ $(</proc/mounts) == *" /run/img-state "* ]]; then
		T=/run/img-state/meta
		mkdir "$T"
	else
		T=$(mktemp -d /var/tmp/img-meta.XXXXXX)
	fi
	export T
	[ -S /run/udev/control ] || export DM_DISABLE_UDEV=1
	truncate -s 4M "$T/metadata"
	truncate -s $((CHUNKS * 65536)) "$T/data"
	metadata=$(losetup -f --show "$T/metadata")
	data=$(losetup -f --show "$T/data")
	pool_up
	open=''
	volumes=()
	next=1
}

teardown() {
	pool_down
	losetup -d "$data" "$metadata"
	rm -rf "$T"
}

pool_up() {
	dmsetup create meta-pool --table \
		"0 $((CHUNKS * 128)) thin-pool $metadata $data 128 0"
	table="0 $((SIZE * 128)) thin /dev/mapper/meta-pool"
}

pool_down() {
	close_volume
	dmsetup remove --retry meta-pool
}

# Only one volume is active at a time: what it has is on the disk then.
close_volume() {
	[ -z "$open" ] || dmsetup remove --retry meta-thin || return
	open=''
}

open_volume() {
	[ "$open" != "$1" ] || return 0
	close_volume
	dmsetup create meta-thin --table "$table $1"
	open=$1
}

message() {
	dmsetup message meta-pool 0 "$*"
}

pick() {
	picked=${volumes[RANDOM % ${#volumes[@]}]}
}

# A few blocks in a row, somewhere.
write_some() {
	pick
	open_volume "$picked"
	dd if=/dev/zero of=/dev/mapper/meta-thin bs=64K count=$((1 + RANDOM % 5)) \
		seek=$((RANDOM % (SIZE - 5))) oflag=direct conv=notrunc status=none
}

discard_some() {
	pick
	open_volume "$picked"
	blkdiscard -o $((RANDOM % SIZE * 65536)) -l 65536 /dev/mapper/meta-thin
}

create_one() {
	if [ ${#volumes[@]} -eq 0 ] || [ $((RANDOM % 4)) -eq 0 ]; then
		message create_thin "$next"
	else
		pick
		close_volume
		message create_snap "$next" "$picked"
	fi
	volumes+=("$next")
	next=$((next + 1 + RANDOM % 3))
}

delete_one() {
	local i left=()
	[ ${#volumes[@]} -gt 2 ] || return 0
	pick
	close_volume
	message delete "$picked"
	for i in "${volumes[@]}"; do
		[ "$i" = "$picked" ] || left+=("$i")
	done
	volumes=("${left[@]}")
}

work() {
	local n
	for ((n = 0; n < $1; n++)); do
		case $((RANDOM % 10)) in
		0 | 1) create_one ;;
		2) delete_one ;;
		3) discard_some ;;
		*) write_some ;;
		esac
	done
}

# compare [-m]: all that both can say.
compare() {
	local held=("$@") a b
	"$METAWALK" "${held[@]}" "$T/metadata" usage >"$T/ours"
	thin_ls "${held[@]}" --no-headers -o DEV,MAPPED_BLOCKS,EXCLUSIVE_BLOCKS \
		"$metadata" | awk '{ print $1, $2, $3 }' >"$T/theirs"
	diff "$T/ours" "$T/theirs"
	thin_dump "${held[@]}" "$metadata" >"$T/dump"
	while read -r a _; do
		"$METAWALK" "${held[@]}" "$T/metadata" map "$a"
	done <"$T/ours" >"$T/map"
	awk -F'"' '/<single_mapping/ { print $2, $4, $6 }
		/<range_mapping/ { for (i = 0; i < $6; i++) print $2 + i, $4 + i, $8 }' \
		"$T/dump" >"$T/theirs"
	diff "$T/map" "$T/theirs"
	[ -s "$T/map" ]
	for a in "${known[@]}"; do
		for b in "${known[@]}"; do
			[ "$a" -lt "$b" ] || continue
			"$METAWALK" "${held[@]}" "$T/metadata" delta "$a" "$b" \
				>"$T/ours"
			thin_delta "${held[@]}" --snap1 "$a" --snap2 "$b" \
				"$metadata" | awk -F'"' '/<different|<left|<right/ {
					kind = /<diff/ ? "different" : /<left/ ? "left" : "right"
					for (i = 0; i < $4; i++) print $2 + i, kind }' \
				>"$T/theirs"
			diff "$T/ours" "$T/theirs"
			deltas=$((deltas + 1))
		done
	done
}

@test "random work: as thin_dump, thin_ls and thin_delta read it" {
	local seed=${IMG_TEST_SEED:-$RANDOM$RANDOM} round used freed deltas=0
	RANDOM=$seed
	echo "# seed $seed (IMG_TEST_SEED)" >&3
	create_one
	for round in 1 2 3; do
		work 25
		# Held still, while the work goes on.
		close_volume
		message reserve_metadata_snap
		known=("${volumes[@]:0:4}")
		work 10
		compare -m
		[ -z "$("$METAWALK" -m "$T/metadata" check)" ]
		close_volume
		message release_metadata_snap
		# At rest.
		pool_down
		known=("${volumes[@]:0:4}")
		compare
		[ -z "$("$METAWALK" "$T/metadata" check)" ]
		thin_check -q "$metadata"
		pool_up
	done
	# What a set gives back is what the kernel gives back.
	used=$(dmsetup status meta-pool | awk '{ split($6, n, "/"); print n[1] }')
	known=("${volumes[@]:0:3}")
	freed=$("$METAWALK" "$T/metadata" reclaim "${known[@]}")
	for round in "${known[@]}"; do
		message delete "$round"
	done
	[ "$(dmsetup status meta-pool | awk '{ split($6, n, "/"); print n[1] }')" \
		-eq $((used - freed / 65536)) ]
	echo "# $deltas deltas" >&3
}
