#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# pmux explain: for each code a process that has the fault, and the nearest one
# that has not (tests/peer/victim.c).

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

prepare() {
	need_linux
	need_proc
	[[ -r /proc/self/syscall ]] || skip 'no /proc/PID/syscall'
}

# await_full N...: these pipes of the victim are full, and it and its children
# sleep.
await_full() {
	local child

	until [[ $(pmux inspect -p "$victim" "$@" |
	    grep -c '65536 of 65536') == "$#" ]]; do
		:
	done
	for child in $(<"/proc/$victim/task/$victim/children") "$victim"; do
		await_state "$child" S
	done
}

# victim NAME: a process that is so, in `victim'.
victim() {
	rm -f entered
	mkfifo entered
	peer victim "$1" >entered 3>&- &
	victim=$!
	read -r _ <entered
	case $1 in
	headless) await_state "$victim" Z ;;
	ghost | unread* | served | saturated* | batch* | stats | heavy-loop | \
	    compute | hung-up)
		await_state "$victim" R
		;;
	no-descriptors) ;;
	deadlock | deadlock-alarm) await_full 10 11 ;;
	deadlock-child) await_full 10 ;;
	*)
		await_state "$victim" S
		;;
	esac
}

# explained ARG...: what is said of it; the findings are in `findings'.
explained() {
	pm explain "$@" -p "$victim"
	findings=$(grep -E $'^(fault|suspect|note)\t' <<<"$output" |
	    cut -f 1-3 | tr '\t' ' ')
}

# about N: the same with descriptor N.
about() {
	pm explain -p "$victim" "$@"
	findings=$(grep -E $'^(fault|suspect|note)\t' <<<"$output" |
	    cut -f 1-3 | tr '\t' ' ')
}

# finds VICTIM STATUS FINDING...; the one before it ends, since it may spin.
finds() {
	local wanted quiet tries

	[[ ! ${found-} ]] || kill "$found" 2>/dev/null || :
	victim "$1"
	found=$victim
	printf -v wanted '%s\n' "${@:3}"
	explained
	# what has hardly run since pmux looked first cannot be judged
	for ((tries = 0; tries < 50; tries++)); do
		[[ $findings != "${wanted%$'\n'}" && \
		    $stderr == *'does not sleep'* ]] || break
		explained
	done
	[[ $status == "$2" && $findings == "${wanted%$'\n'}" ]] ||
	    fail "$1: $status $output $stderr"
	status=0
	quiet=$(pmux explain -q -p "$victim" 2>&1) || status=$?
	[[ $status == "$2" && ! $quiet ]] || fail "-q: $1: $status $quiet"
}

# healthy VICTIM...: no fault, nor a suspect.
healthy() {
	local name

	for name; do
		finds "$name" 0 ''
	done
}

@test "stale-registration, spins" {
	finds ghost 1 'fault stale-registration 12/10' 'fault spins -'
	[[ $output == *'descriptor 10 is not open; the open file lives on in '* ]]
	[[ $output == *'(its child)'* && $output == *', with data 0xa'* ]]
	healthy ghost-idle ghost-deleted
}

@test "always-ready" {
	finds unread 1 'fault always-ready 12/10' 'fault spins -'
	finds unread-socket 1 'fault always-ready 12/10' 'fault spins -'
	healthy served saturated saturated-packets compute batches
	finds batch 0 'suspect always-ready 12/10'
}

# Which calls it makes is not to be seen, nor whether it makes any.
@test "always-ready: slow to read, and a loop that computes" {
	local name

	finds stats 1 'fault always-ready 12/10' 'fault spins -'
	[[ $output == *$'\n\twhich calls it makes is not visible from outside: '* ]] ||
	    fail "$output"
	for name in heavy-loop compute; do
		finds "$name" 0 ''
		[[ $stderr == *" pmux trace --calls -p $victim "* ]] ||
		    fail "$name: $stderr"
	done
}

# In 150 ms it would run too little to judge it.
@test "spins, while all processors are busy" {
	local n

	for ((n = $(getconf _NPROCESSORS_ONLN); n >= 0; n--)); do
		while :; do :; done 3>&- &
	done
	victim unread
	explained
	[[ $status == 1 && $findings == *'fault spins -' ]] ||
	    fail "$output $stderr"
}

@test "a loop of poll(2): the command that shows its cause" {
	spins poll 0 >/dev/null 3>&- &
	victim=$!
	await_state "$victim" R
	until explained && [[ $stderr == *" pmux trace --calls -p $victim "* ]]; do
		[[ $status == 0 && $findings == '' ]] || fail "$output"
	done
	pm explain -q -p "$victim"
	[[ $status == 0 && $stderr == '' ]] || fail "$stderr"
	while :; do :; done 3>&- &
	victim=$!
	await_state "$victim" R
	explained
	[[ $status == 0 && $stderr == '' ]] || fail "$stderr"
}

