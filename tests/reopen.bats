#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# --lines --reopen: regular files that are followed by name, as tail -F does.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

# Those that take a regular file.
followers=(select poll devpoll kqueue wait)

# following COMMAND ARG...: it follows `log'.
following() {
	streaming "$1" --lines --reopen "${@:2}" "$(reads "$1" log)"
}

# record LINE: the next line of its output.
record() {
	IFS= read -r line <&8 || fail "no record like $1"
	assert_equal "$line" $'log\t'"$1"
}

each_follower() {
	local c

	for c in "${followers[@]}"; do
		! has "$c" || "$1" "$c"
		rm -f log*
	done
}

grows() {
	echo one >log
	following "$1" -c 4
	record one
	echo two >>log
	record two
	printf thr >>log
	printf 'ee\nfour\n' >>log
	record three
	record four
	ends 0
}

@test "a file that grows" {
	each_follower grows
}

late() {
	following "$1" -c 2
	echo one >log
	record one
	echo two >>log
	record two
	ends 0
}

@test "a file that is not there yet" {
	each_follower late
}

renamed() {
	echo one >log
	following "$1" -c 5
	record one
	mv log log.1
	echo two >>log.1
	record two
	printf 'last' >>log.1
	printf 'new\n' >log
	record last
	record new
	echo end >>log
	record end
	ends 0
}

@test "renamed and created: the old file is read to its end, an unfinished line too" {
	each_follower renamed
}

replaced() {
	echo one >log
	following "$1" -c 3
	record one
	echo two >log.new
	mv log.new log
	record two
	echo three >>log
	record three
	ends 0
}

@test "replaced by a rename" {
	each_follower replaced
}

empty() {
	echo one >log
	following "$1" -c 4
	record one
	mv log log.1
	: >log
	echo two >>log.1
	record two
	echo three >>log.1
	record three
	echo four >>log
	record four
	ends 0
}

@test "the old file is read as long as the new one is empty" {
	each_follower empty
}

removed() {
	echo one >log
	following "$1" -c 2
	record one
	rm log
	echo two >log
	record two
	ends 0
}

@test "removed and created" {
	each_follower removed
}

truncated() {
	echo one long line >log
	following "$1" -c 2
	record 'one long line'
	cp log log.1
	: >log
	echo two >>log
	record two
	ends 0 "pmux: $1: log: it was truncated or overwritten: reading it from its start"
}

@test "copied and truncated" {
	each_follower truncated
}

@test "--until: the line, the end of its process, the time" {
	sh -c 'echo starting; echo READY; exec sleep 100' >log 2>&1 3>&- &
	pm wait --lines --reopen --until READY --while $! -t 60 log
	kill $!
	expect 0 $'log\tstarting' $'log\tREADY'
	: >log
	sh -c 'echo starting; printf "no memory"; exit 3' >log 2>&1 3>&- &
	pm wait --lines --reopen --until READY --while $! -t 60 log
	expect 1 $'log\tstarting' $'log\tno memory'
	# an unfinished line stays unread
	pm wait --lines --reopen --until READY -t 0.1 log
	expect 124 $'log\tstarting'
	pm wait --lines --reopen --until READY -t 0.1 none
	expect 124
	pm wait --lines --reopen --until READY --while $! none
	expect 1
}

@test "a number: a file without a name is followed" {
	echo one >log
	streaming wait --lines --reopen -c 2 7 7<log
	read -r line <&8
	assert_equal "$line" $'7\tone'
	echo two >>log
	read -r line <&8
	assert_equal "$line" $'7\ttwo'
	ends 0
}

@test "other targets beside it" {
	mkfifo f
	exec 7<>f
	streaming wait --lines --reopen -c 3 log 7
	echo one >&7
	read -r line <&8
	assert_equal "$line" $'7\tone'
	echo two >log
	record two
	echo three >>log
	record three
	ends 0
	exec 7>&-
}

