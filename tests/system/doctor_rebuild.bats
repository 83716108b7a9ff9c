# Damaged metadata, and catalogs that are lost: what only a person can mend, and
# what the doctor makes again.
load lib/doctor

@test "space maps: blocks that are counted and not used; a damaged tree" {
	ok img rm -f busy
	ok img pool stop
	cp --sparse=always "$IMG_ROOT/pool/metadata" "$T/whole"
	# As thin_check says, in a copy with one count raised.
	/usr/bin/python3 - "$IMG_ROOT/pool/metadata" <<'END'
import struct, sys
T = []
for n in range(256):
    for _ in range(8):
        n = n >> 1 ^ (0x82f63b78 if n & 1 else 0)
    T.append(n)
def crc(data):
    c = 0xffffffff
    for b in data:
        c = T[(c ^ b) & 255] ^ c >> 8
    return c
f = open(sys.argv[1], "r+b")
def block(n):
    f.seek(n * 4096)
    return bytearray(f.read(4096))
root = struct.unpack_from("<Q", block(0), 64 + 16)[0]
node = block(root)
assert struct.unpack_from("<I", node, 4)[0] == 2 # a leaf: a small pool
most = struct.unpack_from("<I", node, 20)[0]
bitmap = struct.unpack_from("<Q", node, 32 + 8 * most)[0]
b = block(bitmap)
b[4095] |= 2 # of the last block of the stretch, which nobody uses
struct.pack_into("<I", b, 0, crc(b[4:]) ^ 240779)
f.seek(bitmap * 4096)
f.write(b)
END
	finds leaked-blocks data
	exits 2 img doctor --repair
	matches 'left +leaked-blocks +data has 1 blocks .*thin_repair -i'
	# Doing as it says.
	ok img pool stop
	(
		cd "$IMG_ROOT/pool"
		truncate -r metadata new
		thin_repair -i metadata -o new
		mv metadata old
		mv new metadata
		rm old
	)
	well
	# One volume's tree: the others can be used.
	ok img pool stop
	cp --sparse=always "$IMG_ROOT/pool/metadata" "$T/whole"
	/usr/bin/python3 - "$IMG_ROOT/pool/metadata" "$idle" <<'END'
import struct, sys
f = open(sys.argv[1], "r+b")
def block(n):
    f.seek(n * 4096)
    return bytearray(f.read(4096))
node = block(struct.unpack_from("<Q", block(0), 320)[0])
assert struct.unpack_from("<I", node, 4)[0] == 2
n, most = struct.unpack_from("<II", node, 16)
keys = struct.unpack_from("<%dQ" % n, node, 32)
i = keys.index(int(sys.argv[2]))
root = struct.unpack_from("<Q", node, 32 + 8 * (most + i))[0]
f.seek(root * 4096 + 2000)
f.write(b"damage")
END
	finds metadata-damaged "volume $idle"
	matches "metadata-damaged +volume $idle is damaged: .*thin_repair"
	gives 'a small system' img run --rm base cat /etc/motd
	fails 125 '*' img start idle || fails 1 '*' img start idle
	ok img pool stop
	cp --sparse=always "$T/whole" "$IMG_ROOT/pool/metadata"
	well
}

@test "a catalog that is lost, truncated, or no database: made again" {
	local before
	ok img commit -m 'a message' idle child
	ok img tag child moved:1
	ok img tag base moved:1
	before=$(sql "SELECT name, tag, image FROM names ORDER BY 1, 2")
	ok img run --name nameless base true
	ok img snapshot create idle before
	rm -r "$IMG_ROOT/containers/$(sql "SELECT id FROM containers WHERE
		name = 'nameless'")"
	mv "$IMG_ROOT"/store.db* "$T"
	fails 1 "*their catalog * is gone: 'img doctor --rebuild'*" img images
	fails 1 "*is gone: 'img doctor --rebuild'*" img doctor
	fails 1 "*is gone: 'img doctor --rebuild'*" img import "$CACHE/base.tar" x
	# A container runs still.
	fails 1 'cannot rebuild the catalog: containers of this store run*' \
		img doctor --rebuild
	kill -KILL "$(cat "$IMG_RUN"/*/*.pid)"
	wait_for sh -c "! pgrep -x sleep"
	wait_for img doctor --rebuild
	[ "$(sql "SELECT name, tag, image FROM names ORDER BY 1, 2")" = "$before" ]
	ok img history --no-trunc child
	has 'a message'
	gives kept img run --rm child cat /file
	# Containers as they were, others by the image they are of.
	ok img ps -a --format json
	json "{c['Names'] for c in d} >= {'idle', 'busy'}" \
		"len([c for c in d if c['Names'].startswith('recovered-')]) == 2"
	ok img commit idle again
	gives kept img run --rm again cat /file
	ok img rmi again
	exits 0 img doctor --repair
	gives 'all is well' img doctor
	# Truncated; then no database at all.
	img pool stop
	truncate -s 8192 "$IMG_ROOT/store.db"
	rm -f "$IMG_ROOT"/store.db-*
	fails 1 "*'img doctor --rebuild'*" img images
	ok img doctor --rebuild
	has 'the old catalog is now '
	ok img images
	has 'child '
	head -c 9000 /dev/urandom >"$IMG_ROOT/store.db"
	rm -f "$IMG_ROOT"/store.db-*
	exits 0 img doctor --rebuild --format json
	json "d['Images'] == 2" "d['Recovered'] >= 1" "not d['NewId']" \
		"'damaged' in d['Aside']"
	gives kept img run --rm child cat /file
	ok img rmi -f child
	exits 0 img doctor --repair
	gives 'all is well' img doctor
}

@test "driver snapshot: what the doctor finds, and a lost catalog" {
	local root=$T/snap run=$T/snaprun
	ok img --root "$root" --run-root "$run" init --driver snapshot
	ok img --root "$root" --run-root "$run" import -q "$CACHE/base.tar" base
	ok img --root "$root" --run-root "$run" run --name one base \
		sh -c 'echo kept >/file'
	gives 'all is well' img --root "$root" --run-root "$run" doctor
	rm "$root"/store.db*
	fails 1 "*'img doctor --rebuild'*" img --root "$root" --run-root "$run" ps
	ok img --root "$root" --run-root "$run" doctor --rebuild
	gives 'all is well' img --root "$root" --run-root "$run" doctor
	ok img --root "$root" --run-root "$run" commit one two
	gives kept img --root "$root" --run-root "$run" run --rm two cat /file
	img --root "$root" --run-root "$run" pool stop
}
