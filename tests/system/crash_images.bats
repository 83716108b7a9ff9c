# kill -9 while images come and go, and containers are merged into them: the next
# command cleans up by itself.
load lib/storm

@test "100 kill -9 of import, commit, merge, tag and rmi, each followed by a command" {
	storm 100 import commit commit_live merge tag rmi
}
