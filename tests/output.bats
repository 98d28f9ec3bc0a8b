#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# What is printed, how, where to, and the options that say so.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
# shellcheck disable=SC2094	# both ends of a FIFO
load helper

timestamp='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z'

# ---- text ----

@test "one line an event: the events, a tab, the target" {
	with 7=unix-stream.data 8=pipe.r.data -- pmux poll -t 0 7:in,out 8:in
	expect 0 $'in,out\t7' $'in\t8'
}

@test "the shell reads it" {
	# shellcheck disable=SC2016
	with 7=unix-stream.data 8=pipe.r.data -- bash -c '
		pmux poll -t 0 7:in,out 8:in |
		while IFS="	" read -r events target; do
			echo "<$target> <$events>"
		done'
	expect 0 '<7> <in,out>' '<8> <in>'
}

@test "a timeout prints nothing at all" {
	with 7=pipe.r.empty -- pmux poll -t 0 --json 7:in
	expect 124
	assert_equal "$stderr" ''
}

# ---- --json ----

@test "--json: one object a line, every key there" {
	local key

	need_json
	with 7=unix-stream.data 8=pipe.r.data -- \
	    pmux poll -t 0 --json 7:in,out 8:in
	assert_success
	assert_equal "${#lines[@]}" 2
	for key in primitive target fd events available; do
		json "$key" <<<"${lines[0]}"
		json "$key" <<<"${lines[1]}"
	done
	assert_equal "$(json primitive <<<"${lines[0]}")" '"poll"'
	assert_equal "$(json target <<<"${lines[0]}")" '"7"'
	assert_equal "$(json fd <<<"${lines[0]}")" 7
	assert_equal "$(json events <<<"${lines[0]}")" '["in","out"]'
	assert_equal "$(json available <<<"${lines[0]}")" 5
	assert_equal "$(json fd <<<"${lines[1]}")" 8
}

json_of() {
	local target

	target=$(reads "$1" 7)
	with 7=eventfd.5 -- pmux "$1" -t 0 --json "$target"
	assert_success
	[[ $1 != kqueue ]] || return 0	# it has other keys
	json primitive <<<"$output"
	assert_equal "$(json available <<<"$output")" null
	assert_equal "$(json fd <<<"$output")" 7
}

@test "--json on every primitive; null where the kernel does not say" {
	need_json
	need_linux
	each json_of
}

@test "--json of a closed descriptor" {
	need_json
	with 7=number.closed -- pmux poll -t 0 --json 7:in
	assert_failure 1
	assert_equal "$(json events <<<"$output")" '["nval"]'
	assert_equal "$(json available <<<"$output")" null
}

@test "--json with -0: records end in NUL" {
	need_json
	with 7=pipe.r.data 8=pipe.r.data -- \
	    bash -c 'pmux poll -t 0 --json -0 7:in 8:in | tr "\0\n" "\nX"'
	assert_equal "${#lines[@]}" 2
	json fd <<<"${lines[1]}"
	[[ $output != *X* ]]
}

# ---- --format ----

@test "--format: every sequence" {
	with 7=unix-stream.data -- pmux poll -t 0 \
	    --format 'e=%e t=%t f=%f b=%b p=%p %%' /dev/fd/7:in,out
	expect 0 'e=in,out t=/dev/fd/7 f=7 b=5 p=poll %'
}

@test "--format: the time" {
	with 7=pipe.r.data -- pmux poll -t 0 --format '%T' 7:in
	assert_success
	assert_output --regexp "^$timestamp\$"
}

@test "--format: backslash sequences" {
	with 7=pipe.r.data -- bash -c \
	    "pmux poll -t 0 --format 'a\\tb\\nc\\0d\\\\e' 7:in | od -An -c"
	assert_output --regexp '^ *a +\\t +b +\\n +c +\\0 +d +\\ +e +\\n *$'
}

@test "--format: plain text, and none" {
	with 7=pipe.r.data -- pmux poll -t 0 --format ready 7:in
	expect 0 ready
	with 7=pipe.r.data 8=pipe.r.data -- \
	    bash -c 'pmux poll -t 0 --format "" 7:in 8:in | od -An -c'
	assert_output --regexp '^ *\\n +\\n *$'
}

