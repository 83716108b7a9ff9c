# Many commands at once on one store: none fails for another, none waits long,
# and the store is whole afterwards.
load lib/store

# Nobody waits longer than that for others, on the slowest of machines.
DEADLINE_S=120

# begin NAME CMD...: in the background.
begin() {
	local name=$1
	shift
	{
		status=0
		"$IMG" "$@" >"$T/$name.out" 2>"$T/$name.err" </dev/null ||
			status=$?
		echo "$status $*" >"$T/$name.status"
	} 3>&- &
	names+=("$name")
}

# all_end: they do, before the deadline.
all_end() {
	local begin=$SECONDS
	wait
	[ $((SECONDS - begin)) -lt $DEADLINE_S ]
	[ "$(cat "$T"/*.status | wc -l)" -eq ${#names[@]} ]
}

# all_ok: they do, with success and without a word on stderr.
all_ok() {
	local bad=0 name
	all_end
	for name in "${names[@]}"; do
		[[ $(<"$T/$name.status") == '0 '* ]] && [ ! -s "$T/$name.err" ] && continue
		echo "$name: $(<"$T/$name.status"): $(<"$T/$name.err")"
		bad=1
	done
	return $bad
}

# count_status STATUS: how many ended with it.
count_status() {
	cat "$T"/*.status | grep -c "^$1 "
}

@test "a hundred commands at once, while the pool is still down" {
	local n names=() total
	for n in 1 2 3 4 5; do
		ok img run --name "c$n" base sh -c "echo c$n >/mark"
		ok img tag base "old$n"
		ok img run --name "gone$n" base true
		ok img commit -q "gone$n" "dead$n"
	done
	ok img pool stop
	total=$SECONDS
	for ((n = 0; n < 100; n++)); do
		case $((n % 20)) in
		0) begin "$n" import -q "$CACHE/base.tar" "i$n" ;;
		1 | 5 | 9) begin "$n" run --rm base true ;;
		2 | 12) begin "$n" commit -q "c$((n / 20 + 1))" "k$n" ;;
		3) begin "$n" df ;;
		4) begin "$n" tag base "t$n" ;;
		6 | 16) begin "$n" images ;;
		7 | 17) begin "$n" ps -a ;;
		8 | 18) begin "$n" run --name "n$n" base sh -c "echo n$n >/mark" ;;
		10) begin "$n" rm "gone$((n / 20 + 1))" ;;
		11) begin "$n" rmi "old$((n / 20 + 1))" ;;
		13) begin "$n" rmi "dead$((n / 20 + 1))" ;;
		14) begin "$n" tree ;;
		15) begin "$n" start -a "c$((n / 20 + 1))" ;;
		19) begin "$n" pool status ;;
		esac
	done
	all_ok
	echo "# 100 commands in $((SECONDS - total)) s" >&3
	# What was said to be done is done, all of it and nothing else.
	ok sql "SELECT count(*) FROM intents"
	[ "$out" = 0 ]
	ok sql "SELECT group_concat(name, ' ') FROM
		(SELECT name FROM names ORDER BY name)"
	[ "$out" = "base i0 i20 i40 i60 i80 k12 k2 k22 k32 k42 k52 k62 k72 k82 k92\
 t24 t4 t44 t64 t84" ]
	ok sql "SELECT group_concat(name, ' ') FROM
		(SELECT name FROM containers ORDER BY name)"
	[ "$out" = "c1 c2 c3 c4 c5 n18 n28 n38 n48 n58 n68 n78 n8 n88 n98" ]
	for n in 2 52 92; do
		gives "c$((n / 20 + 1))" img run --rm "k$n" cat /mark
	done
	gives n58 img start -a n58 || gives '' img start -a n58
}

@test "twenty first commands at once make one store, or use it" {
	local n names=()
	ok img pool stop
	local IMG_ROOT=$FILES/first IMG_RUN=$FILES/first-run
	for ((n = 0; n < 5; n++)); do
		begin "import$n" import -q "$CACHE/base.tar" "i$n"
		begin "images$n" images
		begin "init$n" init
		begin "ps$n" ps
	done
	all_end
	# Of the inits at most one is the first; nothing else may fail.
	for n in "${names[@]}"; do
		[[ $(<"$T/$n.status") != 0* ]] || continue
		[[ $n == init* ]] && [ "$(<"$T/$n.err")" = \
			"img: there is a store in $IMG_ROOT already" ] && continue
		echo "$n: $(<"$T/$n.status"): $(<"$T/$n.err")"
		return 1
	done
	gives 5 sql "SELECT count(*) FROM names"
	store_check
	rm -rf "$IMG_ROOT" "$IMG_RUN"
}

@test "of many that want the same, one gets it and the others are told so" {
	local n names=()
	for ((n = 0; n < 10; n++)); do
		begin "run$n" run --name same base true
	done
	all_end
	[ "$(count_status 0)" -eq 1 ]
	[ "$(count_status 125)" -eq 9 ]
	[ "$(cat "$T"/run*.err | grep -c "^img: the container name 'same' is taken")" -eq 9 ]
	rm "$T"/*.status
	names=()
	for ((n = 0; n < 10; n++)); do
		begin "rm$n" rm same
		begin "commit$n" commit -q same "k$n"
	done
	all_end
	# Those that came too late, or in the very moment, say so.
	cat "$T"/rm*.err "$T"/commit*.err >"$T/said"
	not grep -v "there is no container 'same'$\|another process is using it$\|\
meanwhile$" "$T/said"
	[ "$(cat "$T"/rm*.status | grep -c '^0 ')" -ge 1 ]
	gives 0 sql "SELECT count(*) FROM containers"
	for ((n = 0; n < 10; n++)); do
		[[ $(<"$T/commit$n.status") != 0* ]] ||
			gives 'a small system' img run --rm "k$n" cat /etc/motd
	done
}

@test "forty containers without a name at once" {
	local n names=()
	for ((n = 0; n < 40; n++)); do
		begin "run$n" run --rm base true
	done
	all_ok
}

@test "one container that runs, committed ten times at once" {
	local n names=()
	ok img run -d --name busy base sh -c \
		'while :; do echo more >>/growing; done'
	for ((n = 0; n < 10; n++)); do
		begin "commit$n" commit -q busy "k$n"
	done
	all_ok
	ok img rm -f busy
	gives 10 sql "SELECT count(*) FROM names WHERE name LIKE 'k%'"
}

@test "the pool is stopped over and over while others use it" {
	local n names=()
	for ((n = 0; n < 6; n++)); do
		begin "run$n" run --rm base true
		begin "stop$n" pool stop
		begin "tag$n" tag base "s$n"
		begin "again$n" pool stop
		begin "df$n" df
	done
	all_end
	for n in "${names[@]}"; do
		[[ $(<"$T/$n.status") == 0* ]] && [ ! -s "$T/$n.err" ] && continue
		[[ $n == stop* || $n == again* ]] || {
			echo "$n: $(<"$T/$n.status"): $(<"$T/$n.err")"
			return 1
		}
		grep -q "^img: another command uses the store in $IMG_ROOT: try" \
			"$T/$n.err" || {
			echo "$n: $(<"$T/$n.status"): $(<"$T/$n.err")"
			return 1
		}
	done
	gives 6 sql "SELECT count(*) FROM names WHERE name LIKE 's%'"
}

@test "fifteen commands at once find what fifteen dead ones left" {
	local n names=() pids
	for ((n = 0; n < 5; n++)); do
		ok img run -d --name "r$n" base sleep 1000
		begin "import$n" import -q "$CACHE/base.tar" "i$n"
		begin "run$n" run --rm base sleep 1000
	done
	wait_for sh -c "[ \$(sqlite3 '$IMG_ROOT/store.db' \
		\"SELECT count(*) FROM intents WHERE op = 'run'\") -ge 8 ]"
	pids=$(find /proc/[0-9]*/exe -maxdepth 0 -lname "$IMG" ! -path /proc/1/exe |
		cut -d/ -f3)
	# shellcheck disable=SC2086 # pids
	kill -9 $pids
	all_end
	rm "$T"/*.status
	names=()
	for ((n = 0; n < 5; n++)); do
		begin "ps$n" ps -a
		begin "df$n" df
		begin "rm$n" rm -f "r$n"
	done
	all_ok
	gives 0 sql "SELECT count(*) FROM intents"
	gives 0 sql "SELECT count(*) FROM containers"
}

# trim_on: all file systems again and again, until there is a file "stop".
trim_on() {
	until [ -e "$T/stop" ]; do
		"$IMG" trim --all >>"$T/trimmed" || echo "status $?"
	done
}

@test "trim --all beside all else: nobody fails for it, and nothing seems to run" {
	local n
	trim_on >"$T/trim.err" 2>&1 3>&- &
	for ((n = 0; n < 6; n++)); do
		ok img volume create "data$n"
		ok img create --name "web$n" -v "data$n:/data" base \
			sh -c 'echo x >>/data/x; echo y >/y'
		ok img start -a "web$n"
		ok img start "web$n"
		ok img commit -q "web$n" "new$n"
		ok img snapshot create "web$n" first
		ok img wait "web$n"
		ok img snapshot rollback "web$n" first
		ok img ps -q
		[ -z "$out" ] || say 'something runs'
		ok img run --rm "new$n" true
		ok img rm "web$n"
		ok img rmi "new$n"
	done
	: >"$T/stop"
	wait
	[ ! -s "$T/trim.err" ] || {
		cat "$T/trim.err"
		return 1
	}
	[ "$(grep -c '^base:latest: ' "$T/trimmed")" -ge 2 ]
}
