#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# The promises that hold on every primitive, and those in which they differ.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
# shellcheck disable=SC2094	# both ends of a FIFO
load helper

# ---- what the primitives themselves decide ----

@test "not open: select says EBADF" {
	with 7=number.closed -- pmux select -t 0 7
	expect_error 3 'pmux: select: 7: .*\[EBADF\] .*7<&7'
}

@test "not open: poll and devpoll say nval" {
	with 7=number.closed -- pmux poll -t 0 7
	expect 1 $'nval\t7'
	with 7=number.closed -- pmux devpoll -t 0 7
	expect 1 $'nval\t7'
}

@test "not open: epoll says EBADF" {
	need epoll
	with 7=number.closed -- pmux epoll -t 0 7
	expect_error 3 'pmux: epoll: 7: .*\[EBADF\] .*7<&7'
}

@test "not open: kqueue says EBADF" {
	need kqueue
	with 7=number.closed -- pmux kqueue -t 0 read:7
	expect_error 3 'pmux: kqueue: 7: .*\[EBADF\] .*7<&7'
}

@test "not open: wait says nval" {
	with 7=number.closed -- pmux wait -t 0 7
	expect 1 $'nval\t7'
}

@test "not open, among others: nobody waits" {
	with 7=number.closed 8=pipe.r.empty -- pmux poll 8:in 7:in
	expect 1 $'nval\t7'
	with 7=number.closed 8=pipe.r.empty -- pmux wait 8:in 7:in
	expect 1 $'nval\t7'
	with 7=number.closed 8=pipe.r.empty -- pmux select 8 7
	expect_error 3 '7: .*\[EBADF\] .*7<&7'
}

closed_once() {
	local target

	target=$(reads "$1" 7)
	with 7=number.closed -- pmux "$1" "$target" "${@:2}"
	[[ $status == [13] ]]
	assert_equal "${#stderr_lines[@]}" 1
	[[ $stderr == "pmux: $1: 7: "*'[EBADF] (not open'*'7<&7'*'${C[0]}'* ]]
}

# ksh and mksh keep their numbers from 3 up to themselves, bash those of a
# coprocess: without a word, nval would look like an end of the stream.
@test "not open: one message says so and why it may be, with -q too" {
	each closed_once -t 0
	each closed_once -t 0 -q
	each closed_once --follow
	each closed_once --follow -q
	each closed_once --follow -- true
	each closed_once --lines
	with 7=number.closed 8=number.closed -- pmux poll -t 0 --all -q 7 8
	assert_equal "${#stderr_lines[@]}" 2
}

# bash keeps close-on-exec in a copy of a number from 3 up, not in one of 0.
@test "not open: the copy that the message advises is open, in bash" {
	run --separate-stderr bash -c '
		coproc C { echo data; read -r _; } 3>&-
		why=$(pmux poll -q -t 0 "${C[0]}" 2>&1)
		why=${why%)} why=${why##*"copy one with "}
		eval "$why"
		pmux poll -t 5 --format %e "$a"
		echo >&"${C[1]}"
		wait'
	expect 0 in
}

@test "not open: no hint for 0 to 2, which no shell keeps; --ready-fd has the same hint" {
	run --separate-stderr sh -c 'exec pmux poll -t 0 0 <&-'
	expect 1 $'nval\t0'
	[[ $stderr == *'[EBADF] (not open in pmux)' ]]
	with 7=number.closed -- pmux poll -t 0 --ready-fd 7 0
	expect_error 3 '--ready-fd 7: .*\[EBADF\] .*7<&7'
}

@test "twice: select has one entry a list" {
	with 7=unix-stream.data -- pmux select -t 0 7 -r 7 -r /dev/fd/7
	assert_equal "$status ${#lines[@]} ${output%%$'\t'*}" '0 1 read'
	with 7=unix-stream.data -- pmux select -t 0 -r 7 -w 7 -r 7
	assert_equal "$status ${#lines[@]}" '0 2'
	assert_line $'read\t7'
	assert_line $'write\t7'
}

@test "twice: the last mask stands for poll and devpoll" {
	local command

	for command in poll devpoll; do
		with 7=unix-stream.data -- pmux $command -t 0 7:in 7:out
		expect 0 $'out\t7'
		with 7=unix-stream.idle -- pmux $command -t 0 7:out 7:in
		expect 124
		with 7=unix-stream.data -- \
		    pmux $command -t 0 7:in /dev/fd/7:out
		expect 0 $'out\t/dev/fd/7'
	done
}

