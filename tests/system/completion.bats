# Completion for bash: what a word that is being typed may become.
load lib/store

# becomes WHAT WORD...: after img, the last one still being typed.
becomes() {
	local want=$1 all
	shift
	COMP_WORDS=("$IMG" "$@")
	COMP_CWORD=$#
	_img
	all=$(printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort | paste -sd ' ')
	[ "$all" = "$want" ] ||
		say "'$*' becomes '$all', not '$want'" || return
}

@test "completion: verbs, options, containers and images" {
	ok img completion bash
	eval "$out"
	complete -p img
	ok img create --name web1 base true
	ok img create --name web2 base true
	ok img tag base app/web:v2
	becomes 'rename resize restart rm rmi run' r
	becomes snapshot --root "$IMG_ROOT" sna
	becomes rollback snapshot ro
	becomes '--device-read-bps --device-read-iops' run --device-r
	becomes '--no-trunc' ps -a --no
	becomes 'web1 web2' start ''
	becomes web2 rm -f web1 web2
	becomes web1 snapshot rm web1
	becomes '' snapshot rm web1 sn
	becomes 'app/web:v2 base' run -it --name new ''
	becomes base run --name = web b
	becomes base run -e A=1 ba
	becomes v2 run app/web :
	becomes v2 run app/web : v
	becomes '' run base --na # the command's own
	becomes '' run --name web
	becomes 'web1 web2' run --volumes-from w
	becomes 'web1 web2' create -t --volumes-from = ''
	becomes base run --volumes-from web1 b
	becomes 'app/web:v2 base web1 web2' inspect ''
	becomes 'web1 web2' inspect web
	becomes '' rename web1 web
	becomes '' nosuch x
	fails 1 "there is a completion for bash, and none for 'fish'" \
		img completion fish
}
