#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# What is wrong is said in one line, with the right status.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

# ---- commands and options ----

@test "no command" {
	usage_error command
}

@test "an unknown command, and the nearest name" {
	pm pol 0:in
	expect 2
	assert_equal "$stderr" \
	    "pmux: pol: unknown command (did you mean 'poll'?)"
	usage_error "pmux: selct: unknown command .*'select'" selct
	usage_error "pmux: epol: unknown command .*'epoll'" epol
	usage_error 'pmux: xyzzy-plugh: unknown command' xyzzy-plugh
	refute_regex "$stderr" 'did you mean'
	usage_error unknown ''
	usage_error 'unknown command' POLL
	usage_error 'a\\nb: unknown command' $'a\nb'
}

@test "an unknown option" {
	local command

	for command in select poll devpoll epoll wait info; do
		usage_error "pmux: $command: .*--frobnicate" \
		    "$command" --frobnicate
		usage_error "pmux: $command: .*Z" "$command" -Z
	done
	usage_error frobnicate --frobnicate
	usage_error Z -Z
	usage_error '\\0033' poll $'--\e[2J'
}

@test "an unknown letter among several in a word" {
	usage_error '-qZt: unknown option -Z$' poll -qZt 0 0
	usage_error '-qt: an argument is missing: DURATION$' poll 0 -qt
	usage_error '-5q: a descriptor cannot be negative$' poll -5q
	usage_error '--quiet=1: takes no argument$' poll --quiet=1 0
}

@test "letters and names of options in every form" {
	local words

	for words in '-qt0' '-qt 0' '-q -t0' '-t 0 -q' '--quiet --timeout=0' \
	    '--quiet --timeout 0' '--qu --timeo=0' '--qu --timeo 0' \
	    '--timeout=0 --debug=debug -q'; do
		# shellcheck disable=SC2086 # words
		pm poll $words 0:in </dev/zero
		expect 0 ''
		# shellcheck disable=SC2086
		pm poll 0:in $words </dev/zero
		expect 0 ''
	done
	[ -s debug ]
}

@test "an option of another command" {
	usage_error r poll -r 0
	usage_error . select -e in 0
}

@test "an option without its argument, or with one it has not" {
	local option

	for option in -t --timeout -n --max-events --format --ready-fd -p \
	    --pid -e --events --hold; do
		usage_error . poll 0:in "$option"
	done
	usage_error quiet poll --quiet=yes 0:in
}

@test "-- starts a program, which comes after the targets" {
	usage_error 'program' poll -t 0 -- name
	assert_regex "$stderr" '\./'
}

# ---- events ----

@test "an unknown event" {
	usage_error inn poll -t 0 0:inn
	usage_error . poll -t 0 -e inn 0
	usage_error 0x poll -t 0 0:0xgg
}

@test "an event that the primitive does not have" {
	usage_error 'pmux: poll: .*et' poll -t 0 0:et
	usage_error 'pmux: devpoll: .*oneshot' devpoll -t 0 0:in,oneshot
	usage_error 'pmux: wait: .*exclusive' wait -t 0 0:exclusive
	: >file
	usage_error et poll -t 0 file:et
	usage_error '[Ee][Tt]' poll -t 0 file:in,EPOLLET
}

@test "an empty word" {
	usage_error . poll -t 0 ''
	usage_error . poll -t 0 ':in'
	usage_error . poll -t 0 ':'
	usage_error . poll -t 0 0:,
	usage_error . select -t 0 ''
	usage_error . select -t 0 -r ''
}

# ---- numbers ----

@test "a number past INT_MAX" {
	local command

	for command in select poll devpoll epoll wait; do
		usage_error "pmux: $command: .*2147483648" \
		    "$command" -t 0 2147483648
		usage_error 18446744073709551616 \
		    "$command" -t 0 18446744073709551616
	done
}

@test "a negative number" {
	usage_error 5 poll -t 0 -5
	usage_error . poll -t 0 -5:in
	usage_error '-1: a descriptor cannot be negative' select -t 0 -r -1
}

