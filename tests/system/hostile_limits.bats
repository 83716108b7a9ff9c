# Programs that take all there is: they get what they may have, and nobody else
# feels it.
load lib/store

@test "a fork bomb ends at its limit" {
	ok img run -d --name bomb --pids-limit 40 base \
		sh -c 'trap "" TERM; b() { b | b & b; }; (b) & exec sleep 1000'
	wait_for sh -c "grep -q '^max [1-9]' /sys/fs/cgroup/img/*/pids.events"
	[ "$(cat /sys/fs/cgroup/img/*/pids.current)" -le 40 ]
	# The host goes on, and other containers start.
	gives fine img run --rm base echo fine
	ok img rm -f bomb
	[ -z "$(find /sys/fs/cgroup/img -mindepth 1 -type d)" ]
}

@test "a memory bomb is killed, and that is said" {
	ok img run -d --name neighbour base sleep 1000
	try img run --name bomb -m 16m --memory-swap 16m base \
		sh -c 'x=x; while :; do x=$x$x; done'
	[ "$status" -eq 137 ]
	[[ $err == 'img: container bomb: out of memory: the kernel killed '[1-9]*' of its processes' ]]
	ok img inspect bomb
	[[ $out == *'"OOMKilled": true'*'"ExitCode": 137'* ]]
	# Its next start forgets it; one that ended by itself has nothing of it.
	ok img run --name calm -m 16m base true
	ok img inspect calm
	[[ $out == *'"OOMKilled": false'* ]]
	# A child is killed, the first process goes on.
	try img run --name parent -m 16m base \
		sh -c 'sh -c "x=x; while :; do x=\$x\$x; done"; echo $?'
	[[ $status -eq 0 && $out == 137 ]]
	ok img inspect parent
	[[ $out == *'"OOMKilled": true'* ]]
	# Files in memory count.
	try img run --rm -m 16m --memory-swap 16m base \
		sh -c 'exec dd if=/dev/zero of=/dev/shm/x bs=1M count=60'
	[ "$status" -ne 0 ]
	ok img exec neighbour true
}

@test "its own volume is written no faster than it may be" {
	local begin end
	gives '' img run --rm --name slow --device-write-bps 1m base \
		sh -c 'dd if=/dev/zero of=/x bs=64k count=1 conv=fsync 2>/dev/null'
	begin=${EPOCHREALTIME/[.,]/}
	gives '' img run --rm --name slow --device-write-bps 1m base \
		sh -c 'dd if=/dev/zero of=/x bs=64k count=48 conv=fsync 2>/dev/null'
	end=${EPOCHREALTIME/[.,]/}
	# 3 MiB at 1 MiB a second; less what the first instant lets through.
	[ $((end - begin)) -ge 2000000 ]
}

@test "one that is left no processor still dies" {
	ok img run -d --name slow --cpus 0.01 base sh -c 'while :; do :; done'
	ok img rm -f slow
	[ -z "$(find /sys/fs/cgroup/img -mindepth 1 -type d)" ]
}
