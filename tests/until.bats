#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# The goals and ends of a stream: --until, --partial, --while.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
# shellcheck disable=SC2094	# both ends of a FIFO
load helper

# a process that ends when its standard input does
lives() {
	mkfifo life
	cat life >/dev/null 3>&- &
	life=$!
	exec 9>life
}

dies() {
	exec 9>&-
	rm life
}

# ---- --until ----

every_match() {
	{ pm "$1" --lines --until '^READY( |$)' "$(reads "$1" 0)" && cat >left; } \
	    < <(printf '%s\n' 'NOT READY' 'READY to go' more 'READY again')
	expect 0 $'0\tNOT READY' $'0\tREADY to go'
	assert_equal "$(<left)" $'more\nREADY again'
}

@test "--until: ends with the line, and reads nothing behind it" {
	each every_match
}

every_end() {
	pm "$1" --lines --until READY "$(reads "$1" 0)" < <(printf 'a\nb')
	expect 1 $'0\ta' $'0\tb'
	with 7=pipe.r.empty -- \
	    pmux "$1" --lines --until READY -t 20ms "$(reads "$1" 7)"
	expect 124
	with 7=pipe.r.data -- \
	    pmux "$1" --lines --until READY --idle 20ms "$(reads "$1" 7)"
	assert_equal "$status" 124
}

@test "--until: the end before it is 1, the time is 124" {
	each every_end
}