@test "--max-events: at least one" {
	local n

	for n in 0 -1 abc '' 1.5 99999999999999999999 2x ' 3'; do
		usage_error . poll -t 0 -n "$n" 0:in
		usage_error . poll -t 0 "--max-events=$n" 0:in
	done
}

# no_number OPTION: what is not a number, or more than any limit.
no_number() {
	local word

	for word in '' 0 -1 +1 ' 1' '1 ' 1.5 0x1 1e400 1x 9223372036854775808 \
	    18446744073709551616 18446744073709551616x; do
		usage_error "pmux: poll: $1: '${word/+/[+]}'" \
		    poll -f -t 0 "$1=$word" 0:in -- true
	done
}

@test "a number of an option has digits alone, and a limit" {
	local option

	for option in --max-events --count --jobs --ready-fd --max-line \
	    --pid; do
		no_number "$option"
	done
	for option in --max-events --ready-fd --max-line --pid; do
		usage_error 2147483648 poll -t 0 "$option=2147483648" 0:in
		usage_error 4294967296 poll -t 0 "$option=4294967296" 0:in
	done
}

@test "events as a number: 32 bits" {
	usage_error 'more bits' poll -t 0 0:0x100000000
	usage_error 'more bits' poll -t 0 0:0x10000000000000001
	usage_error . poll -t 0 0:0x
	usage_error . poll -t 0 0:+0x1
}

@test "a number of a kevent" {
	local word

	need kqueue
	need_filter user
	for word in '' +1 ' 1' 1x 0x 0xg 1e400 18446744073709551616x; do
		usage_error "'${word/+/[+]}' is not a number" kqueue -t 0 \
		    "user:1:fflags=$word"
	done
	for word in 4294967296 0x100000000 9223372036854775808 \
	    18446744073709551616; do
		usage_error "'$word' is out of range" kqueue -t 0 \
		    "user:1:fflags=$word"
	done
	usage_error "is out of range" kqueue -t 0 user:18446744073709551616
	pm kqueue -t 0 user:1:fflags=4294967295
	expect 0 $'user\t0xffffff\t-\t0\t1'
	pm kqueue -t 0 user:0xffffffffffffffff
	expect 124
}

# ---- paths ----

no_such_path() {
	pm "$1" -t 0 "$(reads "$1" none)"
	expect 3
	hint=
	[[ $1 != wait ]] || hint=' (--exists PATH waits until it is there)'
	assert_equal "$stderr" \
	    "pmux: $1: none: No such file or directory [ENOENT]$hint"
	pm "$1" -t 0 "$(reads "$1" none/none)"
	assert_equal "$stderr" \
	    "pmux: $1: none/none: No such file or directory [ENOENT]$hint"
	assert_equal "$status" 3
}

@test "a path that does not exist" {
	each no_such_path
}

@test "a path that is a directory" {
	mkdir dir
	pm poll -t 0 dir:out
	expect_error 3 'pmux: poll: dir: .*\[EISDIR\]'
	pm select -t 0 -w dir
	expect_error 3 'pmux: select: dir: .*\[EISDIR\]'
	pm epoll -t 0 dir:in
	expect_error 3 'pmux: epoll: dir: .*\[EPERM\]'
	pm poll -t 0 dir/none:in
	expect_error 3 'dir/none: .*\[ENOENT\]'
}

@test "a path below what is no directory" {
	: >file
	pm poll -t 0 file/x:in
	expect_error 3 'file/x: .*\[ENOTDIR\]'
}

@test "a path that is not readable, as a user" {
	need_user
	: >file
	chmod 0 file
	pm poll -t 0 file:in
	expect_error 3 'pmux: poll: file: .*\[EACCES\]$'
	mkfifo fifo
	chmod 400 fifo
	pm poll -t 0 fifo:out
	expect_error 3 'pmux: poll: fifo: .*\[EACCES\]$'
}

