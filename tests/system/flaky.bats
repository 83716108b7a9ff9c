# The disk below the store fails at a random moment of a command, and works again:
# nothing acknowledged is lost.  `make torture` has it two hundred times.
load lib/storm

# fail_disk DRIVER ROUNDS
fail_disk() {
	mkdir "$T/bin"
	ln -s "$IMG" "$T/bin/img"
	PATH=$T/bin:$PATH "$REPO/tests/system/crash/flaky.bash" \
		"$CACHE/base.tar" "$@" >"$T/log" 2>&1 || {
		cat "$T/log"
		return 1
	}
	sed 's/^/# /' "$T/log" >&3
}

@test "a disk that fails and works again: driver thin" {
	fail_disk thin 3
}

@test "a disk that fails and works again: driver snapshot" {
	fail_disk snapshot 2
}
