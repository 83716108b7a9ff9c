# Lists of containers: which, and how they are shown.
load lib/store

@test "ps: --filter" {
	ok img create --name early --label app=web --label tier=1 base true
	exits 3 img run --name ended -l app=db base sh -c 'exit 3'
	ok img run -d --name alive -l app=web -v "$T:/data" base sleep 600
	ok img commit early child
	ok img create --name heir child true
	names() { # FILTER...
		local args=() filter
		for filter; do
			args+=(--filter "$filter")
		done
		ok img ps -a "${args[@]}" --format '{{.Names}}'
	}
	names name=a
	[ "$out" = $'alive\nearly' ]
	names name=earl name=ended
	[ "$out" = $'ended\nearly' ]
	# An image has the labels of what it was made from.
	names label=app
	[ "$out" = $'heir\nalive\nended\nearly' ]
	names label=app=web
	[ "$out" = $'heir\nalive\nearly' ]
	names label=app=web label=tier
	[ "$out" = $'heir\nearly' ]
	names exited=3
	[ "$out" = ended ]
	names status=created
	[ "$out" = $'heir\nearly' ]
	names status=running
	[ "$out" = alive ]
	names ancestor=child
	[ "$out" = heir ]
	names ancestor=base
	[ "$out" = $'heir\nalive\nended\nearly' ]
	names before=ended
	[ "$out" = early ]
	names since=ended
	[ "$out" = $'heir\nalive' ]
	names volume=/data
	[ "$out" = alive ]
	names "volume=$T" label=app=db
	[ "$out" = '' ]
	names "id=$(img ps -q)"
	[ "$out" = alive ]
	# A state that is asked for is shown without -a.
	gives ended img ps --filter status=exited --format '{{.Names}}'
	# Of an end that nobody could write down there is no age.
	sql "UPDATE containers SET finished_ns = NULL WHERE name = 'ended'"
	gives Exited img ps --filter name=ended --filter status=exited \
		--format '{{.Status}}'
	fails 1 "--filter 'colour=red' is none of *" img ps --filter colour=red
	fails 1 "--filter 'name' is none of *" img ps --filter name
	fails 1 '--filter exited=x is no exit status' img ps --filter exited=x
	fails 1 '--filter status=odd is none of *' img ps --filter status=odd
	fails 1 "--filter: there is no container 'none'" \
		img ps --filter before=none
	gives alive img stop -t 0 alive
}

@test "ps: --format, -l, -n, -s" {
	local id
	ok img create --name one --label a=1 --label b=2 base true
	ok img create --name two base sh -c 'echo a long command of two'
	id=$out
	gives $'two created\none created' img ps -a --format \
		'{{.Names}} {{ .State }}'
	gives "${id:0:12} $id" img ps -l --format '{{.ID}} {{.Id}}'
	gives "$id" img ps -l --no-trunc --format '{{.ID}}'
	gives $'two\tCREATED\n"base"' img ps -n 1 --format \
		'{{.Names}}\t{{upper .State}}\n{{json .Image}}'
	gives 'a=1,b=2 1  base' img ps -a --filter name=one --format \
		'{{.Labels}} {{.Label "a"}} {{.Label "none"}} {{lower .Image}}'
	gives $'NAMES   STATE\ntwo     created\none     created' img ps -a \
		--format 'table {{.Names}}\t{{.State}}'
	ok img ps -l --format '{{json .}}'
	json 'd["Names"] == "two"' 'd["Labels"] == {}'
	gives 2 sh -c "$IMG ps -q -n 5 | wc -l"
	ok img ps -as
	has SIZE
	matches ' [0-9.]+ [KM]?i?B'
	# Other lists have templates as well.
	gives base:latest img images --format '{{.Repository}}:{{.Tag}}'
	fails 1 "--format: there is no '.Nope' here; *" \
		img ps -a --format '{{.Nope}}'
	fails 1 "--format: '{{range .Names}}' is none of *" \
		img ps -a --format '{{range .Names}}'
	fails 1 "--format: a '{{' has no '}}'" img ps -a --format '{{.Names'
}
