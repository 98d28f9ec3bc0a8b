#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# --lines: whole lines from many sources, none lost, none torn, in the order in
# which each source wrote them.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
# shellcheck disable=SC2094	# both ends of a FIFO
load helper

# lining COMMAND ARG...: streaming, with --lines.
lining() {
	streaming "$1" --lines "${@:2}"
}

# record LINE: the next line of its output.
record() {
	IFS= read -r line <&8 || fail "no record like $1"
	[[ $line == "$1" ]] || fail "'$line', not '$1'"
}

# unread N: wait until so many bytes are unread at descriptor 7.
unread() {
	local n

	until n=$(pmux poll -t 0 --format %b 7:in) || :
	    [[ ${n:-0} == "$1" ]]; do
		sleep 0.002
	done
}

# drained FIFO: wait until all that was written to it has been read.
drained() {
	until [[ $(pmux poll -t 0 --hold 0 --format %b "$1:in" 6>&-) != [1-9]* ]]
	do
		sleep 0.002
	done
}

# ---- whole lines ----

every_line() {
	mkfifo a b
	exec 5<>a 6<>b
	lining "$1" "$(reads "$1" a)" "$(reads "$1" b)"
	printf 'one\ntwo\n' >&5
	record $'a\tone'
	record $'a\ttwo'
	printf 'three\n' >&6
	record $'b\tthree'
	printf '\n \n\tx\t\n' >&5
	record $'a\t'
	record $'a\t '
	record $'a\t\tx\t'
	exec 5>&- 6>&-
	ends 0
	rm a b
}

@test "a line is a record, with its source" {
	each every_line
}

every_rest() {
	with 7=pipe.r.writer-gone-data -- pmux "$1" --lines "$(reads "$1" 7)"
	expect 0 $'7\tabc'
	with 7=pipe.r.writer-gone-drained -- pmux "$1" --lines "$(reads "$1" 7)"
	expect 1
	run --separate-stderr pmux "$1" -l "$(reads "$1" 0)" \
	    < <(printf 'x\ny')
	expect 0 $'0\tx' $'0\ty'
}

@test "an unfinished last line is printed at end of file" {
	each every_rest
}

every_stall() {
	mkfifo a b
	exec 5<>a 6<>b
	lining "$1" "$(reads "$1" a)" "$(reads "$1" b)"
	printf 'be' >&5
	printf '1\n' >&6
	record $'b\t1'
	printf 'g' >&5
	printf '2\n' >&6
	record $'b\t2'
	printf 'in\nsec' >&5
	record $'a\tbegin'
	printf '3\n' >&6
	record $'b\t3'
	printf 'ond\n' >&5
	record $'a\tsecond'
	exec 5>&- 6>&-
	ends 0
	rm a b
}

@test "a source that stalls in mid-line delays no other" {
	each every_stall
}

every_raw() {
	local word=()

	[[ $2 != null ]] || word=(-0)
	printf 'a\0b\r\n\377\376\n\n\0\n\033[1m\\\n' >bytes
	pmux "$1" --lines "${word[@]}" "$(reads "$1" 0)" >out < <(cat bytes)
	if [[ $2 == null ]]; then
		printf '0\ta\0b\r\0000\t\377\376\0000\t\0000\t\0\0000\t'
		printf '\033[1m\\\0'
	else
		printf '0\ta\0b\r\n0\t\377\376\n0\t\n0\t\0\n0\t\033[1m\\\n'
	fi >wanted
	cmp out wanted
}

@test "a line is raw: NUL, CR, bytes that are not UTF-8, escapes" {
	each every_raw lines
}

@test "-0: a record ends in NUL, and the target is raw" {
	each every_raw null
	printf 'x\n' >$'a\nb'
	pmux wait --lines -0 $'a\nb' >out
	printf 'a\nb\tx\0' | cmp - out
}

@test "a target is escaped as in every other record" {
	printf 'x\n' >$'a\tb\\'
	pm wait --lines $'a\tb\\'
	expect 0 $'a\\tb\\\\\tx'
}

# ---- many and much ----

every_million() {
	local i names=() list=()

	rounds 50000
	for i in 1 2 3 4; do
		mkfifo f$i
		list+=("$(reads "$1" f$i)")
		names+=("f$i")
		seq "$rounds" >f$i 3>&- &
	done
	pmux "$1" --lines "${list[@]}" |
	    awk -F'\t' '$2 != ++n[$1] { exit 1 }
		END { for (f in n) printf "%s %d\n", f, n[f] }' | sort >out
	diff out <(printf "%s $rounds\n" "${names[@]}")
	rm "${names[@]}"
}

@test "very many lines: none lost, none twice, none torn, all in order" {
	each every_million
}

