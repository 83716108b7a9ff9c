# Containers from their start to their removal: ps, start, rm, names.
load lib/store

@test "a stopped container keeps its changes, and runs its command again" {
	ok img run --name keep -e GREETING=hello -w /srv -u ann base sh -c \
		'echo $GREETING $(pwd) $(id -un) >>/tmp/log; cat /tmp/log; exit 4' ||
		true
	exits 4 img start -a keep
	[ "$out" = $'hello /srv ann\nhello /srv ann' ]
	exits 4 img start --attach keep
	[ "$(wc -l <"$T/out")" -eq 3 ]
	# In the background: to its log.
	gives keep img start keep
	wait_for grep -q hello "$IMG_ROOT"/containers/*/log
	wait_for sh -c "[ -z \"\$($IMG ps -q)\" ]"
	[ "$(wc -l <"$(echo "$IMG_ROOT"/containers/*/log)")" -eq 4 ]
	ok img inspect keep
	json 'd[0]["State"]["ExitCode"] == 4' 'd[0]["State"]["Pid"] == 0' \
		'd[0]["State"]["Status"] == "exited"' \
		'd[0]["State"]["FinishedAt"] > d[0]["State"]["StartedAt"]'
	gives keep img rm keep
	fails 1 "cannot start keep: there is no container 'keep'" img start keep
	[ ! -e "$IMG_ROOT/containers/keep" ]
}

@test "stdin of a container that is started again" {
	gives one img run -i --name cat base cat <<<one
	gives two img start -a -i cat <<<two
	gives '' img start -a cat <<<three
	ok img run --name deaf base cat <<<four
	gives '' img start -ai deaf <<<five
	fails 1 'only one container can be attached' img start -a cat deaf
	gives $'cat\ndeaf' img start cat deaf
	# In the background one that was made with -i waits for who attaches.
	gives six img attach cat <<<six
	wait_for sh -c "[ -z \"\$($IMG ps -q)\" ]"
}

@test "running: shown, not removed without -f, started once" {
	local id
	ok img run -d --name busy base sleep 600
	id=$out
	ok img ps
	[[ ${out%%$'\n'*} == 'CONTAINER ID '*IMAGE*COMMAND*CREATED*STATUS*NAMES ]]
	[[ ${out#*$'\n'} == "${id:0:12} "*'base '*'"sleep 600" '*'Up '*busy ]]
	ok img ps --format json
	json 'len(d) == 1' "d[0]['Id'] == '$id'" 'd[0]["Names"] == "busy"' \
		'd[0]["State"] == "running"' 'd[0]["Command"] == "sleep 600"' \
		'd[0]["Image"] == "base"' 'd[0]["Status"].startswith("Up ")' \
		'set(d[0]) == {"Id", "ID", "Names", "Image", "Command", "State",
			"Status", "Pid", "Created", "RunningFor", "Size", "Labels"}'
	fails 1 'cannot remove busy: it is running: stop it first, or use -f' \
		img rm busy
	gives busy img start busy
	fails 1 'cannot start busy: *' img start -a busy
	fails 1 'the store is in use: *' img pool stop || fails 1 '*' img pool stop
	fails 125 "the container name 'busy' is taken: *" \
		img run --name busy base true
	gives "${id:0:5}" img rm -f "${id:0:5}"
	gives '' img ps -aq
	fails 1 "cannot remove busy: there is no container 'busy'" img rm busy
	gives '' img rm -f busy
}

@test "states: exited, killed from outside, and with its supervisor" {
	local pid
	exits 9 img run --name ended base sh -c 'exit 9'
	ok img run -d --name killed base sleep 600
	ok img inspect killed
	pid=$(sed -n 's/.*"Pid": \([0-9]*\),/\1/p' "$T/out")
	kill -KILL "$pid"
	wait_for sh -c "[ -z \"\$($IMG ps -q)\" ]"
	# The supervisor dies by kill -9: the container with it, all is tidy.
	ok img run -d --name orphaned base sleep 600
	ok img run -d --rm --name vanished base sleep 601
	pkill -KILL -xf "$IMG run -d --name orphaned base sleep 600"
	pkill -KILL -xf "$IMG run -d --rm --name vanished base sleep 601"
	wait_for sh -c '! pgrep -xf "sleep 60[01]"'
	gives '' img ps -q
	ok img ps -a --format json
	json '{c["Names"]: c["State"] for c in d} ==
		{"ended": "exited", "killed": "exited", "orphaned": "exited"}' \
		'[c["Status"].split(")")[0] for c in d] ==
		["Exited (137", "Exited (137", "Exited (9"]' \
		'all(c["Pid"] == 0 for c in d)'
	ok img ps --all
	has 'Exited (9) '
	gives $'orphaned\nkilled\nended' img rm orphaned killed ended
	gives '' img ps -aq --no-trunc
}

@test "names and prefixes of ids find a container, what is neither does not" {
	local first second
	ok img run --name Some_name.1-x base true
	first=$(img ps -aq --no-trunc)
	[[ $first =~ ^[0-9a-f]{64}$ ]]
	ok img run base sh -c true
	second=$(img ps -aq | head -n 1)
	ok img ps -a --no-trunc
	has "$first"
	[[ $(sed -n 2p "$T/out") =~ [a-z]+_[a-z]+$ ]]
	gives "${first:0:4}" img rm "${first:0:4}"
	gives "$second" img rm "$second"

	fails 125 "'x' is not a container name: 2 to 63 letters*" \
		img run --name x base true
	fails 125 "'-x' is not a container name: *" img run --name=-x base true
	fails 125 "'a/b' is not a container name: *" \
		img run --name a/b base true
	fails 125 "* is not a container name: *" \
		img run --name "$(printf %064d 0)" base true
	fails 125 "'' is not a container name: *" img run --name '' base true
	exits 1 img rm nosuch 0123 "$(printf 'a%.0s' {1..300})"
	[ "$(grep -c '^img: cannot remove .*: there is no container' "$T/err")" = 3 ]
	gives '' img ps -aq
}

@test "a container is as large as its image, and writes stay its own" {
	local before
	ok img run --name one base sh -c 'echo one >/etc/motd; rm /bin/tty'
	ok img run --name two base sh -c 'cat /etc/motd; ls /bin/tty'
	[ "$out" = $'a small system\n/bin/tty' ]
	gives one img run -i --name three base sh -c 'cat' <<<one
	ok img df --format json
	json 'sorted(v["Name"] for v in d["Volumes"]) ==
		["base:latest", "one", "three", "two"]' \
		'all(v["SizeBytes"] == 10 << 30 for v in d["Volumes"])'
	img rm one two three
	# What a run of true took is given back at once.
	before=$(used_bytes)
	ok img run --rm base true
	[ "$(used_bytes)" -eq "$before" ]
}

@test "twelve at once neither fail nor wait for long" {
	local n pids=()
	for n in {1..12}; do
		"$IMG" run --rm base sh -c "exit $n" >"$T/out.$n" 2>&1 3>&- &
		pids+=($!)
	done
	for n in {1..12}; do
		status=0
		wait "${pids[n - 1]}" || status=$?
		[ "$status" -eq "$n" ] || {
			cat "$T/out.$n"
			false
		}
	done
	gives '' img ps -aq
}
