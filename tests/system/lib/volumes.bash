# What the tests of named volumes share.

# shellcheck source=store.bash
. "${BASH_SOURCE[0]%/*}/store.bash"

# The volume of a name, for with_volume.
named() {
	sql "SELECT v.id || ':' || (v.size_bytes / 512) FROM named_volumes n
		JOIN volumes v ON v.id = n.volume WHERE n.name = '$1'"
}

# on_disk NAME CMD...: runs CMD in the root of a volume that nobody uses.
on_disk() {
	local volume
	volume=$(named "$1")
	mkdir -p "$T/mnt"
	with_volume "$volume" in_mount "${@:2}"
}

in_mount() {
	local status=0
	mount -o ro,noload "${*: -1}" "$T/mnt" || return
	(cd "$T/mnt" && "${@:1:$#-1}") || status=$?
	umount "$T/mnt"
	return "$status"
}

# is_active NAME: its device is there.
is_active() {
	local id
	id=$(named "$1")
	store_id=$(sql "SELECT value FROM settings WHERE key = 'store_id'")
	dmsetup info "img-${store_id:0:8}-${id%:*}" >/dev/null 2>&1
}
