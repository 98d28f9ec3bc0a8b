#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# -- PROGRAM: what runs, with what, and how it ends.

# shellcheck disable=SC2016	# $ is for the shell that pmux starts
# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
# shellcheck disable=SC2094	# both ends of a FIFO
load helper

# Descriptor 8 is a pipe with two lines in it, for pmux to inherit.
two_lines() {
	rm -f pipe
	mkfifo pipe
	exec 8<>pipe
	printf '%s\n' one two >&8
}

# ---- once: pmux becomes it ----

becomes() {
	two_lines
	run --separate-stderr sh -c 'echo $$; exec pmux "$@"' sh \
	    "$1" "$(reads "$1" 8)" -- sh -c 'echo $$; read -r line; echo "$line"'
	expect 0 "${lines[0]}" "${lines[0]}" one
	[[ ! $stderr ]]
}

@test "pmux becomes PROGRAM: the same process, what is ready its input" {
	each becomes
}

becomes_writer() {
	need_fifo_room "$1"
	rm -f file pipe
	mkfifo pipe
	exec 8<>pipe
	pm "$1" "$(writes "$1" 8)" -- sh -c 'echo out; echo message >&2'
	expect 0
	assert_equal "$stderr" message
	read -r -t 10 -u 8 line
	assert_equal "$line" out
}

@test "what is ready to be written is its output" {
	each becomes_writer
}

both_ways() {
	case $1 in
	select)
		# an event for each list, of which the first counts
		with 7=unix-stream.data -- pmux select -r7 -w7 -- sh -c '
			peer same 0 7 && ! peer same 1 7'
		expect 0
		return
		;;
	kqueue)
		return
		;;
	esac
	with 7=unix-stream.data -- pmux "$1" 7:in,out -- sh -c '
		peer same 0 1 && peer same 0 7'
	expect 0
	with 7=unix-stream.idle -- pmux "$1" 7:in,out -- sh -c '
		! peer same 0 7 && peer same 1 7'
	expect 0
}

@test "ready to be read and written: both" {
	each both_ways
}

status_is_its_own() {
	two_lines
	pm "$1" "$(reads "$1" 8)" -- sh -c 'exit 42'
	expect 42
	pm "$1" -q "$(reads "$1" 8)" -- sh -c 'echo "$*"' name 'a b' '' -c
	expect 0 'a b  -c'
}

@test "exit status and arguments are PROGRAM's" {
	each status_is_its_own
}

unasked() {
	local target=8

	mkfifo "$1" "$1-8"
	exec 8<>"$1-8"
	: <>"$1"
	exec 9<>"$1"
	exec 7<"$1" 9<&-
	case $1 in
	poll | devpoll | epoll | wait)
		pm "$1" 7:in -- sh -c 'echo no'
		expect 1 $'hup\t7'
		pm "$1" -q 7:in -- sh -c 'echo no'
		expect 1
		echo >&8
		pm "$1" 7:in "$target:in" -- sh -c 'echo "$PMUX_TARGET"'
		expect 0 8
		;;
	esac
	exec 7<&- 8<&-
}

@test "hup alone does not run it, and is printed; it gives way to an event" {
	need_linux
	each unasked
}

late() {
	rm -f pipe
	mkfifo pipe
	exec 8<>pipe
	pm "$1" -t 0.01 "$(reads "$1" 8)" -- sh -c 'echo no'
	expect 124
}

@test "the timeout has passed: it does not run" {
	each late
}

@test "usage: --all, --lines, no target, --jobs without --follow" {
	usage_error '--all' poll --all 0:in -- true
	usage_error '--lines' poll --lines 0:in -- true
	usage_error '-- starts a program' poll -- true
	usage_error '--jobs' poll -j 2 0:in -- true
}

@test "-n 1: the first event decides" {
	need_linux
	mkfifo a
	exec 9<>a
	exec 7<a 9<&-
	two_lines
	pm poll -n 1 7:in 8:in -- echo no
	expect 1 $'hup\t7'
	pm poll -n 2 7:in 8:in -- sh -c 'read -r line; echo "$line"'
	expect 0 one
}

# ---- 125, 126, 127 ----

# run exits with 127, which Bats would warn of.
not_found() {
	run -127 --separate-stderr pmux "$@"
}

