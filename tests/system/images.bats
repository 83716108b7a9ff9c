# What is known of images: names, lists, trees, sizes, removal.
load lib/store

# host_kib: what the pool's data takes of the host.
host_kib() {
	sync
	du -k "$IMG_ROOT/pool/data" | cut -f 1
}

@test "names: added, moved, found by any of them, by id and prefix" {
	local id other
	id=$(img images -q --no-trunc)
	gives '' img tag base other
	gives '' img tag base reg.io:5000/a/b-c_d.e:V1.2_x-3
	gives '' img tag "${id:0:7}" by-id
	gives '' img tag other:latest more:tag
	ok img images
	[[ ${out%%$'\n'*} == REPOSITORY*TAG*'IMAGE ID'*CREATED*SIZE ]]
	[ "$(grep -c "${id:0:12}" "$T/out")" -eq 5 ]
	matches "base +latest +${id:0:12} .* ago +[89]\.[0-9] MiB"
	ok img images --format json
	json 'len(d) == 5' "{i['Id'] for i in d} == {'$id'}" \
		'all(set(i) == {"Id", "Repository", "Tag", "Created", "Size",
			"VirtualSize"} for i in d)' \
		'("reg.io:5000/a/b-c_d.e", "V1.2_x-3") in
			[(i["Repository"], i["Tag"]) for i in d]' \
		'd[0]["Size"] > 8 << 20' 'd[0]["VirtualSize"] == 10 << 30'
	gives "${id:0:12}" img images -q
	ok img images --no-trunc --format table
	has "$id"
	ok img run --rm "${id:0:4}" true
	ok img run --rm reg.io:5000/a/b-c_d.e:V1.2_x-3 true

	# A name moves from one image to another.
	ok img import -q "$CACHE/base.tar" second
	other=$(sql "SELECT image FROM names WHERE name = 'second'")
	ok img tag second other
	ok img inspect other second base
	json '[i["Id"] for i in d] == ['"'$other', '$other', '$id']" \
		'd[0]["RepoTags"] == ["other:latest", "second:latest"]'
	fails 125 "there is no image 'more'" img run more true

	for other in Base base: 'a b' a//b /a a/ .a -- a:b:c:d 'a:.b' 'a:-b' \
		"a:$(printf %0129d 0)" "$(printf %0256d 0)" 'a__/b' ünï 'a:ü' ''; do
		try img tag base -- "$other"
		[ "$status" -eq 1 ] || say "was taken: $other"
		[[ $err == "img: "*"not an image name"* ||
			$err == "img: "*"not a tag"* ||
			$err == "img: "*"too long"* ||
			$err == "img: too few arguments"* ]] || say "not named: $other"
	done
	ok img rmi more:tag by-id reg.io:5000/a/b-c_d.e:V1.2_x-3
	has_line 'Untagged: by-id:latest'
	fails 1 "there is no image 'nosuch'" img tag nosuch name
	fails 1 "there is no image 'base:nosuch'" img tag base:nosuch name
}

