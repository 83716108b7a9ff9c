#!/bin/bash
# worker.bash BASE.TAR FIRST: changes the store for ever, in names that begin with
# number FIRST, and tells on stdout before each change what it is about to do,
# and after it what was acknowledged:
#   about NAME        from now on NAME may be there or not
#   image NAME MARK   NAME is an image whose /mark holds MARK
#   gone NAME         there is no such image
set -u
tar=$1
for ((n = $2; ; n++)); do
	echo "about i$n"
	img import -q "$tar" "i$n" || exit
	echo "image i$n -"
	img run --name "c$n" "i$n" sh -c "echo c$n >/mark" || exit
	echo "about k$n"
	img commit -q "c$n" "k$n" || exit
	echo "image k$n c$n"
	echo "about t$n"
	img tag "k$n" "t$n" || exit
	echo "image t$n c$n"
	echo "about i$n"
	img rmi -f "i$n" >/dev/null || exit
	echo "gone i$n"
	img start -a "c$n" || exit
	[ $((n % 3)) -eq 0 ] || img rm "c$n" >/dev/null || exit
	[ $((n % 4)) -ne 0 ] || {
		echo "about k$n"
		img rmi "k$n" >/dev/null || exit
		echo "gone k$n"
	}
done
