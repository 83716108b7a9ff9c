# What the tests of the doctor share: a store with a container that runs and
# one that does not, and what the doctor says of it.

# shellcheck source=store.bash
. "${BASH_SOURCE[0]%/*}/store.bash"

setup_file() {
	store_begin
	ok img import -q "$CACHE/base.tar" base
	store_keep
}

setup() {
	test_begin
	store_id=$(sql "SELECT value FROM settings WHERE key = 'store_id'")
	export pool=img-${store_id:0:8}-pool
	ok img run -d --name busy base sleep 1000
	ok img run --name idle base sh -c 'echo kept >/file'
	idle=$(volume_of idle)
	idle=${idle%:*}
}

teardown() {
	rm -f "$IMG_ROOT"/store.db.damaged-*
	test_end
}

# well: the doctor finds nothing, and what there was works.
well() {
	gives 'all is well' img doctor
	gives 'a small system' img run --rm base cat /etc/motd
}

# finds KIND OBJECT: one line of the doctor's says that.
finds() {
	exits 2 img doctor
	[ -z "$err" ] || say "complained" || return
	has "found *$1 *$2" || return
}

# mends KIND: --repair does, and then all is well.
mends() {
	exits 0 img doctor --repair
	[ -z "$err" ] || say "complained" || return
	has "mended    $1"
	has ' mended, 0 left'
	well
}
