# The acts of the storm: what is done, to what, and what may come of it.
#
# shellcheck disable=SC2034,SC2154 # shared with storm.bash and store.bash
#
# A plan_ACT sets:
#   plan        the command
#   change      what it does to the catalog: "+image NAME" and the like; or ''
#   given       what the mark of what is new will be, where that is certain
#   background  it leaves, or is about, a container that runs on
#   ends        what it leaves in the background ends by itself

# What is known of them: marks are what the file /mark of a container, by its
# name, or of an image, by NAME:TAG, has to hold.
declare -A mark=() endless=() old_image=() old_container=()
declare -A old_snapshot=() old_state=()
declare -i serial=0

new_name() {
	serial+=1
	name=$1$serial
}

# pick NAME...: one of them, in REPLY.
pick() {
	REPLY=${*:RANDOM % $# + 1:1}
}

# A container to do something to: a stopped one that is there, or a new one.
# Its command ends by itself, unless it may be of the other kind.
need_container() {
	local name fit=()
	for name in "${!container_of[@]}"; do
		[ -n "${endless[$name]-}" ] && [ "${1-}" != any ] || fit+=("$name")
	done
	if [ ${#fit[@]} -gt 0 ]; then
		pick "${fit[@]}"
		container=$REPLY
		return
	fi
	new_name c
	container=$name
	img run --name "$name" base sh -c "echo $name >/mark" </dev/null ||
		fault 'cannot prepare a container'
	read_catalog
	mark[$name]=$name
}

# One that runs, and has written its mark.
need_live() {
	local log
	new_name c
	container=$name
	img run -d --name "$name" base sh -c \
		"echo $name >/mark; echo ready; exec sleep 100" >/dev/null ||
		fault 'cannot prepare a running container'
	read_catalog
	log=$IMG_ROOT/containers/${container_of[$name]}/log
	until [ -s "$log" ]; do nap 0.005; done
	mark[$name]=$name endless[$name]=1 background=1
}

begin_plan() {
	background='' ends='' container='' change='' given='' grown=''
}

plan_import() {
	begin_plan
	new_name i
	plan=(img import -q "$tar" "$name") change="+image $name:latest"
}

plan_run() {
	begin_plan
	new_name c
	pick "${!image_of[@]}"
	plan=(img run --name "$name" "$REPLY" sh -c "echo $name >/mark")
	change="+container $name" given=$name
}

plan_run_rm() {
	begin_plan
	new_name c
	pick "${!image_of[@]}"
	plan=(img run --rm --name "$name" "$REPLY" sh -c "echo $name >/mark")
}

plan_run_d() {
	plan_run
	plan=(img run -d "${plan[@]:2}")
	background=1 ends=1 given=''
}

plan_start() {
	begin_plan
	need_container
	mark[$container]=''
	plan=(img start -a "$container")
}

plan_start_d() {
	plan_start
	plan=(img start "$container")
	background=1 ends=1
}

plan_commit() {
	begin_plan
	need_container any
	new_name i
	plan=(img commit -q "$container" "$name") change="+image $name:latest"
	given=${mark[$container]-}
}

plan_commit_live() {
	begin_plan
	need_live
	new_name i
	plan=(img commit -q "$container" "$name") change="+image $name:latest"
	given=${mark[$container]-}
}

# Into an image of its own, whose name goes on as another image.
plan_merge() {
	local name
	begin_plan
	new_name i
	container=c${name#i}
	img import -q "$tar" "$name" && img run --name "$container" "$name" \
		sh -c "echo $container >/mark" </dev/null ||
		fault 'cannot prepare a merge'
	read_catalog
	mark[$container]=$container
	plan=(img merge -q "$container") change="~image $name:latest"
	given=$container
}

plan_tag() {
	begin_plan
	new_name t
	pick "${!image_of[@]}"
	given=${mark[$REPLY]-}
	plan=(img tag "$REPLY" "$name") change="+image $name:latest"
}

plan_rm() {
	begin_plan
	need_container any
	plan=(img rm "$container") change="-container $container"
}

plan_rm_live() {
	begin_plan
	need_live
	plan=(img rm -f "$container") change="-container $container"
}

plan_rmi() {
	local name removable=()
	begin_plan
	for name in "${!image_of[@]}"; do
		[ "$name" = base:latest ] || removable+=("$name")
	done
	if [ ${#removable[@]} -eq 0 ]; then
		new_name i
		img import -q "$tar" "$name" || fault 'cannot prepare an image'
		read_catalog
		removable=("$name:latest")
	fi
	pick "${removable[@]}"
	plan=(img rmi -f "$REPLY") change="-image $REPLY"
}

# keep_few: removes containers or images where there are many.
keep_few() {
	local name images=("${!image_of[@]}") containers=("${!container_of[@]}")
	[ ${#containers[@]} -lt 6 ] || img rm "${containers[@]:0:4}" ||
		fault 'cannot remove containers'
	if [ ${#images[@]} -gt 6 ]; then
		images=("${images[@]/#base:latest}")
		# shellcheck disable=SC2068 # without the empty one
		img rmi -f ${images[@]:0:5} || fault 'cannot remove images'
	elif [ ${#containers[@]} -lt 6 ]; then
		return
	fi
	read_catalog
} >/dev/null

# What changed between two catalogs, in REPLY; remembers the new one.
difference() {
	local name old list=()
	for name in "${!image_of[@]}"; do
		[ -n "${old_image[$name]-}" ] || list+=("+image $name")
	done
	for name in "${!old_image[@]}"; do
		[ -n "${image_of[$name]-}" ] || list+=("-image $name")
		[ "${image_of[$name]-${old_image[$name]}}" = \
			"${old_image[$name]}" ] || list+=("~image $name")
	done
	for name in "${!container_of[@]}"; do
		[ -n "${old_container[$name]-}" ] || list+=("+container $name")
	done
	for name in "${!old_container[@]}"; do
		[ -n "${container_of[$name]-}" ] || list+=("-container $name")
	done
	for name in "${!snapshot_of[@]}"; do
		[ -n "${old_snapshot[$name]-}" ] || list+=("+snapshot $name")
	done
	# With its container it goes as a matter of course.
	for name in "${!old_snapshot[@]}"; do
		[ -n "${snapshot_of[$name]-}" ] ||
			[ -z "${container_of[${name%@*}]-}" ] || list+=("-snapshot $name")
	done
	for name in "${!state_of[@]}"; do
		old=${old_state[$name]-${state_of[$name]}}
		if [ "${old% *}" != "${state_of[$name]% *}" ]; then
			list+=("~volume $name")
		elif [ "$old" != "${state_of[$name]}" ]; then
			list+=("~size $name")
		fi
	done
	REPLY=${list[*]}
}

remember() {
	local name
	old_image=() old_container=() old_snapshot=() old_state=()
	for name in "${!image_of[@]}"; do
		old_image[$name]=${image_of[$name]}
	done
	for name in "${!container_of[@]}"; do
		old_container[$name]=${container_of[$name]}
		old_state[$name]=${state_of[$name]}
	done
	for name in "${!snapshot_of[@]}"; do
		old_snapshot[$name]=${snapshot_of[$name]}
	done
}

# expect made|either: that the planned change was made, or that or nothing: and
# no other.  Says in outcome which it is.
expect() {
	difference
	outcome=undone
	[ "$REPLY" != "$change" ] || outcome=made
	[ -z "$REPLY" ] || [ $outcome = made ] ||
		fault "what changed is '$REPLY', not '$change'"
	[ $outcome = made ] || [ "$1" = either ] ||
		fault "acknowledged, but not there: '$change'"
	[ -z "$grown" ] || check_grown "$grown"
	# A container that was killed may have written its mark, or not.
	case $1,$outcome,$change in
	made,made,+container* | *,made,[+~]image* | *,made,~volume*)
		mark[${change#* }]=$given
		;;
	esac
}
