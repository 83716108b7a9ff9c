# What is in a new volume, and whose it is when nobody gave it a name.
load lib/volumes

@test "volumes: a new one gets what the image has at its place" {
	ok img run --name made base sh -c 'mkdir -m 750 /seed; cd /seed
		echo one >a; ln a b; ln -s a c; mkdir -p d/e; mkfifo f
		echo deep >d/e/g; chown -R 5:6 /seed/d; chmod 4755 a
		dd if=/dev/zero of=hole bs=1 count=1 seek=999999 2>/dev/null
		chown 3:4 /seed'
	ok img commit made seeded
	ok img run --rm -v data:/seed:ro seeded ls -A /seed
	[ "$out" = $'a\nb\nc\nd\nf\nhole' ]
	look='cd /seed; stat -c "%a %u:%g %h %F %s" . a b c d d/e/g f hole; cat d/e/g'
	ok img run --rm seeded sh -c "$look"
	gives "$out" img run --rm -v data:/seed seeded sh -c "$look"
	[ "$(on_disk data stat -c %b hole)" -lt 100 ]
	# Once: what is removed in it stays so; another image's does not come.
	ok img run --rm -v data:/seed seeded sh -c 'rm -r /seed/*; echo mine >/seed/m'
	gives m img run --rm -v data:/seed seeded ls -A /seed
	gives m img run --rm -v data:/etc seeded ls -A /etc
	gives '' img run --rm -v bare:/seed:nocopy seeded ls -A /seed
	gives '' img run --rm --mount \
		type=volume,source=bare,target=/seed,volume-nocopy seeded ls -A /seed
	# Only at the first start.
	ok img run --name again -v third:/seed seeded sh -c 'rm -rf /seed/*'
	gives '' img start -a again
	gives '' img run --rm -v third:/seed:nocopy seeded ls -A /seed
	# What does not fit is told; with more room it is whole.
	ok img run --name big seeded sh -c 'head -c 30000000 /dev/zero >/seed/z'
	ok img commit big bigger
	ok img volume create --size 16m small
	fails 125 "cannot mount the volume 'small': cannot copy 'z': *space*" \
		img run --rm -v small:/seed bigger true
	gives m img run --rm -v data:/seed bigger ls -A /seed
	ok img run --rm -v small:/seed seeded ls -A /seed
	[ "$out" = $'a\nb\nc\nd\nf\nhole' ]
	ok img rmi bigger
}

@test "volumes: a filling that was interrupted begins anew" {
	local id name
	ok img volume create --size 32m half
	ok img volume create --size 32m clean
	for name in half clean; do
		id=$(named "$name")
		ok img run --rm -v "$name:/x:nocopy" base touch /x/junk
		store_id=$(sql "SELECT value FROM settings WHERE key = 'store_id'")
		# Held by a container, whose device is used from here.
		ok img run -d --name holds -v "$name:/x:nocopy" base sleep 1000
		mkdir -p "$T/mnt"
		mount "/dev/$(dmsetup info -c --noheadings -o blkdevname \
			"img-${store_id:0:8}-${id%:*}")" "$T/mnt"
		python3 -c 'import os, sys
os.setxattr(sys.argv[1], "trusted.img.filling", b"1")' "$T/mnt"
		umount "$T/mnt"
		ok img rm -f holds
	done
	gives $'group\nmotd\npasswd' img run --rm -v half:/etc base ls -A /etc
	gives '' img run --rm -v clean:/etc:nocopy base ls -A /etc
	gives $'group\nmotd\npasswd' img run --rm -v clean:/etc base ls -A /etc
	gives $'group\nmotd\npasswd' img run --rm -v half:/x base ls -A /x
}

@test "volumes: anonymous ones come and go with their container" {
	ok img run --name made base true
	ok img commit --change 'VOLUME /var/data' --change 'VOLUME /srv' made declares
	ok img run --name one -v /anon -v named:/srv declares sh -c \
		'touch /anon/a /var/data/b; mkdir /srv/c'
	ok img volume ls -q
	[ "$(wc -l <<<"$out")" = 3 ]
	gives '2|2' sql 'SELECT sum(anonymous), (SELECT sum(anonymous)
		FROM volume_users) FROM named_volumes'
	ok img inspect one
	json 'sorted(m["Destination"] for m in d[0]["Mounts"]) ==
		["/anon", "/srv", "/var/data"]' \
		'all(len(m["Name"]) == 64 or m["Name"] == "named"
			for m in d[0]["Mounts"])'
	# A clone, and one that names it, keep an anonymous one.
	anon=$(sql "SELECT name FROM named_volumes WHERE anonymous LIMIT 1")
	ok img run --name two -v "$anon:/x" base true
	ok img rm -v one
	ok img volume ls -q
	[ "$(wc -l <<<"$out")" = 2 ]
	has_line "$anon"
	ok img rm -v two
	ok img volume ls -q
	has_line "$anon"
	ok img run --rm -v /anon --mount type=volume,target=/more declares true
	ok img volume ls -q
	[ "$(wc -l <<<"$out")" = 2 ]
	# One that never came to be leaves none.
	fails 127 '"/nosuch": No such file or directory' \
		img run -v /anon declares /nosuch
	fails 125 "the container name 'made' is taken: *" \
		img run --name made -v /anon -v never:/n declares true
	ok img volume ls -q
	[ "$(wc -l <<<"$out")" = 2 ]
	# Without -v they stay, for prune.
	ok img run --name three -v /anon base true
	ok img rm three
	ok img volume create --label keep=me lone
	exits 0 img volume prune </dev/null
	has 'Are you sure?'
	ok img volume prune --filter label=keep -f
	has 'Total reclaimed space: 0 B'
	ok img volume prune -f
	has "Deleted Volumes:"$'\n'
	has "$anon"
	gives $'lone\nnamed' img volume ls -q
	ok img volume prune -af --filter 'label!=keep'
	gives lone img volume ls -q
	ok img rmi declares
}
