# --mount type=volume with volume-subpath: a directory of a volume.
load lib/volumes

@test "volume-subpath: a directory is mounted, and nothing beside it" {
	ok img run --rm -v data:/data base sh -c \
		'mkdir -p /data/one/deep /data/two; echo x >/data/one/deep/file
		echo y >/data/secret; chown -R 7:8 /data/one'
	gives $'deep\n7:8 x' img run --rm --mount \
		type=volume,src=data,dst=/mnt,volume-subpath=one base sh -c \
		'ls /mnt; echo $(stat -c %u:%g /mnt/deep) $(cat /mnt/deep/file)'
	gives 'x 1' img run --rm --privileged --mount \
		type=volume,src=data,dst=/mnt,volume-subpath=one/./deep/ base \
		sh -c 'echo $(cat /mnt/file) $(grep -c " /mnt " /proc/self/mounts)
		umount /mnt && [ -z "$(ls /mnt)" ]'
	# In one container with the whole, read-only here and writable there.
	ok img run -d --name both -v data:/all --mount \
		src=data,dst=/part,volume-subpath=two,readonly base sleep 1000
	ok img exec both sh -c 'echo z >/all/two/new'
	gives z img exec both cat /part/new
	exits 2 img exec both sh -c 'echo z >/part/no'
	[[ $err == *'ead-only file system' ]]
	ok img inspect both
	json 'd[0]["HostConfig"]["Mounts"][0]["VolumeOptions"]["Subpath"] == "two"'
	gives new img run --rm --volumes-from both base ls /part
	ok img restart -t 0 both
	gives z img exec both cat /part/new
	ok img rm -f both
	gives 'all is well' img doctor
}

@test "volume-subpath: no way leads out, and what is not there is said" {
	ok img run --rm -v data:/data base sh -c \
		'mkdir /data/in /data/etc; echo mine >/data/etc/which
		ln -s /etc /data/absolute; ln -s ../../../etc /data/above
		ln -s loop /data/loop; echo >/data/file; mkdir -m 0 /data/closed'
	part() {
		img run --rm --mount \
			"type=volume,src=$1,dst=/mnt,volume-subpath=$2" base \
			ls /mnt
	}
	# Inside the volume, whatever the links say.
	gives which part data absolute
	gives which part data above
	gives '' part data closed
	fails 125 "cannot mount the volume 'data': there is no directory 'no/such' in it" \
		part data no/such
	fails 125 "cannot mount the volume 'data': there is no directory 'file' in it" \
		part data file
	fails 125 "cannot mount the volume 'data': there is no directory 'loop' in it" \
		part data loop
	fails 125 "invalid --mount '*': 'volume-subpath': a directory inside the volume is wanted, as in 'a/b'" \
		part data ../etc
	# A new one has nothing in it, and stays new.
	fails 125 "cannot mount the volume 'fresh': there is no directory 'etc' in it" \
		part fresh etc
	ok img run --rm -v fresh:/etc base sh -c '[ -e /etc/passwd ]'
	gives '' img ps -aq
	gives 'all is well' img doctor
}
