# Random commands of a container's life, alone, two at once, or killed in the
# middle, against a model of what must hold after each.  `make torture` has it
# for an hour.
load lib/store

setup_file() {
	store_begin
}

# The choices are the same each time, unless SEED says otherwise.
@test "a soak of random commands, and after each what must hold" {
	SEED=${SEED:-1} /usr/bin/python3 -S -E -B \
		"$REPO/tests/system/soak/soak.py" "$IMG" "$CACHE/base.tar" \
		40 60 >"$T/soak" 2>&1 || {
		cat "$T/soak"
		return 1
	}
	sed 's/^/# /' "$T/soak" >&3
}
