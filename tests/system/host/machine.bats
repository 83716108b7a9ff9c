# img machine exec: a command in the embedded kernel as if it ran here.
load ../lib/machine

@test "status, output and input are the command's, byte for byte" {
	local sum
	gives 'Linux 0' machine sh -c 'echo $(uname -s) $(id -u)'
	exits 0 machine true
	exits 77 machine sh -c 'echo out; echo err >&2; exit 77'
	[ "$out,$err" = out,err ]
	exits 143 machine sh -c 'kill -TERM $$'
	fails 127 '*nosuch*' machine nosuch
	fails 126 '*/etc/passwd*' machine /etc/passwd
	# 8 MB in and the same out, with an end of input.
	head -c 8000000 /dev/urandom >"$T/random"
	machine cat <"$T/random" >"$T/back"
	cmp "$T/random" "$T/back"
	sum=$(sha256sum <"$T/random")
	[ "$(cat "$T/random" | machine sha256sum | cat)" = "$sum" ]
	# A closed output ends the command, not the test.
	machine sh -c 'cat /dev/zero' 2>"$T/err" | head -c 10 >"$T/ten"
	[ "$(stat -c %s "$T/ten")" -eq 10 ]
	gives '' machine true </dev/null
}

@test "directory, environment, umask, files: as here; nothing changes outside" {
	local before
	before=$(cd "$REPO" && ls -lR base)
	(
		cd "$REPO/base"
		umask 027
		export ODD=$'a b\nc' EMPTY=
		ok machine sh -c 'pwd; umask; echo "$ODD|$EMPTY|${NONE-unset}";
			cat err.h | wc -c; nproc; ulimit -n'
		[[ $out == "$REPO/base"$'\n0027\na b\nc||unset\n'"$(wc -c <err.h)"* ]]
	)
	# Devices that come and go start no program in there.
	gives '' machine sh -c 'cat /proc/sys/kernel/hotplug'
	# The host's tree is read-only, /tmp is a copy, a share is not.
	mkdir "$T/share" "$T/closed"
	echo here >"$T/share/file"
	exits 0 "$IMG" machine exec --state "$STATE" --share "$T/share" -- sh -c "
		echo x >/usr/bin/x || echo closed
		echo x >$T/closed/x; echo x >$REPO/base/x
		cat $T/share/file
		echo there >$T/share/file; echo new >$T/share/new; mkdir $T/share/dir
		echo x >/tmp/only-in-there && test -e /tmp/only-in-there && echo tmp"
	[ "$out" = $'closed\nhere\ntmp' ]
	[ "$(<"$T/share/file")" = there ]
	[ "$(<"$T/share/new")" = new ]
	[ -d "$T/share/dir" ]
	[ ! -e "$T/closed/x" ]
	[ ! -e /tmp/only-in-there ]
	[ "$(cd "$REPO" && ls -lR base)" = "$before" ]
	fails 125 "cannot share $T/nosuch: No such file or directory" \
		"$IMG" machine exec --share "$T/nosuch" --state "$STATE" -- true
	fails 125 "cannot share $T/share/file: it is not a directory" \
		"$IMG" machine exec --share "$T/share/file" --state "$STATE" -- true
}

@test "the store outlives the machine: import, boot again, run" {
	ok machine img import -q "$CACHE/base.tar" base
	gives 'a small system' machine img run --rm base cat /etc/motd
	ok machine sh -c 'img run --name c1 base sh -c "echo kept >/kept" &&
		img commit -q c1 second && img run -d --name c2 base sleep 600 && img ps'
	has c2
	# The power went while c2 ran; it is known to have ended.
	ok machine sh -c 'img ps -q; img ps -a --format json'
	json '{c["Names"]: c["State"] for c in d} ==
		{"c1": "exited", "c2": "exited"}'
	gives kept machine img run --rm second cat /kept
	ok machine sh -c 'img start -a c1 && img rm c1 c2 && img rmi second &&
		img images -q | wc -l'
	gives 1 machine sh -c 'img images -q | wc -l'
	gives '' machine img ps -aq
	# A machine that is killed leaves a disk that the next one takes.
	begin_machine sh -c 'img run -d --rm base sleep 600 >/dev/null; echo up
		sleep 600'
	fails 125 "the state disk $STATE is in use by another machine" machine true
	kill -KILL "$pid"
	wait_for no_machine
	gives '' machine img ps -aq
	gives 'a small system' machine img run --rm base cat /etc/motd
	# Only what is used is there on the host.
	[ "$(du -m "$STATE" | cut -f 1)" -lt 200 ]
	[ "$(stat -c %s "$STATE")" -gt $((64 << 30)) ]
}

