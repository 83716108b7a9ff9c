load lib/store
@test "mount" { mkdir $T/m; mount -t tmpfs x $T/m; }
@test "dm" { umount $FILES/t/m || :; v=$(volume_of base); img pool status; u=$(cat /sys/block/dm-*/dm/uuid | grep pool); dmsetup create leak -u "${u%pool}x" --table "0 8 zero"; }
@test "orphan row" { dmsetup remove leak; sql "insert into volumes values(999, 1048576, 0)"; }
@test "intent" { sql "delete from volumes where id = 999; insert into intents (op, volume) values ('x', 5)"; }
@test "thin id" { sql "delete from intents"; img pool status; p=$(dmsetup ls | sed -n 's/\(.*-pool\)\s.*/\1/p'); dmsetup message $p 0 'create_thin 77'; }
@test "process" { p=$(dmsetup ls | sed -n 's/\(.*-pool\)\s.*/\1/p'); img pool status; p=$(dmsetup ls | sed -n 's/\(.*-pool\)\s.*/\1/p'); dmsetup message $p 0 'delete 77'; unshare -fp sleep 30 3>&- & sleep 0.2; }
@test "unsound" { pkill sleep; img run --name c1 base true; v=$(volume_of c1); p=$(cat /sys/block/dm-0/dev); dmsetup create w --table "0 ${v#*:} thin $p ${v%:*}"; dd if=/dev/urandom of=/dev/mapper/w bs=4096 seek=1 count=8 conv=fsync status=none; dmsetup remove w; }
@test "fine" { true; }