@test "--format=F" {
	with 7=pipe.r.data -- pmux poll -t 0 --format='%f' 7:in
	expect 0 7
}

@test "--format: names are escaped, with -0 they are raw" {
	mkfifo $'a\nb'
	exec {held}<>$'a\nb'
	echo >&"$held"
	pm poll -t 0 --format '%t' $'a\nb:in'
	expect 0 'a\nb'
	run bash -c "pmux poll -t 0 -0 --format '%t' \$'a\nb:in' | od -An -c"
	assert_output --regexp '^ *a +\\n +b +\\0 *$'
}

@test "--format: bytes that can be read, as a number each time" {
	with 7=pipe.r.empty 8=pipe.r.data 9=pipe.r.writer-gone-drained -- \
	    pmux poll -t 0 --format '%f %b' 7:in 8:in 9:in
	expect 0 '8 5' '9 0'
}

@test "--format of select, and of a closed descriptor" {
	with 7=pipe.r.data -- pmux select -t 0 --format '%e %p' 7
	expect 0 'read select'
	with 7=number.closed -- pmux poll -t 0 --format '%e %f' 7
	expect 1 'nval 7'
}

@test "--format: a sequence that is none, or of kqueue alone" {
	local letter

	for letter in F x g d i u z; do
		usage_error "%$letter" poll -t 0 --format "a %$letter" 0
	done
	usage_error . poll -t 0 --format 'a %' 0
}

# ---- -0 ----

@test "-0: records end in NUL, names are raw" {
	mkfifo $'a\n\xff\\b'
	exec {held}<>$'a\n\xff\\b'
	echo >&"$held"
	pmux poll -t 0 -0 $'a\n\xff\\b:in' >out
	printf 'in\ta\n\377\\b\0' | cmp - out
	pmux poll -t 0 --null $'./a\n\xff\\b:in' $'a\n\xff\\b:in' >out
	printf 'in\t./a\n\377\\b\0in\ta\n\377\\b\0' | cmp - out
}

# ---- --timestamps ----

@test "--timestamps: before the record" {
	with 7=pipe.r.data -- pmux poll -t 0 --timestamps 7:in
	assert_success
	assert_output --regexp "^$timestamp"$'\tin\t7$'
}

@test "--timestamps: UTC, and now" {
	local before after

	before=$(date -u +%Y-%m-%dT%H:%M:%S.%6N)
	[[ $before != *N* ]] || skip "date(1) prints no microseconds"
	TZ=Asia/Tokyo with 7=pipe.r.data -- pmux poll -t 0 --timestamps 7:in
	after=$(date -u +%Y-%m-%dT%H:%M:%S.%6N)
	output=${output%%Z*}
	[[ ! $output < $before && ! $output > $after ]]
}

@test "--timestamps with --json: the key time" {
	need_json
	with 7=pipe.r.data -- pmux poll -t 0 --timestamps --json 7:in
	assert_success
	assert_regex "$(json time <<<"$output")" "^\"$timestamp\"\$"
	with 7=pipe.r.data -- pmux poll -t 0 --json 7:in
	run json time <<<"$output"
	assert_failure
}

# ---- --quiet ----

@test "--quiet: the status alone" {
	with 7=pipe.r.data -- pmux poll -t 0 -q 7:in
	expect 0
	with 7=pipe.r.empty -- pmux poll -t 0 --quiet 7:pri
	expect 124
	# a hangup alone, which not every system reports of a read end
	with 7=pipe.w.reader-gone -- pmux poll -t 0 --quiet 7:pri
	expect 1
	with 7=pipe.r.data -- pmux poll -t 0 -q --json --timestamps 7:in
	expect 0
}

@test "--quiet does not silence an error" {
	pm poll -q -t 0 none:in
	expect_error 3 'none: '
}

@test "--quiet needs no standard output" {
	run bash -c 'printf x | pmux poll -q 0:in >&-'
	assert_success
	assert_output ''
}

