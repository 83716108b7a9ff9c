# kill -9 while containers become larger: the next command finishes it, and
# e2fsck finds nothing.
load lib/storm

@test "60 kill -9 of resize and run --size, each followed by a command" {
	storm 60 resize resize_live run_size rm_live commit_live
}
