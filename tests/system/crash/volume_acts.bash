# The storm's acts on volumes: snapshots, rollback, clones, sizes.  As those of
# acts.bash; besides, such a plan may set
#   grown   a container whose file system has to be sound afterwards, and as
#           large as its volume
#
# shellcheck disable=SC2034,SC2154 # shared with storm.bash and acts.bash

plan_snapshot() {
	begin_plan
	need_container any
	new_name s
	plan=(img snapshot create "$container" "$name")
	change="+snapshot $container@$name"
}

plan_snapshot_live() {
	begin_plan
	need_live
	new_name s
	plan=(img snapshot create "$container" "$name")
	change="+snapshot $container@$name"
}

# A snapshot that is there, or a new one, in name; of $container.
need_snapshot() {
	need_container any
	for name in "${!snapshot_of[@]}"; do
		[ "${name%@*}" = "$container" ] || continue
		name=${name#*@}
		return
	done
	new_name s
	img snapshot create "$container" "$name" >/dev/null ||
		fault 'cannot prepare a snapshot'
	read_catalog
}

plan_snapshot_rm() {
	begin_plan
	need_snapshot
	plan=(img snapshot rm "$container" "$name")
	change="-snapshot $container@$name"
}

# Back to a mark that is not the present one.
plan_rollback() {
	begin_plan
	new_name c
	container=$name
	img run --name "$container" base sh -c \
		"[ ! -e /again ] && echo $container.1 >/mark || echo $container.2 >/mark
		: >/again" && img snapshot create "$container" first >/dev/null &&
		img start -a "$container" || fault 'cannot prepare a rollback'
	read_catalog
	mark[$container]=$container.2
	plan=(img snapshot rollback "$container" first)
	change="~volume $container" given=$container.1
}

plan_clone() {
	begin_plan
	need_container any
	new_name c
	plan=(img clone "$container" "$name") change="+container $name"
	given=${mark[$container]-}
	# What it runs it has from the other.
	[ -z "${endless[$container]-}" ] || endless[$name]=1
}

plan_clone_live() {
	begin_plan
	need_live
	new_name c
	plan=(img clone "$container" "$name") change="+container $name"
	given=${mark[$container]-} endless[$name]=1
}

plan_resize() {
	begin_plan
	need_container any
	plan=(img resize "$container" +16M) change="~size $container"
	grown=$container
}

plan_resize_live() {
	begin_plan
	need_live
	plan=(img resize "$container" +16M) change="~size $container"
	grown=$container
}

plan_run_size() {
	plan_run
	plan=(img run --size 96M "${plan[@]:2}")
	grown=$name
}

# check_grown NAME: by e2fsck, and by what the superblock says of its size.
check_grown() {
	local id sectors fs pool blocks
	[ -n "${container_of[$1]-}" ] || return 0
	read -r id sectors fs < <(sqlite3 -separator ' ' "$IMG_ROOT/store.db" "
		SELECT v.id, size_bytes / 512, ifnull(fs_bytes, 0) FROM volumes v
		JOIN containers c ON c.volume = v.id WHERE name = '$1'")
	pool=$(dmsetup ls | sed -n 's/^img-.*-pool\t*(\([0-9]*\)[:, ]*\([0-9]*\))$/\1:\2/p')
	dmsetup create look --readonly --table "0 $sectors thin $pool $id" ||
		fault "volume $id of $1"
	e2fsck -fn /dev/mapper/look >"$T/fsck" 2>&1 ||
		fault "the file system of $1: $(<"$T/fsck")"
	read -r blocks < <(od -An -tu4 -j1028 -N4 /dev/mapper/look)
	dmsetup remove --retry look
	[ $((blocks * 8)) -eq "$sectors" ] || [ $((blocks * 4096)) -eq "$fs" ] ||
		fault "$1 has $sectors sectors, its file system $blocks blocks"
}
