# Programs that want all there is, and that do not want to end.
load lib/hostile

setup_file() {
	store_begin
	ok img init --volume-size 128M
	ok img import -q "$CACHE/base.tar" base
	store_keep
}

@test "ten thousand mounts: it is entered, stopped and removed all the same" {
	local before
	before=$(wc -l </proc/self/mountinfo)
	ok img run -d --name many "${TOOL[@]}" "${POWER[@]}" base sh -c \
		'/hostile mounts /srv 10000; exec sleep 600'
	wait_for sh -c "$IMG logs many | grep -q 'mounted 10000'"
	[ "$(wc -l </proc/self/mountinfo)" -eq "$before" ]
	ok img exec many true
	ok img commit -q many many
	ok img stop -t 0 many
	ok img rm many
	store_works
}

@test "a full volume: its writes fail, and nobody else's" {
	ok img run -d --name other base sleep 600
	try img run --name full base sh -c \
		'cat /dev/zero >/fill; echo more >/more; sync; echo done'
	[[ $out == done && $err == *'No space left on device'* ]] || say 'no word'
	ok img commit -q full full
	gives '' img run --rm full sh -c 'rm /fill; echo fits >/more'
	ok img exec other sh -c 'echo y >/y; sync'
	ok img rm full
	store_works
}

@test "SIGTERM and all others ignored, by a family of sessions" {
	ok img run -d --name stubborn "${TOOL[@]}" base /hostile stubborn
	wait_for sh -c "[ \$(pgrep -xfc '/hostile stubborn') -eq 6 ]"
	ok img kill -s TERM stubborn
	ok img kill -s INT stubborn
	ok img exec stubborn true
	ok img stop -t 1 stubborn
	not pgrep -xf '/hostile stubborn'
	ok img inspect stubborn
	json 'd[0]["State"]["ExitCode"] == 137'
	store_works
}
