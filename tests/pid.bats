#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# -p PID: the descriptors of another process.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
# shellcheck disable=SC2016	# the owner expands its orders
# shellcheck disable=SC2094	# both ends of a FIFO
load helper

prepare() {
	[[ $(uname -s) == Linux ]] || skip "no pidfd_getfd(2) on this system"
}

# owner SPEC...: a process with these descriptors; its id is in `owner`.
owner() {
	rm -f owner.pid
	mkfifo owner.pid
	peer with "$@" -- peer owner owner.pid ${gains:+"$gains"} 3>&- &
	read -r owner <owner.pid
	rm owner.pid
	pm poll -t 0 -p "$owner" 0
	[[ $stderr != *"no pidfd_getfd"* ]] ||
	    skip "no pidfd_getfd(2) in this kernel"
	[[ $stderr != *EPERM* ]] || skip "pidfd_getfd(2): $stderr"
}

from_process() {
	pm "$1" -t 0 -p "$owner" "$(reads "$1" 7)"
	short
	expect 0 "$(says "$1")"$'\t7'
}

@test "numbers after -p are that process's" {
	owner 7=unix-stream.data
	each from_process
	pm poll -t 0 --pid "$owner" 7:in
	expect 0 $'in\t7'
	pm poll -t 0 --pid="$owner" 7:in
	expect 0 $'in\t7'
	pm poll -t 0 -p"$owner" 7:out,in
	expect 0 $'in,out\t7'
}

@test "not ready, and hung up" {
	owner 7=pipe.r.empty 8=pipe.r.writer-gone-drained
	pm poll -t 0 -p "$owner" 7:in
	expect 124
	pm poll -p "$owner" 8:in 7:in
	expect 1 $'hup\t8'
}

@test "0, 1 and 2 of that process" {
	owner 0=pipe.r.data 1=pipe.w.full 2=unix-stream.data
	pm poll -t 0 -p "$owner" 0:in 1:out 2:in </dev/null
	expect 0 $'in\t0' $'in\t2'
}

@test "numbers before -p are pmux's own" {
	owner 7=pipe.r.data
	with 7=pipe.r.empty 8=pipe.r.data -- \
	    pmux poll -t 0 8:in -p "$owner" 7:in
	assert_equal "$status ${#lines[@]}" '0 2'
	assert_line --regexp $'^in\t.*8$'
	assert_line --regexp $'^in\t.*7$'
}

@test "paths after -p are paths" {
	owner 7=pipe.r.empty
	: >file
	pm poll -t 0 -p "$owner" 7:in file:in
	expect 0 $'in\tfile'
}

@test "several processes: printed PID/N" {
	local first

	owner 7=pipe.r.data
	first=$owner
	owner 7=unix-stream.data
	pm poll -t 0 -p "$first" 7:in -p "$owner" 7:in
	expect 0 $'in\t'"$first/7" $'in\t'"$owner/7"
}

@test "one process named twice is one" {
	owner 7=pipe.r.data 8=pipe.r.data
	pm poll -t 0 -p "$owner" 7:in -p "$owner" 8:in
	expect 0 $'in\t7' $'in\t8'
}

@test "the same descriptor twice is known by the owner's number" {
	owner 7=unix-stream.data
	pm poll -t 0 -p "$owner" 7:in 7:out
	expect 0 $'out\t7'
	pm wait -t 0 -p "$owner" 7:in 7:out
	expect 0 $'in,out\t7'
	pm epoll -t 0 -p "$owner" 7:in 7:out
	expect_error 3 '7: .*\[EEXIST\]'
	pm select -t 0 -p "$owner" 7 7
	expect 0 $'read\t7'
}

@test "one number of two processes is not one descriptor" {
	local first

	owner 7=pipe.r.data
	first=$owner
	owner 7=unix-stream.idle
	pm poll -t 0 -p "$first" 7:in -p "$owner" 7:out
	expect 0 $'in\t'"$first/7" $'out\t'"$owner/7"
}

