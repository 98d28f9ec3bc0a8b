#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# wait --exit: the end of processes.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

# known STATUS: a regex for how a process is reported that ended so and was
# reaped while pmux waited.
known() {
	if [[ $(pmux info) == *$'exit\twatched'* ]] && peer reaped; then
		echo "$1"
	else
		echo "($1|exit)"
	fi
}

# child COMMAND...: in `child', a process that does it after go.
child() {
	rm -f go
	mkfifo go
	bash -c "read -r _ <go; $*" 3>&- &
	child=$!
}

go() {
	echo >go
}

# ended: in `child', a process that has ended and was reaped.
ended() {
	bash -c 'exit 7' 3>&- &
	child=$!
	wait "$child" || :
}

# reported STATUS REGEX: how pmux ended, and all of its output.
reported() {
	local result=0

	wait "$pid" || result=$?
	[[ $result == "$1" && ! -s err && $(<out) =~ ^$2$ ]] ||
	    differs unexpected status "$result" output "$(<out)" \
	        'not' "$2" message "$(<err)"
}

@test "a process that ends is reported with its status" {
	child exit 7
	waiting wait -t 1h --exit "$child"
	go
	reported 0 "$(known exit=7)"$'\t'"$child"
	child exit 0
	waiting wait -t 1h --exit "$child"
	go
	reported 0 "$(known exit=0)"$'\t'"$child"
}

@test "a process that a signal ends is reported with that" {
	# shellcheck disable=SC2016
	child 'kill -TERM $$'
	waiting wait -t 1h --exit "$child"
	go
	reported 0 "$(known signal=TERM)"$'\t'"$child"
}

@test "a process that is gone already has ended, and how is not known" {
	ended
	pm wait -t 1h --exit "$child"
	expect 0 "exit"$'\t'"$child"
	pm wait -t 0 --exit "$child"
	expect 0 "exit"$'\t'"$child"
	pm wait --format '%e %f %b %s\n' --exit "$child"
	expect 0 'exit - - -'
	pm wait -q --exit "$child"
	expect 0
}

@test "a zombie has ended; its status is known to who may trace it" {
	run --separate-stderr peer zombie pmux wait -t 1h --exit @PID@
	assert_success
	[[ $output == exit* ]]
	run --separate-stderr peer zombie pmux wait -t 0 --format %s --exit @PID@
	# NetBSD does not tell it of one that ended before the kevent
	[[ $(pmux info) != *$'exit\twatched'* || $output == exit=* ||
		$(uname -s) == NetBSD ]] || fail "$output"
}

@test "a zombie of another user, of which /proc says 0" {
	need_root
	need_linux
	# its parent is peer, which waits for pmux alone
	run --separate-stderr peer zombie peer run how bash -c \
	    'exec "$@" "$PMUX" wait -t 1h --format %s --exit "$0"' @PID@ \
	    peer as 65534
	expect 0 -
}

@test "a status that the kernel does not report is unknown, never 0" {
	need_json
	hide
	child exit 0
	mkfifo ready
	exec 7<>ready
	"${hidden[@]}" pmux wait --ready-fd 7 -t 1h --json --exit "$child" \
	    >out 2>err 3>&- &
	pid=$!
	read -r _ <&7
	exec 7<&-
	kill -STOP "$pid"
	go
	wait "$child" || :
	kill -CONT "$pid"
	wait "$pid"
	assert_equal "$(json exit <out)" null
	assert_equal "$(json signal <out)" null
}

@test "a process that runs has not ended" {
	sleep 600 3>&- &
	pm wait -t 50ms --exit "$!"
	expect 124
	pm wait -t 0 --exit "$!"
	expect 124
}

@test "JSON has pid, exit and signal; null where they mean nothing" {
	need_json
	ended
	pm wait --json --exit "$child"
	assert_success
	assert_equal "$(json target <<<"$output")" "\"$child\""
	assert_equal "$(json pid <<<"$output")" "$child"
	assert_equal "$(json events <<<"$output")" '["exit"]'
	for key in fd available exit signal; do
		assert_equal "$key $(json $key <<<"$output")" "$key null"
	done
	pm wait --json 0 </dev/null
	for key in pid exit signal; do
		assert_equal "$key $(json $key <<<"$output")" "$key null"
	done
	[[ $(known exit=9) == exit=9 ]] || return 0
	child exit 9
	waiting wait -t 1h --json --exit "$child"
	go
	wait "$pid"
	assert_equal "$(json exit <out)" 9
	assert_equal "$(json signal <out)" null
	# shellcheck disable=SC2016
	child 'kill -KILL $$'
	waiting wait -t 1h --json --exit "$child"
	go
	wait "$pid"
	assert_equal "$(json exit <out)" null
	assert_equal "$(json signal <out)" '"KILL"'
}

