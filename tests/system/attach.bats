# create, start, restart, attach: containers that are made, left, and met again.
load lib/store
load lib/typing

@test "create: made, not run; start runs it" {
	local id
	ok img create --name later --size 12G base sh -c 'echo ran; exit 3'
	id=$out
	[[ $id =~ ^[0-9a-f]{64}$ ]]
	ok img ps -a
	has Created
	gives '' img ps -q
	exits 3 img start -a later
	[ "$out" = ran ]
	gives later img start later
	gives 3 img wait later
	gives ran img logs later
	ok img inspect later
	json 'd[0]["State"]["ExitCode"] == 3' 'd[0]["Id"] == "'"$id"'"'
	gives later img rm later
	# With --rm it is gone after its first run.
	ok img create --rm --name once base true
	gives once img start once
	wait_for sh -c "! $IMG inspect once"
	fails 1 "unknown option -d; see 'img help create'" img create -d base true
	ok img create --name taken base true
	fails 1 "the container name 'taken' is taken: *" \
		img create --name taken base true
	fails 1 'cannot start nothing: *' img start nothing
	ok img create --name broken base /nosuch
	fails 1 'cannot start broken: "/nosuch": No such file or directory' \
		img start broken
}

@test "restart: stops what runs, and starts it" {
	ok img run -d --name again base sh -c 'trap "exit 5" TERM
		echo up; while :; do sleep 0.1; done'
	wait_for sh -c "$IMG logs again | grep up"
	gives again img restart again
	wait_for sh -c "$IMG logs again | grep -c up | grep 2"
	ok img ps -q
	[ -n "$out" ]
	gives again img stop -t 0 again
	gives again img restart -t 1 -s TERM again
	try img restart none again
	[[ $status -eq 1 && $out == again ]]
	[ "$err" = "img: cannot restart none: there is no container 'none'" ]
	gives again img stop -t 0 again
	fails 1 "--time 'x' is not a number of seconds" img restart -t x again
}

@test "attach: output, input, status, signals" {
	local id
	mkfifo "$T/go"
	ok img run -d -i --name echoes base sh -c \
		'echo before; while read x; do echo "got $x"; echo "err $x" >&2
		[ "$x" != end ] || exit 6; done'
	wait_for sh -c "$IMG logs echoes | grep before"
	status=0
	printf 'one\ntwo\nend\n' | img attach echoes >"$T/seen" 2>"$T/seen2" ||
		status=$?
	[ "$status" -eq 6 ]
	[ "$(<"$T/seen")" = $'got one\ngot two\ngot end' ]
	[ "$(<"$T/seen2")" = $'err one\nerr two\nerr end' ]
	try img logs echoes
	[ "$out" = $'before\ngot one\ngot two\ngot end' ]
	# Several at once see the same; one who goes leaves it running.
	ok img run -d --name told -v "$T:/host" base sh -c \
		'trap "echo asked; exit 8" TERM; trap "echo usr" USR1
		read x </host/go; echo first
		while :; do sleep 0.1; done'
	"$IMG" attach --no-stdin told >"$T/a" &
	id=$!
	"$IMG" attach --sig-proxy=false told >"$T/b" </dev/null &
	wait_for sh -c "[ \$(pgrep -fc 'img attach') -ge 2 ]"
	wait_for sh -c "[ \$(grep -c '\.attach$' /proc/net/unix) -ge 3 ]"
	echo >"$T/go"
	wait_for grep first "$T/a"
	wait_for grep first "$T/b"
	kill -USR1 "$id"
	wait_for grep usr "$T/b"
	kill -TERM "$id"
	status=0
	wait "$id" || status=$?
	[ "$status" -eq 8 ]
	[ "$(tail -n 1 "$T/a")" = asked ]
	wait
	fails 1 'cannot attach to told: it is not running' img attach told
	fails 1 "cannot attach to none: there is no container 'none'" \
		img attach none
	fails 1 "*--detach-keys 'ctrl' is not *" img attach --detach-keys ctrl told
}

@test "attach: standard input of run -i and create -i ends once" {
	ok img create -i --name once base cat
	gives once img start once
	status=0
	echo passed | img attach once >"$T/seen" || status=$?
	[[ $status -eq 0 && $(<"$T/seen") == passed ]]
	exits 0 sh -c "echo straight | $IMG start -ai once"
	[ "$out" = straight ]
	# In the background it is for whoever comes.
	ok img run -di --name open base cat
	echo one | img attach --no-stdin=false open >"$T/seen" &
	wait_for grep one "$T/seen"
	gives open img stop -t 0 open
	wait || :
}