@test "a path that is not readable, as root becomes a user" {
	need_root
	chmod 755 .
	: >file
	chmod 0 file
	run --separate-stderr peer as 65534 "$PMUX" poll -t 0 file:in
	[[ $status != 77 ]] || skip "$stderr"
	expect_error 3 'pmux: poll: file: .*\[EACCES\]$'
	mkfifo fifo
	chmod 444 fifo
	run --separate-stderr peer as 65534 "$PMUX" poll -t 0 fifo:out
	expect_error 3 'pmux: poll: fifo: .*\[EACCES\]$'
	mkdir dir
	: >dir/file
	chmod 700 dir
	run --separate-stderr peer as 65534 "$PMUX" poll -t 0 dir/file:in
	expect_error 3 'pmux: poll: dir/file: .*\[EACCES\]$'
}

@test "a dangling link, and a loop" {
	ln -s nowhere link
	pm poll -t 0 link:in
	expect_error 3 'pmux: poll: link: .*\[ENOENT\]'
	ln -s loop loop
	pm poll -t 0 loop:in
	expect_error 3 'pmux: poll: loop: .*\[ELOOP\]$'
}

@test "a name too long" {
	pm poll -t 0 "$(printf '%05000d' 1 | tr 0 a):in"
	expect_error 3 '\[ENAMETOOLONG\]$'
}

@test "a name with a newline or an escape sequence" {
	pm poll -t 0 $'a\nb:in'
	expect 3
	assert_equal "$stderr" \
	    'pmux: poll: a\nb: No such file or directory [ENOENT]'
	pm poll -t 0 $'\e]0;x\a:in'
	expect 3
	assert_equal "$stderr" \
	    'pmux: poll: \0033]0;x\0007: No such file or directory [ENOENT]'
}

@test "a socket in the file system" {
	perl -MIO::Socket::UNIX -e 1 2>/dev/null ||
	    skip "no perl to make a socket with"
	perl -MIO::Socket::UNIX -e \
	    'IO::Socket::UNIX->new(Local => "sock", Listen => 1) or die'
	pm poll -t 0 sock:in
	expect_error 3 'pmux: poll: sock: .*\[ENXIO\]'
	assert_regex "$stderr" 'connect'
}

@test "no target and no timeout" {
	local command

	for command in select poll devpoll epoll wait; do
		usage_error "pmux: $command: .*target" "$command"
		usage_error "pmux: $command: .*target" "$command" --all -q
	done
}

@test "nothing is waited for when a later word is wrong" {
	with 7=pipe.r.data -- pmux poll 7:in 0:inn
	expect_error 2 inn
	with 7=pipe.r.data -- pmux poll 7:in none:in
	expect_error 3 none
	with 7=pipe.r.data -- pmux poll 7:in -t abc
	expect_error 2 abc
}

# ---- standard descriptors, limits ----

# without_stdin ARG...: descriptor 0 is closed, and nothing of the shell's
# takes its number.
without_stdin() {
	run --separate-stderr bash -c 'exec <&-; exec pmux "$@"' - "$@"
}

stdin_closed() {
	local word

	word=$(says "$1")
	without_stdin "$1" -t 0 --format '%e %t %f' "$(reads "$1" fifo)"
	assert_equal "$1 $status $stderr" "$1 0 "
	[[ $output =~ ^$word\ fifo\ ([0-9]+)$ ]]
	((BASH_REMATCH[1] > 2))
}

@test "standard input closed: a path is no descriptor 0" {
	mkfifo fifo
	exec {held}<>fifo
	echo hello >&"$held"
	each stdin_closed
}

@test "standard input closed: 0 stays closed, whatever else is opened" {
	: >file
	without_stdin poll -t 0 file:in 0:in
	expect 0 $'in\tfile' $'nval\t0'
	without_stdin select -t 0 file 0
	expect_error 3 '0: .*\[EBADF\]'
	if has epoll; then
		without_stdin epoll -t 0 0:in
		expect_error 3 '0: .*\[EBADF\]'
	fi
	without_stdin poll -t 0 @-
	expect_error 3 '\[EBADF\]$'
}