cannot_run() {
	two_lines
	not_found "$1" "$(reads "$1" 8)" -- ./none
	expect_error 127 "pmux: $1: ./none: .*\\[ENOENT\\]\$"
	not_found "$1" "$(reads "$1" 8)" -- no-such-program-anywhere
	expect_error 127 "pmux: $1: no-such-program-anywhere: .*\\[ENOENT\\]\$"
	pm "$1" "$(reads "$1" 8)" -- /
	expect_error 126 "pmux: $1: /: .*\\[EACCES\\]\$"
	not_found "$1" "$(reads "$1" 8)" -- ''
	expect_error 127 "pmux: $1: : .*\\[ENOENT\\]\$"
	# all is as it was
	read -r -u 8 line
	assert_equal "$line" one
}

@test "127: not found; 126: cannot be run" {
	# a directory that may not be searched would make it 126
	PATH=$(dirname -- "$PMUX"):/usr/bin:/bin
	each cannot_run
}

@test "an interpreter that is not there is named as such" {
	printf '#!/no/such/interpreter\n' >script
	chmod +x script
	two_lines
	not_found poll 8:in -- ./script
	expect_error 127 './script: .*\[ENOENT\] \(.*interpreter'
	printf 'echo plain\n' >script
	chmod -x script
	two_lines
	pm poll 8:in -- ./script
	expect_error 126 './script: .*\[EACCES\]$'
}

@test "no shell, but for a file without an interpreter, as execvp does it" {
	mkdir bin empty
	printf 'echo "script $1"; read -r line; echo "$line"\n' >bin/plain
	chmod +x bin/plain
	two_lines
	PATH=$PWD/empty:$PWD/bin:$PATH
	pm poll 8:in -- plain '$(x) *'
	expect 0 'script $(x) *' one
	cp bin/plain ./-e
	two_lines
	PATH=:$PATH
	pm poll 8:in -- -e x
	expect 0 'script x' one
}

@test "PATH is searched as execvp does: what is denied gives way" {
	mkdir denied good
	printf '#!/bin/sh\necho good\n' >good/prog
	mkdir denied/prog
	chmod +x good/prog
	two_lines
	PATH=$PWD/denied:$PWD/good:$PATH
	pm poll 8:in -- prog
	expect 0 good
	rm good/prog
	pm poll 8:in -- prog
	expect_error 126 'prog: .*\[EACCES\]$'
}

# ---- named pipes ----

writer_goes_on() {
	rm -f f err writer
	mkfifo f
	{
		seq -f '%08.0f' 10000
		echo "$?" >writer
	} >f 3>&- &
	pm "$1" "$(reads "$1" f)" -- cat
	wait "$!"
	assert_equal "$status ${#lines[@]} ${lines[0]} ${lines[9999]}" \
	    '0 10000 00000001 00010000'
	assert_equal "$(<writer)" 0
}

@test "a FIFO by name stays open: the writer goes on and nothing is lost" {
	each writer_goes_on
}

reader_goes_on() {
	need_fifo_room "$1"
	rm -f f
	mkfifo f
	cat f >copy 3>&- &
	pm "$1" "$(writes "$1" f)" -- seq 10000
	expect 0
	wait "$!"
	assert_equal "$(wc -l <copy | tr -d ' ')" 10000
}

@test "and a reader gets all of what PROGRAM writes, and no end before" {
	each reader_goes_on
}

others_are_held() {
	local f

	rm -f a b
	mkfifo a b
	echo a >a 3>&- &
	echo b >b 3>&- &
	pm "$1" "$(reads "$1" b)" "$(reads "$1" a)" -- sh -c \
	    'read -r line; echo "$PMUX_TARGET $line"'
	assert_success
	assert_regex "$output" '^(a a|b b)$'
	f=a
	[[ $output != a* ]] || f=b
	read -r -t 10 line <$f
	assert_equal "$line" $f
	wait
}

@test "the other FIFOs are left with holders" {
	each others_are_held
}

@test "no holder is a child of PROGRAM" {
	mkfifo a
	two_lines
	echo unread >a 3>&- &
	pm poll 8:in a:in -- sh -c '
		[ "$PMUX_TARGET" = 8 ] || exit 9
		ps -A -o ppid= -o comm= | grep "^ *$$ .*pmux"
		ps -A -o ppid= -o comm= | grep -c "^ *$$ "'
	# the first event may be that of a
	[[ $status == 9 ]] || {
		# ps, and grep unless it is not there yet
		assert_equal "$status ${output/1/2}" '0 2'
		read -r -t 10 line <a
	}
}

