#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# explain, inspect, compare and trace change nothing (tests/tools/effects.c), and
# accuse no program that is correct (tests/tools/edges.c).

# shellcheck disable=SC2030,SC2031,SC2034,SC2154	# run sets them
load helper

prepare() {
	need_linux
	need_proc
	[[ -r /proc/self/syscall ]] || skip 'no /proc/PID/syscall'
	pm explain -q -p $$
	[[ $status != 3 ]] || skip "$stderr"
}

# same_log METHOD: of a program that waits so, alone and while it is examined.
same_log() {
	local round every looks

	rounds 100
	every=$((1000 / rounds))
	effects "$1" 0 1 >alone
	for round in 1 2; do
		effects "$1" "$((round * 7919 + RANDOM))" "$((every > 0 ? every : 1))" \
		    explain inspect compare trace >log 2>err
		looks=$(<err)
		[[ $looks =~ ^[0-9]+$ && $looks -gt 0 ]] || fail "$looks"
		diff alone log
	done
}

@test "no effect: poll, select, read" {
	among 'poll select' same_log
	part read same_log
}

@test "no effect: epoll, level-triggered and one-shot" {
	need epoll
	part level same_log
	part oneshot same_log
}

@test "no effect: epoll, edge-triggered" {
	need epoll
	part edge same_log
}

@test "no effect: epoll, exclusive" {
	need epoll
	part exclusive same_log
	part exclusive-edge same_log
}

@test "no effect: epoll, nested" {
	need epoll
	part nested same_log
	part nested-edge same_log
}

@test "no effect: a kqueue in an epoll instance" {
	need epoll
	has kqueue || skip 'no kqueue'
	part kqueue same_log
}

# programs COUNT: start that many of edges; `pids' has -p and each process id,
# `design' what each is.
programs() {
	local pid name

	rm -f input output
	mkfifo input output
	edges "$1" <input >output 3>&- &
	exec {input}>input
	pids=()
	declare -gA design=()
	while read -r pid name; do
		pids+=(-p "$pid")
		design[$pid]=$name
	done <output
	((${#pids[@]} == 2 * $1))
}

# without_accusation: no fault, nor a lost edge.
without_accusation() {
	[[ $status == 0 ]] ||
	    fail "$BATS_RUN_COMMAND: status $status: $output $stderr"
	[[ $output != *$'\tedge-consumed\t'* && $output != *$'\toneshot-'* ]] ||
	    fail "$(grep -E 'edge-|oneshot' <<<"$output") ${design[*]@K}"
}

@test "edge-triggered programs that are correct" {
	local first look	# i is run's

	need epoll
	rounds 1000
	programs "$rounds"
	for look in 1 2 3; do
		for ((first = 0; first < ${#pids[@]}; first += 100)); do
			pm explain "${pids[@]:first:100}"
			without_accusation
		done
	done
}

# healthy PID: without a fault, again and again.
healthy() {
	local round

	for ((round = 0; round < rounds; round++)); do
		pm explain -q -p "$1"
		expect 0
	done
}

# calls PID NAME: wait until it is in that system call.
calls() {
	until pm explain -p "$1" && [[ $output == *"$2"* ]]; do
		sleep 0.01
	done
}

all_are_healthy() {
	local pid

	rounds 30
	sleep 1000 3>&- &
	pid=$!
	healthy "$pid"
	bash -c 'while :; do read -r _; done' < <(exec sleep 1000 3>&-) 3>&- &
	pid=$!
	calls "$pid" 'read of 0'
	healthy "$pid"
	rm -f fifo
	mkfifo fifo
	bash -c 'exec 3<>fifo; read -r _ <&3' 3>&- &
	pid=$!
	calls "$pid" 'read of '
	healthy "$pid"
	gzip < <(exec sleep 1000 3>&-) >/dev/null 3>&- &
	pid=$!
	calls "$pid" 'read of 0'
	healthy "$pid"
	# never asleep
	gzip </dev/zero >/dev/null 3>&- &
	pid=$!
	healthy "$pid"
	kill "$pid"
	if command -v python3 >/dev/null; then
		python3 -c 'import asyncio
async def main():
	await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
	await asyncio.sleep(1000)
asyncio.run(main())' 3>&- &
		pid=$!
		calls "$pid" epoll_wait
		healthy "$pid"
	fi
	if command -v node >/dev/null; then
		node -e 'require("net").createServer().listen(0)' 3>&- &
		pid=$!
		calls "$pid" epoll_
		healthy "$pid"
	fi
	if has epoll; then
		rm -f entered
		mkfifo entered
		peer victim back-pressure >entered 3>&- &
		pid=$!
		read -r _ <entered
		calls "$pid" epoll_
		healthy "$pid"
	fi
}

@test "healthy programs" {
	all_are_healthy
}

@test "healthy programs, while all processors are busy" {
	local i

	for i in 1 2 3 4 5 6; do
		while :; do :; done 3>&- &
	done
	all_are_healthy
}

# looked_at COMMAND...: what is gone may be said to be gone, and nothing else.
# Without run, which takes longer than pmux.
looked_at() {
	status=0
	pmux "$@" >out 2>err || status=$?
	output=$(<out)
	stderr=$(<err)
	[[ $status == [03] ]] || fail "$*: status $status: $output $stderr"
	[[ $output != *$'\tedge-'* && $output != *$'\tstale-'* ]] ||
	    fail "$*: $output"
}

@test "a process that forks, runs programs, opens and closes meanwhile" {
	local i pid

	rounds 10000
	rm -f input output
	mkfifo input output
	edges churn <input >output 3>&- &
	exec {input}>input
	read -r pid <output
	for ((i = 0; i < rounds; i++)); do
		if ((i % 20 == 0)); then
			looked_at explain -p "$pid"
			[[ $status == 0 ]]
		elif ((i % 2 == 0)); then
			looked_at inspect -p "$pid"
		else
			looked_at compare -p "$pid" $((i % 9))
		fi
	done
	kill -0 "$pid"
}
