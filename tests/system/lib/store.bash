# A store of a test file's own, and what must be true of it after each test.
# A file that loads this has a store with the image "base"; it may define
# setup_file, teardown_file, setup and teardown anew, of the same parts.
#
# IMG_TEST_DRIVER names the store's driver, where it is not thin.
#
# $FILES is the file's directory, on a file system that has holes; $T is empty
# before each test.

# shellcheck source=base.bash
. "${BASH_SOURCE[0]%/*}/base.bash"

store_begin() {
	if [[ $(</proc/mounts) == *" /run/img-state "* ]]; then
		FILES=/run/img-state/test
		mkdir "$FILES"
		OWN_PIDS=$(readlink /proc/self/ns/pid)
		OWN_PIDS=${OWN_PIDS/[/\\[} # a pattern
	else
		FILES=$(mktemp -d /var/tmp/img-test.XXXXXX)
		OWN_PIDS='*'
	fi
	export FILES OWN_PIDS T=$FILES/t IMG_ROOT=$FILES/store IMG_RUN=$FILES/run
	# dmsetup makes its nodes itself where nobody else does.
	[ -S /run/udev/control ] || export DM_DISABLE_UDEV=1
	mkdir "$T"
	echo >"$FILES/kept"
	echo >"$FILES/sound"
	[ -z "${IMG_TEST_DRIVER-}" ] ||
		ok img init --driver "$IMG_TEST_DRIVER"
}

# Images that are there now stay until the end of the file.
store_keep() {
	img images -q --no-trunc >"$FILES/kept"
}

store_end() {
	[ -n "${FILES:-}" ] || return 0
	echo >"$FILES/kept"
	store_check
	rm -rf "$FILES"
}

test_begin() {
	rm -rf "$T"
	mkdir "$T"
	mounts_before=$(</proc/self/mountinfo)
}

test_end() {
	local mounts_after
	store_check
	mounts_after=$(</proc/self/mountinfo)
	[ "$mounts_after" = "$mounts_before" ] || {
		echo "leaked a mount:"
		diff <(echo "$mounts_before") <(echo "$mounts_after")
		return 1
	}
}

# sql QUERY: rows of the catalog.
sql() {
	sqlite3 "$IMG_ROOT/store.db" "$1"
}

# Prints this store's devices, and all loop devices with a file of ours.
devices() {
	local file
	for file in /sys/block/dm-*/dm/uuid; do
		[ -e "$file" ] || continue
		[[ $(<"$file") != IMG-$store_id-* ]] || echo "$(<"${file%uuid}name")"
	done
	for file in /sys/block/loop*/loop/backing_file; do
		[ -e "$file" ] || continue
		[[ $(<"$file") != "$FILES"/* ]] || echo "$file"
	done
}

no_devices() {
	local found
	found=$(devices)
	[ -z "$found" ] || {
		echo "left: $found"
		return 1
	}
}

# Prints processes of img; in a machine of our own, where no other program
# makes any, also all in another pid namespace.
strays() {
	find /proc/[0-9]*/exe /proc/[0-9]*/ns/pid -maxdepth 0 \
		\( -path '*/exe' -lname "$IMG" ! -path /proc/1/exe -o \
		-path '*/pid' ! -lname "$OWN_PIDS" \) 2>/dev/null ||
		: # threads of the kernel have no program
}

# used_bytes: what of the pool is in use.
used_bytes() {
	img df --format json | sed -n 's/.*"DataUsedBytes": \([0-9]*\).*/\1/p'
}

# with_file ID:SECTORS CMD...: with_volume on the driver snapshot: a loop device
# of the file, or a snapshot of the base's with the container's store.
with_file() {
	local id=${1%:*} sectors=${1#*:} dir=$IMG_ROOT/volumes base='' loop cow
	local status=0 file
	shift
	file=$dir/$id
	for cow in "$dir/$id"-*.cow; do
		[ -e "$cow" ] || continue
		base=${cow##*-}
		file=$dir/${base%.cow}
		[ -e "$file" ] || file+=.base
	done
	loop=$(losetup -r -f --show "$file") || return
	if [ -z "$base" ]; then
		"$@" "$loop" || status=$?
	else
		cow=$(losetup -f --show "$cow") || return
		dmsetup create "test-$id" --readonly \
			--table "0 $sectors snapshot $loop $cow P 32" || return
		"$@" "/dev/mapper/test-$id" || status=$?
		dmsetup remove --retry "test-$id" && losetup -d "$cow" || return
	fi
	losetup -d "$loop" || return
	return "$status"
}

# with_volume ID:SECTORS CMD...: runs CMD with a read-only device of a volume at
# its end.
with_volume() {
	local id=${1%:*} sectors=${1#*:} pool='' uuid status=0
	[ ! -d "$IMG_ROOT/volumes" ] || {
		with_file "$@"
		return
	}
	shift
	while [ -z "$pool" ]; do
		for uuid in /sys/block/dm-*/dm/uuid; do
			[ -e "$uuid" ] || continue
			[[ $(<"$uuid") != IMG-*-pool ]] || pool=$(<"${uuid%dm/uuid}dev")
		done
		[ -n "$pool" ] || img pool status >/dev/null || return # brings it up
	done
	dmsetup create "test-$id" --readonly \
		--table "0 $sectors thin $pool $id" || return
	"$@" "/dev/mapper/test-$id" || status=$?
	dmsetup remove --retry "test-$id" || return
	return "$status"
}

# volume_of NAME: the volume of an image, or of a container, for with_volume.
volume_of() {
	sql "SELECT v.id || ':' || (v.size_bytes / 512) FROM volumes v
		JOIN images i ON i.volume = v.id JOIN names n ON n.image = i.id
		WHERE n.name || ':' || n.tag IN ('$1', '$1:latest')
		UNION SELECT v.id || ':' || (v.size_bytes / 512) FROM volumes v
		JOIN containers c ON c.volume = v.id WHERE c.name = '$1'"
}

# Ends what a test left running, but leaves it there.
stop_containers() {
	local file
	for file in "$IMG_RUN"/*/*.pid; do
		[ -e "$file" ] || continue
		kill -KILL "$(<"$file")"
		wait_for test ! -e "$file"
	done
}

# A volume's file system; one of an image, which never changes, once.
check_volume() {
	local volume=$1 image=$2
	[ -z "$image" ] || ! grep -q "$image" "$FILES/sound" || return 0
	with_volume "$volume" e2fsck -fn >"$FILES/fsck" 2>&1 || {
		echo "volume $volume is unsound:"
		head -n 40 "$FILES/fsck"
		return 1
	}
	[ -z "$image" ] || echo "$image" >>"$FILES/sound"
}

# What only the whole catalog can tell; then all that a test left is removed.
# In the order of their names: a snapshot is looked at ("aged") before its
# container takes it along.
check_catalog() {
	local kind id owner sectors
	while IFS='|' read -r kind id owner sectors; do
		case $kind in
		store) store_id=$id ;;
		intent | orphan)
			echo "left in the catalog: $kind $id"
			return 1
			;;
		image) check_volume "$id:$sectors" "$owner" || return ;;
		container | aged | volume) check_volume "$id:$sectors" '' || return ;;
		esac
		case $kind in
		container) img rm "$owner" >/dev/null || return ;;
		volume) img volume rm "$owner" >/dev/null || return ;;
		image)
			grep -q "$owner" "$FILES/kept" ||
				img rmi -f "$owner" >/dev/null || return
			;;
		esac
	done < <(sql "SELECT 'store', value, '', '' FROM settings
			WHERE key = 'store_id' UNION
		SELECT 'intent', op, volume, '' FROM intents UNION
		SELECT 'orphan', id, '', '' FROM volumes WHERE id NOT IN
			(SELECT volume FROM images UNION
			 SELECT volume FROM containers UNION
			 SELECT volume FROM snapshots UNION
			 SELECT volume FROM named_volumes) UNION
		SELECT 'volume', volume, name, size_bytes / 512
			FROM named_volumes JOIN volumes v ON v.id = volume UNION
		SELECT 'aged', volume, name, size_bytes / 512
			FROM snapshots s JOIN volumes v ON v.id = volume UNION
		SELECT 'container', volume, c.id, size_bytes / 512
			FROM containers c JOIN volumes v ON v.id = volume UNION
		SELECT 'image', volume, i.id, size_bytes / 512
			FROM images i JOIN volumes v ON v.id = volume ORDER BY 1")
}

# On the driver snapshot: a file for each of the catalog's volumes, and none
# but those and the bases that are still used.
check_files() {
	local file name wanted there found=()
	for file in "$IMG_ROOT/volumes"/*; do
		[ -e "$file" ] || continue
		name=${file##*/}
		case $name in
		*.base)
			compgen -G "$IMG_ROOT/volumes/*-${name%.base}.cow" >/dev/null || {
				echo "left: $file"
				return 1
			}
			;;
		*-*.cow) found+=("${name%-*}") ;;
		*) found+=("$name") ;;
		esac
	done
	wanted=$(sql "SELECT id FROM volumes ORDER BY CAST(id AS TEXT)")
	there=$(printf '%s\n' "${found[@]}" | LC_ALL=C sort)
	[ "$wanted" = "$there" ] || {
		echo "other volumes than the catalog's: ${there//$'\n'/ }, not" \
			"${wanted//$'\n'/ }"
		return 1
	}
}

# The pool's metadata, and that it holds just the catalog's volumes and the
# ledger.
check_pool() {
	local wanted found
	[ ! -d "$IMG_ROOT/volumes" ] || {
		check_files
		return
	}
	if ! thin_check -q "$IMG_ROOT/pool/metadata"; then
		echo "the pool is unsound"
		return 1
	fi
	wanted=$(sql "SELECT id FROM volumes")
	found=$(thin_ls --no-headers -o DEV "$IMG_ROOT/pool/metadata")
	# shellcheck disable=SC2086,SC2116 # spaces and lines alike
	[[ " "$(echo $found) =~ ^(' 0')?(' '$(echo $wanted))?$ ]] || {
		echo "the pool has other volumes than the catalog:" $found, not $wanted
		return 1
	}
}

# Prints files that no container and no pool needs.
stray_files() {
	local file
	for file in "$IMG_ROOT"/containers/* "$IMG_RUN"/*/*.pid; do
		[ ! -e "$file" ] || echo "$file"
	done
	for file in "$IMG_ROOT"/* "$IMG_ROOT"/pool/*; do
		case ${file#"$IMG_ROOT/"} in
		store.db | store.db-wal | store.db-shm) ;;
		pool | pool/data | pool/metadata | containers | volumes | ledger | ballast) ;;
		*) echo "$file" ;;
		esac
	done
}

# Takes the pool down; the next test's first command brings it up again.
store_check() {
	local found store_id
	[ -e "$IMG_ROOT/store.db" ] || return 0
	stop_containers
	check_catalog || return
	found=$(strays && stray_files)
	[ -z "$found" ] || {
		echo "left: $found"
		return 1
	}
	img pool stop || return
	# The kernel may be a moment behind with its loops.
	wait_for no_devices || return
	check_pool
}

# What a file of tests has that wants nothing else.
setup_file() {
	store_begin
	ok img import -q "$CACHE/base.tar" base
	store_keep
}

teardown_file() {
	store_end
}

setup() {
	test_begin
}

teardown() {
	test_end
}