given_away() {
	rm -f f
	mkfifo f
	exec 8<>f
	echo >&8
	# the test's own shells have it too
	pm "$1" "$(reads "$1" f)" -- sh -c \
	    'cat /proc/locks; exec peer openers f'
	assert_success
	refute_regex "$output" "OFDLCK.*:$(stat -c %i f) "
	# peer leaves itself out
	assert_equal "$(grep -c ' r$' <<<"$output")" 0
	exec 8>&-
}

@test "the FIFO is PROGRAM's alone: no holder, no lock of pmux on it" {
	need_linux
	each given_away
}

failed_leaves() {
	local f

	rm -f f g
	mkfifo f g
	echo f >f 3>&- &
	echo g >g 3>&- &
	not_found "$1" "$(reads "$1" f)" "$(reads "$1" g)" -- ./none
	expect_error 127 '\[ENOENT\]$'
	# the writer of g may be later than all of that
	for f in f g; do
		read -r -t 10 line <$f
		assert_equal "$line" $f
	done
	wait
}

@test "it cannot be run: FIFOs are left as ever, and nothing is lost" {
	each failed_leaves
}

blocking() {
	rm -f f
	mkfifo f
	{
		echo one
		read -r _ <go
		echo two
	} >f 3>&- &
	rm -f go
	mkfifo go
	pm "$1" "$(reads "$1" f)" -- sh -c \
	    'read -r a; echo >go; read -r b; echo "$a $b"'
	expect 0 'one two'
	wait
}

@test "a path is set blocking" {
	each blocking
}

@test "flags of an inherited descriptor are not touched" {
	local before blocking

	two_lines
	blocking=$(peer flags 8)
	# it leaves it nonblocking
	peer try read 8 >tried
	before=$(peer flags 8)
	[[ $blocking != *nonblocking && $before == *nonblocking ]]
	echo again >&8
	pm poll 8:in -- peer flags 0
	expect 0 "$before"
}

# ---- what it has ----

signals=(peer signals)

check_limits() {
	local plain

	two_lines
	plain=$(ulimit -S -n 64; sh -c 'ulimit -S -n; ulimit -H -n')
	ulimit -S -n 64
	pm "$1" "$(reads "$1" 8)" -- sh -c 'ulimit -S -n; ulimit -H -n'
	expect 0 "$plain"
}

@test "the caller's limits" {
	each check_limits
}

@test "the caller's signal mask and dispositions, FIFOs or not" {
	local command plain
	local -a as=(env) limits=("${signals[@]}")

	! env --block-signal=USR1 true 2>/dev/null ||
	    as+=(--block-signal=USR1 --block-signal=CONT)
	trap '' TERM USR2 CONT
	mkfifo f
	exec 8<>f
	echo >&8
	plain=$("${as[@]}" "${limits[@]}")
	for command in select poll devpoll epoll kqueue wait; do
		has $command || continue
		run --separate-stderr "${as[@]}" pmux $command \
		    "$(reads $command 8)" -- "${limits[@]}"
		expect 0 "$plain"
		run --separate-stderr "${as[@]}" pmux $command \
		    "$(reads $command f)" -- "${limits[@]}"
		expect 0 "$plain"
		# with a time limit CONT is caught
		run --separate-stderr "${as[@]}" pmux $command -t 1m \
		    "$(reads $command 8)" -- "${limits[@]}"
		expect 0 "$plain"
	done
	trap - TERM USR2 CONT
}

@test "kqueue: signals that are watched are as the caller had them" {
	need_program "PROGRAM has SIGTSTP ignored"
	need kqueue
	local plain
	local -a limits=("${signals[@]}")

	two_lines
	trap '' USR2
	plain=$("${limits[@]}")
	pm kqueue read:8 signal:USR1 signal:USR2 signal:CHLD -- "${limits[@]}"
	expect 0 "$plain"
	trap - USR2
}

check_descriptors() {
	local plain

	rm -f f
	mkfifo f
	exec 7</dev/null 8<>f
	echo >&8
	plain=$(peer descriptors)
	pm "$1" "$(reads "$1" 8)" "$(reads "$1" f)" -- peer descriptors
	expect 0 "$plain"
}