@test "a number with zeros before it is the same in JSON" {
	need_json
	ended
	pm wait --json --exit "000$child"
	assert_equal "$(json pid <<<"$output")" "$child"
}

@test "beside descriptors, in the order of the command line" {
	ended
	pm wait 0 --exit "$child" 1:out </dev/null
	assert_equal "${lines[*]%%$'\t'*}" 'in exit out'
	pm wait -n 1 --exit "$child" 0 </dev/null
	expect 0 "exit"$'\t'"$child"
	pm wait -n 1 0 --exit "$child" </dev/null
	expect 0 $'in\t0'
	sleep 600 3>&- &
	pm wait --exit "$!" 0 </dev/null
	expect 0 $'in\t0'
	with 7=pipe.r.empty -- pmux wait 7 --exit "$child"
	expect 0 "exit"$'\t'"$child"
}

@test "the same process twice is one" {
	ended
	pm wait --exit "$child" --exit "$child" --exit 2147483647
	assert_equal "${#lines[@]}" 2
	pm wait -a --exit 2147483647 0 --exit "$child" --exit "$child" </dev/null
	assert_equal "$status ${#lines[@]}" '0 3'
}

@test "--all: until each has ended" {
	local first

	mkfifo go.first
	bash -c 'read -r _ <go.first; exit 3' 3>&- &
	first=$!
	child exit 4
	waiting wait -a -t 1h --exit "$first" --exit "$child"
	go
	until [[ -s out ]]; do
		sleep 0.01
	done
	assert_equal "$(cut -f 2 <out)" "$child"
	echo >go.first
	wait "$pid"
	assert_equal "$(cut -f 2 <out | paste -sd ' ' -)" "$child $first"
	sleep 600 3>&- &
	pm wait -a -t 50ms --exit "$child" --exit "$!"
	expect 124 "exit"$'\t'"$child"
}

@test "--follow: each once, and then it is finished" {
	child exit 3
	waiting wait -f -t 1h --exit 2147483647 --exit "$child"
	go
	reported 0 $'exit\t2147483647\n'"$(known exit=3)"$'\t'"$child"
	ended
	with 7=pipe.r.data -- pmux wait -f -t 1s --exit "$child" 7
	assert_line "exit"$'\t'"$child"
	assert_line $'in\t7'
}

@test "--follow beside a regular file, which epoll does not accept" {
	child exit 3
	echo data >file
	waiting wait -f -t 1h -c 2 ./file --exit "$child"
	go
	wait "$pid"
	assert_equal "$(cut -f 2 <out | paste -sd ' ' -)" "./file $child"
}

@test "PROGRAM: PMUX_FD is empty, standard input is the caller's" {
	ended
	# shellcheck disable=SC2016
	pm wait -t 1h --exit "$child" -- sh -c 'cat
	    echo "$PMUX_TARGET,${PMUX_FD-unset},$PMUX_EVENTS"' <<<input
	expect 0 input "$child,,exit"
	# shellcheck disable=SC2016
	pm wait -f -t 1h --exit "$child" -- sh -c \
	    'echo "$PMUX_TARGET,${PMUX_FD-unset},$PMUX_EVENTS"'
	expect 0 "$child,,exit"
}

@test "--exit takes a process ID" {
	usage_error "--exit: '0' is not a process ID" wait --exit 0
	usage_error "--exit: '' is not a process ID" wait --exit ''
	usage_error "--exit: '-1' is not a process ID" wait --exit -1
	usage_error "--exit: '7x' is not a process ID" wait --exit 7x
	usage_error "--exit: '4294967297' is not" wait --exit 4294967297
	usage_error '--while' wait --lines --exit 1 0
	usage_error 'poll: --exit: unknown option \(an option of wait\)$' \
	    poll --exit 1
	usage_error "unknown option \(did you mean '--exit'\?\)" wait --exot 1
}

@test "the ID of a thread is not that of a process" {
	local task

	need_linux
	[[ $(pmux info) == *$'exit\twatched'* ]] || skip 'needs pidfd_open(2)'
	for task in /proc/[0-9]*/task/*; do
		[[ $task =~ ^/proc/([0-9]+)/task/([0-9]+)$ &&
		    ${BASH_REMATCH[1]} != "${BASH_REMATCH[2]}" ]] || continue
		pm wait -t 1h --exit "${task##*/}"
		expect_error 3 "a thread's ID, not a process's"
		return
	done
	skip 'no process with threads'
}

