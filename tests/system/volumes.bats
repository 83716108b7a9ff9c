# Named volumes: what outlives the containers that mount it, and is shared.
load lib/volumes

@test "volume: create, ls, inspect, rm" {
	gives data img volume create --label use=test --label plain -o size=64m data
	gives data img volume create data
	gives other img volume create --size 32m other
	ok img volume create --size 32m
	[[ $out =~ ^[0-9a-f]{64}$ ]]
	nameless=$out
	ok img volume ls
	matches 'DRIVER +VOLUME NAME +SIZE +CREATED +CONTAINERS'
	matches 'local +data +64.0 MiB'
	ok img volume ls -q
	has_line "$nameless"
	gives $'data\nother' img volume ls -q --filter name=dat --filter name=oth
	gives data img volume ls -q --filter label=use=test
	gives 'data local' img volume ls --filter label=plain \
		--format '{{.Name}} {{.Driver}}'
	gives '' img volume ls -q --filter dangling=false
	ok img volume inspect data other
	json 'len(d) == 2' 'd[0]["Name"] == "data"' \
		'd[0]["Labels"] == {"use": "test", "plain": ""}' \
		'd[0]["Options"] == {"size": "64m"}' 'd[0]["Containers"] == []' \
		'd[1]["Volume"]["SizeBytes"] == 32 << 20' 'not d[0]["Anonymous"]'
	gives 'other local' img volume inspect -f '{{.Name}} {{.Scope}}' other
	ok img inspect data
	json 'd[0]["Type"] == "volume"'
	ok img df --format json
	json '[v["Name"] for v in d["Volumes"] if v["Type"] == "volume" and
		len(v["Name"]) < 64] == ["data", "other"]'
	fails 1 "cannot remove the volume nosuch: there is no volume 'nosuch'" \
		img volume rm nosuch
	gives '' img volume rm -f nosuch
	gives $'data\nother' img volume rm data other
	gives "$nameless" img volume ls -q
	fails 1 "there is no volume 'data'" img volume inspect data
	fails 1 "*'a/b' is not a volume name: 2 to 255 letters*" \
		img volume create a/b
	fails 1 "there is no volume driver 'nfs': *" img volume create -d nfs xx
	fails 1 "a volume has no option 'type', only 'size'" \
		img volume create -o type=tmpfs xx
	fails 1 "*the volume's size must be from 16M to 16T" \
		img volume create --size 1m xx
	fails 1 "--filter 'driver=local' is none of *" \
		img volume ls --filter driver=local
}

@test "volumes: shared by containers, kept when they are gone" {
	# Made where it is missing, as docker does.
	ok img run -d --name one -v data:/data base sleep 1000
	ok img run -d --name two -v data:/mnt:ro base sleep 1000
	ok img exec one sh -c 'echo shared >/data/file'
	gives shared img exec two cat /mnt/file
	exits 2 img exec two sh -c 'echo x >/mnt/no'
	[[ $err == *'ead-only file system' ]]
	fails 1 'cannot remove the volume data: it is in use by one, two: *' \
		img volume rm data
	gives two img ps --filter volume=/mnt --format '{{.Names}}'
	gives $'two\none' img ps --filter volume=data --format '{{.Names}}'
	ok img inspect two
	json 'd[0]["Mounts"] == [{"Type": "volume", "Name": "data", "Source": "",
		"Destination": "/mnt", "Driver": "local", "Mode": "ro", "RW": False,
		"Propagation": ""}]'
	ok img rm -f one
	is_active data
	gives shared img exec two cat /mnt/file
	ok img stop -t 0 two
	not is_active data
	fails 1 'cannot remove the volume data: it is in use by two: *' \
		img volume rm data
	# Twice in one container; a stopped one starts with it again.
	gives 'shared shared' img run --rm -v data:/x -v data:/y base \
		sh -c 'echo $(cat /x/file /y/file)'
	ok img start two
	gives shared img exec two cat /mnt/file
	ok img rm -f two
	gives shared on_disk data cat file
	gives 'all is well' img doctor
}

@test "volumes: each container sees its own ids, the disk the plain ones" {
	ok img run --name one -v data:/data base sh -c \
		'mkdir /data/dir; echo x >/data/dir/file; chown 7:8 /data/dir/file'
	gives '0:0 7:8' img run --rm -v data:/data base sh -c \
		'echo $(stat -c %u:%g /data/dir /data/dir/file)'
	gives '0:0 7:8' img run --rm --userns host -v data:/data base sh -c \
		'echo $(stat -c %u:%g /data/dir /data/dir/file)'
	gives $'0:0\n7:8' on_disk data stat -c %u:%g dir dir/file
	# A device node in it is no device.
	ok img run --rm --privileged -v data:/data base mknod /data/null c 1 3
	exits 2 img run --rm -v data:/data base sh -c 'cat </data/null'
	[[ $err == *'/data/null: Permission denied' ]] || say 'another reason'
	[ "$(sql 'SELECT count(DISTINCT uid_base) FROM containers')" = 1 ]
}