@test "a name that cannot be looked up for a while: one message" {
	mkdir d
	echo one >d/log
	ln -s d link
	streaming wait --lines --reopen -c 3 ./link/log
	read -r line <&8
	assert_equal "$line" $'./link/log\tone'
	ln -sfn link link
	echo two >>d/log
	read -r line <&8
	assert_equal "$line" $'./link/log\ttwo'
	until [[ -s err ]]; do
		sleep 0.01
	done
	ln -sfn d link
	mv d/log d/log.1
	echo three >d/log
	read -r line <&8
	assert_equal "$line" $'./link/log\tthree'
	ends 0 "pmux: wait: ./link/log: $(too_many_links)"
}

@test "a named pipe that comes later is held after a signal" {
	local writer

	waiting wait --lines --reopen --format %l ./f
	mkfifo f go
	{
		echo one
		read -r _ <go
		echo two
	} >f 3>&- &
	writer=$!
	until [[ $(<out) == one ]]; do sleep 0.01; done
	kill "$pid"
	finish "$pid"
	echo >go
	wait "$writer"
	pm wait --lines --format %l -t 1h ./f
	expect 0 two
}

# too_many_links: how pmux reports a loop of symbolic links.
too_many_links() {
	local output

	ln -s loop loop
	output=$(pmux wait -t 0 ./loop 2>&1) || :
	echo "${output#*loop: }"
}

# Pauses double from 1 ms to 100 ms: seven, and then one each tenth of a second.
sleeps() {
	echo one >log
	run --separate-stderr pmux "$1" --debug=debug --lines --reopen -t 500ms \
		"$(reads "$1" log)"
	assert_equal "$status $output" $'124 log\tone'
	run grep -c 'wait, max' debug
	((output < 100)) || fail "$1: $output waits"
	rm debug
}

@test "nothing happens: pmux sleeps" {
	each_follower sleeps
}

@test "what cannot be opened for another reason is an error" {
	echo x >file
	pm wait --lines --reopen file/log
	expect_error 3 'file/log: .*\[ENOTDIR\]'
}

@test "epoll does not take regular files" {
	need epoll
	echo one >log
	pm epoll --lines --reopen log
	expect_error 3 'log: .*\[EPERM\]'
}

# rotate HOW: 100 rotations while lines are written, at most one in 20 ms.
rotate() {
	perl -e '
		my ($how, $rounds) = @ARGV;
		my $i = 0;
		sub reopen { open(L, ">>", "log") or die; select(L); $| = 1; }
		reopen();
		for (1 .. $rounds) {
			print L "line ", ++$i, "\n" for 1 .. 1000;
			select(undef, undef, undef, 0.02);
			if ($how eq "create") {
				rename("log", "log.1") or die;
				print L "line ", ++$i, "\n";
				reopen();
			} elsif ($how eq "copytruncate") {
				system("cp log log.1");
				truncate("log", 0);
			}
		}
		print L "END\n"' "$1" "$2"
}

rotations() {
	rounds 100
	pmux wait --lines --reopen --until END --format %l log >out \
	    2>/dev/null 3>&- &
	pid=$!
	rotate "$1" "$rounds"
	wait "$pid"
	sed -n 's/^line //p' out | awk '$1 != NR { print "at " NR ": " $0; exit 1 }
	    END { print NR }' >count || fail "$(<count)"
	assert_equal "$(<count)" "$((rounds * $2))"
	assert_equal "$(tail -n 1 out)" END
}

@test "rotations by rename lose, tear and double no line" {
	command -v perl >/dev/null || skip "no perl"
	rotations create 1001
}

# Nothing is written between the copy and the truncation here.
@test "rotations by truncation lose, tear and double no line" {
	command -v perl >/dev/null || skip "no perl"
	rotations copytruncate 1000
}

# ---- vnode: what is saved under a name ----

# saving ARG...: kqueue follows `file' by name.
saving() {
	need kqueue
	echo old >file
	streaming kqueue --follow --reopen --settle 1s "$@"
}

# saved FFLAGS: one record with these, and the file can be saved again.
saved() {
	IFS=$'\t' read -r _ line _ <&8 || fail "no record with $1"
	line=$(tr , '\n' <<<"$line" | sort | tr '\n' ' ')
	# shellcheck disable=SC2053	# a pattern
	[[ $line == $1 ]] || fail "$line, not $1"
}