@test "hangup-unasked" {
	finds hung-up 1 'fault hangup-unasked 12/10' 'fault spins -'
	healthy not-hung-up
}

@test "edge-consumed" {
	finds edge 0 'suspect edge-consumed 12/10'
	healthy edge-drained
}

@test "edge-consumed is about what can be read: back-pressure" {
	victim back-pressure
	explained
	[[ $status == 0 && $findings != *edge-consumed* ]]
}

# A poll would take the changes of the mounts from the process.
@test "edge-consumed: not of an instance that is not polled" {
	local mounts=/proc/self/mounts

	command -v python3 >/dev/null || skip 'no python3'
	for file in "$mounts" ''; do
		python_that 'sleeps in epoll_wait' 'import select, socket
one, other = socket.socketpair()
epoll, inner = select.epoll(), select.epoll()
epoll.register(one, select.EPOLLIN | select.EPOLLET)
other.send(b"data")
epoll.poll()
file = "'"$file"'" and open("'"$file"'")
if file:
    inner.register(file, select.EPOLLPRI)
epoll.register(inner, select.EPOLLIN)
epoll.poll()'
		if [[ $file ]]; then
			[[ $findings == '' && $output == *' an epoll (2 registrations), ready: unknown ('* ]] ||
			    fail "$output"
		else
			[[ $findings == 'suspect edge-consumed '* ]] ||
			    fail "$output"
		fi
	done
}

# They are found in another order: a suspect first, and last what is stuck.
@test "findings: faults before suspects before notes, each as found" {
	local edge

	victim edge
	edge=$victim
	victim own-end
	pm explain --all -p "$edge" -p "$victim"
	assert_equal "$status" 1
	findings=$(grep -E $'^(fault|suspect|note)\t' <<<"$output" |
	    sed -E "s/\t[^\t]*\t[^\t]*\[($edge|$victim)\].*/ \1/" | uniq)
	assert_equal "$findings" "fault $victim
suspect $edge
note $edge
note $victim"
}

@test "oneshot-disabled" {
	finds oneshot 0 'suspect oneshot-disabled 12/10'
	healthy oneshot-armed
}

@test "deadlock: two pipes" {
	finds deadlock 1 'fault deadlock -'
	assert_line --index 0 --regexp '^peer\[[0-9]+\] sleeps in write of 11$'
	assert_line --index 1 '  11 is a pipe (65536 of 65536 bytes), ready: -'
	assert_line --regexp '^ {10}its reader is peer\[[0-9]+\]/10: the circle is'
	healthy deadlock-timed
	finds deadlock-alarm 0 'suspect deadlock -'
	[[ $output == *$'\ta handler of signals of peer['*'] may end this'* ]]
}

@test "deadlock: a child that nobody reads from" {
	finds deadlock-child 1 'fault deadlock -'
}

@test "own-write-end" {
	finds own-end 1 'fault own-write-end 10'
	finds own-end-in-poll 1 'fault own-write-end 10'
	finds self-pipe-in-read 0 'suspect own-write-end 10'
	finds self-pipe-interrupted 0 'suspect own-write-end 10'
	finds end-in-flight 0 'suspect own-write-end 10'
	healthy self-pipe childs-end own-socket
	command -v python3 >/dev/null || return 0
	# a thread may write, or the time is limited
	python_that 'sleeps in read of' 'import os, threading, time
r, w = os.pipe()
threading.Thread(target=os.read, args=(r, 1)).start()
time.sleep(1000)'
	[[ $status == 0 && $findings == '' ]] || fail "$output"
	# Python itself has a handler of SIGINT
	python_that ', its own' 'import os
os.read(os.pipe()[0], 1)'
	[[ $status == 1 && $findings == 'fault own-write-end '* ]] ||
	    fail "$output"
	python_that 'for at most' 'import os, select
r, w = os.pipe()
poll = select.poll()
poll.register(r, select.POLLIN)
poll.poll(1000000)'
	[[ $status == 0 && $findings == '' ]] || fail "$output"
}

@test "no-descriptors-left" {
	finds no-descriptors 1 'fault no-descriptors-left 10'
	rm victim.socket
	healthy no-descriptors-idle
}

