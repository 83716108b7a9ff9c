# What a person who watches the demo sees.

# show COMMAND...: the command, as one would type it.
show() {
	local word line=''
	for word in "$@"; do
		case $word in
		*[!A-Za-z0-9_./:=@%+,-]* | '') line+=" '${word//\'/\'\\\'\'}'" ;;
		*) line+=" $word" ;;
		esac
	done
	echo "  \$$line"
}

# say TEXT...: what comes next and why.
say() {
	echo
	printf '%s\n' "$*" | fold -s -w 78
}

# die TEXT...: the end.
die() {
	echo "demo: $*" >&2
	exit 1
}