@test "twice: the entry of poll keeps its place" {
	with 7=unix-stream.data 8=unix-stream.data -- \
	    pmux poll -t 0 7:in 8:in 7:out
	expect 0 $'out\t7' $'in\t8'
}

@test "twice: epoll says EEXIST" {
	need epoll
	with 7=unix-stream.data -- pmux epoll -t 0 7:in 7:out
	expect_error 3 'pmux: epoll: 7: .*\[EEXIST\]'
}

@test "twice: the last one stands for kqueue, of one filter" {
	need kqueue
	with 7=unix-stream.data -- \
	    pmux kqueue -t 0 read:7:lowat=1 read:7:lowat=6
	expect 124
	with 7=unix-stream.data -- pmux kqueue -t 0 read:7 write:/dev/fd/7
	assert_equal "$status ${#lines[@]}" '0 2'
}

@test "twice: wait joins the masks" {
	with 7=unix-stream.data -- pmux wait -t 0 7:in 7:out
	expect 0 $'in,out\t7'
	with 7=unix-stream.idle -- pmux wait -t 0 7:out /dev/fd/7:in
	expect 0 $'out\t/dev/fd/7'
}

@test "regular file: ready at once for select, poll, devpoll and wait" {
	printf x >file
	pm select -t 0 file
	expect 0 $'read\tfile'
	pm select -t 0 -w file
	expect 0 $'write\tfile'
	for command in poll devpoll wait; do
		pm "$command" -t 0 file:in
		expect 0 $'in\tfile'
		pm "$command" file:out
		expect 0 $'out\tfile'
	done
}

@test "regular file: epoll says EPERM and what takes it" {
	need epoll
	: >file
	pm epoll -t 0 file
	expect_error 3 'pmux: epoll: file: .*\[EPERM\]'
	[[ $stderr == *ready* && $stderr == *poll* && $stderr == *select* ]]
	pm epoll -t 0 0:in <file
	expect_error 3 'pmux: epoll: 0: .*\[EPERM\]'
}

@test "regular file: kqueue says what follows the offset, if anything" {
	need kqueue
	with 7=file.start -- pmux kqueue -t 0 read:7
	assert_equal "$status" 0
	with 7=file.at-end -- pmux kqueue -t 0 read:7
	expect 124
}

past_fd_setsize() {
	need_number 5000
	with 5000=pipe.r.data -- pmux "$1" -t 0 "$(reads "$1" 5000)"
	assert_equal "$status ${output##*$'\t'} $stderr" '0 5000 '
}

@test "past FD_SETSIZE: every one of them works" {
	each past_fd_setsize
}

# Rounded up, never down: 900 us in milliseconds would be 0 otherwise.
never_early() {
	local start end t

	for t in 1 999 100000 900000 1900000; do
		start=$(peer clock)
		with 0=pipe.r.empty -- pmux "$1" -t ${t}ns "$(reads "$1" 0)"
		end=$(peer clock)
		assert_equal "$status" 124
		((end - start >= t))
	done
}

@test "resolution of the timeout: none is early" {
	each never_early
}

# ---- data, end of file and timeout are distinct ----

pipe_states() {
	ask "$1" in pipe.r.data
	assert_equal "$status $words" '0 in'
	ask "$1" in pipe.r.empty
	expect 124
	ask "$1" in pipe.r.writer-gone-drained
	if [[ $1 == select || $1 == kqueue ]]; then
		assert_equal "$status $words" '0 in'
	else
		assert_equal "$status $words" '1 hup'
	fi
	ask "$1" in pipe.r.writer-gone-data
	if [[ $1 == select || $1 == kqueue ]]; then
		assert_equal "$status $words" '0 in'
	else
		assert_equal "$status $words" '0 in,hup'
	fi
}

@test "pipe: data, end of file and timeout" {
	need_linux
	each pipe_states
}

fifo_states() {
	ask "$1" in fifo.r.writer-data
	assert_equal "$status $words" '0 in'
	ask "$1" in fifo.r.writer-no-data
	expect 124
	ask "$1" in fifo.r.never-a-writer
	expect 124
	need_fifo_room "$1"
	ask "$1" out fifo.w.empty
	assert_equal "$status $words" '0 out'
	ask "$1" out fifo.w.full
	expect 124
}

@test "FIFO: data and timeout" {
	each fifo_states
}

