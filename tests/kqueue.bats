#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# pmux kqueue: the filters and words of kevent(2), and how they are printed.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
# shellcheck disable=SC2094	# both ends of a FIFO
load helper

prepare() {
	need kqueue
}

# fields STATUS REGEX: one record, of tab-separated columns that REGEX, with
# blanks for the tabs, is about.
fields() {
	local line=${output//$'\t'/ }

	[[ $status == "$1" && $line =~ ^$2$ ]] ||
	    fail "status $status, '$line' is not '$2'; $stderr"
}

# child COMMAND: a child in the background that runs it, in bash, when told to
# by the function go; its process id is in `child`.
child() {
	rm -f go
	mkfifo go
	bash -c "read -r _ <go; $1" 3>&- &
	child=$!
}

go() {
	echo >go
}

# ---- read and write ----

@test "read: the bytes that can be read" {
	with 7=pipe.r.data -- pmux kqueue -t 0 read:7
	expect 0 $'read\t-\t-\t5\t7'
	with 7=pipe.r.empty -- pmux kqueue -t 0 read:7
	expect 124
}

@test "read: the end of a pipe, with what is left" {
	with 7=pipe.r.writer-gone-data -- pmux kqueue -t 0 read:7
	expect 0 $'read\t-\teof\t3\t7'
	with 7=pipe.r.writer-gone-drained -- pmux kqueue -t 0 read:7
	expect 0 $'read\t-\teof\t0\t7'
}

@test "read: clients that wait at a listening socket" {
	with 7=unix-listen.one-waits -- pmux kqueue -t 0 read:7
	expect 0 $'read\t-\t-\t1\t7'
	with 7=tcp-listen.listening -- pmux kqueue -t 0 read:7
	expect 124
}

@test "read: a regular file, from its offset to its end" {
	echo 12345 >file
	pm kqueue -t 0 read:file
	expect 0 $'read\t-\t-\t6\tfile'
	with 7=file.at-end -- pmux kqueue -t 0 read:7
	expect 124
	with 7=file.start -- pmux kqueue -t 0 --format '%F %i' read:7
	expect 0 'read 7'
}

@test "read: lowat" {
	with 7=unix-stream.data -- pmux kqueue -t 0 read:7:lowat=5
	fields 0 'read - - 5 7'
	with 7=unix-stream.data -- pmux kqueue -t 0 read:7:lowat=6
	expect 124
	with 7=unix-stream.data -- pmux kqueue -t 0 read:7:lowat,data=6
	expect 124
}

@test "write: the room there is" {
	with 7=pipe.w.empty -- pmux kqueue -t 0 write:7
	fields 0 'write - - [1-9][0-9]* 7'
	with 7=pipe.w.full -- pmux kqueue -t 0 write:7
	expect 124
}

@test "write: the last reader has gone" {
	with 7=unix-stream.peer-closed -- pmux kqueue -t 0 write:7
	fields 1 'write - eof [0-9]+ 7'
	with 7=pipe.w.reader-gone -- pmux kqueue -t 0 write:7
	# FreeBSD says EPIPE, NetBSD EBADF
	[[ $stderr == *@(EPIPE|EBADF)* && $status == 3 ]] ||
	    fields 1 'write - eof [0-9]+ 7'
}

@test "read and write of one descriptor are two" {
	with 7=unix-stream.data -- pmux kqueue -t 0 read:7 write:7
	assert_equal "$status ${#lines[@]}" '0 2'
	assert_line $'read\t-\t-\t5\t7'
	assert_line --regexp $'^write\t-\t-\t[0-9]+\t7$'
}

@test "the error of a socket at its end, by name" {
	with 7=tcp.reset -- pmux kqueue -t 0 read:7
	fields 0 'read ECONNRESET eof 0 7'
}

# ---- descriptors, paths, FIFOs ----

@test "a descriptor that is not open: EBADF" {
	local filter

	for filter in read write vnode; do
		with 7=number.closed -- pmux kqueue -t 0 $filter:7
		expect_error 3 'pmux: kqueue: 7: .*\[EBADF\]'
	done
}

@test "a closed descriptor of a number that pmux itself would get" {
	local n

	for n in 3 4 5 6 7 8 9; do
		with 3-9=number.closed -- pmux kqueue -t 0 "read:$n"
		expect_error 3 "$n: .*\\[EBADF\\]"
		with 3-9=number.closed $n=pipe.r.data -- \
		    pmux kqueue -t 0 "read:$n"
		expect 0 $'read\t-\t-\t5\t'$n
	done
}

@test "the descriptors of pmux may be anywhere" {
	run --separate-stderr bash -c \
	    'exec 0<&- 2>&-; pmux kqueue -t 0 timer:1h; echo $?'
	expect 0 124
}

@test "standard input by its names" {
	local name

	for name in 0 /dev/stdin /dev/fd/0; do
		with 0=pipe.r.data -- pmux kqueue -t 0 read:$name
		expect 0 $'read\t-\t-\t5\t'$name
	done
}

@test "twice: the last one stands" {
	with 7=pipe.r.data -- \
	    pmux kqueue -t 0 read:7:udata=a read:/dev/fd/7:udata=b
	expect 0 $'read\t-\t-\t5\t/dev/fd/7\tb'
	pm kqueue -t 10ms timer:1:data=1ms timer:1:data=1h
	expect 124
	pm kqueue user:1:trigger,udata=a user:1:trigger,udata=b
	[[ $status != 4 ]] || skip "$stderr"
	fields 0 'user - - 0 1 b'
}

@test "a FIFO by name: nothing is lost" {
	mkfifo f
	bash -c 'echo hello >f' 3>&- &
	pm kqueue -t 1h read:f
	fields 0 'read - (eof|-) 6 f'
	read -r line <f
	assert_equal "$line" hello
}

@test "a FIFO to write, by name: its reader gets what comes" {
	mkfifo f
	need_fifo_room kqueue
	cat f >got 3>&- &
	pm kqueue -t 1h write:f
	fields 0 'write - - [0-9]+ f'
	echo hello >f
	wait $!
	assert_equal "$(<got)" hello
}

@test "both ends of one FIFO by name: a usage error" {
	mkfifo f
	usage_error 'f: reading and writing' kqueue -t 0 read:f write:f
}

@test "a path that does not exist" {
	local filter

	for filter in read write vnode aio; do
		pm kqueue -t 0 $filter:none
		[[ $status != 4 || $filter != aio ]] || continue
		expect_error 3 'none: No such file.*\[ENOENT\]'
	done
	: >some
	pm kqueue -t 0 vnode:some:writ
	expect_error 3 'some:writ: .*\[ENOENT\] \(unknown word\)'
}

@test "a colon in a path" {
	: >a:b
	: >a:clear
	pm kqueue -t 0 vnode:a:b
	expect 124
	pm kqueue -t 0 vnode:a:b:write,clear
	expect 124
	pm kqueue -t 0 vnode:a:clear:
	expect 124
	pm kqueue -t 0 vnode:a:clear
	expect_error 3 'a: .*\[ENOENT\]'
}

@test "-p: descriptors of another process" {
	need_linux
	mkfifo pid
	peer with 7=pipe.r.data -- peer owner pid 3>&- &
	read -r owner <pid
	pm kqueue -t 0 -p "$owner" read:7
	[[ $stderr != *ENOSYS* && $stderr != *EPERM* && $status != 4 ]] ||
	    skip "$stderr"
	expect 0 $'read\t-\t-\t5\t7'
	pm kqueue -t 0 -p "$owner" read:99
	expect_error 3 '99 .*\[EBADF\]'
	pm kqueue -t 0 -p "$owner" --json read:7
	[[ $output == *'"ident":7,'* ]]
}

@test "@FILE, by lines and by NUL" {
	printf 'read:7\nread:8\n' >list
	with 7=pipe.r.data 8=pipe.r.data -- pmux kqueue -t 0 @list
	assert_equal "$status ${#lines[@]}" '0 2'
	printf 'read:7\0vnode:a\nb\0' >list
	: >$'a\nb'
	with 7=pipe.r.data -- bash -c "pmux kqueue -t 0 -0 @list | tr '\0' '\n'"
	expect 0 $'read\t-\t-\t5\t7'
}

@test "many descriptors" {
	need_number 1200
	ulimit -Sn 256
	seq 100 1099 | sed 's/^/read:/' >list
	with 100-1098=pipe.r.empty 1099=pipe.r.data -- \
	    pmux kqueue -t 1h @list
	expect 0 $'read\t-\t-\t5\t1099'
	with 100-1099=pipe.r.data -- pmux kqueue --all -t 1h @list
	assert_equal "$status ${#lines[@]}" '0 1000'
}

# ---- vnode ----

# changed WORDS REGEX COMMAND...: what COMMAND makes of a wait for WORDS.
changed() {
	waiting kqueue -t 1h "vnode:file$1"
	"${@:3}"
	finish "$pid"
	fields 0 "$2"
}

append() {
	echo more >>file
}

@test "vnode: written, and longer" {
	: >file
	changed '' 'vnode ([a-z]+,)*extend(,[a-z]+)* [^ ]+ 0 file' append
	changed :write 'vnode write(,extend)? [^ ]+ 0 file' append
}

@test "vnode: attributes, links, names" {
	echo >file
	changed :attrib 'vnode attrib [^ ]+ 0 file' chmod 600 file
	changed :link 'vnode link [^ ]+ 0 file' ln file second
	changed :rename 'vnode rename [^ ]+ 0 file' mv file other
	mv other file
	rm second
	changed :delete 'vnode delete [^ ]+ 0 file' rm file
}

@test "vnode: a directory" {
	mkdir dir
	waiting kqueue -t 1h vnode:dir
	: >dir/file
	finish "$pid"
	fields 0 'vnode ([a-z]+,)*write(,[a-z]+)* [^ ]+ 0 dir'
}

@test "vnode: opened, read and closed, only if asked for" {
	echo text >file
	pm kqueue -t 0 vnode:file:open,read,close,close_write
	[[ $status != 4 ]] || skip "$stderr"
	expect 124
	changed :open 'vnode open [^ ]+ 0 file' cat file
	changed :read 'vnode read [^ ]+ 0 file' cat file
	changed :close 'vnode close [^ ]+ 0 file' cat file
	changed :close_write 'vnode close_write [^ ]+ 0 file' append
	changed :close_write,attrib 'vnode attrib [^ ]+ 0 file' read_chmod
	# chmod(1) may do nothing where the mode is what it should be
	chmod 644 file
	changed '' 'vnode attrib [^ ]+ 0 file' read_chmod
}

read_chmod() {
	cat file
	chmod 600 file
}

@test "vnode: by descriptor, and by a symbolic link" {
	: >file
	ln -s file link
	waiting kqueue -t 1h vnode:7:write 7<file
	append
	finish "$pid"
	fields 0 'vnode write(,extend)? [^ ]+ 0 7'
	waiting kqueue -t 1h vnode:link:write
	append
	finish "$pid"
	fields 0 'vnode write(,extend)? [^ ]+ 0 link'
}

@test "vnode: a FIFO by name does not make pmux its peer" {
	need_linux
	mkfifo f
	bash -c 'echo hello >f; exec sleep 3600' 3>&- &
	writer=$!
	waiting kqueue -t 1h vnode:f:attrib
	chmod 600 f
	finish "$pid"
	fields 0 'vnode attrib [^ ]+ 0 f'
	await_state "$writer" S
	read -r line <f
	assert_equal "$line" hello
}

@test "vnode: names with every byte" {
	: >$'a\n\xff\\b'
	waiting kqueue -t 1h vnode:$'a\n\xff\\b:write'
	echo >>$'a\n\xff\\b'
	finish "$pid"
	fields 0 'vnode write(,extend)? [^ ]+ 0 a\\n\\0377\\\\b'
}

# ---- proc ----

@test "proc: a child that exits" {
	child 'exit 7'
	waiting kqueue -t 1h "proc:$child"
	go
	finish "$pid"
	fields 0 "proc exit [a-z,]*eof[a-z,]* $(how exit=7) $child"
}

@test "proc: a stranger that a signal ends" {
	child 'kill -TERM $$'
	waiting kqueue -t 1h "proc:$child:exit"
	go
	finish "$pid"
	fields 0 "proc exit [a-z,]*eof[a-z,]* $(how signal=TERM) $child"
}

@test "proc: status in JSON and as a number" {
	need_json
	peer reaped || skip 'this kernel does not report the status'
	child 'exit 7'
	waiting kqueue -t 1h --json "proc:$child"
	go
	finish "$pid"
	assert_equal "$(json exit <<<"$output")" 7
	assert_equal "$(json signal <<<"$output")" null
	assert_equal "$(json data <<<"$output")" 1792
	assert_equal "$(json fflags <<<"$output")" '["exit"]'
	assert_equal "$(json ident <<<"$output")" "$child"
	child 'kill -KILL $$'
	waiting kqueue -t 1h --format '%e %d' "proc:$child"
	go
	finish "$pid"
	expect 0 'exit,eof 9'
	child 'exit 7'
	waiting kqueue -t 1h --format '%s' "proc:$child"
	go
	finish "$pid"
	expect 0 'exit=7'
	pm kqueue --format '%s' timer:1us
	expect 0 -
}

# gone PMUX...: that, and how it reports a child of ours that has gone.
gone() {
	child 'exit 7'
	mkfifo ready
	exec 7<>ready
	"$@" --ready-fd 7 "proc:$child" >out 2>err 3>&- &
	pid=$!
	read -r _ <&7
	exec 7<&-
	rm ready
	kill -STOP "$pid"
	go
	wait "$child" || :
	kill -CONT "$pid"
	finish "$pid"
}

@test "proc: a status that the kernel does not report is unknown, never 0" {
	need_json
	hide
	gone "${hidden[@]}" pmux kqueue -t 1h
	fields 0 "proc exit [a-z,]*eof[a-z,]* - $child"
	gone "${hidden[@]}" pmux kqueue -t 1h --format '%d %s %e'
	expect 0 '- - exit,eof'
	gone "${hidden[@]}" pmux kqueue -t 1h --json
	assert_equal "$(json data <<<"$output")" null
	assert_equal "$(json exit <<<"$output")" null
	assert_equal "$(json signal <<<"$output")" null
	gone "${hidden[@]}" pmux kqueue -t 1h --follow
	fields 0 "proc exit [a-z,]*eof[a-z,]* - $child"
}

@test "proc: the process connector reports it where permitted" {
	need_root
	need_linux
	may_follow
	deny ioctl:0xc040ff0b=ENOTTY -- true || skip 'no seccomp'
	gone deny ioctl:0xc040ff0b=ENOTTY -- pmux kqueue -t 1h
	fields 0 "proc exit [a-z,]*eof[a-z,]* exit=7 $child"
}

@test "proc: a zombie of another user, of which /proc says 0" {
	need_root
	need_linux
	hide
	# its parent is peer, which waits for pmux alone
	local ask='exec "$@" "$PMUX" kqueue -t 0 --format %s "proc:$0"'

	run --separate-stderr peer zombie "${hidden[@]}" peer run how \
	    bash -c "$ask" @PID@ peer as 65534
	expect 0 -
	run --separate-stderr peer zombie "${hidden[@]}" peer run how \
	    bash -c "$ask" @PID@
	[[ $output == exit=* ]] || fail "$output"
}

@test "proc: no such process" {
	child :
	go
	wait "$child"
	pm kqueue -t 0 "proc:$child"
	expect_error 3 "$child: No such process \\[ESRCH\\]"
	usage_error "not a process ID" kqueue -t 0 proc:x
	usage_error "not a process ID" kqueue -t 0 proc:0
}

@test "proc: fork" {
	may_follow
	child 'true & wait; read -r _ <go'
	waiting kqueue -t 1h "proc:$child:fork"
	go
	finish "$pid"
	# it may have ended by then, which the same event says
	fields 0 "proc fork [a-z,]+ [0-9]+ $child"
}

@test "proc: exec" {
	may_follow
	child 'exec sleep 3600'
	waiting kqueue -t 1h "proc:$child:exec"
	go
	finish "$pid"
	fields 0 "proc exec [a-z]+ 0 $child"
}

@test "proc: track, children by their own number" {
	may_follow
	child '(exit 3) & wait; exit 7'
	waiting kqueue -t 1h "proc:$child:track"
	go
	finish "$pid"
	output=${output%%$'\n'*}
	fields 0 "proc child [a-z,-]+ $child [0-9]+"
	[[ ${output##*$'\t'} != "$child" ]]
}

@test "proc: track, every one once with --all" {
	may_follow
	child '(exit 3) & wait; exit 7'
	waiting kqueue -t 1h --all "proc:$child:track,exit"
	go
	finish "$pid"
	assert_equal "$status $stderr" '0 '
}

@test "proc: fork without permission" {
	need_root
	need_linux
	run --separate-stderr peer as 65534 "$PMUX" kqueue -t 0 "proc:$$:fork"
	[[ $status != 124 ]] || skip 'every user may on this system'
	[[ $status == 4 || ($status == 3 && $stderr == *EPERM*) ]] ||
	    fail "$status $stderr"
}

# ---- signal ----

@test "signal: sent to pmux, which survives it" {
	local name

	for name in USR1 SIGUSR1 sigusr1 usr1; do
		waiting kqueue -t 1h signal:$name
		kill -USR1 "$pid"
		finish "$pid"
		expect 0 $'signal\t-\tclear\t1\t'$name
	done
	waiting kqueue -t 1h --json signal:TERM
	kill -TERM "$pid"
	finish "$pid"
	assert_equal "$status" 0
	[[ $output == *'"target":"TERM","ident":15,'* ]]
}

@test "signal: those of real time" {
	local number

	number=$(kill -l RTMIN 2>/dev/null) || skip 'no such signals'
	waiting kqueue -t 1h signal:RTMIN+2
	kill -$((number + 2)) "$pid"
	finish "$pid"
	fields 0 'signal - clear 1 RTMIN\+2'
}

@test "signal: KILL and STOP are refused" {
	local name

	for name in KILL STOP SIGKILL 9; do
		pm kqueue -t 0 signal:$name
		expect_error 3 "$name: .*\\[EINVAL\\]"
	done
}

@test "signal: none of that name or number" {
	local name

	for name in NONE 0 1000 -1 RTMIN+99 SIG; do
		usage_error 'no signal' kqueue -t 0 signal:$name
	done
}

# ---- timer ----

@test "timer: a duration" {
	pm kqueue timer:1ms
	fields 0 'timer - clear [1-9][0-9]* 1ms'
	pm kqueue -t 1ms timer:1h
	expect 124
	pm kqueue timer:1us:oneshot
	fields 0 'timer - oneshot,clear 1 1us'
}

@test "timer: not early" {
	local start end

	start=$(peer clock)
	pm kqueue timer:20500us
	end=$(peer clock)
	((end - start >= 20500000))
	start=$(peer clock)
	pm kqueue timer:7:data=20.5ms
	end=$(peer clock)
	((end - start >= 20500000))
	fields 0 'timer - clear [1-9][0-9]* 7'
}

@test "timer: units make a plain number" {
	pm kqueue timer:1:data=3,mseconds
	[[ $status != 4 ]] || skip "$stderr"
	fields 0 'timer - clear [1-9][0-9]* 1'
	pm kqueue -t 10ms timer:1:data=100,seconds
	expect 124
	pm kqueue timer:9:useconds,data=300
	fields 0 'timer - clear [1-9][0-9]* 9'
	usage_error "'1.5' is not a number" kqueue timer:1:seconds,data=1.5
}

@test "timer: a time of the clock" {
	pm kqueue timer:1:abstime,seconds,data=1700000000
	[[ $status != 4 ]] || skip "$stderr"
	fields 0 'timer - [a-z,-]+ [0-9]+ 1'
	pm kqueue timer:1:abstime,data=1700000000.5
	fields 0 'timer - [a-z,-]+ [0-9]+ 1'
	pm kqueue -t 1ms timer:1:abstime,data=4000000000
	expect 124
}

@test "timer: idents count from 1" {
	pm kqueue --format '%i %t' --all timer:3ms timer:1ms timer:2ms
	assert_equal "$status ${#lines[@]}" '0 3'
	pm kqueue --json --all timer:1ms timer:2ms
	[[ $output == *'"ident":1,'* && $output == *'"ident":2,'* ]]
}

@test "timer: no duration" {
	local word

	for word in x inf -1 1.5y ''; do
		usage_error . kqueue -t 0 "timer:$word"
	done
	usage_error 'out of range' kqueue -t 0 timer:999999999d
}

# ---- netdev ----

in_a_network() {
	unshare "$@" -n true 2>/dev/null || return 1
	unshare "$@" -n sh -c 'ip link add v0 type veth peer name v1' \
	    2>/dev/null || return 1
}

@test "netdev: a link goes up, down and away" {
	local -a how=()

	pm kqueue -t 0 netdev:lo
	[[ $status != 4 ]] || skip "$stderr"
	command -v ip >/dev/null || skip 'no ip(8)'
	in_a_network || {
		how=(-r)
		in_a_network -r || skip 'no network namespace'
	}
	cat >script <<-'EOF'
		change() {
			words=$1
			shift
			rm -f ready
			mkfifo ready
			pmux kqueue -t 1h --ready-fd 9 "netdev:v0:$words" \
			    9>ready 3>&- &
			read -r _ <ready
			"$@"
			wait $!
		}
		ip link add v0 type veth peer name v1
		ip link set v0 up
		change linkup ip link set v1 up
		change linkdown,linkup ip link set v1 down
		change linkinv ip link del v0
		pmux kqueue -t 1ms netdev:lo
		echo $?
	EOF
	run --separate-stderr unshare "${how[@]}" -n bash script
	assert_line --index 0 --regexp $'^netdev\tlinkup\t[a-z,-]+\t0\tv0$'
	assert_line --index 1 --regexp $'^netdev\tlinkdown\t[a-z,-]+\t0\tv0$'
	assert_line --index 2 --regexp $'^netdev\tlinkinv\t[a-z,-]+\t0\tv0$'
	assert_line --index 3 124
}

@test "netdev: no such interface" {
	pm kqueue -t 0 netdev:none0
	[[ $status != 4 ]] || skip "$stderr"
	expect_error 3 'none0: .*\[ENXIO\]'
}

# ---- aio ----

need_aio() {
	pm kqueue -t 1h aio:/dev/null
	[[ $status != 4 ]] || skip "$stderr"
}

@test "aio: a file, from an offset" {
	need_aio
	printf 0123456789 >file
	pm kqueue -t 1h aio:file
	fields 0 'aio - [a-z,-]+ 10 file'
	pm kqueue -t 1h aio:file:bytes=4
	fields 0 'aio - [a-z,-]+ 4 file'
	pm kqueue -t 1h aio:7:bytes=100,offset=8 7<file
	fields 0 'aio - [a-z,-]+ 2 7'
	pm kqueue -t 1h aio:file:offset=10
	fields 0 'aio - [a-z,-]+ 0 file'
}

@test "aio: what comes later" {
	local fd

	need_aio
	mkfifo f
	exec {fd}<>f
	waiting kqueue -t 1h aio:7:bytes=100 7<f
	echo hello >f
	finish "$pid"
	[[ $status != 4 ]] || skip "$stderr"
	fields 0 'aio - [a-z,-]+ 6 7'
	waiting kqueue -t 1h aio:f
	echo hello >f
	finish "$pid"
	fields 0 'aio - [a-z,-]+ 6 f'
	exec {fd}<&-
}

@test "aio: an error is reported, with status 1" {
	need_aio
	with 7=directory.open -- pmux kqueue -t 1h aio:7
	[[ $status == 3 && $stderr == *EISDIR* ]] || fields 1 \
	    'aio - ([a-z]+,)*error [1-9][0-9]* 7'
}

@test "aio: all of several" {
	need_aio
	echo 1 >a
	echo 22 >b
	pm kqueue --all -t 1h aio:a aio:b
	assert_equal "$status ${#lines[@]}" '0 2'
	assert_line --regexp $'^aio\t.*\t2\ta$'
	assert_line --regexp $'^aio\t.*\t3\tb$'
}

# ---- user ----

@test "user: triggered" {
	pm kqueue -t 0 user:1:trigger
	[[ $status != 4 ]] || skip "$stderr"
	fields 0 'user - - 0 1'
	pm kqueue -t 0 user:1
	expect 124
	pm kqueue -t 0 user:7:trigger,ffcopy,fflags=0x5,data=9,clear
	fields 0 'user 0x5 clear 9 7'
	pm kqueue -t 0 user:18446744073709551615:trigger
	[[ $status == 2 ]] || fields 0 'user - - 0 18446744073709551615'
}

@test "user: fflags by number, the kernel's own bits among them" {
	local number

	pm kqueue -t 0 user:1:trigger
	[[ $status != 4 ]] || skip "$stderr"
	for number in 0x1000000 fflags=0x1000000 fflags=16777216; do
		pm kqueue -t 0 "user:1:$number"
		fields 0 'user - - 0 1'
	done
	usage_error 'out of range' kqueue -t 0 user:1:fflags=4294967296
	usage_error 'out of range' kqueue -t 0 user:1:0x100000000
}

# ---- words ----

@test "what is no kevent" {
	usage_error 'FILTER:IDENT' kqueue -t 0 7
	usage_error 'unknown filter .*read.*vnode.*timer' kqueue -t 0 rad:7
	usage_error 'no identifier between' kqueue -t 0 read:
	usage_error 'no identifier between' kqueue -t 0 read::
	usage_error 'no identifier between' kqueue -t 0 read::clear
	usage_error "unknown word.*'clea'" kqueue -t 0 read:7:clea
	usage_error "unknown word.*''" kqueue -t 0 read:7:clear,
	usage_error "read has no word 'extend'" kqueue -t 0 read:7:extend
	usage_error "read has no word 'trigger'" kqueue -t 0 read:file:trigger
	usage_error "timer has no 'bytes='" kqueue -t 0 timer:1:bytes=3
	usage_error "'eof' is only ever reported" kqueue -t 0 read:7:eof
	usage_error "'child' is only ever reported" kqueue -t 0 proc:7:child
	usage_error 'not a number' kqueue -t 0 read:7:lowat=x
	usage_error 'out of range' kqueue -t 0 read:7:data=9223372036854775808
	usage_error 'out of range' kqueue -t 0 read:7:0x100000000
	usage_error 'descriptor is at most' kqueue -t 0 read:2147483648
}

@test "names in any case, and as C has them" {
	: >file
	with 7=pipe.r.data -- \
	    pmux kqueue -t 0 EVFILT_READ:7:EV_ADD,Clear,NOTE_LOWAT,DATA=2
	fields 0 'read - clear 5 7'
	pm kqueue -t 0 Vnode:file:NOTE_WRITE,delete,EV_CLEAR
	expect 124
}

@test "flags: oneshot, clear, dispatch" {
	local flag

	for flag in oneshot clear; do
		with 7=pipe.r.data -- pmux kqueue -t 0 "read:7:$flag"
		fields 0 "read - $flag 5 7"
	done
	with 7=pipe.r.data -- pmux kqueue -t 0 read:7:dispatch
	[[ $status == 4 ]] || fields 0 'read - dispatch 5 7'
	with 7=pipe.r.data -- pmux kqueue -t 0 read:7:add,disable
	expect 124
	with 7=pipe.r.data -- pmux kqueue -t 0 read:7:receipt
	[[ $status == 4 ]] || fields 0 'read - receipt 5 7'
}

@test "delete and enable of what is not there: ENOENT" {
	local flag

	for flag in delete enable disable; do
		with 7=pipe.r.data -- pmux kqueue -t 0 "read:7:$flag"
		expect_error 3 '7: .*\[ENOENT\]'
	done
}

@test "-e: words of the kevents that have none" {
	with 7=pipe.r.data 8=pipe.r.data -- \
	    pmux kqueue -t 0 read:7 -e clear read:8
	assert_equal "$status ${#lines[@]}" '0 2'
	assert_line $'read\t-\t-\t5\t7'
	assert_line $'read\t-\tclear\t5\t8'
	with 8=pipe.r.data -- pmux kqueue -t 0 -e clear read:8:oneshot
	fields 0 'read - oneshot 5 8'
	usage_error "unknown word 'clea'" kqueue -t 0 -e clea timer:1
	usage_error "has no word 'extend'" kqueue -t 0 -e extend timer:1s
}

@test "udata: handed back" {
	with 7=pipe.r.data -- pmux kqueue -t 0 read:7:udata=job
	expect 0 $'read\t-\t-\t5\t7\tjob'
	with 7=pipe.r.data -- pmux kqueue -t 0 'read:7:udata=a%2Cb%3Ac%25 d,clear'
	expect 0 $'read\t-\tclear\t5\t7\ta,b:c% d'
	with 7=pipe.r.data -- pmux kqueue -t 0 'read:7:udata='
	expect 0 $'read\t-\t-\t5\t7\t'
	with 7=pipe.r.data -- pmux kqueue -t 0 'read:7:udata=%0a\'
	expect 0 $'read\t-\t-\t5\t7\t\\n\\\\'
	usage_error '%25' kqueue -t 0 read:7:udata=100%
	usage_error '%25' kqueue -t 0 read:7:udata=%0g
	usage_error '%25' kqueue -t 0 read:7:udata=%00
}

# ---- output ----

@test "--json: every key" {
	need_json
	with 7=pipe.r.writer-gone-data -- \
	    pmux kqueue -t 0 --json read:/dev/fd/7:clear,udata=a%2Cb
	assert_equal "$status" 0
	assert_equal "$(json primitive <<<"$output")" '"kqueue"'
	assert_equal "$(json target <<<"$output")" '"/dev/fd/7"'
	assert_equal "$(json ident <<<"$output")" 7
	assert_equal "$(json filter <<<"$output")" '"read"'
	assert_equal "$(json flags <<<"$output")" '["clear","eof"]'
	assert_equal "$(json fflags <<<"$output")" '[]'
	assert_equal "$(json data <<<"$output")" 3
	assert_equal "$(json udata <<<"$output")" '"a,b"'
	with 7=pipe.r.data -- pmux kqueue -t 0 --json --timestamps read:7
	assert_equal "$(json udata <<<"$output")" null
	[[ $(json time <<<"$output") == *T*Z* ]]
}

@test "--json: names that are not UTF-8" {
	printf x >$'\xff'
	pm kqueue -t 0 --json read:$'\xff:udata=\xfe'
	[[ $output == *'"target":null,"target_base64":"/w=="'* ]]
	[[ $output == *'"udata":null,"udata_base64":"/g=="'* ]]
}

@test "--format: every sequence" {
	with 7=pipe.r.data -- pmux kqueue -t 0 --format \
	    '%F|%x|%g|%d|%i|%u|%e|%t|%f|%b|%p|%%' read:7:oneshot,udata=u
	expect 0 'read|-|oneshot|5|7|u|read|7|7|5|kqueue|%'
	pm kqueue --format '%F|%x|%g|%d|%i|%u|%e|%t|%f|%b' timer:1us:oneshot
	expect 0 'timer|-|oneshot,clear|1|1us|-|timer|1us|-|-'
	with 7=pipe.r.writer-gone-data -- pmux kqueue -t 0 --format '%e' read:7
	expect 0 'read,eof'
}

@test "--quiet, and formats without data" {
	with 7=pipe.r.data -- pmux kqueue -t 0 -q read:7
	expect 0
	with 7=pipe.r.data -- pmux kqueue -t 0 --format '%F %x %g' read:7
	expect 0 'read - -'
	with 7=pipe.r.writer-gone-data -- \
	    pmux kqueue -t 0 --format '%F %x %g' read:7
	expect 0 'read - eof'
	with 7=unix-stream.data -- pmux kqueue -t 0 -q read:7:lowat=6
	expect 124
}

@test "-0" {
	: >$'a\nb'
	echo >$'a\nb'
	run bash -c "pmux kqueue -t 0 -0 \$'read:a\nb' | tr '\\n\\0' '|\\n'"
	assert_output $'read\t-\t-\t1\ta|b'
}

# ---- waiting ----

@test "several filters in one wait" {
	: >file
	with 7=pipe.r.data 8=pipe.r.empty -- \
	    pmux kqueue -t 1h read:7 read:8 vnode:file timer:1h signal:USR2
	expect 0 $'read\t-\t-\t5\t7'
}

@test "--all: each settles" {
	: >file
	child 'exit 0'
	waiting kqueue --all -t 1h "proc:$child" timer:1ms signal:USR1 \
	    vnode:file:write
	append
	kill -USR1 "$pid"
	go
	finish "$pid"
	assert_equal "$status $(count -l <out)" '0 4'
}

@test "--all: time is over first" {
	with 7=pipe.r.data 8=pipe.r.empty -- \
	    pmux kqueue --all -t 10ms read:7 read:8
	expect 124 $'read\t-\t-\t5\t7'
}

@test "--all: one that cannot be written any more" {
	with 7=pipe.r.data 8=unix-stream.peer-closed -- \
	    pmux kqueue --all -t 1h read:7 write:8
	assert_equal "$status ${#lines[@]}" '1 2'
}

@test "--max-events" {
	with 7-19=pipe.r.data -- pmux kqueue -t 0 -n 5 \
	    read:7 read:8 read:9 read:10 read:11 read:12 read:13
	assert_equal "$status ${#lines[@]}" '0 5'
}

@test "the timeout is not early" {
	local start end

	start=$(peer clock)
	with 0=pipe.r.empty -- pmux kqueue -t 1900us read:0
	end=$(peer clock)
	assert_equal "$status" 124
	((end - start >= 1900000))
}

@test "waits until there is something" {
	local fd

	mkfifo pipe
	exec {fd}<>pipe
	waiting kqueue -t 1h read:7 7<pipe
	assert_equal "$(cat out)" ''
	await_state "$pid" S
	echo hello >pipe
	finish "$pid"
	expect 0 $'read\t-\t-\t6\t7'
	exec {fd}<&-
}

# A write end of a FIFO learns nothing of that on NetBSD
@test "the reader of the output goes in mid-wait: ends as by SIGPIPE" {
	mkfifo ready
	peer with 7=pipe.r.empty -- peer run status \
	    pmux kqueue --ready-fd 9 read:7 9>ready 3>&- |
	    read -ru 5 _ 5<ready
	assert_equal "$(<status)" 'signal 13'
}

@test "the reader of the output had gone before: ends as by SIGPIPE" {
	with 7=pipe.r.data 1=pipe.w.reader-gone -- \
	    peer run status pmux kqueue -t 1h read:7
	assert_equal "$(<status)" 'signal 13'
	with 7=pipe.r.empty 1=pipe.w.reader-gone -- \
	    peer run status pmux kqueue -t 1h read:7
	assert_equal "$(<status)" 'signal 13'
}

@test "a reader of the output that stays is no event" {
	run bash -c 'pmux kqueue -t 20ms timer:1h | cat; echo "${PIPESTATUS[0]}"'
	assert_output 124
}

@test "no target" {
	pm kqueue -t 0
	expect 124
	usage_error target kqueue
}

@test "info: native or emulated" {
	pm info
	assert_line --regexp $'^kqueue\t(native|emulated)\t'
}

# ---- kernels that lack a part ----

# without CALL REGEX KEVENT: where CALL is missing, KEVENT ends with status 4
# and REGEX; where it is forbidden, with 3 and the errno.
without() {
	run --separate-stderr deny "$1=ENOSYS" -- "$PMUX" kqueue -t 1m "$3"
	expect_error 4 "$2"
	run --separate-stderr deny "$1=EMFILE" -- "$PMUX" kqueue -t 1m "$3"
	expect_error 3 '\[EMFILE\]'
	run --separate-stderr deny "$1=EPERM" -- "$PMUX" kqueue -t 1m "$3"
	[[ $status == 3 && $stderr == *'[EPERM]'* ]] || expect_error 4 "$2"
}

@test "each part of the kernel that is missing or forbidden is named" {
	need_linux
	deny eventfd2=ENOSYS -- true || skip 'no seccomp'
	: >file
	without eventfd2 'no eventfd\(2\)' user:1:trigger
	without epoll_create1 'no epoll\(7\)' user:1:trigger
	without inotify_init1 'no inotify\(7\)' vnode:file
	without inotify_init1 'no inotify\(7\)' read:file
	without timerfd_create 'no timerfd_create\(2\)' timer:10ms
	without timerfd_settime 'no timerfd_create\(2\)' timer:10ms
	without timerfd_create 'no timerfd' timer:1:abstime,data=1s
	without signalfd4 'no signalfd\(2\)' signal:USR1
	without pidfd_open 'no pidfd_open\(2\)' "proc:$$"
}

@test "sockets are forbidden: no interface is said to be missing" {
	need_linux
	deny socket=EPERM -- true || skip 'no seccomp'
	run --separate-stderr deny socket=EPERM -- "$PMUX" kqueue -t 0 netdev:lo
	expect_error 3 'no socket for the lookup'
	pm kqueue -t 0 netdev:none
	expect_error 3 'no such interface'
}

@test "a session where the queue cannot be made: status 4" {
	need_linux
	deny eventfd2=ENOSYS -- true || skip 'no seccomp'
	run --separate-stderr deny eventfd2=ENOSYS -- "$PMUX" kqueue --session
	expect_error 4 'no eventfd\(2\)'
}

# denied CALL=ERROR... -- ARG...: pmux, where those calls fail.
denied() {
	need_linux
	deny "$1" -- true || skip 'no seccomp'
	run --separate-stderr timeout 20 deny "${@:1:2}" "$PMUX" "${@:3}"
}

@test "bytes that cannot be counted are an error, not none" {
	mkfifo f
	exec 7<>f
	echo line >&7
	denied ioctl:0x541b=EIO -- kqueue -t 10 read:7
	expect_error 3 'kqueue: 7: .*\[EIO\]'
	denied ioctl:0x541b=EIO -- kqueue --follow --count 1 read:7
	expect_error 3 'kqueue: 7: .*\[EIO\]'
	denied ioctl:0x541b=ENOTTY -- kqueue -t 10 --json write:7
	expect_error 3 'kqueue: 7: .*\[ENOTTY\]'
	denied ioctl:0x541b=EIO -- kqueue -t 10 read:7 -- cat
	expect_error 3 'kqueue: 7: .*\[EIO\]'
}

@test "a pipe whose kind cannot be determined is not taken for something else" {
	mkfifo f
	exec 7<>f
	denied fstatfs=EIO -- kqueue -t 10 write:7
	expect_error 3 'kqueue: 7: .*\[EIO\]'
}

@test "a session answers what cannot be known with error, and drops it" {
	mkfifo f
	exec 7<>f
	echo line >&7
	denied ioctl:0x541b=EIO -- kqueue --session <<-'EOF'
		control 1 10 read:7
		control 0 0 read:7:delete
	EOF
	assert_line --index 1 --regexp '^event	read	.*error.*	5	7$'
	assert_line --index 2 'ok 1'
	assert_line --index 3 --regexp '^error ENOENT '
}

@test "a process that cannot be inspected ends the wait" {
	local child

	sleep 100 3>&- &
	child=$!
	denied poll=ENOMEM -- kqueue -t 10 "proc:$child"
	kill "$child"
	expect_error 3 'kqueue: [0-9]*: .*\[ENOMEM\]'
}
