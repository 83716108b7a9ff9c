# What a container may use: every limit, as the kernel has it, seen from inside
# and from outside.
load lib/store

GROUP=/sys/fs/cgroup/img

# begins ARGS...: a container "limited" that lasts; $group is its cgroup.
begins() {
	ok img run -d --name limited "$@" base sleep 1000
	group=$GROUP/$out
	[ -d "$group" ]
}

# holds FILE TEXT: what the kernel says of it.
holds() {
	local is
	slurp is "$group/$1"
	[ "$is" = "$2" ] || say "$1 is '$is', not '$2'" || return
}

# config FIELD VALUE: what inspect says.
config() {
	ok img inspect limited
	[[ $out == *"\"$1\": $2"[,$'\n']* ]] || say "$1 is not $2" || return
}

@test "a cgroup of its own, from before its first process to its end" {
	begins
	gives 0::/ img exec limited cat /proc/self/cgroup
	[[ $(<"/proc/$(<"$group/cgroup.procs")/cgroup") == "0::${group#/sys/fs/cgroup}" ]]
	# What nobody named is podman's.
	holds pids.max 2048
	holds memory.max max
	config PidsLimit 0
	ok img rm -f limited
	[ ! -e "$group" ]
	# The first instant is in it, and so is what fails.
	gives 2048 img run --rm base cat /sys/fs/cgroup/pids.max
	exits 127 img run --rm base nosuch
	[ -z "$(find $GROUP -mindepth 1 -type d)" ]
	# It is read-only inside.
	try img run --rm base sh -c 'echo max >/sys/fs/cgroup/pids.max'
	[[ $status -ne 0 && $err == *'Read-only file system'* ]]
	# Elsewhere.
	ok img run -d --name limited --cgroup-parent /of/mine base sleep 1000
	[ -d "/sys/fs/cgroup/of/mine/$out" ]
	config CgroupParent '"/of/mine"'
	ok img rm -f limited
	[ ! -e "/sys/fs/cgroup/of/mine/$out" ]
	rmdir /sys/fs/cgroup/of/mine /sys/fs/cgroup/of
	fails 125 "'a/../b' is not a cgroup" img run --cgroup-parent a/../b base true
	fails 125 "containers cannot be put into the root cgroup: '/'" \
		img run --cgroup-parent / base true
}