socket_states() {
	local kind

	for kind in unix-stream tcp; do
		ask "$1" in $kind.data
		assert_equal "$kind $status $words" "$kind 0 in"
		ask "$1" in $kind.peer-half-closed
		assert_equal "$kind $status $words" "$kind 0 in"
	done
	ask "$1" in unix-stream.idle
	expect 124
	ask "$1" in tcp.connected
	expect 124
	ask "$1" out unix-stream.full
	expect 124
	ask "$1" in unix-dgram.data
	assert_equal "$status $words" '0 in'
	ask "$1" in unix-dgram.idle
	expect 124
}

@test "sockets: data, end of file and timeout" {
	each socket_states
}

listening_states() {
	ask "$1" in unix-listen.one-waits
	assert_equal "$status $words" '0 in'
	ask "$1" in unix-listen.listening
	expect 124
	ask "$1" in tcp-listen.one-waits
	assert_equal "$status $words" '0 in'
	ask "$1" in tcp-listen.listening
	expect 124
}

@test "listening sockets: a client, or none" {
	each listening_states
}

tty_states() {
	ask "$1" in pty.slave.line
	assert_equal "$status $words" '0 in'
	ask "$1" in pty.slave.unfinished-line
	expect 124
	ask "$1" in pty.master.data
	assert_equal "$status $words" '0 in'
	ask "$1" out pty.slave.idle
	assert_equal "$status $words" '0 out'
}

@test "terminals: a line, an unfinished line, none" {
	each tty_states
}

eventfd_states() {
	ask "$1" in eventfd.5
	assert_equal "$status $words" '0 in'
	ask "$1" in eventfd.0
	expect 124
	ask "$1" out eventfd.max
	expect 124
}

@test "eventfd: a count, none, the largest" {
	need_linux
	each eventfd_states
}

always_ready() {
	local which

	[[ $1 != epoll && $1 != kqueue ]] || return 0
	for which in file.start file.at-end dev.null directory.open; do
		ask "$1" in $which
		assert_equal "$which $status $words" "$which 0 in"
	done
	ask "$1" out dev.null
	assert_equal "$status $words" '0 out'
}

@test "regular files, directories, /dev/null: always ready" {
	each always_ready
}

urgent() {
	[[ $1 != kqueue ]] || return 0
	ask "$1" pri tcp.oob
	assert_equal "$status $words" '0 pri'
	ask "$1" pri tcp.data
	expect 124
}

@test "TCP: urgent data" {
	each urgent
}

comes_later() {
	local target word fd

	target=$(reads "$1" 7) word=$(says "$1")
	rm -f pipe
	mkfifo pipe
	exec {fd}<>pipe
	waiting "$1" -t 1h "$target" 7<pipe
	assert_equal "$(cat out)" ''
	await_state "$pid" S
	echo hello >pipe
	finish "$pid"
	short
	expect 0 "$word"$'\t7'
	exec {fd}<&-
}

@test "waits until there is something" {
	each comes_later
}

hangs_up_later() {
	local target wanted=$'hup\t7' code=1 fd

	target=$(reads "$1" 7)
	[[ $1 != select && $1 != kqueue ]] || { wanted=$'read\t7' code=0; }
	rm -f pipe
	mkfifo pipe
	exec {fd}<>pipe 8<pipe
	waiting "$1" -t 1h "$target" 7<&8 8<&- {fd}<&-
	exec 8<&- {fd}<&-
	finish "$pid"
	short
	# a BSD reports in beside it, and NetBSD in alone
	[[ $(uname -s) == Linux || $output != in?(,hup)$'\t7' ]] ||
	    { wanted=$output code=0; }
	expect "$code" "$wanted"
}

@test "waits until the other end is gone" {
	need_program "the shell keeps copies of what a command redirects"
	each hangs_up_later
}

# Standard output is watched for its reader, and is ready to be written to.
sleeps() {
	rm -f log
	with 7=pipe.r.empty -- \
	    pmux "$1" --follow -t 300ms --debug=log "$(reads "$1" 7)"
	expect 124
	(($(grep -c 'wait returned' log) < 10)) || fail "it has not slept"
}

@test "a stream sleeps where nothing happens" {
	each sleeps
}

# ---- status 0 and 1 ----

@test "hup, err, nval that were asked for: status 0" {
	local command

	for command in poll devpoll wait; do
		with 7=pipe.r.writer-gone-drained -- pmux $command -t 0 7:hup
		expect 0 $'hup\t7'
		with 7=pipe.w.reader-gone-full -- pmux $command -t 0 7:err,hup
		assert_regex "$status $output" $'^0 (err|hup)\t7$'
		with 7=number.closed -- pmux $command -t 0 7:nval
		expect 0 $'nval\t7'
	done
}

