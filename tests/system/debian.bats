# A real root file system: Debian's, from its packages.
load lib/store
load lib/mount

setup_file() {
	store_begin
}

@test "the imported tree equals what GNU tar extracts" {
	local tree=$T/tree tar=$CACHE/debian.tar
	ok img import -q "$tar" debian
	mkdir "$tree"
	tar -C "$tree" -xpf "$tar" --same-owner --numeric-owner --acls \
		--xattrs --xattrs-include='*'
	"$FIXTURES/manifest" "$tree" >"$T/want"
	[ "$(wc -l <"$T/want")" -gt 6000 ]
	grep -q "^'/bin/su' 104755 0:0" "$T/want" ||
		grep -q "'/usr/bin/su' 104755 0:0" "$T/want"
	manifest_of debian >"$T/got"
	diff "$T/want" "$T/got"
	gives '' diff <(tar -tf "$tar" | wc -l) <(wc -l <"$T/got")

	# It runs, its programs work, its package database is whole.
	gives $'root\n0' img run --rm debian sh -c 'whoami; dpkg --audit | wc -l'
	ok img run --rm debian sh -c 'useradd -m x && su x -c "id -un" &&
		echo hi >/tmp/x && perl -e "print 6 * 7" && find / -xdev | wc -l'
	[[ $out == x$'\n'42* ]]
	ok img history --no-trunc debian
	has "import $tar"
}
