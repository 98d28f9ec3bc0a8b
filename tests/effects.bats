#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# explain, inspect, compare and trace change nothing (tests/tools/effects.c),
# accuse no program that is correct (tests/tools/edges.c), and say what they
# cannot know where they have fewer rights, or less of a kernel.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154	# run sets them
load helper

prepare() {
	need_linux
	need_proc
	[[ -r /proc/self/syscall ]] || skip 'no /proc/PID/syscall'
	pm explain -q -p $$
	[[ $status != 3 ]] || skip "$stderr"
}

# some_commands: set `commands' to those that are run beside a program: one by
# chance, all if there is the time.
some_commands() {
	local -a all=(explain inspect compare trace calls)

	commands=("${all[@]}")
	((rounds >= 10)) || commands=("${all[RANDOM % 5]}")
}

# kinds_absent: the kinds that this kernel has not, or that are denied.
kinds_absent() {
	local method kind why

	while read -r method kind why; do
		[[ $why != absent:* ]] ||
		    echo "# ok $part_name ${kind%:} # skip${why#absent:}" >&3
	done <alone
}

# same_log METHOD: of a program that waits so, alone and while it is examined.
same_log() {
	local looks
	local -a commands

	rounds 10
	some_commands
	effects "$1" 0 1 >alone
	kinds_absent
	effects "$1" "$RANDOM" $((2000 / rounds)) "${commands[@]}" >log 2>err
	looks=$(<err)
	[[ $looks =~ ^[0-9]+$ && $looks -gt 0 ]] || fail "$looks"
	diff alone log
}

@test "no effect: poll, select, read" {
	among 'poll select' same_log
	part read same_log
}

@test "no effect: epoll, level-triggered and one-shot" {
	need epoll
	part level same_log
	part oneshot same_log
}

@test "no effect: epoll, edge-triggered" {
	need epoll
	part edge same_log
}

@test "no effect: epoll, exclusive" {
	need epoll
	part exclusive same_log
	part exclusive-edge same_log
}

@test "no effect: epoll, nested" {
	need epoll
	part nested same_log
	part nested-edge same_log
}

@test "no effect: a kqueue in an epoll instance" {
	need epoll
	has kqueue || skip 'no kqueue'
	part kqueue same_log
}

# ---- what calls are traced of ----

# traced PID: trace it again and again until it has gone; `looks' is how often.
traced() {
	looks=0
	while pmux trace --calls -t 15ms -p "$1" >table 2>err; do
		looks=$((looks + 1))
	done
	grep -Eq 'ESRCH|zombie' err || fail "$(<err)"
}

@test "no effect: trace --calls, of signals, stops, children, programs" {
	local looks pid

	rounds 100
	pm trace --calls -- true
	[[ $status != 4 ]] || skip "$stderr"
	"$PMUX_TOOLS/lives" "$rounds" alone || [[ $? == 9 ]]
	"$PMUX_TOOLS/lives" "$rounds" log 3>&- &
	pid=$!
	traced "$pid"
	status=0
	wait "$pid" || status=$?
	[[ $status == 9 && $looks -gt 0 ]]
	diff alone log
	rm log
	run -9 pmux trace --calls -n 1000000 -- "$PMUX_TOOLS/lives" "$rounds" log
	diff alone log
}

@test "trace --calls interrupts no wait: one that knows no EINTR goes on" {
	local _

	[[ $(uname -m) == x86_64 ]] || skip 'not on this machine: pmux-trace(1)'
	lost_edge
	for _ in 1 2 3; do
		pm trace --calls -t 10ms -p "$pid"
		assert_equal "$status" 0
	done
	calls "$pid" epoll_wait
}

# ---- programs that are correct ----

