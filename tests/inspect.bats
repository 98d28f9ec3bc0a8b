#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# pmux inspect: what it prints of each kind of descriptor in each state.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

prepare() {
	need_linux
	need_proc
}

# owner SPEC...: a process with these descriptors; its id is in `owner`.
owner() {
	rm -f owner.pid
	mkfifo owner.pid
	peer with "$@" -- peer owner owner.pid 3>&- &
	read -r owner <owner.pid
	rm owner.pid
}

# attached: skip where the descriptors of `owner' cannot be copied.
attached() {
	pm poll -t 0 -p "$owner" 0
	[[ $stderr != *"no pidfd_getfd"* && $stderr != *EPERM* ]] ||
	    skip "pidfd_getfd(2): $stderr"
}

# fields N,N...: of the records in `output', with | between them.
fields() {
	output=$(cut -f "$1" <<<"$output" | tr '\t' '|')
	mapfile -t lines <<<"$output"
}

# asleep PID: wait until it sleeps.
asleep() {
	until [[ $(<"/proc/$1/stat") == *') S '* ]]; do
		:
	done
}

# says STATE FIELDS: the kind, mode, readiness and state that are printed of
# descriptor 7; FIELDS is a regular expression.
says() {
	with "7=$1" -- pmux inspect 7
	assert_equal "$1: $status" "$1: 0"
	[[ $output == 7$'\t'* ]] || fail "$1: $output"
	fields 2-5
	[[ $output =~ ^$2$ ]] || fail "$1: $output, not $2"
}

rows() {
	local state fields

	while IFS=$'\t' read -r state fields; do
		says "$state" "$fields"
	done
}

@test "pipes" {
	rows <<-'END'
	pipe.r.empty	pipe\|r\|-\|0 of 65536 bytes
	pipe.r.data	pipe\|r\|in\|5 of 65536 bytes
	pipe.r.full	pipe\|r\|in\|65536 of 65536 bytes
	pipe.r.writer-gone-data	pipe\|r\|in,hup\|3 of 65536 bytes
	pipe.r.writer-gone-drained	pipe\|r\|hup\|0 of 65536 bytes
	pipe.w.empty	pipe\|w\|out\|0 of 65536 bytes
	pipe.w.data	pipe\|w\|out\|5 of 65536 bytes
	pipe.w.full	pipe\|w\|-\|65536 of 65536 bytes
	pipe.w.full-but-one-byte	pipe\|w\|-\|65535 of 65536 bytes
	pipe.w.full-but-a-page	pipe\|w\|out\|61439 of 65536 bytes
	pipe.w.reader-gone	pipe\|w\|out,err\|0 of 65536 bytes
	pipe.w.reader-gone-full	pipe\|w\|err\|65536 of 65536 bytes
	END
}

@test "FIFOs" {
	rows <<-'END'
	fifo.r.never-a-writer	fifo\|r nonblock\|-\|0 of 65536 bytes, /.*
	fifo.r.writer-data	fifo\|r nonblock\|in\|3 of 65536 bytes, /.*
	fifo.r.writer-gone-data	fifo\|r nonblock\|in,hup\|3 of 65536 bytes, /.*
	fifo.r.writer-gone-drained	fifo\|r nonblock\|hup\|0 of 65536 bytes, /.*
	fifo.w.full	fifo\|w nonblock\|-\|65536 of 65536 bytes, /.*
	fifo.w.reader-gone-empty	fifo\|w nonblock\|out,err\|0 of 65536 bytes, /.*
	fifo.rw.data	fifo\|rw nonblock\|in,out\|3 of 65536 bytes, /.*
	END
}

