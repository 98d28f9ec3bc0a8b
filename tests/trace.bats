#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# pmux trace --calls: what waits report and what a program does about it.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

prepare() {
	local status

	need_linux
	pm trace --calls -- true
	[[ $status != 4 ]] || skip "$stderr"
	[[ $stderr != *EPERM* ]] || skip "ptrace(2): $stderr"
}

# calls ARG...: pmux trace --calls, in a time that is enough.
calls() {
	run --separate-stderr timeout 120 pmux trace --calls "$@"
}

# victim METHOD: run spins for ever, in `pid`.
victim() {
	spins "$1" 0 3>&- &
	pid=$!
	until [[ -e /proc/$pid/fd/21 && $(</proc/$pid/comm) == spins ]]; do
		sleep 0.002
	done
}

# fields: leave those of `output` that are the same in each run: descriptor,
# events, calls and remark, and 0 or + for the numbers.
fields() {
	output=$(awk -F '\t' 'BEGIN { OFS = "\t" } {
		for (i = 2; i <= 5; i++)
			if ($i ~ /^[1-9]/) $i = "+"
		print }' <<<"$output" | sort -n)
}

# is_free PID: no thread of it is stopped or traced.
is_free() {
	local task

	for task in /proc/"$1"/task/*; do
		[[ $(sed -n '/^TracerPid/s/.*\t//p' "$task/status") == 0 ]]
		[[ $(state "$1/task/${task##*/}") == [RS] ]]
	done
}

# goes_on PID: it gets time of a processor.
goes_on() {
	local before

	before=$(<"/proc/$1/schedstat")
	until [[ $(<"/proc/$1/schedstat") != "$before" ]]; do
		sleep 0.002
	done
}

@test "what is told, and what is done about it" {
	local method event

	for method in poll select epoll pointer; do
		event=in
		[[ $method != select ]] || event="read"
		calls -- spins $method 50
		expect 0 \
		    "20	50	$event	0	49	none	-" \
		    "21	50	$event	50	0	read	-"
	done
}

@test "a stale registration" {
	calls -- spins stale 50
	expect 0 \
	    "22	50	in	0	49	none	a stale entry: the descriptor is not open" \
	    "21	50	in	50	0	read	-"
}

@test "accept without a descriptor left" {
	calls -- spins accept 50
	expect 0 "23	50	in	50	0	accept EMFILE	no descriptors left"
}

@test "data that several entries have is not guessed at" {
	calls -- spins one 50
	expect 0 "data:0x7	50	in	0	49	none	-"
}

@test "waits that report nothing" {
	calls -- spins timeout 50
	expect 0 "-	50	timeout	0	0	poll	-"
}

@test "another thread acts, and a child" {
	calls -n 1000000 -- spins thread 50
	assert_success
	assert_output --regexp $'^21\t50\tin\t[1-9][0-9]*\t[0-9]+\tread\t-$'
	calls -- spins fork 50
	assert_success
	assert_line --regexp $'^spins\\[[0-9]+\\]/20\t50\tin\t0\t49\tnone\t-$'
	assert_line --regexp $'^spins\\[[0-9]+\\]/21\t50\tin\t50\t0\tread\t-$'
	calls -- spins exec 50
	expect 0 \
	    "20	100	in	0	99	none	-" \
	    "21	100	in	100	0	read	-"
}

@test "it ends after so many waits, and the program goes on" {
	calls -n 7 -- spins poll 50
	expect 0 \
	    "20	7	in	0	6	none	-" \
	    "21	7	in	6	0	read	-"
	calls -- spins poll 2000
	assert_line "20	1000	in	0	999	none	-"
}

@test "a process that runs: by number, and once more" {
	local method

	for method in poll epoll thread; do
		victim $method
		for _ in 1 2 3; do
			calls -n 20 -p "$pid"
			assert_success
			assert_line --regexp $'^21\t[0-9]+\tin\t[1-9][0-9]*\t'
			is_free "$pid"
			goes_on "$pid"
		done
		kill "$pid"
	done
}

