# --init: a first process that passes signals on and reaps.
load lib/store
load lib/typing

@test "--init: the command is its child, with its own status and messages" {
	local more
	gives 'init 2' img run --rm --init base \
		sh -c 'read -r name </proc/1/comm; echo "$name $$"'
	gives 'init /bin/cat -- /bin/cat /proc/1/cmdline ' sh -c \
		"$IMG run --rm --init base /bin/cat /proc/1/cmdline | tr '\0' ' '"
	for more in --init '--init --pid host' '--init -u ann --read-only' \
		'--init --cap-drop ALL --security-opt no-new-privileges' \
		'--init --privileged'; do
		# shellcheck disable=SC2086 # several
		exits 7 img run --rm $more base sh -c 'exit 7'
		[ -z "$err" ] || say "complained with $more"
	done
	exits 137 img run --rm --init base sh -c 'kill -KILL $$'
	# What cannot be executed is said as without it.
	for more in --rm --init; do
		fails 127 '"nosuch": executable file not found in $PATH' \
			img run --rm "$more" base nosuch
		fails 127 '"/nosuch": No such file or directory' \
			img run --rm "$more" base /nosuch
		fails 126 '"/etc/motd": Permission denied' \
			img run --rm "$more" base /etc/motd
		fails 126 '"/etc": Is a directory' img run --rm "$more" base /etc
		fails 126 '"no-format": Exec format error' \
			img run --rm "$more" base no-format
		fails 127 '"no-interpreter": its interpreter or loader is not *' \
			img run --rm "$more" base no-interpreter
	done
	fails 127 '"nosuch": executable file not found in $PATH' \
		img run -d --rm --init base nosuch
	gives '' img ps -aq
}

# no_zombies NAME: all processes of a container that ended were reaped.
no_zombies() {
	local found
	found=$(img exec "$1" sh -c \
		'grep -l "^State:.Z" /proc/[0-9]*/status || echo none') &&
		[ "$found" = none ]
}

@test "--init: orphans are reaped, signals reach a command that handles none" {
	local script='sh -c "sleep 0 & :"; echo up; exec sleep 600'
	ok img run -d --name served --init base sh -c "$script"
	ok img run -d --name alone base sh -c "$script"
	ok img inspect served
	json 'd[0]["HostConfig"]["Init"] is True'
	ok img inspect alone
	json 'd[0]["HostConfig"]["Init"] is False'
	wait_for sh -c "$IMG exec served grep -x sleep /proc/2/comm"
	wait_for no_zombies served
	# The test is one: the other's first process reaps nobody.
	wait_for sh -c "$IMG exec alone sh -c 'cat /proc/[0-9]*/status' |
		grep '^State:.Z'"
	gives alone img stop -t 0 alone
	# By the signal, that is, and not killed a minute later.
	gives served img stop -t 60 served
	gives 143 img wait served
	# Again, and with a command that has an answer.
	ok img create --name asked --init base sh -c \
		'trap "echo asked; exit 5" USR1; echo up; while :; do sleep 0.1; done'
	gives asked img start asked
	wait_for sh -c "$IMG logs asked | grep up"
	gives asked img kill -s USR1 asked
	gives 5 img wait asked
	gives $'up\nasked' img logs asked
}

@test "--init: the command has the terminal, and its keys" {
	gives $'foreground\r' img run --rm -t --init base sh -c \
		'read -r _ _ _ _ group _ _ terminal _ </proc/self/stat
		[ "$group" = "$terminal" ] && echo foreground'
	typing "expect('ready'); type('\x03')" "$IMG" run --rm -it --init base \
		sh -c 'trap "exit 6" INT; echo ready; while :; do sleep 0.1; done'
	[ "$status" -eq 6 ] || say 'no status'
}

@test "--init: /proc/1/exe leads to what nobody can change, and nowhere else" {
	local users before
	before=$(sha256sum <"$IMG")
	for users in private host; do
		gives '/memfd:img-init (deleted)' img run --rm --init \
			--userns "$users" base readlink /proc/1/exe
		gives $'0\n1\n2' img run --rm --init --userns "$users" base \
			ls /proc/1/fd 9</etc
		gives refused img run --rm --init --userns "$users" base sh -c \
			'(echo x >/proc/1/exe) 2>/dev/null || echo refused'
	done
	# From outside of it as well, while nothing runs from that file any more.
	gives refused img run --rm --init --privileged base sh -c \
		'exec 9</proc/1/exe; (echo x >/proc/self/fd/9) 2>/dev/null ||
		echo refused'
	[ "$(sha256sum <"$IMG")" = "$before" ]
	# No descriptor of it is left to the command either.
	gives $'0\n1\n2\n3' img run --rm --init base ls /proc/self/fd 9</etc
	fails 125 "*cannot use working directory '/proc/self/fd/5'*" \
		img run --rm --init -w /proc/self/fd/5 base true
}
