# Who uses what, what removing gives back, and what is given back at once.
load lib/store

host_kib() {
	du -k "$IMG_ROOT/pool/data" | cut -f 1
}

@test "df: what removing a set gives back is what it does" {
	local together before
	ok img run --name big base sh -c 'head -c 20000000 /dev/urandom >/x; sync'
	ok img commit -q big one
	ok img run --name more one sh -c 'head -c 5000000 /dev/urandom >/y; sync'
	ok img df big --format json
	json 'len(d["Volumes"]) == 1' 'd["TogetherBytes"] < 2 << 20' \
		'd["TogetherBytes"] == d["Volumes"][0]["ExclusiveBytes"]'
	ok img df big one more --format json
	json 'len(d["Volumes"]) == 3' 'd["TogetherBytes"] > 24 << 20' \
		'd["TogetherBytes"] > sum(v["ExclusiveBytes"] for v in d["Volumes"])'
	together=$(sed -n 's/.*"TogetherBytes": \([0-9]*\).*/\1/p' "$T/out")
	ok img df big one more
	matches 'TYPE +NAME +EXCLUSIVE +SHARED +SIZE'
	matches "together +given back +$((together / 1024)) "
	fails 1 'big is named twice' img df big big
	fails 1 "there is no * 'nobody'*" img df nobody
	before=$(used_bytes)
	ok img rm big more
	ok img rmi one
	# The ledger may have taken a chunk or two.
	[ "$((before - $(used_bytes) - together))" -le 0 ]
	[ "$((before - $(used_bytes) - together))" -ge $((-4 * 65536)) ]
}

@test "df: shared and ledger, as thin_dump has them" {
	ok img run --name aa base sh -c 'echo >/x'
	ok img commit -q aa bb
	ok img df --format json
	img pool stop
	thin_dump "$IMG_ROOT/pool/metadata" >"$T/dump"
	/usr/bin/python3 -S - "$T/dump" "$T/out" <<'END'
import json, re, sys
owners, dev = {}, None
for line in open(sys.argv[1]):
    m = dict(re.findall(r'(\w+)="(\d+)"', line))
    if "<device" in line:
        dev = int(m["dev_id"])
    elif "<range_mapping" in line:
        for i in range(int(m["length"])):
            owners.setdefault(int(m["data_begin"]) + i, set()).add(dev)
    elif "<single_mapping" in line:
        owners.setdefault(int(m["data_block"]), set()).add(dev)
d = json.load(open(sys.argv[2]))
chunk = 65536
assert d["DataUsedBytes"] == chunk * len(owners)
assert d["SharedBytes"] == chunk * sum(len(o) > 1 for o in owners.values())
assert d["LedgerBytes"] == chunk * sum(o == {0} for o in owners.values())
assert d["UnreturnedBytes"] == 0
assert d["DataUsedBytes"] == d["SharedBytes"] + d["LedgerBytes"] + \
    sum(v["ExclusiveBytes"] for v in d["Volumes"])
END
}

@test "trim: of running and stopped containers, and of images" {
	local before
	ok img run -d --name up base sh -c 'head -c 20000000 /dev/urandom >/x
		sync; rm /x; sync; echo ready >/ready; sleep 600'
	ok img run --name down base sh -c \
		'head -c 20000000 /dev/urandom >/x; sync; rm /x; sync'
	ok img commit -q down image
	wait_for test -e "/proc/$(cat "$IMG_RUN"/*/*.pid)/root/ready"
	before=$(host_kib)
	ok img trim up
	matches '^up: (1[4-9]|20)\.[0-9] MiB given back$'
	[ "$(host_kib)" -lt $((before - 14000)) ]
	# As the image has it too, nothing comes back before that is trimmed.
	ok img trim down
	matches '^down: [0-9.]+ ([KM]i)?B given back$'
	ok img trim image
	matches '^image:latest: (1[4-9]|20)\.[0-9] MiB given back$'
	[ "$(host_kib)" -lt $((before - 28000)) ]
	ok img trim --all
	[ "$(wc -l <"$T/out")" -eq 4 ]
	lacks 'MiB given'
	gives 'a small system' img run --rm image cat /etc/motd
	fails 1 'trim what? *' img trim
	fails 1 'trim what? *' img trim --all base
	fails 1 "there is no * 'nobody'*" img trim nobody
	# One that is not there hinders nobody.
	exits 1 img trim nobody up
	has 'up: '
	ok img rm -f up
}

@test "trim: of volumes, in use and not" {
	local before
	local junk='head -c 20000000 /dev/urandom >/data/x; sync; rm /data/x; sync'
	ok img volume create --size 64m data
	ok img volume create --size 64m new
	ok img run --rm -v data:/data base sh -c "echo kept >/data/file; $junk"
	before=$(host_kib)
	ok img trim data
	matches '^data: (1[4-9]|20)\.[0-9] MiB given back$'
	[ "$(host_kib)" -lt $((before - 14000)) ]
	# While containers have it, and may run on.
	ok img run -d --name has -v data:/data base sleep 1000
	ok img exec has sh -c "$junk"
	ok img trim data
	matches '^data: (1[4-9]|20)\.[0-9] MiB given back$'
	gives kept img exec has cat /data/file
	ok img trim --all
	has 'data: '
	has 'new: '
	ok img rm -f has
	# One that was never used is as new as before.
	ok img run --rm -v new:/etc base sh -c '[ -e /etc/passwd ]'
	fails 1 "there is no container, image or volume 'nosuch'" img trim nosuch
	ok img volume rm data new
	gives 0 sql 'SELECT count(*) FROM intents'
}

@test "gc: orphans, directories and space, each with its reason" {
	local pool before
	ok img gc
	gives '' img gc
	ok img run --name keep base true
	# An orphan, a directory without a row, space that nobody has.
	pool=$(dmsetup ls | sed -n 's/^\(img-.*-pool\).*/\1/p')
	dmsetup message "$pool" 0 'create_thin 4242'
	mkdir -p "$IMG_ROOT/containers/$(printf '%064d' 0)"
	before=$(host_kib)
	dd if=/dev/urandom of="$IMG_ROOT/pool/data" bs=1M count=4 \
		seek=90000 conv=notrunc status=none
	sync "$IMG_ROOT/pool/data"
	ok img gc --dry-run
	has_line 'would remove volume 4242: in the pool, but no image, container or snapshot has it'
	has_line "would remove containers/$(printf '%064d' 0): there is no such container"
	has_line 'would give back 4.0 MiB to the host: not in use in the pool'
	ok img run -d --name up base sleep 600
	ok img gc
	has_line 'removed volume 4242: in the pool, but no image, container or snapshot has it'
	has_line "removed containers/$(printf '%064d' 0): there is no such container"
	has 'left 4.0 MiB of the host'
	ok img rm -f up
	ok img gc
	has_line 'gave back 4.0 MiB to the host: not in use in the pool'
	[ "$(host_kib)" -le $((before + 512)) ]
	gives '' img gc
	gives '' img start -a keep
}
