# What is in an image, as a mount of its volume shows it.

# manifest_of IMAGE
manifest_of() {
	mkdir -p "$FILES/mnt"
	with_volume "$(volume_of "$1")" mounted "$FIXTURES/manifest" "$FILES/mnt"
}

# mounted CMD... DEVICE
mounted() {
	local status=0
	mount -o ro,noload "${*: -1}" "$FILES/mnt" || return
	"${@:1:$#-1}" || status=$?
	umount "$FILES/mnt"
	return "$status"
}