every_writer() {
	local i writers=()

	rounds 200
	mkfifo f
	exec 6<>f
	lining "$1" "$(reads "$1" f)"
	for i in 1 2 3 4 5 6 7 8; do
		(for ((n = 1; n <= rounds; n++)); do
			printf '%s %d %0200d\n' $i $n 0
		done) >&6 3>&- 8<&- &
		writers+=($!)
	done
	exec 6>&-
	awk -F'[\t ]' '$1 != "f" || NF != 4 || length($4) != 200 ||
	    $3 != ++n[$2] { exit 1 } END { print NR }' <&8 >out
	assert_equal "$(<out)" $((8 * rounds))
	wait "${writers[@]}"
	exec 8<&-
	# the end of a FIFO is read once on NetBSD
	status=0
	wait "$pid" || status=$?
	assert_equal "$status $(<err)" '0 '
	rm f
}

@test "many writers on one FIFO: lines up to PIPE_BUF are whole" {
	each every_writer
}

every_fair() {
	local i names=() flood

	ulimit -Sn 2100
	for ((i = 0; i < 1000; i++)); do
		names+=("f$i")
	done
	mkfifo "${names[@]}" flood
	printf "$(reads "$1" %s)\\n" flood "${names[@]}" >list
	exec 6<>flood
	yes >&6 3>&- &
	flood=$!
	lining "$1" @list
	exec 6>&-
	(for i in "${names[@]}"; do
		echo "$i" >"$i"
	done) 3>&- &
	awk -F'\t' '$1 == "flood" { if ($2 != "y") exit 1; next }
	    $1 != $2 || seen[$1]++ { exit 1 }
	    ++n == 1000 { print n; exit }' <&8 >out
	assert_equal "$(<out)" 1000
	kill "$flood" || :
	exec 8<&-
	status=0
	wait "$pid" || status=$?
	[[ $status == 141 || $status == 0 ]]
	rm "${names[@]}" flood list
}

@test "1,000 sources of which one floods: the others are served" {
	need_number 2100
	each every_fair
}

@test "two targets that are the same pipe do not tear a line" {
	# one event a turn: each in turn, since epoll(7) goes round
	need epoll
	mkfifo f
	rounds 300000
	seq -f '%.0f-0123456789-0123456789' "$rounds" >f 3>&- &
	pmux epoll --lines -n 1 f ./f | cut -f2 >out
	wait $!
	seq -f '%.0f-0123456789-0123456789' "$rounds" | cmp - out
}

# ---- long lines ----

# long N: N bytes without a newline.
long() {
	head -c "$1" /dev/zero | tr '\0' x
}

every_length() {
	# 10 is not past 10, and 11 is
	run --separate-stderr pmux "$1" --lines --max-line 10 "$(reads "$1" 0)" \
	    < <(printf '%s\n' 0123456789 0123456789a 0123456789012345678901 x)
	expect 0 $'0\t0123456789' $'0\t0123456789' $'0\ta' $'0\t0123456789' \
	    $'0\t0123456789' $'0\t01' $'0\tx'
	assert_equal "${stderr//[!$'\n']/}" $'\n'
	assert_regex "$stderr" "^pmux: $1: 0: .*more than 10 bytes"
}

@test "--max-line: a line is cut and goes on, a message a line says so" {
	each every_length
}

@test "--max-line: what is cut at end of file, or comes in pieces" {
	local i

	pm wait --lines --max-line 4 0 < <(printf 'abcdefgh')
	expect 0 $'0\tabcd' $'0\tefgh'
	mkfifo f
	exec 6<>f
	lining wait --max-line 4 f
	for i in a b c d; do
		printf %s $i >&6
	done
	printf '\nabcd' >&6
	record $'f\tabcd'
	printf 'e' >&6
	record $'f\tabcd'
	printf 'fg\nh\n' >&6
	record $'f\tefg'
	record $'f\th'
	exec 6>&-
	read -r line <&8 && fail "one more record: $line"
	exec 8<&-
	wait "$pid"
	assert_regex "$(<err)" 'f: .*more than 4 bytes'
}

every_long() {
	(long 10000000; echo; echo end) >bytes
	pmux "$1" --lines "$(reads "$1" 0)" < <(cat bytes) >out 2>err
	assert_equal "$(count -l <err)" 1
	awk -F'\t' '{ print $1, length($2) }' out >lengths
	diff lengths <(
		for ((i = 0; i < 9; i++)); do
			echo 0 1048576
		done
		echo 0 $((10000000 - 9 * 1048576))
		echo 0 3
	)
	pmux "$1" --lines --max-line 20000000 "$(reads "$1" 0)" \
	    < <(cat bytes) >out
	sed $'s/^/0\t/' bytes | cmp - out
}