@test "stopped" {
	victim reader-stopped
	explained
	[[ $status == 1 && $findings == 'fault stopped peer['* ]]
	[[ $output == *'kill -CONT '* ]]
	# all of them, as by Ctrl-Z
	kill -STOP "$victim"
	await_state "$victim" T
	explained
	[[ $status == 0 && $findings != *'fault '* ]] || fail "$output"
	kill -CONT "$victim"
	# nobody waits for it
	victim childs-end
	kill -STOP "$victim"
	await_state "$victim" T
	explained
	[[ $status == 0 && $findings == '' && $output == *' is stopped by a signal, in read of 10'* ]]
	kill -CONT "$victim"
	# a connection waits to be accepted
	victim backlog-half
	kill -STOP "$victim"
	await_state "$victim" T
	explained
	[[ $status == 1 && $findings == 'fault stopped -' ]] || fail "$output"
	[[ $output == *', and 1 connection waits to be accepted at descriptor 10'* ]]
	kill -CONT "$victim"
}

# until_it_says TEXT: the victim, which began a moment ago, does.
until_it_says() {
	until explained && [[ $output == *"$1"* ]]; do
		[[ $(state "$victim") == [!Z] ]] || fail "$1: $output $stderr"
	done
}

@test "stopped: by its tracer" {
	command -v python3 >/dev/null || skip 'no python3'
	mkfifo entered
	python3 -c 'import ctypes, os, time
r, w = os.pipe()
children = []
for mine, other in (w, r), (r, w):
    children.append(os.fork())
    if children[-1] == 0:
        os.close(other)
        os.read(mine, 1) if mine == r else time.sleep(1000)
        os._exit(0)
os.close(r)
os.close(w)
if ctypes.CDLL(None).ptrace(16, children[0], None, None) != 0:
    children = []
print(*children, flush=True)
time.sleep(1000)' >entered 2>/dev/null 3>&- &
	tracer=$!
	read -r traced victim <entered && [[ $victim ]] || skip 'no ptrace(2)'
	await_state "$traced" t
	until_it_says "is stopped by its tracer $tracer"
	[[ $status == 1 && $findings == "fault stopped python3[$traced]" ]] ||
	    fail "$output"
	[[ $output == *" is stopped by its tracer, and python3[$victim] waits for it" ]]
	kill -KILL "$traced"
}

# vfork(2) and its like sleep so until the child runs a program.
@test "a thread in uninterruptible sleep" {
	command -v python3 >/dev/null || skip 'no python3'
	mkfifo fifo
	python3 -c 'import os
os.posix_spawn("/bin/true", ["true"], {},
    file_actions=[(os.POSIX_SPAWN_OPEN, 7, "fifo", os.O_RDONLY, 0)])' 3>&- &
	victim=$!
	# its child sleeps there; until then what runs may be a shell that finds it
	until [[ $(pmux explain fifo 2>/dev/null) == *' sleeps in open'* ]]; do
		:
	done
	await_state "$victim" D
	explained
	[[ $output == "python3[$victim] is in uninterruptible sleep"* ]] ||
	    fail "$output"
	: >fifo
}

@test "stopped: another child goes on, or another writer" {
	bash -c 'exec 3>&-; sleep 1000 & kill -STOP $!; sleep 1001; :' &
	victim=$!
	until_it_says 'stopped by a signal'
	explained
	[[ $status == 0 && $findings == '' && $output == *' one of its 2 children'* ]] ||
	    fail "$output"
	mkfifo fifo
	bash -c 'exec 3>&-; sleep 1000 & kill -STOP $!; exec sleep 1001' >fifo &
	cat fifo >/dev/null 3>&- &
	victim=$!
	until_it_says 'stopped by a signal'
	explained
	[[ $status == 0 && $findings == 'suspect stopped '* ]] ||
	    fail "$output"
}

# python_that TEXT PROGRAM: until TEXT is said of it.
python_that() {
	python3 -c "$2" 3>&- &
	victim=$!
	until_it_says "$1"
	explained
}

@test "a shell that waits for its children" {
	local shell

	for shell in dash zsh yash mksh bash; do
		command -v "$shell" >/dev/null || continue
		"$shell" -c 'sleep 1000 & wait; :' 3>&- &
		victim=$!
		until_it_says ' its child '
		[[ $output == *$'\n  sleep['*'] sleeps in clock_nanosleep' ]]
		expect 0 "$output"
		"$shell" -c 'sleep 1000 | cat; :' 3>&- &
		victim=$!
		until_it_says 'its writer is sleep'
		[[ $output == *' one of its 2 children'* ]]
		expect 0 "$output"
	done
}

@test "full" {
	finds full 0 'suspect full 11'
	# its reader goes on
	healthy full-read
}