@test "--quiet does not care who reads standard output" {
	with 7=pipe.r.data 1=pipe.w.reader-gone -- \
	    peer run status pmux poll -q -t 1h 7:in
	assert_equal "$(<status)" 'exit 0'
	with 7=pipe.r.empty 1=pipe.w.reader-gone -- \
	    peer run status pmux poll --quiet -t 20ms 7:in
	assert_equal "$(<status)" 'exit 124'
}

@test "standard output can be a target" {
	with 1=unix-stream.idle 7=pipe.r.empty -- \
	    pmux poll -t 1h 7:in 1:out
	assert_equal "$status $stderr" '0 '
	run bash -c 'pmux poll -t 1h 1:out | cat'
	assert_output $'out\t1'
	with 7=pipe.r.empty -- bash -c 'pmux epoll -t 1h 7:in 1:out | cat'
	expect 0 $'out\t1'
}

# ---- where standard output cannot be written ----

full_disk() {
	local target

	target=$(reads "$1" 7)
	# shellcheck disable=SC2016
	with 7=pipe.r.data -- bash -c 'exec pmux "$@" >/dev/full' - \
	    "$1" -t 0 "$target"
	expect_error 3 "pmux: $1: .*\\[ENOSPC\\]\$"
}

@test "a full disk" {
	[[ -w /dev/full ]] || skip "no /dev/full"
	each full_disk
}

@test "standard output closed" {
	with 7=pipe.r.data -- bash -c 'exec pmux poll -t 0 7:in >&-'
	expect_error 3 'pmux: poll: .*\[EBADF\]$'
	with 7=pipe.r.empty -- bash -c 'exec pmux poll -t 0 7:in >&-'
	assert_equal "$status" 124
}

@test "standard output closed: a path does not become it" {
	mkfifo fifo
	exec {held}<>fifo
	echo hello >&"$held"
	run --separate-stderr bash -c 'exec pmux poll -t 0 fifo:in >&-'
	expect_error 3 '\[EBADF\]$'
	read -r line <&"$held"
	assert_equal "$line" hello
	read -rt 0 <&"$held" && fail 'pmux wrote into the FIFO'
	# without a watch the holder hides the reader as long as that may write, too
	[[ $(pmux info) == *$'\nfifo\twatched'* ]] || return 0
	# the reader counts only once the holder has noticed that it has read
	run --separate-stderr bash -c 'exec pmux poll -t 1h fifo:out >&- 2>&-'
	assert_equal "$status" 3
	read -rt 0 <&"$held" && fail 'pmux wrote into the FIFO'
	true
}

@test "the reader had gone before: ends as by SIGPIPE" {
	with 7=pipe.r.data 1=pipe.w.reader-gone -- \
	    peer run status pmux poll -t 1h 7:in
	assert_equal "$(<status)" 'signal 13'
}

reader_goes() {
	rm -f ready
	mkfifo ready
	peer with 7=pipe.r.empty -- peer run status \
	    pmux "$1" --ready-fd 9 "$(reads "$1" 7)" 9>ready 3>&- |
	    read -ru 5 _ 5<ready
	assert_equal "$1 $(<status)" "$1 signal 13"
}

@test "the reader goes in mid-wait: ends as by SIGPIPE" {
	each reader_goes
}

reader_of_fifo_goes() {
	local fd

	rm -f pipe ready
	mkfifo pipe ready
	exec {fd}<>pipe 6<pipe 8>pipe
	exec {fd}<&-
	peer with 7=pipe.r.empty -- peer run status \
	    pmux "$1" --ready-fd 9 "$(reads "$1" 7)" 9>ready >&8 8>&- 6<&- \
	    3>&- &
	exec 8>&-
	read -r _ <ready
	exec 6<&-
	wait $!
	assert_equal "$1 $(<status)" "$1 signal 13"
}

@test "the reader goes in mid-wait, standard output is a FIFO" {
	# on NetBSD a write end of a FIFO with room learns nothing of it
	[[ $(uname -s) != NetBSD ]] || skip 'NetBSD'
	each reader_of_fifo_goes
}

