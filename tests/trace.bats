#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# pmux trace: descriptors and threads over time; and with --calls what waits
# report and what a program does about it.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

prepare() {
	need_linux
}

# calls ARG...: pmux trace --calls, in a time that is enough.
calls() {
	pm trace --calls -- true
	[[ $status != 4 ]] || skip "$stderr"
	[[ $stderr != *EPERM* ]] || skip "ptrace(2): $stderr"
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
			assert_line --regexp $'^21\t[0-9]+\tin\t[0-9]+\t'
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
	# the address sanitizer would report the SIGSEGV that is sent here
	local -x ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}handle_segv=0
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
	# it runs for a moment to stop again
	await_state "$pid" T
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

# ---- looks ----

# need_copies: skip where descriptors of another process cannot be asked.
need_copies() {
	sleep 60 3>&- &
	pm poll -t 0 -p $! 0
	kill $!
	[[ $stderr != *"no pidfd_getfd"* && $stderr != *EPERM* ]] ||
	    skip "pidfd_getfd(2): $stderr"
}

# seen LINE: wait until trace has printed a line that is LINE behind the time.
seen() {
	local line

	while read -r line <&8; do
		[[ ${line#*$'\t'} != "$1" ]] || return 0
		echo "$line"
	done
	return 1
}

# opened NUMBER EVENTS: wait until NUMBER, which has EVENTS, was opened.
opened() {
	local line

	while read -r line <&8; do
		[[ $line != *$'\t'"$1	$2	"*"	opened" ]] || return 0
		echo "$line"
	done
	return 1
}

# tracing ARG...: pmux trace ARG... in the background, for seen.
tracing() {
	[[ -p records ]] || mkfifo records
	pmux trace "$@" >records 2>err 3>&- 9>&- &
	tracer=$!
	exec 8<records
}

@test "a line for each change" {
	need_copies
	mkfifo pipe
	exec 9<>pipe
	sleep 600 7<pipe 3>&- 9>&- &
	pid=$!
	await_state "$pid" S
	until [[ $(<"/proc/$pid/comm") == sleep ]]; do
		sleep 0.002
	done
	tracing --every 1ms -p "$pid" 7
	seen "7	-	0	sleeps in clock_nanosleep	-"
	printf abc >&9
	seen "7	in	3	sleeps in clock_nanosleep	-"
	read -r -n 2 -u 9
	seen "7	in	1	sleeps in clock_nanosleep	-"
	kill -STOP "$pid"
	seen "7	in	1	is stopped	-"
	kill -CONT "$pid"
	kill "$pid"
	wait "$tracer"
}

@test "a descriptor is closed, and is another file" {
	need_copies
	owned
	mkfifo pipe
	owner_does 'exec 7<>pipe'
	tracing --every 1ms -p "$owner" 7
	seen "7	out	0	sleeps in read of 0	-"
	owner_does 'exec 7>&-'
	seen "7	closed	-	sleeps in read of 0	-"
	owner_does 'exec 7</dev/null'
	opened 7 in,out
	kill -TERM "$tracer"
	status=0
	wait "$tracer" || status=$?
	assert_equal "$status" 143
}

# has STATE [WORD]: a process that has a descriptor 7 in STATE, in `owner'.
has() {
	mkfifo owner.pid
	peer with "7=$1" -- peer owner owner.pid ${2+"$2"} 3>&- &
	read -r owner <owner.pid
}

@test "a signalfd is as ready in the samples as at the beginning" {
	need_copies
	has signalfd.pending
	pm trace -t 5ms --every 1ms -p "$owner" 7
	assert_success
	assert_output --regexp $'^0\.000\t7\tin\t-\t[^\n]*$'
	kill "$owner"
}

@test "another process with the number of one that ended is not traced" {
	local last=/proc/sys/kernel/ns_last_pid other=

	need_copies
	[[ -w $last ]] || skip "$last cannot be written"
	sleep 60 3>&- &
	owner=$!
	tracing --every 1ms -p "$owner" 0
	read -r _ <&8
	kill -STOP "$tracer"
	await_state "$tracer" T
	kill "$owner"
	wait "$owner" || :
	for _ in {1..100}; do
		{ echo "$((owner - 1))" >"$last"; } 2>/dev/null || break
		sleep 60 3>&- 8<&- &
		other=$!
		[[ $other != "$owner" ]] || break
		kill "$other"
	done
	kill -CONT "$tracer"
	[[ $other == "$owner" ]] || skip 'the number is not given again'
	wait "$tracer"
	kill "$other"
}

@test "an epoll instance gains an entry that a poll would disturb" {
	need_copies
	has epoll.none-ready 7
	tracing --every 1ms -p "$owner" 7
	read -r _ <&8
	kill -USR2 "$owner"
	seen "7	?	-	sleeps in rt_sigtimedwait	-"
	kill -USR2 "$owner"
	wait "$owner" || fail 'its owner does not get the event'
	wait "$tracer"	# it ends with its owner
}

@test "what the process opens during the trace is added" {
	need_copies
	owned
	mkfifo pipe
	owner_does 'exec 8<>pipe'
	tracing --every 1ms -p "$owner"
	seen "8	out	0	sleeps in read of 0	-"
	owner_does 'exec 7<>pipe'
	opened 7 out
	owner_does 'exec 7>&-'
	seen "7	closed	-	sleeps in read of 0	-"
	owner_does 'exec 7</dev/null'
	opened 7 in,out
	kill "$tracer"
	wait "$tracer" || :
	# named ones only
	tracing --every 1ms --json -p "$owner" 8
	read -r _ <&8
	owner_does 'exec 9<>pipe'
	owner_does 'exec 8</dev/null'
	grep -q -m 1 '"fd":8,.*"opened":true' <&8
	kill "$tracer"
	wait "$tracer" || :
	run cat <&8
	assert_line --regexp '"record":"summary".*"fd":8,"kind":"device".*"files":2,'
	[[ $output != *'"fd":9,'* ]]
}

@test "a number that means another file is marked in the diagram" {
	need_copies
	owned
	mkfifo pipe
	owner_does 'exec 7<>pipe'
	pmux trace --every 1ms --picture --svg out.svg -p "$owner" 7 \
	    >records 2>err 3>&- &
	tracer=$!
	until grep -q 7 records; do
		sleep 0.002
	done
	owner_does 'exec 7</dev/null'
	until grep -q opened records; do
		sleep 0.002
	done
	kill "$tracer"
	wait "$tracer" || :
	grep -qE '^7 device +ready .*\|' records
	grep -qE '^7	device	.*	2$' records
	grep -qE 'width="1" height="[0-9]+" fill="#1f2328"' out.svg
}

@test "a thread behind many others" {
	need_copies
	victim many
	until [[ $(ls "/proc/$pid/task" | wc -l) == 102 ]]; do
		sleep 0.002
	done
	tid=$(ls "/proc/$pid/task" | sort -n | tail -n 1)
	await_state "$pid/task/$tid" S
	pm trace -t 50ms -p "$pid" 20
	assert_success
	assert_output --regexp $'\t20\tin\t1\tthread '"$tid"$' sleeps in (pselect6|select) of 20\t-$'
}

@test "ready and asleep: an edge that was consumed" {
	need_copies
	victim edge
	tracing -p "$pid" 20 21
	seen "21	in	1	sleeps in epoll_wait of 3	-"
	seen "21	in	1	sleeps in epoll_wait of 3	ready and asleep"
	kill "$tracer"
	wait "$tracer" || :
	pm trace -t 400ms --json -p "$pid" 21
	assert_success
	assert_line --regexp '"record":"summary".*"fault_count":1,'
	[[ $output == *'"comm":"spins","fd":21,"kind":"pipe"'* ]]
	# a level is no edge, and nobody waits for 20
	victim nothing
	pm trace -t 400ms --json -p "$pid" 20
	assert_line --regexp '"record":"summary".*"ready_count":1,.*"asleep_count":0,.*"fault_count":0,'
}

@test "a program that reads is at no fault" {
	need_copies
	victim epoll
	pm trace -t 500ms --every 2ms --json -p "$pid"
	assert_success
	[[ $output != *'"fault":true'* ]]
	pm trace -t 500ms --every 2ms --json -p "$pid" 21
	[[ $output != *'"fault":true'* ]]
}

@test "--json: each key in each line" {
	need_copies
	need_json
	victim nothing
	pm trace -t 20ms --json -p "$pid" 20 21
	assert_success
	assert_equal "${#lines[@]}" 4
	for line in "${lines[@]}"; do
		assert_equal "$(json pid <<<"$line")" "$pid"
		assert_equal "$(json kind <<<"$line")" '"pipe"'
		assert_equal "$(json unknown <<<"$line")" '{}'
	done
	assert_equal "$(json events <<<"${lines[0]}")" '["in"]'
	assert_equal "$(json unread <<<"${lines[0]}")" 1
	assert_equal "$(json call <<<"${lines[1]}")" '"epoll_wait"'
	assert_equal "$(json most_unread <<<"${lines[2]}")" 1
}

@test "--picture: blocks, or ASCII where the locale or TERM asks for it" {
	need_copies
	victim edge
	LC_ALL=C.UTF-8 TERM=xterm pm trace -t 400ms --picture -p "$pid" 20 21
	assert_success
	[[ $output == *█████* && $output == *!!!!!* ]]
	assert_line --regexp $'^21 pipe  *ready .*!!!!'
	assert_line --regexp $'^ .*asleep .*!!!!'
	assert_line --regexp $'time +0 .* 0\\.[0-9]* s$'
	# the sums follow
	assert_line --regexp $'^21\tpipe\t[0-9.]*%\t1\t0\\.'
	LC_ALL=C pm trace -t 100ms --picture -p "$pid" 20 21
	LC_ALL=C.UTF-8 TERM=dumb pm trace -t 50ms --picture -p "$pid" 20
	assert_line --regexp '^20 pipe  *ready +#####'
	[[ $output != *█* ]]
	LC_ALL=C pm trace -t 50ms --picture -p "$pid" 20
	assert_line --regexp '^20 pipe  *ready +#####'
}

# on_terminal ARG...: pmux trace ARG... for half a second on a terminal, which
# then sends SIGINT.
on_terminal() {
	need_copies
	command -v script >/dev/null || skip "no script(1)"
	script -qec true /dev/null </dev/null >script 2>&1 ||
	    skip "this script(1) has other options"
	printf -v arguments ' %q' "$@"
	run script -qec "stty cols 70 rows 12
	    pmux trace$arguments & sleep 0.6; kill -INT \$!; wait \$!" /dev/null \
	    </dev/null
}

@test "a terminal: it is drawn in place, red, and the sums come at the end" {
	victim edge
	LC_ALL=C.UTF-8 TERM=xterm on_terminal -t 500ms -p "$pid" 21
	[[ $output == *$'\e[5A'* || $output == *$'\e[4A'* ]]
	[[ $output == *$'\e[31m█'* ]]
	[[ $output == *'READY AND ASLEEP'* ]]
	LC_ALL=C.UTF-8 TERM=xterm NO_COLOR=1 on_terminal -t 500ms -p "$pid" 21
	[[ $output != *$'\e[31m'* && $output == *!!!!* ]]
	TERM=dumb on_terminal -t 500ms -p "$pid" 21
	[[ $output == *'TIME     FD    EVENTS        UNREAD   THREAD  '* ]]
	[[ $output == *'0.000    21    in            1        sleeps in epoll_wait of 3  '* ]]
	[[ $output != *$'\e'* && $output == *'ready and asleep'* ]]
	[[ $output == *'READY AND ASLEEP'* ]]
}

# pixels FILE: "COLOUR NUMBER" for each colour in FILE, a PNG of 8 bits.
pixels() {
	python3 - "$1" <<-'EOF'
	import collections, struct, sys, zlib
	data, at, packed = open(sys.argv[1], "rb").read(), 8, b""
	while at < len(data):
	    size, kind = struct.unpack(">I4s", data[at:at + 8])
	    chunk = data[at + 8:at + 8 + size]
	    at += size + 12
	    if kind == b"IHDR":
	        width, height, depth, colours = struct.unpack(">IIBB", chunk[:10])
	    elif kind == b"IDAT":
	        packed += chunk
	n = {2: 3, 6: 4}[colours]
	def paeth(a, b, c):
	    p = a + b - c
	    return min((abs(p - a), 0, a), (abs(p - b), 1, b),
	        (abs(p - c), 2, c))[2]
	filters = (lambda a, b, c: 0, lambda a, b, c: a, lambda a, b, c: b,
	    lambda a, b, c: (a + b) // 2, paeth)
	raw, row = zlib.decompress(packed), bytes(width * n)
	count = collections.Counter()
	for y in range(height):
	    line = raw[y * (width * n + 1):(y + 1) * (width * n + 1)]
	    # a row that is like the one above, as most are
	    if line[0] != 2 or any(line[1:]):
	        # with a pixel to the left of the first
	        above, row = bytes(n) + row, bytearray(n) + line[1:]
	        add = filters[line[0]]
	        for i in range(n, len(row)):
	            row[i] = (row[i] + add(row[i - n], above[i],
	                above[i - n])) & 255
	        row = bytes(row[n:])
	    count.update(zip(row[0::n], row[1::n], row[2::n]))
	for colour, number in count.items():
	    print(bytes(colour).hex(), number)
	EOF
}

@test "--svg: a drawing with a title and labels, and pixels of each kind" {
	need_copies
	cp "$(command -v spins)" '<&>"'
	name='./<&>"'
	"$name" edge 0 3>&- &
	pid=$!
	until [[ -e /proc/$pid/fd/21 ]]; do
		sleep 0.002
	done
	pm trace -t 600ms --svg out.svg -p "$pid"
	assert_success
	grep -q "<title>Descriptors of &lt;&amp;&gt;&quot;\[$pid\]</title>" out.svg
	grep -q '>time in seconds<' out.svg
	grep -q '>asleep in its wait<' out.svg
	! command -v xmllint >/dev/null || xmllint --noout out.svg
	command -v rsvg-convert >/dev/null || skip "no rsvg-convert"
	rsvg-convert -o out.png out.svg
	command -v python3 >/dev/null || skip "no python3 to read it with"
	pixels out.png >pixels
	for colour in 2f6fb2 8a8f98 c9a23a d0021b ffffff; do
		grep -qE "^$colour [1-9][0-9]{2}" pixels
	done
	kill "$pid"
}

@test "what cannot be seen is said" {
	need_root
	victim nothing
	run --separate-stderr peer as 65534 "$PMUX" trace -t 10ms -p "$pid" 20
	[[ $status != 77 ]] || skip "$stderr"
	expect_error 3 '\[(EPERM|EACCES)\]'
	run --separate-stderr deny pidfd_getfd=EPERM -- \
	    pmux trace -t 10ms -p "$pid" 20
	[[ $status != 77 ]] || skip "$stderr"
	expect_error 3 'is not known'
	pm trace -t 10ms -p "$pid" 999
	expect_error 3 '\[EBADF\]'
	pm trace -t 10ms -p 1000000000
	expect_error 3 '\[ESRCH\]'
	run --separate-stderr peer zombie pmux trace -t 10ms -p @PID@
	expect_error 3 '\[ESRCH\]'
	mkfifo fifo
	pm trace -t 10ms --svg fifo -p "$pid" 20
	expect_error 3 'fifo: .*\[ENXIO\] \(it is a FIFO without a reader\)'
	pm trace -t 10ms --svg none/there -p "$pid" 20
	expect_error 3 'none/there: .*\[ENOENT\]'
	[[ ! -w /dev/full ]] || {
		pm trace -t 10ms --svg /dev/full -p "$pid" 20
		assert_equal "$status" 3
		assert_equal "$stderr" \
		    'pmux: trace: /dev/full: No space left on device [ENOSPC]'
	}
}

@test "a program that waits for edges loses none" {
	need_copies
	for _ in 1 2 3; do
		spins edges 100000 3>&- &
		pid=$!
		pm trace --every 1us --json -p "$pid"
		assert_success
		[[ $output != *'"fault":true'* ]]
		wait "$pid"
	done
}

# owner_polls STATE COMMAND...: what the owner of a descriptor in STATE is told
# before and after COMMAND, for which @PID@ is the owner.
owner_polls() {
	local -a words=("${@:2}")

	peer with "7=$1" -- bash -c 'words=("${@//@PID@/$$}")
		pmux poll -t 0 7:in,pri,out
		"${words[@]}" >/dev/null 2>&1
		pmux poll -t 0 7:in,pri,out
		pmux epoll -t 0 7:in,pri,out' bash "${words[@]}" 2>&1 || :
}

@test "the owner of a descriptor in any state is told the same" {
	local state plain traced

	need_copies
	for state in $(peer states); do
		# some change with time
		for _ in 1 2 3 4 5; do
			traced=$(owner_polls "$state" \
			    pmux trace -t 3ms --every 1ms -p @PID@ 7)
			plain=$(owner_polls "$state" sleep 0.004)
			[[ $traced != "$plain" ]] || continue 2
		done
		assert_equal "$state: $traced" "$state: $plain"
	done
}

@test "the process ends, or the reader" {
	need_copies
	sleep 1 3>&- &
	pm trace -p $!
	assert_success
	victim nothing
	run bash -c 'set -o pipefail; pmux trace -p '"$pid"' 20 | true'
	assert_equal "$status" 141
}

@test "descriptors of pmux itself" {
	with 7=pipe.r.data -- pmux trace -t 10ms 7
	assert_equal "${output#*$'\t'}" "7	in	5	-	-"
	pm trace -t 10ms 9 9>&-
	expect_error 3 '\[EBADF\]'
}

@test "usage" {
	usage_error -- trace --calls
	usage_error 'one --pid' trace --calls -p 1 -p 2
	usage_error 'one --pid' trace --calls -p 1 -- true
	usage_error descriptors trace --calls -p 1 3
	usage_error --waits trace --calls -n 0 -- true
	usage_error 'only --calls' trace -p 1 1 -- true
	usage_error 'only with --calls' trace -p 1 -n 3
	usage_error 'takes only' trace --calls --picture -- true
	usage_error 'no interval' trace --every 0 -p 1
	usage_error 'no interval' trace --every inf -p 1
	usage_error 'no descriptor' trace
	usage_error 'pmux inspect PATH' trace ./file
}