@test "memory, swap, reservation; processors; processes; weights" {
	begins -m 64m --memory-swap 100m --memory-reservation 32M --cpus 0.5 \
		--cpu-shares 2048 --pids-limit 50
	holds memory.max 67108864
	holds memory.swap.max 37748736
	holds memory.low 33554432
	holds cpu.max '50000 100000'
	holds cpu.weight 79
	holds pids.max 50
	gives $'67108864\n50000 100000\n50' img exec limited \
		sh -c 'cd /sys/fs/cgroup; cat memory.max cpu.max pids.max'
	config Memory 67108864
	config MemorySwap 104857600
	config MemoryReservation 33554432
	config NanoCpus 500000000
	config CpuShares 2048
	config PidsLimit 50
	# Its clone has them, and a start brings them back.
	ok img clone limited other
	ok img rm -f limited
	ok img rename other limited
	ok img start limited
	ok img inspect limited
	group=$(echo $GROUP/*/)
	group=${group%/}
	holds memory.max 67108864
	holds pids.max 50
	ok img rm -f limited

	begins -m 64M --cpu-quota 20000 --cpu-period 50000 -c 2 --pids-limit -1
	holds memory.swap.max 67108864
	holds cpu.max '20000 50000'
	holds cpu.weight 1
	holds pids.max max
	ok img rm -f limited
	begins -m 64M --memory-swap -1
	holds memory.swap.max max
	ok img rm -f limited

	gives 300 img run --rm --oom-score-adj 300 base cat /proc/self/oom_score_adj
	gives -5 img run --rm --oom-score-adj=-5 base cat /proc/self/oom_score_adj
}

@test "limits that make no sense, or that this kernel lacks, start nothing" {
	fails 125 '--memory: less than 6 MiB starts nothing' \
		img run -m 1m base true
	fails 125 '--memory-swap counts memory as well: give --memory, too' \
		img run --memory-swap 10m base true
	fails 125 '--memory-swap is memory and swap together: it cannot be less than --memory' \
		img run -m 20m --memory-swap 10m base true
	fails 125 '--memory-reservation cannot be more than --memory' \
		img run -m 20m --memory-reservation 30m base true
	fails 125 '--cpus is --cpu-quota and --cpu-period in one: give one or the others' \
		img run --cpus 1 --cpu-quota 1000 base true
	fails 125 "--cpus is a number from 0.01 on, not 'many'" \
		img run --cpus many base true
	fails 125 '--blkio-weight is a number from 10 to 1000' \
		img run --blkio-weight 5 base true
	fails 125 "--oom-score-adj is a number from -1000 to 1000, not '1001'" \
		img run --oom-score-adj 1001 base true
	fails 125 '--oom-kill-disable: cgroups of version 2 have no such thing; see --oom-score-adj' \
		img run --oom-kill-disable base true
	fails 125 "--device-write-bps is \[DEVICE:\]RATE with the path of a device, not 'sda:1m'" \
		img run --device-write-bps sda:1m base true
	fails 125 'cannot limit /dev/null: it is not a block device' \
		img run --device-read-bps /dev/null:1m base true
	# Half a limit is none.
	if grep -qw cpuset /sys/fs/cgroup/cgroup.controllers; then
		begins --cpuset-cpus 0 --cpuset-mems 0
		holds cpuset.cpus 0
		holds cpuset.mems 0
		ok img rm -f limited
	else
		fails 125 "--cpuset-cpus: this kernel lacks the cgroup controller 'cpuset'" \
			img run --cpuset-cpus 0 base true
		fails 125 "--cpuset-mems: this kernel lacks the cgroup controller 'cpuset'" \
			img run --cpuset-mems 0 -m 10m base true
	fi
	if [ -e /sys/fs/cgroup/img/io.bfq.weight ]; then
		begins --blkio-weight 300
		holds io.bfq.weight 'default 300'
		ok img rm -f limited
	elif [ -e /sys/fs/cgroup/img/io.weight ]; then
		begins --blkio-weight 500
		holds io.weight 'default 4950'
		ok img rm -f limited
	else
		fails 125 "--blkio-weight: the cgroup controller 'io' of this kernel has no such limit" \
			img run --blkio-weight 500 base true
	fi
	[ -z "$(find $GROUP -mindepth 1 -type d)" ]
	[ -z "$(img ps -aq)" ]
}

@test "io: of its own volume, or of a device by name" {
	local dev disk
	begins --device-read-bps 3m --device-write-bps 2m \
		--device-read-iops 300 --device-write-iops 200
	dev=$(img exec limited stat -c %Hd:%Ld /)
	holds io.max "$dev rbps=3145728 wbps=2097152 riops=300 wiops=200"
	ok img inspect limited
	[[ ${out//[$'\n ']/} == *'"BlkioDeviceReadBps":[{"Path":"","Rate":3145728}]'* ]]
	[[ ${out//[$'\n ']/} == *'"BlkioDeviceWriteBps":[{"Path":"","Rate":2097152}]'* ]]
	[[ ${out//[$'\n ']/} == *'"BlkioDeviceReadIOps":[{"Path":"","Rate":300}]'* ]]
	[[ ${out//[$'\n ']/} == *'"BlkioDeviceWriteIOps":[{"Path":"","Rate":200}]'* ]]
	ok img rm -f limited
	disk=$(losetup -f)
	truncate -s 1M "$T/disk"
	losetup "$disk" "$T/disk"
	begins --device-write-bps "$disk:1m"
	holds io.max "$(stat -c %Hr:%Lr "$disk") rbps=max wbps=1048576 riops=max wiops=max"
	ok img rm -f limited
	losetup -d "$disk"
}

@test "update: while it runs, and for its next start" {
	begins -m 64m
	gives limited img update -m 100m --pids-limit 20 --cpus 1.5 \
		--cpu-shares 512 limited
	holds memory.max 104857600
	holds memory.swap.max 104857600
	holds pids.max 20
	holds cpu.max '150000 100000'
	config Memory 104857600
	config PidsLimit 20
	ok img update --device-write-bps 5m limited
	holds memory.max 104857600
	[[ $(<"$group/io.max") == *' rbps=max wbps=5242880 riops=max wiops=max' ]]
	ok img update --memory 0 --cpus 0 --device-write-bps 0 limited
	holds memory.max max
	holds cpu.max 'max 100000'
	[ ! -s "$group/io.max" ]
	# What is refused changes nothing.
	fails 1 'cannot update limited: --memory: less than 6 MiB starts nothing' \
		img update -m 1m limited
	fails 1 "say what to change: 'img help update' lists it" img update limited
	config Memory 0
	ok img kill limited
	ok img wait limited
	ok img update --pids-limit 33 --memory-reservation 8m limited
	ok img start limited
	holds pids.max 33
	holds memory.low 8388608
}

# delegated CMD...: runs it in a cgroup that systemd would have handed over.
delegated() {
	mkdir -p "$scope"
	/usr/bin/python3 -S -c 'import os, sys
os.setxattr(sys.argv[1], "trusted.delegate", b"1")
open(sys.argv[1] + "/cgroup.procs", "w").write(str(os.getpid()))
os.execvp(sys.argv[2], sys.argv[2:])' "$scope" "$@"
}

@test "where systemd has the tree: at its top, or below what it handed over" {
	local scope=/sys/fs/cgroup/test.scope
	gives 2048 img run --rm base cat /sys/fs/cgroup/pids.max
	mkdir -p /run/systemd/system
	# Nobody else is moved for it.
	ok img run -d --name limited -m 20m base sleep 1000
	group=$GROUP/$out
	holds memory.max 20971520
	holds pids.max 2048
	[ ! -e /sys/fs/cgroup/supervisor ]
	gives limited img pause limited
	gives limited img unpause limited
	ok img rm -f limited
	[ ! -e "$group" ]
	ok delegated "$IMG" run -d --name limited -m 20m base sleep 1000
	group=$scope/img/$out
	holds memory.max 20971520
	holds pids.max 2048
	gives 0::/ img exec limited cat /proc/self/cgroup
	gives limited img pause limited # from elsewhere
	gives limited img unpause limited
	ok img rm -f limited
	[ ! -e "$group" ]
	wait_for rmdir "$scope/supervisor"
	rmdir "$scope/img" "$scope" /run/systemd/system /run/systemd
}
