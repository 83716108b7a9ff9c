# Clones of containers: the same in everything but who they are.
load lib/store

# same A B: what inspect says of two containers differs in nothing but id, name,
# times, what the volume is, whose ids it has, and that the second never ran.
same() {
	ok img inspect "$1" "$2"
	json '[c.pop("Id") for c in d][0] != None' \
		'[c.pop("Name") for c in d] == ["'"$1"'", "'"$2"'"]' \
		'[c.pop("Created") for c in d][0] != None' \
		'[c.pop("Snapshots") for c in d][1] == []' \
		'[c["Volume"].pop("Id") for c in d][0] != None' \
		'[c["Volume"].pop("ExclusiveBytes") for c in d][0] != None' \
		'[c["Volume"].pop("MappedBytes") for c in d][0] != None' \
		'[c.pop("State") for c in d][1] == {"Status": "created",
			"Running": False, "Paused": False,
			"OOMKilled": False, "Pid": 0, "ExitCode": 0,
			"StartedAt": "0001-01-01T00:00:00Z",
			"FinishedAt": "0001-01-01T00:00:00Z"}' \
		'len({str(c["HostConfig"].pop("IDMappings")) for c in d}) == 2' \
		'd[0] == d[1]'
}

@test "a clone has the other's state and its configuration to the byte" {
	local used
	mkdir "$T/shown"
	echo here >"$T/shown/file"
	exits 3 img run --name web -h webhost -e GREETING=hello -e 'ODD=a "b" c' \
		-w /srv -u ann --entrypoint sh -v "$T/shown:/mnt:ro" base -c \
		'echo $GREETING "$ODD" $(hostname) $(pwd) $(id -un) $(cat /mnt/file) >>/tmp/log
		cat /tmp/log; exit 3'
	ok img snapshot create web kept
	used=$(used_bytes)
	ok img clone web copy
	[ ${#out} -eq 64 ]
	[ "$(used_bytes)" -eq "$used" ] # no data was copied
	same web copy
	[ "$(sql "SELECT count(DISTINCT config) FROM containers")" -eq 1 ]
	exits 3 img start -a copy
	[ "$out" = $'hello a "b" c webhost /srv ann here
hello a "b" c webhost /srv ann here' ]
	# Each goes its own way.
	exits 3 img start -a copy
	[ "$(wc -l <"$T/out")" -eq 3 ]
	exits 3 img start -a web
	[ "$(wc -l <"$T/out")" -eq 2 ]
	gives web img rm web
	exits 3 img start -a copy
}

@test "a running container is cloned as it is, and goes on" {
	ok img run -d -t --name live base sh -c \
		'echo alive >/alive; echo ready; exec sleep 600'
	wait_for grep -q ready "$IMG_ROOT"/containers/*/log
	ok img clone --name copy live
	same live copy
	ok img ps
	has live
	lacks copy
	ok img commit -q copy image
	gives alive img run --rm image cat /alive
	# Of a clone, and with a name that is made up.
	ok img clone copy
	ok img ps -aq
	[ "$(wc -l <"$T/out")" -eq 3 ]
}

@test "clone says what is wrong, and leaves nothing" {
	local volumes
	ok img run --name web base true
	volumes=$(sql 'SELECT count(*) FROM volumes')
	fails 1 "there is no container 'nobody'" img clone nobody
	fails 1 "cannot clone web: the container name 'web' is taken" \
		img clone web web
	fails 1 "'a b' is not a container name: *" img clone web 'a b'
	fails 1 "the name is given twice: 'one' and 'two'" \
		img clone --name two web one
	[ "$(sql 'SELECT count(*) FROM volumes')" -eq "$volumes" ]
}