@test "rmi: a name, the last name, what is in use, by force" {
	local id
	id=$(img images -q --no-trunc)
	ok img import -q "$CACHE/base.tar" two:a
	ok img tag two:a two:b
	ok img tag two:a two:c
	gives 'Untagged: two:a' img rmi two:a
	fails 1 "cannot remove two:a: there is no image 'two:a'" img rmi two:a
	id=$(sql "SELECT image FROM names WHERE name = 'two' LIMIT 1")
	fails 1 "cannot remove $id: it has 2 names: remove them one by one, or use -f" \
		img rmi "$id"
	ok img run --name user two:b true
	gives 'Untagged: two:b' img rmi two:b
	fails 1 'cannot remove two:c: the container user was made from it: *' \
		img rmi two:c
	gives "Deleted: $id" img rmi -f two:c
	# The container stands alone, and can become an image again.
	ok img start -a user
	ok img commit -q user again
	gives '' img run --rm again true
	ok img inspect again
	json 'd[0]["Parent"] == ""' 'len(d[0]["History"]) == 1'
	ok img tag again more
	id=$(sql "SELECT image FROM names WHERE name = 'again'")
	gives "Deleted: $id" img rmi --force "${id:0:12}"
	# Several at once: what can go goes, the others are named.
	ok img import -q "$CACHE/base.tar" three
	exits 1 img rmi nosuch three base:nosuch
	[[ $out == 'Deleted: '* ]]
	[ "$err" = "img: cannot remove nosuch: there is no image 'nosuch'
img: cannot remove base:nosuch: there is no image 'base:nosuch'" ]
}

@test "tree: who descends from whom, and what each added" {
	ok img run --name c1 base dd if=/dev/zero of=/one bs=1M count=3 status=none
	ok img commit -q c1 one
	ok img run --name c2 one dd if=/dev/zero of=/two bs=1M count=5 status=none
	ok img commit -q c2 two:x
	ok img tag two:x two:y
	ok img run --name c3 one true
	ok img tree
	[[ ${out%%$'\n'*} =~ ^NAME\ +SIZE$ ]]
	matches 'base:latest.* +[89]\.[0-9] MiB'
	matches 'container c1 \(exited\) +\+[34]\.[0-9] MiB'
	matches '─ one:latest +\+[34]\.[0-9] MiB'
	matches '─ two:x, two:y +\+[56]\.[0-9] MiB'
	matches '(│|  )  ├─ '
	ok img tree --format json
	json 'len(d) == 1' 'd[0]["Name"] == "base:latest"' \
		'd[0]["Type"] == "image"' \
		'sorted(c["Name"] for c in d[0]["Children"]) ==
			["container c1 (exited)", "one:latest"]' \
		'[sorted(g["Name"] for g in c["Children"]) for c in d[0]["Children"]
			if c["Type"] == "image"] == [["container c2 (exited)",
			"container c3 (exited)", "two:x, two:y"]]' \
		'all(3 << 20 <= c["Size"] < 5 << 20 for c in d[0]["Children"])'
	# Without its middle, the rest is whole and has its place.
	ok img rm c1 c2 c3
	ok img rmi one
	ok img run --rm two:x ls -l /one /two
	ok img tree --format json
	json 'sorted(n["Name"] for n in d) == ["base:latest", "two:x, two:y"] or
		d[0]["Children"][0]["Name"] == "two:x, two:y"'
	ok img history two:x
	has ' -  '
	ok img history --format json two:x
	json '[h["Size"] is None for h in d] == [False, True, False] or
		[h["Size"] is None for h in d] == [True, True, False]'
}

@test "inspect: all of a container, of an image, and which of the two" {
	local id
	ok img run --name base -h box -v "$T:/v:ro" -e A=1 -u ann -w /tmp \
		--entrypoint sh base -c 'exit 3' || true
	ok img inspect base
	json 'd[0]["Type"] == "container"' 'd[0]["ImageName"] == "base"' \
		'd[0]["State"]["ExitCode"] == 3' \
		"{'AutoRemove': False, 'Binds': ['$T:/v:ro'], 'CapAdd': [],
			'CapDrop': [], 'Privileged': False, 'SecurityOpt': [],
			'Memory': 0, 'NetworkMode': 'none',
			'ReadonlyRootfs': False}.items() <=
			d[0]['HostConfig'].items()" \
		'd[0]["Config"] == {"Cmd": ["-c", "exit 3"], "Entrypoint": ["sh"],
			"Env": ["A=1"], "Hostname": "box", "OpenStdin": False,
			"StdinOnce": False, "Tty": False, "User": "ann",
			"WorkingDir": "/tmp"}' \
		'd[0]["Volume"]["MappedBytes"] > d[0]["Volume"]["ExclusiveBytes"] > 0' \
		'd[0]["Created"].endswith("Z")'
	id=$(img images -q --no-trunc)
	ok img inspect --type image base
	json "d[0]['Id'] == '$id'" 'd[0]["Type"] == "image"'
	ok img inspect --type=container base
	json "d[0]['Image'] == '$id'"
	ok img inspect "${id:0:10}" base
	json 'len(d) == 2'
	gives 'exited 3 [A=1] ["-c","exit 3"]' img inspect -f \
		'{{.State.Status}} {{.State.ExitCode}} [{{.Config.Env}}] {{json .Config.Cmd}}' \
		base
	gives $'container\nimage' img inspect --format '{{.Type}}' \
		base "${id:0:10}"
	ok img inspect --format json base
	json 'd[0]["Type"] == "container"'
	fails 1 "--format is json or a template as *, not 'table'" \
		img inspect -f table base
	fails 1 "--format: there is no '.Nope' here; *" img inspect -f '{{.Nope}}' base
	fails 1 "--format: a '{{' has no '}}'" img inspect -f '{{.Type' base
	fails 1 "there is no container, image or volume 'nosuch'" img inspect base nosuch
	fails 1 "there is no image 'nosuch'" img inspect --type image nosuch
	fails 1 "there is no container '$id'" img inspect --type container "$id"
	fails 1 "--type is container, image or volume, not 'network'" \
		img inspect --type network base
}