@test "the caller's descriptors and none of pmux's" {
	each check_descriptors
}

check_environment() {
	local plain

	two_lines
	plain=$(env -i A=1 PMUX_OTHER=2 "PATH=$PATH" env | sort)
	run --separate-stderr env -i A=1 PMUX_OTHER=2 PMUX_FILTER=stale \
	    PMUX_FD=stale PMUX_TARGET=stale PMUX_EVENTS=stale \
	    PMUX_DATA=stale PMUX_FFLAGS=stale PMUX_IDENT=stale \
	    "PATH=$PATH" \
	    pmux "$1" "$(reads "$1" 8)" -- env
	assert_success
	assert_equal "$(grep -v '^PMUX_[TEDFI]' <<<"$output" | sort)" "$plain"
	[[ $output != *stale* ]]
	assert_equal "$(grep -c '^PMUX_[TEDFI]' <<<"$output")" \
	    "$([[ $1 == kqueue ]] && echo 7 || echo 3)"
}

@test "the caller's environment, and PMUX_ variables that are no others'" {
	each check_environment
}

variables() {
	two_lines
	pm "$1" "$(reads "$1" 8)" -- sh -c \
	    'echo "$PMUX_TARGET $PMUX_FD $PMUX_EVENTS"'
	expect 0 "8 8 $(says "$1")"
	rm -f f
	mkfifo f
	echo >f 3>&- &
	pm "$1" "$(reads "$1" f)" -- sh -c \
	    'echo "$PMUX_TARGET $PMUX_FD $PMUX_EVENTS"'
	[[ $output == "f 0 $(says "$1")"* ]]
	wait "$!"
	need_fifo_room "$1"
	cat <>f >/dev/null 3>&- &
	pm "$1" "$(writes "$1" f)" -- sh -c \
	    'echo "$PMUX_TARGET $PMUX_FD $PMUX_EVENTS" >&2'
	kill "$!"
	wait "$!" || :
	assert_regex "$stderr" '^f 1 (write|out)$'
}

@test "PMUX_TARGET, PMUX_FD, PMUX_EVENTS" {
	each variables
}

odd_name() {
	local name=$'a\nb\t\\c\xff'

	rm -f "$name"
	mkfifo "$name"
	echo >"$name" 3>&- &
	pm "$1" "$(reads "$1" "$name")" -- sh -c 'printf "%s." "$PMUX_TARGET"'
	wait "$!"
	expect 0 "$name."
}

@test "PMUX_TARGET is raw" {
	each odd_name
}

@test "kqueue: PMUX_FILTER, PMUX_FFLAGS, PMUX_DATA" {
	need kqueue
	two_lines
	pm kqueue read:8 -- sh -c \
	    'echo "$PMUX_EVENTS $PMUX_FILTER $PMUX_FFLAGS $PMUX_DATA"'
	expect 0 'read read - 8'
	pm kqueue -q read:8 -- sh -c 'echo "$PMUX_DATA"'
	expect 0 8
}

@test "kqueue: what is no descriptor leaves PROGRAM the caller's input" {
	need kqueue
	local show='read -r line; echo "$line ${PMUX_FD-none} $PMUX_EVENTS"'

	run --separate-stderr pmux kqueue timer:1ms -- sh -c "$show" <<<mine
	expect 0 'mine none timer'
	sh -c 'exit 7' &
	run --separate-stderr pmux kqueue "proc:$!:exit" -- \
	    sh -c "$show; echo \"\$PMUX_DATA \$PMUX_TARGET\"" <<<mine
	if [[ $status != 3 ]]; then
		expect 0 'mine none exit,eof' "1792 $!"
	fi
	: >file
	mkfifo ready
	pmux kqueue --ready-fd 9 vnode:file:attrib -- sh -c "$show" \
	    9>ready <<<mine >out 2>err 3>&- &
	read -r _ <ready
	chmod 600 file
	finish "$!"
	expect 0 'mine none attrib'
}

# ---- again and again ----

