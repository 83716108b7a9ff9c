# A container's command: what it exits with, what it is given, what it sees.
load lib/store

@test "exit statuses are the command's, or say why there was none" {
	local n
	for n in 0 1 2 125 126 127 128 255; do
		exits "$n" img run --rm base sh -c "exit $n"
		[ -z "$out$err" ]
	done
	# A shell that a signal ended, inside; a first process that one ended.
	exits 143 img run --rm base sh -c 'sh -c "kill -TERM \$\$"; exit $?'
	"$IMG" run --rm base sleep 61 2>"$T/err" 3>&- &
	local supervisor=$!
	wait_for pgrep -xf 'sleep 61'
	pkill -KILL -xf 'sleep 61'
	status=0
	wait "$supervisor" || status=$?
	[ "$status" -eq 137 ]

	# shellcheck disable=SC2016
	fails 127 '"nosuch": executable file not found in $PATH' \
		img run --rm base nosuch
	fails 127 '"/bin/nosuch": No such file or directory' \
		img run --rm base /bin/nosuch
	fails 127 '"no-interpreter": its interpreter*not in the image' \
		img run --rm base no-interpreter
	fails 126 '"not-executable": Permission denied' \
		img run --rm base not-executable
	fails 126 '"no-format": Exec format error' img run --rm base no-format
	fails 126 '"/etc": Is a directory' img run --rm base /etc
	fails 125 "there is no image 'nosuch'" img run --rm nosuch true
	# Nor does it stay when --rm was not given: it never ran.
	exits 127 img run --name never base nosuch
	gives '' img ps -aq
}

@test "standard streams pass bytes as they are, and stdin only with -i" {
	local sum
	head -c 10000000 /dev/urandom >"$T/random"
	sum=$(sha256sum <"$T/random")
	gives "$sum" img run -i --rm base sha256sum <"$T/random"
	ok img run -i --rm base cat <"$T/random"
	cmp "$T/out" "$T/random"
	rm "$T/out"
	# From a pipe, through a pipe.
	[ "$(head -c 3000000 "$T/random" | img run -i --rm base tail -c 1000 |
		sha256sum)" = "$(head -c 3000000 "$T/random" | tail -c 1000 |
			sha256sum)" ]
	gives 0 img run --rm base wc -c <"$T/random"
	try img run --rm base sh -c 'echo one; echo two >&2'
	[ "$out,$err" = one,two ]
	# Streams that are closed are not taken by something else.
	gives 0 img run -i --rm base wc -c <&-
	ok img run --rm base sh -c 'readlink /proc/self/fd/0 /proc/self/fd/2' 2>&-
	has_line /dev/null
	# One that does not read all that there is, and one that cannot write.
	gives 5 img run -i --rm base sh -c 'head -c 5 | wc -c' <"$T/random"
	exits 141 sh -c "$IMG run --rm base cat /dev/zero | head -c 1 >$T/one"\
'; exit 141'
	gives '' img ps -aq
}

@test "a terminal has its size, follows a change, and passes ^C" {
	local term=$FIXTURES/terminal
	ok "$term" -- "$IMG" run -it --rm base sh -c \
		'tty; stty size; test -t 0 && test -t 1 && test -t 2 && echo all'
	[ "$out" = $'/dev/pts/0\n24 80\nall' ]
	# A window that grows tells its process, and shows it.
	ok "$term" 'wait:ready' 'size:50x132' 'wait:now 50 132' -- \
		"$IMG" run -it --rm base bash -c \
		'trap "echo now \$(stty size); exit" WINCH; echo ready
		while :; do sleep 0.05; done'
	# ^C goes to what is in the terminal's foreground, not to img.
	ok "$term" 'wait:begin' 'send:\x03' 'wait:after 130' -- \
		"$IMG" run -it --rm base sh -c \
		'trap : INT; (trap - INT; echo begin; exec sleep 60); echo after $?'
	# ^D ends a shell, whose status counts; what it is typed, it echoes.
	exits 7 "$term" 'wait:# ' 'send:(exit 7)\r' 'wait:# ' 'send:\x04' -- \
		"$IMG" run -it --rm base sh
	has '(exit 7)'
	fails 125 '*standard input is not a terminal' \
		img run -it --rm base sh </dev/null
	# Each of -i and -t is good for something alone.
	exits 1 img run -i --rm base tty
	[ "$out" = 'not a tty' ]
	ok "$term" -- "$IMG" run -t --rm base sh -c 'tty; stty size'
	has /dev/pts/0
	has '24 80'
	ok img run -t --rm base tty
	has /dev/pts/0
}

