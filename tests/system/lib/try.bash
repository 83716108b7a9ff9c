# Running a command and judging it, with as few processes as can be: in the
# embedded kernel each costs 25 ms.

# try CMD...: sets $status, $out and $err; never fails.
try() {
	status=0
	"$@" >"$T/out" 2>"$T/err" || status=$?
	slurp out "$T/out"
	slurp err "$T/err"
}

# slurp VARIABLE FILE: its text, less the last newline.
slurp() {
	local text=''
	IFS= read -r -d '' text <"$2" || :
	printf -v "$1" %s "${text%$'\n'}"
}

# say WHAT: why a test fails, with what the last command said.
say() {
	echo "$1"
	echo "--- status $status, stdout:"
	head -c 4000 "$T/out"
	echo "--- stderr:"
	head -c 4000 "$T/err"
	return 1
}

# ok CMD...: it succeeds, without a word on stderr.
ok() {
	try "$@"
	[ "$status" -eq 0 ] || say "failed: $*" || return
	[ -z "$err" ] || say "complained: $*" || return
}

# gives TEXT CMD...: it succeeds and prints just that.
gives() {
	local want=$1
	shift
	ok "$@"
	[ "$out" = "$want" ] || say "printed something other than '$want': $*" || return
}

# exits STATUS CMD...: whatever it prints.
exits() {
	local want=$1
	shift
	try "$@"
	[ "$status" -eq "$want" ] || say "exited with other than $want: $*" || return
}

# not CMD...: it fails, silently or not.  A bare "!" asserts nothing: bash's -e
# looks away from what is inverted.
not() {
	! "$@"
}

# fails STATUS PATTERN CMD...: that status, nothing on stdout, and on stderr one
# line "img: PATTERN".
fails() {
	local want=$1 pattern=$2
	shift 2
	try "$@"
	[ "$status" -eq "$want" ] || say "exited with other than $want: $*" || return
	[ -z "$out" ] || say "printed on stdout: $*" || return
	[ "$err" = "${err%%$'\n'*}" ] || say "complained in several lines: $*" || return
	# shellcheck disable=SC2053 # a pattern
	[[ $err == "img: "$pattern ]] || say "said other than '$pattern': $*" || return
}

# has PATTERN: $out matches, anywhere.
has() {
	# shellcheck disable=SC2053 # a pattern
	[[ $out == *$1* ]] || say "not in the output: $1" || return
}

# has_line LINE: $out has just that line.
has_line() {
	[[ $'\n'$out$'\n' == *$'\n'"$1"$'\n'* ]] || say "no such line: $1" || return
}

# matches REGEX: $out does, somewhere.
matches() {
	[[ $out =~ $1 ]] || say "does not match: $1"
}

# lacks PATTERN: $out does not match anywhere.
lacks() {
	# shellcheck disable=SC2053 # a pattern
	[[ $out != *$1* ]] || say "in the output: $1" || return
}

# json EXPRESSION...: $out is JSON, and each Python expression holds of d, what
# it says.
json() {
	/usr/bin/python3 -S - "$T/out" "$@" <<'END' || say "JSON is other than expected"
import json, sys
d = json.load(open(sys.argv[1]))
for e in sys.argv[2:]:
    if not eval(f"({e})", {"d": d}):
        sys.exit(f"does not hold: {e}")
END
}

# wait_for CMD...: until it succeeds; ten seconds at most.
wait_for() {
	local n nap
	exec {nap}<> <(:) # never has anything to read: a pause without a process
	for ((n = 0; n < 200; n++)); do
		if "$@" >"$T/wait" 2>&1; then
			exec {nap}<&-
			return 0
		fi
		read -r -t 0.05 -u "$nap" || :
	done
	echo "in vain: $*"
	cat "$T/wait"
	return 1
}