# Equal lines, so that no count of bytes distinguishes them; there is
# always a writer, so one run too many would wait for ever.
none_lost() {
	local i count

	rounds "${2-1000}"
	count=$rounds
	rm -f f
	mkfifo f
	exec 8<>f
	for ((i = 0; i < count; i++)); do
		printf '%07d\n' $i
	done >&8 3>&- &
	# without that timeout(1) of FreeBSD waits for the holder as well
	timeout --foreground 100 pmux "$1" --follow --count "$count" \
	    "$(reads "$1" f)" -- sh -c 'read -r line; echo "$line"' >out 2>err
	wait "$!"
	assert_equal "$(<err)" ''
	assert_equal "$(<out)" "$(seq -f %07.0f 0 $((count - 1)))"
	exec 8>&-
}

@test "nothing is lost: PROGRAM reads one line each time" {
	each none_lost
}

at_once() {
	rm -f a b for-a for-b
	mkfifo a b for-a for-b
	exec 7<>a 8<>b
	echo >&7
	echo >&8
	pm "$1" --follow -j 2 --count 2 "$(reads "$1" 7)" "$(reads "$1" 8)" -- \
	    sh -c 'read -r line
	case $PMUX_TARGET in
	7)	echo >for-b; read -r line <for-a ;;
	8)	read -r line <for-b; echo >for-a ;;
	esac
	echo "$PMUX_TARGET"'
	assert_success
	assert_equal "$(sort <<<"$output")" $'7\n8'
}

@test "-j 2: two at once, of different targets" {
	each at_once
}

# What would be a second one finds the directory of the first.
never_two() {
	rounds 50
	rm -rf a b lock-*
	mkfifo a b
	exec 7<>a 8<>b
	for ((i = 0; i < rounds; i++)); do
		echo >&7
		echo >&8
	done 3>&- &
	pm "$1" --follow "${@:2}" --count $((rounds * 3 / 2)) "$(reads "$1" 7)" \
	    "$(reads "$1" 8)" -- sh -c 'lock=lock-$1$PMUX_TARGET
	[ "$1" ] && lock=lock
	mkdir "$lock" && read -r line && rmdir "$lock"' sh \
	    "${two_targets-one}"
	expect 0
	assert_equal "$stderr" ''
	wait "$!"
}

@test "never two at once of one target, nor more than -j says" {
	each never_two
	two_targets='' each never_two -j 4
}

many_at_once() {
	local i targets=()

	rm -rf up go f*
	mkfifo up go
	for ((i = 0; i < 40; i++)); do
		mkfifo f$i
		exec {fd}<>f$i
		echo >&"$fd"
		targets+=("$(reads "$1" "$fd")")
	done
	exec 8<>up 9<>go
	pmux "$1" --follow -j 40 --count 40 "${targets[@]}" -- sh -c \
	    'echo >&8; read -r line <&9' >out 2>err 3>&- &
	for ((i = 0; i < 40; i++)); do
		read -r -t 30 -u 8 line
	done
	for ((i = 0; i < 40; i++)); do
		echo >&9
	done
	finish "$!"
	expect 0
	assert_equal "$stderr" ''
	for ((i = 0; i < 40; i++)); do
		exec {fd}>&-
		fd=$((fd - 1))
	done
}

@test "-j 40: forty at once" {
	each many_at_once
}

ends() {
	two_lines
	pm "$1" --follow --count 2 "$(reads "$1" 8)" -- sh -c 'read -r line
	case $line in
	one)	exit 3 ;;
	*)	kill -TERM $$ ;;
	esac'
	expect 0
	assert_equal "$stderr" "pmux: $1: 8: sh: exit status 3
pmux: $1: 8: sh: killed by signal TERM"
	two_lines
	pm "$1" -q --follow --count 2 "$(reads "$1" 8)" -- sh -c \
	    'read -r line; exit 3'
	expect 0
	assert_equal "$stderr" ''
}

@test "exit statuses are reported, and change nothing" {
	each ends
}

runs_for_hangup() {
	[[ $1 != select && $1 != kqueue ]] || return 0
	rm -f f
	mkfifo f
	exec 9<>f
	exec 7<f 9<&-
	pm "$1" --follow 7:in -- sh -c \
	    'read -r line || echo "$PMUX_EVENTS $PMUX_TARGET"'
	expect 1 'hup 7'
	exec 7<&-
}

@test "hup alone runs it too, with its input at the end of file" {
	need_linux
	each runs_for_hangup
}