@test "a bad state disk is named, and left as it was" {
	head -c 100000 /dev/urandom >"$T/short"
	fails 125 "the state disk $T/short is damaged: it ends after 100000 bytes" \
		"$IMG" machine exec --state "$T/short" -- true
	: >"$T/empty"
	fails 125 "the state disk $T/empty is empty: *" \
		"$IMG" machine exec --state "$T/empty" -- true
	head -c 20000000 /dev/urandom >"$T/noise"
	sha256sum "$T/noise" >"$T/sum"
	fails 125 "$T/noise is no state disk: it holds no file system" \
		"$IMG" machine exec --state "$T/noise" -- true
	sha256sum -c --quiet "$T/sum"
	mkdir "$T/dir"
	fails 125 "the state disk $T/dir is a directory" \
		"$IMG" machine exec --state "$T/dir" -- true
	fails 125 "the state disk /dev/null is not a regular file" \
		"$IMG" machine exec --state /dev/null -- true
	fails 125 "*/proc/nowhere/state*" \
		"$IMG" machine exec --state /proc/nowhere/state -- true
	# One that does not exist is made, with the directories above it.
	ok "$IMG" machine exec --state "$T/a/b/state" -- true
	[ -s "$T/a/b/state" ]
	IMG_STATE=$T/by-variable gives '' "$IMG" machine exec -- true
	[ -s "$T/by-variable" ]
}

@test "no kernel, too little memory, no command: each says what to do" {
	local bin=$T/bin
	mkdir "$bin"
	if [ -e /usr/bin/linux.uml ]; then
		# As on a system without it: /usr/bin is another one.
		fails 125 'linux.uml is not installed: install the package user-mode-linux' \
			unshare -rm sh -c "mount -t tmpfs none /usr/bin &&
				PATH=$bin exec $IMG machine exec --state $STATE -- true"
	else
		PATH=$bin fails 125 'linux.uml is not installed: *' machine true
	fi
	fails 125 '64.0 MiB of memory is too little for a machine: *' \
		"$IMG" machine exec --mem 64M --state "$STATE" -- true
	fails 125 'too few arguments: usage: img machine exec *' \
		"$IMG" machine exec --state "$STATE"
	fails 125 "unknown option --nosuch; see 'img help machine exec'" "$IMG" machine exec --nosuch -- true
	gives ok "$IMG" machine exec --mem=128M --state="$STATE" -- echo ok
	try "$IMG" machine exec --verbose --state "$STATE" -- echo said
	[ "$status,$out" = 0,said ]
	[[ $err == *'Linux version'* ]]
	# What needs device-mapper says how to get there, where there is none.
	if ! dmsetup version >/dev/null 2>&1; then
		fails 1 '*device-mapper*; try: img machine exec -- img import ...' \
			"$IMG" --root "$T/store" --run-root "$T/run" import \
			"$CACHE/base.tar" base
		[ ! -e "$T/store" ] || [ ! -e "$T/store/pool/data" ]
	fi
}

@test "signals reach the command; a second SIGTERM, a panic end the machine" {
	begin_machine sh -c 'trap "echo caught; exit 9" TERM; echo up
		while :; do sleep 0.1; done'
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 9 ]
	grep -q caught "$T/up"

	begin_machine sh -c 'trap "echo caught" TERM; echo up
		while :; do sleep 0.1; done'
	kill -TERM "$pid"
	wait_for grep -q caught "$T/up"
	kill -0 "$pid"
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 125 ] || [ "$status" -eq 143 ]
	wait_for no_machine

	try machine sh -c 'echo before; echo c >/proc/sysrq-trigger; sleep 60'
	[ "$status" -eq 125 ]
	[[ $err == *'img: '*panic* ]] || say 'no word of the panic'
	wait_for no_machine
	gives fine machine echo fine
}