@test "local sockets" {
	rows <<-'END'
	unix-stream.idle	unix\|rw\|out\|stream, connected, 0 unread
	unix-stream.data	unix\|rw\|in,out\|stream, connected, 5 unread
	unix-stream.full	unix\|rw\|-\|stream, connected, 0 unread
	unix-stream.peer-half-closed-data	unix\|rw\|in,out,rdhup\|stream, connected, 3 unread, shut for reading
	unix-stream.itself-half-closed	unix\|rw\|out\|stream, connected, 0 unread, shut for writing
	unix-stream.both-half-closed	unix\|rw\|in,out,hup,rdhup\|stream, connected, 0 unread, shut for both
	unix-stream.peer-closed	unix\|rw\|in,out,hup,rdhup\|stream, peer closed, 0 unread
	unix-stream.peer-closed-data	unix\|rw\|in,out,hup,rdhup\|stream, peer closed, 3 unread
	unix-stream.our-data-unread	unix\|rw\|in,out,err,hup,rdhup\|stream, peer closed, 0 unread
	unix-dgram.idle	unix\|rw\|out\|datagrams, connected, 0 unread
	unix-dgram.data	unix\|rw\|in,out\|datagrams, connected, 5 unread
	unix-dgram.full	unix\|rw\|-\|datagrams, connected, 0 unread
	unix-listen.fresh	unix\|rw\|out,hup\|stream, not connected, 0 unread
	unix-listen.listening	unix\|rw\|-\|listens, 0 of 5 wait at peer.*
	unix-listen.one-waits	unix\|rw\|in\|listens, 1 of 5 wait at peer.*
	unix-listen.client-not-accepted	unix\|rw\|out\|stream, connected, 0 unread, not accepted yet
	unix-listen.client-listener-closed	unix\|rw\|in,out,err,hup,rdhup\|stream, peer closed, 0 unread
	END
}

@test "TCP" {
	rows <<-'END'
	tcp-listen.bound	tcp\|rw\|out,hup\|closed 127.0.0.1:[0-9]*, 0 unread
	tcp-listen.listening	tcp\|rw\|-\|listens, 0 of 5 wait at 127.0.0.1:[0-9]*
	tcp-listen.one-waits	tcp\|rw\|in\|listens, 1 of 5 wait at 127.0.0.1:[0-9]*
	tcp.fresh	tcp\|rw\|out,hup\|closed 0.0.0.0:0, 0 unread
	tcp.connected	tcp\|rw\|out\|established 127.0.0.1:[0-9]* to 127.0.0.1:[0-9]*, 0 unread
	tcp.data	tcp\|rw\|in,out\|established .*, 5 unread
	tcp.oob	tcp\|rw\|pri,out\|established .*, 0 unread
	tcp.full	tcp\|rw\|-\|established .*, 0 unread, [0-9]* not acknowledged, the peer has no room
	tcp.peer-half-closed-data	tcp\|rw\|in,out,rdhup\|close-wait .*, 3 unread
	tcp.peer-half-closed	tcp\|rw\|in,out,rdhup\|close-wait .*, 0 unread
	tcp.peer-closed	tcp\|rw\|in,out,rdhup\|close-wait .*, 0 unread
	tcp.peer-closed-written-to	tcp\|rw\|in,out,err,hup,rdhup\|closed .*, 0 unread
	tcp.reset	tcp\|rw\|in,out,err,hup,rdhup\|closed .*, 0 unread
	tcp.own-shut-rdwr	tcp\|rw\|in,out,hup,rdhup\|fin-wait-[12] .*, 0 unread.*
	tcp.refused	tcp\|rw nonblock\|in,out,err,hup,rdhup\|closed .*, 0 unread
	END
}

@test "UDP" {
	rows <<-'END'
	udp.bound	udp\|rw\|out\|127.0.0.1:[0-9]*, 0 unread
	udp.data	udp\|rw\|in,out\|127.0.0.1:[0-9]*, 5 unread
	udp.empty-datagram	udp\|rw\|in,out\|127.0.0.1:[0-9]*, 0 unread
	udp.refused	udp\|rw\|out,err\|127.0.0.1:[0-9]* to 127.0.0.1:[0-9]*, 0 unread
	END
}