# programs COUNT: start that many of edges; `pids' has -p and each process id,
# `design' what each is.
programs() {
	local pid name

	rm -f input output
	mkfifo input output
	edges "$1" <input >output 3>&- &
	exec {input}>input
	pids=()
	declare -gA design=()
	while read -r pid name; do
		pids+=(-p "$pid")
		design[$pid]=$name
	done <output
	((${#pids[@]} == 2 * $1))
}

# without_accusation: no fault, nor a lost edge.
without_accusation() {
	[[ $status == 0 ]] ||
	    fail "$BATS_RUN_COMMAND: status $status: $output $stderr"
	[[ $output != *$'\tedge-consumed\t'* && $output != *$'\toneshot-'* ]] ||
	    fail "$(grep -E 'edge-|oneshot' <<<"$output") ${design[*]@K}"
}

@test "edge-triggered programs that are correct" {
	local first look	# i is run's

	need epoll
	rounds 1000
	programs "$rounds"
	for look in 1 2 3; do
		for ((first = 0; first < ${#pids[@]}; first += 1000)); do
			pm explain "${pids[@]:first:1000}"
			without_accusation
		done
	done
}

# calls PID NAME: wait until it is in that system call.
calls() {
	until pm explain -p "$1" && [[ $output == *"$2"* ]]; do
		sleep 0.01
	done
}

# waits_in NAME: the last process that was started is healthy once it is in that
# system call.
waits_in() {
	calls $! "$1"
	pids+=(-p $!)
}

# healthy_programs: start one of each, in `pids' as programs has them.
healthy_programs() {
	pids=()
	sleep 1000 3>&- &
	pids+=(-p $!)
	bash -c 'while :; do read -r _; done' < <(exec sleep 1000 3>&-) 3>&- &
	waits_in 'read of 0'
	rm -f fifo
	mkfifo fifo
	bash -c 'exec 3<>fifo; read -r _ <&3' 3>&- &
	waits_in 'read of '
	gzip < <(exec sleep 1000 3>&-) >/dev/null 3>&- &
	waits_in 'read of 0'
	# never asleep
	gzip </dev/zero >/dev/null 3>&- &
	pids+=(-p $!)
	if command -v python3 >/dev/null; then
		python3 -c 'import asyncio
async def main():
	await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
	await asyncio.sleep(1000)
asyncio.run(main())' 3>&- &
		waits_in epoll_wait
	fi
	if command -v node >/dev/null; then
		node -e 'require("net").createServer().listen(0)' 3>&- &
		waits_in epoll_
	fi
	if has epoll; then
		rm -f entered
		mkfifo entered
		peer victim back-pressure >entered 3>&- &
		read -r _ <entered
		waits_in epoll_
	fi
}

# healthy: all of `pids' are without a fault, again and again.
healthy() {
	local round

	rounds 10
	for ((round = 0; round < rounds; round++)); do
		pm explain -q "${pids[@]}"
		[[ $status == 0 && ! $output && ! $stderr ]] ||
		    fail "$status: $stderr $(pmux explain "${pids[@]}" 2>&1)"
	done
}

@test "healthy programs, also while all processors are busy" {
	local n

	healthy_programs
	healthy
	for ((n = $(getconf _NPROCESSORS_ONLN); n >= 0; n--)); do
		while :; do :; done 3>&- &
	done
	healthy
}

# looked_at COMMAND...: what is gone may be said to be gone, and nothing else.
# Without run, which takes longer than pmux.
looked_at() {
	status=0
	pmux "$@" >out 2>err || status=$?
	output=$(<out)
	stderr=$(<err)
	[[ $status == [03] ]] || fail "$*: status $status: $output $stderr"
	[[ $output != *$'\tedge-'* && $output != *$'\tstale-'* ]] ||
	    fail "$*: $output"
}

# churned ROUNDS: look at a process as long as it does that; I counts.
churned() {
	local pid

	rm -f output
	mkfifo output
	edges churn "$1" >output 3>&- &
	read -r pid <output
	for ((; ; i++)); do
		if ((i % 10 == 0)); then
			looked_at explain -p "$pid"
		elif ((i % 2 == 0)); then
			looked_at inspect -p "$pid"
		else
			looked_at compare -p "$pid" $((i % 9))
		fi
		[[ $(state "$pid") == [RSD] ]] || break
		((i % 10 > 0)) || [[ $status == 0 ]]
	done
	wait "$pid"
}

@test "a process that forks, runs programs, opens and closes meanwhile" {
	local i=0

	rounds 10000
	# on a busy machine a process may end before it has been looked at so often
	while ((i <= 10)); do
		churned "$rounds"
	done
}

# ---- fewer rights, and older kernels ----

# lost_edge: a process whose entry was reported and not handled, in `pid'.
lost_edge() {
	need epoll
	rm -f entered
	mkfifo entered
	peer victim edge >entered 3>&- &
	pid=$!
	read -r _ <entered
	calls "$pid" epoll_
}

# ---- the table of rights in pmux-explain(1) ----

# sleeper: a process of which each fact needs another right, in `pid'.
sleeper() {
	rm -f entered
	mkfifo entered
	edges asleep >entered 3>&- &
	read -r pid <entered
	calls "$pid" 'in poll'
}

# unknown_keys: what is unknown in the JSON of the last run; or its status.
unknown_keys() {
	if [[ $status != 0 ]]; then
		echo "$status"
		return
	fi
	local keys

	keys=$(grep -o '"unknown":{[^}]*}' <<<"$output" |
	    sed 's/"unknown"://; s/":"[^"]*"/\n/g' | tr -d '{",} ' |
	    sort -u | grep . | paste -sd, - || :)
	echo "${keys:--}"
}

# row ID: what the table has there, a word for each command.
row() {
	sed -n "s/^\.It .*\\\\\" $1\$/&/p" \
	    "$BATS_TEST_DIRNAME/../man/pmux-explain.1" |
	    sed "s/ \\\\\".*//; s/^[^T]* Ta //; s/ Ta / /g"
}

# costs ID NUMBER PID WRAPPER...: what each command says of that descriptor of
# the process, run by WRAPPER, is what the table has.
costs() {
	local id=$1 number=$2 pid=$3 found='' arguments
	local pmux

	shift 3
	pmux=$(command -v pmux)
	for arguments in "explain --all --json -p $pid" \
	    "inspect --json -p $pid $number" \
	    "compare --json -p $pid $number" \
	    "trace --json -t 5ms -p $pid $number" \
	    "trace --calls --json -t 5ms -p $pid"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr timeout 60 "$@" "$pmux" $arguments
		found+=" $(unknown_keys)"
		[[ $status == 0 || $stderr == pmux:* ]] ||
		    fail "$arguments: status $status, $stderr"
	done
	assert_equal "$id:$found" "$id: $(row "$id")"
}

# denied CALL=ERROR... -- ARG...: run pmux without these.
denied() {
	run deny "${1%%:*}" -- true
	[[ $status != 77 ]] || skip "$output"
	local -a calls=()

	while [[ $1 != -- ]]; do
		calls+=("$1")
		shift
	done
	run --separate-stderr deny "${calls[@]}" -- pmux "${@:2}"
}

@test "rights: each system call that is denied costs what the manual says" {
	local call

	need epoll
	sleeper
	# it is another's at once; the numbers too are of one namespace
	for call in kcmp pidfd_open pidfd_getfd process_vm_readv socket \
	    ptrace; do
		run deny "$call=EPERM" -- true
		[[ $status != 77 ]] || skip "$output"
		costs "$call" '10 12' "$pid" deny "$call=EPERM" --
	done
}

@test "rights: a kernel that has not that call: 4 where nothing is left" {
	local call command status_of

	need epoll
	sleeper
	while read -r call command status_of; do
		# shellcheck disable=SC2086 # words
		denied "$call=ENOSYS" -- ${command//_/ } -p "$pid" 10
		assert_equal "$call $command: $status" \
		    "$call $command: $status_of"
	done <<-END
		kcmp explain 0
		kcmp inspect 0
		kcmp compare 0
		kcmp trace_-t_5ms 0
		pidfd_open explain 0
		pidfd_open compare 4
		pidfd_getfd explain 0
		pidfd_getfd inspect 0
		pidfd_getfd compare 4
		pidfd_getfd trace_-t_5ms 3
		process_vm_readv explain 0
		process_vm_readv trace_-t_5ms 0
		socket explain 0
		socket inspect 0
		socket trace_-t_5ms 0
		ptrace explain 0
		ptrace trace_-t_5ms 0
	END
	denied ptrace=ENOSYS -- trace --calls -p "$pid"
	expect_error 4 --calls
}

# A device on a file system that has none is in place of /proc/PID/mem.
readonly masking='
	mount -t tmpfs -o nodev none . && cd "$PWD" && mknod mem c 1 3 &&
		mount --bind mem "/proc/$1/mem" || exit 77
	shift
	exec "$@"'

@test "rights: memory that cannot be read" {
	need_root
	sleeper
	unshare -m sh -c "$masking" sh "$pid" true || skip 'no mount namespaces'
	costs memory 10 "$pid" unshare -m sh -c "$masking" sh "$pid" \
	    deny process_vm_readv=EPERM --
}

@test "rights: another user's process, one that is not dumpable, hidden ones" {
	need_root
	rm -f input output
	mkfifo input output
	chmod 755 .
	chmod 666 input output
	as_nobody /bin/true
	costs attach 0 $$ peer as 65534
	peer as 65534 "$(command -v edges)" closed <input >output 3>&- &
	exec {input}>input
	read -r pid <output
	costs attach 0 "$pid" peer as 65534
	unshare -m true || skip 'no mount namespaces'
	costs hidepid 0 $$ unshare -m sh -c 'mount -t proc -o hidepid=2 proc /proc
		exec "$@"' sh peer as 65534
}

@test "rights: the same user where Yama's ptrace_scope is 1" {
	[[ -r /proc/sys/kernel/yama/ptrace_scope ]] || skip 'no Yama'
	[[ $(</proc/sys/kernel/yama/ptrace_scope) != 0 ]] ||
	    skip 'ptrace_scope is 0'
	need_user
	sleeper
	costs attach 10 "$pid"
}

@test "rights: namespaces" {
	need_root
	sleeper
	unshare -n true || skip 'no network namespaces'
	costs net '10 12' "$pid" unshare -n
	unshare -pf --mount-proc true || skip 'no PID namespaces'
	costs pid 10 "$pid" unshare -pf --mount-proc
}

@test "rights: from outside a PID namespace all is seen" {
	local inside

	need_root
	unshare -pf --mount-proc true || skip 'no PID namespaces'
	rm -f entered
	mkfifo entered
	unshare -pf --kill-child --mount-proc edges asleep >entered 3>&- &
	read -r inside <entered
	assert_equal "$inside" 1
	pid=$(<"/proc/$!/task/$!/children")
	pid=${pid% }
	calls "$pid" 'in poll'
	run --separate-stderr pmux inspect -p "$pid" 10
	assert_equal "$status" 0
	assert_output --partial "edges[$pid]/11"
	for arguments in explain inspect 'trace -t 5ms'; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr pmux $arguments --json -p "$pid" 10
		assert_equal "$status" 0
		refute_output --partial '"unknown":{"'
	done
}

@test "denied: kcmp, process_vm_readv and socket are not needed" {
	local error call

	lost_edge
	for error in EPERM ENOSYS; do
		for call in kcmp process_vm_readv socket; do
			denied "$call=$error" -- explain -p "$pid"
			assert_equal "$status" 0
			assert_line --partial \
			    '10 is a unix socket (stream, connected, 3 unread), ready: in,out'
			assert_line --partial $'suspect\tedge-consumed\t12/10\t'
			denied "$call=$error" -- inspect -p "$pid" 12
			assert_equal "$status" 0
			assert_line --regexp $'^12/10\tunix\tin,err,hup,et\tin\tarmed'
		done
	done
}

@test "denied: pidfd_getfd is, for what is ready" {
	local error

	lost_edge
	for error in EPERM ENOSYS; do
		denied "pidfd_getfd=$error" -- explain -p "$pid"
		assert_equal "$status" 0
		assert_line --partial "12 is an epoll (1 registration), ready: unknown ($error)"
		assert_line --partial "3 unread), ready: unknown ($error)"
		refute_output --partial edge-consumed
	done
	denied pidfd_getfd=EPERM -- compare -p "$pid" 10
	expect_error 3 EPERM
	denied pidfd_getfd=ENOSYS -- compare -p "$pid" 10
	expect_error 4 'no pidfd_getfd'
}

@test "denied all at once: what is left is right" {
	lost_edge
	denied kcmp=EPERM process_vm_readv=EPERM socket=EPERM \
	    pidfd_getfd=EPERM -- inspect -p "$pid" 10 12
	assert_equal "$status" 0
	assert_line --index 0 --regexp $'^10\t(unix|socket)\trw nonblock\tunknown\t'
	assert_line --index 1 --partial $'12\tepoll\trw\tunknown\t1 registration'
	assert_line --index 2 --regexp $'^12/10\t(unix|socket)\tin,err,hup,et\tunknown\tarmed'
}

# as_nobody PROGRAM ARG...: run that as another user.
as_nobody() {
	run --separate-stderr peer as 65534 "$@"
	[[ $status != 77 ]] || skip "$stderr"
}

@test "another user's process, and one that may not be attached to" {
	local command

	need_root
	rm -f input output
	mkfifo input output
	chmod 755 .
	chmod 666 input output
	peer as 65534 "$(command -v edges)" closed <input >output 3>&- &
	exec {input}>input
	read -r pid <output
	for command in explain inspect trace; do
		as_nobody "$PMUX" "$command" -p "$pid"
		assert_equal "$status" 3
		[[ $stderr =~ \[E(PERM|ACCES)\] ]]
		as_nobody "$PMUX" "$command" -p $$
		assert_equal "$status" 3
		[[ $stderr =~ \[E(PERM|ACCES)\] ]]
	done
	as_nobody "$PMUX" compare -p "$pid" 0
	expect_error 3 'E(PERM|ACCES)'
	# root may
	pm explain -p "$pid"
	assert_equal "$status" 0
	assert_line --partial 'sleeps in poll of 0'
}

@test "the other end is another user's: hidden, not missing" {
	need_root
	rm -f fifo
	mkfifo fifo
	chmod 755 .
	chmod 666 fifo
	exec 8<>fifo
	peer as 65534 "$(command -v cat)" fifo 3>&- 8>&- &
	pid=$!
	calls "$pid" 'read of '
	as_nobody "$PMUX" explain -p "$pid"
	assert_equal "$status" 0
	[[ $stderr =~ [0-9]+' processes are hidden: other ends may be missing' ]]
	refute_output --partial fault
	as_nobody "$PMUX" explain -q -p "$pid"
	expect 0
}

@test "hidepid: what is not visible is said" {
	need_root
	cat >hidden <<-'END'
	mount -t proc -o hidepid=2 proc /proc || exit 77
	sleep 1000 &
	peer as 65534 /bin/sh -c 'cat <fifo & sleep 0.1
		pmux explain -q -p '$!'; echo "$?"
		until pmux explain -p $! 2>/dev/null | grep read; do :; done
		pmux explain -p $! >/dev/null; echo "$?"; kill $!'
	END
	rm -f fifo
	mkfifo fifo
	chmod 755 .
	chmod 666 fifo
	exec 8<>fifo
	run --separate-stderr unshare -mpf --mount-proc bash ./hidden 8>&-
	[[ $status == 0 ]] || skip "$stderr"
	assert_line --index 0 3
	assert_line --index 1 --regexp '^cat\[[0-9]+\] sleeps in read of 0$'
	assert_equal "${lines[-1]}" 0
	[[ $stderr == *'[ESRCH]'* && $stderr == *'not all processes are visible'* ]] ||
	    fail "$stderr"
}

@test "hidepid where the first process is one's own" {
	local option

	need_root
	chmod 755 .
	for option in 1 2; do
		cat >hidden <<-END
		mount -t proc -o hidepid=$option proc /proc || exit 77
		sleep 1000 &
		exec peer as 65534 /bin/sh -c 'sleep 1000 | cat &
			until pmux explain -p \$! 2>/dev/null | grep "read of 0"
			do :; done
			pmux explain -p \$! >/dev/null; pmux inspect -p \$! >/dev/null; kill \$!'
		END
		run --separate-stderr unshare -mpf --mount-proc bash ./hidden
		[[ $status != 77 ]] || skip "$stderr"
		assert_equal "$status" 0
		if [[ $option == 1 ]]; then
			[[ $(grep -c '1 process is hidden' <<<"$stderr") == 2 ]]
		else
			[[ $(grep -c 'not all processes are visible' \
			    <<<"$stderr") == 2 ]]
		fi || fail "$option: $stderr"
	done
}

@test "another network namespace: a copy says what sock_diag does not" {
	need_root
	lost_edge
	unshare -n true || skip 'no network namespaces'
	run --separate-stderr unshare -n pmux inspect -p "$pid" 10
	assert_equal "$status" 0
	assert_output --regexp \
	    $'^10\tunix\trw nonblock\tin,out\tstream, connected, 3 unread\tunknown\t'
	run --separate-stderr unshare -n pmux explain -p "$pid"
	assert_equal "$status" 0
	assert_line --partial $'suspect\tedge-consumed\t12/10\t'
}

@test "another PID namespace: its processes by its numbers" {
	need_root
	unshare -pf --mount-proc true || skip 'no PID namespaces'
	run --separate-stderr unshare -pf --mount-proc pmux explain -p 100000
	expect_error 3 ESRCH
	run --separate-stderr unshare -pf --mount-proc sh -c \
	    'sleep 1000 & pmux explain -p $!; echo "$?"; kill $!'
	assert_line --index 0 --regexp '^s(leep|h)\[[0-9]+\] '
	assert_line --index 1 0
}

@test "without the /proc of the same pid namespace nothing is examined" {
	local command

	need_root
	unshare -pf true || skip 'no PID namespaces'
	for command in explain inspect 'compare 0' trace \
	    'trace --calls -t 10ms'; do
		# shellcheck disable=SC2086	# words
		run --separate-stderr unshare -pf pmux ${command/ / -p 1 }
		[[ $command == *' '* ]] ||
			run --separate-stderr unshare -pf pmux "$command" -p 1
		expect_error 3 '/proc: .*\[ENODEV\] .*namespace'
	done
	[[ -z ${ASAN_OPTIONS-} ]] || skip 'the sanitizer reads /proc'
	run --separate-stderr unshare -m sh -c 'mount -t tmpfs none /proc || exit 77
		exec pmux inspect 0'
	[[ $status != 77 ]] || skip 'no mounts'
	expect_error 3 '/proc: .*\[ENODEV\] .*namespace'
}