@test "registrations from before it began have their numbers" {
	victim pointer
	calls -n 20 -p "$pid"
	fields
	expect 0 "20	+	in	0	+	none	-" "21	+	in	+	0	read	-"
	kill "$pid"
	victim stale
	calls -n 20 -p "$pid"
	assert_line --regexp $'^22\t20\tin\t0\t19\tnone\ta stale entry'
}

@test "time ends it, also if nothing happens" {
	victim nothing
	calls -t 50ms -p "$pid"
	expect 0
	is_free "$pid"
	victim timeout
	calls -n 1000000000 -t 50ms -p "$pid"
	assert_success
	is_free "$pid"
}

@test "whatever signal ends pmux, the process is free and goes on" {
	local signal end

	set -m	# in the background SIGINT is ignored without it
	for signal in INT TERM HUP QUIT KILL SEGV USR1; do
		victim timeout
		pmux trace --calls -n 1000000000 -p "$pid" >out 2>err 3>&- &
		end=$!
		until grep -q "^TracerPid:	$end\$" "/proc/$pid/status"; do
			sleep 0.002
		done
		kill -"$signal" "$end"
		status=0
		wait "$end" || status=$?
		assert_equal "$status" $((128 + $(kill -l "$signal")))
		is_free "$pid"
		goes_on "$pid"
		kill "$pid"
	done
}

@test "a stopped process stays stopped" {
	victim timeout
	kill -STOP "$pid"
	await_state "$pid" T
	calls -t 50ms -p "$pid"
	expect 0
	assert_equal "$(state "$pid")" T
	kill -CONT "$pid"
	goes_on "$pid"
}

@test "the exit status is the program's" {
	calls -- sh -c 'exit 7'
	expect 7
	calls -n 1 -- sh -c 'spins poll 5; exit 8'
	assert_equal "$status" 8
	calls -- sh -c 'kill -USR1 $$'
	expect $((128 + $(kill -l USR1)))
	run -127 --separate-stderr pmux trace --calls -- ./none
	expect_error 127 'none: .*\[ENOENT\]'
	: >file
	calls -- ./file
	expect_error 126 'file: .*\[EACCES\]'
}

@test "a signal sent to pmux reaches the program" {
	mkfifo ready
	pmux trace --calls -- sh -c 'trap "echo got; exit 9" TERM
	    echo >ready; while :; do sleep 0.01; done' >out 2>err 3>&- &
	pid=$!
	read -r _ <ready
	kill "$pid"
	finish "$pid"
	assert_equal "$status" 143
	assert_equal "$output" got
}

@test "a signal ends the trace, and the table is printed" {
	calls -- sh -c 'trap "exit 3" TERM; spins poll 5; kill "$PPID"
	    while :; do sleep 0.01; done'
	assert_equal "$status" 143
	assert_line --regexp $'^spins\\[[0-9]*\\]/20\t5\tin\t0\t[45]\tnone\t-$'
}

@test "the program has the caller's signals and input" {
	calls -- sh -c 'read -r line; echo "$line"; trap' <<<hello
	expect 0 hello
	run --separate-stderr bash -c 'trap "" INT USR1; pmux trace --calls -- \
	    grep -E "Sig(Blk|Ign|Cgt)" /proc/self/status;
	    grep -E "Sig(Blk|Ign|Cgt)" /proc/self/status'
	assert_equal "$(head -n 3 <<<"$output")" "$(tail -n 3 <<<"$output")"
}