@test "terminals" {
	rows <<-'END'
	pty.master.idle	terminal\|rw\|out\|0 unread, .*, master of [0-9]*
	pty.master.data	terminal\|rw\|in,out\|5 unread, .*, master of [0-9]*
	pty.master.slave-closed	terminal\|rw\|out,hup\|hung up, .*, master of [0-9]*
	pty.slave.idle	terminal\|rw\|out\|0 unread, by lines, /dev/pts/[0-9]*
	pty.slave.unfinished-line	terminal\|rw\|out\|0 unread, by lines, /dev/pts/[0-9]*
	pty.slave.line	terminal\|rw\|in,out\|4 unread, by lines, /dev/pts/[0-9]*
	pty.slave.master-closed	terminal\|rw\|in,out,err,hup\|hung up, /dev/pts/[0-9]*( .deleted.)?
	END
}

@test "files, directories, devices" {
	rows <<-'END'
	file.start	file\|rw\|in,out\|at 0 of 10 bytes, .*
	file.middle	file\|rw\|in,out\|at 4 of 10 bytes, .*
	file.at-end	file\|rw\|in,out\|at 10 of 10 bytes, .*
	file.past-end	file\|rw\|in,out\|at 25 of 10 bytes, .*
	file.empty	file\|rw\|in,out\|at 0 of 0 bytes, .*
	directory.open	directory\|r\|in,out\|/.*
	dev.null	device\|rw\|in,out\|/dev/null
	dev.zero	device\|rw\|in,out\|/dev/zero
	linux.memfd	file\|rw\|in,out\|at 0 of 0 bytes, /memfd:peer .*
	linux.o_path	directory\|path\|nval\|/.*
	linux.proc-file	file\|r\|in,out\|at 0 of 0 bytes, /proc/.*/stat
	linux.proc-mounts	file\|r\|unknown\|at 0 of 0 bytes, /proc/.*/mounts
	linux.dev-full	device\|rw\|in,out\|/dev/full
	END
}

@test "eventfd, timerfd, signalfd, pidfd, inotify" {
	rows <<-'END'
	eventfd.0	eventfd\|rw nonblock\|out\|count 0
	eventfd.5	eventfd\|rw nonblock\|in,out\|count 5
	eventfd.max	eventfd\|rw nonblock\|in\|count 18446744073709551614
	timerfd.disarmed	timerfd\|rw\|-\|disarmed
	timerfd.armed	timerfd\|rw\|-\|in 9[0-9]*\.[0-9]* s
	timerfd.expired	timerfd\|rw\|in\|disarmed, expired 1
	signalfd.none	signalfd\|rw\|-\|USR1
	signalfd.pending	signalfd\|rw\|in\|USR1, pending USR1
	pidfd.alive	pidfd\|rw\|-\|process [0-9]*
	pidfd.zombie	pidfd\|rw\|in\|process [0-9]*
	inotify.none	inotify\|r\|-\|1 watch
	END
}