@test "--until: a line whose read is interrupted is printed once" {
	local inject=${PMUX_TOOLS%/*}/faults/inject

	need_linux
	need_program "it is executed"
	[[ -x $inject ]] || skip "no $inject"
	[[ ! ${TEST_COVERAGE-} ]] || skip "libgcov drops its counts"
	run "$inject" -n until-not -m -c -A -s 124 -o '7:one\ntwo\n' -- \
	    "$PMUX" wait -t 20ms --lines --until three 7:in
	[[ $status != 77 ]] || skip "no process can be traced"
	[[ $status == 0 ]] || fail "${lines[0]}" "${lines[1]-}"
}

every_last() {
	pm "$1" --lines --until 'b$' "$(reads "$1" 0)" < <(printf 'a\nb')
	expect 0 $'0\ta' $'0\tb'
}

@test "--until: an unfinished last line may match" {
	each every_last
}

@test "--until: the same where a pipe cannot be peeked at" {
	need_linux
	deny tee=ENOSYS -- true || skip 'no seccomp'
	apart deny tee=ENOSYS -- "$PMUX" wait --lines --until 'b$' 0 \
	    < <(printf 'a\nb')
	expect 0 $'0\ta' $'0\tb'
}

@test "--until: a regular file is read up to the match" {
	local c

	printf '%s\n' a READY b >file
	for c in select poll wait; do
		{ pm $c --lines --until READY "$(reads $c 0)" && cat >left; } <file
		expect 0 $'0\ta' $'0\tREADY'
		assert_equal "$(<left)" b
	done
}

@test "--until: a match at the moment that the time ends counts" {
	pm wait --lines --until READY -t 0 0 < <(echo READY)
	# the pipe may still be empty
	[[ $status == 0 && $output == $'0\tREADY' || $status == 124 ]]
	echo READY >file
	pm wait --lines --until READY -t 0 0 <file
	expect 0 $'0\tREADY'
}

@test "--until with --count: what comes first is the goal" {
	pm wait -q --lines --until READY -c 2 0 < <(printf '%s\n' a b READY)
	expect 0
	pm wait --lines --until READY -c 9 0 < <(printf '%s\n' a READY b)
	expect 0 $'0\ta' $'0\tREADY'
	pm wait -q --lines --until READY -c 9 0 < <(printf '%s\n' a b)
	expect 1
}

@test "--until: of several targets the other keeps its lines" {
	mkfifo a b
	exec 5<>a 6<>b
	streaming wait --lines --until READY a b
	printf 'one\n' >&5
	read -r line <&8
	assert_equal "$line" $'a\tone'
	printf 'READY\nbehind\n' >&5
	read -r line <&8
	assert_equal "$line" $'a\tREADY'
	ends 0
	echo other >&6
	read -r line <&6
	assert_equal "$line" other
	read -r line <&5
	assert_equal "$line" behind
	exec 5>&- 6>&-
}

@test "--until: messages of a socket" {
	with 7=unix-stream.data -- pmux wait --lines --until . --idle 20ms 7
	assert_equal "$status" 124	# no end of a line
	with 7=unix-dgram.data -- pmux wait --lines --until . -t 60 7
	assert_equal "$status" 0
	with 7=unix-dgram.data -- pmux wait --lines --until '^$' --idle 20ms 7
	assert_equal "$status" 124
}

@test "--until: a piece that --max-line cuts is matched alone" {
	pm wait --lines --max-line 3 --until 'cd' 0 < <(printf 'abcdef\nXcd\n')
	short
	assert_equal "$status ${lines[*]}" $'0 0\tabc 0\tdef 0\tXcd'
	pm wait --lines --max-line 3 --until '^d' 0 < <(printf 'abcdef\nX\n')
	short
	assert_equal "$status ${lines[*]}" $'0 0\tabc 0\tdef'
}

# ---- expressions ----

# matches ERE TEXT: TEXT, with the escapes of printf, is a match of ERE.
matches() {
	printf "$2\n" >text
	pmux wait --lines -q --until "$1" 0 <text
}

@test "--until: extended expressions, byte by byte" {
	matches 'a|b' xbx
	matches '^(ab)+$' abab
	matches 'a{2,3}c' xaac
	matches '[[:digit:]]+\.[0-9]' 'version 12.5'
	# POSIX leaves an empty expression open: regcomp(3) of the BSDs refuses it
	[[ $(uname -s) == *BSD ]] || matches '' ''
	matches 'ä' 'träge'
	matches '^tr..ge$' 'träge'
	matches '^.$' '\377'
	run ! matches 'A' a
	run ! matches '^b' ab
}

@test "--until: no expression matches a NUL byte" {
	matches '^a$' 'a'
	matches 'b$' 'a\0b'
	matches '^a' 'a\0b'
	run ! matches '^b' 'a\0b'
	run ! matches 'a$' 'a\0b'
	run ! matches 'a.b' 'a\0b'
	run ! matches 'a[^x]b' 'a\0b'
	matches '^$' ''
	run ! matches '^$' '\0'
}

@test "--until: also in long lines, where the beginning is no other" {
	local long

	long=$(head -c 5000 /dev/zero | tr '\0' a)
	matches "a.*b" "${long}b"
	matches "ab$" "${long}b"
	run ! matches "^b" "${long}b"
	matches "^a" "${long}b"
	matches "c|ab" "${long}b"
	# behind a NUL
	matches "ab$" "x\\0${long}b"
	run ! matches "^a" "x\\0${long}b"
	run ! matches "xa" "x\\0${long}b"
	matches "^x" "x\\0${long}b"
	matches "a.*b" "x\\0y\\0${long}b"
	run ! matches "a.*x" "x\\0${long}b\\0x"
}

@test "--until: a long text behind a NUL is printed as it is" {
	local long

	long=$(head -c 5000 /dev/zero | tr '\0' a)
	printf 'x\0%sb\nnext\n' "$long" >text
	pmux wait --lines --format %l --until 'ab$' 0 <text >out
	printf 'x\0%sb\n' "$long" | cmp - out
}

# glibc would need hours without care
@test "--until: a long line takes no time that is quadratic in its length" {
	head -c 1000000 /dev/zero | tr '\0' a >text
	printf '\0' >>text
	head -c 1000000 /dev/zero | tr '\0' a >>text
	echo >>text
	pm wait --lines -q --max-line 3000000 --until 'a.*(b|c)' 0 <text
	expect 1
}

@test "--until: an expression that takes minutes: the timeout holds, and SIGTERM" {
	need_program "it goes on until the expression has been tried"
	local long start

	printf -v long '%40000s' ''
	long=${long// /a}
	printf '%sb\n' "${long:20000}" >log
	# where it is quick, the end of the file comes first
	pm wait --lines -t 0.1 --until "$long" log
	[[ $status != 1 ]] || skip "regexec(3) is quick here"
	expect 124 ''
	[[ $(uname -s) == Linux ]] || skip 'no sign that regexec(3) was called'
	pmux wait --lines --until "$long" log >out 2>err 3>&- &
	start=$!
	# its memory grows while the expression is tried
	until [[ $(ps -o rss= -p "$start") -gt 40000 ]]; do sleep 0.01; done
	kill -TERM "$start"
	finish "$start"
	assert_equal "$status" 143
	# a named pipe, which pmux leaves before it ends
	mkfifo f
	cat log >f 3>&- &
	pm wait --lines -t 0.1 --until "$long" f
	assert_equal "$status ${#output}" '124 0'
	assert_equal "$(cat f | wc -c)" 20002
	[[ $(uname -m) == x86_64 ]] || return 0 # vfork may be clone here
	deny clone=EAGAIN -- true || return 0
	cat log >f 3>&- &
	run --separate-stderr deny clone=EAGAIN clone3=EAGAIN -- \
	    pmux wait --lines -t 0.1 --until "$long" f
	assert_equal "$status" 3
	[[ $stderr == *'f: what is unread is lost'* ]] || fail "$stderr"
}

@test "--until: the timeout holds where the output has no room" {
	need_linux	# whose pipes have room for 64 KiB
	need_program "it is executed"
	mkfifo in out
	exec 7<>in 8<>out
	head -c 61440 /dev/zero >&8
	seq 4000 >&7
	run --separate-stderr timeout 60 bash -c \
	    'exec "$PMUX" wait --lines -t 0.1 --until x 7 >&8'
	expect_error 124 'the timeout passed before all output could be written'
}

@test "--until: stopped until long after the timeout, without a target" {
	need_program "the shell would be stopped"
	waiting wait --lines -t 200ms --until x
	kill -STOP "$pid"
	sleep 0.4
	kill -CONT "$pid"
	finish "$pid"
	expect 124
}

@test "--until: a signal, or the timeout, at the very end of pmux" {
	local shim=$PMUX_TOOLS/signalled.so number status_then

	need_linux
	need_program "it is executed"
	[[ -s $shim ]] || skip "no $shim"
	run env SIGNALLED_AT_END=15 LD_PRELOAD="$shim" "$PMUX" -V
	[[ $status == 143 ]] || skip "it cannot be preloaded"
	for number in 0 14 15; do
		status_then=$((number == 0 ? 0 : 128 + number))
		run env SIGNALLED_AT_END="$number" LD_PRELOAD="$shim" "$PMUX" \
		    wait --lines -t 50ms --until a 0 < <(echo a)
		# where the line came late, the timeout was first
		[[ $number$status != 0124 ]] || status=0
		assert_equal "$number $status" "$number $status_then"
	done
}

@test "--until: an alarm that the caller has set ends pmux" {
	need_program "it is executed"
	command -v perl >/dev/null || skip "no perl"
	mkfifo f
	exec 7<>f
	run perl -e 'alarm 1; exec @ARGV' "$PMUX" wait --lines -t 3 --until x 7
	assert_equal "$status" 142
}

@test "--until: bad expressions are usage errors" {
	usage_error "'a\(': .*([(]|parenthes)" wait --lines --until 'a(' 0
	usage_error "'\[a': .*(\[|bracket)" wait --lines --until '[a' 0
	usage_error 'unmatched [)]' wait --lines --until 'a)' 0
	usage_error 'unmatched [)]' wait --lines --until '(a))|b' 0
	usage_error 'back-references' wait --lines --until '(a*)(a*)\1\2x' 0
	usage_error 'back-references' wait --lines --until '[)](a)\1' 0
	# no back-references
	matches '[\1]' 1
	matches '[]\1]x' '1x'
	matches '[^]\1]x' '2x'
	matches '[[:alpha:])\1]+$' 'a)1'
	matches '\\1' '\\\\1'
	matches '\)' ')'
}

@test "--until and the others: not without what they need" {
	usage_error '--until: only with --lines' wait --until x 0
	usage_error '--until: only with --lines' wait --follow --until x 0
	usage_error '--partial: only with --until' wait --lines --partial 0
	usage_error '--while: only with' wait --while $$ 0
	for pid in 0 -1 x '' 1x 2147483648; do
		usage_error '--while: ' wait --lines --while "$pid" 0
	done
}

# ---- --partial ----

every_prompt() {
	mkfifo f
	exec 7<>f
	streaming "$1" --lines --until 'login: $' --partial "$(reads "$1" f)"
	for c in "${@:2}"; do
		printf %s "$c" >&7
	done
	IFS= read -r line <&8
	assert_equal "$line" $'f\tlogin: '
	ends 0
	printf 'x\n' >&7
	read -r line <&7
	assert_equal "$line" x
	exec 7>&-
	rm f
}

@test "--partial: a prompt in one piece" {
	each every_prompt 'login: '
}

@test "--partial: a prompt byte by byte" {
	each every_prompt l o g i n : ' '
}

@test "--partial: bytes that come later" {
	mkfifo f
	exec 7<>f
	streaming wait --lines --until '>$' --partial f
	printf 'one\n' >&7
	read -r line <&8
	printf 'a' >&7
	# the a is there, unread, or has been taken where there is no tee(2)
	until [[ $(pmux poll -t 0 --format %b f:in) == @(1|) ]]; do
		sleep 0.002
	done
	printf '>' >&7
	read -r line <&8
	assert_equal "$line" $'f\ta>'
	ends 0
	exec 7>&-
}

@test "--partial: a terminal" {
	with 7=pty-master.data -- \
	    pmux wait --lines --until '.$' --partial -t 5 7
	assert_equal "$status" 0
}

@test "without --partial an unfinished line is not tried" {
	with 7=pipe.r.empty -- sh -c 'printf a | {
		pmux wait --lines --until a --idle 50ms 0 7; }'
	assert_equal "$status" 0	# the writer has gone: it is the last line
	mkfifo f
	exec 7<>f
	printf a >&7
	pm wait --lines --until a --idle 50ms --hold 0 f
	assert_equal "$status" 124
	exec 7>&-
}

# ---- --while ----

every_while() {
	lives
	mkfifo f
	exec 7<>f
	streaming "$1" --lines --while "$life" "$(reads "$1" 7)"
	echo one >&7
	read -r line <&8
	assert_equal "$line" $'7\tone'
	printf 'two\nlast' >&7
	dies
	read -r line <&8
	assert_equal "$line" $'7\ttwo'
	read -r line <&8
	assert_equal "$line" $'7\tlast'
	ends 0
	exec 7>&-
	rm f
}

@test "--while: the last words are read, an unfinished line too" {
	each every_while
}

every_while_until() {
	lives
	mkfifo f
	exec 7<>f
	streaming "$1" --lines --until READY --while "$life" "$(reads "$1" 7)"
	printf 'x\nREADY' >&7
	read -r line <&8
	dies
	read -r line <&8
	assert_equal "$line" $'7\tREADY'
	ends 0
	lives
	streaming "$1" --lines --until READY --while "$life" "$(reads "$1" 7)"
	printf 'x\n' >&7
	dies
	read -r line <&8
	ends 1
	exec 7>&-
	rm f
}

@test "--while with --until: 0 for the line, 1 for the end before it" {
	each every_while_until
}

while_is_highest() {
	local process=$1

	rm -f f
	mkfifo f
	# no descriptor is above that of the process
	# shellcheck disable=SC2016
	bash -c 'read -r _ <go & exec 7>&- 8>&- 9>&-
		"$PMUX" "$1" --follow --while "$!" "$2" <>f' \
	    - "$process" "$(reads "$process" 0)" >out 2>err 3>&- &
	pid=$!
	echo >go
	finish "$pid"
	expect 1 ''
}

@test "--while: the descriptor of the process is the highest" {
	mkfifo go
	each while_is_highest
}

@test "--while: a process that has gone already" {
	sh -c : &
	pid=$!
	wait $pid
	mkfifo f
	exec 7<>f
	pm wait --lines --while $pid 7
	expect 1
	echo left >&7
	pm wait --lines --while $pid 7
	expect 0 $'7\tleft'
	echo left >&7
	pm wait --lines --until x --while $pid -t 60 7
	expect 1 $'7\tleft'
	exec 7>&-
}

@test "--while: events, without --lines" {
	lives
	mkfifo f
	exec 7<>f
	streaming wait --follow --while "$life" 7
	echo >&7
	read -r line <&8
	assert_equal "$line" $'in\t7'
	dies
	ends 0
	lives
	read -r line <&7
	streaming wait --follow --while "$life" 7
	dies
	ends 1
	exec 7>&-
}

@test "--while: no targets that finish are needed" {
	lives
	with 7=pipe.r.writer-gone-drained -- \
	    pmux wait --lines --while $$ 7
	expect 1
	streaming wait --follow --while "$life" -t 60
	dies
	ends 1
}

@test "--while: time still ends it" {
	with 7=pipe.r.empty -- pmux wait --lines --while $$ -t 20ms 7
	expect 124
	with 7=pipe.r.empty -- pmux wait --lines --while $$ --idle 20ms 7
	expect 124
}

@test "--while: a thread, or no process, is an error" {
	need_linux
	pm wait --lines --while 2147483647 0 </dev/null
	expect 1
}