@test "standard error closed: the status all the same" {
	run pmux poll -t 0 none:in 2>&-
	assert_equal "$status" 3
	: >file
	run bash -c 'pmux poll -t 0 file:in none:in 2>&-'
	assert_equal "$status" 3
	assert_equal "$output" ''
}

@test "numbers that pmux could take for itself are not open" {
	local command target

	: >file
	for command in poll devpoll wait; do
		with 3-20=number.closed -- pmux "$command" -t 0 -e in \
		    file 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20
		assert_equal "$status ${#lines[@]}" '0 19'
		for target in {3..20}; do
			assert_line $'nval\t'"$target"
		done
	done
}

# limited ARG...: three descriptors and 0 closed, for the loader needs one.
limited() {
	run --separate-stderr bash -c \
	    'exec <&-; ulimit -n 3; exec pmux "$@"' - "$@"
}

@test "RLIMIT_NOFILE of 3" {
	! grep -q __asan_init "$PMUX" ||
	    skip "the sanitizer needs descriptors of its own"
	limited --version
	[[ $status == 0 ]] || skip "pmux does not even start: $status $stderr"
	: >file
	limited poll -t 0 1:out
	expect 0 $'out\t1'
	limited poll -t 0 file:in
	expect_error 3 'pmux: poll: file: .*\[EMFILE\]'
	limited poll -t 0 0:in 1:in 2:in 7:in
	# a BSD may report in at a write end
	[[ $status == [13] || $status$(uname -s) == 0*BSD ]]
	if has epoll; then
		limited epoll -t 0 1:out
		expect_error 3 'pmux: epoll: .*\[EMFILE\]'
	fi
	limited select -t 0 -w 1
	expect 0 $'write\t1'
}

@test "a descriptor above the limit" {
	with 50=pipe.r.data -- \
	    bash -c 'ulimit -n 20; exec pmux poll -t 0 50:in'
	expect 0 $'in\t50'
	with 50=pipe.r.data -- \
	    bash -c 'ulimit -n 20; exec pmux select -t 0 50'
	expect 0 $'read\t50'
}

# ---- processes ----

@test "a process that does not exist" {
	need_linux
	pm poll -t 0 -p 2147483646 0:in
	expect_error 3 'pmux: poll: .*2147483646.*\[ESRCH\]'
}

@test "a process that is a zombie" {
	need_linux
	run --separate-stderr peer zombie pmux poll -t 0 -p @PID@ 0:in
	expect_error 3 'pmux: poll: .*\[ESRCH\]'
}

@test "a process that is not ours" {
	need_linux
	need_user
	[[ $(stat -c %u /proc/1) == 0 ]] || skip "process 1 is not root's"
	pm poll -t 0 -p 1 0:in
	expect_error 3 'pmux: poll: .*\[EPERM\]'
}

# ---- explain, inspect, compare, trace ----

# looks FUNCTION [NUMBER]: FUNCTION COMMAND ARG... for each of them; NUMBER is
# one of the process, which compare must have.
looks() {
	local command

	for command in explain inspect 'trace -t 5ms'; do
		# shellcheck disable=SC2086 # words
		"$1" $command -p "$pid" ${2-}
	done
	"$1" compare -p "$pid" "${2-0}"
	if [[ ! ${2-} ]] && can_trace; then
		"$1" trace --calls -t 5ms -p "$pid"
	fi
}

can_trace() {
	[[ $(uname -m) == x86_64 || $(uname -m) == aarch64 ]]
}

is_usage_error() {
	usage_error "not a number from 1 to|argument is missing" "$@"
}

is_not_there() {
	pm "$@"
	expect_error 3 'ESRCH|zombie'
}

is_not_open() {
	pm "$@"
	[[ $status == 3 && $stderr == *'[EBADF]'* ]] ||
	    [[ $1 == compare && $status == 0 && $output == *nval* ]]
}

@test "explain, inspect, compare, trace: what is no process" {
	local pid

	need_linux
	need_proc
	for pid in 0 -1 2147483648 99999999999999999999 x 1x; do
		looks is_usage_error
	done
	pid=2147483647
	looks is_not_there
	: &
	pid=$!
	wait "$pid"
	looks is_not_there
}

