# A line of the tables: what, beside what, and what is to be reached.

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

# line WHAT BASE IMG TEST MARK: TEST is an awk condition on r = BASE / IMG
line() {
	local r verdict=''
	r=$(ratio "$2" "$3")
	[ -z "$4" ] || verdict=$(awk -v r="$r" \
		"BEGIN { print ($4) ? \"met\" : \"missed\" }")
	printf '%-40s %10s %10s %9s  %-22s %s\n' "$1" "$2" "$3" "$r" "$5" \
		"$verdict"
}

# heading WHERE OTHER IMG
heading() {
	printf '\n%-40s %10s %10s %9s  %s\n' "$1" "$2" "$3" 'ratio' 'to reach'
}
