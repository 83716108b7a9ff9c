# kill -9 while snapshots are made, returned to and removed, and containers
# cloned: the next command cleans up by itself.
load lib/storm

@test "60 kill -9 of snapshot, rollback and clone, each followed by a command" {
	storm 60 snapshot snapshot_live snapshot_rm rollback clone clone_live \
		rm commit
}
