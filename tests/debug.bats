#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# --debug: a line for each decision, and nothing without it.

# shellcheck disable=SC2154	# status, output, stderr: set by run
load helper

row='^[0-9]+\.[0-9]{9}'$'\t''[0-9]+'$'\t''[a-z]+'$'\t''.+$'

# are_lines FILE: it has lines, and nothing else, in the order of their time.
are_lines() {
	local line

	[[ -s $1 ]]
	while IFS= read -r line; do
		[[ $line =~ $row ]] || fail "no line of --debug: $line"
	done <"$1"
	sort -c -s -n "$1"
}

# said MODULE REGEX [FILE]: it did.
said() {
	grep -qE $'^[0-9.]+\t[0-9]+\t'"$1"$'\t'"$2" "${3-log}" ||
	    fail "$(printf 'not said: %s %s\n' "$1" "$2"; cat "${3-log}")"
}

adds_and_waits() {
	with 7=pipe.r.data -- pmux "$1" -t 0 --debug=log "$(reads "$1" 7)"
	assert_success
	assert_equal "$stderr" ''
	are_lines log
	said waitset 'targets: 1, primitive [a-z]+$'
	said waitset 'add 7: descriptor 7, events '
	said waitset 'wait, max events [0-9]+, timeout 0\.000000000$'
	said waitset 'wait returned [1-9]'
	said waitset '7: .*, requested$'
	rm log
}

@test "the wait: targets, timeouts, what returns" {
	each adds_and_waits
}

@test "the timeout of a wait without end" {
	with 7=pipe.r.data -- pmux poll --debug=log 7:in
	said waitset 'wait, max events [0-9]+, timeout inf$'
}

@test "a named pipe that nobody reads is tried again" {
	mkfifo f
	pm poll -t 20ms --debug=log f:out
	expect 124
	said waitset 'f has no reader yet$'
	said waitset 'try f again$'
}

samples() {
	with 7=pipe.r.data -- pmux "$1" --follow --idle 100ms --debug=log \
	    "$(reads "$1" 7)"
	assert_equal "$status" 124
	are_lines log
	said sampler 'sample 7$'
	said sampler 'round: 1 sampled, 1 ready$'
	said sampler 'next round in 0\.[0-9]+$'
	rm log
}

@test "samples of what stays ready" {
	among 'select poll devpoll' samples
}

@test "what is no longer ready is sampled no longer" {
	mkfifo f
	exec 7<>f
	streaming poll --follow --debug=log 7:in
	echo data >&7
	read -r _ <&8
	read -r _ <&7
	until grep -q 'sampled no longer' log; do
		sleep 0.01
	done
	kill "$pid"
	wait "$pid" || :
	said sampler '7 is not ready any longer$'
	[[ $(grep -c 'add 7' log) == 2 ]]
}

@test "programs: queued, started, ended" {
	run --separate-stderr bash -c \
	    'printf ab | pmux poll --follow --debug=log 0:in -- head -c 1'
	assert_success
	are_lines log
	said dispatch 'queue 0$'
	said dispatch 'process [0-9]+ runs for 0$'
	said dispatch 'process [0-9]+ has ended, status 0$'
	said sampler 'ask 0: '
}

@test "a program that fails, or dies of a signal" {
	mkfifo f
	exec 7<>f
	echo data >&7
	# shellcheck disable=SC2016
	pm poll --follow --count 1 --debug=log 7:in -- sh -c 'kill $$'
	said dispatch 'process [0-9]+ has ended, status 15 \(signal\)$'
	pm poll --follow --count 1 --debug=log 7:in -- sh -c 'exit 3'
	said dispatch 'process [0-9]+ has ended, status 3$'
}

@test "PROGRAM has no descriptor of FILE" {
	local plain

	plain=$(peer with 0=pipe.r.data -- peer descriptors)
	with 0=pipe.r.data -- pmux poll --debug=log 0:in -- peer descriptors
	expect 0 "$plain"
}

@test "the holder writes to FILE when pmux has left" {
	seen_fifo
	echo job >f 3>&- &
	pm poll -t 1h --debug=log f:in
	assert_success
	said fifo 'f: opened to read, descriptor [0-9]+'
	said fifo 'process [0-9]+ (is|starts) the holder$'
	run cat f
	assert_output job
	peer await 0 f
	until grep -q $'holder\tends' log; do
		sleep 0.01
	done
	holder=$(sed -n $'s/^[0-9.]*\t\\([0-9]*\\)\tholder\tstarted.*/\\1/p' log)
	grep $'^[0-9.]*\t'"$holder"$'\t' log >own
	are_lines own
	said holder 'started, timeout inf$' own
	said holder '[0-9]+ is the read end of f$' own
	[[ $(pmux info) != *$'fifo\twatched'* ]] ||
	    said holder '[0-9]+: somebody (opened it|read)$' own
	said holder '[0-9]+ is closed: nothing can be lost$' own
	said holder 'ends$' own
}

@test "the holder of a write end, and one that a later pmux replaces" {
	seen_fifo
	exec 7<>f
	exec 6<f 7>&-
	pm poll -t 1h --debug=log f:out 6<&-
	assert_success
	pm poll -t 1h --debug=later f:out 6<&-
	assert_success
	said holder '[0-9]+ is the write end of f$'
	until grep -q $'holder\tends' log; do
		sleep 0.01
	done
	said holder '[0-9]+ is closed: a later pmux has it$'
	exec 6<&-
	peer await 0 f
}