@test "a line of 10 MB, whole and cut" {
	each every_long
}

# ---- --count ----

every_count() {
	local source

	printf '1\n2\n3\n45' >file
	for source in '< <(cat file)' '<file'; do
		[[ $1$source != 'epoll<file' ]] || continue
		eval "(pmux $1 --lines -c 2 $(reads "$1" 0) && cat)" \
		    "$source" >out
		printf '0\t1\n0\t2\n3\n45' | cmp - out
	done
	mkfifo f
	exec 7<>f
	printf '1\n2\n3\n4' >&7
	pm "$1" --lines --count 3 "$(reads "$1" 7)"
	expect 0 $'7\t1' $'7\t2' $'7\t3'
	unread 1
	exec 7>&-
	rm f
}

@test "--count: nothing past the last line is consumed" {
	each every_count
}

need_peek() {
	[[ ! ${PMUX_AS-} && $(uname -s) == Linux ]] ||
	    skip "without tee(2) a pipe cannot be peeked at"
}

every_others_rest() {
	mkfifo a b
	exec 6<>a 7<>b
	printf 'unfinished' >&7
	lining "$1" -c 2 "$(reads "$1" a)" "$(reads "$1" 7)"
	printf '1\n' >&6
	record $'a\t1'
	printf '2\n3\n' >&6
	record $'a\t2'
	ends 0
	unread 10
	printf '!\n' >&7
	pm "$1" --lines -c 1 "$(reads "$1" 7)"
	expect 0 $'7\tunfinished!'
	exec 6>&- 7>&-
	rm a b
}

@test "--count: an unfinished line stays where it is" {
	need_peek
	each every_others_rest
}

every_full() {
	mkfifo f
	exec 7<>f
	(long 200000; printf '\nx\ny\n') >&7 3>&- 8<&- &
	pmux "$1" --lines -c 2 "$(reads "$1" 7)" >out
	(printf '7\t'; long 200000; printf '\n7\tx\n') | cmp - out
	unread 2
	exec 7>&-
	rm f
}

@test "--count: a line that the pipe has no room for" {
	each every_full
}

every_counted_end() {
	pm "$1" --lines -c 2 "$(reads "$1" 0)" < <(printf 'a\nb')
	expect 0 $'0\ta' $'0\tb'
	pm "$1" --lines -c 9 "$(reads "$1" 0)" < <(printf 'a\nb')
	expect 1 $'0\ta' $'0\tb'
	[[ $1 == kqueue ]] || {
		printf 'a\nb' >file
		pm "$1" --lines -c 9 "$(reads "$1" 0)" <file
		[[ $1 == epoll ]] || expect 1 $'0\ta' $'0\tb'
	}
	with 7=unix-stream.peer-half-closed-data -- pmux "$1" -l -c 9 "$(reads "$1" 7)"
	expect 1 $'7\tabc'
}

@test "--count: an unfinished last line at end of file, before the goal or at it" {
	each every_counted_end
}

@test "--count: cut records count" {
	need_peek
	(pmux wait --lines --max-line 3 -c 2 0 2>err && cat) >out \
	    < <(printf 'abcdefgh\n')
	printf '0\tabc\n0\tdef\ngh\n' | cmp - out
}

@test "--count: as many lines as are asked for, of many" {
	local n

	for n in 1 7 1000 20000; do
		seq 30000 | {
			pmux wait --lines -c $n 0 >out
			cat >rest
		}
		cut -f2 out | cat - rest | cmp - <(seq 30000)
		assert_equal "$(count -l <out)" $n
	done
}

every_unprinted() {
	local rest

	mkfifo f
	exec 7<>f
	printf '1\n2\n3' >&7
	pmux "$1" --lines -c 2 "$(reads "$1" 7)" >/dev/full 2>err || :
	assert_regex "$(<err)" ENOSPC
	assert_equal "$(pmux poll -t 0 --format %b 7)" 5
	exec 7>&-
	rm f
	# at the end of file too
	rest=$( (pmux "$1" --lines -c 9 "$(reads "$1" 0)" >/dev/full 2>err || :
	    cat) < <(printf 'a\nb') )
	assert_equal "$rest" $'a\nb'
	assert_regex "$(<err)" ENOSPC
	rest=$(printf 'a\nb' | peer talk unix 7 sh -c \
	    'pmux "$1" -l -c 9 "$2" >/dev/full 2>err; cat <&7' sh "$1" \
	    "$(reads "$1" 7)")
	assert_equal "$rest" $'a\nb'
	printf 'a\nb\n' >file
	rest=$( (pmux "$1" --lines -c 9 "$(reads "$1" 0)" >/dev/full 2>err || :
	    cat) <file )
	assert_equal "$rest" $'a\nb'
}

