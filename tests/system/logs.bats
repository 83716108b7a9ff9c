# What containers in the background say, and who keeps it: the monitor.
load lib/store

# log_of NAME: the file of its log.
log_of() {
	echo "$IMG_ROOT/containers/$(sql "SELECT id FROM containers
		WHERE name = '$1'")/log"
}

# monitor_of NAME: the process that is its first one's parent.
monitor_of() {
	local file pid parent
	file=$(echo "$IMG_RUN"/*/"$(sql "SELECT substr(id, 1, 12) FROM containers
		WHERE name = '$1'").pid")
	read -r pid <"$file"
	parent=$(grep PPid: "/proc/$pid/status")
	echo "${parent//[!0-9]/}"
}

@test "logs: all, the last lines, and what is still to come" {
	local id
	mkfifo "$T/go"
	ok img run -d --name talks -v "$T:/host" base \
		sh -c 'seq 1 2000; echo on stderr >&2; read x </host/go
			echo last; printf "no newline"'
	wait_for sh -c "$IMG logs talks 2>&1 | grep stderr"
	img logs -f -n 1 talks >"$T/followed" 2>&1 &
	id=$!
	wait_for grep stderr "$T/followed"
	echo >"$T/go"
	wait "$id"
	[ "$(<"$T/followed")" = $'on stderr\nlast\nno newline' ]
	gives $'last\nno newline' img logs --tail 2 talks
	gives '' img logs -n 0 talks
	try img logs -n 5 talks
	[ "$out" = $'1999\n2000\nlast\nno newline' ] || say 'stdout'
	[ "$err" = 'on stderr' ] || say 'stderr'
	try img logs --tail=all talks
	[ "$(wc -l <"$T/out")" -eq 2001 ]
	try img logs -n 100000 talks
	[ "$(wc -l <"$T/out")" -eq 2001 ]
	fails 1 "--tail 'x' is not a number of lines" img logs -n x talks
	ok img run --name silent base echo 'to the terminal'
	for tail in all 1; do # no failure, but it is said why
		try img logs -f -n "$tail" silent
		[[ $status -eq 0 && -z $out && $err == 'img: silent has no log: '\
*' in the foreground'*"('img run -d')" ]] || say 'a log of the foreground'
	done
	ok img create --name unborn base true
	gives '' img logs unborn
	fails 1 "there is no container 'none'" img logs none
}

@test "logs: when it was said" {
	local before middle
	mkfifo "$T/go"
	before=$(date +%s.%N)
	ok img run -d --name timed -v "$T:/host" base \
		sh -c 'echo first; read x </host/go; echo second'
	wait_for sh -c "$IMG logs timed | grep first"
	middle=$(date +%s.%N)
	echo >"$T/go"
	gives 0 img wait timed
	gives $'first\nsecond' img logs --since "$before" timed
	gives second img logs --since "$middle" timed
	gives first img logs --until "$middle" timed
	gives first img logs -f --until "$middle" timed
	gives '' img logs --until "$before" timed
	gives $'first\nsecond' img logs --since 10m timed
	gives '' img logs --until 1h30m timed
	gives second img logs --since \
		"$(date -u -d "@$middle" +%Y-%m-%dT%H:%M:%S.%NZ)" timed
	ok img logs -t timed
	matches '^20[0-9-]{8}T[0-9:]{8}\.[0-9]{9}Z first'
	ok img logs --timestamps -n 1 timed
	matches '^20[0-9-]{8}T[0-9:]{8}\.[0-9]{9}Z second$'
	fails 1 "--since 'soon' is no time: *" img logs --since soon timed
	fails 1 "--until '5parsecs' is no time: *" img logs --until 5parsecs timed
}

@test "the log is docker's json-file, whatever is said" {
	ok img run -d --name odd base sh -c 'printf "tab\t quote\" \\ \033[1m\n"
		printf "\303\251 \377\300\200 \342\202\n" >&2
		head -c 40000 /dev/zero | tr "\0" x; echo; printf "\303"'
	gives 0 img wait odd
	/usr/bin/python3 -S - "$(log_of odd)" <<'EOF'
import json, re, sys
lines = open(sys.argv[1], encoding='utf-8').read().splitlines()
entries = [json.loads(line) for line in lines]
for e in entries:
    assert set(e) == {'log', 'stream', 'time'}, e
    assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z', e['time'])
out = [e['log'] for e in entries if e['stream'] == 'stdout']
err = [e['log'] for e in entries if e['stream'] == 'stderr']
assert out[0] == 'tab\t quote" \\ \x1b[1m\n', out[0]
assert [len(t) for t in out[1:]] == [16384, 16384, 40001 - 32768, 1], out[1:]
assert ''.join(out[1:4]) == 'x' * 40000 + '\n'
assert err == ['\u00e9 \ufffd\ufffd\ufffd \ufffd\ufffd\n'], err
EOF
	try img logs odd
	[ "$(head -n 1 "$T/out")" = $'tab\t quote" \\ \e[1m' ]
	[ "$(wc -c <"$T/out")" -eq $((19 + 40001 + 3)) ]
}

@test "--log-opt: a log has its limits, and is read across its files" {
	local file id
	ok img run -d --name round --log-opt max-size=16k --log-opt max-file=3 \
		base sh -c 'seq 1 5000'
	gives 0 img wait round
	file=$(log_of round)
	[ "$(echo "$file"*)" = "$file $file.1 $file.2" ]
	for file in "$file"*; do
		[ "$(stat -c %s "$file")" -le 16384 ]
	done
	gives $'4998\n4999\n5000' img logs -n 3 round
	ok img logs round
	# What is there has no gap.
	[ "$out" = "$(seq "${out%%$'\n'*}" 5000)" ] || say 'a gap'
	[ "$(wc -l <"$T/out")" -gt 400 ]
	gives "$(seq 4501 5000)" img logs -n 500 round
	# Followed while it is renamed.
	mkfifo "$T/go"
	ok img run -d --name turns --log-opt max-size=16k --log-opt max-file=9 \
		-v "$T:/host" base sh -c 'echo 0; read x </host/go
			for i in 0 200 400 600; do seq $((i + 1)) $((i + 200))
				sleep 0.2; done'
	img logs -f turns >"$T/followed" &
	id=$!
	wait_for grep 0 "$T/followed"
	echo >"$T/go"
	wait "$id"
	[ "$(<"$T/followed")" = "$(seq 0 800)" ]
	# One file begins anew.
	ok img run -d --name one --log-opt max-size=8k --log-opt max-file=1 \
		base seq 1 300
	gives 0 img wait one
	file=$(log_of one)
	[ "$(echo "$file"*)" = "$file" ]
	[ "$(stat -c %s "$file")" -le 8192 ]
	gives 300 img logs -n 1 one
	# Where nobody says anything there is a limit, too.
	ok img inspect round turns
	json 'd[0]["HostConfig"]["LogConfig"] == {"Type": "json-file",
		"Config": {"max-size": "16k", "max-file": "3"}}'
	fails 125 "--log-opt 'max-size' is neither *" \
		img run -d --log-opt max-size base true
	fails 125 "--log-opt 'tag=x' is neither *" \
		img run -d --log-opt tag=x base true
	fails 125 '--log-opt max-size=1k is less than 4096 bytes' \
		img run -d --log-opt max-size=1k base true
	fails 125 '--log-opt max-file=0 is not 1 to 100' \
		img run -d --log-opt max-file=0 base true
}

@test "--log-driver: none, or json-file" {
	ok img run -d --name mute --log-driver none base echo unheard
	gives 0 img wait mute
	fails 1 'mute keeps no log: its log driver is none' img logs mute
	[ ! -e "$(log_of mute)" ]
	ok img run -d --name loud --log-driver=json-file base echo heard
	gives 0 img wait loud
	gives heard img logs loud
	fails 125 "--log-driver is json-file or none, not 'syslog'" \
		img run -d --log-driver syslog base true
}

@test "the monitor: pipes, or a terminal; nothing of the host's; small" {
	local pid n private
	ok img run -d --name piped -u ann base sh -c \
		'echo again >/dev/stdout; echo apart >/dev/stderr
		ls -l /proc/1/fd; sleep 600'
	wait_for sh -c "$IMG logs piped | grep -c pipe:"
	try img logs piped
	has again
	lacks /containers/
	[ "$err" = apart ] || say 'no /dev/stderr'
	ok img run -dt --name shown base sh -c 'tty; stty size; sleep 600'
	wait_for sh -c "$IMG logs shown | grep pts"
	for name in piped shown; do
		pid=$(monitor_of "$name")
		private=$(sed -n 's/^Private_[A-Z][a-z]*: *\([0-9]*\) kB/\1/p' \
			"/proc/$pid/smaps_rollup")
		n=0
		for private in $private; do
			n=$((n + private))
		done
		echo "# the monitor of $name has $n KiB of its own" >&3
		[ "$n" -le 1024 ]
	done
	gives $'piped\nshown' img stop -t 0 piped shown
	[ -z "$(find "$IMG_RUN" -name '*.attach')" ]
}

@test "the monitor is killed: the next command sets things right" {
	local file
	ok img run -d --name orphaned base sh -c 'echo said; exec sleep 600'
	ok img run -d --rm --name passing base sleep 600
	wait_for sh -c "$IMG logs orphaned | grep said"
	file=$(log_of orphaned)
	kill -KILL "$(monitor_of orphaned)" "$(monitor_of passing)"
	gives 137 img wait orphaned
	wait_for sh -c "! $IMG inspect passing"
	[ -z "$(find "$IMG_RUN" -name '*.attach' -o -name '*.pid')" ]
	gives said img logs orphaned
	# What its death cut short spoils nothing.
	printf '{"log":"cut' >>"$file"
	ok img start orphaned
	wait_for sh -c "$IMG logs orphaned | grep -c said | grep 2"
	gives $'said\nsaid' img logs orphaned
	gives orphaned img stop -t 0 orphaned
}
