# Containers that run in the background: stop, kill, wait, rename.
load lib/store

@test "stop: asks with the image's signal, waits, and kills in the end" {
	ok img run -d --name polite base sh -c \
		'trap "echo asked; exit 7" TERM; echo ready
		while :; do sleep 0.1; done'
	wait_for sh -c "$IMG logs polite | grep ready"
	# On a slow machine an answer may take longer than the ten seconds.
	gives polite img stop -t 100 polite
	gives 7 img wait polite
	gives $'ready\nasked' img logs polite
	# Without a handler the first process of a container feels nothing.
	ok img run -d --name deaf base sleep 600
	gives deaf img stop -t 0 deaf
	gives 137 img wait deaf
	# One that does not run is no failure; several go one by one.
	ok img run -d --name third base sleep 600
	try img stop -t 0 polite none third
	[[ $status -eq 1 && $out == $'polite\nthird' ]]
	[ "$err" = "img: cannot stop none: there is no container 'none'" ]
	# Another signal, of the image or of the command line.
	ok img commit --change 'STOPSIGNAL SIGUSR1' polite with-signal
	ok img run -d --name usr base sh -c 'trap "exit 9" USR2; echo ready
		while :; do sleep 0.1; done'
	wait_for sh -c "$IMG logs usr | grep ready"
	gives usr img stop -t 100 -s usr2 usr
	gives 9 img wait usr
	ok img run -d --name usr1 with-signal sh -c 'trap "exit 10" USR1
		echo ready; while :; do sleep 0.1; done'
	wait_for sh -c "$IMG logs usr1 | grep ready"
	gives usr1 img stop -t 100 usr1
	gives 10 img wait usr1
	fails 1 "'NOPE' is not a signal" img stop -s NOPE usr
	fails 1 "--time 'soon' is not a number of seconds" img stop -t soon usr
	fails 1 "--time '-2' is not a number of seconds" img stop --time=-2 usr
}

@test "kill: any signal, to the first process" {
	ok img run -d --name target base sh -c \
		'trap "echo one" USR1; trap "echo two; exit 3" 12
		echo ready; while :; do sleep 0.1; done'
	wait_for sh -c "$IMG logs target | grep ready"
	gives target img kill -s SIGUSR1 target
	wait_for sh -c "$IMG logs target | grep one"
	gives target img kill --signal=12 target
	gives 3 img wait target
	gives $'ready\none\ntwo' img logs target
	fails 1 'cannot kill target: it is not running' img kill target
	fails 1 "'RTMIN+99' is not a signal" img kill -s RTMIN+99 target
	ok img run -d --name victim base sleep 600
	gives victim img kill victim
	gives 137 img wait victim
	# One that is removed by itself is gone with its kill.
	ok img run -d --rm --name passing base sleep 600
	gives passing img kill passing
	wait_for sh -c "! $IMG inspect passing"
}

@test "wait: returns when the container has ended, with its status" {
	local id
	mkfifo "$T/go"
	ok img run -d --name waited -v "$T:/host" base \
		sh -c 'read x </host/go; exit 42'
	img wait waited >"$T/status" &
	id=$!
	echo >"$T/go"
	wait "$id"
	[ "$(<"$T/status")" = 42 ]
	gives $'42\n42' img wait waited waited
	fails 1 "cannot wait for none: there is no container 'none'" img wait none
}

@test "rename: running or not, to a name that is free and legal" {
	ok img run -d --name old base sleep 600
	gives '' img rename old new
	fails 1 "there is no container 'old'" img rename old other
	gives new img stop -t 0 new
	ok img run --name taken base true
	fails 1 "the container name 'taken' is taken" img rename new taken
	gives '' img rename new new
	fails 1 "*is not a container name*" img rename new 'a/b'
}
