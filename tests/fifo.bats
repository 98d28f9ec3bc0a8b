#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# Named pipes lose nothing: no peer that pmux let through loses a byte, dies of
# SIGPIPE or sees an end of file because pmux left.
#
# Where a test has --hold 1h, what it waits for must not be the end of --hold.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
# shellcheck disable=SC2094	# both ends of a FIFO
load helper

# writer LINE [FIFO]: in the background; blocked in open(2) when this returns.
# Its process id is in `writer`.
writer() {
	# shellcheck disable=SC2016
	peer run writer.status bash -c 'echo "$1" >"$2"' - "$1" "${2-f}" 3>&- &
	writer=$!
	await_blocked "$writer"
}

# A shell's only child, of peer run, that sleeps can be in no call but open.
await_blocked() {
	local child

	until child=$(child_of "$1") && [[ $child && $(state "$child") == S ]]; do
		[[ $(state "$1") == [!ZX] ]] || return 0
		sleep 0.002
	done
}

# A writer that has come to its end came to a good one.
writer_done() {
	wait "$writer"
	assert_equal "writer: $(<writer.status)" 'writer: exit 0'
}

# reader: all that comes, into got.
reader() {
	cat f >got 3>&- &
	reader=$!
	await_state "$reader" S
}

# line WANTED [FIFO]: what one read(1) of the FIFO gives.
line() {
	local got

	read -r got <"${2-f}"
	assert_equal "$got" "$1"
}

# is_in [NAME]: what the last run printed; the writer may have gone meanwhile.
is_in() {
	[[ $status == 0 && $output == in?(,hup)$'\t'"${1-f}" ]] ||
	    fail "status $status, output $output, message $stderr"
}

# The process ids of those that have the FIFO open.
holders() {
	peer openers f | cut -d ' ' -f 1
}

prepare() {
	seen_fifo
}

# ---- the naive scripts ----

# shellcheck disable=SC2016
naive_in='pmux poll -t 1h --hold 1h f:in >out && read -r job <f && echo "$job"'
naive_out='pmux poll -t 1h --hold 1h f:out >out && echo job >f'

@test "in: a writer that came before" {
	local shell

	for shell in sh dash bash; do
		command -v $shell >/dev/null || continue
		writer job
		run $shell -c "$naive_in"
		assert_success
		assert_output job
		writer_done
		peer await 0 f
	done
}

@test "in: a writer that comes during the wait" {
	mkfifo ready
	bash -c "${naive_in/f:in/--ready-fd 9 f:in 9>ready}" >got 3>&- &
	script=$!
	read -r _ <ready
	echo job >f
	wait "$script"
	assert_equal "$(<got)" job
	peer await 0 f
}

@test "in: a writer that comes after the wait" {
	writer one
	pm poll -t 1h --hold 1h f:in
	is_in
	writer_done
	echo two >f
	run cat f
	assert_output $'one\ntwo'
	peer await 0 f
}

@test "in: a writer that comes after a wait in vain" {
	pm poll -t 1ms --hold 1h f:in
	expect 124
	assert_equal "$(holders)" ''
	writer job
	line job
	writer_done
}

@test "in: a writer that has written and gone" {
	writer job
	pm poll -t 1h --hold 1h f:in
	assert_success
	writer_done
	run cat f
	assert_output job
	peer await 0 f
}