@test "JSON has the owner's number" {
	need_json
	owner 777=pipe.r.data
	pm poll -t 0 --json -p "$owner" 777:in
	assert_equal "$(json fd <<<"$output")" 777
	assert_equal "$(json target <<<"$output")" '"777"'
	assert_equal "$(json available <<<"$output")" 5
}

@test "targets of @FILE are that process's too" {
	owner 7=pipe.r.data
	echo 7:in >list
	pm poll -t 0 -p "$owner" @list
	expect 0 $'in\t7'
}

@test "a number that is not open there" {
	owner 7=number.closed
	pm select -t 0 -p "$owner" 7
	expect_error 3 'descriptor 7 of process .*\[EBADF\]'
	pm epoll -t 0 -p "$owner" 7
	expect_error 3 'descriptor 7 of process .*\[EBADF\]'
	pm poll -t 0 -p "$owner" 7
	expect 1 $'nval\t7'
}

@test "pmux waits for what happens there" {
	local fd

	mkfifo pipe
	exec {fd}<>pipe 7<pipe
	peer owner pid 3>&- &
	until [[ -s pid ]]; do sleep 0.002; done
	owner=$(<pid)
	exec 7<&-
	pm poll -t 0 -p "$owner" 7
	[[ $stderr != *EPERM* && $stderr != *"no pidfd_getfd"* ]] || skip "$stderr"
	waiting poll -t 1h -p "$owner" 7:in {fd}<&-
	await_state "$pid" S
	echo >&"$fd"
	finish "$pid"
	expect 0 $'in\t7'
}

@test "a process that does not exist" {
	pm poll -t 0 -p 2147483646 7:in
	expect_error 3 '2147483646.*\[ESRCH\]'
}

# A process has a number in each namespace above its own (pid_namespaces(7)).
@test "a process of another pid namespace" {
	need_root
	unshare -pf --kill-child true 2>/dev/null || skip "no pid namespace"
	mkfifo owner.pid
	unshare -pf --kill-child peer with 7=pipe.r.data 9=pipe.r.empty -- \
	    peer owner owner.pid 3>&- &
	read -r inside <owner.pid
	assert_equal "$inside" 1
	owner=$(<"/proc/$!/task/$!/children")
	owner=${owner% }
	pm poll -t 0 -p "$owner" 7:in 9:in
	expect 0 $'in\t7'
	pm poll -t 0 -p "$owner" 5:in
	expect 1 $'nval\t5'
	# of which it knows nothing, with its own /proc and with this one
	run --separate-stderr unshare -pf --mount-proc \
	    pmux poll -t 0 -p "$owner" 7:in
	expect_error 3 "process $owner: No such process \[ESRCH\]"
	run --separate-stderr unshare -pf pmux poll -t 0 -p "$owner" 7:in
	expect_error 3 '.*\[ESRCH\] \(/proc has the numbers of another pid.*'
	# from inside it has the number that it has there
	run --separate-stderr nsenter -t "$owner" -p pmux poll -t 0 -p 1 7:in
	expect 0 $'in\t7'
}

@test "a zombie" {
	run --separate-stderr peer zombie pmux poll -t 0 -p @PID@ 0:in
	expect_error 3 '\[ESRCH\]'
}

@test "a process of another user, as root asks for one who is none" {
	need_root
	owner 7=pipe.r.data
	run --separate-stderr peer as 65534 "$PMUX" poll -t 0 -p "$owner" 7:in
	[[ $status != 77 ]] || skip "$stderr"
	expect_error 3 '\[EPERM\]'
}

@test "a process of another user, as a user asks" {
	need_user
	[[ $(stat -c %u /proc/1) == 0 ]] || skip "process 1 is not root's"
	pm poll -t 0 -p 1 0:in
	expect_error 3 '\[EPERM\]'
}

