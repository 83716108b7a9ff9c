# Snapshots of containers: made, listed, returned to, removed.
load lib/store

# The volume id of a container, in REPLY.
volume_id() {
	REPLY=$(sql "SELECT volume FROM containers WHERE name = '$1'")
}

@test "a container returns to the state of any of its snapshots, as often as asked" {
	local first second
	ok img run --name web base sh -c 'echo one >/state'
	gives before img snapshot create web before
	volume_id web
	first=$REPLY
	ok img inspect web
	json 'd[0]["Snapshots"][0]["Name"] == "before"' \
		'd[0]["Snapshots"][0]["Volume"]["Id"] != d[0]["Volume"]["Id"]'
	for round in 1 2; do
		gives web img snapshot rollback web before
		volume_id web
		second=$REPLY
		[ "$second" != "$first" ]
		first=$second
		ok img commit -q web "state$round"
		gives one img run --rm "state$round" cat /state
	done
	gives before img snapshot ls -q web
	ok img rmi state1 state2
	ok img start -a web
}

@test "what was written after the snapshot is gone, what was before is there" {
	ok img run --name web base sh -c 'echo x >>/count; cat /count'
	gives first img snapshot create web first
	ok img start -a web
	[ "$out" = $'x\nx' ]
	gives second img snapshot create web second
	ok img start -a web
	[ "$out" = $'x\nx\nx' ]
	gives web img snapshot rollback web first
	ok img start -a web
	[ "$out" = $'x\nx' ]
	# A newer one is still there.
	gives web img snapshot rollback web second
	ok img start -a web
	[ "$out" = $'x\nx\nx' ]
	gives first img snapshot rm web first
	gives web img snapshot rollback web second
	ok img start -a web
	[ "$out" = $'x\nx\nx' ]
	ok img ps -a --format json
	json 'len(d) == 1' 'd[0]["State"] == "exited"'
}

@test "a running container's snapshot is whole, and it goes on" {
	ok img run -d --name live base sh -c \
		'echo ready >/ready; echo ready; n=0; while :; do n=$((n+1)); echo $n >/n; done'
	wait_for grep -q ready "$IMG_ROOT"/containers/*/log
	for n in 1 2 3; do
		gives "s$n" img snapshot create live "s$n"
		[ "$(cat /sys/block/dm-*/dm/suspended | sort -u)" = 0 ]
	done
	fails 1 'cannot roll live back: it is running: *img stop* it first' \
		img snapshot rollback live s1
	ok img ps
	has live
	stop_containers
	wait_for sh -c "[ -z \"\$($IMG ps -q)\" ]"
	for n in 3 1 2; do
		ok img snapshot rollback live "s$n"
		# e2fsck, as each snapshot at the end.
		volume_id live
		check_volume "$(volume_of live)" ''
		ok img commit -q live "at$n"
		gives ready img run --rm "at$n" cat /ready
	done
}

@test "snapshot ls: names, sizes, of one container and of all" {
	ok img run --name one base true
	ok img run --name two base true
	gives 'CONTAINER   NAME   CREATED   EXCLUSIVE   SIZE' img snapshot ls
	gives '' img snapshot ls -q one
	gives snap0 img snapshot create one
	gives snap1 img snapshot create one
	gives clean.1 img snapshot create two clean.1
	gives snap1 img snapshot rm one snap1
	gives snap1 img snapshot create one
	gives $'snap0\nsnap1' img snapshot ls -q one
	gives $'snap0\nsnap1\nclean.1' img snapshot ls -q
	ok img snapshot ls two
	matches 'two +clean.1 +.* ago +0 B +10.0 GiB'
	ok img snapshot ls --format json two
	json 'len(d) == 1' 'd[0]["ContainerName"] == "two"' \
		'd[0]["Name"] == "clean.1"' 'd[0]["SizeBytes"] == 10 << 30' \
		'len(d[0]["Container"]) == 64' 'd[0]["Created"].endswith("Z")'
	ok img tree
	has 'snapshot snap0'
	ok img tree --format json
	json '[c["Type"] for i in d for k in i["Children"] for c in k["Children"]]
		== ["snapshot"] * 3'
	# Without a store there is nothing to list.
	gives 'CONTAINER   NAME   CREATED   EXCLUSIVE   SIZE' \
		img --root "$T/none" snapshot ls
}