on_every_primitive() {
	writer "$1"
	pm "$1" -t 1h --hold 1h "$(reads "$1" f)"
	short
	output=${output/#read/in}
	is_in
	writer_done
	line "$1"
	peer await 0 f
}

@test "in: on every primitive" {
	each on_every_primitive
}

@test "in: a writer that is connected and has not written" {
	mkfifo opened go
	exec 6<>go
	peer run writer.status bash -c \
	    'exec 5>f; echo >opened; read -r _ <go; echo job >&5' 6<&- 3>&- &
	writer=$!
	# pmux stays until the writer is through
	waiting poll -t 1h --hold 1h f:in 6<&-
	read -r _ <opened
	kill -TERM "$pid"
	finish "$pid"
	assert_equal "$status" 143
	echo >&6
	line job
	writer_done
	peer await 0 f
}

@test "in: the same when time is up" {
	mkfifo opened go
	exec 6<>go
	peer run writer.status bash -c \
	    'exec 5>f; echo >opened; read -r _ <go; echo job >&5' 6<&- 3>&- &
	writer=$!
	await_blocked "$writer"
	pm poll -t 1ms --hold 1h f:in
	expect 124
	read -r _ <opened
	echo >&6
	line job
	writer_done
	peer await 0 f
}

@test "in: a writer that goes without writing ends the holder" {
	mkfifo opened go
	exec 6<>go
	bash -c 'exec 5>f; echo >opened; read -r _ <go' 6<&- 3>&- &
	writer=$!
	waiting poll -t 1h --hold 1h f:in 6<&-
	read -r _ <opened
	kill -TERM "$pid"
	finish "$pid"
	echo >&6
	wait "$writer"
	peer await 0 f
}

@test "in: two writers" {
	writer one
	first=$writer
	writer two
	pm poll -t 1h --hold 1h f:in
	assert_success
	wait "$first"
	writer_done
	run cat f
	assert_equal "$(sort <<<"$output")" $'one\ntwo'
	peer await 0 f
}

@test "in: a reader that closes with bytes unread takes nothing else" {
	writer $'one\ntwo\nthree'
	pm poll -t 1h --hold 1h f:in
	writer_done
	line one
	line two
	line three
	peer await 0 f
}

@test "in: more than one wait before the read" {
	writer job
	pm poll -t 1h --hold 1h f:in
	writer_done
	for _ in 1 2 3; do
		pm poll -t 1h --hold 1h f:in
		is_in
	done
	line job
	peer await 0 f
}

@test "in: many waits in a row" {
	local i

	rounds 100
	for ((i = 0; i < rounds; i++)); do
		echo "job $i" >f 3>&- &
		pmux poll -t 1h --hold 1h f:in >out
		line "job $i"
		wait $!
	done
	peer await 0 f
}

@test "in: many writers, many lines, one a wait" {
	local i

	rounds 50
	seq 1 "$rounds" >wanted
	while read -r i; do
		echo "$i" >f
	done <wanted 3>&- &
	for ((i = 0; i < rounds; i++)); do
		pmux poll -t 1h --hold 1h f:in >out
		read -r job <f
		echo "$job"
	done >got
	wait $!
	diff wanted got
}

@test "out: a reader that came before" {
	local shell

	for shell in sh dash bash; do
		command -v $shell >/dev/null || continue
		reader
		run $shell -c "$naive_out"
		assert_success
		wait "$reader"
		assert_equal "$(<got)" job
		peer await 0 f
	done
}

@test "out: a reader that comes during the wait" {
	mkfifo ready
	bash -c "${naive_out/f:out/--ready-fd 9 f:out 9>ready}" 3>&- &
	script=$!
	read -r _ <ready
	cat f >got
	wait "$script"
	assert_equal "$(<got)" job
	peer await 0 f
}

@test "out: no reader, time is up" {
	pm poll -t 20ms --hold 1h f:out
	expect 124
	assert_equal "$(holders)" ''
}

@test "out: the reader sees no end of file before the writer comes" {
	reader
	pm poll -t 1h --hold 1h f:out
	expect 0 $'out\tf'
	await_state "$reader" S
	peer await 2 f
	echo job >f
	wait "$reader"
	assert_equal "$(<got)" job
	peer await 0 f
}

@test "out: a writer that opens and closes ends it too" {
	[[ ! ${PMUX_AS-} ]] || skip "a BSD notes it at most on tmpfs"
	[[ $(pmux info) == *$'\nfifo\twatched'* ]] || skip "needs a watch"
	reader
	pm poll -t 1h --hold 1h f:out
	: >f
	wait "$reader"
	assert_equal "$(<got)" ''
	peer await 0 f
}

@test "out: the reader sees the end when its real writer is gone" {
	reader
	pm poll -t 1h --hold 1h f:out
	exec 5>f
	echo one >&5
	echo two >&5
	exec 5>&-
	wait "$reader"
	assert_equal "$(<got)" $'one\ntwo'
}

@test "out: many waits in a row" {
	local i

	rounds 100
	for ((i = 0; i < rounds; i++)); do
		cat f >got 3>&- &
		pmux poll -t 1h --hold 1h f:out >out
		echo "job $i" >f
		wait $!
		assert_equal "$(<got)" "job $i"
	done
	peer await 0 f
}

out_on_every_primitive() {
	need_fifo_room "$1"
	reader
	pm "$1" -t 1h --hold 1h "$(writes "$1" f)"
	assert_success
	echo "$1" >f
	wait "$reader"
	assert_equal "$(<got)" "$1"
	peer await 0 f
}

@test "out: on every primitive" {
	each out_on_every_primitive
}

@test "both sides use pmux, again and again" {
	local i

	rounds 200
	for ((i = 0; i < rounds; i++)); do
		pmux poll -t 1h --hold 1h f:out >/dev/null || exit
		echo "job $i" >f
	done 3>&- &
	sender=$!
	for ((i = 0; i < rounds; i++)); do
		pmux poll -t 1h --hold 1h f:in >out ||
		    fail "round $i: $? $(<out)"
		read -r job <f
		assert_equal "$job" "job $i"
	done
	wait "$sender"
	peer await 0 f
}

@test "out: a pmux that opens it while another leaves finds the mark" {
	local inode waiting

	need_linux
	[[ $(uname -m) == x86_64 ]] || skip "vfork may be clone here"
	deny clone=EAGAIN -- true || skip "no seccomp"
	[[ -r /proc/locks ]] || skip "no /proc/locks"
	inode=$(stat -c %i f)
	reader
	# no holder can be started: it is leaving for a second
	deny clone=EAGAIN clone3=EAGAIN -- pmux poll -q -t 1h f:out 3>&- 2>err &
	waiting=$!
	until grep -q "WRITE .*:$inode $((1 << 62)) $((1 << 62))\$" /proc/locks; do
		kill -0 "$waiting" || fail "it has left no mark"
	done
	wait "$waiting" || assert_equal $? 3
	wait "$reader"
}

@test "several FIFOs at once" {
	mkfifo g h
	writer job f
	writer job g
	writer job h
	pm poll -t 1h --all --hold 1h f:in g:in h:in
	assert_equal "$status ${#lines[@]}" '0 3'
	line job f
	line job h
	line job g
	peer await 0 f
	peer await 0 g
	peer await 0 h
}

@test "one of several FIFOs is ready, the others keep their writers" {
	mkfifo g opened go
	exec 6<>go
	peer run writer.status bash -c \
	    'exec 5>g; echo >opened; read -r _ <go; echo late >&5' 6<&- 3>&- &
	writer=$!
	await_blocked "$writer"
	echo job >f 3>&- &
	pm poll -t 1h --hold 1h f:in g:in
	is_in
	read -r _ <opened
	echo >&6
	line late g
	line job f
	writer_done
}

@test "an error after a FIFO was opened loses nothing" {
	writer job
	pm poll -t 1h --hold 1h f:in none:in
	expect_error 3 'none: .*\[ENOENT\]'
	line job
	writer_done
}

@test "standard output that cannot be written loses nothing" {
	[[ -w /dev/full ]] || skip "no /dev/full"
	writer job
	run bash -c 'pmux poll -t 1h --hold 1h f:in >/dev/full'
	assert_failure 3
	line job
	writer_done
}

@test "a reader of standard output that has gone loses nothing" {
	writer job
	with 1=pipe.w.reader-gone -- peer run status \
	    pmux poll -t 1h --hold 1h f:in
	assert_equal "$(<status)" 'signal 13'
	line job
	writer_done
}

@test "the caller has the FIFO open itself" {
	exec 5<>f
	echo job >&5
	pm poll -t 1h --hold 1h f:in
	expect 0 $'in\tf'
	line job /dev/fd/5
	exec 5<&-
	peer await 0 f
}

# ---- killed ----

# Killed a little later each time, before it has opened and after.
killed_in() {
	local i

	rounds 40
	for ((i = 0; i < rounds; i++)); do
		writer "job $i"
		peer run -k "$1:$((i * 5000000 / rounds))" status \
		    pmux poll -t 1h --hold 1h f:in >/dev/null 2>err
		line "job $i"
		writer_done
	done
	peer await 0 f
}

@test "in: killed by SIGTERM at any moment" {
	killed_in TERM
}

@test "in: killed by SIGINT at any moment" {
	killed_in INT
}

@test "in: killed by SIGHUP at any moment" {
	killed_in HUP
}

@test "in: killed at any moment while the writer has not written" {
	local i signal
	local -a signals=(TERM INT HUP)

	mkfifo go
	exec 6<>go
	rounds 45
	for ((i = 0; i < rounds; i++)); do
		signal=${signals[i % 3]}
		# shellcheck disable=SC2016
		peer run writer.status bash -c \
		    'exec 5>f; read -r _ <go; echo "$0" >&5' "job $i" \
		    6<&- 3>&- &
		writer=$!
		await_blocked "$writer"
		peer run -k "$signal:$((i * 4500000 / rounds))" status \
		    pmux poll -t 1h --hold 1h f:in >out 2>err
		case $signal in
		TERM)
			assert_equal "$(<status)" 'signal 15'
			;;
		INT)
			assert_equal "$(<status)" 'signal 2'
			;;
		HUP)
			assert_equal "$(<status)" 'signal 1'
			;;
		esac
		echo >&6
		line "job $i"
		writer_done
	done
	peer await 0 f
}