fails_later() {
	rm -f up go a b work
	mkfifo up go a b
	exec 7<>a 8<>b
	printf '%s\n' '#!/bin/sh' 'read -r line; rm work; echo >up' \
	    'read -r line <go; echo done' >work
	chmod +x work
	echo >&7
	pmux "$1" --follow -j 2 "$(reads "$1" 7)" "$(reads "$1" 8)" -- \
	    ./work >out 2>err 3>&- &
	pid=$!
	read -r line <up
	echo >&8
	until [[ -s err ]]; do
		sleep 0.01
	done
	assert_equal "$(<out)" ''
	[[ $(state $pid) != Z ]]
	echo >go
	finish $pid
	expect 127 'done'
	assert_regex "$stderr" 'pmux: .*: ./work: .*\[ENOENT\]$'
}

@test "it cannot be run any more: those that run are waited for, then 127" {
	each fails_later
}

not_run_at_all() {
	two_lines
	not_found "$1" --follow "$(reads "$1" 8)" -- ./none
	expect_error 127 './none: .*\[ENOENT\]$'
	pm "$1" --follow "$(reads "$1" 8)" -- /
	expect_error 126 '/: .*\[EACCES\]$'
}

@test "126 and 127 end the stream" {
	each not_run_at_all
}

# Memory that is given back is written over where the C library is glibc.
@test "the only target is closed, and time is over: the status is of that" {
	local GLIBC_TUNABLES=glibc.malloc.tcache_count=0 MALLOC_PERTURB_=165

	export GLIBC_TUNABLES MALLOC_PERTURB_
	for command in poll devpoll wait; do
		need $command
		pm $command -q -t 0 --follow 999 -- true
		assert_equal "$status" 1
		pm $command -q -t 0 --follow -c 1 999 -- true
		assert_equal "$status" 1
	done
}

# has_all [PMUX...]: what a program has that the shell starts, or pmux.
has_all() {
	"$@" sh -c 'ulimit -S -n; ulimit -H -n'
	"$@" "${signals[@]}"
	"$@" peer descriptors
}

follow_has() {
	local plain

	rm -f f
	mkfifo f
	exec 8<>f
	echo >&8
	trap '' USR2
	ulimit -S -n 64
	plain=$(has_all)
	# nothing is read, so each has the same event
	output=$(has_all pmux "$1" --follow --count 1 "$(reads "$1" f)" --)
	trap - USR2
	assert_equal "$output" "$plain"
}

@test "limits, signals and descriptors are the caller's here too" {
	need_program "PROGRAM has SIGTSTP ignored"
	each follow_has
}

no_zombies() {
	two_lines
	printf '%s\n' 3 4 5 >&8
	pm "$1" --follow --count 5 "$(reads "$1" 8)" -- sh -c 'read -r line
	pmux=$(ps -o ppid= -p $$)
	ps -A -o ppid= -o pid= | while read -r parent child; do
		[ "$parent" != $((pmux)) ] || [ "$child" = $$ ] ||
		    echo "$child, not $$"
	done'
	expect 0
	assert_equal "$stderr" ''
}

@test "no zombies" {
	each no_zombies
}

@test "children that the caller had are left alone" {
	two_lines
	run --separate-stderr peer zombie pmux poll --follow --count 2 8:in -- \
	    sh -c 'read -r line; ps -o stat= -p $1' sh @PID@
	assert_success
	assert_equal "${#lines[@]} ${lines[0]:0:1} ${lines[1]:0:1}" '2 Z Z'
}

ignores_children() {
	two_lines
	run --separate-stderr env --ignore-signal=CHLD pmux "$1" --follow \
	    --count 2 "$(reads "$1" 8)" -- sh -c 'read -r line; exit 5'
	expect 0
	assert_equal "${#stderr_lines[@]} ${stderr_lines[1]}" \
	    "2 pmux: $1: 8: sh: exit status 5"
}

@test "a caller that ignores SIGCHLD" {
	env --ignore-signal=CHLD true 2>/dev/null || skip "no env --ignore-signal"
	each ignores_children
}

# ---- signals ----

passed_on() {
	rm -f up go f
	mkfifo up go f
	exec 8<>f
	echo >&8
	pmux "$1" --follow "$(reads "$1" 8)" -- sh -c 'trap "echo got; exit 9" \
	    TERM HUP; read -r line; echo >up; while :; do sleep 0.01; done' \
	    >out 2>err 3>&- &
	pid=$!
	read -r line <up
	kill -"$2" $pid
	finish $pid
	expect "$3" got
	assert_regex "$stderr" 'exit status 9$'
}