@test "the message for EPERM names what forbids it" {
	local scope=/proc/sys/kernel/yama/ptrace_scope

	need_user
	[[ -r $scope && $(<$scope) -gt 0 ]] ||
	    skip "Yama does not forbid it here"
	sleep 1000 3>&- &
	pm poll -t 0 -p $! 0:in
	expect_error 3 'ptrace_scope.*'
}

@test "no process id" {
	usage_error . poll -t 0 -p abc 0
	usage_error . poll -t 0 -p -1 0
	usage_error . poll -t 0 -p 0 0
	usage_error . poll -t 0 -p '' 0
	usage_error . poll -t 0 -p 99999999999 0
}

@test "--ready-fd may have a number that is another process's" {
	local fd

	mkfifo f
	exec {fd}<>f
	sleep 1000 7<f 3>&- &
	await_state "$!" S
	pm poll -t 0 -p "$!" --ready-fd 7 7 7>ready
	kill "$!"
	[[ $stderr != *EPERM* && $stderr != *"no pidfd_getfd"* ]] || skip "$stderr"
	expect 124
	assert_equal "$(wc -c <ready)" 1
	exec {fd}>&-
}

# ---- without effect on the owner ----

# asleep COMMAND T...: pmux waits for the owner's numbers T, and sleeps.
asleep() {
	local targets=() t

	for t in "${@:2}"; do
		targets+=("$(reads "$1" "$t")")
	done
	waiting "$1" -t 20 -p "$owner" "${targets[@]}" {owner_in}>&-
	await_state "$pid" S
}

@test "no copy is kept while pmux sleeps" {
	owned
	mkfifo f
	owner_does 'exec 7<>f 8<f'
	each keeps_none
}

keeps_none() {
	asleep "$1" 7 8
	# in between it has one, for microseconds
	until [[ $(peer openers f | cut -d ' ' -f 1 | sort -u) == "$owner" ]]; do
		sleep 0.001
	done
	owner_does 'echo >&7'
	finish "$pid"
	short
	[[ $status == 0 && $output == *"$(says "$1")"$'\t7'* ]] ||
	    fail "$1: $status $output $stderr"
	owner_does 'read -r <&7'
}

@test "a peer sees the end when the owner closes, while pmux sleeps" {
	owned
	mkfifo f
	each lets_go
}

lets_go() {
	# the owner writes, and a reader waits for its end
	cat f >got 3>&- {owner_in}>&- &
	local reader=$!

	owner_does 'exec 7>f'
	if [[ $1 == kqueue ]]; then
		waiting kqueue -t 1h -p "$owner" write:7:lowat=100000000 \
		    {owner_in}>&-
	elif [[ $1 == select ]]; then
		waiting select -t 1h -p "$owner" -x 7 {owner_in}>&-
	else
		waiting "$1" -t 1h -p "$owner" 7:pri {owner_in}>&-
	fi
	owner_does 'exec 7>&-'
	wait "$reader"
	kill "$pid" 2>/dev/null || :
	wait "$pid" || :
}

# closed_is_told COMMAND: a number was closed while its file lives on.
closed_is_told() {
	case $1 in
	poll | devpoll | wait)
		[[ $status == 1 && $output == $'nval\t7' ]]
		;;
	*)
		[[ $status == 3 && ! $output ]]
		;;
	esac || fail "$1: $status $output $stderr"
	assert_equal "$stderr" "pmux: $1: descriptor 7 of process $owner:\
 Bad file descriptor [EBADF]"
}

closes_one() {
	owner_does 'exec 7<>f 8<&7'
	asleep "$1" 7
	owner_does 'exec 7<&-'
	finish "$pid"
	closed_is_told "$1"
	# so is the last, and a number that means another file
	asleep "$1" 8
	owner_does 'exec 8<&-'
	finish "$pid"
	[[ $stderr == *'[EBADF]' ]]
	owner_does 'exec 7<>f 8<&7'
	asleep "$1" 7
	owner_does 'exec 7<>g'
	finish "$pid"
	closed_is_told "$1"
}

@test "a number that its owner closes while the file lives on" {
	owned
	mkfifo f g
	each closes_one
}