@test "--count: nothing is consumed that was not printed" {
	need_peek
	[[ -c /dev/full ]] || skip "no /dev/full"
	each every_unprinted
}

every_stopped() {
	local writer n

	mkfifo f out
	exec 7<>f 8<>out
	# a pipe takes part of a long write, up to the middle of a line
	printf '%05000d\n' 0 >&8
	seq 50000 >f 3>&- 7>&- 8>&- &
	writer=$!
	pmux "$1" --lines -c 45000 --hold 0 --format %l "$(reads "$1" 7)" \
	    >out 3>&- 8>&- &
	pid=$!
	# full of what it has printed, which may be less than it can hold
	while pmux poll -q -t 0 8:out; do
		sleep 0.002
	done
	await_state "$pid" S
	kill "$pid"
	wait "$pid" || :
	exec 9<out 8>&-
	tail -n +2 <&9 >got 7>&-
	exec 9<&-
	n=$(wc -l <got)
	((n > 100))
	pmux poll --lines -c $((50000 - n)) --format %l 7 >>got
	seq 50000 | cmp - got
	wait "$writer"
	exec 7<&-
	rm f out
}

@test "--count: a signal while the output is full: not a line is lost" {
	need_program "the subshell ends in the middle of a record"
	each every_stopped
}

# ---- several that read ----

# workers HOW N M: N workers take each a line at a time until as many rounds of M
# have been written, of 1 and of 100 bytes; descriptor 7 is the pipe.
workers() {
	local n pids=()

	rounds "$3"
	mkfifo f
	exec 7<>f
	for ((n = 0; n < $2; n++)); do
		(
			exec 3>&-
			t=7
			[[ $1 != name ]] || t=f
			[[ $1 != name ]] || exec 7>&-
			while [[ ! -e stop ]]; do
				pmux wait --lines -c 1 --hold 0 --format %l \
				    -t 0.1 $t || (($? == 124))
			done
		) >lines.$n 2>err.$n &
		pids+=($!)
	done
	awk -v n="$rounds" 'BEGIN { long = sprintf("%099d", 0)
	    for (i = 0; i < n; i++) { print i % 2 ? "x" : "y" long; fflush() }
	}' >&7
	pmux poll --follow --idle 1 7 >/dev/null || :
	until [[ $(cat lines.* | wc -l) -ge $rounds ]]; do
		sleep 0.05
	done
	: >stop
	wait "${pids[@]}"
	exec 7>&-
	assert_equal "$(cat err.*)" ''
	cat lines.* | sort | uniq -c >counts
	printf '%d x\n%d y%099d\n' $((rounds / 2)) $(((rounds + 1) / 2)) 0 |
	    diff - <(sed 's/^ *//' counts)
}

@test "--count: workers that share a descriptor take whole lines" {
	need_linux
	workers descriptor 3 2000
}

@test "--count: workers that open a named pipe take whole lines" {
	need_linux
	workers name 3 2000
}

@test "--count: many workers wait for their turn" {
	need_linux
	workers descriptor 12 600
}

need_flock() {
	need_linux
	command -v flock >/dev/null || skip "no flock"
}

@test "--count: those that read one after another are waited for" {
	need_flock
	mkfifo f
	exec 7<>f 6<f
	flock 6
	seq 1000 >&7
	# a second and more in which the turn is never free
	bash -c 'for i in {1..15}; do read -r <&6; sleep 0.1; done' 3>&- &
	exec 6<&-
	pm wait --lines -c 1 7
	expect 0 $'7\t16'
	wait "$!"
}

@test "--count: one that keeps the turn is not waited for for ever" {
	need_flock
	mkfifo f
	exec 7<>f 6<f
	flock 6
	printf '1\n2\n3\n' >&7
	pm wait --lines -c 2 7
	assert_equal "$status $output" $'0 7\t1\n7\t2'
	assert_regex "$stderr" '^pmux: wait: 7: another process has held the lock'
	assert_equal "${stderr//[!$'\n']/}" ''
	# the others are served meanwhile, and the time is kept
	pm wait --lines -c 1 7 0 < <(echo a)
	expect 0 $'0\ta'
	pm wait --lines -c 1 -t 0.1 7
	expect 124
	unread 2
	flock -u 6
	pm wait --lines -c 1 7
	expect 0 $'7\t3'
	exec 6<&- 7>&-
}

