# shellcheck disable=SC2034,SC2154 # shared with who asks
# What the images of a store are, byte for byte.  Needs $T, $IMG_ROOT, driver and
# fault MESSAGE, which does not return.

# sum_of VOLUME SECTORS: of all its bytes, in sum; a file system of these bytes
# was looked at by e2fsck.
declare -A sound=()
declare -i bytes=0
sum_of() {
	local file=$IMG_ROOT/volumes/$1
	if [ "$driver" = thin ]; then
		dmsetup create look --readonly --table "0 $2 thin $pool $1" ||
			fault "no device for volume $1"
		file=/dev/mapper/look
	fi
	# On the driver snapshot a file grows with what is made from it.
	sum=$(head -c $(($2 * 512)) "$file" | sha256sum) ||
		fault "volume $1 cannot be read"
	sum=${sum%% *}
	if [ -z "${sound[$sum]-}" ]; then
		e2fsck -fn "$file" >"$T/out" 2>&1 || fault "volume $1 is unsound"
		sound[$sum]=1
	fi
	bytes+=$(($2 * 512))
	[ "$driver" != thin ] || dmsetup remove --retry look
}

# holds: what the images are, "NAME=SUM" in the order of the names, in REPLY.
holds() {
	local name volume sectors text='' file
	declare -A sum_of_volume=()
	for file in /sys/block/dm-*/dm/name; do
		[[ ! -e $file || $(<"$file") != img-*-pool ]] ||
			pool=$(<"${file%dm/name}dev")
	done
	sqlite3 -separator ' ' "$IMG_ROOT/store.db" >"$T/images" "
		SELECT n.name, v.id, v.size_bytes / 512 FROM names n
			JOIN images i ON i.id = n.image
			JOIN volumes v ON v.id = i.volume ORDER BY n.name" ||
		fault 'the catalog cannot be read'
	while read -r name volume sectors; do
		if [ -z "${sum_of_volume[$volume]-}" ]; then
			sum_of "$volume" "$sectors"
			sum_of_volume[$volume]=$sum
		fi
		text+="$name=${sum_of_volume[$volume]} "
	done <"$T/images"
	REPLY=$text
}