@test "peer-not-reading" {
	victim tcp-full
	# the timer begins after the first probe
	until explained && [[ $findings == 'suspect peer-not-reading 11' ]]; do
		[[ $status == 0 ]]
	done
	healthy tcp-read
	# one that wakes from time to time
	victim tcp-unserved
	until explained && [[ $findings == 'suspect peer-not-reading 12/11' ]]; do
		[[ $status == 0 ]]
	done
	victim tcp-served
	explained
	[[ $status == 0 && $findings == '' ]] || fail "$output"
}

@test "backlog" {
	victim backlog
	about 10
	[[ $status == 0 && $findings == 'suspect backlog 10' ]]
	rm victim.socket
	victim backlog-half
	about 10
	[[ $status == 0 && $findings == '' ]]
}

@test "no-partner" {
	mkfifo fifo
	cat fifo 3>&- &
	victim=$!
	await_state "$victim" S
	explained
	[[ $status == 0 && $findings == 'suspect no-partner -' ]]
	exec 7<>fifo
	until pm explain -p "$victim" && [[ $output == *'read of 3'* ]]; do :; done
	explained
	expect 0 "$output"
	[[ $findings == '' ]]
	exec 7<&-
}

@test "a FIFO that is open both ways, and read" {
	mkfifo fifo
	bash -c 'exec 3>&- 7<>fifo; read -r _ <&7' 2>/dev/null &
	victim=$!
	until pm explain -p "$victim" && [[ $output == *'of 7'* || $output == *'of 0'* ]]; do :; done
	explained
	[[ $status == 0 && $findings == '' ]]
}

@test "no-writer-visible" {
	finds in-flight 0 'suspect no-writer-visible 10'
	healthy childs-end
}

@test "of several paths, the one that is missing is named" {
	mkfifo fifo
	pm explain ./fifo ./missing
	expect_error 3 './missing: No such file'
}

@test "a child that has another number in the pid namespace of its parent" {
	local outer inner child

	unshare -pf true 2>/dev/null || skip 'no pid namespaces'
	unshare -pf unshare -f sleep 60 3>&- &
	outer=$!
	until inner=$(pgrep -P "$outer") && child=$(pgrep -P "$inner") &&
	    [[ $(<"/proc/$child/comm") == sleep ]]; do :; done 2>/dev/null
	pm explain -p "$inner"
	kill -KILL "$inner"
	[[ $status == 0 && $output == \
	    "unshare[$inner] waits for its child sleep[$child]"* ]]
}

@test "lock-held" {
	command -v flock >/dev/null || skip 'no flock(1)'
	exec 7>lock
	flock 7
	flock lock true 3>&- 7>&- &
	victim=$!
	until pm explain -p "$victim" && [[ $output == *'flock of'* ]]; do :; done
	explained
	[[ $status == 0 && $findings == 'suspect lock-held '* ]]
	[[ $output == *"/lock, which bash["*"]/7 has"* ]]
	kill "$victim"
	exec 7>&-
	# it has the lock, and so has another one
	exec 7>lock
	flock -s 7
	flock -s lock sleep 1000 3>&- 7>&- &
	victim=$!
	until_it_says 'clock_nanosleep'
	[[ $status == 0 && $findings == '' ]] || fail "$output"
	exec 7>&-
}

@test "lock-held: of several locks, the one that is waited for" {
	finds lock-range 0 'suspect lock-held 10'
	[[ $output == *'which owner['*']/10 has'* ]]
}

@test "terminal-gone" {
	victim terminal-gone
	about 10
	[[ $status == 0 && $findings == 'suspect terminal-gone 10' ]]
	victim terminal
	about 10
	[[ $status == 0 && $findings == '' ]]
}

@test "signal-not-blocked" {
	finds signal-lost 0 'suspect signal-not-blocked 10'
	healthy signal-blocked
}

@test "no-watch" {
	finds watch-nothing 0 'suspect no-watch 10'
	healthy watch-directory
}

@test "watch-elsewhere" {
	notes watch-replaced 10 watch-elsewhere
	[[ $output == *$'\twatch 1 of descriptor 10 is of a file that '* ]]
	[[ $output == *$'\n\tthe file lives on in peer['*']/11'* ]]
	[[ $output == *$'\n\tits name was '*'/watched, which is another file now'* ]]
	notes watch-kept 10 ''
	finds watch-kept 0 ''
}

@test "notes only with --all" {
	victim childs-end
	explained
	[[ $findings == '' ]]
	explained --all
	# once, although the thread waits for it and all are explained
	[[ $status == 0 && $(grep -c 'note waits-for-writer 10' <<<"$findings") == 1 ]]
}