@test "hup and err of epoll that were asked for: status 0" {
	need epoll
	with 7=pipe.r.writer-gone-drained -- pmux epoll -t 0 7:hup
	expect 0 $'hup\t7'
	with 7=pipe.w.reader-gone-full -- pmux epoll -t 0 7:in,err
	expect 0 $'err\t7'
}

# Writing would fail.
hollow_out() {
	[[ $1 != select && $1 != kqueue ]] || return 0
	ask "$1" out pipe.w.reader-gone
	assert_equal "$status $words" '1 out,err'
	ask "$1" out unix-stream.peer-closed
	assert_equal "$status $words" '1 out,hup'
	ask "$1" wrnorm,wrband,out unix-stream.peer-closed
	assert_equal "$status $words" '1 out,hup,wrnorm,wrband'
	ask "$1" in,out unix-stream.peer-closed
	assert_equal "$status $words" '0 in,out,hup'
	ask "$1" out,hup unix-stream.peer-closed
	assert_equal "$status $words" '0 out,hup'
}

@test "out beside err or hup is not what was asked for" {
	need_linux
	each hollow_out
}

@test "one asked-for event among several reported: status 0" {
	with 7=pipe.r.writer-gone-drained 8=pipe.r.data -- \
	    pmux poll -t 0 7:pri 8:in
	expect 0 $'hup\t7' $'in\t8'
	with 7=pipe.r.writer-gone-drained 8=pipe.r.empty -- \
	    pmux poll 7:pri 8:in
	expect 1 $'hup\t7'
}

# ---- words ----

@test "events are printed in one order" {
	need_linux
	with 7=unix-stream.our-data-unread -- \
	    pmux poll -t 0 7:wrband,wrnorm,rdnorm,rdhup,hup,err,out,in
	expect 0 $'in,out,err,hup,rdhup,rdnorm,wrnorm,wrband\t7'
}

# 0x1000 is no event of poll(2), 0x8000000 none of epoll(7).
@test "unknown bits are printed in hex, not dropped" {
	local command

	need_linux
	# a leak sanitizer does not work in a traced program
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
	for command in poll devpoll wait; do
		with 7=pipe.r.data -- peer bits 0x5000 pmux $command -t 0 7:in
		expect 0 $'in,0x5000\t7'
		with 7=pipe.r.data -- \
		    peer bits 0x5000 pmux $command -t 0 --json 7:in
		[[ $output == *'"events":["in","0x5000"]'* ]]
	done
	with 7=pipe.r.data -- peer bits 0x8000000 pmux epoll -t 0 7:in
	expect 0 $'in,0x8000000\t7'
}

numeric_mask() {
	[[ $1 != select && $1 != kqueue ]] || return 0
	with 7=unix-stream.data -- pmux "$1" -t 0 7:0x5
	expect 0 $'in,out\t7'
	with 7=unix-stream.data -- pmux "$1" -t 0 7:0X4
	expect 0 $'out\t7'
}

@test "a numeric mask" {
	each numeric_mask
}

# ---- the caller's descriptors ----

flags_kept() {
	local target fd before

	target=$(reads "$1" 7)
	rm -f pipe
	mkfifo pipe
	exec {fd}<>pipe 7<pipe
	before=$(peer flags 7)
	waiting "$1" -t 1h "$target" {fd}<&-
	assert_equal "$(peer flags 7)" "$before"
	echo >pipe
	finish "$pid"
	assert_equal "$status" 0
	assert_equal "$(peer flags 7)" "$before"
	exec {fd}<&- 7<&-
}

@test "the status flags of the caller's descriptors are left alone" {
	each flags_kept
}

nothing_consumed() {
	local target=0:in

	target=$(reads "$1" 0)
	run bash -c 'printf "one\ntwo\n" | {
		pmux "$1" -t 1h "$2" >/dev/null && cat
	}' - "$1" "$target"
	assert_success
	assert_output $'one\ntwo'
}

@test "nothing is read" {
	each nothing_consumed
}

# ---- several targets ----

several() {
	with 7=pipe.r.data 8=pipe.r.empty 9=unix-stream.data -- \
	    pmux "$1" "$(reads "$1" 7)" "$(reads "$1" 8)" "$(reads "$1" 9)"
	assert_equal "$status ${#lines[@]}" '0 2'
	[[ $output == *$'\t'7* && $output == *$'\t'9* ]]
}

@test "of several targets the ready ones are printed" {
	each several
}

no_target() {
	pm "$1" -t 0
	expect 124
	pm "$1"
	expect_error 2 "pmux: $1: .*target"
}