# reuse PID: start a process with that ID, which was another's; in `child'.
reuse() {
	local i

	[[ -w /proc/sys/kernel/ns_last_pid ]] || skip 'no ID can be chosen'
	# another process may take the number, or have it
	for ((i = 0; i < 1000; i++)); do
		echo $(($1 - 1)) >/proc/sys/kernel/ns_last_pid || skip 'no right'
		sleep 600 3>&- &
		child=$!
		[[ $child != "$1" ]] || return 0
		kill -KILL "$child"
		wait "$child" || :
	done
	skip 'the ID is not free'
}

# began PID: when it was started, in clock ticks; proc(5), field 22.
began() {
	local line

	read -r line <"/proc/$1/stat"
	# shellcheck disable=SC2086	# its words
	set -- ${line##*) }
	echo "${20}"
}

reused() {
	local first

	need_linux
	sleep 600 3>&- &
	first=$!
	# two that begin in one tick cannot be told apart
	while (($(began "$first") == $(began "$BASHPID"))); do
		:
	done
	mkfifo ready
	"$@" pmux wait -t 1h --ready-fd 9 --exit "$first" 9>ready >out 2>err \
	    3>&- &
	pid=$!
	read -r _ <ready
	rm ready
	kill -STOP "$pid"
	kill -KILL "$first"
	wait "$first" || :
	reuse "$first"
	kill -CONT "$pid"
	finish "$pid"
	assert_equal "$status ${output#*$'\t'}" "0 $first"
	kill "$child"
}

@test "an ID that another process gets is not mistaken" {
	reused
}

@test "nor is it where processes are sampled" {
	deny pidfd_open=ENOSYS -- true || skip 'no seccomp'
	reused deny pidfd_open=ENOSYS --
}

@test "pmux itself, and its parent, have not ended" {
	run --separate-stderr sh -c 'exec pmux wait -t 50ms --exit $$'
	expect 124
	pm wait -t 50ms --exit "$$" --exit "$BASHPID"
	expect 124
}

@test "-e has no bearing, and @FILE holds targets only" {
	ended
	pm wait -e out --exit "$child" 1
	assert_line "exit"$'\t'"$child"
	echo "--exit $child" >list
	pm wait @list
	expect_error 3 'ENOENT'
}

@test "many processes, each reported once" {
	local -a children=()
	local i

	rounds 1000
	for ((i = 0; i < rounds; i++)); do
		sleep 600 3>&- &
		children+=("$!")
	done
	waiting wait -a -t 1h "${children[@]/#/--exit=}"
	kill -TERM "${children[@]}"
	wait "$pid"
	assert_equal "$(cut -f 2 out | sort)" \
	    "$(printf '%s\n' "${children[@]}" | sort)"
	[[ $(cut -f 1 out | sort -u) =~ ^$(known signal=TERM)(
exit)?$ ]]
}

# zombies N: as many, in `children', with the statuses 1 to N; `parent' is sleep.
zombies() {
	mkfifo hold
	exec 7<>hold
	# shellcheck disable=SC2016
	bash -c 'for ((i = 1; i <= $1; i++)); do
		(read -r _ <hold; exit "$i") 3>&- 7>&- &
		echo "$!"
	done >children
	exec 7>&-
	exec sleep 600' - "$1" 3>&- &
	parent=$!
	until [[ $(cat "/proc/$parent/comm") == sleep ]]; do sleep 0.01; done
	mapfile -t children <children
	for ((i = 0; i < $1; i++)); do echo; done >&7
	for i in "${children[@]}"; do
		until grep -q '^State:.*Z' "/proc/$i/status"; do sleep 0.01; done
	done
	exec 7>&-
}

@test "records without a status" {
	run --separate-stderr peer zombie pmux wait -t 1h \
	    --format 'ended %t' --exit @PID@
	assert_success
	assert_regex "$output" '^ended [0-9]+$'
	run --separate-stderr peer zombie pmux wait -t 1h -q --exit @PID@
	assert_success
	assert_output ''
}

@test "many zombies: the status of each" {
	need_linux
	local -a children=() targets
	local count parent time

	[[ $(pmux info) == *$'exit\twatched'* ]] || skip "no pidfd"
	# with poll(2), and with epoll(7)
	for count in 20 50; do
		rm -f hold children
		zombies "$count"
		targets=("${children[@]/#/--exit=}")
		for time in 0 0.02 1h; do
			pm wait -a -t "$time" --format %s "${targets[@]}"
			assert_success
			assert_equal "$(sort -u <<<"$output" | count -l)" "$count"
			[[ $output != *-* ]] || fail "$output"
		done
		kill "$parent"
	done
}

@test "a process that ends while pmux looks is not missed" {
	local round

	rounds 200
	for ((round = 0; round < rounds; round++)); do
		true 3>&- &
		pm wait -t 1h --exit "$!"
		assert_success
	done
}