@test "the same where kcmp(2) is denied, and info says so" {
	run deny kcmp=EPERM -- true
	[[ $status != 77 ]] || skip "$output"
	owned
	mkfifo f g
	pmux() {
		command deny kcmp=EPERM -- "$PMUX" "$@"
	}
	each closes_one
	pm info -p "$owner"
	assert_line --partial $'pid '"$owner"$'\tnative\tpidfd_getfd(2); '
	assert_line --regexp 'comparing copies, as kcmp\(2\) is denied'
}

# swapped COMMAND: ready means registered.  pmux cannot go on from there, since
# the pipe is full, until the number means another file.
swapped() {
	local full where

	owner_does 'exec 7<>f 8<&7'
	exec {full}<>ready
	until ! dd if=/dev/zero of=ready bs=64K count=1 oflag=nonblock \
	    2>/dev/null; do
		:
	done
	pmux "$1" -t 20 --ready-fd 9 -p "$owner" "$(reads "$1" 7)" 9>ready \
	    >out 2>err 3>&- {owner_in}>&- {full}<&- &
	pid=$!
	until await_state "$pid" S && where=$(<"/proc/$pid/wchan") &&
	    [[ $where == *pipe_write* ]]; do
		sleep 0.002
	done
	owner_does 'exec 7<>g'
	head -c 65536 <&"$full" >/dev/null
	finish "$pid"
	exec {full}<&-
	closed_is_told "$1"
}

@test "--ready-fd: from then on another file at the number is noticed" {
	owned
	mkfifo f g ready
	each swapped
}

@test "a process that has ended, and another with its number and files" {
	unshare -pf --mount-proc true 2>/dev/null ||
	    skip "no pid namespace"
	cat >script <<'EOF'
		mkfifo f ready
		exec 7<>f
		sleep 1000 &
		owner=$!
		"$PMUX" poll -t 20 --ready-fd 9 -p "$owner" 7:in 9>ready &
		pmux=$!
		read -r _ <ready
		until grep -q '^State:.S' /proc/$pmux/status; do
			sleep 0.01
		done
		kill -KILL "$owner"
		wait "$owner"
		echo $((owner - 1)) >/proc/sys/kernel/ns_last_pid || exit 77
		sleep 1000 &
		[[ $! == "$owner" ]] || exit 77
		wait "$pmux"
EOF
	run --separate-stderr unshare -pf --mount-proc bash script 3>&-
	[[ $status != 77 ]] || skip "the number is not reused"
	[[ $status == 1 && $output == $'nval\t7' ]] ||
	    fail "$status $output $stderr"
}

@test "descriptors that an inspection would change are not inspected" {
	local state

	for state in signalfd.none linux.proc-mounts epoll.signalfd dev.null \
	    dev.zero; do
		owner 7="$state"
		each refused
	done
}

refused() {
	pm "$1" -t 0 -p "$owner" "$(reads "$1" 7)"
	expect_error 4 "descriptor 7 of process $owner: "
}

@test "a pending signal of a signalfd stays its owner's" {
	owner 7=signalfd.pending
	each refused
	grep -q '^ShdPnd:.*200$' "/proc/$owner/status"
}

# A poll of the list of mounts reports each change once, to whoever polls first.
@test "a change of the mounts is left to its owner" {
	need_root
	unshare -m true 2>/dev/null || skip "no mount namespace to be had"
	mkdir mounts
	cat >script <<'EOF'
		exec 7</proc/self/mounts
		pmux poll -t 0 7:pri
		mount -t tmpfs none mounts || exit 77
		for command in poll wait devpoll; do
			pmux $command -t 0 -p $$ 7:pri
			echo "$command $?"
		done 2>/dev/null
		pmux compare -p $$ 7 >compared
		pmux compare 7 >>compared
		pmux inspect -p $$ 7 >inspected
		pmux inspect 7 >>inspected
		pmux poll -t 0 7:pri
		echo "its owner $?"
		pmux poll -t 0 7:pri
		echo "again $?"
EOF
	run --separate-stderr unshare -m bash script 3>&-
	[[ $status != 77 ]] || skip "no mount to be had"
	assert_equal "$output" "poll 4
wait 4
devpoll 4
pri,err	7
its owner 0
again 124"
	[[ $(grep -c 'not asked' compared) == 2 ]]
}

