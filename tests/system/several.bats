# Verbs that take several: one that fails does not hinder the others, and each
# is told of once.
load lib/store

@test "start and restart: one that cannot be started" {
	local verb why
	ok img create --name first base sleep 600
	ok img create --name bad base nosuch
	ok img create --name last base sleep 600
	why='"nosuch": executable file not found in $PATH'
	for verb in start 'restart -t 0'; do
		# shellcheck disable=SC2086 # words
		try img $verb first none bad last
		verb=${verb%% *}
		[ "$status" -eq 1 ]
		[ "$out" = $'first\nlast' ] || say 'those that were started'
		[ "$err" = "img: cannot $verb none: there is no container 'none'
img: cannot $verb bad: $why" ] || say 'those that were not'
	done
	gives $'last\nfirst' img rm -f last first
}

@test "deactivate and umount: one that is not there" {
	ok img create --name one base true
	ok img create --name two base true
	ok img activate one
	ok img activate two
	try img deactivate one none two
	[[ $status -eq 1 && -z $out ]]
	[ "$err" = "img: cannot deactivate none: there is no container or image\
 'none'" ] || say 'why not'
	gives '' img activate -q
	ok img mount one
	ok img mount two
	try img umount one base two
	[[ $status -eq 1 && -z $out ]]
	[ "$err" = 'img: cannot unmount base: it is not mounted' ]
	gives '' img mount -q
}
