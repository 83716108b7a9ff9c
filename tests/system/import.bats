# Importing root file systems: forms, options, and that what comes in is what
# GNU tar extracts.
load lib/store
load lib/mount

# as_tar FILE [OPTION...]: what GNU tar makes of it, as manifest.
as_tar() {
	mkdir "$T/tree"
	tar -C "$T/tree" -xpf "$1" --same-owner --numeric-owner --acls \
		--xattrs --xattrs-include='*' "${@:2}"
	"$FIXTURES/manifest" "$T/tree"
	rm -rf "$T/tree"
}

@test "gzip, xz, zstd, bzip2, a pipe: all are told by their content" {
	local form
	mkdir "$T/in"
	head -c 300000 /dev/urandom >"$T/in/file"
	tar -C "$T/in" -cf "$T/plain.tar" .
	gzip -k "$T/plain.tar"
	xz -k0 "$T/plain.tar"
	zstd -q "$T/plain.tar"
	bzip2 -k "$T/plain.tar"
	as_tar "$T/plain.tar" >"$T/want"
	for form in tar tar.gz tar.xz tar.zst tar.bz2; do
		mv "$T/plain.$form" "$T/Nameless-$form"
		ok img import "$T/Nameless-$form" "form:$form"
		[[ $out =~ ^[0-9a-f]{64}$ ]]
		manifest_of "form:$form" >"$T/got"
		diff "$T/want" "$T/got"
	done
	mv "$T/Nameless-tar.gz" "$T/Some.Name.tar.gz"
	gives '' img import -q "$T/Some.Name.tar.gz"
	# Standard input, as a file and as a pipe; a file that is a pipe.
	ok img import -q - stdin <"$T/Nameless-tar.bz2"
	cat "$T/Nameless-tar.zst" | img import -q - pipe
	mkfifo "$T/fifo"
	cat "$T/Nameless-tar.xz" >"$T/fifo" &
	ok img import -q "$T/fifo" fifo
	wait
	manifest_of pipe >"$T/got"
	diff "$T/want" "$T/got"
	ok img images
	has 'some.name '
	has 'fifo '
	fails 1 'cannot import -: an image from standard input needs a name' \
		img import - <"$T/Nameless-tar"
}

@test "--message and --change are in the image, and a run obeys" {
	ok img import -q -m 'where it came from' \
		--change 'CMD ["cat", "/etc/motd"]' -c 'WORKDIR /srv' \
		-c 'ENV A=1 B="two words"' -c 'ENV C three words' -c 'USER ann:club' \
		-c 'EXPOSE 8080/udp' -c 'LABEL org.x="y z" n=1' \
		-c 'VOLUME ["/data", "/logs"]' -c 'STOPSIGNAL 9' \
		"$CACHE/base.tar" my.registry:5000/some/base:v1.0
	ok img inspect my.registry:5000/some/base:v1.0
	json 'd[0]["Config"] == {"Cmd": ["cat", "/etc/motd"],
		"Env": ["A=1", "B=two words", "C=three words"],
		"ExposedPorts": {"8080/udp": {}},
		"Labels": {"n": "1", "org.x": "y z"}, "StopSignal": "9",
		"User": "ann:club", "Volumes": {"/data": {}, "/logs": {}},
		"WorkingDir": "/srv"}' \
		'd[0]["Parent"] == ""' 'd[0]["Type"] == "image"' \
		'd[0]["RepoTags"] == ["my.registry:5000/some/base:v1.0"]' \
		'd[0]["Volume"]["SizeBytes"] == 10 << 30'
	gives 'a small system' img run --rm my.registry:5000/some/base:v1.0
	gives $'1 two words three words /srv ann club' \
		img run --rm my.registry:5000/some/base:v1.0 \
		sh -c 'echo $A $B $C $(pwd) $(id -un) $(id -gn)'
	ok img history --format json my.registry:5000/some/base:v1.0
	json 'len(d) == 1' 'd[0]["Comment"] == "where it came from"' \
		"d[0]['CreatedBy'] == 'import $CACHE/base.tar'"
	# In shell form, too; the last of each counts.
	ok img import -q -c 'CMD ["x"]' -c 'cmd echo $HOME' -c 'ENTRYPOINT []' \
		--size 64M "$CACHE/base.tar" shell
	gives /root img run --rm shell
	ok img inspect shell
	json 'd[0]["Volume"]["SizeBytes"] == 64 << 20' \
		'd[0]["Config"]["Cmd"] == ["/bin/sh", "-c", "echo $HOME"]'
	# The name moves; the image that had it stays, nameless.
	ok img import -q "$CACHE/base.tar" shell
	ok img images --format json
	json 'sorted(i["Repository"] for i in d) == ["<none>", "base",
		"my.registry:5000/some/base", "shell"]'
}

