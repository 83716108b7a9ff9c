# Further commands in a container that runs.
load lib/store

@test "exec: in the container's namespaces, as its user, with its environment" {
	ok img run -d --name host -e GREETING=hello -u ann -w /srv -h box \
		base sleep 600
	ok img exec host sh -c 'echo $GREETING $HOME $HOSTNAME $(id -un) $(pwd)
		for n in mnt pid net uts ipc cgroup; do
			[ $(readlink /proc/self/ns/$n) = \
				$(readlink /proc/1/ns/$n) ] || echo "other $n"
		done
		grep -E "CapBnd|Seccomp:" /proc/self/status'
	[ "$out" = "hello /home/ann box ann /srv
CapBnd:	00000000a80425fb
Seccomp:	2" ] || say 'not as the container is'
	gives $'0\n/tmp\nother\n/root' img exec -u root -w /tmp \
		-e GREETING=other host sh -c 'id -u; pwd; echo $GREETING; echo $HOME'
	# What it writes is the container's.
	ok img exec -u root host sh -c 'echo written >/file'
	gives written img exec host cat /file
	# Of filters it has the mount guard alone.
	ok img exec --privileged -u root host grep -E 'CapEff|Seccomp_' \
		/proc/self/status
	has $'Seccomp_filters:\t1'
	lacks 'CapEff:	0000000000000000'
}

@test "exec: streams, a terminal, statuses" {
	ok img run -d --name host base sleep 600
	gives hi img exec -i host cat <<<hi
	gives '' img exec host cat <<<hi
	exits 7 img exec host sh -c 'echo to stderr >&2; exit 7'
	[ "$err" = 'to stderr' ]
	exits 143 img exec host sh -c 'kill $$'
	fails 127 '"nope": executable file not found in $PATH' \
		img exec host nope
	fails 126 '"/etc/passwd": Permission denied' img exec host /etc/passwd
	fails 126 "cannot use user 'nosuch': *" img exec -u nosuch host true
	fails 1 '*-i -t: standard input is not a terminal' \
		img exec -it host true </dev/null
	fails 1 "cannot run a command in none: there is no container 'none'" \
		img exec none true
	fails 125 "unknown option --nosuch; see 'img help exec'" \
		img exec --nosuch host true
	fails 125 'too few arguments: usage: img exec *' img exec host
	try script -qec "$IMG exec -t host tty" /dev/null </dev/null
	[[ $status -eq 0 && $out == */dev/pts/0* ]] || say 'no terminal'
}

@test "exec: a working directory is not made, as it is for a container" {
	ok img run -d --name host -w /made/here base sleep 600
	gives /made/here img exec host sh -c pwd
	fails 126 "cannot use working directory '/nosuch': No such file or directory" \
		img exec -w /nosuch host true
	fails 126 "cannot use working directory '/etc/passwd': Not a directory" \
		img exec -w /etc/passwd host true
	fails 126 "cannot use working directory '/nosuch': No such file or directory" \
		img exec -d -w /nosuch host true
	exits 2 img exec host ls /nosuch
	# The container's own may be gone by now.
	ok img exec -w / host rm -r /made/here
	fails 126 "cannot use working directory '/made/here': No such file or directory" \
		img exec host true
	gives / img exec -w / host sh -c pwd
}

@test "exec: ends with its container, and not the container with it" {
	ok img run -d --name host base sleep 600
	local id
	img exec host sleep 601 &
	id=$!
	wait_for pgrep -xf 'sleep 601'
	gives host img stop -t 0 host
	status=0
	wait "$id" || status=$?
	[ "$status" -eq 137 ] || say 'it outlived its container'
	fails 1 'cannot run a command in host: it is not running' \
		img exec host true
	gives host img start host
	ok img exec host true
	# Its supervisor is killed: so is it, and nothing else.
	img exec host sleep 602 &
	id=$!
	wait_for pgrep -xf 'sleep 602'
	pkill -KILL -xf "$IMG exec host sleep 602"
	wait "$id" || true
	wait_for sh -c '! pgrep -xf "sleep 602"'
	ok img exec host true
	ok img ps
	has host
}

@test "exec: in the background, with variables of a file" {
	ok img run -d --name host base sleep 600
	printf 'A=of the file\nB=2\n' >"$T/env"
	# Nothing of it keeps this pipe open.
	gives '' img exec -d --env-file "$T/env" -e B=3 host \
		sh -c 'echo "$A $B" >/said; echo lost; exec sleep 601'
	wait_for pgrep -xf 'sleep 601'
	gives 'of the file 3' img exec host cat /said
	fails 127 '"nope": executable file not found in $PATH' \
		img exec -d host nope
	fails 1 "cannot run a command in none: there is no container 'none'" \
		img exec -d none true
	gives host img stop -t 0 host
	wait_for sh -c '! pgrep -xf "sleep 601"'
	fails 1 'cannot run a command in host: it is not running' \
		img exec -d host true
}

@test "exec: the container cannot reach into what enters it" {
	# With the power to trace, it tries each new process as soon as it is
	# there: no descriptor of the host, no executable of the host, no
	# directory outside.
	ok img run -d --name hunter base sh -c 'while :; do
		for p in /proc/[0-9]*; do
			for l in $p/exe $p/cwd $p/root $p/fd/*; do
				t=$(readlink $l) && case $t in
				/bin/* | /usr/* | / | /dev/* | pipe:* | /found* | \
					/proc/*) ;; # its own
				*) echo "$l $t" >>/found ;;
				esac
			done
		done 2>/dev/null
	done'
	cd /etc
	for _ in 1 2 3 4 5 6; do
		ok img exec hunter true 9</etc/passwd
	done
	cd /
	ok img exec hunter sh -c 'cat /found 2>/dev/null || :'
	[ -z "$out" ] || say 'the container saw something of the host'
	# A working directory that leads outside finds nothing.
	fails 126 "cannot use working directory '/proc/self/fd/9': *" \
		img exec -w /proc/self/fd/9 hunter true 9</etc
}