@test "environment, directory, user, host name and entry point" {
	export FROM_HERE=here
	ok img run --rm -e A=1 -eB='x y' --env C= -e FROM_HERE -e NOT_HERE \
		-e A=2 base env
	has_line A=2
	has_line 'B=x y'
	has_line C=
	has_line FROM_HERE=here
	has_line PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	has_line HOME=/root
	lacks NOT_HERE
	lacks A=1
	lacks BATS
	fails 125 "--env '=x' has no name" img run --rm -e =x base true
	gives /srv img run --rm -w /srv base sh -c pwd
	gives $'/new/place\n755 0' img run --rm --workdir=/new/place base \
		sh -c 'pwd; stat -c "%a %u" .'
	fails 125 "*cannot*/etc/motd*Not a directory" \
		img run --rm -w /etc/motd base true

	gives 'uid=1000(ann) gid=1000(ann) groups=1000(ann),10(wheel),77(club)' \
		img run --rm -u ann base id
	gives $'1000:77 77\n/home/ann' img run --rm -u ann:club base \
		sh -c 'echo $(id -u):$(id -g) $(id -G); echo $HOME'
	gives '1000:1000' img run --rm -u 1000 base sh -c 'echo $(id -u):$(id -g)'
	gives '12345:0' img run --rm -u 12345 base sh -c 'echo $(id -u):$(id -g)'
	gives '12345:678' img run --rm --user 12345:678 base \
		sh -c 'echo $(id -u):$(id -g)'
	# Another user has no privilege, and owns its terminal.
	exits 2 img run --rm -u ann base sh -c 'exec 2>&-; echo >/etc/passwd'
	gives $'CapEff:\t0000000000000000' \
		img run --rm -u ann base grep CapEff /proc/self/status
	fails 125 "*nosuch*no matching entry in /etc/passwd*" \
		img run --rm -u nosuch base true
	fails 125 "*nosuch*no matching entry in /etc/group*" \
		img run --rm -u ann:nosuch base true
	fails 125 "*ids must be in the range*" \
		img run --rm -u 99999999999 base true

	gives $'box\nbox' img run --rm -h box base \
		sh -c 'hostname; cat /proc/sys/kernel/hostname'
	ok img run --rm --name named base hostname
	[[ $out =~ ^[0-9a-f]{12}$ ]]
	fails 125 '*host name*longer than 64 bytes' \
		img run --rm -h "$(printf %065d 0)" base true

	gives 'a b' img run --rm --entrypoint echo base a b
	fails 125 "no command was given*'base'*" img run --rm base
	fails 125 "no command was given*" img run --rm --entrypoint '' base
}

@test "volumes: files and directories, read-only and not, absolute paths kept" {
	mkdir "$T/dir" "$T/dir/sub"
	echo text >"$T/dir/file"
	gives text img run --rm -v "$T/dir:/mnt/deep/er" base cat /mnt/deep/er/file
	ok img run --rm -v "$T/dir:/mnt" base sh -c 'echo more >>/mnt/file;
		touch /mnt/sub/new'
	[ "$(cat "$T/dir/file")" = $'text\nmore' ]
	[ -e "$T/dir/sub/new" ]
	exits 0 img run --rm -v "$T/dir:/mnt:ro" base sh -c \
		'! echo x >/mnt/file && ! touch /mnt/sub/other && cat /mnt/file'
	[ "$out" = $'text\nmore' ]
	[[ $err == *"ead-only file system"* ]]
	gives 'text' img run --rm --volume "$T/dir/file:/etc/motd:ro" \
		-v "$T/dir:/d:rw" base head -n 1 /etc/motd
	(
		cd "$T"
		gives text img run --rm -v ./dir/file:/f base head -n 1 /f
	)
	# A target through a symlink of the image stays in the image.
	ok img run --name link base sh -c \
		'mkdir /escape && ln -s /etc/../../../../escape /way'
	ok img commit -q link linked
	ok img run --rm -v "$T/dir:/way" linked ls /escape/file
	[ ! -e /escape ]

	fails 125 "*$T/nosuch*No such file or directory" \
		img run --rm -v "$T/nosuch:/mnt" base true
	fails 125 "*the source must be a volume's name, or a path*" \
		img run --rm -v "dir/file:/mnt" base true
	fails 125 "*the target must be an absolute path" \
		img run --rm -v "$T/dir:mnt" base true
	fails 125 "*the target cannot be '/'" img run --rm -v "$T/dir:/" base true
	fails 125 "cannot mount*/proc/x*" img run --rm -v "$T/dir:/proc/x" base true
	fails 125 "*unknown option 'wo'" img run --rm -v "$T/dir:/mnt:wo" base true
	[ ! -e "$T/nosuch" ]
}