@test "explain, inspect, compare, trace: a zombie" {
	local pid

	need_linux
	need_proc
	rm -f zombie life
	mkfifo zombie life
	# it ends when nobody is left that could wait for it
	bash -c 'cat life & echo $!; exec sleep 1000 >&-' >zombie 3>&- &
	read -r pid <zombie
	until [[ $(<"/proc/$!/comm") == sleep ]]; do
		sleep 0.002
	done
	: >life
	await_state "$pid" Z
	looks is_not_there
}

@test "explain, inspect, compare, trace: a number that is not open" {
	local pid=$$

	need_linux
	need_proc
	pm inspect -p "$pid" 0
	[[ $status == 0 ]] || skip "$stderr"
	looks is_not_open 200
}

has_nothing() {
	pm "$@"
	if [[ $* == *--calls* ]]; then
		expect_error 3 'a thread of the kernel|EPERM'
	elif [[ $1 != compare && $1 != explain ]]; then
		expect 0
	else
		[[ $status == 0 ]]
	fi
}

@test "explain, inspect, compare, trace: a thread of the kernel" {
	local pid=2

	need_linux
	need_root
	[[ -r /proc/2/status && $(</proc/2/status) == *$'\nPPid:\t0\n'* &&
		! -s /proc/2/cmdline ]] || skip 'process 2 is no kernel thread'
	looks has_nothing
}

@test "explain, inspect, compare, trace: pmux itself" {
	local words

	need_linux
	need_proc
	for words in 'explain -p $$' 'inspect -p $$' 'compare -p $$ 0' \
	    'trace -t 5ms -p $$'; do
		run --separate-stderr bash -c "exec pmux $words" </dev/null
		[[ $status == 0 && ! $stderr ]] || fail "$words: $stderr"
	done
	# what it was given, and nothing that it has opened itself
	run bash -c 'exec pmux trace -t 5ms -p $$' 10</dev/null
	assert_equal "$(cut -f2 <<<"$output" | sort -un)" \
	    "$(bash -c 'exec pmux inspect -p $$' 10</dev/null | cut -f1)"
	can_trace || return 0
	run --separate-stderr bash -c 'exec pmux trace --calls -p $$'
	expect_error 3 'pmux itself'
}

# A process that ends during the look, at any time in it.
@test "explain, inspect, compare, trace: it ends meanwhile" {
	local n pid words	# i is run's

	need_linux
	need_proc
	rounds 50
	for ((n = 0; n < rounds; n++)); do
		for words in explain inspect 'compare 0' 'trace -t 20ms' \
		    'trace --calls -t 20ms'; do
			sleep "0.0$((RANDOM % 20))" 3>&- &
			pid=$!
			# shellcheck disable=SC2086 # words
			run --separate-stderr timeout 60 pmux $words -p "$pid"
			[[ $status == [034] ]] ||
			    fail "$words: status $status, $stderr"
			wait "$pid" || :
		done
	done
}

# output_fails COMMAND ARG...: no output, a full one, one that nobody reads.
output_fails() {
	run --separate-stderr bash -c '"$@" >&-' bash pmux "$@"
	expect_error 3 'standard output: .*EBADF'
	[[ ! -w /dev/full ]] || {
		run --separate-stderr bash -c '"$@" >/dev/full' bash pmux "$@"
		expect_error 3 'standard output: .*ENOSPC'
	}
	run --separate-stderr bash -c 'exec 4> >(:); wait $!
		"$@" >&4' bash pmux "$@"
	assert_equal "$status" 141
}

@test "explain, inspect, compare, trace: the output cannot be written" {
	local pid

	need_linux
	need_proc
	sleep 1000 3>&- &
	pid=$!
	pm inspect -p "$pid" 0
	[[ $status == 0 ]] || skip "$stderr"
	output_fails explain -p "$pid"
	output_fails inspect -p "$pid"
	output_fails compare -p "$pid" 0
	output_fails trace -t 5ms -p "$pid" 0
}
