# --volumes-from: what another container has mounted, at the same places.
load lib/volumes

@test "volumes-from: volumes and the host's directories, at the same places" {
	mkdir "$T/host"
	echo host >"$T/host/file"
	ok img volume create --size 32m data
	ok img create --name one -v data:/data -v "$T/host:/host:ro" -v /anon \
		--mount type=volume,src=other,dst=/other,volume-opt=size=32m \
		--tmpfs /mem base true
	# The one that has them need not run, then or ever.
	ok img run -d --name two --volumes-from one base sleep 1000
	gives 'host no' img exec two sh -c \
		'echo x >/data/file; echo y >/anon/file; echo z >/other/file
		echo $(cat /host/file) $([ -e /mem ] || echo no)'
	exits 2 img exec two sh -c 'echo x >/host/file'
	gives $'x\ny\nz' img run --rm --volumes-from "$(img ps -lq)" base \
		cat /data/file /anon/file /other/file
	ok img inspect two
	json 'd[0]["HostConfig"]["VolumesFrom"] == ["one"]' \
		'[(m["Type"], m["Destination"], m["RW"]) for m in d[0]["Mounts"]] ==
		[("volume", "/data", True), ("bind", "/host", False),
		("volume", "/anon", True), ("volume", "/other", True)]'
	# Of the one, and of both.
	fails 1 'cannot remove the volume other: it is in use by one, two: *' \
		img volume rm other
	gives $'two\none' img ps -a --filter volume=data --format '{{.Names}}'
	# It is the two's own from then on.
	ok img rm one
	ok img restart -t 0 two
	gives x img exec two cat /data/file
	fails 1 'cannot remove the volume data: it is in use by two: *' \
		img volume rm data
	ok img rm -f two
	gives x on_disk data cat file
	gives 'all is well' img doctor
}

@test "volumes-from: its mode, and what wins where several have something" {
	mkdir "$T/host"
	ok img volume create --size 32m data
	ok img volume create --size 32m less
	ok img create --name one -v data:/a -v data:/b -v "$T/host:/c" \
		-v data:/ro:ro base true
	ok img create --name two --volumes-from one:ro -v less:/b base true
	inspect_rw() {
		img inspect "$1" | python3 -S -E -c 'import json, sys
for m in sorted(json.load(sys.stdin)[0]["Mounts"],
                key=lambda m: m["Destination"]):
    print(m["Destination"], m.get("Name", "-"), m["RW"])'
	}
	gives $'/a data False\n/b less True\n/c - False\n/ro data False' \
		inspect_rw two
	# The last one; and rw gives nobody what the other does not have.
	ok img create --name three --volumes-from two --volumes-from one:rw \
		--tmpfs /a --mount type=volume,dst=/b base true
	gives $'/c - True\n/ro data False' eval \
		'inspect_rw three | grep -v ^/b'
	exits 1 img run --rm --volumes-from one:ro base touch /a/no
	[[ $err == *'ead-only file system'* ]]
	ok img run --rm --volumes-from one:ro,z base ls /a
	fails 125 "invalid --volumes-from 'one:no': its mode is ro or rw, not 'no'" \
		img run --volumes-from one:no base true
	fails 1 "invalid --volumes-from ':ro': it names no container" \
		img create --volumes-from :ro base true
	fails 125 "--volumes-from nosuch:ro: there is no container 'nosuch'" \
		img run --volumes-from one --volumes-from nosuch:ro base true
	gives $'one\nthree\ntwo' eval \
		'img ps -a --format "{{.Names}}" | LC_ALL=C sort'
}

@test "volumes-from: an anonymous volume goes with the last that has it" {
	ok img create --name one -v /anon base true
	ok img create --name two --volumes-from one base true
	gives '' img run --rm --volumes-from two base true
	ok img rm -v one
	ok img volume ls -q
	[ "${#out}" = 64 ]
	ok img rm -v two
	gives '' img volume ls -q
	# What could not be made takes nothing along, and is not there.
	ok img create --name one -v /anon base true
	fails 1 "the container name 'one' is taken: *" \
		img create --name one --volumes-from one -v /mine base true
	exits 127 img run --volumes-from one -v /mine base nosuch
	gives 1 sql 'SELECT count(*) FROM named_volumes'
	gives one img ps -a --format '{{.Names}}'
	# One that is in use by nobody any more, and was left.
	ok img rm one
	gives '' img volume ls -q --filter dangling=false
}

@test "volumes-from: what its image wants a volume for" {
	ok img create --name one -v data:/var/keep base true
	ok img run --name plain base true
	ok img commit -c 'VOLUME /var/keep /var/own' plain declares
	ok img rm plain
	ok img run --rm --volumes-from one declares sh -c 'echo x >/var/keep/x'
	gives x on_disk data cat x
	gives 1 sql 'SELECT count(*) FROM named_volumes'
}