@test "the reader goes in mid-wait for the reader of a FIFO" {
	mkfifo fifo ready
	peer run status pmux poll --ready-fd 9 fifo:out 9>ready 3>&- |
	    read -ru 5 _ 5<ready
	assert_equal "$(<status)" 'signal 13'
}

@test "the shell sees 141" {
	env --default-signal=PIPE true 2>/dev/null ||
	    skip "env(1) has no --default-signal"
	with 7=pipe.r.data 1=pipe.w.reader-gone -- \
	    env --default-signal=PIPE pmux poll -t 0 7:in
	assert_equal "$status" 141
}

# ---- --max-events ----

@test "--max-events bounds one answer" {
	with 7-16=pipe.r.data -- pmux poll -t 0 -n 3 -e in \
	    7 8 9 10 11 12 13 14 15 16
	expect 0 $'in\t7' $'in\t8' $'in\t9'
	with 7-9=pipe.r.data -- pmux poll -t 0 --max-events=1 -e in 7 8 9
	expect 0 $'in\t7'
	with 7-9=pipe.r.data -- pmux poll -t 0 -n100000 -e in 7 8 9
	assert_equal "$status ${#lines[@]}" '0 3'
}

@test "--max-events: the status speaks of what was printed" {
	with 7=pipe.r.writer-gone-drained 8=pipe.r.data -- \
	    pmux poll -t 0 -n 1 7:pri 8:in
	expect 1 $'hup\t7'
}

# ---- --all ----

all_ready() {
	with 7=pipe.r.data 8=unix-stream.data 9=pipe.r.data -- pmux "$1" \
	    --all "$(reads "$1" 7)" "$(reads "$1" 8)" "$(reads "$1" 9)"
	assert_equal "$1 $status ${#lines[@]}" "$1 0 3"
}

@test "--all: 0 when each gave an asked-for event" {
	each all_ready
}

@test "--all: 1 when one did not" {
	with 7=pipe.r.data 8=pipe.r.writer-gone-drained -- \
	    pmux poll -t 1h -a 7:in 8:pri
	assert_equal "$status ${#lines[@]}" '1 2'
}

all_but_one() {
	local word start end

	word=$(says "$1")
	start=$(peer clock)
	with 7=pipe.r.data 8=pipe.r.empty -- \
	    pmux "$1" -t 50ms --all "$(reads "$1" 7)" "$(reads "$1" 8)"
	end=$(peer clock)
	short
	expect 124 "$word"$'\t7'
	((end - start >= 50000000))
}

@test "--all: 124 when time ended first, and what came is printed" {
	each all_but_one
}

@test "--all: 124 also when one hung up" {
	with 7=pipe.r.writer-gone-drained 8=pipe.r.empty -- \
	    pmux poll -t 1ms --all 7:pri 8:in
	expect 124 $'hup\t7'
}

# The first is printed while pmux waits for the second, and left out of that
# wait: it stays ready and is not printed again.
all_as_they_come() {
	local -a targets
	local word fd

	targets=("$(reads "$1" 7)" "$(reads "$1" 8)") word=$(says "$1")
	rm -f one two out
	mkfifo one two out
	exec 5<>one 6<>two
	pmux "$1" -t 1h --all "${targets[@]}" 7<one 8<two >out 5<&- 6<&- 3>&- &
	pid=$!
	exec {fd}<out
	echo >&5
	read -r output <&"$fd"
	short
	assert_equal "$output" "$word"$'\t7'
	await_state "$pid" S
	echo >&6
	read -r output <&"$fd"
	short
	assert_equal "$output" "$word"$'\t8'
	status=0
	wait "$pid" || status=$?
	assert_equal "$1 $status" "$1 0"
	run cat <&"$fd"
	assert_output ''
	exec 5<&- 6<&- {fd}<&-
}

@test "--all: printed as they come, each once" {
	each all_as_they_come
}

