# Programs that turn their own root file system against who starts, enters and
# removes the container.
load lib/hostile

@test "CVE-2021-30465: a target swapped for a symlink while it is mounted on" {
	local n status_seen=''
	mkdir "$T/shared" "$T/shared/dir" "$T/other"
	ln -s / "$T/shared/link"
	echo other >"$T/other/marker"
	ok img run -d --name swapper "${TOOL[@]}" -v "$T/shared:/shared" base \
		/hostile swap /shared/dir /shared/link
	for n in 1 2 3 4 5 6 7 8 9 10; do
		try img run --rm -v "$T/shared:/shared" -v "$T/other:/shared/dir" \
			base sh -c 'read -r m </shared/dir/marker; echo "$m"'
		case $status in
		0) [[ $out == other || $out == '' ]] || say 'other files' ;;
		*) [[ $err == *shared* || $err == *marker* || $err == *'not found'* ||
			$err == *'No such file'* ]] || say 'no word of it' ;;
		esac
		[ ! -e /marker ] || say 'it was mounted on the host'
	done
	ok img rm -f swapper
	store_works
}

@test "CVE-2019-16884, CVE-2023-27561, CVE-2019-19921: no other /proc, /sys, /dev" {
	local dir target
	mkdir "$T/fake" "$T/fake/sys"
	echo x >"$T/file"
	# An image that has something else in their places.
	mkdir "$T/root"
	tar -C "$T/root" -xf "$CACHE/base.tar"
	while read -r dir target; do
		rm -rf "${T:?}/root/$dir"
		ln -s "$target" "$T/root/$dir"
		tar -C "$T/root" -cf "$T/root.tar" .
		ok img import -q "$T/root.tar" other
		fails 125 "'/$dir' of the image is not a directory" \
			img run --rm other true
		rm "$T/root/$dir"
		mkdir "$T/root/$dir"
	done <<-END
		proc /srv
		sys ../../../etc
		dev /proc/self/cwd
	END
	# A volume in their places, or behind a symlink of the image.
	ok img run --name ways base sh -c 'ln -s /proc /p; ln -s /proc/self /me
		ln -s /proc/self/attr /attr; ln -s ../proc/sys /sy'
	ok img commit -q ways ways
	for target in /proc /proc/self/attr /p/self /me/attr /sy /dev/../proc; do
		fails 125 "cannot mount '$T/fake' at '*': it is inside /proc" \
			img run --rm -v "$T/fake:$target" ways true
	done
	for target in /proc/self/exe /me/attr/exec /p/sysrq-trigger; do
		fails 125 "cannot mount '$T/file'*" \
			img run --rm -v "$T/file:$target" ways true
	done
	# The guards stand with a volume at /sys, too, and with one above.
	ok img run --rm -v "$T/fake:/sys" base sh -c \
		'! (echo x >/proc/sysrq-trigger) 2>/dev/null'
	store_works
}

@test "its root, /proc and /dev removed, renamed, covered: it is still ours" {
	local name
	ok img run -d --name gone base bash -c 'exec 2>/dev/null 3<> <(:)
		rm -rf --no-preserve-root /*; echo ready; while :; do read -t 9 -u 3; done'
	ok img run -d --name moved "${POWER[@]}" base bash -c 'exec 2>/dev/null 3<> <(:)
		mv /proc /p; mv /dev /d; umount -l /proc; mount -t tmpfs x /dev
		mount --move /dev /srv; mount --bind /etc /proc
		cd /root; /bin/mv /etc /home /lib /lib64 /bin .; echo ready
		while :; do read -t 9 -u 3; done'
	for name in gone moved; do
		wait_for sh -c "$IMG logs $name | grep -q ready"
		try img exec "$name" true
		[[ $status -ge 125 && $status -le 127 && $err == 'img: '* ]] ||
			say "$name: exec"
		try img exec -t "$name" true
		[[ $status -ge 125 && $status -le 127 && $err == 'img: '* ]] ||
			say "$name: exec -t"
		ok img ps
		has "$name"
		ok img commit -q "$name" "$name"
		fails 127 '"true": executable file not found in $PATH' \
			img run --rm "$name" true
		ok img stop -t 0 "$name"
		fails 1 "cannot start $name: *not found*" img start -a "$name"
		ok img rm -f "$name"
		# Files that were open and had no name: the next mount frees them.
		ok img rmi -f "$name"
	done
	store_works
}