@test "--count: the caller's own lock is the turn" {
	need_flock
	mkfifo f
	exec 7<>f
	printf '1\n2\n3\n' >&7
	flock 7
	pm wait --lines -c 1 7
	expect 0 $'7\t1'
	assert_equal "$stderr" ''
	# and stays the caller's
	run flock -n f true
	assert_equal "$status" 1
	flock -u 7
	pm wait --lines -c 1 7
	expect 0 $'7\t2'
	run flock -n f true
	assert_equal "$status" 0
	exec 7>&-
}

@test "--count: the turn is given back, also to the process that holds a pipe" {
	need_flock
	mkfifo f
	exec 7<>f
	printf '1\n2\n' >&7
	pm wait --lines -c 1 f
	expect 0 $'f\t1'
	flock -n f true
	pm wait --lines -c 1 f
	expect 0 $'f\t2'
	exec 7>&-
}

@test "--count: a turn waits until the output has room" {
	need_flock
	mkfifo f out
	exec 7<>f 8<>out
	until ! pmux poll -q -t 0 8:out; do
		printf '%04096d' 0 >&8
	done
	printf '2\n' >&7
	pmux wait --lines -c 1 7 >out 3>&- 8>&- &
	pid=$!
	await_state "$pid" S
	pm wait --lines -c 1 7
	expect 0 $'7\t2'
	assert_equal "$stderr" ''
	kill "$pid"
	wait "$pid" || :
	exec 7>&- 8>&-
}

# ---- sockets and terminals ----

every_socket() {
	local type

	for type in unix tcp; do
		[[ $type != tcp ]] || has_loopback || continue
		printf 'a\nb\0c\nd' | peer talk $type 7 \
		    pmux "$1" --lines "$(reads "$1" 7)" >out
		printf '7\ta\n7\tbc\n7\td\n' | cmp - out
	done
}

@test "sockets" {
	each every_socket
	has_loopback || skip "no loopback for TCP; Unix sockets are right"
}

# A network namespace may be without.
has_loopback() {
	peer talk tcp 7 true </dev/null 2>/dev/null
}

every_message() {
	# a message ends its line; an empty one is none
	printf 'a\0b\n\0\0c\nd\0' | peer talk dgram 7 \
	    pmux "$1" --lines -c 4 "$(reads "$1" 7)" >out
	printf '7\ta\n7\tb\n7\tc\n7\td\n' | cmp - out
}

@test "datagrams: a message ends its line" {
	each every_message
}

every_socket_count() {
	# the remaining lines are there for the next one
	# shellcheck disable=SC2016
	printf '1\n2\n3\n45' | peer talk unix 7 sh -c \
	    'pmux "$1" -l -c 2 "$2" && pmux "$1" -l "$2"' sh "$1" \
	    "$(reads "$1" 7)" >out
	printf '7\t1\n7\t2\n7\t3\n7\t45\n' | cmp - out
}

@test "--count: of a socket nothing past the last line is consumed" {
	each every_socket_count
}

@test "--count: a socket whose sender has no room to finish its line" {
	local n

	for ((n = 0; n < 500; n++)); do
		printf 'x\0'
	done >pieces
	printf '\n\0' >>pieces
	peer talk unix 7 pmux wait --lines -c 1 7 <pieces >out
	assert_equal "$(count -c <out)" 503
}

every_terminal() {
	run --separate-stderr peer talk pty 7 \
	    pmux "$1" --lines "$(reads "$1" 7)" < <(printf 'a\nb\n')
	assert_equal "$output" $'7\ta\r\n7\tb\r'
}

@test "a terminal: its hangup is its end" {
	need_linux
	each every_terminal
}

# ---- what a record can be ----

every_json() {
	need_json
	pm "$1" --lines --json "$(reads "$1" 0)" < <(printf 'a"\t\\\303\251\n')
	line=$'a\\"\\u0009\\\\\303\251'
	expect 0 "{\"primitive\":\"$(primitive "$1")\",\"target\":\"0\",\"line\":\"$line\"}"
	assert_equal "$(json line <<<"$output")" $'"a\\"\\t\\\\\303\251"'
	pm "$1" --lines --json "$(reads "$1" 0)" < <(printf 'a\377\n')
	assert_equal "$(json line <<<"$output")" null
	assert_equal "$(json line_base64 <<<"$output")" '"Yf8="'
	pm "$1" --lines --json "$(reads "$1" 0)" < <(printf 'a\0b')
	assert_equal "$(json line <<<"$output")" '"a\u0000b"'
}

# primitive COMMAND: what it says it waited with.
primitive() {
	pmux "$1" --lines --format %p "$(reads "$1" 0)" < <(echo)
}

@test "--json" {
	each every_json
}