@test "in: killed by any other signal that ends it" {
	local signal

	ulimit -c 0
	mkfifo opened go
	exec 6<>go
	for signal in QUIT USR1 USR2 ALRM PIPE VTALRM XCPU; do
		peer run writer.status bash -c \
		    'exec 5>f; echo >opened; read -r _ <go; echo job >&5' \
		    6<&- 3>&- &
		writer=$!
		mkfifo ready
		peer run status bash -c 'echo $$ >pid
			exec pmux poll --ready-fd 9 -t 1h --hold 1h f:in \
			    9>ready' 6<&- 3>&- &
		killed=$!
		read -r _ <ready
		rm ready
		read -r _ <opened
		kill -"$signal" "$(<pid)"
		wait "$killed"
		assert_equal "$signal $(<status)" \
		    "$signal signal $(kill -l "$signal")"
		echo >&6
		line job
		writer_done
	done
	peer await 0 f
}

@test "out: killed at any moment while the reader waits" {
	local i signal
	local -a signals=(TERM INT HUP)

	rounds 45
	for ((i = 0; i < rounds; i++)); do
		signal=${signals[i % 3]}
		reader
		peer run -k "$signal:$((i * 4500000 / rounds))" status \
		    pmux poll -t 1h --all --hold 1h f:out 0:in \
		    </dev/zero >out 2>err
		echo "job $i" >f
		wait "$reader"
		assert_equal "$(<got)" "job $i"
	done
	peer await 0 f
}

@test "out: killed while there is no reader" {
	waiting poll -t 1h f:out
	kill -TERM "$pid"
	finish "$pid"
	expect 143
	assert_equal "$(holders)" ''
}

# ---- the holder ----

# unread_line: a FIFO with an unread line whose writer is gone.
unread_line() {
	writer "${1-job}"
	pmux poll -t 1h --hold "${2-1h}" f:in >out
	writer_done
}

# has_title: whether a holder gets one.
has_title() {
	[[ ! ${PMUX_AS-} && $(uname -s) != @(Darwin|SunOS) ]]
}

