# Tests of the machine itself, from the host's side: machines are short-lived
# and leave nothing.  $T is empty before each test, $STATE a state disk that
# the file's tests share.

# shellcheck source=base.bash
. "${BASH_SOURCE[0]%/*}/base.bash"

setup_file() {
	FILES=$(mktemp -d "$REPO/build/machine.XXXXXX")
	# What a machine makes for itself it makes here, and removes.
	mkdir "$FILES/tmp"
	export FILES T=$FILES/t STATE=$FILES/state TMPDIR=$FILES/tmp
	unset IMG_STATE XDG_DATA_HOME
}

teardown_file() {
	[ -z "${FILES:-}" ] || rm -rf "$FILES"
}

setup() {
	mkdir "$T"
}

teardown() {
	local left
	rm -rf "$T"
	mkdir "$T"
	if ! no_machine >"$T/left"; then
		pkill -KILL -f "linux\.uml .*uml_dir=$TMPDIR/"
		echo "left running: $(<"$T/left")"
		return 1
	fi
	left=$(ls -A "$TMPDIR")
	[ -z "$left" ] || {
		echo "left in TMPDIR: $left"
		return 1
	}
	rm -rf "$T"
}

# No process of a machine of this file: they have its state disk or its
# private directory among their words.
no_machine() {
	! pgrep -f "linux\.uml .*uml_dir=$TMPDIR/"
}

# machine CMD...: runs it in a machine.
machine() {
	"$IMG" machine exec --state "$STATE" -- "$@"
}

# begin_machine CMD...: the same in the background, as $pid, once it has said
# "up" into $T/up.
begin_machine() {
	# bats waits for whoever has its descriptor 3.
	"$IMG" machine exec --state "$STATE" -- "$@" >"$T/up" 2>"$T/err" 3>&- &
	export pid=$!
	wait_for grep -q up "$T/up"
}