@test "whoever is killed, no process of a machine goes on, least of all here" {
	local lookers="machine exec --state $STATE"
	# Read-only in there; it would come to be if the loop went on out here.
	begin_machine sh -c "echo up; while :; do echo x >$T/here; done"
	pkill -STOP -f "$lookers"
	kill -KILL "$(pgrep -o -f "linux\.uml .*uml_dir=$TMPDIR/")"
	wait_for no_machine
	[ ! -e "$T/here" ]
	pkill -CONT -f "$lookers"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 125 ]

	begin_machine sh -c "echo up; while :; do echo x >$T/here; done"
	pkill -KILL -f "$lookers"
	wait "$pid" || true
	wait_for no_machine
	[ ! -e "$T/here" ]
	rm -r "$TMPDIR"/img-machine-* # nobody was left to do it
	gives fine machine echo fine
}

@test "all of a machine stays on one processor" {
	local process list first
	begin_machine sh -c 'echo up; exec sleep 60'
	for process in $(pgrep -f "linux\.uml .*uml_dir=$TMPDIR/"); do
		list=$(awk '/^Cpus_allowed_list/ { print $2 }' "/proc/$process/status")
		[[ $list =~ ^[0-9]+$ ]] || say "$process may use $list"
		[ "$list" = "${first:=$list}" ] || say "$process is on $list"
	done
	[ -n "$first" ]
	kill -KILL "$pid"
	wait "$pid" || true
	wait_for no_machine
	wait_for sh -c '[ -z "$(ls "$TMPDIR")" ]' # the keeper's work
}

@test "a terminal: its size, its keys, its end" {
	local term=$FIXTURES/terminal
	ok "$term" -- "$IMG" machine exec --state "$STATE" -- sh -c \
		'tty; stty size; test -t 0 && test -t 1 && test -t 2 && echo all'
	has '24 80'
	has_line all
	ok "$term" 'wait:ready' 'size:40x100' 'wait:now 40 100' -- \
		"$IMG" machine exec --state "$STATE" -- bash -c \
		'trap "echo now \$(stty size); exit" WINCH; echo ready
		while :; do sleep 0.1; done'
	ok "$term" 'wait:begin' 'send:\x03' 'wait:after 130' -- \
		"$IMG" machine exec --state "$STATE" -- sh -c \
		'trap : INT; (trap - INT; echo begin; exec sleep 60); echo after $?'
	# Through both terminals, into a container.
	ok machine img import -q "$CACHE/base.tar" term
	ok "$term" 'wait:# ' 'send:stty size; exit\r' -- \
		"$IMG" machine exec --state "$STATE" -- img run -it --rm term sh
	has '24 80'
	gives 'not a tty' machine sh -c 'tty || :'
}

@test "an ordinary user has a machine too, and is root in it" {
	local home=$T/home want=$'0\n0\nmine\n.local/share/img/machine.state'
	mkdir "$home"
	cp "$IMG" "${IMG%/*}"/img-*.so "$home"
	cat >"$T/session" <<-END
		set -e
		cd "$home"
		./img machine exec -- sh -c 'id -u; img import -q $CACHE/base.tar base'
		./img machine exec -- img run --rm base id -u
		./img machine exec --share "$home" -- sh -c 'echo mine >shared'
		cat shared
		ls .local/share/img/machine.state
	END
	if [ "$(id -u)" -eq 0 ]; then
		chmod 1777 "$TMPDIR"
		chown -R 65534:65534 "$home"
		chmod 755 "$FILES" "$T"
		ok setpriv --reuid 65534 --regid 65534 --clear-groups \
			env HOME="$home" sh "$T/session"
		[ "$out" = "$want" ] || say 'another session than expected'
		[ "$(stat -c %u "$home/shared")" -eq 65534 ]
		# What only root may read stays closed to its root.
		try setpriv --reuid 65534 --regid 65534 --clear-groups \
			env HOME="$home" "$home/img" machine exec -- cat /etc/shadow
		[ "$status" -ne 0 ]
	else
		HOME=$home gives "$want" sh "$T/session"
	fi
}