@test "every descriptor with --all, those that are named without" {
	local number numbers=

	victim childs-end
	explained --all
	for number in /proc/"$victim"/fd/*; do
		number=${number##*/}
		grep -q "^$number is a" <<<"$output" || fail "$number: $output"
		numbers+=$number$'\n'
	done
	printf %s "$numbers" >numbers
	about @numbers
	assert_equal "$(grep -c '^[0-9]* is a' <<<"$output")" \
	    "$(wc -l <numbers)"
	expect 0 "$output"
}

@test "a path is not opened" {
	mkfifo fifo ready
	printf data >file
	pmux kqueue --ready-fd 7 vnode:fifo:open vnode:file:open 7>ready \
	    >events 2>err 3>&- &
	read -r _ <ready || skip "$(<err)"
	pm explain fifo
	[[ $output == *' has it open neither for reading nor '* ]]
	pm inspect fifo
	: <file
	wait $!
	assert_equal "$(<events)" $'vnode\topen\t-\t0\tfile'
}

# noted STATE CODE: with --all this is said of descriptor 7 in STATE, - nothing.
noted() {
	local pid

	rm -f owner.pid
	mkfifo owner.pid
	peer with "7=$1" -- peer owner owner.pid 3>&- &
	read -r pid <owner.pid || skip "no $1 here"
	pm explain --all -p "$pid" 7
	findings=$(grep -E $'^note\t.*\t7\t' <<<"$output" | cut -f 2)
	[[ $status == 0 && ${findings:--} == "$2" ]] ||
	    fail "$1: $status $output $stderr"
	kill -KILL "$pid"
	wait "$pid" || :
}

@test "notes about one descriptor, and its neighbour" {
	local state code

	while read -r state code; do
		noted "$state" "$code"
	done <<-'END'
		pipe.w.reader-gone	no-reader
		pipe.w.empty	-
		pipe.r.empty	waits-for-writer
		pipe.r.data	-
		tcp.peer-closed	peer-closed
		tcp.connected	-
		tcp.fresh	not-connected
		udp.refused	error-queue
		udp.fresh	-
		pty.slave.unfinished-line	no-line-yet
		pty.slave.line	-
		timerfd.disarmed	disarmed
		timerfd.armed	-
		file.at-end	file-always-ready
		dev.null	-
		pipe.r.full	-
	END
}

# notes VICTIM N CODE...: with --all, of descriptor N.
notes() {
	local wanted

	victim "$1"
	pm explain --all -p "$victim" "$2"
	findings=$(grep -E $'^note\t' <<<"$output" | cut -f 2 | sort)
	printf -v wanted '%s\n' "${@:3}"
	[[ $status == 0 && $findings == "${wanted%$'\n'}" ]] ||
	    fail "$1: $status $output $stderr"
}

@test "nonblock-shared" {
	notes nonblock-shared 10 nonblock-shared waits-for-writer
	[[ $output == *', and so has peer['*']/10, the same open file'* ]]
	notes nonblock-alone 10 waits-for-writer
}

@test "small-pipe" {
	notes small-pipe 10 small-pipe waits-for-writer
	notes usual-pipe 10 waits-for-writer
}

@test "not-asked-for" {
	notes not-asked-for 12 not-asked-for
	notes edge-drained 12 ''
}

@test "past-fd-setsize" {
	ulimit -n 2000 || skip 'not so many descriptors'
	victim past-fd-setsize
	explained --all
	[[ $status == 0 && $findings == *'note past-fd-setsize 1500'* ]]
	[[ $output == *'sleeps in pselect6 of 1500'* ]]
	notes below-fd-setsize 1023 ''
	explained --all
	[[ $status == 0 && $findings != *past-fd-setsize* ]]
	victim select-of-all
	explained
	[[ $status == 0 && $output == *' sleeps in pselect6 of 10, without timeout'* ]] ||
	    fail "$output"
	victim poll-past-fd-setsize
	explained --all
	[[ $status == 0 && $findings != *past-fd-setsize* ]]
}

# readers COUNT PIPES: a process whose threads each read from a pipe.
readers() {
	python3 -c '
import os, sys, threading
count, pipes = map(int, sys.argv[1:])
ends = [os.pipe() for i in range(pipes)]
for i in range(count):
    threading.Thread(target=os.read, args=(ends[i % pipes][0], 1)).start()
' "$1" "$2" 3>&- &
	victim=$!
	until explained --all &&
	    [[ $(grep -c ' thread .* sleeps in read' <<<"$output") == "$1" ]]; do
		[[ $status == [01] ]]
	done
	explained --all
}

@test "several-waiters" {
	command -v python3 >/dev/null || skip 'no python3'
	readers 2 1
	[[ $findings == *'note several-waiters'* ]] || fail "$output"
	readers 2 2
	[[ $findings != *several-waiters* ]] || fail "$output"
}