@test "namespaces of its own, and nothing of the host in them" {
	local before name mine theirs
	before=$(</proc/self/mountinfo)
	ok img run -d --name probe base sh -c 'for n in /proc/self/ns/*; do
		echo ${n##*/} $(readlink $n); done >/seen; echo all seen; sleep 60'
	# While one runs, the host's mounts are as before.
	[ "$(</proc/self/mountinfo)" = "$before" ]
	[[ $(</proc/1/mountinfo) != */dev/dm-* ]]
	wait_for grep -q 'all seen' "$IMG_ROOT"/containers/*/log
	ok img rm -f probe

	ok img run --rm -v "$T:/host" base sh -c 'for n in /proc/self/ns/*; do
			echo ${n##*/} $(readlink $n) >>/host/seen
		done
		echo pid $$; cat /proc/self/mountinfo'
	has 'pid 1'
	lacks hostfs
	[ "$(grep -c ' / ' <<<"$out")" -ge 1 ]
	# Every mount is one of these: no trace of the old root.
	while read -r _ _ _ _ mine _; do
		case $mine in
		/ | /proc | /proc/* | /sys | /sys/fs/cgroup | /sys/firmware | /dev | \
			/dev/* | /host | '' | 1) ;;
		*) say "another mount: $mine" ;;
		esac
	done <<<"$out"
	for name in cgroup ipc mnt net pid uts; do
		mine=$(readlink "/proc/self/ns/$name")
		theirs=$(sed -n "s/^$name //p" "$T/seen")
		[[ -n $theirs && $theirs != "$mine" ]] || say "the host's own: $name"
	done

	# No process but its own, no descriptor but the standard ones.
	exec 9</etc/passwd
	gives $'0\n1\n2\n3' img run --rm base ls /proc/self/fd
	exec 9<&-
	gives $'1\n1 pids' img run --rm base bash -c \
		'echo $$; set -- /proc/[0-9]*; echo $# pids'
	# Its own cgroup is the root of what it sees.
	gives 0::/ img run --rm base cat /proc/self/cgroup
	gives lo img run --rm base ls /sys/class/net
	gives up img run --rm base bash -c '(($(cat /sys/class/net/lo/flags) & 1)) &&
		exec 3<>/dev/udp/127.0.0.1/9 && echo up'
}

@test "/proc and /sys cannot be written, /dev is whole and small" {
	exits 0 img run --rm base sh -c 'for f in /proc/sys/kernel/panic \
		/proc/sysrq-trigger /sys/kernel/mm/transparent_hugepage/enabled; do
			test ! -e $f || ! echo 1 >$f || echo wrote $f
		done; mkdir /sys/fs/cgroup/x || echo no cgroup; : >/proc/self/comm'
	[ "$out" = 'no cgroup' ]
	[ "$(grep -c 'ead-only file system' <<<"$err")" -ge 3 ]
	ok img run --rm base sh -c 'cd /dev; stat -c "%n %F %a %t:%T" *;
		for l in fd stdin stdout stderr core ptmx; do readlink $l; done'
	has 'full character special file 666 1:7'
	has 'null character special file 666 1:3'
	has 'random character special file 666 1:8'
	has 'tty character special file 666 5:0'
	has 'urandom character special file 666 1:9'
	has 'zero character special file 666 1:5'
	has 'shm directory 1777'
	has 'mqueue directory 1777'
	has $'/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2'
	[ "$(grep -c 'special file' <<<"$out")" -eq 6 ]
	gives 12 img run --rm base sh -c 'echo hello world >/dev/shm/x;
		wc -c </dev/shm/x; : >/dev/null; head -c 1 /dev/urandom >/dev/null'
	# Devices of the host are neither there nor in reach by number.
	gives '' img run --rm base sh -c 'ls /dev | while read d; do
		case $d in loop*|ubd*|sd*|dm-*|mem|kmsg) echo $d;; esac; done'
}

@test "detached: prints its id, keeps its output, ends by itself or by force" {
	local id log
	ok img run -d --name bg -e WORD=hello base sh -c \
		'echo $WORD; echo oops >&2; cat; while [ ! -e /stop ]; do sleep 0.05; done;
		exit 3'
	id=$out
	[[ $id =~ ^[0-9a-f]{64}$ ]]
	log=$IMG_ROOT/containers/$id/log
	wait_for grep -q oops "$log"
	try img logs bg
	[ "$status" -eq 0 ]
	[ "$out" = hello ]
	[ "$err" = oops ]
	gives "${id:0:12}" img ps -q
	ok img inspect bg
	json 'd[0]["State"]["Running"] is True' 'd[0]["State"]["Pid"] > 1' \
		'd[0]["State"]["Status"] == "running"'
	kill -TERM "$(/usr/bin/python3 -Sc 'import json,sys
print(json.load(open(sys.argv[1]))[0]["State"]["Pid"])' "$T/out")"
	# A first process without a handler does not feel it: docker's rule too.
	gives "${id:0:12}" img ps -q
	gives bg img rm -f bg
	gives '' img ps -aq
	[ ! -e "$log" ]

	# Gone as soon as it ended, with --rm.
	ok img run -d --rm --name brief base true
	wait_for sh -c "[ -z \"\$($IMG ps -aq)\" ]"
	fails 127 '"nosuch"*not found*' img run -d base nosuch
	fails 125 "there is no image 'nosuch'" img run -d nosuch true
	gives '' img ps -aq
}
