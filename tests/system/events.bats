# The journal of what happens to containers.
load lib/store
load lib/typing

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
	matches "^20[0-9-]+T[0-9:.]+Z container die $id \(app=web, execDuration=[0-9]+, exitCode=3, image=base, name=seen\)"
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
	fails 1 "--format is json or a template as *, not 'xml'" img events --format xml
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

@test "events: of images" {
	local begin small made
	begin=$(date +%s.%N)
	ok img import -c 'LABEL kind=small' "$CACHE/base.tar" small
	small=$out
	ok img tag small other:v2
	ok img create --name shown small true
	ok img commit shown made:v1
	made=$out
	ok img export -o "$T/saved" small
	ok img export -o "$T/exported" shown
	gives shown img rm shown
	ok img rmi other:v2
	ok img rmi small made:v1
	gives "import small:latest
tag other:v2
create $made
tag made:v1
save $small
untag other:v2
untag small:latest
delete $small
untag made:v1
delete $made" img events --since "$begin" --until 0s --filter type=image \
		--format '{{.Action}} {{.Actor.Attributes.name}}'
	gives $'create\ncommit\nexport\ndestroy' img events --since "$begin" \
		--until 0s --filter image=small --filter type=container \
		--format '{{.Action}}'
	gives "$made" img events --since "$begin" --until 0s \
		--filter event=commit --format '{{.Actor.Attributes.imageID}}'
	# By name with and without tag, by id, by label.
	gives $'import\nuntag' img events --since "$begin" --until 0s \
		--filter image=small:latest --filter type=image --format '{{.Action}}'
	gives tag img events --since "$begin" --until 0s --filter image=other \
		--filter event=tag --format '{{.Action}}'
	gives delete img events --since "$begin" --until 0s \
		--filter image="${made:0:12}" --filter event=delete \
		--format '{{.Action}}'
	gives import img events --since "$begin" --until 0s \
		--filter label=kind=small --filter event=import --format '{{.Action}}'
}

@test "events: what is done with a container that runs" {
	local begin id
	begin=$(date +%s.%N)
	ok img run -d --name served base sleep 600
	ok img exec served true
	exits 3 img exec served sh -c 'exit 3'
	ok img top served
	ok img update --pids-limit 100 served
	ok img resize served +1G
	gives served img restart -t 0 served
	ok img rename served other
	gives 'create
start
exec_create: true
exec_start: true
exec_die
exec_create: sh -c exit 3
exec_start: sh -c exit 3
exec_die
top
update
resize
kill
kill
die
stop
start
restart
rename' img events --since "$begin" --until 0s --format '{{.Action}}'
	gives $'0\n3' img events --since "$begin" --until 0s \
		--filter event=exec_die --format '{{.Actor.Attributes.exitCode}}'
	gives 'exec_start: true' img events --since "$begin" --until 0s \
		--filter 'event=exec_start: true' --format '{{.Action}}'
	ok img events --since "$begin" --until 0s --filter event=exec_start \
		--format '{{.Actor.Attributes.execID}}'
	[ "$(sort -u "$T/out" | wc -l)" -eq 2 ]
	gives served img events --since "$begin" --until 0s \
		--filter event=rename --format '{{.Actor.Attributes.oldName}}'
	"$IMG" attach --no-stdin other &
	id=$!
	wait_for sh -c "$IMG events --since $begin --until 0s | grep attach"
	gives other img kill -s KILL other
	status=0
	wait "$id" || status=$?
	[ "$status" -eq 137 ]
	gives $'15\n9\n9' img events --since "$begin" --until 0s \
		--filter event=kill --format '{{.Actor.Attributes.signal}}'
	ok img clone other copy
	gives copy img events --since "$begin" --until 0s --filter event=create \
		--filter container=copy --format '{{.Actor.Attributes.name}}'
}

@test "events: of volumes" {
	local begin id
	begin=$(date +%s.%N)
	ok img volume create data
	ok img volume create data # is there already
	ok img run --cidfile "$T/id" --rm -v data:/data -v /own base true
	slurp id "$T/id"
	ok img volume rm data
	gives $'create\nmount\nunmount\ndestroy' img events --since "$begin" \
		--until 0s --filter volume=data --format '{{.Action}}'
	gives "$id" img events --since "$begin" --until 0s --filter volume=data \
		--filter event=mount --format '{{.Actor.Attributes.container}}'
	ok img events --since "$begin" --until 0s --filter volume=data \
		--filter event=mount --format json
	json 'd["Actor"]["Attributes"]["destination"] == "/data"' \
		'd["Actor"]["Attributes"]["read/write"] == "true"'
	# The one without a name goes with its container.
	gives $'create\ncreate\nmount\nmount\nunmount\nunmount\ndestroy\ndestroy' \
		img events --since "$begin" --until 0s --filter type=volume \
		--format '{{.Action}}'
	begin=$(date +%s.%N)
	ok img volume create
	ok img volume prune -f
	ok img events --since "$begin" --until 0s --filter event=prune \
		--format json
	json 'd["Type"] == "volume"' 'd["Actor"]["ID"] == ""' \
		'int(d["Actor"]["Attributes"]["reclaimed"]) > 0'
}

@test "events: who looks on, who leaves, what is asked to end" {
	local begin
	begin=$(date +%s.%N)
	gives up img run --name seen base echo up
	gives up img start -a seen
	typing 'expect("up"); type("\x10\x11")' \
		"$IMG" run -it --name left base sh -c 'echo up; exec sleep 600'
	[ "$status" -eq 0 ]
	typing 'type("xy")' "$IMG" attach --detach-keys x,y left
	[ "$status" -eq 0 ]
	ok img stop -t 0 left
	ok img stop left # it does not run
	ok img start left
	ok img rm -f left
	gives $'create\nattach\nstart\ndie\nattach\nstart\ndie' img events \
		--since "$begin" --until 0s --filter container=seen \
		--format '{{.Action}}'
	gives 'create
attach
start
detach
attach
detach
kill
kill
die
stop
start
kill
die
destroy' img events --since "$begin" --until 0s --filter container=left \
		--format '{{.Action}}'
}
