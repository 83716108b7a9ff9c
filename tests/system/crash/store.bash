# shellcheck disable=SC2034 # for whoever asked
# What a store looks like from outside, through other people's tools and the
# kernel's own files, and what must hold of it while nothing runs.  Every process
# costs 30 ms in the embedded kernel, so there are few.
#
# Needs $T, a directory for scratch files, $IMG_ROOT, and fault MESSAGE, which
# does not return.

declare -gA image_of container_of status_of snapshot_of state_of base
declare -ga volumes used intents pool_volumes fresh

# read_catalog: image_of[NAME:TAG], container_of[NAME] and status_of[NAME];
# snapshot_of[CONTAINER@NAME]; in state_of[NAME] a container's volume and its
# size; the ids in volumes, those of them in used that somebody has; and what
# is in intents.
read_catalog() {
	local kind a b
	image_of=() container_of=() status_of=() volumes=() used=() intents=()
	snapshot_of=() state_of=()
	sqlite3 -separator ' ' "$IMG_ROOT/store.db" >"$T/catalog" "
		SELECT 'intent', op, volume FROM intents;
		SELECT 'volume', id, '' FROM volumes ORDER BY id;
		SELECT 'used', v, '' FROM (SELECT volume v FROM images
			UNION ALL SELECT volume FROM containers
			UNION ALL SELECT volume FROM snapshots
			UNION ALL SELECT volume FROM named_volumes) ORDER BY v;
		SELECT 'image', name || ':' || tag, image FROM names;
		SELECT 'container', name, id FROM containers;
		SELECT 'status', name, ifnull(exit_status, '-') FROM containers;
		SELECT 'state', name, volume || ' ' || size_bytes
			FROM containers c JOIN volumes v ON v.id = volume;
		SELECT 'snapshot', c.name || '@' || s.name, s.volume
			FROM snapshots s JOIN containers c ON c.id = container;
		SELECT 'broken', name, 'has no image' FROM names
			WHERE image NOT IN (SELECT id FROM images);" ||
		fault 'the catalog cannot be read'
	while read -r kind a b; do
		case $kind in
		intent) intents+=("$a of $b") ;;
		volume) volumes+=("$a") ;;
		used) used+=("$a") ;;
		image) image_of[$a]=$b ;;
		container) container_of[$a]=$b ;;
		status) status_of[$a]=$b ;;
		state) state_of[$a]=$b ;;
		snapshot) snapshot_of[$a]=$b ;;
		*) fault "$a $b" ;;
		esac
	done <"$T/catalog"
}

# superblock: the first words of the pool's metadata, its sum to begin with.
superblock() {
	od -An -v -tu8 -w80 -N80 "$IMG_ROOT/pool/metadata"
}

# read_pool: the ids in pool_volumes; in mapped how many data blocks they refer
# to, in allocated how many the pool itself counts: all as it is on the disk,
# with no commit of the kernel's in between.
read_pool() {
	local line block end words=() seen=() before='' now
	now=$(superblock)
	while [ "$now" != "$before" ]; do
		before=$now
		thin_dump "$IMG_ROOT/pool/metadata" >"$T/pool" 2>"$T/pool.err" ||
			fault "thin_dump: $(<"$T/pool.err")"
		now=$(superblock)
	done
	read -ra words <<<"$now"
	pool_volumes=()
	allocated=${words[9]} # nr_allocated in data_space_map_root
	while read -r line; do
		[[ $line =~ (dev_id|data_block|data_begin)=\"([0-9]+)\" ]] || continue
		block=${BASH_REMATCH[2]} end=$block
		case ${BASH_REMATCH[1]} in
		dev_id)
			pool_volumes+=("$block")
			continue
			;;
		data_begin)
			[[ $line =~ length=\"([0-9]+)\" ]]
			end=$((block + BASH_REMATCH[1] - 1))
			;;
		esac
		for (( ; block <= end; block++)); do
			seen[block]=1
		done
	done <"$T/pool"
	mapped=${#seen[@]}
}

# text_of FILE: its text, in REPLY, without a process; nothing of a file that
# is gone.
text_of() {
	REPLY=''
	IFS= read -r -d '' REPLY 2>/dev/null <"$1"
	REPLY=${REPLY%$'\n'}
}

# names FILE...: the last parts of their names, of those that are there.
names() {
	local file
	REPLY=''
	for file in "$@"; do
		[ ! -e "$file" ] || REPLY+="${file##*/} "
	done
}

# new_processes: those that were not there at the beginning, in fresh.
new_processes() {
	local file
	fresh=()
	for file in /proc/[1-9]*; do
		[ -n "${base[$file]-}" ] || fresh+=("${file#/proc/}")
	done
}

# read_kernel: devices, nodes, loops, mounts and processes, each as one text.
read_kernel() {
	local file
	# What udevd does about our devices comes to an end.
	[ ! -S /run/udev/control ] || udevadm settle
	devices='' loops='' processes=''
	text_of /proc/self/mountinfo
	mounts=$REPLY
	for file in /sys/block/dm-*/dm; do
		[ -e "$file" ] || continue
		text_of "$file/name"
		devices+="${REPLY#img-*-} "
		text_of "$file/suspended"
		[ "$REPLY" = 0 ] || devices+='(suspended) '
	done
	names /dev/mapper/* /dev/img/*
	nodes=$REPLY
	for file in /sys/block/loop*/loop/backing_file; do
		[ -e "$file" ] || continue
		text_of "$file"
		loops+="$REPLY "
	done
	new_processes
	for file in "${fresh[@]}"; do
		# Of the kernel's own threads and of the dead it is empty; udevd's
		# children stay for a while.
		text_of "/proc/$file/cmdline"
		[ -z "$REPLY" ] || [ "$REPLY" = '(udev-worker)' ] ||
			processes+="$file:$REPLY "
	done
}

# note_base: what is there now is what must be there whenever nothing runs.
note_base() {
	local what
	for what in /proc/[1-9]*; do
		base[$what]=1
	done
	read_kernel
	for what in devices nodes loops mounts processes; do
		base[$what]=${!what}
	done
}

# check_kernel: no device, node, loop, mount or process more or less than then.
check_kernel() {
	local what
	read_kernel
	for what in devices nodes loops mounts processes; do
		[ "${!what}" = "${base[$what]}" ] ||
			fault "$what: '${!what}' instead of '${base[$what]}'"
	done
}

# check_store: the catalog, the pool and the files agree, and nothing is going
# on.  Leaves what it read for the caller.  Blocks that the pool counts and
# nobody refers to are in leaked: none, unless may_leak is set.
check_store() {
	local known
	read_catalog
	[ ${#intents[@]} -eq 0 ] || fault "intents are left: ${intents[*]}"
	[ "${volumes[*]}" = "${used[*]}" ] ||
		fault "volumes ${volumes[*]}, but in use are ${used[*]}"
	read_pool
	[ "${pool_volumes[*]}" = "0${volumes[*]:+ ${volumes[*]}}" ] ||
		fault "the pool has ${pool_volumes[*]}, the catalog ${volumes[*]}"
	leaked=$((allocated - mapped))
	[ "$leaked" -eq 0 ] || { [ "$leaked" -gt 0 ] && [ -n "${may_leak-}" ]; } ||
		fault "blocks leaked: $allocated in use, $mapped referred to"
	known=" ${container_of[*]} "
	names "$IMG_ROOT"/containers/*
	for name in $REPLY; do
		[[ $known == *" $name "* ]] || fault "left: containers/$name"
	done
	names "${IMG_RUN:-/run/img}"/*/*.pid
	[ -z "$REPLY" ] || fault "left: $REPLY"
}