@test "--json: a line that comes in pieces" {
	mkfifo f
	exec 6<>f
	lining poll --json f
	printf 'a\303' >&6
	drained f
	printf '\251\n' >&6
	record $'{"primitive":"poll","target":"f","line":"a\303\251"}'
	exec 6>&-
	ends 0
}

every_time() {
	local stamp='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z'

	pm "$1" --lines --timestamps "$(reads "$1" 0)" < <(printf 'a\nb')
	assert_regex "$output" "^$stamp"$'\t0\ta\n'"$stamp"$'\t0\tb$'
	pm "$1" --lines --timestamps --json "$(reads "$1" 0)" < <(echo a)
	assert_regex "$output" '^\{"time":"'"$stamp"'","primitive":".*"\}$'
	pm "$1" --lines --timestamps --format '<%l>' "$(reads "$1" 0)" \
	    < <(printf 'a\nb')
	assert_regex "$output" "^$stamp"$'\t<a>\n'"$stamp"$'\t<b>$'
}

@test "--timestamps" {
	each every_time
}

every_format() {
	pm "$1" --lines --format '%t:%l:%e:%f%%' "$(reads "$1" 0)" \
	    < <(printf 'a b\n%%t')
	expect 0 "0:a b:$(says "$1"):0%" "0:%t:$(says "$1"):0%"
	pm "$1" --lines --format 'line' "$(reads "$1" 0)" < <(printf 'a\nb\n')
	expect 0 line line
}

@test "--format: %l is the line" {
	each every_format
	usage_error 'only --lines has %l' poll --format %l -t 0 0
}

every_quiet() {
	pm "$1" --lines --quiet -c 2 "$(reads "$1" 0)" < <(printf 'a\nb\nc\n')
	expect 0
	pm "$1" --lines --quiet "$(reads "$1" 0)" < <(:)
	expect 1
}

@test "--quiet prints nothing, and reads" {
	each every_quiet
}

# ---- the end ----

every_timeout() {
	mkfifo f
	exec 7<>f
	printf 'a\nb' >&7
	pm "$1" --lines -t 0.05 "$(reads "$1" f)"
	expect 124 $'f\ta' $'f\tb'
	pm "$1" --lines -t 0.05 "$(reads "$1" f)"
	expect 124
	printf 'a\nb' >&7
	pm "$1" --lines --idle 0.05 "$(reads "$1" f)"
	expect 124 $'f\ta' $'f\tb'
	exec 7>&-
	rm f
}

@test "--timeout and --idle: what was read of a line is printed" {
	each every_timeout
}

every_reopen() {
	local i

	mkfifo f
	lining "$1" --reopen -c 12 "$(reads "$1" f)"
	for i in 1 2 3 4; do
		printf '%s\nx\ny' $i >f
		record $'f\t'$i
		record $'f\tx'
		record $'f\ty'
	done
	ends 0
	rm f
}

@test "--reopen: writers come and go" {
	each every_reopen
}

every_crowd() {
	local i

	rounds 300
	mkfifo f
	lining "$1" --reopen -c "$rounds" "$(reads "$1" f)"
	(for ((i = 1; i <= rounds; i++)); do
		echo $i >f
	done) 3>&- 8<&- &
	for ((i = 1; i <= rounds; i++)); do
		record $'f\t'$i
	done
	ends 0
	rm f
}

every_unfinished() {
	local i j

	mkfifo f
	rounds 200
	lining "$1" --reopen -c $((2 * rounds)) "$(reads "$1" f)"
	for ((i = 0; i < rounds; i++)); do
		printf 'a\n' >f
		# sooner and later, while the FIFO is opened again
		for ((j = i % 100; j > 0; j--)); do :; done
		printf x >f
		record $'f\ta'
		record $'f\tx'
	done
	ends 0
	rm f
}

@test "--reopen: the unfinished line of a writer that is gone at once" {
	each every_unfinished
}

@test "--reopen: writers that are gone at once lose nothing" {
	each every_crowd
}

every_denied() {
	local i

	mkfifo f
	timeout 20 deny "$2" -- "$PMUX" "$1" --lines --reopen -c 4 \
	    "$(reads "$1" f)" >out 2>err 3>&- &
	pid=$!
	for i in 1 2 3 4; do
		echo $i >f
		until [[ $(wc -l <out) -ge $i ]] || ! kill -0 "$pid"; do
			sleep 0.002
		done
	done
	wait "$pid"
	printf 'f\t%d\n' 1 2 3 4 | cmp - out
	assert_equal "$(<err)" ''
	rm f
}

@test "--reopen: what is denied is done without" {
	need_linux
	each every_denied tee=EPERM
	each every_denied tee=ENOSYS
	each every_denied flock=EPERM
}