@test "a terminal: left by its keys, met again, resized" {
	typing "expect('# '); type('stty size\n'); expect('30 90')
type('\x10\x11')" "$IMG" run -it --name term -e 'PS1=# ' base sh
	[ "$status" -eq 0 ] || say 'not left'
	ok img ps
	has term
	typing "type('\n'); expect('# '); resize(40, 100)
type('stty size; echo half\x10 way\n'); expect('40 100'); type('xy')" \
		"$IMG" attach --detach-keys x,y term
	[ "$status" -eq 0 ] || say 'not left by other keys'
	typing "type('\n'); expect('# '); type('exit 9\n')" "$IMG" attach term
	[ "$status" -eq 9 ] || say 'no status'
	gives 9 img wait term
	fails 1 'cannot attach to term: it is not running' img attach term
	typing "expect('# '); type('exit 4\n')" "$IMG" start -ai term
	[ "$status" -eq 4 ] || say 'start -ai'
	ok img run -dit --name back base sh
	fails 1 'cannot attach to back: it has a terminal, and *' \
		img attach back </dev/null
	gives back img stop -t 0 back
	# With --rm, and a command that is not there.
	typing "expect('# '); type('exit\n')" "$IMG" run --rm -it -e 'PS1=# ' \
		--name gone base sh
	[ "$status" -eq 0 ] || say 'run --rm -it'
	fails 1 "there is no container*'gone'" img inspect gone
	typing "" "$IMG" run --rm -it base nosuch
	[ "$status" -eq 127 ] || say 'run -it nosuch'
	has '"nosuch": executable file not found in $PATH'
}

@test "a foreground container cannot be attached to; its monitor killed is told" {
	local id pid
	img run --name front base sleep 600 &
	id=$!
	wait_for sh -c "$IMG ps | grep front"
	fails 1 'cannot attach to front: it runs in the foreground *' \
		img attach --no-stdin front
	gives front img stop -t 0 front
	wait "$id" || :
	ok img run -d --name back base sleep 600
	"$IMG" attach --no-stdin back 2>"$T/told" &
	id=$!
	wait_for sh -c "[ \$(grep -c '\.attach$' /proc/net/unix) -ge 2 ]"
	pid=$(cat "$IMG_RUN"/*/*.pid)
	pid=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$pid/status")
	kill -KILL "$pid"
	status=0
	wait "$id" || status=$?
	[ "$status" -eq 1 ]
	slurp err "$T/told"
	[ "$err" = "img: cannot attach to back: its monitor was killed, and it with it" ] ||
		[ "$err" = 'img: cannot attach to back: it is not running' ]
	gives 137 img wait back
}

@test "--sig-proxy=false: who is interrupted leaves it in the background" {
	local id
	"$IMG" run --sig-proxy=false --name kept base sh -c \
		'echo up; while :; do sleep 0.1; done' >"$T/seen" &
	id=$!
	wait_for grep up "$T/seen"
	kill -TERM "$id"
	status=0
	wait "$id" || status=$?
	[ "$status" -eq 143 ]
	ok img ps
	has kept
	gives up img logs kept
	gives kept img stop -t 0 kept
	"$IMG" start -a --sig-proxy=false kept >"$T/again" &
	id=$!
	wait_for grep up "$T/again"
	kill -HUP "$id"
	wait "$id" || status=$?
	[ "$status" -eq 129 ]
	gives kept img stop -t 0 kept
	# Otherwise it is as in the foreground.
	try sh -c "echo word | $IMG run -i --rm --sig-proxy=false base \
		sh -c 'cat; echo told >&2; exit 5'"
	[[ $status -eq 5 && $out == word && $err == told ]] || say 'streams'
	gives $'one\r\ntwo\r' img run -t --rm --sig-proxy=false base \
		sh -c 'echo one; echo two >&2'
	fails 127 '"nosuch": executable file not found in $PATH' \
		img run --rm --sig-proxy=false base nosuch
	ok img ps -aq --filter name=kept
	[ -n "$out" ]
}
