#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# What a thread of another process waits for (src/inspect/facts/thread.c).

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

prepare() {
	need_linux
	[[ -r /proc/self/syscall ]] || skip 'no /proc/PID/syscall'
}

# asleep [N=STATE]... CALL [ARG]...: a process that sleeps in CALL, in `pid'.
asleep() {
	local -a states=()

	while [[ $1 == *=* ]]; do
		states+=("$1")
		shift
	done
	rm -f entered
	mkfifo entered
	peer with "${states[@]}" -- peer asleep "$@" >entered 3>&- &
	pid=$!
	read -r _ <entered || {
		wait "$pid" || [[ $? != 77 ]] || skip "no $1 here"
		return 1
	}
	await_state "$pid" S
}

# waits_in CALL COLUMN...: what it waits for, after its state and the kind.
waits_in() {
	run --separate-stderr waits "$pid"
	[[ $output != *$'\t'*EPERM ]] || skip "$output"
	expect 0 "S"$'\t'"$1"$'\t'"$2"$'\t'"$3"$'\t'"$4"$'\t'"${5--}"$'\t'"${6-0}"$'\t-'
}

@test "poll and ppoll: the array" {
	asleep 7=pipe.r.empty poll 7
	waits_in poll poll 1000000000000 7:ip
	asleep 7=pipe.r.empty ppoll 7
	waits_in poll ppoll 1000000000005 '7:i 7:p'
}

@test "select and pselect6: the sets" {
	asleep 7=pipe.r.empty select 7
	waits_in select select -1 7:i
	asleep 700=unix-stream.idle pselect6 700
	waits_in select pselect6 1000000000005 700:ip
}

@test "epoll_wait and the like: the instance" {
	asleep 7=pipe.r.empty epoll_wait 7
	waits_in epoll epoll_wait -1 50:i
	asleep 7=pipe.r.empty epoll_pwait 7
	waits_in epoll epoll_pwait 1000000000000 50:i
	asleep 7=pipe.r.empty epoll_pwait2 7
	waits_in epoll epoll_pwait2 1000000000005 50:i
}

@test "read, write and the like: the descriptor" {
	asleep 7=pipe.r.empty read 7
	waits_in read read -1 7:i
	asleep 7=pipe.w.full write 7
	waits_in write write -1 7:o
	asleep 7=unix-stream.idle recvfrom 7
	waits_in read recvfrom -1 7:i
	asleep 7=pipe.r.empty splice 7
	run waits "$pid"
	[[ $output == S$'\tcopy\tsplice\t-1\t7:i '*:o$'\t'* ]]
}

@test "accept and connect: the socket" {
	asleep 7=unix-listen.listening accept4 7
	waits_in accept accept4 -1 7:i
	asleep connect ./socket
	waits_in connect connect -1 40:o
}

@test "open of a FIFO: the path" {
	mkfifo fifo
	asleep openat fifo
	waits_in open openat -1 - fifo
	mkfifo other
	asleep openat2 "$PWD/other"
	waits_in open openat2 -1 - "$PWD/other"
}

@test "locks: the descriptor" {
	asleep flock file
	waits_in lock flock -1 40:-
	asleep fcntl file
	waits_in lock fcntl -1 40:-
}

@test "futex, children, time and signals" {
	asleep futex
	waits_in futex futex 1000000000005 -
	asleep wait4
	waits_in child wait4 -1 - - -1
	asleep nanosleep
	waits_in sleep nanosleep 1000000000005 -
	asleep clock_nanosleep
	waits_in sleep clock_nanosleep 1000000000005 -
	asleep pause
	waits_in signal pause -1 - - -1
	asleep rt_sigsuspend
	waits_in signal rt_sigsuspend -1 - - -1
	asleep rt_sigtimedwait
	waits_in signal rt_sigtimedwait 1000000000005 -
	asleep waitid
	run --separate-stderr waits "$pid"
	[[ $output == S$'\tchild\twaitid\t-1\t-\t-\t'[1-9]* ]]
}

@test "io_uring: the ring" {
	asleep io_uring_enter
	waits_in io_uring io_uring_enter -2 50:i
}

@test "kevent of pmux's own" {
	need kqueue
	mkfifo fifo
	exec 7<>fifo
	waiting kqueue -t 1h read:7
	await_state "$pid" S
	run --separate-stderr waits "$pid"
	[[ $output =~ ^S$'\t'(poll|epoll)$'\t' ]]
}

@test "a thread that is not the first" {
	command -v python3 >/dev/null || skip 'no python3'
	mkfifo entered
	python3 -c '
import threading, time
t = threading.Thread(target=time.sleep, args=(1000,), daemon=True)
t.start()
print(t.native_id, flush=True)
t.join()' >entered 3>&- &
	pid=$!
	read -r tid <entered
	await_state "$pid" S
	until run waits "$pid" "$tid" && [[ $output == S* ]]; do :; done
	[[ $output == *clock_nanosleep* || $output == *select* ]]
	run waits "$pid"
	[[ $output == *futex* ]]
}

@test "a stopped process: the call that the signal interrupted" {
	asleep 7=pipe.r.empty read 7
	kill -STOP "$pid"
	await_state "$pid" T
	run --separate-stderr waits "$pid"
	expect 0 $'T\tread\tread\t-1\t7:i\t-\t0\t-'
	kill -CONT "$pid"
	await_state "$pid" S
	waits_in read read -1 7:i
}

