# The command line itself: help, options in all their forms, unknown ones.
load lib/store

@test "help: every verb and every option is there, and says what it is" {
	local verb words line options=0
	ok img help
	cp "$T/out" "$T/all"
	gives "$(<"$T/all")" img --help
	gives "$(<"$T/all")" img -h
	[[ $(<"$T/all") == 'Usage: img [OPTIONS] VERB [OPTIONS] [ARGUMENTS]'* ]]
	fails_with_help() { # no verb is a mistake: help goes to stderr
		try img
		[ "$status" -ne 0 ] && [ -z "$out" ] && [ "$err" = "$(<"$T/all")" ]
	}
	fails_with_help
	sed -n '/^Verbs:/,/^$/s/^  \([a-z]*\( [a-z]*\)\{0,1\}\)  .*/\1/p' \
		"$T/all" >"$T/verbs"
	[ "$(wc -l <"$T/verbs")" -ge 19 ]
	ok img help --man
	cp "$T/out" "$T/man"
	sed 's/\\-/-/g' "$T/man" >"$T/plain"
	while read -r verb; do
		read -ra words <<<"$verb"
		ok img help "${words[@]}"
		[[ $out == "Usage: img $verb"* ]] || say "help of $verb"
		cp "$T/out" "$T/help"
		gives "$(<"$T/help")" img "${words[@]}" --help
		grep -q "^.SS \"img $verb" "$T/man"
		# Each option has a line of its own, in both.
		while read -r line; do
			[[ $line =~ --[a-z-]+\ .*[a-z] ]]
			line=${line#*--}
			grep -qF -- "--${line%%[ ]*}" "$T/plain"
			options=$((options + 1))
		done < <(sed -n '/^Options:/,$s/^  ....--/--/p' "$T/help")
	done <"$T/verbs"
	[ "$options" -gt 200 ]
	fails 1 "there is no verb 'nosuch'; see 'img help'" img help nosuch
	fails 1 "there is no verb 'pool nosuch': there is *" img help pool nosuch
	man -l --warnings "$T/man" >"$T/page" 2>"$T/warnings"
	[ ! -s "$T/warnings" ]
	grep -q 'EXIT STATUS' "$T/page"
	[[ $("$IMG" version) =~ ^img\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	gives "$(img version)" img --version
	gives "$(img version)" img -v
}

@test "options: long, short, joined, with =, after arguments, and --" {
	gives xy img run --rm -e=A=xy base sh -c 'echo $A'
	gives xy img run --rm -eA=xy base sh -c 'echo $A'
	gives xy img run --rm --env=A=xy base sh -c 'echo $A'
	gives in img run -i --rm=true base cat <<<in
	gives '' img run -i=false --rm base cat <<<in
	gives '' img run --rm --interactive=false base cat <<<in
	fails 125 "--interactive is true or false, not 'maybe'" \
		img run -i=maybe base true
	ok img run --rm=false --name kept base true
	gives kept img rm kept --force
	# What follows the image is the command's own.
	gives '--rm -e' img run --rm base echo --rm -e
	gives '-- x' img run --rm -- base echo -- x
	ok img --root "$IMG_ROOT" images --format json
	ok img images --format=json --no-trunc
	fails 1 "unknown option --quite; see 'img help images'" \
		img images --quite
	fails 1 "unknown option -x; see 'img help ps'" img ps -x
	fails 1 "unknown option -ax; see 'img help ps'" img ps -ax
	fails 125 "unknown option --nosuch; see 'img help run'" \
		img run --nosuch base true
	gives "$(img help run)" img run -it --name x --help base true
	gives '-- --help' img run --rm base echo -- --help
	fails 125 'option --name wants a value' img run --name
	fails 125 'too few arguments: usage: img run *' img run --rm
	fails 1 'too many arguments: usage: img images *' img images x
	fails 1 'too few arguments: usage: img tag *' img tag base
	fails 1 'too few arguments: usage: img commit *' img commit
	fails 1 'too few arguments: usage: img rm *' img rm
	fails 1 'too few arguments: usage: img rmi *' img rmi -f
	fails 1 'too few arguments: usage: img inspect *' img inspect
	fails 1 'too few arguments: usage: img history *' img history
	fails 1 'too few arguments: usage: img start *' img start
	fails 1 'too many arguments: usage: img pool status *' img pool status x
	fails 125 "there is no verb 'frobnicate'; see 'img help'" img frobnicate
	fails 125 "there is no verb 'pool': there is 'pool status', *" img pool
	fails 125 "there is no verb 'pool nosuch': there is *'pool stop'" \
		img pool nosuch
	fails 125 "unknown option --nosuch; see 'img help'" img --nosuch images
	fails 125 'option --root wants a value' img --root
	fails 125 "*this is a machine already*" img machine exec -- true ||
		[ ! -e /dev/mmapper ]
}

@test "output that cannot be written is a failure" {
	local verb
	for verb in images 'images --format json' df tree version help \
		'inspect base' 'history base' 'ps -a'; do
		status=0
		# shellcheck disable=SC2086 # words
		img $verb >/dev/full 2>"$T/err" || status=$?
		[ "$status" -eq 1 ]
		slurp err "$T/err"
		[ "$err" = 'img: cannot write the output' ]
	done
	status=0
	img images | true
}

@test "--format: the same words everywhere, and what is not there is said" {
	local verb
	ok img create --name one base true
	ok img volume create data
	for verb in ps images 'history base' 'volume ls' stats mount activate \
		'snapshot ls one'; do
		# shellcheck disable=SC2086 # words
		fails 1 "--format is table, json or a template as '{{json .}}', not 'foo'" \
			img $verb --format foo
	done
	for verb in 'inspect one' 'volume inspect data' events; do
		# shellcheck disable=SC2086 # words
		fails 1 "--format is json or a template as '{{json .}}', not 'foo'" \
			img $verb --format foo
	done
	for verb in df tree doctor 'pool status'; do
		# shellcheck disable=SC2086 # words
		fails 1 "--format is table or json, not 'foo'" img $verb --format foo
		# shellcheck disable=SC2086 # words
		fails 1 "--format is table or json here: this has no templates, not '{{json .}}'" \
			img $verb --format '{{json .}}'
	done
	# An object a line, whatever it is of; and cells of a table.
	for verb in 'ps -a' images 'history base' 'volume ls' \
		'stats --no-stream one' 'inspect one' 'volume inspect data'; do
		# shellcheck disable=SC2086 # words
		ok img $verb --format '{{json .}}'
		json 'isinstance(d, dict) and len(d) > 2'
	done
	gives $'NAME   CPUPERC\none    --' img stats --no-stream \
		--format 'table {{.Name}}\t{{.CPUPerc}}' one
	gives $'NAME   STATUS\none    created' img inspect \
		--format 'table {{.Name}}\t{{.State.Status}}' one
	# What docker calls the id is as long as the table has it.
	ok img images --format '{{.ID}} {{.Id}}'
	matches '^([0-9a-f]{12}) \1[0-9a-f]{52}$'
	gives "${out#* }" img images --no-trunc --format '{{.ID}}'
	ok img inspect --format '{{.Id}}' one
	gives "${out:0:12} one --" img stats --no-stream \
		--format '{{.ID}} {{.Name}} {{.MemPerc}}' one
	fails 1 "--format: there is no '.Nope' here; *" \
		img stats --no-stream --format '{{.Nope}}' one
}
