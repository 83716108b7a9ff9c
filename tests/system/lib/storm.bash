# What the files of tests share that kill img while it works.

# shellcheck source=store.bash
. "${BASH_SOURCE[0]%/*}/store.bash"

# storm KILLS ACT...: crash/storm.bash, with the program under test.
storm() {
	mkdir "$T/bin"
	ln -s "$IMG" "$T/bin/img"
	PATH=$T/bin:$PATH "$REPO/tests/system/crash/storm.bash" \
		"$CACHE/base.tar" "$@" >"$T/storm" 2>&1 || {
		cat "$T/storm"
		return 1
	}
	sed 's/^/# /' "$T/storm" >&3
}

setup_file() {
	store_begin
}