@test "vnode: each way to save a file is one event, again and again" {
	local i

	saving -c 10 vnode:file
	for ((i = 0; i < 2; i++)); do
		echo in place >>file
		saved 'extend write '
		echo renamed over >new
		mv new file
		saved '*delete *write '
		mv file file~
		echo backup >file
		saved '*rename *write '
		rm file
		echo made >file
		saved '*delete *write '
		sed s/made/edited/ file >new
		mv new file
		saved '*delete *write '
	done
	ends 0
}

# opened_again: pmux has the new file open, and sleeps.
opened_again() {
	local fd

	for fd in "/proc/$pid/fd"/*; do
		[[ ! $fd -ef file ]] || break
	done
	[[ $fd -ef file && $(state "$pid") == S ]]
}

@test "vnode: a file that is made, and written a little later, is one event" {
	local i begin

	need kqueue
	need_linux
	need_proc
	echo old >file
	streaming kqueue --follow --reopen vnode:file
	for ((i = 0; i < 50; i++)); do
		begin=${EPOCHREALTIME/[.,]/}
		rm file
		: >file
		until opened_again; do :; done
		echo made >>file
		# else both are reported, for it took too long
		if ((${EPOCHREALTIME/[.,]/} - begin <= 90000)); then
			saved '*delete *write '
			break
		fi
		sleep 0.1
		while read -r -t 0 <&8 && read -r line <&8; do :; done
	done
	((i < 50)) || skip "the machine is too busy"
	chmod 600 file
	saved 'attrib '
	kill "$pid"
	exec 8<&-
	wait "$pid" || :
}

@test "vnode: only what was asked for" {
	saving -c 3 vnode:file:write
	echo new >new
	mv new file
	saved 'write '
	chmod 600 file
	rm file
	echo made >file
	saved 'write '
	echo more >>file
	saved 'write '
	ends 0
	saving -c 1 vnode:file:attrib
	echo new >new
	mv new file
	# its replacement is not an event, and what happens to it is
	until [[ $(state "$pid") == S ]]; do
		sleep 0.002
	done
	sleep 0.2
	chmod 600 file
	saved 'attrib '
	ends 0
}

@test "vnode: a name that is gone is reported once, its return as write" {
	saving -c 4 vnode:file
	rm file
	saved '*delete '
	echo back >file
	saved 'write '
	mv file elsewhere
	saved 'rename '
	mv elsewhere file
	saved 'write '
	ends 0
}

@test "vnode: a file that is not there yet" {
	need kqueue
	streaming kqueue --follow --reopen -c 2 vnode:file:write
	echo new >file
	saved 'write '
	echo more >>file
	saved 'write '
	ends 0
}

@test "vnode: a program runs for each save, also for one during its run" {
	need kqueue
	mkfifo go
	exec 6<>go
	echo 0 >file
	streaming kqueue --follow --reopen -c 2 vnode:file:write -- \
	    sh -c 'cat file; read -r _ <go'
	echo 1 >new
	mv new file
	read -r line <&8
	assert_equal "$line" 1
	echo 2 >new
	mv new file
	echo 3 >new
	mv new file
	echo >&6
	read -r line <&8
	assert_equal "$line" 3
	echo >&6
	ends 0
	exec 6>&-
}

@test "vnode: editors and git" {
	local editor

	need kqueue
	command -v git >/dev/null || skip "no git"
	git init -q .
	echo one >file
	git add file
	git -c user.name=x -c user.email=x@x commit -qm one
	echo two >file
	streaming kqueue --follow --reopen --settle 0.1 vnode:file:write
	git checkout -q -- file
	saved 'write '
	for editor in vi vim ex nvim; do
		command -v $editor >/dev/null || continue
		$editor -es -c '%s/$/!/' -c wq file >/dev/null 2>&1 3>&- \
		    </dev/null || continue
		saved 'write '
	done
	kill "$pid"
	exec 8<&-
	wait "$pid" || :
}