@test "SIGTERM, SIGHUP: passed on, waited for, then pmux dies of it" {
	each passed_on TERM 143
	each passed_on HUP 129
}

# Not before the last has ended, however often it is reported.
again() {
	rm -f up f
	mkfifo up f
	exec 7<>up 8<>f
	echo >&8
	pmux "$1" --follow "$(reads "$1" 8)" -- sh -c 'n=0
	trap "n=\$((n + 1)); echo >&7" TERM; read -r line; echo >&7
	until [ $n = 2 ]; do sleep 0.01; done; echo $n' >out 2>err 3>&- &
	pid=$!
	read -r -u 7 line
	kill -TERM $pid
	read -r -u 7 line
	[[ $(state $pid) != Z ]]
	kill -TERM $pid
	read -r -u 7 line
	finish $pid
	expect 143 2
}

@test "a second signal is passed on again" {
	need_program "the first ends the shell, which waits for a second at most"
	each again
}

idle_signal() {
	rm -f up f
	mkfifo up f
	exec 8<>f
	waiting "$1" --follow "$(reads "$1" 8)" -- sh -c 'read -r line; echo one'
	kill -TERM "$pid"
	finish "$pid"
	expect 143
	waiting "$1" --follow "$(reads "$1" f)" -- sh -c 'read -r line; echo one'
	echo >f
	until [[ -s out ]]; do
		sleep 0.01
	done
	kill -TERM "$pid"
	finish "$pid"
	expect 143 one
}

@test "a signal before the first, and between two" {
	each idle_signal
}

leaves_rest() {
	rm -f up f
	mkfifo up f
	printf '%s\n' one two >f 3>&- &
	pmux "$1" --follow "$(reads "$1" f)" -- sh -c \
	    'read -r line; echo >up; while :; do sleep 0.01; done' \
	    >out 2>err 3>&- &
	pid=$!
	read -r line <up
	kill -TERM $pid
	finish $pid
	expect 143
	read -r -t 10 line <f
	assert_equal "$line" two
}

@test "then its FIFOs are left, and nothing is lost" {
	each leaves_rest
}

stays_ignored() {
	rm -f up go f
	mkfifo up go f
	exec 7<>up 8<>f 9<>go
	echo >&8
	(
		trap '' HUP
		exec pmux "$1" --follow --count 2 "$(reads "$1" 8)" -- sh -c \
		    'read -r line; echo >&7; read -r line <&9; echo "$line"'
	) >out 2>err 3>&- &
	pid=$!
	read -r -u 7 line
	kill -HUP $pid
	echo one >&9
	echo >&8
	read -r -u 7 line
	kill -HUP $pid
	echo two >&9
	finish $pid
	expect 0 one two
}

@test "what the caller ignores stays ignored (nohup)" {
	each stays_ignored
}

# ---- kqueue ----

@test "kqueue: vnode runs it for each change, with the caller's input" {
	need kqueue
	printf '%s\n' '#!/bin/sh' 'read -r line' \
	    'echo "$PMUX_TARGET $PMUX_FFLAGS $line ${PMUX_FD-none}" >&7' >reload
	chmod +x reload
	mkfifo up ready
	exec 7<>up
	printf '%s\n' a b c >input
	: >app.conf
	pmux kqueue --ready-fd 9 --follow --count 2 \
	    vnode:app.conf:write,rename -- ./reload 9>ready <input >out 2>err \
	    3>&- &
	pid=$!
	read -r line <ready
	echo x >>app.conf
	read -r -u 7 line
	assert_regex "$line" '^app.conf write(,extend)? a none$'
	mv app.conf new.conf
	read -r -u 7 line
	assert_regex "$line" '^app.conf rename .*none$'
	finish $pid
	expect 0
}

@test "kqueue: a signal that is watched runs it and ends nothing" {
	need_program "a signal to the shell does not reach the process of the call"
	need kqueue
	mkfifo up
	exec 7<>up
	waiting kqueue --follow --count 2 signal:TERM signal:CHLD:add,disable \
	    -- sh -c 'echo "$PMUX_TARGET" >&7; exit 3'
	kill -TERM "$pid"
	read -r -u 7 line
	assert_equal "$line" TERM
	# the first has ended
	until [[ -s err ]]; do
		sleep 0.01
	done
	kill -TERM "$pid"
	read -r -u 7 line
	finish "$pid"
	expect 0
	assert_equal "$stderr" "pmux: kqueue: TERM: sh: exit status 3
pmux: kqueue: TERM: sh: exit status 3"
}

