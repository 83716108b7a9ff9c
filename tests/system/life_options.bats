# Options of run and create about a container's life.
load lib/store

@test "--stop-signal, --stop-timeout" {
	local begin
	ok img run -d --name asked --stop-signal USR1 --stop-timeout 60 base \
		sh -c 'trap "exit 11" USR1; echo up; while :; do sleep 0.1; done'
	wait_for sh -c "$IMG logs asked | grep up"
	gives asked img stop asked
	gives 11 img wait asked
	ok img run -d --name deaf --stop-timeout 0 base sleep 600
	begin=$SECONDS
	gives deaf img stop deaf
	[ $((SECONDS - begin)) -lt 9 ]
	ok img inspect asked
	json 'd[0]["Config"]["StopTimeout"] == 60' \
		'd[0]["Config"]["StopSignal"] == "USR1"'
	fails 125 "--stop-signal 'NOPE' is not a signal" \
		img run --stop-signal NOPE base true
	fails 125 "--stop-timeout 'x' is not a number of seconds" \
		img run --stop-timeout x base true
}

@test "--env-file, --label, --label-file" {
	printf '# a comment\n\nA=from file\n  B=2\nHERE\nABSENT\nC=a=b # c\r\n' \
		>"$T/env"
	HERE=taken gives 'from file/over/taken/unset/a=b # c' img run --rm \
		--env-file "$T/env" -e B=over base \
		sh -c 'echo "$A/$B/$HERE/${ABSENT-unset}/$C"'
	echo 'no name = x' >"$T/bad"
	fails 125 "--env-file $T/bad: 'no name = x' is no NAME=VALUE" \
		img run --env-file "$T/bad" base true
	fails 125 "--env-file $T/none: *No such file*" \
		img run --env-file "$T/none" base true
	printf 'one=1\n# two=2\nthree\n' >"$T/labels"
	ok img create --name labelled --label-file "$T/labels" --label four=4=5 \
		-l one=first base true
	ok img inspect labelled
	json 'd[0]["Config"]["Labels"] ==
		{"one": "first", "three": "", "four": "4=5"}'
	fails 125 "label '=x' has no name" img run --label =x base true
	# An image's labels stay, and a commit keeps both.
	ok img commit --change 'LABEL base=yes' labelled with-label
	ok img create --name heir --label own=1 with-label
	ok img inspect heir
	json 'd[0]["Config"]["Labels"]["base"] == "yes"' \
		'd[0]["Config"]["Labels"]["own"] == "1"'
}

@test "--cidfile: the id, where no other is" {
	ok img run --cidfile "$T/id" --name told base true
	ok img inspect --type container "$(<"$T/id")"
	json 'd[0]["Name"] == "told"'
	fails 125 "--cidfile $T/id is there already: *" \
		img run --cidfile "$T/id" base true
	ok img run -d --cidfile "$T/id2" base true
	[ "$(<"$T/id2")" = "$out" ]
	ok img create --cidfile "$T/id3" base true
	[ "$(<"$T/id3")" = "$out" ]
	# What is not kept has left none.
	exits 127 img run --cidfile "$T/id4" base nosuch
	[ ! -e "$T/id4" ]
	fails 125 "*'told' is taken*" img run --cidfile "$T/id4" --name told base true
	[ ! -e "$T/id4" ]
	fails 125 "cannot make --cidfile /nowhere/id: *" \
		img run --cidfile /nowhere/id base true
}

@test "--attach, --restart, --sig-proxy" {
	gives out img run --rm -a stdout base sh -c 'echo out; echo err >&2'
	exits 0 img run --rm -a STDERR base sh -c 'echo out; echo err >&2'
	[[ $out == '' && $err == err ]]
	exits 0 img run --rm -a stdout -a stderr base sh -c 'echo out; echo err >&2'
	[[ $out == out && $err == err ]]
	gives '' img run --rm -i -a stdout base cat <<<unheard
	gives heard img run --rm -i -a stdin -a stdout base cat <<<heard
	exits 127 img run --rm -a stdin base nosuch
	[[ $err == *'"nosuch"'* ]]
	fails 125 "--attach is stdin, stdout or stderr, not 'x'" \
		img run -a x base true
	fails 125 '--detach and --attach exclude each other' \
		img run -d -a stdout base true
	ok img run --rm --restart no base true
	fails 125 "--restart 'always' wants a daemon, and there is none: *" \
		img run --restart always base true
}