# held: unread_line; the holder's process id is in `holder`. Until it has its title,
# which a BSD has otherwise, it forgets signals, which may have been meant for pmux.
held() {
	unread_line "$@"
	holder=$(holders)
	[[ $holder =~ ^[0-9]+$ ]]
	until [[ ! ${PMUX_AS-} ]] || awk '$1 == "SigBlk:" { exit $2 ~ /[4-7c-f]...$/ }' \
	    "/proc/$holder/status"; do
		sleep 0.002
	done
	has_title || return 0
	until [[ $(command_of "$holder") == 'pmux: holds '* ]]; do
		sleep 0.002
	done
}

@test "a pipe that the caller reads sees its end while the holder stays" {
	local text

	writer job
	text=$(pmux poll -t 1h --hold 1h f:in 2>&1)
	[[ $text == in?(,hup)$'\tf' ]]
	writer_done
	[[ $(holders) ]]
	line job
}

@test "the holder has none of the caller's descriptors" {
	local fd link text
	local -A ours

	exec 5>marker 6<>marker
	held
	text=$(peer openers marker)
	assert_regex "$text" "(^|"$'\n'")$$ rw"
	refute_regex "$text" "(^|"$'\n'")$holder "
	# pipes and sockets, too
	for fd in "/proc/$$"/fd/* /proc/self/fd/*; do
		link=$(readlink "$fd") || continue
		[[ $link == /dev/null ]] || ours[$link]=yes
	done
	for fd in "/proc/$holder"/fd/*; do
		link=$(readlink "$fd") || continue
		[[ ! ${ours[$link]-} ]] || fail "$fd is $link"
	done
	line job
}

@test "the holder is in no job table and has its own session" {
	local text
	local -a fields ours

	# shellcheck disable=SC2016
	text=$(bash -c 'set -m
		echo job >f &
		pmux poll -t 1h --hold 1h f:in >out
		wait
		jobs
		ps -A -o ppid= -o stat= | grep "^ *$$ *Z"')  || :
	refute_regex "$text" 'pmux'
	refute_regex "$text" 'Z'
	holder=$(holders)
	read -ra ours <<<"$(ps -o pgid= -o sid= -p $$)"
	read -ra fields <<<"$(ps -o pgid= -o sid= -o ppid= -o tty= -p "$holder")"
	[[ ${fields[0]} != "${ours[0]}" && ${fields[1]} != "${ours[1]}" ]]
	[[ ${fields[2]} != "$$" && ${fields[2]} != "$BASHPID" ]]
	[[ ${fields[3]} == [-?]* ]]
	line job
}

@test "the holder ends when it is used up" {
	held
	line job
	peer await 0 f
}

@test "the holder ends at --hold, and not before" {
	local start end

	start=$(peer clock)
	unread_line job 300ms
	peer await 0 f
	end=$(peer clock)
	((end - start >= 300000000))
	# nothing is there any more: the next writer finds no reader
	writer again
	assert_equal "$(state "$writer")" S
	line again
}

@test "the holder of a reader ends at --hold" {
	local start end

	reader
	start=$(peer clock)
	pm poll -t 1h --hold 300ms f:out
	assert_success
	wait "$reader"
	end=$(peer clock)
	((end - start >= 300000000))
	assert_equal "$(<got)" ''
	peer await 0 f
}

@test "--hold 0 leaves none" {
	exec 5<>f
	exec 6>f
	exec 5<&-
	pm poll -t 1ms --hold 0 f:in 6>&-
	expect 124
	exec 6>&-
	assert_equal "$(holders)" ''
	writer job
	pm poll -t 1h --hold 0 f:in
	is_in
	assert_equal "$(holders | grep -vx "$(child_of "$writer")" || :)" ''
}

@test "nothing to lose, no holder" {
	exec 5<>f
	pm poll -t 0 --hold 1h f:in 5<&-
	expect 124
	exec 5<&-
	peer await 0 f
	pm poll -t 0 --hold 1h f:in
	expect 124
	assert_equal "$(holders)" ''
}

@test "waits in vain leave no process" {
	local i

	rounds 60
	for ((i = 0; i < rounds; i++)); do
		pmux poll -q -t 0 f:in || assert_equal $? 124
		pmux poll -q -t 0 f:out || assert_equal $? 124
	done
	assert_equal "$(holders)" ''
}

@test "the same without tee(2)" {
	deny tee=ENOSYS -- true || skip "no seccomp"
	deny tee=ENOSYS -- pmux poll -q -t 0 f:in || assert_equal $? 124
	assert_equal "$(holders)" ''
	# but a writer that is connected keeps one
	writer_later
	deny tee=ENOSYS -- pmux poll -q -t 100ms f:in || assert_equal $? 124
	[[ $(holders) ]]
	echo >go
	line job
	writer_done
	peer await 0 f
}

@test "at most one holder after many waits for what is there" {
	local i

	held
	rounds 50
	for ((i = 0; i < rounds; i++)); do
		pmux poll -t 1h --hold 1h f:in >out
	done
	peer await 1 f
	line job
	peer await 0 f
}

@test "at most one holder after many waits for a reader that is there" {
	local i

	reader
	rounds 50
	for ((i = 0; i < rounds; i++)); do
		pmux poll -t 1h --hold 1h f:out >out
	done
	peer await 2 f
	echo job >f
	wait "$reader"
	assert_equal "$(<got)" job
	peer await 0 f
}

@test "at most one holder after waits at the same time" {
	local i
	local -a pids

	held
	for ((i = 0; i < 10; i++)); do
		pmux poll -t 1h --hold 1h f:in >/dev/null 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	peer await 1 f
	line job
	peer await 0 f
}

@test "a later wait with a shorter --hold takes nothing away" {
	held job 1h
	pm poll -t 1h --hold 50ms f:in
	assert_success
	pm poll -t 200ms
	expect 124
	peer await 1 f
	line job
	peer await 0 f
}

@test "a later wait with a longer --hold prolongs it" {
	held job 3s
	pm poll -t 1h --hold 1h f:in
	assert_success
	pm poll -t 3.1s
	expect 124
	peer await 1 f
	line job
	peer await 0 f
}

# cpu PID: the ticks of a hundredth of a second that it has used.
cpu() {
	local -a fields

	read -ra fields <<<"$(sed 's/.*) //' "/proc/$1/stat")"
	echo $((fields[11] + fields[12]))
}

@test "neither pmux nor the holder is busy while it waits" {
	local before

	[[ $(getconf CLK_TCK) == 100 ]] || skip "other clock ticks than usual"
	exec 5<>f 6>f
	exec 5<&-
	mkfifo g
	waiting poll -t 1h --all --hold 1h f:in g:out
	before=$(cpu "$pid")
	with 7=pipe.r.empty -- pmux poll -t 500ms 7:in
	(($(cpu "$pid") - before < 20))
	kill -TERM "$pid"
	finish "$pid"
	# one that watches the writer, and then one that watches for a reader
	holder=$(peer openers f | grep -vw "$$" | cut -d ' ' -f 1)
	before=$(cpu "$holder")
	with 7=pipe.r.empty -- pmux poll -t 500ms 7:in 6>&-
	(($(cpu "$holder") - before < 20))
	echo job >&6
	exec 6>&-
	before=$(cpu "$holder")
	with 7=pipe.r.empty -- pmux poll -t 500ms 7:in
	(($(cpu "$holder") - before < 20))
	line job
	peer await 0 f
}

@test "SIGTERM, SIGINT, SIGHUP and SIGQUIT end the holder at once" {
	local signal

	ulimit -c 0
	for signal in TERM INT HUP QUIT; do
		held
		kill -$signal "$holder"
		# what its end still takes would be lost
		await_gone "$holder"
	done
}

@test "also where the caller ignores them" {
	local signal

	ulimit -c 0
	trap '' TERM INT HUP QUIT
	for signal in TERM INT HUP QUIT; do
		held
		kill -$signal "$holder"
		# what its end still takes would be lost
		await_gone "$holder"
	done
	trap - TERM INT HUP QUIT
}

@test "without --hold the holder stays as long as it is needed" {
	local f job

	mkfifo urgent
	writer 'job one'
	f=$(pmux wait -n 1 -t 1h --format %t urgent f)
	writer_done
	# longer than any limit that it ever had
	sleep 10.5
	read -r job <"$f"
	assert_equal "$job" 'job one'
	peer await 0 f
}

# title PID: what a list of processes shows of a holder, which takes its title
# after pmux has left.
title() {
	local text

	until text=$(command_of "$1") && [[ $text == 'pmux: holds '?* ]]; do
		sleep 0.002
	done
	text=${text% }
	# NetBSD's ps(1) adds the name of the program
	printf '%s\n' "${text% (pmux)}"
}

@test "the holder's title says what it holds" {
	has_title || skip "it has none"
	mkfifo g
	held
	assert_equal "$(title "$holder")" 'pmux: holds f'
	line job
	peer await 0 f
	writer one
	first=$writer
	writer two g
	pmux poll -q -a -t 1h --hold 1h f:in g:in
	wait "$first"
	writer_done
	holder=$(holders)
	assert_equal "$(title "$holder")" 'pmux: holds f, g'
	line one
	line two g
	peer await 0 f
}

@test "the title: hostile names, long ones, no environment" {
	local name=$'a\n\033[2J\\' long

	need_linux
	mv f "$name"
	ln -s "$name" f
	writer job
	env -i "$PMUX" poll -q -t 1h --hold 1h "$name:in"
	writer_done
	holder=$(holders)
	[[ $(title "$holder") == 'pmux: holds a\n\0033[2J\\' ]]
	line job
	peer await 0 f
	# the arguments are shorter than the title would be
	printf -v long 'x%0200d' 0
	ln -s "$name" "$long"
	writer job
	echo "$long:in" | env -i "$PMUX" poll -q -t 1h @-
	writer_done
	holder=$(holders)
	[[ $(title "$holder") == 'pmux: holds x000'* ]]
	line job
}

@test "a FIFO without a name is not held" {
	local id how

	for how in 'rm f' 'mkfifo g; mv g f' 'echo >g; mv g f'; do
		held
		id=$(file_id f)
		eval "$how"
		peer await 0 "$id"
		rm -f f
		mkfifo f
	done
	# the write end, and one that pmux still waits at
	reader
	pmux poll -q -t 1h f:out
	id=$(file_id f)
	rm f
	wait "$reader"
	peer await 0 "$id"
	mkfifo f
	id=$(file_id f)
	writer_later
	waiting poll f:in
	rm f
	kill -TERM "$pid"
	finish "$pid"
	peer await 1 "$id"
	kill "$writer"
}

@test "a FIFO that has another name still is held" {
	held
	ln f g
	rm f
	chmod 600 g
	mv g f
	pm poll -t 100ms
	line job
	peer await 0 f
}

# What a peer may do who may only write, or only read.
hostile() {
	peer lock "$1" f "$2" "$3" pmux poll -t 300ms || :
}

@test "who may only write can make no holder leave" {
	local job zone=$((1 << 61))

	need_linux
	held
	hostile out 0 0
	hostile out $((zone - 2)) 1
	hostile out 1 $((zone - 2))
	hostile out $((zone / 2 - 2)) 1
	pmux poll -q -t 1h --hold 1h f:in
	line job
	peer await 0 f
}

@test "who may only read can make no holder of a reader leave" {
	local zone=$((1 << 61))

	reader
	pmux poll -q -t 1h --hold 1h f:out
	hostile in "$zone" $((zone - 1))
	hostile in 0 0
	assert_equal "$(holders | count -l)" 2
	echo job >f
	wait "$reader"
	assert_equal "$(<got)" job
	peer await 0 f
}

@test "every byte of it locked: pmux goes on as if alone" {
	local end

	run peer lock out f 0 0 true
	[[ $output != *"no locks of open file descriptions"* ]] || skip "$output"
	for end in out in; do
		exec 5<>f
		mkfifo ready
		peer lock "$end" f 0 0 bash -c 'echo >ready; exec sleep 3600' \
		    3>&- 5<&- &
		locker=$!
		read -r _ <ready
		rm ready
		echo job >&5
		pm poll -t 1h --hold 1h f:in
		is_in
		exec 5<&-
		kill "$locker"
		wait "$locker" || :
		line job
		peer await 0 f
	done
}

@test "a holder counts for no pmux as a reader" {
	local job

	# once with bytes unread, once read
	held
	pm poll -q -t 0 f:out
	expect 124
	pm poll -q -t 100ms f:out
	expect 124
	line job
	pm poll -q -t 0 f:out
	expect 124
	peer await 0 f
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		(echo x >f 3>&- &)
		pmux wait -q -t 1h f
		read -r job <f
		pm poll -q -t 0 f:out
		expect 124
	done
	peer await 0 f
}

@test "a reader that has come to a holder counts" {
	[[ ! ${PMUX_AS-} ]] || skip "a BSD reports no open"
	[[ $(pmux info) == *$'\nfifo\twatched'* ]] || skip "needs a watch"
	held
	# shellcheck disable=SC2217	# who has it open and reads nothing
	sleep 3600 <f 3>&- &
	pm poll -q -t 1h f:out
	expect 0
	kill $!
	wait $! || :
	line job
	peer await 0 f
}

@test "two holders do not wait for each other" {
	# the reader was a pmux, and is one that holds now
	waiting poll f:in
	pmux poll -q -t 1h f:out
	kill -TERM "$pid"
	finish "$pid"
	peer await 0 f
}

@test "nor where the reader is no holder until much later" {
	[[ $(pmux info) == *$'\nfifo\twatched'* ]] || skip "needs a watch"
	waiting poll f:in
	pmux poll -q -t 1h --debug=log f:out
	# it has checked the reader, and sleeps for longer than before that
	until grep -Eq '\sholder\ssleep, timeout (inf|[2-9])' log; do
		sleep 0.02
	done
	kill -TERM "$pid"
	finish "$pid"
	peer await 0 f
}

# pair FIFO: two holders, each of which has nobody but the other, and both have
# just seen a reader come and go.
pair() {
	local reader

	mkfifo "$1"
	pmux poll -q "$1:in" &
	reader=$!
	pmux poll -q -t 1h "$1:out"
	kill -TERM "$reader"
	wait "$reader" || :
	# it does not block where both have left by now
	dd if="$1" iflag=nonblock count=0 2>notes."$1"
}

@test "nor where one leaves just when the other checks" {
	local i

	[[ ! ${PMUX_AS-} ]] || skip "a BSD reports no open"
	[[ $(pmux info) == *$'\nfifo\twatched'* ]] || skip "needs a watch"
	for ((i = 0; i < 40; i++)); do
		pair "f$i" 3>&- &
	done
	wait
	for ((i = 0; i < 40; i++)); do
		peer await 0 "f$i"
	done
}

@test "a reader that waits in open while a holder leaves counts" {
	[[ ! ${PMUX_AS-} ]] || skip "a BSD reports no open"
	[[ $(pmux info) == *$'\nfifo\twatched'* ]] || skip "needs a watch"
	held
	line job
	cat f >got 3>&- &
	reader=$!
	pm poll -q -t 1h f:out
	expect 0
	echo two >f
	wait "$reader"
	assert_equal "$(<got)" two
	peer await 0 f
}

# without CALL... -- CMD...: each fails as where no process can be started.
without() {
	local -a calls=()

	for (( ; $#; )); do
		[[ $1 != -- ]] || break
		calls+=("$1=EAGAIN")
		shift
	done
	run --separate-stderr deny "${calls[@]}" "$@"
	[[ $status != 77 ]] || skip "$stderr"
}

@test "no process can be started: nothing is opened, no peer is let through" {
	writer job
	without fork vfork clone clone3 -- pmux poll -q -t 1h f:in
	expect_error 3 'f: .*\[EAGAIN\] \(no process can be started'
	reader_file=$(child_of "$writer")
	assert_equal "$(state "$reader_file")" S
	without fork vfork clone clone3 -- pmux poll -q -t 1h --hold 0 none f:in
	expect_error 3 none
	line job
	writer_done
}

@test "a user who may start no process: nothing is opened" {
	need_root
	command -v prlimit >/dev/null || skip "no prlimit"
	writer job
	chmod 666 f
	chmod o+x . .. ../.. ../../.. 2>/dev/null || :
	# one of whom no other test has a process
	run --separate-stderr prlimit --nproc=0 peer as $((65536 + $$)) \
	    "$PMUX" poll -q -t 1h "$PWD/f:in"
	[[ $status != 3 || $stderr != *EACCES* ]] || skip "not reachable"
	expect_error 3 'no process can be started'
	line job
	writer_done
}

@test "no process can be started when pmux leaves: it reports the loss, status 3" {
	local start

	[[ $(uname -m) == x86_64 ]] || skip "vfork may be clone here"
	writer job
	start=$(peer clock)
	without clone clone3 -- pmux poll -q -t 1h f:in
	assert_equal "$status" 3
	(($(peer clock) - start >= 1000000000))
	[[ $stderr == *'f: what is unread is lost'*EAGAIN* ]] ||
	    fail "message: $stderr"
	assert_equal "$(holders)" ''
	writer_done
}

@test "the same by a signal: status 3" {
	[[ $(uname -m) == x86_64 ]] || skip "vfork may be clone here"
	deny clone=EAGAIN -- true || skip "no seccomp"
	writer_later
	mkfifo ready
	deny clone=EAGAIN clone3=EAGAIN -- pmux poll --ready-fd 9 f:in \
	    9>ready >out 2>err 3>&- &
	pid=$!
	read -r _ <ready
	kill -TERM "$pid"
	finish "$pid"
	assert_equal "$status" 3
	[[ $stderr == *'f: its writer has no reader'* ]] ||
	    fail "message: $stderr"
	kill "$writer"
}

@test "without close_range(2) the holder does not try every number" {
	local fd

	deny close_range=ENOSYS -- true || skip "no seccomp"
	writer job
	# shellcheck disable=SC2016
	bash -c 'ulimit -n 1000000 2>/dev/null
		exec deny close_range=ENOSYS -- pmux "$@"' - poll -q -t 1h \
	    --hold 1h f:in 7<"$0" 900<"$0"
	writer_done
	holder=$(holders)
	# a million of close(2) take ten ticks of a hundredth
	(($(cpu "$holder") < 4))
	for fd in "/proc/$holder"/fd/*; do
		[[ ! $fd -ef $0 ]]
	done
	line job
	peer await 0 f
}

@test "the terminal's hangup does not end the holder" {
	writer job
	run peer run status setsid -w bash -c \
	    'pmux poll -t 1h --hold 1h f:in >/dev/null; kill -HUP -$$'
	line job
	writer_done
}

@test "the FIFO is removed meanwhile" {
	local id

	held
	id=$(file_id f)
	rm f
	peer await 0 "$id"
}

@test "the FIFO is replaced meanwhile" {
	local id

	held old
	id=$(file_id f)
	rm f
	mkfifo f
	assert_equal "$(holders)" ''
	writer new
	pm poll -t 1h --hold 1h f:in
	is_in
	writer_done
	line new
	peer await 0 f
	peer await 0 "$id"
}

@test "the FIFO is replaced by a file meanwhile" {
	local id

	held old
	id=$(file_id f)
	echo text >new
	mv new f
	peer await 0 "$id"
	assert_equal "$(<f)" text
}

@test "the FIFO gets another name meanwhile" {
	held
	mv f g
	line job g
	peer await 0 g
}

@test "the directory gets another name meanwhile" {
	mkdir d
	mkfifo d/f
	writer job d/f
	pm poll -t 1h --hold 1h d/f:in
	assert_success
	writer_done
	mv d e
	line job e/f
	peer await 0 e/f
}

@test "the caller's directory goes away meanwhile" {
	mkdir d
	writer job
	run bash -c 'cd d && pmux poll -t 1h --hold 1h ../f:in'
	assert_success
	rmdir d
	writer_done
	line job
	peer await 0 f
}

@test "a link to a FIFO is that FIFO" {
	ln -s f link
	writer job
	pm poll -t 1h --hold 1h link:in
	is_in link
	writer_done
	pm poll -t 1h --hold 1h f:in
	peer await 1 f
	line job
	peer await 0 f
}

@test "with few descriptors nothing is lost" {
	local n

	for n in 5 6 7 8 9 10 12; do
		writer "job $n"
		bash -c "ulimit -n $n; exec pmux poll -t 1h --hold 1h f:in" \
		    5<&- 6<&- || :
		# without a watch a reader may see its end once too early
		line "job $n" || line "job $n"
		writer_done
		# what comes just as an unwatched end is closed may be lost
		peer await 0 f
	done
}

@test "nor where there is only room for one that has to be moved" {
	writer job
	run --separate-stderr bash -c 'exec 3</dev/null <&-; ulimit -n 4
		exec "$PMUX" poll -t 1h --hold 1h f:in' 5<&- 6<&-
	expect_error 3 '\[EMFILE\]$'
	line job
	writer_done
}

@test "without a watch: a writer that comes while the holder is idle" {
	local pause

	# it samples at growing intervals: come at several moments in between
	for pause in 0 0.005 0.01 0.02 0.03 0.04 0.06; do
		writer one
		bash -c 'ulimit -n 5; exec pmux poll -t 1h --hold 1h f:in' \
		    5<&- 6<&- || :
		line one
		writer_done
		sleep "$pause"
		writer two
		line two
		writer_done
		peer await 0 f
	done
}

# ---- both directions ----

@test "both directions of one FIFO by name: a usage error that says why" {
	usage_error 'f.*(both|direction|read.*writ)' poll -t 0 f:in,out
	usage_error . wait -t 0 f:in,out
	usage_error . poll -t 0 f:in ./f:out
	usage_error . select -t 0 -r f -w f
	assert_equal "$(holders)" ''
}

@test "both directions of one FIFO by number are fine" {
	with 7=fifo.rw.data -- pmux poll -t 0 7:in,out
	expect 0 $'in,out\t7'
}

# ---- what pmux is killed by, and where it runs ----

skip_if_sanitized() {
	[[ -z ${ASAN_OPTIONS-} ]] || skip "the sanitizer $1"
}

# A writer that pmux let through and that has not written yet, and pmux.
let_through() {
	writer_later
	waiting poll --hold 1h f:in
}

# As writer, but it writes when `go` is written to.
writer_later() {
	mkfifo go
	# shellcheck disable=SC2016
	peer run writer.status bash -c 'exec 5>f; read -r _ <go; echo job >&5' \
	    3>&- &
	writer=$!
	await_blocked "$writer"
}

@test "any signal that ends pmux leaves a holder" {
	local name

	skip_if_sanitized "catches some of them itself"
	for name in HUP ABRT ALRM USR1 USR2 IO PWR STKFLT SYS TRAP BUS \
	    SEGV VTALRM PROF XCPU RTMIN RTMIN+3 RTMAX; do
		# they end nothing on a BSD
		[[ ! ${PMUX_AS-} && $(uname -s) == Linux ||
			$name != @(IO|PWR) ]] || continue
		kill -l "$name" >number 2>&1 || continue
		rm -f go
		let_through
		kill -s "$name" "$pid"
		finish "$pid"
		((status > 128)) || fail "SIG$name: status $status"
		echo >go
		writer_done
		line job
		peer await 0 f
	done
}

@test "without /proc the next reader does not block" {
	need_root
	skip_if_sanitized "wants /proc"
	unshare -m true 2>/dev/null || skip "no mount namespace"
	# shellcheck disable=SC2016
	run --separate-stderr unshare -m sh -c '
		umount -l /proc || exit 77
		(echo job >f) 3>&- &
		pmux poll -t 1h --hold 1h f:in >out && read -r job <f &&
		    echo "$job"'
	[[ $status != 77 ]] || skip "/proc cannot be unmounted"
	expect 0 job
	peer await 0 f
}

@test "a pipe that cannot be written to: pmux says that the reader may wait" {
	need_user
	mkfifo -m 400 g
	chmod 600 g
	writer job g
	chmod 400 g
	pm poll -t 1h --hold 1h g:in
	is_in g
	[[ $stderr == *EACCES* ]] || fail "message: $stderr"
	chmod 600 g
	exec 5<>g
	read -r -u 5 job
	assert_equal "$job" job
	exec 5>&-
	peer await 0 g
}

@test "a pipe without a name is not held" {
	local open

	need_linux
	exec {open}< <(exec sleep 3600 3>&-)
	pm poll -t 0 --hold 1h "/proc/$$/fd/$open"
	expect 124
	assert_equal "$(pgrep -f "/proc/$$/fd/$open" || :)" ''
	kill $!
	exec {open}<&-
}

@test "what is no FIFO any more when its reader is awaited is not held" {
	waiting poll --hold 1h f:out
	: >file
	mv -f file f
	finish "$pid"
	expect 0 out$'\t'f
	assert_equal "$(peer openers f)" ''
}

@test "waits for a reader, three at a time, do not end its file" {
	local round i
	local -a pids

	reader
	for ((round = 0; round < 8; round++)); do
		pids=()
		for ((i = 0; i < 3; i++)); do
			pmux poll -q -t 1h --hold 1h f:out 3>&- &
			pids+=($!)
		done
		wait "${pids[@]}"
	done
	echo job >f
	wait "$reader"
	assert_equal "$(<got)" job
	peer await 0 f
}

@test "--hold 0 takes nothing from a holder" {
	reader
	pmux poll -q -t 1h --hold 1h f:out
	pmux poll -q -t 1h --hold 0 f:out
	echo job >f
	wait "$reader"
	assert_equal "$(<got)" job
	peer await 0 f
}

@test "at most one holder where --hold has no end" {
	local i

	held job inf
	for ((i = 0; i < 5; i++)); do
		pmux poll -q -t 1h --hold inf f:in
	done
	peer await 1 f
	line job
	peer await 0 f
}

@test "without a watch: a writer whose line was read at once has served the reader" {
	local i

	for i in 1 2 3 4 5; do
		reader
		run --separate-stderr deny inotify_init1=ENOSYS -- \
		    pmux poll -t 1h f:out
		[[ $status != 77 ]] || skip "$stderr"
		assert_success
		assert_equal "$stderr" ''
		# after the holder's first check
		peer await 2 f
		echo job >f
		# its end of file: nobody keeps the write end
		wait "$reader"
		peer await 0 f
	done
}