@test "everything that a file system can hold, as GNU tar extracts it" {
	"$FIXTURES/everything" "$T/in"
	tar -C "$T/in" -cSf "$T/pax.tar" --format=pax --numeric-owner \
		--acls --xattrs --xattrs-include='*' .
	tar -C "$T/in" -cSf "$T/gnu.tar" --format=gnu --numeric-owner .
	as_tar "$T/pax.tar" >"$T/want"
	[ "$(wc -l <"$T/want")" -gt 1300 ]
	"$FIXTURES/manifest" "$T/in" | diff - "$T/want" # nothing lost on the way
	ok img import -q "$T/pax.tar" every:pax
	manifest_of every:pax >"$T/got"
	diff "$T/want" "$T/got"
	# GNU's own form has no extended attributes, and whole seconds.
	as_tar "$T/gnu.tar" >"$T/want"
	ok img import -q "$T/gnu.tar" every:gnu
	manifest_of every:gnu >"$T/got"
	diff "$T/want" "$T/got"
	# Holes take no room: 5 GiB in a volume of 1 GiB.
	ok img import -q --size 1G "$T/pax.tar" every:small
	ok img df --format json
	json '[v["SizeBytes"] for v in d["Volumes"] if "small" in v["Name"]]
		== [1 << 30]' \
		'all(v["ExclusiveBytes"] < 16 << 20 for v in d["Volumes"])'
}

@test "a directory, with all that it holds" {
	"$FIXTURES/everything" "$T/in"
	/usr/bin/python3 -Sc 'import socket, sys
socket.socket(socket.AF_UNIX).bind("devices/socket")' 2>/dev/null ||
		(cd "$T/in" && /usr/bin/python3 -Sc 'import socket
socket.socket(socket.AF_UNIX).bind("devices/socket")')
	touch -d @1234567890.5 "$T/in/devices"
	"$FIXTURES/manifest" "$T/in" >"$T/want"
	ok img import -q "$T/in" dir
	manifest_of dir >"$T/got"
	diff "$T/want" "$T/got"
	# Named after itself, whatever comes after its name.
	mkdir "$T/My.Root"
	(cd "$T/My.Root" && ok img import -q ../My.Root/)
	ok img inspect my.root
	fails 1 "cannot import $T/nosuch: *No such file or directory" \
		img import "$T/nosuch" x
}

@test "later entries replace earlier ones as they do for GNU tar" {
	local tar=$T/later.tar
	mkdir "$T/in"
	cd "$T/in"
	mkdir d e keep
	echo one >file
	echo two >linked
	ln linked other
	ln -s nowhere symlink
	echo x >d/x
	touch becomes-dir becomes-link
	tar -cf "$tar" .
	echo three, longer than it was >file
	rm becomes-dir becomes-link symlink other
	mkdir becomes-dir
	echo in >becomes-dir/file
	ln -s file becomes-link
	echo 'no symlink' >symlink
	echo 'alone now' >other
	rmdir e
	echo 'was a directory' >e
	chmod 700 d
	setfattr -n user.new -v 1 keep
	tar -rf "$tar" --format=pax --xattrs file becomes-dir becomes-link \
		symlink other e
	tar -rf "$tar" --format=pax --xattrs --no-recursion d keep .
	cd "$BATS_TEST_DIRNAME"
	as_tar "$tar" >"$T/want"
	grep -q '^.*/d/x' "$T/want"
	ok img import -q "$tar" later
	manifest_of later >"$T/got"
	diff "$T/want" "$T/got"
}