@test "kqueue: what is counted is counted while PROGRAM runs" {
	need_program "a signal to the shell does not reach the process of the call"
	need_proc
	need kqueue
	mkfifo go
	# a line stays for the run that is to have it, and none sees an end
	exec 9<>go
	# shellcheck disable=SC2016
	waiting kqueue --follow -c 2 signal:USR1 -- \
	    sh -c 'echo "$PMUX_DATA" >>counts; read -r _ <go'
	kill -USR1 "$pid"
	until [[ -s counts ]]; do
		sleep 0.002
	done
	for _ in 1 2 3 4 5; do
		kill -USR1 "$pid"
		# one at a time: a pending signal takes no other
		await_handled
	done
	echo >&9
	until [[ $(wc -l <counts) == 2 ]]; do
		sleep 0.002
	done
	echo >&9
	finish "$pid"
	exec 9>&-
	assert_equal "$status $(tr '\n' ' ' <counts)" '0 1 5 '
}

# Until pmux has taken the signal and sleeps again.
await_handled() {
	while grep -q '^S[hi][dg]*Pnd:.*[1-9a-f]' "/proc/$pid/status"; do
		sleep 0.002
	done
	await_state "$pid" S
}

@test "a caller that blocks SIGCHLD: PROGRAM's end is seen" {
	local c

	command -v python3 >/dev/null || skip "no python3 to block it with"
	for c in poll epoll kqueue; do
		has $c || continue
		mkfifo f
		exec 7<>f
		echo x >&7
		run --separate-stderr timeout 20 python3 -c '
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
os.execvp(sys.argv[1], sys.argv[1:])' pmux $c --follow -c 3 "$(reads $c 7)" -- \
		    sh -c 'read -r _; echo read; echo y >&7'
		assert_equal "$status ${#lines[@]}" '0 3'
		exec 7<&-
		rm f
	done
}

@test "a writer that never stops: pmux sleeps while PROGRAM runs" {
	need_sleeps
	each busy_writer
}

busy_writer() {
	local before after

	mkfifo f go
	exec 7<>f
	waiting "$1" --follow -c 1 "$(reads "$1" f)" -- sh -c 'cat <go >/dev/null'
	exec 6<>go
	yes >&7 3>&- &
	yes=$!
	cat f >/dev/null 3>&- &
	cat=$!
	await_child
	before=$(sleeps "$pid")
	sleep 0.3
	after=$(sleeps "$pid")
	kill "$yes" "$cat"
	exec 6>&- 7<&-
	finish "$pid"
	((after - before <= 10)) || fail "it woke $((after - before)) times"
	rm -f f go
}

# Until PROGRAM runs.
await_child() {
	until [[ $(child_of "$pid") ]]; do
		sleep 0.002
	done
}

@test "--reopen of a number: each PROGRAM's input blocks, as a shell wants it" {
	local c i

	for c in poll epoll kqueue; do
		has $c || continue
		mkfifo f
		exec 7<>f 6<f
		# it may run for the end, too
		pmux $c --follow --reopen "$(reads $c 6)" -- sh -c '
			read -r line || exit 0; peer flags 0; echo "$line"' \
		    >out 2>err 3>&- 7>&- &
		pid=$!
		exec 6<&-
		for ((i = 1; i <= 3; i++)); do
			exec 7>&-
			echo "$i" >f
			exec 7<>f
			until grep -qsx "$i" out; do
				sleep 0.002
			done
		done
		kill -TERM "$pid"
		finish "$pid"
		exec 7>&-
		assert_equal "$status $(<err)" '143 '
		assert_equal "$(grep -c flags out)" 3
		! grep nonblocking out || fail "$c: not blocking"
		rm f out
	done
}

@test "a descriptor that cannot be handed over: PROGRAM does not run" {
	local option

	deny dup2=EIO -- true || skip 'no seccomp, or no such call'
	two_lines
	echo wrong >input
	for option in --hold=1s --follow; do
		run --separate-stderr deny dup2=EIO -- "$PMUX" poll "$option" \
		    -t 5 8:in -- cat <input
		expect_error 126 'cat: .*\[EIO\]'
	done
}