# A copy that pmux kept would keep the closed file in its owner's epoll.
@test "a closed descriptor is no longer reported to its owner" {
	each closes_watched
}

closes_watched() {
	rm -f pid
	mkfifo pid
	peer with 7=unix-stream.idle -- peer closer pid 7 >reports 3>&- &
	local closer=$! owner

	read -r owner <pid
	if [[ $1 == kqueue ]]; then
		waiting kqueue -t 20 -p "$owner" read:7
	elif [[ $1 == select ]]; then
		waiting select -t 20 -p "$owner" 7
	else
		waiting "$1" -t 20 -p "$owner" 7:in,pri
	fi
	await_state "$pid" S
	kill -USR2 "$closer"
	wait "$closer"
	assert_equal "$1: $(<reports)" "$1: 0"
	finish "$pid"
	[[ $stderr == *'[EBADF]' ]]
}

@test "entries that an epoll instance gains later are not inspected" {
	gains=7
	each gains_signalfd
}

gains_signalfd() {
	local stream

	for stream in '' --follow; do
		owner 7=epoll.none-ready
		waiting "$1" ${stream:+"$stream"} -t 20 -p "$owner" \
		    "$(reads "$1" 7)"
		await_state "$pid" S
		kill -USR2 "$owner"
		finish "$pid"
		expect_error 4 "descriptor 7 of process $owner: an epoll"
		kill -USR2 "$owner"
		# its owner still gets its event
		wait "$owner" || fail "$1 $stream: lost"
	done
}

@test "--follow: an epoll instance that stays ready is reported once" {
	owner 7=epoll.one-ready
	each told_once
}

told_once() {
	pm "$1" --follow -t 0.3 -p "$owner" "$(reads "$1" 7)"
	short
	assert_equal "$output $stderr" "$(says "$1")"$'\t7 '
}

@test "--follow: a number that is reused for a file that cannot be inspected" {
	owned
	mkfifo f
	each becomes_mounts
}

becomes_mounts() {
	owner_does 'exec 7<>f; echo >&7'
	streaming "$1" --follow -t 20 -p "$owner" "$(reads "$1" 7)" \
	    {owner_in}>&-
	read -r -t 20 line <&8
	owner_does 'read -r <&7; echo >&7; exec 7</proc/self/mounts'
	output=$(cat <&8)
	wait "$pid" && status=0 || status=$?
	exec 8<&-
	case $1 in
	poll | devpoll | wait)
		[[ $output == *$'nval\t7' ]]
		;;
	*)
		[[ $status == 3 ]]
		;;
	esac || fail "$1: $status $output"
}

@test "the kinds that are inspected" {
	local state

	for state in eventfd.5 timerfd.expired pidfd.zombie epoll.one-ready \
	    unix-dgram.data pty.master.data tcp-listen.one-waits; do
		owner 7="$state"
		pm poll -t 0 -p "$owner" 7:in
		[[ $status == 0 ]] || fail "$state: $status $stderr"
	done
	for state in inotify.none epoll.none-ready epoll.nested eventfd.0; do
		owner 7="$state"
		pm poll -t 0 -p "$owner" 7:in
		expect 124
	done
	for state in file.start directory.open; do
		owner 7="$state"
		pm poll -t 0 -p "$owner" 7:in,out
		expect 0 $'in,out\t7'
		pm epoll -t 0 -p "$owner" 7
		expect_error 3 '\[EPERM\]'
	done
	pm kqueue -t 0 -p "$owner" vnode:7
	expect_error 4 'only read and write'
}