@test "snapshots go with their container, and give their space back" {
	local used
	used=$(used_bytes)
	ok img run --name web base sh -c \
		'dd if=/dev/urandom of=/big bs=1M count=8 conv=notrunc 2>/dev/null'
	gives a1 img snapshot create web a1
	ok img start -a web
	gives a2 img snapshot create web a2
	[ "$(used_bytes)" -gt $((used + (16 << 20))) ]
	gives a1 img snapshot rm web a1
	[ "$(used_bytes)" -lt $((used + (14 << 20))) ]
	gives web img rm web
	[ "$(used_bytes)" -eq "$used" ]
	[ "$(sql 'SELECT count(*) FROM snapshots')" -eq 0 ]
	# One that removes itself takes them along too.
	ok img run -d --rm --name brief base sleep 600
	ok img snapshot create brief kept
	ok img rm -f brief
	wait_for sh -c "[ -z \"\$($IMG snapshot ls -q)\" ]"
	ok img run -d --rm --name brief base sleep 600
	ok img snapshot create brief kept
	stop_containers
	wait_for sh -c "[ -z \"\$($IMG snapshot ls -q)\" ]"
	[ "$(used_bytes)" -eq "$used" ]
}

@test "a container whose supervisor is killed takes its snapshots along" {
	local used pid
	used=$(used_bytes)
	ok img run -d --rm --name brief base sleep 600
	ok img snapshot create brief kept
	pid=$(pgrep -f 'img run -d --rm --name brief')
	kill -KILL "$pid"
	wait_for sh -c "[ ! -e /proc/$pid ]"
	# The next command but those that look at nothing cleans up.
	wait_for sh -c "[ -z \"\$($IMG ps -aq)\" ]"
	gives '' img snapshot ls -q
	[ "$(used_bytes)" -eq "$used" ]
}

@test "snapshot verbs say what is wrong, and leave nothing" {
	local volumes
	ok img run --name web base true
	ok img snapshot create web good
	volumes=$(sql 'SELECT count(*) FROM volumes')
	fails 1 "cannot make a snapshot of web: it has a snapshot 'good' already" \
		img snapshot create web good
	fails 1 "'a/b' is not a snapshot name: *" img snapshot create web a/b
	fails 1 "there is no container 'nobody'" img snapshot create nobody
	fails 1 "there is no container 'nobody'" img snapshot ls nobody
	fails 1 "there is no container 'nobody'" img snapshot rm nobody x
	fails 1 "there is no container 'nobody'" img snapshot rollback nobody x
	fails 1 "cannot roll web back: web has no snapshot 'bad'" \
		img snapshot rollback web bad
	fails 1 'too few arguments: *' img snapshot rollback web
	try img snapshot rm web bad good worse
	[ "$status" -eq 1 ]
	[ "$out" = good ]
	[ "$err" = "img: cannot remove the snapshot bad: web has no snapshot 'bad'
img: cannot remove the snapshot worse: web has no snapshot 'worse'" ]
	[ "$(sql 'SELECT count(*) FROM volumes')" -eq $((volumes - 1)) ]
}

@test "snapshots outlive the pool's stop and start" {
	ok img run --name web base sh -c 'echo x >>/count; cat /count'
	ok img snapshot create web one
	ok img start -a web
	gives '' img pool stop
	gives web img snapshot rollback web one
	gives '' img pool stop
	ok img start -a web
	[ "$out" = $'x\nx' ]
}
