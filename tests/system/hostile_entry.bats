# Programs that reach for what enters their container: img itself, what it has
# open, where it comes from.
load lib/hostile

@test "CVE-2019-5736: img's own program is not overwritten through /proc/self/exe" {
	local before users command
	before=$(sha256sum <"$IMG")
	# A command that is img's program as soon as it is executed.
	ok img run --name trap base sh -c 'echo "#!/proc/self/exe" >/evil
		chmod 755 /evil; ln -s /proc/self/exe /link'
	ok img commit -q trap trap
	mkdir "$T/private" "$T/host"
	chmod 777 "$T/private" "$T/host"
	for users in private host; do
		ok img run -d --name "hunter-$users" --userns "$users" \
			"${TOOL[@]}" -v "$T/$users:/out" trap \
			sh -c 'exec /hostile overwrite 300 >/out/found'
		wait_for grep -q begun "$T/$users/found"
		for command in /evil /link true; do
			try img exec "hunter-$users" "$command"
			try img run --rm --userns "$users" trap "$command"
		done
		try img exec "hunter-$users" touch /stop # may end with its container
		wait_for grep -q had "$T/$users/found"
		slurp out "$T/$users/found"
		[[ $out =~ ^begun$'\n''had '[0-9]+$ ]] || say "in $users: $out"
		ok img rm -f "hunter-$users"
		[ "$(sha256sum <"$IMG")" = "$before" ] || say 'it was changed'
	done
	store_works
}

@test "CVE-2024-21626: no descriptor and no directory of the host is left in it" {
	local n
	cd /etc
	for n in 3 7 8 9; do
		fails 125 "*cannot use working directory '/proc/self/fd/$n'*" \
			img run --rm -w "/proc/self/fd/$n" base true 7</etc 8</ 9<"$T"
	done
	fails 125 "*working directory '/proc/1/cwd/x'*" \
		img run --rm -w /proc/1/cwd/x base true
	# An image that asks for it.
	ok img import -q -c 'WORKDIR /proc/self/fd/8' "$CACHE/base.tar" leaky
	fails 125 '*working directory*' img run --rm leaky true 8</
	gives $'/\n0\n1\n2\n3' img run --rm base sh -c \
		'readlink /proc/self/cwd; ls /proc/self/fd' 7</etc 8</ 9<"$T"
	ok img run -d --name host base sleep 600
	for n in 3 7 8 9; do
		fails 126 "cannot use working directory '/proc/self/fd/$n': *" \
			img exec -w "/proc/self/fd/$n" host true 7</etc 8</ 9<"$T"
	done
	gives $'/\n0\n1\n2\n3' img exec host sh -c \
		'readlink /proc/self/cwd; ls /proc/self/fd' 7</etc 8</ 9<"$T"
}

@test "CVE-2016-9962: what enters is not traced, and nothing of it opened" {
	ok img run -d --name hunter "${TOOL[@]}" "${POWER[@]}" -v "$T:/out" \
		base sh -c 'exec /hostile hunt 300 >/out/found'
	wait_for test -e "$T/found"
	for _ in 1 2 3 4 5; do
		ok img exec hunter true 9</etc/passwd
		ok img exec --privileged hunter true 9</etc/passwd
	done
	try img exec hunter touch /stop # may end with its container
	wait_for grep -q 'looked into' "$T/found"
	slurp out "$T/found"
	[[ $out =~ ^'looked into '[0-9]+$ ]] || say "it got: $out"
}

@test "CVE-2022-29162: no capability is inheritable" {
	local none=$'CapInh:\t0000000000000000' power
	for power in '' '--cap-add=ALL' '--cap-add=SYS_ADMIN'; do
		# shellcheck disable=SC2086 # none or one
		gives "$none" img run --rm $power base grep CapInh /proc/self/status
		# shellcheck disable=SC2086
		gives "$none" img run --rm $power -u ann base \
			grep CapInh /proc/self/status
	done
	gives "$none" img run --rm --privileged base grep CapInh /proc/self/status
	ok img run -d --name host base sleep 600
	gives "$none" img exec host grep CapInh /proc/self/status
	gives "$none" img exec --privileged host grep CapInh /proc/self/status
	gives "$none" img exec --privileged -u ann host \
		grep CapInh /proc/self/status
}