@test "a call that was restarted is not guessed" {
	asleep 7=pipe.r.empty poll 7
	kill -STOP "$pid"
	await_state "$pid" T
	kill -CONT "$pid"
	await_state "$pid" S
	run --separate-stderr waits "$pid"
	[[ $output == S$'\tunknown\trestart_syscall\t-2\t-\t-\t0\ta call that a '* ]]
}

@test "a process that runs" {
	(while :; do :; done) 3>&- &
	run --separate-stderr waits $!
	expect 0 $'R\trunning\t-\t-2\t-\t-\t0\t-'
}

@test "a thread of the kernel" {
	injected '0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0'
	run --separate-stderr waits -r proc 12
	expect 0 $'S\tnothing\t-\t-2\t-\t-\t0\t-'
}

@test "a zombie, and one that is not there" {
	run --separate-stderr peer zombie waits @PID@
	expect 0 $'Z\tnothing\t-\t-2\t-\t-\t0\t-'
	run --separate-stderr waits 2147483646
	expect 3 ESRCH
}

@test "another user's process: the state, and why no more" {
	need_root
	asleep 7=pipe.r.empty read 7
	run --separate-stderr peer as 65534 "$PMUX_TOOLS/waits" "$pid"
	[[ $status != 77 ]] || skip "$stderr"
	[[ $status == 0 && $output == S$'\tunknown\t'*EPERM ]]
}

@test "without process_vm_readv, by /proc/PID/mem" {
	deny process_vm_readv=EPERM -- true || skip 'no seccomp'
	asleep 7=pipe.r.empty poll 7
	local answer

	for answer in EPERM ENOSYS; do
		run --separate-stderr \
		    deny "process_vm_readv=$answer" -- waits "$pid"
		expect 0 $'S\tpoll\tpoll\t1000000000000\t7:ip\t-\t0\t-'
	done
}

@test "a process of 32 bits is refused" {
	printf 'int main(void) { for (;;) __builtin_trap; }' >/dev/null
	printf '%s\n' 'int main(void) { int pause(void); return pause(); }' \
	    >narrow.c
	cc -m32 narrow.c -o narrow 2>/dev/null || skip 'no compiler for 32 bits'
	./narrow 3>&- &
	await_state $! S
	run --separate-stderr waits $!
	[[ $output == S$'\tunknown\t'*'32 bits'* ]]
}

# an_injected LINE: /proc of a process 12 in the directory proc.
injected() {
	mkdir -p proc/12/task/12
	printf '12 (a) b (c) S 1%s\n' "$(printf ' 0%.0s' {1..48})" \
	    >proc/12/task/12/stat
	printf '%s\n' "$1" >proc/12/task/12/syscall
}

@test "another root: nothing of this kernel is asked" {
	injected '271 0x1000 0x2 0x0 0x0 0x8 0x0 0x7ffc00000000 0x7f0000000000'
	[[ $(uname -m) == x86_64 ]] || skip 'numbers of x86-64'
	# ppoll: 3 in, 5 out
	printf '\3\0\0\0\1\0\0\0\5\0\0\0\4\0\0\0' |
	    dd of=proc/12/mem bs=1 seek=4096 2>/dev/null
	run --separate-stderr waits -r proc 12
	expect 0 $'S\tpoll\tppoll\t-1\t3:i 5:o\t-\t0\t-'
}

@test "another root: what cannot be" {
	[[ $(uname -m) == x86_64 ]] || skip 'numbers of x86-64'
	local line

	for line in '' nonsense '271 0x1000' '271 0x1000 0x2 0x0'; do
		injected "$line"
		run --separate-stderr waits -r proc 12
		[[ $status == 0 && $output == S$'\tunknown\t-\t'* ]]
	done
	# an array that is not there, and one that is too long
	for line in 0x1000\ 0x2 0x1000\ 0x7fffffffffff; do
		injected "271 $line 0x0 0x0 0x8 0x0 0x7ffc00000000 0x7f0000000000"
		: >proc/12/mem
		run --separate-stderr waits -r proc 12
		[[ $status == 0 && $output == S$'\t'*'not in its memory'* ]]
	done
	# a call that is in no table
	injected '9999 0x1 0x2 0x3 0x4 0x5 0x6 0x7ffc00000000 0x7f0000000000'
	run --separate-stderr waits -r proc 12
	expect 0 $'S\tother\t-\t-2\t-\t-\t0\t-'
	injected '-1 0x7ffc00000000 0x7f0000000000'
	run --separate-stderr waits -r proc 12
	expect 0 $'S\tnothing\t-\t-2\t-\t-\t0\t-'
	rm proc/12/task/12/syscall
	run --separate-stderr waits -r proc 12
	[[ $output == S$'\tunknown\t'*ENOENT ]]
	rm -r proc/12
	run --separate-stderr waits -r proc 12
	expect 3 ESRCH
}

# Whatever it does meanwhile, what is said fits together.
@test "a process that goes on, executes and ends meanwhile" {
	local round

	rounds 500
	for ((round = 0; round < rounds; round++)); do
		bash -c '/bin/true; exec sleep 0.01' 3>&- &
		pid=$!
		run --separate-stderr waits -l "$pid"
		expect 0 ended
		wait "$pid"
	done
}

@test "busy and asleep, over 150 ms" {
	(while :; do :; done) 3>&- &
	run --separate-stderr waits -b $!
	[[ $status == 0 || $output != ENOENT ]] || skip 'no schedstat'
	[[ $output == 9[5-9]$'\tran' || $output == 100$'\tran' ]]
	asleep 7=pipe.r.empty read 7
	run --separate-stderr waits -b "$pid"
	expect 0 $'0\tslept'
}