@test "--all of select: a target is settled list by list or at once" {
	with 7=unix-stream.data -- pmux select -t 1h --all -r 7 -w 7
	assert_equal "$status ${#lines[@]}" '0 2'
}

@test "--all with a descriptor twice" {
	with 7=unix-stream.data -- pmux poll -t 1h --all 7:out 7:in
	expect 0 $'in\t7'
	with 7=unix-stream.data -- pmux wait -t 1h --all 7:out 7:in
	expect 0 $'in,out\t7'
}

@test "--all with closed descriptors" {
	with 7=number.closed 8=number.closed -- pmux poll --all 7 8
	assert_equal "$status ${#lines[@]}" '1 2'
}

# ---- --ready-fd ----

@test "--ready-fd: one newline, then it is closed" {
	mkfifo ready pipe
	pmux poll -t 1h --ready-fd 9 7:in 7<>pipe 9>ready >out 3>&- &
	run od -An -c <ready
	assert_output --regexp '^ *\\n *$'
	kill -TERM $!
	status=0
	wait $! || status=$?
	assert_equal "$status" 143
}

@test "--ready-fd: also with nothing to wait for" {
	with 7=pipe.r.data -- bash -c \
	    'pmux poll -t 0 --ready-fd 9 7:in 9>ready && od -An -c ready'
	assert_success
	assert_line $'in\t7'
	assert_line --regexp '^ *\\n *$'
}

@test "--ready-fd: before the sleep for the reader of a FIFO" {
	mkfifo fifo
	waiting poll -t 1h fifo:out
	cat <fifo >/dev/null 3>&- &
	finish "$pid"
	expect 0 $'out\tfifo'
	echo >fifo
	wait
}

@test "--ready-fd: 0 to 2 are a usage error" {
	usage_error . poll -t 0 --ready-fd 0 0
	usage_error . poll -t 0 --ready-fd 1 0
	usage_error . poll -t 0 --ready-fd 2 0
	usage_error . poll -t 0 --ready-fd abc 0
	usage_error . poll -t 0 --ready-fd -1 0
	usage_error . poll -t 0 --ready-fd '' 0
}

@test "--ready-fd: not open" {
	pm poll -t 0 --ready-fd 77 0:in 77<&-
	expect_error 3 '77.*\[EBADF\]'
}

@test "--ready-fd: nobody reads it" {
	with 7=pipe.r.data 9=pipe.w.reader-gone -- \
	    peer run status pmux poll -t 0 --ready-fd 9 7:in
	[[ $(<status) == 'signal 13' || $(<status) == 'exit 3' ]]
}

@test "--ready-fd: nothing is written after an error" {
	run bash -c 'pmux poll -t 0 --ready-fd 9 none:in 9>ready'
	assert_failure 3
	assert_equal "$(wc -c <ready | tr -d ' ')" 0
}

# ---- options ----

@test "short options can be joined, long ones take = or the next word" {
	with 7=pipe.r.empty -- pmux poll -qat0 7:in
	expect 124
	with 7=pipe.r.empty -- pmux poll --timeout=0 7:in
	expect 124
	with 7=pipe.r.empty -- pmux poll --timeout 0 7:in
	expect 124
	with 7=pipe.r.data -- pmux poll -qn1 7:in
	expect 0
}

@test "options may follow targets" {
	with 7=pipe.r.empty -- pmux poll 7:in -t 0
	expect 124
	with 7=pipe.r.empty -- env POSIXLY_CORRECT=1 pmux poll 7:in -q -t 0
	expect 124
}

@test "no environment variable changes anything" {
	PMUX_TIMEOUT=5 PMUX_FD=3 PMUX_TARGET=x with 7=pipe.r.data -- \
	    pmux poll -t 0 7:in
	expect 0 $'in\t7'
}

@test "bytes available in a file past 4 GiB" {
	truncate -s 5G big || skip "no room for a sparse file of 5 GiB"
	pm poll -t 0 --format %b 0 <big
	expect 0 5368709120
}

@test "an argument that looks like --help is none" {
	mkfifo f
	pm poll -t 0 --format -h 0 <>f
	expect 124
}