@test "df: what it shows adds up to what the pool has in use" {
	local chunk=65536
	ok img run --name c1 base dd if=/dev/zero of=/one bs=1M count=3 status=none
	ok img commit -q c1 one
	ok img run --name c2 one sh -c 'echo >/x'
	ok img import -q "$CACHE/base.tar" alone
	ok img df
	matches '^data +.* of 100 GiB used \(0%\).metadata +.* of 1.0 GiB'
	has 'on host    '
	matches 'TYPE +NAME +EXCLUSIVE +SHARED +SIZE'
	[[ $out =~ image\ +alone:latest\ +[89][0-9][0-9][0-9]\ +0\ +10485760 ]]
	# To the last KiB.
	[ "$(awk '$1 ~ /^(image|container|snapshot|unreturned|ledger|shared)$/ {
		sum += $(NF - ($1 == "unreturned" || $1 == "ledger" || $1 == "shared" ? 1 : 2)) }
		$1 == "used" { print $(NF - 1) - sum }' <<<"$out")" = 0 ]
	ok img df --format json
	json 'len(d["Volumes"]) == 5' 'd["DataBytes"] == 100 << 30' \
		'd["MetadataBytes"] == 1 << 30' \
		"all(v[k] % $chunk == 0 for v in d['Volumes']
			for k in ('ExclusiveBytes', 'SharedBytes'))" \
		'{v["Name"]: v["SharedBytes"] for v in d["Volumes"]}["alone:latest"] == 0'
	# Alone all that is exclusive, and what the others share counted once, as
	# thin_ls has it; and the ledger's own, that no line shows.
	img pool stop
	thin_ls --no-headers -o DEV,MAPPED_BLOCKS,EXCLUSIVE_BLOCKS,SHARED_BLOCKS \
		"$IMG_ROOT/pool/metadata" >"$T/ls"
	sql "SELECT v.id, coalesce(i.id, c.id) FROM volumes v
		LEFT JOIN images i ON i.volume = v.id
		LEFT JOIN containers c ON c.volume = v.id" >"$T/owners"
	json "{v['Id']: (v['ExclusiveBytes'] // $chunk, v['SharedBytes'] // $chunk)
			for v in d['Volumes']} ==
		{o.split('|')[1].strip(): tuple(map(int, l.split()[2:4]))
			for o in open('$T/owners') for l in open('$T/ls')
			if l.split()[0] == o.split('|')[0]}" \
		"d['DataUsedBytes'] // $chunk >=
			sum(int(l.split()[2]) for l in open('$T/ls'))" \
		"d['DataUsedBytes'] // $chunk <=
			sum(int(l.split()[2]) for l in open('$T/ls')) +
			max(int(l.split()[3]) for l in open('$T/ls')) + 64"
}

@test "what is removed goes back to the pool and to the host" {
	local empty full used
	used=$(used_bytes)
	empty=$(host_kib)
	ok img run --name big base dd if=/dev/urandom of=/big bs=1M count=64 \
		status=none
	ok img commit -q big kept
	full=$(host_kib)
	[ "$((full - empty))" -ge $((60 * 1024)) ]
	# What an image has in common stays, what it alone had goes.
	ok img rm big
	[ "$(host_kib)" -ge $((empty + 60 * 1024)) ]
	ok img rmi kept
	[ "$(host_kib)" -le $((empty + 1024)) ]
	# But for the ledger, which may have begun another chunk of its log.
	[ "$(used_bytes)" -le $((used + 65536)) ]
	used=$(used_bytes)
	# A file removed inside is given back as well, once its volume goes.
	ok img run --rm base dd if=/dev/urandom of=/big bs=1M count=32 status=none
	[ "$(host_kib)" -le $((empty + 1024)) ]
	[ "$(used_bytes)" -eq "$used" ]
}
