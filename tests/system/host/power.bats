# The whole machine is killed at any moment, and boots again on the same disk:
# what was acknowledged is there, the rest is not, and nobody had to do a thing.
load ../lib/base

setup_file() {
	T=$(mktemp -d -p "$REPO/build" power.XXXXXX)
	export T
}

teardown_file() {
	rm -rf "$T"
}

# nobody TEXT: no process has it in its command line.
nobody() {
	! pgrep -f -- "$1"
}

@test "the machine is killed six times, and its store is whole each time" {
	local round pid victim seed=${SEED:-$((SRANDOM % 100000))} from=1 part
	echo "# SEED=$seed" >&3
	: >"$T/told"
	for ((round = 1; round <= 6; round++)); do
		RANDOM=$((seed + round))
		"$IMG" machine exec --state "$T/state" -- \
			"$REPO/tests/system/crash/worker.bash" "$CACHE/base.tar" "$from" \
			</dev/null >"$T/tells" 2>"$T/complains" 3>&- &
		pid=$!
		printf -v part '%d.%03d' $((1 + RANDOM % 6)) $((RANDOM % 1000))
		sleep "$part"
		# The program that was called, or the kernel that its child runs.
		victim=$pid
		[ $((RANDOM % 2)) -eq 0 ] ||
			victim=$(pgrep -P "$(pgrep -P "$pid")")
		echo "round $round: kill -9 of $victim, of $pid, after $part s"
		kill -9 "$victim"
		wait "$pid" || true
		wait_for nobody "$T/state"
		[ ! -s "$T/complains" ] || grep -q ended "$T/complains" ||
			cat "$T/complains"
		cat "$T/tells" >>"$T/told"
		"$IMG" machine exec --state "$T/state" -- \
			"$REPO/tests/system/crash/after.bash" "$T/told" \
			>"$T/left" 3>&-
		mv "$T/left" "$T/told"
		from=$((from + 100))
	done
}
