# kill -9 while containers come and go: the next command cleans up by itself.
load lib/storm

@test "100 kill -9 of run, start and rm, each followed by a command" {
	storm 100 run run_rm run_d start start_d rm rm_live commit_live
}
