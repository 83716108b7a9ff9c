# A power cut at some flushes of all that changes a store: nothing acknowledged
# is lost, nothing is left over.  `make torture` has it at every flush.
load lib/storm

# cut_power DRIVER
cut_power() {
	mkdir "$T/bin"
	ln -s "$IMG" "$T/bin/img"
	PATH=$T/bin:$PATH "$REPO/tests/system/crash/log_writes.bash" \
		"$CACHE/base.tar" "$CACHE/log_replay" "$1" "${LOG_WRITES_POINTS:-4}" \
		>"$T/log" 2>&1 || {
		cat "$T/log"
		return 1
	}
	sed 's/^/# /' "$T/log" >&3
}

@test "a power cut at any flush: driver thin" {
	cut_power thin
}

@test "a power cut at any flush: driver snapshot" {
	cut_power snapshot
}
