#!/usr/bin/env bats
#
# -p PID: the descriptors of another process.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
# shellcheck disable=SC2094	# both ends of a FIFO
load helper

prepare() {
	[[ $(uname -s) == Linux ]] || skip "no pidfd_getfd(2) on this system"
}

# owner SPEC...: a process with these descriptors; its id is in `owner`.
owner() {
	rm -f owner.pid
	mkfifo owner.pid
	peer with "$@" -- peer owner owner.pid 3>&- &
	read -r owner <owner.pid
	rm owner.pid
	pm poll -t 0 -p "$owner" 0
	[[ $stderr != *ENOSYS* && $status != 4 ]] ||
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

	need_proc
	mkfifo pipe
	exec {fd}<>pipe 7<pipe
	peer owner pid 3>&- &
	until [[ -s pid ]]; do sleep 0.002; done
	owner=$(<pid)
	exec 7<&-
	pm poll -t 0 -p "$owner" 7
	[[ $stderr != *EPERM* && $status != 4 ]] || skip "$stderr"
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
	pm poll -t 0 -p "$!" --ready-fd 7 7 7>ready
	kill "$!"
	[[ $stderr != *EPERM* && $status != 4 ]] || skip "$stderr"
	expect 124
	assert_equal "$(wc -c <ready)" 1
	exec {fd}>&-
}