@test "no target: sleeps for the timeout, and must have one" {
	each no_target
}

# ---- what is no descriptor ----

conditions() {
	local option

	if [[ $1 == wait ]]; then
		pm wait -t 5 --exists . --absent none --exit 2147483647 0 </dev/null
		expect 0 $'exists\t.' $'absent\tnone' $'exit\t2147483647' $'in\t0'
		pm wait -t 0 --connect 127.0.0.1:1
		expect 124
		return
	fi
	for option in exit exists absent connect; do
		pm "$1" -t 0 "--$option" 1
		expect_error 2 "pmux: $1: --$option: unknown option \(an option of wait\)$"
	done
}

@test "processes, paths and connections are for wait" {
	each conditions
}

@test "JSON of wait has the same keys for each kind of target" {
	need_json
	local key line

	pm wait -t 5 --json --exists . --absent none --exit 2147483647 0 </dev/null
	assert_success
	assert_equal "${#lines[@]}" 4
	for line in "${lines[@]}"; do
		for key in primitive target fd events available pid exit signal; do
			json "$key" <<<"$line" >/dev/null ||
			    fail "no $key in $line"
		done
	done
	assert_equal "$(json pid <<<"${lines[2]}")" 2147483647
	assert_equal "$(json fd <<<"${lines[3]}")" 0
}

# ---- how a stream ends ----

# stream STATUS COMMAND TEXT [OPTION]...: the lines of a FIFO that holds TEXT and
# keeps a writer.
stream() {
	local wanted=$1 command=$2

	rm -f pipe
	mkfifo pipe
	exec 7<>pipe
	printf '%b' "$3" >&7
	pm "$command" --lines --format %l "${@:4}" "$(reads "$command" 7)"
	assert_equal "$status" "$wanted"
}

until_line() {
	local left

	stream 0 "$1" 'a\nREADY\nb\n' -t 1h --until '^READY$'
	assert_equal "$output" $'a\nREADY'
	read -r left <&7
	assert_equal "$left" b
	stream 124 "$1" 'a\n' -t 20ms --until READY
	assert_equal "$output" a
	printf 'a\n' >file
	pm "$1" --lines -t 1h --until READY "$(reads "$1" 0)" < <(cat file)
	assert_equal "$status" 1
}

@test "--until: 0 for the line, 1 for the end before it, 124 for the time" {
	each until_line
}

partial_line() {
	stream 0 "$1" 'a\nlogin: ' -t 1h --until ': $' --partial
	assert_equal "$output" $'a\nlogin: '
	stream 124 "$1" 'a\nlogin: ' -t 20ms --until ': $'
}

@test "--partial: an unfinished line matches" {
	each partial_line
}

while_process() {
	stream 0 "$1" 'a\n' -t 1h --while 2147483647
	assert_equal "$output" a
	stream 1 "$1" 'a\n' -t 1h --while 2147483647 --until READY
	stream 1 "$1" '' -t 1h --while 2147483647
}

@test "--while: a stream ends with its process, after what it wrote" {
	each while_process
}

settled() {
	rm -f pipe
	mkfifo pipe
	exec 7<>pipe
	echo >&7
	pm "$1" --follow --settle 5ms -c 1 -t 1h "$(reads "$1" 7)"
	assert_equal "$status ${#lines[@]}" '0 1'
	usage_error '--settle' "$1" --lines --settle 5ms "$(reads "$1" 7)"
	usage_error '--settle' "$1" --settle 5ms "$(reads "$1" 7)"
}

@test "--settle: one event after the last change" {
	each settled
}

reopened() {
	local target

	rm -f pipe
	mkfifo pipe
	target=$(reads "$1" pipe)
	waiting "$1" --lines --reopen -c 2 -t 1h --format %l "$target"
	echo one >pipe
	until [[ $(<out) == one ]]; do sleep 0.01; done
	echo two >pipe
	wait "$pid"
	assert_equal "$(<out)" $'one\ntwo'
}

@test "--reopen: a named pipe is kept for its next writer" {
	each reopened
}

needs() {
	local target

	target=$(reads "$1" 0)
	usage_error '--until: only with --lines' "$1" --until x "$target"
	usage_error '--partial: only with --until' "$1" --lines --partial "$target"
	usage_error '--while: only with --follow' "$1" --while 1 "$target"
	usage_error '--until' "$1" --lines --until '(' "$target"
	usage_error '--until' "$1" --lines --until '(a)\1' "$target"
}

@test "options of streams: not without what they need" {
	each needs
}