@test "--json: each key, and the counts of calls" {
	need_json
	calls --json -- spins accept 50
	assert_success
	assert_equal "$(json fd <<<"$output")" 23
	assert_equal "$(json told <<<"$output")" 50
	assert_equal "$(json events <<<"$output")" '["in"]'
	assert_equal "$(json calls <<<"$output")" \
	    '[{"call":"accept","error":"EMFILE","count":50}]'
	assert_equal "$(json data <<<"$output")" null
	calls --json -- spins one 50
	assert_equal "$(json fd <<<"$output")" null
	assert_equal "$(json data <<<"$output")" '"0x7"'
	[[ $(json unknown <<<"$output") == *'"fd":'* ]]
}

@test "a hostile name is escaped" {
	cp "$(command -v spins)" $'w\n\e[1m'
	calls -- sh -c $'./w*; true' 2>/dev/null
	calls -- sh -c $'./w* fork 3; true'
	assert_success
	[[ $output != *$'\e'* ]]
	assert_line --partial '[1m'
}

@test "without process_vm_readv(2) memory is read all the same" {
	run --separate-stderr deny process_vm_readv=EPERM -- \
	    pmux trace --calls -- spins pointer 5
	[[ $status != 77 ]] || skip "$stderr"
	expect 0 \
	    "20	5	in	0	4	none	-" \
	    "21	5	in	5	0	read	-"
}

@test "what cannot be traced is said" {
	calls -p 1000000000
	expect_error 3 'process 1000000000: .*\[ESRCH\]$'
	run --separate-stderr peer zombie timeout 60 pmux trace --calls -p @PID@
	expect_error 3 'a zombie\)$'
	victim timeout
	pmux trace --calls -n 1000000000 -p "$pid" >out 2>err 3>&- &
	until grep -q "^TracerPid:	$!\$" "/proc/$pid/status"; do
		sleep 0.002
	done
	calls -p "$pid"
	expect_error 3 "process $! traces it already\)\$"
	run --separate-stderr deny ptrace=EPERM -- \
	    pmux trace --calls -p "$pid"
	[[ $status == 77 ]] || expect_error 3 "process $pid: .*EPERM"
	run --separate-stderr deny ptrace=EPERM -- \
	    pmux trace --calls -- touch made
	[[ $status == 77 ]] || expect_error 125 'touch: .*EPERM'
	[[ ! -e made ]]
}

@test "a process of another user, and a thread" {
	need_root
	victim thread
	run --separate-stderr peer as 65534 "$PMUX" trace --calls \
	    -p "$pid"
	[[ $status != 77 ]] || skip "$stderr"
	expect_error 3 "process $pid: .*EPERM"
	calls -p "$(ls "/proc/$pid/task" | tail -n 1)"
	expect_error 3 "a thread's ID"
}

@test "a 32-bit program is refused, and runs" {
	[[ $(uname -m) == x86_64 ]] || skip "no 32-bit program at hand"
	# exit(5) by int 0x80, in an executable of 32 bits
	printf '\177ELF\1\1\1\0\0\0\0\0\0\0\0\0\2\0\3\0\1\0\0\0' >small
	printf '\124\200\4\10\64\0\0\0\0\0\0\0\0\0\0\0\64\0\40\0\1\0\0\0' >>small
	printf '\0\0\0\0\1\0\0\0\0\0\0\0\0\200\4\10\0\200\4\10' >>small
	printf '\140\0\0\0\140\0\0\0\5\0\0\0\0\20\0\0' >>small
	printf '\270\1\0\0\0\273\5\0\0\0\315\200' >>small
	chmod +x small
	run ./small
	[[ $status == 5 ]] || skip "no 32-bit programs here"
	calls -- ./small
	expect_error 4 'a 32-bit program'
	calls -- sh -c './small; spins poll 3; exit 6'
	assert_equal "$status" 6
	[[ $stderr == *'not traced: 1' ]]
	assert_line --regexp '/20.*none'
}

@test "usage" {
	usage_error -- trace --calls
	usage_error 'one --pid' trace --calls -p 1 -p 2
	usage_error 'one --pid' trace --calls -p 1 -- true
	usage_error descriptors trace --calls -p 1 3
	usage_error --waits trace --calls -n 0 -- true
}