# waiting CODE: two processes that have the same pipes, in `victim'.
waiting() {
	python3 -c '
import os, select
ends = [os.pipe() for i in range(2)]
child = os.fork() == 0
epoll = select.epoll()
'"$1" 3>&- &
	victim=$!
	# python3 may be a script that starts others first
	until other=$(pgrep -P "$victim") && pm explain -p "$other" &&
	    [[ $output == *'epoll_wait'* ]]; do
		[[ $(state "$victim") == [!Z] ]] || fail "$victim has ended"
	done
	until_it_says epoll_wait
	explained --all
}

@test "several-waiters: in several processes" {
	local other

	command -v python3 >/dev/null || skip 'no python3'
	waiting 'epoll.register(ends[0][0], 1); epoll.poll()'
	[[ $findings == *'note several-waiters'* ]] || fail "$output"
	[[ $output == *" and as python3[$other]/"* ]] || fail "$output"
	kill "$victim" "$other"
	waiting 'epoll.register(ends[child][0], 1); epoll.poll()'
	[[ $findings != *several-waiters* ]] || fail "$output"
	kill "$victim" "$other"
}

@test "without pidfd_getfd: what sleeps is not ready" {
	deny pidfd_getfd=EPERM -- true || skip 'no seccomp'
	victim deadlock
	run --separate-stderr deny pidfd_getfd=EPERM -- \
	    pmux explain -p "$victim"
	[[ $status == 1 && $output == *'ready: unknown (EPERM)'* ]]
	[[ $output == *$'\nfault\tdeadlock\t-\t'* ]]
	victim edge
	run --separate-stderr deny pidfd_getfd=EPERM -- \
	    pmux explain -p "$victim"
	[[ $status == 0 && $output != *edge-consumed* ]]
}

@test "without kcmp, or process_vm_readv" {
	deny kcmp=EPERM process_vm_readv=EPERM -- true || skip 'no seccomp'
	victim ghost
	run --separate-stderr deny kcmp=EPERM process_vm_readv=EPERM -- \
	    pmux explain -p "$victim"
	[[ $status == 1 && $output == *$'\nfault\tstale-registration\t12/10'* ]]
	victim own-end
	run --separate-stderr deny process_vm_readv=ENOSYS -- \
	    pmux explain -p "$victim"
	[[ $status == 1 && $output == *$'\nfault\town-write-end\t10\t'* ]]
}

