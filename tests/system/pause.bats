# Containers that stand still, and what is seen of those that run.
load lib/store

@test "pause: nothing in it runs until unpause, and everybody says so" {
	local before
	ok img run -d --name web -v "$T:/host" base \
		sh -c 'while :; do echo x >>/host/beats; sleep 0.05; done'
	wait_for test -s "$T/beats"
	gives web img pause web
	before=$(wc -c <"$T/beats")
	ok img ps
	[[ $out == *'(Paused)'* ]]
	ok img ps --format json
	[[ $out == *'"State": "paused"'* ]]
	ok img inspect web
	[[ $out == *'"Status": "paused"'*'"Running": true'*'"Paused": true'* ]]
	fails 1 'cannot pause web: it is paused already' img pause web
	fails 1 "cannot run a command in web: it is paused: 'img unpause web' first" \
		img exec web true
	[ "$(wc -c <"$T/beats")" -eq "$before" ]
	# Its volume can be used meanwhile.
	ok img commit web still
	gives web img unpause web
	wait_for sh -c "[ \$(wc -c <'$T/beats') -gt $before ]"
	fails 1 'cannot unpause web: it is not paused' img unpause web
	ok img inspect web
	[[ $out == *'"Status": "running"'*'"Paused": false'* ]]
	# Killed where it stands.
	ok img pause web
	ok img rm -f web
	fails 1 "cannot pause web: there is no container 'web'" img pause web
	ok img run --name done base true
	fails 1 'cannot pause done: it is not running' img pause done
	fails 1 'cannot unpause done: it is not running' img unpause done
}

@test "a supervisor that is killed leaves no cgroup, paused or not" {
	local group
	ok img run -d --name web base sleep 1000
	group=/sys/fs/cgroup/img/$out
	ok img pause web
	kill -KILL "$(supervisor web)"
	ok img ps -a
	[[ $out == *'Exited (137)'* ]]
	[ ! -e "$group" ]
}

# supervisor NAME: the parent of its first process.
supervisor() {
	local pid
	pid=$(img inspect "$1" | sed -n 's/.*"Pid": \([0-9]*\).*/\1/p')
	sed -n 's/^PPid:\t//p' "/proc/$pid/status"
}

@test "stats: processor, memory, io and processes, once or for ever" {
	ok img run -d --name busy -m 64m base sh -c 'while :; do :; done'
	ok img run -d --name idle base sleep 1000
	ok img stats --no-stream
	[[ $out == 'CONTAINER ID '*' NAME '*' CPU % '*' MEM USAGE / LIMIT '*' MEM % '*' BLOCK I/O '*' PIDS'* ]]
	[[ $out == *' / 64'*' MiB '* ]]
	ok img stats --no-stream --format json busy
	[[ $out == *'"Name": "busy"'*'"MemoryLimitBytes": 67108864'*'"Pids": 1'* ]]
	[[ $out != *'"Name": "idle"'* ]]
	[[ $out =~ '"CPUPercent": '([0-9]+)\. ]]
	[ "${BASH_REMATCH[1]}" -ge 10 ]
	[[ $out =~ '"MemoryBytes": '([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -gt 4096 ]
	[[ $out =~ '"BlockReadBytes": '([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -gt 4096 ]
	ok img stats --no-stream --no-trunc --format json
	[[ $out == *'"Name": "idle"'*'"Name": "busy"'* ]]
	# For ever is until its reader has seen enough.
	img stats --format json idle | grep -m 2 '"Name"' >"$T/two"
	[ "$(wc -l <"$T/two")" -eq 2 ]
	ok img kill busy idle
	ok img wait busy idle
	# One that was asked for by name and does not run has nothing to show.
	ok img stats --no-stream busy
	[[ $out == *$'\n'*' busy   --      -- / --'*' --' ]]
	fails 1 "cannot watch none: there is no container 'none'" \
		img stats --no-stream none
	ok img stats --no-stream
	[[ $out != *busy* ]]
}

@test "top: its processes, whoever started them" {
	ok img run -d --name web base sh -c 'sleep 1000; exit'
	img exec web sleep 2000 3>&- &
	wait_for sh -c "$IMG top web | grep 'sleep 2000'"
	ok img top web
	[[ $out == 'UID '*' PID '*' PPID '*' C '*' STIME '*' TTY '*' TIME '*' CMD'* ]]
	[[ $out == *'sh -c sleep 1000; exit'*'sleep 1000'*'sleep 2000'* ]]
	[ "$(wc -l <"$T/out")" -eq 4 ]
	ok img top web -ef
	ok img top web -eo pid,comm,stat
	[[ $out == 'PID '*' COMMAND '*' STAT'*' sh '*' S'* ]]
	gives "$out" img top web -o 'pid, comm,stat'
	ok img top web -o user,uid,c,pcpu,etime,time,tty,nlwp,rss,vsz
	fails 1 "cannot list the processes of web: -o: there is no column 'nope': see 'img help top'" \
		img top web -o nope
	fails 1 "cannot list the processes of web: 'aux': of ps only -ef and -o are known" \
		img top web aux
	ok img kill web
	ok img wait web
	fails 1 'cannot list the processes of web: it is not running' img top web
}
