# Commits, of stopped and of running containers, and what they descend from.
load lib/store

@test "a container's state becomes an image, again and again" {
	local base one two
	base=$(img images -q --no-trunc)
	ok img run --name c1 -e A=1 -w /srv base sh -c \
		'echo one >/one; rm /bin/tty; chmod 4755 /bin/cat; mkfifo /pipe'
	ok img commit -m 'the first' c1 app/web:v1
	one=$out
	[[ $one =~ ^[0-9a-f]{64}$ ]]
	gives $'one\n4755\nfifo' img run --rm app/web:v1 sh -c \
		'cat /one; stat -c %a /bin/cat; stat -c %F /pipe; test ! -e /bin/tty'
	# The container goes on, the image does not change.
	ok img run --name c2 app/web:v1 sh -c 'echo two >/two'
	ok img commit --message second --quiet c2 app/web:v2
	[ -z "$out" ]
	two=$(sql "SELECT image FROM names WHERE tag = 'v2'")
	gives $'one\ntwo' img run --rm app/web:v2 cat /one /two
	exits 1 img run --rm app/web:v1 cat /two
	# Without a name; with its id.
	ok img commit c2
	gives two img run --rm "${out:0:12}" cat /two

	ok img inspect app/web:v2
	json "d[0]['Id'] == '$two'" "d[0]['Parent'] == '$one'" \
		'd[0]["RepoTags"] == ["app/web:v2"]' 'len(d[0]["History"]) == 3' \
		'd[0]["Config"]["Env"] == ["A=1"]' \
		'd[0]["Config"]["WorkingDir"] == "/srv"' \
		'"HostConfig" not in d[0]["Config"]' \
		'"Tty" not in d[0]["Config"]' '"Hostname" not in d[0]["Config"]'
	ok img history app/web:v2 --format json
	json 'len(d) == 3' "[h['Id'] for h in d] == ['$two', '$one', '$base']" \
		'[h["Comment"] for h in d] == ["second", "the first", ""]' \
		'd[0]["CreatedBy"].startswith("sh -c ")' \
		'all(0 < h["Size"] for h in d)' 'd[0]["Size"] < d[2]["Size"]'
	gives "${two:0:12}
${one:0:12}
${base:0:12}" img history -q app/web:v2
	ok img history app/web:v2
	[[ ${out%%$'\n'*} == IMAGE*CREATED*'CREATED BY'*SIZE*COMMENT ]]
	has 'the first'
	[ "$(wc -l <"$T/out")" -eq 4 ]
	ok img history --no-trunc app/web:v2
	has "$one"
	has 'echo one >/one; rm /bin/tty; chmod 4755 /bin/cat; mkfifo /pipe'
}

@test "--change sets what the next run takes" {
	ok img run --name c1 base true
	ok img commit -q \
		--change 'CMD ["echo", "by default"]' \
		-c 'ENV GREETING=hello OTHER="a b"' -c 'env GREETING=howdy' \
		-c 'WORKDIR /home' -c 'WORKDIR ann' -c 'USER ann' \
		-c 'LABEL a=b' -c 'EXPOSE 80 443/tcp' -c 'VOLUME /data' \
		-c 'STOPSIGNAL SIGUSR1' c1 changed
	gives 'by default' img run --rm changed
	gives $'howdy a b\n/home/ann\nann' img run --rm changed \
		sh -c 'echo $GREETING $OTHER; pwd; id -un'
	gives root img run --rm -u root changed id -un
	ok img inspect --type image changed
	json 'd[0]["Config"] == {"Cmd": ["echo", "by default"],
		"Env": ["GREETING=howdy", "OTHER=a b"], "WorkingDir": "/home/ann",
		"User": "ann", "Labels": {"a": "b"},
		"ExposedPorts": {"80/tcp": {}, "443/tcp": {}},
		"Volumes": {"/data": {}}, "StopSignal": "SIGUSR1"}'
	ok img run --name c2 changed true
	ok img commit -q -c 'ENTRYPOINT ["echo", "entry"]' -c 'CMD a b' c2 entry
	ok img run --rm entry
	has 'entry /bin/sh -c a b'
	gives 'entry c' img run --rm entry c
	gives 'd' img run --rm --entrypoint echo entry d
	gives '' img run --rm --entrypoint true entry

	fails 1 "cannot commit c1: --change 'COPY a b': no such instruction*" \
		img commit -c 'COPY a b' c1 no
	fails 1 'cannot commit c1: --change WORKDIR: *' \
		img commit -c 'WORKDIR' c1 no
	fails 1 'cannot commit c1: --change CMD: *' img commit -c 'CMD [1]' c1 no
	fails 1 "there is no container 'nosuch'" img commit nosuch no
	fails 1 "'No' is not an image name*" img commit c1 No
	fails 1 "*cannot commit*there is no image 'no'" img commit base x ||
		fails 1 "there is no container 'base'" img commit base x
	fails 1 "there is no image 'no'" img inspect --type image no
}

# written_by CONTAINER: it has made its /counter.
written_by() {
	local pid
	pid=$(img inspect "$1" | sed -n 's/^ *"Pid": \([0-9]*\),$/\1/p')
	[ "${pid:-0}" -gt 0 ] && [ -s "/proc/$pid/root/counter" ]
}

@test "a running container, while it writes: the image is whole and runs" {
	local n
	ok img run -d --name writer base bash -c \
		'n=0; while :; do
			n=$((n + 1)); echo $n >/counter.new; mv /counter.new /counter
			mkdir -p /d$((n % 50)); echo $n >>/d$((n % 50))/f
			rm -rf /d$(((n + 25) % 50))
		done'
	wait_for written_by writer
	for n in 1 2 3; do
		ok img commit -q writer "live:$n"
		with_volume "$(volume_of "live:$n")" e2fsck -fn >"$T/fsck"
	done
	# It went on all the while.
	ok img ps
	has writer
	ok img run --rm live:1 cat /counter
	[ "$out" -ge 1 ]
	n=$out
	ok img run --rm live:3 sh -c 'cat /counter; ls -d /d* >/dev/null'
	[ "$out" -gt "$n" ]
	gives writer img rm -f writer
}

@test "a commit copies nothing, and costs nothing but what changed" {
	# On the driver snapshot a commit is a file.
	[ -z "${IMG_TEST_DRIVER-}" ] || return 0
	local before
	ok img run --name big base dd if=/dev/urandom of=/big bs=1M count=40 \
		status=none
	sync
	before=$(used_bytes)
	ok img commit -q big one
	ok img commit -q big two
	ok img df --format json
	# A chunk or two for the ledger at most.
	[ "$(($(used_bytes) - before))" -le $((4 * 65536)) ]
	json '[v["ExclusiveBytes"] < 1 << 20 for v in d["Volumes"]] == [True] * 4'
	ok img tree --format json
	json 'd[0]["Children"][0]["Size"] > 40 << 20' \
		'len(d) == 1' 'len(d[0]["Children"]) == 3'
}