# what it means, how it comes about, what mends it
@test "every code has a section of three parts in the manual, and a test" {
	local top code parts

	top=$BATS_TEST_DIRNAME/..
	while read -r code; do
		parts=$(awk -v code="$code" '/^[.]S[sh] / { is_in = $2 == code }
		    is_in && /^[.]Pp/ { n++ } END { print n + 1 }' \
		    "$top/man/pmux-explain.1")
		((parts >= 3)) || fail "$code: $parts parts in its section"
		grep -qE "(^@test .*|[ ']|	)$code([ \"',]|\$)" \
		    "$top/tests/explain.bats" || fail "no test: $code"
	done < <(sed -n 's/^FINDING(.*"\(.*\)".*/\1/p' \
	    "$top/src/inspect/explain/findings.def")
}

# What goes on is not accused: it forks, executes, opens and closes.
@test "processes that go on" {
	local round pids

	rounds 500
	bash -c 'while :; do echo a | cat; exec 5< <(echo b); exec 5<&-; done' \
	    >/dev/null 2>&1 3>&- &
	pids=("$!")
	peer victim edge-server >/dev/null 3>&- &
	pids+=("$!")
	for ((round = 0; round < rounds; round += 2)); do
		pm explain -p "${pids[0]}" -p "${pids[1]}"
		[[ $status == 0 && $output != *[^a-z]edge-consumed* ]] ||
		    fail "$output"
	done
}

@test "a look has no effect" {
	local rounds witness

	rounds 20000
	peer witness "$rounds" >alone 3>&-
	peer witness "$rounds" >looked-at 3>&- &
	witness=$!
	while [[ $(state "$witness") == [!Z] ]]; do
		pmux explain --all -p "$witness" >/dev/null 2>&1 3>&- || :
		pmux inspect --json -p "$witness" >/dev/null 2>&1 3>&- || :
	done
	wait "$witness"
	cmp alone looked-at
}

@test "a chain down to a leaf" {
	bash -c 'exec 3>&-; { sleep 1000 | cat; } & wait' >/dev/null 2>&1 &
	victim=$!
	until pm explain -p "$victim" && [[ $output == *'cat['*']'*'sleep['* ]]; do :; done
	assert_line --index 0 --regexp '^bash\[[0-9]+\] waits for its child bash'
	assert_line --regexp '^ +cat\[[0-9]+\] sleeps in read of 0$'
	assert_line --regexp '^ +0 is a pipe \(0 of 65536 bytes\), ready: -$'
	assert_line --regexp '^ +its writer is sleep\[[0-9]+\]/1'
	assert_line --regexp '^ +sleep\[[0-9]+\] sleeps in clock_nanosleep$'
	expect 0 "$output"
}

@test "a path: who has it open, who waits in open" {
	mkfifo fifo
	cat fifo 3>&- &
	victim=$!
	await_state "$victim" S
	pm explain fifo
	[[ $status == 0 && $output == *"cat[$victim] sleeps in openat of fifo"* ]]
	exec 7<>fifo
	# it goes on, and has a descriptor then
	until pm explain fifo && [[ $output == *"cat[$victim]/"* ]]; do :; done
	assert_line --regexp '^bash\[[0-9]+\]/7 has it open for reading and writing$'
	assert_line --regexp "^cat\[$victim\]/[0-9]+ has it open for reading\$"
	pm explain fifo 5<>fifo
	[[ $output == *"cat[$victim]/"* && $output != *pmux* ]] ||
	    fail "$output"
	exec 7<&-
	printf data >file
	pm explain file
	[[ $status == 0 && $output == '' && $stderr == *': no process has it open'* ]]
	pm explain nothing
	expect_error 3 'nothing: .*\[ENOENT\]'
}

@test "a path: who watches it" {
	victim watch-replaced
	pm explain .
	expect 0 ''
	pm explain watched
	expect 0 ''
	pm explain -p "$victim" watched
	assert_line --index 0 \
	    "peer[$victim]/10 watches neither it nor its directory"
	ln -s watched link
	pm explain -p "$victim" link
	[[ $status == 0 && $output == *'/10 may watch it or not ('* ]]
	victim watch-kept
	pm explain kept
	assert_line "peer[$victim]/10 watches it"
	expect 0 "$output"
	victim watch-directory
	pm explain watched
	expect 0 "peer[$victim]/10 watches its directory"
}

@test "a path: the holder of a FIFO" {
	mkfifo fifo
	exec 7<>fifo
	echo line >&7
	pmux poll -q fifo:in 3>&-
	exec 7<&-
	peer await 1 fifo
	pm explain fifo
	assert_success
	assert_output --partial 'a holder of pmux that keeps 5 unread bytes'
}

@test "JSON: every key is there" {
	need_json
	victim ghost
	pm explain --json -p "$victim"
	[[ $status == 1 ]]
	while read -r line; do
		for key in type pid comm tid fd depth severity code where \
		    sentence details unknown; do
			json "$key" <<<"$line"
		done
	done <<<"$output" >/dev/null
	line=$(grep spins <<<"$output")
	assert_equal "$(json severity <<<"$line")" '"fault"'
	assert_equal "$(json type <<<"$line")" '"finding"'
	assert_equal "$(json unknown <<<"$line")" '{}'
	deny pidfd_getfd=EPERM -- true || skip 'no seccomp'
	victim childs-end
	run --separate-stderr deny pidfd_getfd=EPERM -- \
	    pmux explain --json -p "$victim" 10
	assert_equal "$(json unknown <<<"${lines[0]}")" '{"ready":"EPERM"}'
}

@test "findings on a terminal have a heading and columns" {
	command -v script >/dev/null || skip "no script(1)"
	script -qec true /dev/null </dev/null >script 2>&1 ||
	    skip "this script(1) has other options"
	printf data >file
	run script -qec "pmux explain --all 7" /dev/null </dev/null 7<file
	mapfile -t lines <<<"${output//$'\r'/}"
	assert_line 'SEVERITY  CODE               WHERE  FINDING'
	assert_line --regexp '^note      file-always-ready  7      descriptor 7 '
}

# What could not be examined for want of descriptors is no health.
@test "with few descriptors of its own" {
	local limit

	victim edge
	for limit in 4 5 6 7 8 9; do
		run --separate-stderr bash -c "ulimit -n $limit
		    exec pmux explain --all -p $victim 3>&-"
		[[ $output$stderr != *EMFILE* || $status == 3 ]] ||
		    fail "$limit: $status $output $stderr"
	done
	expect 0 "$output"
}

@test "-q prints nothing" {
	victim deadlock
	pm explain -q -p "$victim"
	expect 1
}

@test "processes that are healthy" {
	local pid

	sleep 1000 3>&- &
	pm explain -q -p $!
	expect 0
	bash -c 'read -r _' < <(exec sleep 1000 3>&-) 3>&- >/dev/null 2>&1 &
	pm explain -q -p $!
	expect 0
	if command -v python3 >/dev/null; then
		python3 -c 'import asyncio; asyncio.new_event_loop().run_forever()' \
		    3>&- &
		pid=$!
		until pm explain -p "$pid" && [[ $output == *epoll_wait* ]]; do :; done
		pm explain -q -p "$pid"
		expect 0
	fi
	if command -v node >/dev/null; then
		node -e 'require("net").createServer().listen(0)' 3>&- &
		pid=$!
		until pm explain -p "$pid" && [[ $output == *epoll_* ]]; do :; done
		pm explain -q -p "$pid"
		expect 0
	fi
}

@test "no process, a zombie, a number that is not open" {
	pm explain -p 2147483646
	expect_error 3 'process 2147483646: .*\[ESRCH\]'
	run --separate-stderr peer zombie pmux explain -q -p @PID@
	expect_error 3 '\[ESRCH\]'
	victim childs-end
	pm explain -p "$victim" 99
	[[ $status == 3 && $stderr == *": 99: "*'[EBADF]' ]]
}

@test "a process whose first thread has ended" {
	local command

	victim headless
	pm explain -p "$victim"
	[[ $status == 3 && $output == *' sleeps in pause'* ]] || fail "$output"
	[[ $stderr == *"process $victim: "*'[EOPNOTSUPP] (its first thread has'* ]]
	for command in explain inspect 'trace -t 10ms'; do
		# shellcheck disable=SC2086
		pm $command -p "$victim" 10
		[[ $status == 3 && $stderr == *'[EOPNOTSUPP]'* ]] ||
		    fail "$command: $status $output $stderr"
	done
	pm inspect -p "$victim"
	expect_error 3 '\[EOPNOTSUPP\] \(its first thread has ended, '
}

@test "another user's process: the state, and 3" {
	need_root
	victim childs-end
	run --separate-stderr peer as 65534 "$PMUX" explain -p "$victim"
	[[ $status != 77 ]] || skip "$stderr"
	[[ $status == 3 && $stderr == *'[EPERM]'* ]]
	[[ $output == "peer[$victim] sleeps, in a call that is unknown (EPERM"* ]]
}

@test "a fault although processes are hidden: 1" {
	need_root
	chmod 755 .
	rm -f entered
	mkfifo entered
	chmod 666 entered
	peer as 65534 "$(command -v peer)" victim own-end >entered 3>&- &
	victim=$!
	read -r _ <entered || skip 'no rights to run it as another user'
	await_state "$victim" S
	run --separate-stderr peer as 65534 "$PMUX" explain -p "$victim"
	[[ $stderr == *' hidden: other ends may be missing' ]] || fail "$stderr"
	[[ $status == 1 && $output == *$'\nfault\town-write-end\t10\t'* ]] ||
	    fail "$output"
	# those of its session may have an end
	{
		exec 9>/proc/self/fd/0
		exec "$PMUX_TOOLS/peer" as 65534 "$(command -v cat)"
	} < <(:) 3>&- &
	victim=$!
	until_it_says 'read of'
	run --separate-stderr peer as 65534 "$PMUX" explain -p "$victim"
	[[ $status == 0 && $output == *$'\nsuspect\town-write-end\t'*$'\n\ta hidden process of '* ]] ||
	    fail "$output"
}

@test "a thread of the kernel" {
	local pid

	pid=$(pgrep -P 2 | head -n 1)
	[[ $pid && $(</proc/2/comm) == kthreadd ]] || skip 'none is visible'
	pm explain -p "$pid"
	[[ $status == 0 && $output == *"[$pid] "* ]]
	pm inspect -p "$pid"
	expect 0 ''
}

@test "pmux itself, and a name with a newline" {
	run --separate-stderr sh -c 'exec pmux explain -p $$'
	[[ $status == 0 && $output == 'pmux['*'] prints this' ]]
	run --separate-stderr sh -c 'echo data | { sleep 0.1; pmux explain 0; }'
	expect 0 '0 is a pipe (5 of 65536 bytes), ready: in,hup'
	name=$'a\n\tb'
	cp "$(command -v sleep)" "$name"
	"./$name" 1000 3>&- &
	victim=$!
	until pm explain -p "$victim" && [[ $output == *nanosleep ]]; do :; done
	expect 0 "a\\n\\tb[$victim] sleeps in clock_nanosleep"
}

@test "usage" {
	usage_error . explain
	usage_error . explain -p
	usage_error . explain --frobnicate
}