every_broken() {
	mkfifo f
	exec 6<>f
	printf 'a\n' >&6
	run --separate-stderr timeout 20 deny tee=EIO -- \
	    "$PMUX" "$1" --lines --reopen -c 4 "$(reads "$1" f)"
	expect_error 3 'f: .*EIO'
	exec 6>&-
	rm f
}

# Its writer has gone, which is no answer to a call that fails.
every_failed_read() {
	printf 'a\n' | {
		sleep 0.02
		run --separate-stderr deny preadv2=EIO splice=EIO -- \
		    timeout 20 "$PMUX" "$1" --lines "$(reads "$1" 0)"
		expect_error 3 '0: .*EIO'
	}
}

@test "a read that fails is no end of file" {
	need_linux
	deny preadv2=EIO -- true || skip "no seccomp(2) filters"
	each every_failed_read
}

@test "--reopen: what fails is said once, and ends the target" {
	need_linux
	each every_broken
}

every_gone_reader() {
	local n

	mkfifo f
	exec 6<>f
	# in the wait; poll(2) of NetBSD has no hangup of a FIFO
	if [[ ${PMUX_AS-} != netbsd && $(uname -s) != NetBSD ]]; then
		lining "$1" "$(reads "$1" f)"
		exec 8<&-
		status=0
		wait "$pid" || status=$?
		assert_equal $status 141
	fi
	# while it writes, after so many lines
	for n in 1 2 500; do
		yes | (
			status=0
			pmux "$1" --lines "$(reads "$1" 0)" || status=$?
			echo $status >status
		) | head -n $n >out
		assert_equal "$(count -l <out) $(<status)" "$n 141"
	done
	# before it has begun
	status=0
	seq 10 | pmux "$1" --lines "$(reads "$1" 0)" > >(:) || status=$?
	[[ $status == 141 || $status == 0 ]]
	exec 6>&-
	rm f
}

@test "the reader of its output goes: it ends as by SIGPIPE" {
	each every_gone_reader
}

every_blocked() {
	mkfifo f out
	exec 7<>f 8<>out
	until ! pmux poll -q -t 0 8:out; do
		printf '%04096d' 0 >&8
	done
	# nothing of it is lost
	printf '1\n' >&7
	status=0
	timeout 20 pmux "$1" --lines -c 1 -t 0.1 "$(reads "$1" 7)" >&8 2>err ||
	    status=$?
	assert_equal "$status $(<err)" '124 '
	pm "$1" --lines -c 1 "$(reads "$1" 7)"
	expect 0 $'7\t1'
	# it was read already
	printf '2\n' >&7
	status=0
	timeout 20 pmux "$1" --lines -t 0.1 "$(reads "$1" 7)" >&8 2>err ||
	    status=$?
	assert_equal "$status" 124
	assert_regex "$(<err)" '^pmux: .*: standard output: the timeout passed'
	exec 7>&- 8>&-
	rm f out
}

@test "-t: is kept while nobody takes the output" {
	each every_blocked
}

@test "a full disk: 3, with the reason" {
	[[ -c /dev/full ]] || skip "no /dev/full"
	run --separate-stderr bash -c 'seq 100000 | pmux wait --lines 0 >/dev/full'
	expect_error 3 'standard output: .*ENOSPC'
}

every_signal() {
	local number

	for number in TERM INT HUP USR1; do
		mkfifo f
		exec 7<>f
		rm -f ready
		mkfifo ready
		peer run how pmux "$1" --lines --hold 0 --ready-fd 9 "$(reads "$1" f)" \
		    9>ready >out 3>&- &
		pid=$!
		read -r line <ready
		printf 'a\nunfinished' >&7
		unread 0
		until [[ -s out ]]; do
			sleep 0.002
		done
		kill -"$number" "$pid"
		wait "$pid" || :
		assert_equal "$(<how)" "signal $(kill -l $number)"
		printf 'f\ta\nf\tunfinished\n' | cmp - out
		exec 7>&-
		rm f
	done
}

@test "a signal: what was read is printed, also of an unfinished line" {
	each every_signal
}

every_busy_signal() {
	local i n writer

	rounds 5
	for ((i = 1; i <= rounds; i++)); do
		mkfifo f
		exec 7<>f
		seq 3000000 >f 3>&- 7>&- &
		writer=$!
		rm -f out
		pmux "$1" --lines --hold 0 "$(reads "$1" f)" >out 3>&- 7>&- &
		pid=$!
		until [[ -s out && $(wc -c <out) -gt $((i * 100000)) ]]; do
			:
		done
		kill "$pid"
		wait "$pid" || :
		# with what is left it is what was written, but for the newline
		# behind what was read of a line
		pmux poll --lines -c 9 7 >>out
		n=$(wc -l <out)
		((n > 9))
		cut -f2 out | tr -d '\n' >got
		seq $((n - 1)) | tr -d '\n' >fewer
		seq "$n" | tr -d '\n' >wanted
		cmp -s got fewer || cmp got wanted
		kill "$writer"
		wait "$writer" || :
		exec 7<&-
		rm f
	done
}