@test "more descriptors than pmux may have, each a number of its own" {
	owned
	mkfifo f
	owner_does 'for ((i = 100; i < 200; i++)); do eval "exec $i<>f"; done'
	owner_does 'for ((i = 200; i < 212; i++)); do eval "exec $i<&100"; done'
	each has_few
}

has_few() {
	local targets=() i

	for ((i = 100; i < 212; i++)); do
		targets+=("$(reads "$1" "$i")")
	done
	owner_does 'echo >&100'
	(ulimit -n 32 && exec pmux "$1" -t 20 -p "$owner" "${targets[@]}") >out
	assert_equal "$(wc -l <out)" 112
	owner_does 'read -r <&100'
	rm -f ready
	mkfifo ready
	(ulimit -n 32 && exec pmux "$1" --ready-fd 9 -t 20 -p "$owner" \
	    "${targets[@]}") 9>ready >out 2>err 3>&- {owner_in}>&- &
	pid=$!
	read -r _ <ready
	owner_does 'echo >&100'
	finish "$pid"
	assert_equal "$status $stderr" '0 '
	owner_does 'read -r <&100'
}

@test "--follow: new events, and closed descriptors" {
	owned
	mkfifo f g
	owner_does 'exec 7<>f 8<>g'
	streaming poll --follow -t 20 -p "$owner" 7:in 8:in {owner_in}>&-
	owner_does 'echo >&8'
	read -r -t 20 line <&8
	assert_equal "$line" $'in\t8'
	owner_does 'read -r <&8; exec 9<&7 7<&-'
	read -r -t 20 line <&8
	assert_equal "$line" $'nval\t7'
	kill "$pid"
	exec 8<&-
}

@test "--follow: a target that does not change is reported once" {
	owned
	mkfifo f
	owner_does 'exec 7<>f; echo >&7'
	each told_once
}

@test "epoll: edge-triggered, one-shot, exclusive" {
	local mode

	need epoll
	owned
	mkfifo f
	owner_does 'exec 7<>f'
	for mode in et oneshot exclusive; do
		waiting epoll -t 20 -p "$owner" "7:in,$mode" {owner_in}>&-
		owner_does 'echo >&7'
		finish "$pid"
		expect 0 $'in\t7'
		owner_does 'read -r <&7'
	done
}

@test "PROGRAM has the descriptor" {
	owned
	mkfifo f
	owner_does 'exec 7<>f; echo line >&7'
	pm poll -p "$owner" 7:in -- head -n 1
	expect 0 line
}

@test "a kernel without pidfd_getfd(2): 4" {
	run deny pidfd_getfd=ENOSYS -- true
	[[ $status != 77 ]] || skip "$output"
	owned
	run --separate-stderr deny pidfd_getfd=ENOSYS -- "$PMUX" poll -t 0 \
	    -p "$owner" 0
	expect_error 4 'no pidfd_getfd'
	run --separate-stderr deny pidfd_getfd=ENOSYS -- "$PMUX" poll \
	    --session -p "$owner" <<<'register 0:in'
	assert_line --regexp '^error ENOSYS .*no pidfd_getfd'
}

@test "a copy whose kind cannot be determined is an error, not a refusal" {
	run deny fstatfs=EIO -- true
	[[ $status != 77 ]] || skip "$output"
	owned
	: >plain
	owner_does 'exec 7<plain'
	run --separate-stderr deny fstatfs=EIO -- "$PMUX" poll -t 0 \
	    -p "$owner" 7:in
	expect_error 3 'descriptor 7 of process .*\[EIO\]'
	run --separate-stderr deny fstatfs=EIO -- "$PMUX" poll --session \
	    -p "$owner" <<<'register 7:in'
	assert_line --regexp '^error EIO '
}

@test "info: an option that it does not have is named once" {
	pm info -z
	expect_error 2 'info: -z: unknown option$'
	pm info -p "$$"
	assert_line --regexp "^pid $$"$'\tnative\tpidfd_getfd'
}
