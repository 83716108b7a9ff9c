# The journal of what happens to containers.
load lib/store

@test "events: a container's life, from create to destroy" {
	local begin id
	begin=$(date +%s.%N)
	ok img run -d --name seen -l app=web base sh -c 'exit 3'
	id=$out
	gives 3 img wait seen
	gives seen img start seen
	gives 3 img wait seen
	ok img rename seen renamed
	gives renamed img rm renamed
	gives $'create\nstart\ndie\nstart\ndie\nrename\ndestroy' \
		img events --since "$begin" --until "$(date +%s.%N)" \
		--format '{{.Action}}'
	ok img events --since "$begin" --until 0s --filter event=die \
		--filter event=destroy
	matches "^20[0-9-]+T[0-9:.]+Z container die $id \(app=web, exitCode=3, image=base, name=seen\)"
	[ "$(wc -l <"$T/out")" -eq 3 ]
	ok img events --since "$begin" --until 0s --format json \
		--filter container="${id:0:12}" --filter event=create
	json 'd["Actor"]["ID"] == "'"$id"'"' 'd["Type"] == "container"' \
		'd["Actor"]["Attributes"]["app"] == "web"' 'd["timeNano"] > 0'
	gives '' img events --since "$begin" --until 0s --filter label=app=db
	gives '' img events --since "$begin" --until 0s --filter image=none
	gives '' img events --since "$begin" --until 0s --filter type=image
	gives '' img events --since "$begin" --until "$begin"
	fails 1 "--filter 'colour=red' is none of *" img events --filter colour=red
	fails 1 "--format is json or a template, not 'xml'" img events --format xml
	fails 1 "--since 'soon' is no time: *" img events --since soon
}

@test "events: followed as they come, kill and stop and a lost monitor among them" {
	local id pid
	"$IMG" events --since 0 --filter container=watched \
		--format '{{.Action}}' >"$T/seen" &
	id=$!
	ok img run -d --name watched base sh -c 'trap "" USR1; sleep 600'
	wait_for grep start "$T/seen"
	gives watched img kill -s USR1 watched
	wait_for grep kill "$T/seen"
	gives watched img stop -t 0 watched
	wait_for grep stop "$T/seen"
	gives watched img start watched
	pid=$(cat "$IMG_RUN"/*/*.pid)
	pid=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$pid/status")
	kill -KILL "$pid"
	gives 137 img wait watched
	gives watched img rm watched
	wait_for grep destroy "$T/seen"
	kill "$id"
	wait "$id" || :
	[ "$(grep -c die "$T/seen")" -eq 2 ]
	# It is bounded: what is full is turned over, and still read.
	head -c 1048576 /dev/zero | tr '\0' '\n' >>"$(echo "$IMG_RUN"/*/events)"
	ok img create --name last base true
	[ -e "$(echo "$IMG_RUN"/*/events.1)" ]
	ok img create --name later base true
	[ "$(stat -c %s "$(echo "$IMG_RUN"/*/events)")" -lt 4096 ]
	gives $'last\nlater' img events --since 1m --until 0s --filter event=create \
		--filter container=last --filter container=later \
		--format '{{.Actor.Attributes.name}}'
}