# entries STATE RECORD...: those of instance 7 and what is registered in it.
entries() {
	owner "7=$1"
	attached
	pm inspect -p "$owner" 7
	assert_success
	output=${output//"peer[$owner]"/peer}
	# a child of peer has copies
	output=$(sed 's/, peer\[.*//' <<<"$output")
	fields 1-6
	shift
	expect 0 "$@"
}

@test "epoll: a registration has its mask, readiness and data" {
	entries epoll.edge-told '7|epoll|rw|-|1 registration|-' \
	    '7/20|pipe|in,err,hup,et|in|armed, data 0xabcdef0123456789|-'
	entries epoll.no-events '7|epoll|rw|in|1 registration|-' \
	    '7/20|pipe|err,hup|hup|armed, data 0xabcdef0123456789|-'
}

@test "epoll: a one-shot that has fired is disarmed" {
	entries epoll.oneshot-fired '7|epoll|rw|-|1 registration|-' \
	    '7/20|pipe|oneshot|-|disarmed, data 0xabcdef0123456789|-'
}

@test "epoll: a number that is closed, while the file is open elsewhere" {
	entries epoll.stale '7|epoll|rw|in|1 registration|-' \
	    '7/20|pipe|in,err,hup|in|STALE, armed, data 0xabcdef0123456789|peer/21'
}

@test "epoll: a number that is another file by now" {
	entries epoll.reused '7|epoll|rw|in|1 registration|-' \
	    '7/20|pipe|in,err,hup|in|STALE, armed, data 0xabcdef0123456789|peer/21'
}

@test "epoll: anonymous files are compared by kcmp(2)" {
	run deny kcmp=EPERM -- true
	[[ $status != 77 ]] || skip "$output"
	owner 7=epoll.stale-eventfd
	attached
	pm inspect -p "$owner" 7
	assert_line --partial STALE
	assert_line --partial "peer[$owner]/21"
	entries epoll.stale-eventfd '7|epoll|rw|unknown|1 registration|-' \
	    '7/20|eventfd|in,err,hup|in|STALE, armed, data 0xabcdef0123456789|peer/21'
}

@test "epoll: what must not be polled leaves the instance unknown" {
	owner 7=epoll.signalfd
	pm inspect -p "$owner" 7
	fields 1-4
	assert_line --index 0 '7|epoll|rw|unknown'
	assert_line --index 1 '7/20|signalfd|in,err,hup|-'
	pm inspect --json -p "$owner" 7
	assert_output --partial '"unknown":{"ready":"an epoll instance with '
}

@test "the other end of a FIFO" {
	mkfifo fifo
	bash -c 'echo $$ >pid; exec 5<>/dev/null; exec 7<fifo; exec sleep 1000' 3>&- &
	exec 8>fifo
	pm inspect 8
	fields 6
	expect 0 "sleep[$(<pid)]/7"
	exec 8>&-
}

@test "who waits: threads and epoll instances" {
	mkfifo fifo
	exec 8<>fifo
	bash -c 'exec 8<&-; read -r _ <fifo' 3>&- &
	pid=$!
	asleep "$pid"
	pm poll -t 0 -p "$pid" 0
	[[ $stderr != *EPERM* ]] || skip "no right to trace"
	pm inspect -p "$pid" 0
	fields 2,7
	expect 0 "fifo|thread $pid read in"
	owner 7=epoll.edge-told
	pm inspect -p "$owner" 20
	fields 2,7
	expect 0 'pipe|epoll 7 in,err,hup,et'
}

@test "a path: who has it open" {
	mkfifo fifo
	exec 8<>fifo
	bash -c 'exec 9<fifo; exec sleep 1000' 3>&- 8>&- &
	pid=$!
	until [[ -e /proc/$pid/fd/9 ]]; do
		:
	done
	exec 8<&-
	# pmux has it, too, for the moment
	exec 7<>fifo
	pm inspect fifo
	fields 1-3
	[[ $output != *pmux* && $output == *"[$pid]/9|fifo|r"* ]] ||
	    fail "$output"
	exec 7<&-
	: >file
	pm inspect file
	expect 0
	pm inspect none
	expect_error 3 'none: .*ENOENT'
}

@test "a path of a local socket, of a terminal" {
	owner 7=unix-listen.listening
	# its name is relative to a directory that has gone
	pm inspect /dev/null
	assert_success
	assert_line --regexp "^peer\[$owner\]/.*device.*/dev/null"
}

@test "--json has every key, and a reason for what is not known" {
	local key

	with 7=pipe.r.data 8=linux.proc-mounts -- pmux inspect --json 7 8
	assert_success
	assert_equal "${#lines[@]}" 2
	for key in pid comm fd kind name access nonblock cloexec inode position \
	    ready unread capacity state same peers hidden_peers waiters \
	    registrations unknown; do
		assert_line --index 0 --partial "\"$key\":"
		assert_line --index 1 --partial "\"$key\":"
	done
	assert_line --index 0 --partial '"kind":"pipe"'
	assert_line --index 0 --partial '"ready":["in"],"unread":5,"capacity":65536'
	assert_line --index 0 --partial '"unknown":{}'
	assert_line --index 1 --partial '"ready":null'
	assert_line --index 1 --partial '"unknown":{"ready":"a file whose poll'
}

@test "without a word: what pmux was started with" {
	with 7=pipe.r.data 9=eventfd.5 -- pmux inspect 8<&- 10<&-
	assert_success
	fields 1,2
	assert_line '7|pipe'
	assert_line '9|eventfd'
	[[ $output != *directory* ]] || fail "$output"
}

@test "all descriptors of a process, and some" {
	owner 7=pipe.r.data 9=eventfd.5
	pm inspect -p "$owner"
	assert_success
	fields 1,2
	assert_line '7|pipe'
	assert_line '9|eventfd'
	pm inspect -p "$owner" 9 7
	fields 1,2
	expect 0 '9|eventfd' '7|pipe'
	echo 9 >list
	pm inspect -p "$owner" @list
	fields 1,2
	expect 0 '9|eventfd'
	pm inspect -p "$owner" 9 -p "$$" 0
	fields 1
	assert_line --index 0 "peer[$owner]/9"
	assert_line --index 1 --partial "[$$]/0"
}

@test "a process that is not there, a zombie, a number that is not open" {
	owner 7=pipe.r.data
	pm inspect -p 2147483647
	expect_error 3 'process 2147483647: .*ESRCH'
	run --separate-stderr peer zombie pmux inspect -p @PID@
	expect_error 3 'process [0-9]*: .*ESRCH'
	pm inspect -p "$owner" 8
	expect_error 3 "process $owner: 8: .*EBADF"
	with 8=number.closed -- pmux inspect 8
	expect_error 3 'inspect: 8: .*EBADF'
	# the others are printed
	pm inspect -p "$owner" 8 7
	assert_equal "$status" 3
	fields 1,2
	assert_output '7|pipe'
}

@test "another user's process" {
	need_root
	owner 7=pipe.r.data
	run --separate-stderr peer as 65534 "$PMUX" inspect -p "$owner"
	expect_error 3 "process $owner: .*EACCES"
}

@test "without the right to trace: what fdinfo and sock_diag say" {
	run deny pidfd_getfd=EPERM -- true
	[[ $status != 77 ]] || skip "$output"
	owner 7=pipe.r.data 8=eventfd.5 9=unix-stream.data 10=timerfd.expired \
	    11=tcp.data 12=signalfd.pending 13=file.middle
	run --separate-stderr deny pidfd_getfd=EPERM kcmp=EPERM -- \
	    pmux inspect -p "$owner" 7 8 9 10 11 12 13
	assert_equal "$status" 0
	fields 1-5
	assert_line --index 0 '7|pipe|r|unknown|unread unknown'
	assert_line --index 1 '8|eventfd|rw nonblock|in,out|count 5'
	assert_line --index 2 '9|unix|rw|unknown|stream, connected, 5 unread'
	assert_line --index 3 '10|timerfd|rw|in|disarmed, expired 1'
	assert_line --index 4 --regexp \
	    '^11\|tcp\|rw\|unknown\|established .*, 5 unread'
	assert_line --index 5 '12|signalfd|rw|in|USR1, pending USR1'
	assert_line --index 6 --partial '13|file|rw|in,out|at 4 of 10'
	run --separate-stderr deny pidfd_getfd=EPERM -- \
	    pmux inspect --json -p "$owner" 7
	assert_output --partial \
	    '"unknown":{"ready":"EPERM","unread":"EPERM","capacity":"EPERM"}'
}

# Nobody may wait, or somebody of whom nothing is known.
@test "without its directories: who waits is unknown" {
	run deny getdents64=EPERM -- true
	[[ $status != 77 ]] || skip "$output"
	owner 7=eventfd.0
	attached
	pm inspect -p "$owner" 7
	fields 2,7
	assert_output 'eventfd|-'
	run --separate-stderr deny getdents64=EPERM -- pmux inspect -p "$owner" 7
	assert_equal "$status" 0
	fields 2,7
	assert_output 'eventfd|unknown'
}

@test "without sock_diag(7) a copy says what it can" {
	run deny socket=EPERM -- true
	[[ $status != 77 ]] || skip "$output"
	owner 7=tcp-listen.one-waits 8=unix-stream.data 9=udp.data
	attached
	run --separate-stderr deny socket=EPERM -- \
	    pmux inspect -p "$owner" 7 8 9
	assert_equal "$status" 0
	fields 2-6
	assert_line --index 0 --regexp \
	    '^tcp\|rw\|in\|listens, 1 of 5 wait at 127.0.0.1:[0-9]+\|unknown'
	assert_line --index 1 'unix|rw|in,out|stream, connected, 5 unread|unknown'
	assert_line --index 2 --regexp '^udp\|rw\|in,out\|127.0.0.1:[0-9]+, 5 unread'
}

@test "names are escaped, also of processes" {
	local name=$'a\tb\n) R'

	cp "$(command -v sleep)" "$name" 2>/dev/null || skip "no such name here"
	"./$name" 1000 3>&- &
	pid=$!
	until [[ $(tr '\0' ' ' <"/proc/$pid/cmdline") == *1000* ]]; do
		:
	done
	mkfifo $'x\ty'
	exec 8<>$'x\ty'
	pm inspect -p "$pid" 0 -p "$$" 0
	assert_line --index 0 --partial 'a\tb\n) R['
	pm inspect 8
	assert_output --partial 'x\ty'
	assert_equal "${#lines[@]}" 1
	pm inspect --json -p "$pid" 0
	assert_output --partial '"comm":"a\u0009b\u000a) R"'
}

@test "on a terminal: columns below a heading" {
	command -v script >/dev/null || skip "no script(1)"
	run script -qec "$PMUX inspect 0" /dev/null
	assert_line --index 0 --regexp \
	    '^FD +KIND +MODE +READY +STATE +OTHER END +WAITED FOR BY'
	assert_line --index 1 --regexp '^0  +terminal +rw '
}

# in_namespaces OPTION COMMAND [ARG]...: skip where that cannot be.
in_namespaces() {
	need_root
	unshare "$1" true 2>/dev/null || skip "no unshare(1) $1"
}

@test "sockets of another network namespace" {
	in_namespaces -n
	mkfifo owner.pid
	unshare -n peer with 7=unix-listen.one-waits 8=unix-stream.data \
	    -- peer owner owner.pid 3>&- &
	read -r owner <owner.pid
	attached
	pm inspect -p "$owner" 7 8
	fields 2-6
	assert_line --index 0 --regexp '^unix\|rw\|in\|listens at peer[^|]*\|unknown$'
	assert_line --index 1 'unix|rw|in,out|stream, connected, 5 unread|unknown'
	run deny pidfd_getfd=EPERM -- true
	[[ $status != 77 ]] || skip "$output"
	run --separate-stderr deny pidfd_getfd=EPERM -- \
	    pmux inspect -p "$owner" 7
	fields 2-6
	assert_output 'unix|rw|unknown|unknown|unknown'
}

@test "hidden processes are reported" {
	in_namespaces -m
	run --separate-stderr unshare -m sh -c \
	    'mount -t proc -o hidepid=2 proc /proc || exit 77
	    sleep 0 | peer as 65534 "$PMUX" inspect 0'
	[[ $status != 77 ]] || skip "no hidepid"
	assert_equal "$status" 0
	[[ $stderr == *hidden* || $stderr == *'not all processes'* ]] ||
	    fail "$stderr"
}