@test "a named pipe whose name goes" {
	mkfifo f
	echo job >f 3>&- &
	pm poll -t 1h --debug=log f:in
	assert_success
	rm f
	until grep -q $'holder\tends' log; do
		sleep 0.01
	done
	said holder '[0-9]+ is closed: it has lost its last name$'
}

@test "a signal: the lines of leaving, from the handler" {
	mkfifo f
	exec 7<>f
	waiting poll --debug=log f:in 7>&-
	kill -TERM "$pid"
	finish "$pid"
	assert_equal "$status" 143
	said fifo 'leave named pipes, 1 open$'
	are_lines log
	exec 7>&-
}

@test "no FILE: pmux writes to standard error, a holder does not" {
	mkfifo f
	echo job >f 3>&- &
	# the end of its standard error is waited for
	run --separate-stderr bash -c 'pmux poll -t 1h --debug f:in 2>&1 >out |
	    cat'
	printf '%s\n' "$output" >log
	are_lines log
	said fifo 'process [0-9]+ is the holder$'
	refute_output --partial 'started, timeout'
	run cat f
	assert_output job
}

@test "without --debug nothing is written" {
	with 7=pipe.r.data -- pmux poll -t 0 7:in
	expect 0 $'in\t7'
	assert_equal "$stderr" ''
}

@test "standard output is as without it" {
	local command

	for command in poll wait; do
		with 7=pipe.r.data -- pmux "$command" -t 0 --debug 7:in
		expect 0 $'in\t7'
	done
	pm poll -t 0 --debug 999:in
	expect 1 $'nval\t999'
}

@test "standard error is closed" {
	with 7=pipe.r.data -- bash -c 'pmux poll -t 0 --debug 7:in 2>&-'
	expect 0 $'in\t7'
}

@test "nobody reads from standard error, or it is full" {
	mkfifo p
	exec 5<>p
	exec 6>p 5>&-
	with 7=pipe.r.data -- bash -c 'pmux poll -t 0 --debug 7:in 2>&6'
	expect 0 $'in\t7'
	exec 6>&-
	[[ -w /dev/full ]] || skip "no /dev/full"
	with 7=pipe.r.data -- pmux poll -t 0 --debug=/dev/full 7:in
	expect 0 $'in\t7'
	assert_equal "$stderr" ''
}

@test "FILE is larger than the limit" {
	[[ ! ${TEST_COVERAGE-} ]] || skip "libgcov writes its counts, too"
	printf '%2048s\n' '' >log
	with 7=pipe.r.data -- bash -c \
	    'ulimit -f 2 && exec pmux poll -t 0 --debug=log 7:in'
	expect 0 $'in\t7'
	[[ $(count -c <log) == 2049 ]]
}

@test "FILE is appended to, and has its number off what is named" {
	local n

	for n in 1 2; do
		pm poll -t 0 --debug=log 3:in 4:in 3<&- 4<&-
		expect 1 $'nval\t3' $'nval\t4'
		[[ $(grep -c 'wait, max' log) == "$n" ]]
	done
	rm log
	run --separate-stderr bash -c \
	    'pmux poll -t 0 --debug=log 0:in <&- 2>&-'
	expect 1 $'nval\t0'
	are_lines log
}

@test "FILE cannot be opened" {
	mkdir directory
	pm poll -t 0 --debug=none/log 0:in
	expect_error 3 'pmux: poll: --debug none/log: .*\[ENOENT\]'
	pm poll -t 0 --debug=directory 0:in
	expect_error 3 'pmux: poll: --debug directory: .*\[EISDIR\]'
	pm poll -t 0 --debug= 0:in
	expect_error 3 'pmux: poll: --debug : .*\[ENOENT\]'
	mkfifo p
	pm poll -t 0 --debug=p 0:in
	expect_error 3 'pmux: poll: --debug p: .*\[ENXIO\] \(it has no reader\)'
	if [[ $(id -u) != 0 ]]; then
		: >log
		chmod a-w log
		pm poll -t 0 --debug=log 0:in
		expect_error 3 'pmux: poll: --debug log: .*\[EACCES\]'
	fi
}

@test "a usage error leaves FILE alone" {
	usage_error . poll --debug=log 0:none
	[[ ! -e log ]]
}

@test "names are escaped, and cut" {
	local name=$'a\n\t\e[31m\\b' long

	: >"$name"
	pm poll -t 0 --debug=log "$name:in"
	assert_success
	are_lines log
	grep -qF 'add a\n\t\0033[31m\\b: descriptor' log
	rm log
	printf -v long '%0200d' 0
	: >"./${long}x"
	pm poll -t 0 --debug=log "./${long}x:in"
	assert_success
	are_lines log
	grep -qE 'add \./0{158}: descriptor' log
}

@test "several processes write to one FILE" {
	local n pids=()

	for n in {1..8}; do
		pmux poll -f --idle 50ms --debug=log 0:in <"$BATS_TEST_FILENAME" \
		    >/dev/null 3>&- &
		pids+=($!)
	done
	for n in "${pids[@]}"; do
		wait "$n" || (($? == 124))
	done
	while IFS= read -r n; do
		[[ $n =~ $row ]] || fail "$n"
	done <log
	[[ $(cut -f 2 log | sort -u | count -l) == 8 ]]
}

@test "a session" {
	mkfifo f
	need poll
	echo job >f 3>&- &
	run --separate-stderr bash -c \
	    'echo "register f:in" | pmux poll --session --debug=log'
	said fifo 'f: opened to read, descriptor [0-9]+'
	run cat f
	assert_output job
}