@test "a signal while it reads and prints: not a byte is lost" {
	each every_busy_signal
}

@test "a signal while nobody reads its output: it ends" {
	mkfifo out
	exec 8<>out
	yes | pmux wait --lines 0 >out 3>&- &
	pid=$!
	await_state "$pid" S
	pmux poll -t 5 8:in >/dev/null
	sleep 0.05
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	assert_equal $status 143
}

# ---- files that kevent(2) follows ----

@test "kqueue: a file that got shorter is read from its start again" {
	need kqueue
	printf 'aaaa\nbbbb\ncc' >log
	lining kqueue -c 4 read:log
	record $'log\taaaa'
	record $'log\tbbbb'
	: >log
	until [[ -s err ]]; do
		sleep 0.002
	done
	assert_regex "$(<err)" '^pmux: kqueue: log: it was truncated'
	printf 'new\n' >>log
	record $'log\tnew'
	printf 'x\n' >log
	record $'log\tx'
	run ! read -r line <&8
	exec 8<&-
	wait "$pid"
	assert_equal "$(count -l <err)" 2
}

@test "kqueue: a file that was rewritten, and is longer" {
	need kqueue
	local words

	printf 'aaaa\nbbbb\n' >log
	# what was read of an unfinished line is one, where lines do not count
	for words in '-c 3' ''; do
		# shellcheck disable=SC2086
		lining kqueue $words read:log
		record $'log\taaaa'
		record $'log\tbbbb'
		printf 'a line that is new\n' >new
		cat new >log
		record $'log\ta line that is new'
		if [[ ! $words ]]; then
			printf unfinished >>log
			await_read unfinished
			printf '%s\n' aaaa 'another, that is longer than it was' >log
			record $'log\tunfinished'
			record $'log\taaaa'
			record $'log\tanother, that is longer than it was'
			kill "$pid"
		fi
		run ! read -r line <&8
		exec 8<&-
		wait "$pid" || :
		printf 'aaaa\nbbbb\n' >log
	done
}

# await_read WORD: wait until pmux has read the end of log.
await_read() {
	local n size

	size=$(wc -c <log)
	if [[ -d /proc/$pid/fdinfo ]]; then
		until [[ $(cat /proc/"$pid"/fdinfo/* 2>/dev/null) == *pos:$'\t'"$size"[!0-9]* ]]
		do
			sleep 0.002
		done
	else
		sleep 0.1
	fi
}

# ---- what is refused ----

@test "targets that are not for reading" {
	usage_error 'does not ask to read' poll --lines -t 0 0:hup
	usage_error 'asks to write' poll --lines -t 0 0:in,out
	usage_error 'asks to write' select --lines -t 0 -w 0
	usage_error 'asks to write' wait --lines -t 0 0:out
	if has epoll; then
		usage_error 'all there is' epoll --lines -t 0 0:in,et
		usage_error 'all there is' epoll --lines -t 0 0:in,oneshot
	fi
	if has kqueue; then
		usage_error 'another filter' kqueue --lines -t 0 write:0
		usage_error 'another filter' kqueue --lines timer:1s
		usage_error 'all there is' kqueue --lines -t 0 read:0:clear
	fi
}

every_failure() {
	pm "$1" --lines "$(reads "$1" 7)" 7<.
	[[ $1 == epoll && $stderr == *EPERM* ]] ||
	    [[ $1 == kqueue && $status != 0 ]] ||
	    expect_error 3 '7: .*EISDIR'
}

@test "what cannot be read: 3, with the reason" {
	each every_failure
	# the others go on
	pm wait --lines 7 0 7<. < <(printf 'a\nb\n')
	assert_equal "$status $output" $'3 0\ta\n0\tb'
}

@test "a slow reader slows it, and its memory stays small" {
	need_linux
	[[ -z ${ASAN_OPTIONS-} ]] || skip "the sanitizer needs more memory"
	mkfifo out
	exec 8<>out
	yes | head -c 20000000 | pmux wait --lines 0 >out 3>&- &
	pid=$!
	pmux poll -t 5 8:in >/dev/null
	await_state "$pid" S
	[[ $(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' /proc/$pid/status) \
	    -lt 8192 ]]
	exec 7<&8
	exec 8<out
	kill "$pid"
	wait "$pid" || :
}