@test "volumes: full is full inside, and nowhere else; they grow while in use" {
	ok img volume create --size 32m small
	ok img run -d --name fills -v small:/data base sleep 1000
	exits 1 img exec fills sh -c 'head -c 40000000 /dev/zero >/data/x'
	[[ $err == *'No space left on device' ]]
	ok img exec fills sh -c 'head -c 1000000 /dev/zero >/elsewhere'
	if [ "${IMG_TEST_DRIVER-}" = snapshot ]; then
		fails 1 "cannot resize the volume small: on the driver 'snapshot' volumes keep their size" \
			img volume resize small 64m
	else
		gives small img volume resize small +32m
		ok img exec fills sh -c 'head -c 40000000 /dev/zero >/data/x'
		fails 1 'cannot resize the volume small: *can only be made larger*' \
			img volume resize small 32m
		ok img volume inspect small
		json 'd[0]["Volume"]["SizeBytes"] == 64 << 20'
	fi
	ok img rm -f fills
	gives 'all is well' img doctor
}

@test "volumes: --mount, and what it refuses" {
	ok img run --rm --mount type=volume,src=data,dst=/data,volume-opt=size=32m,volume-label=a=b \
		base sh -c 'echo x >/data/y'
	ok img volume inspect data
	json 'd[0]["Volume"]["SizeBytes"] == 32 << 20' 'd[0]["Labels"] == {"a": "b"}'
	exits 1 img run --rm --mount source=data,target=/data,readonly base \
		rm /data/y
	[[ $err == *'ead-only file system'* ]]
	fails 125 "invalid --mount '*volume-odd*': unknown key 'volume-odd'" \
		img run --rm --mount type=volume,src=data,dst=/x,volume-odd=a base true
	fails 125 "*it has an option of another type than 'bind'" \
		img run --rm --mount type=bind,src=/,dst=/x,volume-nocopy base true
	fails 125 "*'a/b' is not a volume name*" \
		img run --rm --mount type=volume,src=a/b,dst=/x base true
	fails 125 "invalid volume 'a/b:/x': the source must be a volume's name, *" \
		img run --rm -v a/b:/x base true
	fails 125 "*it has an option of another type than 'volume'" img run --rm \
		--mount type=volume,src=lib,dst=/x,bind-propagation=shared \
		base true
	fails 125 "*'shared' is for paths of the host, not for volumes with a name" \
		img run --rm -v lib:/x:shared base true
	fails 125 "*'nocopy' is for volumes with a name" \
		img run --rm -v /:/x:nocopy base true
	fails 125 "there are two mounts at '/x'" \
		img run --rm -v data:/x -v other:/x base true
	# One that a container wants, and that is gone.
	ok img create --name wants -v data:/data base true
	sql "UPDATE named_volumes SET name = 'hidden' WHERE name = 'data'"
	fails 1 "cannot start wants: cannot mount the volume 'data': there is no volume 'data'" \
		img start -a wants
	sql "UPDATE named_volumes SET name = 'data' WHERE name = 'hidden'"
	ok img start -a wants
}

@test "volumes: whoever is killed, the next command sets things right" {
	local pid
	ok img run -d --name one -v data:/data -v /anon base \
		sh -c 'echo kept >/data/file; sync; touch /data/ready; sleep 1000'
	wait_for img exec one sh -c '[ -e /data/ready ]'
	ok img run -d --rm --name two -v data:/data -v /anon base sleep 1000
	for name in one two; do
		ok img inspect "$name"
		pid=$(sed -n 's/.*"Pid": \([0-9]*\).*/\1/p' <<<"$out")
		read -r _ _ _ pid _ <"/proc/$pid/stat"
		kill -KILL "$pid"
		wait_for ended "$name"
		[ "$name" = two ] || is_active data
	done
	not is_active data
	# --rm took its own anonymous one along.
	gives 2 sql 'SELECT count(*) FROM named_volumes'
	gives 0 sql "SELECT count(*) FROM intents"
	gives kept on_disk data cat file
	gives 'all is well' img doctor
	gives kept img run --rm -v data:/data base cat /data/file
}

# ended NAME: the catalog says so, or does not know it any more.
ended() {
	local running
	running=$(img ps -q --filter "name=$1") && [ -z "$running" ]
}

@test "volumes: without a catalog they are found in the pool" {
	ok img volume create --size 32m --label a=b data
	ok img run --name one -v data:/data base sh -c 'echo kept >/data/file'
	ok img pool stop
	rm "$IMG_ROOT"/store.db*
	exits 0 img doctor --rebuild
	rm -f "$IMG_ROOT"/store.db.damaged-*
	gives data img volume ls -q
	ok img volume inspect data
	json 'd[0]["Labels"] == {"a": "b"}' 'd[0]["Containers"] == ["one"]' \
		'd[0]["Volume"]["SizeBytes"] == 32 << 20'
	gives kept img run --rm -v data:/data base cat /data/file
	gives 'all is well' img doctor
	store_keep
}
