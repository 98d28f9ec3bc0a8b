#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# --follow: events of every target until all are finished, none lost, no busy
# loop.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
# shellcheck disable=SC2094	# both ends of a FIFO
load helper

# following COMMAND ARG...: streaming, with --follow.
following() {
	streaming "$1" --follow "${@:2}" 7>&-
}

# record REGEX: the next line of its output.
record() {
	read -r line <&8 || fail "no record like $1"
	[[ $line =~ $1 ]] || fail "'$line', not $1"
}

# ended: the word for the end of a FIFO, when all is read.
ended() {
	case $1 in
	kqueue)
		echo $'^read\t-\t(clear,)?eof\t0\tf$'
		;;
	*)
		# FreeBSD says in at the end of file, too
		if [[ $(uname -s) == Linux ]]; then
			echo $'^hup\tf$'
		else
			echo $'^(in,)?hup\tf$'
		fi
		;;
	esac
}

# ---- new events ----

# every_write COMMAND [LENGTH]: lines of LENGTH bytes, or each another length.
every_write() {
	local i text

	mkfifo f
	exec 7<>f
	following "$1" "$(reads "$1" f)" -c 15
	for ((i = 1; i <= 15; i++)); do
		printf -v text '%0*d' "${2-$((i + 2))}" "$i"
		echo "$text" >&7
		record "^$(says "$1")"$'\t.*f$'
		read -r line <&7
		assert_equal "$line" "$text"
	done
	ends 0
	exec 7<&-
	rm f
}

@test "each write that is read is reported, one after the other" {
	each every_write
}

@test "also where the state seems unchanged" {
	# equal byte counts: edges show the change, select and poll have none
	need epoll
	each every_write 50
}

standing() {
	with 7=pipe.r.data 8=pipe.w.empty -- pmux "$1" --follow --idle 0.3 \
	    "$(reads "$1" 7)" "$(writes "$1" 8)"
	short
	assert_equal "$status" 124
	assert_equal "$(sort <<<"$output")" "$(sort <<<"$2"$'\t7\n'"$3"$'\t8')"
}

@test "a target that stays ready is reported once" {
	local c

	for c in poll devpoll epoll wait; do
		! has $c || standing $c in out
	done
	standing select read write
	! has kqueue || standing kqueue read write
}

count_changes() {
	local i wanted last=

	mkfifo f
	exec 7<>f
	following "$1" "$(reads "$1" f)" --timestamps -t 10
	for ((i = 0; i < 4; i++)); do
		echo more >&7
		record $'\t'"$(says "$1")"$'\tf$'
		wanted=${line%%$'\t'*}
		[[ $wanted > "$last" ]] || fail "$wanted is not after $last"
		if [[ $last ]]; then
			early "$last" "$wanted"
		fi
		last=$wanted
	done
	kill "$pid"
	exec 8<&- 7<&-
	wait "$pid" || :
	rm f
}

# early FROM TO: fail unless a tenth of a second lies between these times; the
# wall clock may have been set back.
early() {
	local from to

	from=$(date -d "$1" +%s%N) || skip "date cannot read times"
	to=$(date -d "$2" +%s%N)
	((to - from >= 99000000)) || fail "reported at $1 and again at $2"
}

@test "select, poll, devpoll: another byte count is an event, ten times a second" {
	local c

	for c in select poll devpoll; do
		count_changes $c
	done
}

@test "epoll, kqueue: each write is an event, read or not" {
	local c

	for c in epoll kqueue wait; do
		has $c || continue
		mkfifo f
		exec 7<>f
		following $c "$(reads $c f)"
		for ((i = 0; i < 4; i++)); do
			echo more >&7
			record .
		done
		kill "$pid"
		exec 8<&- 7<&-
		wait "$pid" || :
		rm f
	done
}

# a_line_each COMMAND: of three lines written at once one is read an event.
a_line_each() {
	local text

	mkfifo f
	exec 7<>f
	following "$1" "$(reads "$1" f)" -c 3
	printf '%s\n' one two three >&7
	for text in one two three; do
		record "^$(says "$1")"$'\tf$'
		read -r line <&7
		assert_equal "$line" "$text"
	done
	ends 0
	exec 7<&-
	rm f
}

@test "select, poll, devpoll, wait: a target read in part is reported again" {
	local c

	for c in select poll devpoll wait; do
		a_line_each $c
	done
}

many() {
	local i n=300 list=()

	for ((i = 10; i < 10 + n; i++)); do
		list+=("$(reads "$1" "$i")")
	done
	with 10-$((9 + n))=pipe.r.data -- \
	    pmux "$1" --follow --idle 0.2 -n 7 "${list[@]}"
	assert_equal "$status" 124
	short
	assert_equal "$(cut -f 2 <<<"$output" | sort -n)" \
	    "$(seq 10 $((9 + n)))"
}

@test "-n bounds a wait, and nothing is left out" {
	each many
}

# ---- the end ----

# sees_hangup COMMAND: it is there, and reports that the writers of a FIFO left.
sees_hangup() {
	has "$1" && [[ $1 != @(poll|devpoll) || $(uname -s) != NetBSD ]]
}

until_hangup() {
	mkfifo f
	exec 7<>f 6<f
	following "$1" "$(reads "$1" f)" -t 100
	exec 5>f 7<&-
	echo one >&5
	record "^$(says "$1")"$'\t.*f$'
	# at once: to a BSD's kqueue(2) a part is an edge
	assert_equal "$(peer try read 6)" data
	exec 5>&-
	record "$(ended "$1")"
	ends 0
	exec 6<&-
	rm f
}

@test "a target is finished when it hangs up and nothing is unread" {
	need_program "its subshell has the other end open, too"
	local c

	for c in poll devpoll epoll kqueue wait; do
		! sees_hangup $c || until_hangup $c
	done
}

hangup_with_bytes() {
	mkfifo f
	exec 7<>f 6<f
	following "$1" "$(reads "$1" f)" -t 100
	exec 5>f 7<&-
	echo one >&5
	record "^$(says "$1")"
	exec 5>&-
	record '(in,hup|eof)'
	# it goes on, since a byte is unread
	await_state "$pid" S
	assert_equal "$(peer try read 6)" data
	record "$(ended "$1")"
	ends 0
	exec 6<&-
	rm f
}

@test "it is not while bytes are unread" {
	need_program "its subshell has the other end open, too"
	local c

	for c in poll devpoll epoll kqueue wait; do
		! sees_hangup $c || hangup_with_bytes $c
	done
}

# 0x541b is Linux's FIONREAD.
@test "nor where it cannot be known whether they are" {
	local c start end

	need_linux
	deny ioctl:0x541b=ENOMEM -- true || skip "no seccomp(2) filters"
	for c in poll devpoll epoll wait; do
		has $c || continue
		start=$(peer clock)
		with 7=pipe.r.writer-gone-data -- \
		    deny ioctl:0x541b=ENOMEM -- \
		    "$PMUX" $c --follow --idle 300ms 7:in
		end=$(peer clock)
		[[ ! $stderr && $output == $'in,hup\t7'* ]]
		((end - start >= 300000000))
	done
}

@test "hup alone: nobody asked for it, 1" {
	local c

	for c in poll devpoll epoll wait; do
		sees_hangup $c || continue
		with 7=fifo.r.writer-gone-drained -- pmux $c --follow 7:in
		# FreeBSD says in at the end of file, which was asked for
		if [[ $(uname -s) != Linux && $output == in* ]]; then
			expect 0 $'in,hup\t7'
		else
			expect 1 $'hup\t7'
		fi
	done
}

@test "err ends a target that writes" {
	local c

	for c in poll devpoll epoll wait; do
		has $c || continue
		with 7=pipe.w.reader-gone-full -- pmux $c --follow 7:out
		assert_equal "$status" 1
		# kqueue(2), which wait uses without epoll, says hup, too
		if [[ $(uname -s) == Linux && $c != wait ]]; then
			assert_output --regexp $'^(out,)?err\t7$'
		else
			assert_output --regexp $'^(out,)?(err|hup|err,hup)\t7$'
		fi
	done
}

@test "nval ends a target" {
	local c

	for c in poll devpoll wait; do
		with 7=number.closed -- pmux $c --follow 7:in
		expect 1 $'nval\t7'
	done
}

@test "select never finishes by itself" {
	with 7=fifo.r.writer-gone-drained -- pmux select --follow -t 0.3 7
	expect 124 $'read\t7'
}

idle() {
	local start end

	start=$(peer clock)
	with 7=pipe.r.empty -- pmux "$1" --follow --idle 30ms \
	    "$(reads "$1" 7)"
	end=$(peer clock)
	expect 124
	((end - start >= 30000000)) || fail "too early"
	with 7=pipe.r.data -- pmux "$1" -q --follow --idle 30ms \
	    "$(reads "$1" 7)"
	expect 124
}

@test "--idle: no event for so long, 124" {
	each idle
}

idle_begins_anew() {
	local start end

	mkfifo f
	exec 7<>f
	following "$1" "$(reads "$1" f)" --idle 0.4
	start=$(peer clock)
	for ((i = 0; i < 3; i++)); do
		sleep 0.2
		echo x >&7
		record .
		read -r line <&7
	done
	ends 124
	end=$(peer clock)
	((end - start >= 1000000000)) || fail "it ended too early"
	exec 7<&-
	rm f
}

@test "--idle restarts with each event" {
	idle_begins_anew poll
	! has epoll || idle_begins_anew epoll
}

timeout() {
	local start end

	start=$(peer clock)
	with 7=pipe.r.empty -- pmux "$1" --follow -t 30ms "$(reads "$1" 7)"
	end=$(peer clock)
	expect 124
	((end - start >= 30000000)) || fail "too early"
	with 7=pipe.r.data -- pmux "$1" -q --follow -t 30ms "$(reads "$1" 7)"
	expect 124
	with 7=pipe.r.data -- pmux "$1" -q --follow -t 0 "$(reads "$1" 7)"
	expect 124
	with 7=pipe.r.data -- pmux "$1" -q --follow -t 0 -c 1 "$(reads "$1" 7)"
	expect 0
	with 7=pipe.r.data -- pmux "$1" -q --follow -t 30ms -c 2 "$(reads "$1" 7)"
	expect 124
	with 7=pipe.r.empty -- pmux "$1" -q --follow -t 0 "$(reads "$1" 7)"
	expect 124
}

@test "--timeout ends it with 124, unless the goal is reached" {
	each timeout
}

counted() {
	with 7-9=pipe.r.data -- pmux "$1" --follow -c 2 \
	    "$(reads "$1" 7)" "$(reads "$1" 8)" "$(reads "$1" 9)"
	assert_equal "$status ${#lines[@]}" '0 2'
	with 7=pipe.r.data -- pmux "$1" -qfc1 "$(reads "$1" 7)"
	expect 0
}

@test "--count ends it" {
	each counted
}

@test "one-shot: one event, and it is finished" {
	if has epoll; then
		with 7=pipe.r.data -- pmux epoll --follow 7:in,oneshot
		expect 0 $'in\t7'
	fi
	if has kqueue; then
		with 7=pipe.r.data -- pmux kqueue --follow read:7:oneshot
		short
		assert_equal "$status $output" $'0 read\t7'
	fi
}

@test "no target and a timeout: it sleeps" {
	pm poll --follow -t 1ms
	expect 124
}

# ---- no event is lost, and no busy loop ----

while_printing() {
	local i=0

	# records are written to a full pipe while the next writes come
	mkfifo f g
	exec 7<>f 6<>g
	following "$1" "$(reads "$1" f)" "$(reads "$1" g)" -t 100
	for ((i = 0; i < 20; i++)); do
		kill -STOP "$pid"
		echo x >&7
		echo y >&6
		kill -CONT "$pid"
		record $'\t[fg]$'
		record $'\t[fg]$'
		read -r line <&7
		read -r line <&6
	done
	kill "$pid"
	exec 8<&- 7<&- 6<&-
	wait "$pid" || :
	rm f g
}

@test "a target that becomes ready while pmux is busy is reported" {
	each while_printing
}

calm() {
	local before after

	mkfifo f g
	exec 7<>f 6<>g
	echo unread >&6
	# f: its writer has gone; g: nobody reads; 8: always writable
	(
		exec 5<f 4>f
		echo unread >&4
		exec 7<&- 4>&-
		exec 4<>g
		waiting "$1" --follow -c 100 "$(reads "$1" f)" \
		    "$(reads "$1" g)" "$(writes "$1" 4)"
		until [[ $(wc -l <out) -ge 3 ]]; do
			sleep 0.01
		done
		before=$(sleeps "$pid")
		sleep 1
		after=$(sleeps "$pid")
		kill "$pid"
		((after - before <= 25)) ||
		    fail "it woke $((after - before)) times in a second"
	)
	exec 7<&- 6<&-
	rm f g
}

@test "what stays ready or has hung up costs no busy loop" {
	need_sleeps
	each calm
}

@test "more events than the output holds: targets read meanwhile are reported" {
	local i name=f

	# names so long that the records of one wait fill the buffer twice
	while ((${#name} < 240)); do
		name+=ffffffffff
	done
	mkfifo f
	for ((i = 0; i < 500; i++)); do
		ln f "$name$i"
	done
	exec 7<>f
	printf x >&7
	following poll "$name"*
	record .
	# the first one has been reported; pmux has more to report in that step
	read -r -N 1 line <&7
	printf y >&7
	for ((i = 1; i < 501; i++)); do
		record .
	done
	kill "$pid"
	exec 8<&- 7<&-
	wait "$pid" || :
}

@test "an interrupted check is repeated" {
	need_linux
	command -v strace >/dev/null || skip "no strace"
	mkfifo f
	exec 7<>f
	echo x >&7
	run --separate-stderr strace -qq -o trace -e trace=ppoll \
	    -e inject=ppoll:error=EINTR:when=3 \
	    pmux poll --follow --hold 0 -t .5 f:in
	[[ -s trace && $stderr != strace:* ]] || skip "strace may not trace"
	expect 124 $'in\tf'
}

@test "each record is written out before the next wait, also to a file" {
	mkfifo f
	exec 7<>f
	waiting poll --follow -t 100 f:in
	echo x >&7
	until [[ $(<out) == $'in\tf' ]]; do
		sleep 0.002
	done
	kill "$pid"
	finish "$pid"
	assert_equal "$status" 143
	exec 7<&-
}

reader_goes() {
	mkfifo f
	exec 7<>f
	following "$1" "$(reads "$1" f)"
	exec 8<&-
	status=0
	wait "$pid" || status=$?
	assert_equal "$status $(<err)" '141 '
	exec 7<&-
	rm f
}

@test "the reader of its output goes: it ends in mid-wait, as by SIGPIPE" {
	[[ ${PMUX_AS-} != netbsd && $(uname -s) != NetBSD ]] ||
	    skip "poll(2) there has no hangup of a FIFO"
	each reader_goes
}

@test "a full disk: 3, with the reason" {
	[[ -w /dev/full ]] || skip "no /dev/full"
	# shellcheck disable=SC2016
	run --separate-stderr peer with 7=pipe.r.data -- \
	    sh -c 'exec pmux poll --follow 7:in >/dev/full'
	expect_error 3 'standard output.*\[ENOSPC\]$'
}

# ---- named pipes ----

@test "--reopen: writers come and go" {
	local c i

	for c in poll devpoll epoll wait; do
		has $c || continue
		mkfifo f
		following $c --reopen f:in
		for ((i = 0; i < 4; i++)); do
			echo "$i" >f
			until [[ $line == in* ]]; do
				record $'^(in|hup|in,hup)\tf$'
			done
			line=
			# the FIFO is pmux's to hold, not to read
			exec 7<>f
			read -r line <&7
			assert_equal "$line" "$i"
			exec 7<&-
		done
		kill "$pid" || :
		exec 8<&-
		wait "$pid" || :
		rm f
	done
}

@test "a signal leaves a holder: what is unread is there" {
	mkfifo f
	following poll f:in
	echo job >f
	record $'\tf$'
	kill -TERM "$pid"
	exec 8<&-
	status=0
	wait "$pid" || status=$?
	assert_equal "$status" 143
	read -r line <f
	assert_equal "$line" job
}

@test "a FIFO to be written whose reader comes" {
	local c

	for c in poll epoll select wait; do
		has $c || continue
		mkfifo f
		following $c "$(writes $c f)" -c 1
		exec 7<f
		record $'\tf$'
		ends 0
		exec 7<&-
		rm f
	done
}

@test "--reopen: a number, whose end is pmux's own then" {
	local c i

	# 40 writers, one after the other
	for c in select poll epoll kqueue; do
		has $c || continue
		mkfifo f
		exec 7<>f 6<f
		pmux $c --lines --reopen -c 40 "$(reads $c 6)" >out 2>err \
		    3>&- 7>&- &
		pid=$!
		exec 6<&-
		for ((i = 1; i <= 40; i++)); do
			exec 7>&-
			echo "$i" >f
			exec 7<>f
		done
		finish "$pid"
		exec 7>&-
		assert_equal "$status $(cut -f 2 out | tr '\n' ' ')" \
		    "0 $(echo {1..40}) "
		rm f
	done
}

@test "a FIFO that is written has not ended while its reader is there" {
	local c

	mkfifo f
	exec 7<>f 8<f
	exec 7<&-
	for c in poll devpoll epoll wait; do
		has $c || continue
		pm $c --follow -t 200ms f:out
		assert_equal "$status" 124
		assert_output --regexp $'^(in,)?out\tf(\n|$)'
		[[ $output != *hup* && $output != *err* ]] || fail "$c: $output"
	done
}

@test "--reopen: the end of a FIFO that is written is its end" {
	local c gone

	[[ $(uname -s) != NetBSD ]] || skip "its write end has no hangup there"
	# hup on a BSD
	gone=err
	[[ $(uname -s) == Linux ]] || gone='(err|hup)'
	for c in poll devpoll epoll wait; do
		has $c || continue
		mkfifo f
		following $c --reopen f:out
		exec 7<f
		record $'^out\tf$'
		exec 7<&-
		record "$gone"$'(,hup)?\tf$'
		ends 0
		rm f
	done
}

# ---- what each takes ----

@test "wait: with epoll where there is epoll, and the same events" {
	need epoll
	need_json
	with 7=pipe.r.data -- pmux wait --json --follow -c 1 7:in
	assert_equal "$(json primitive <<<"$output")" '"epoll"'
	assert_equal "$(json events <<<"$output")" '["in"]'
	with 7=unix-stream.peer-closed-data -- \
	    pmux wait --follow -c 1 7:in,out,rdhup
	expect 0 $'in,out,hup,rdhup\t7'
}

@test "wait: what epoll refuses is waited for all the same" {
	echo text >file
	pm wait --follow --idle 0.2 file
	expect 124 $'in\tfile'
	with 7=number.closed 8=pipe.r.data -- \
	    pmux wait --follow --idle 0.2 7:in 8:in
	expect 124 $'nval\t7' $'in\t8'
}

@test "epoll refuses a regular file" {
	need epoll
	echo text >file
	pm epoll --follow file
	expect_error 3 'file: .*\[EPERM\] \(.*poll'
}

@test "a regular file that grows" {
	local c

	for c in select poll devpoll; do
		echo text >file
		following $c file
		record $'\tfile$'
		echo more >>file
		record $'\tfile$'
		kill "$pid"
		exec 8<&-
		wait "$pid" || :
	done
}

@test "select: a descriptor that is closed" {
	with 7=number.closed -- pmux select --follow 7
	expect_error 3 '7: .*\[EBADF\] .*7<&7'
}

@test "wait: --ready-fd that fails is 3, as with the others" {
	local c

	[[ -w /dev/full ]] || skip "no /dev/full"
	for c in poll wait; do
		# shellcheck disable=SC2016
		run --separate-stderr peer with 7=pipe.r.empty -- sh -c \
		    'exec pmux "$1" --follow -t 5 --ready-fd 8 7:in 8>/dev/full' \
		    sh $c
		expect_error 3 'ready-fd 8: .*\[ENOSPC\]$'
	done
}

# ---- kevents ----

@test "kqueue: a file that changes, again and again" {
	need kqueue
	echo a >file
	following kqueue vnode:file:write,attrib,delete
	echo b >>file
	record $'^vnode\twrite,?.*\tclear\t0\tfile$'
	chmod 600 file
	record $'^vnode\tattrib\tclear\t0\tfile$'
	echo c >>file
	record $'^vnode\twrite'
	rm file
	record delete
	kill "$pid"
	exec 8<&-
	wait "$pid" || :
}

@test "kqueue: a timer ticks" {
	need kqueue
	pm kqueue --follow -c 3 timer:10ms
	assert_equal "$status ${#lines[@]}" '0 3'
	assert_line --regexp $'^timer\t-\tclear\t[0-9]+\t10ms$'
}

@test "kqueue: a process that has ended is finished" {
	need kqueue
	sleep 1000 3>&- &
	child=$!
	following kqueue "proc:$child:exit"
	kill "$child"
	record $'^proc\texit\t.*\t'"$(how signal=TERM)"$'\t'
	ends 0
}

@test "kqueue: a tracked process is, when its children have ended too" {
	need kqueue
	may_follow
	mkfifo go on
	bash -c 'read -r _ <go; (read -r _ <on) & sleep 0 & wait %2' 3>&- &
	child=$!
	following kqueue "proc:$child:exit,track"
	echo >go
	record child
	until [[ $line == *exit* && $line == *"$child" ]]; do
		record .
	done
	echo >on
	while read -r line <&8; do
		:
	done
	status=0
	exec 8<&-
	wait "$pid" || status=$?
	assert_equal "$status $(<err)" '0 '
}

@test "kqueue: signals are counted" {
	need kqueue
	following kqueue signal:USR1
	kill -USR1 "$pid"
	record $'^signal\t-\tclear\t1\tUSR1$'
	kill -USR1 "$pid"
	record $'^signal\t-\tclear\t1\tUSR1$'
	kill "$pid"
	exec 8<&-
	wait "$pid" || :
}

# A full pipe, whose reader leaves while its writer is waited for.
full_pipe_ends() {
	local reader filler

	# these report no hangup, or not that of a full pipe
	[[ $1 != select && $1 != kqueue ]] || return 0
	exec 7> >(exec sleep 3600 3>&-)
	reader=$!
	yes >&7 2>/dev/null 3>&- &
	filler=$!
	while pmux poll -q -t 0 7:out; do :; done
	# another writer that sleeps would be woken, which all primitives report
	kill "$filler"
	wait "$filler" || :
	streaming "$1" --follow 7:out
	kill "$reader"
	record 'err|hup'
	ends 1
	exec 7>&-
}

@test "the last reader of a full pipe leaves" {
	need_program "the shell keeps copies of what a command redirects"
	each full_pipe_ends
}

# ---- usage ----

@test "options that say nothing alone" {
	usage_error 'count.*follow' poll -c 1 -t 0 0:in
	usage_error 'idle.*follow' poll --idle 1 -t 0 0:in
	usage_error 'reopen.*follow' poll --reopen -t 0 0:in
	usage_error 'max-line.*lines' poll --follow --max-line 1 -t 0 0:in
	usage_error 'all.*follow' poll --follow --all -t 0 0:in
	usage_error 'jobs.*PROGRAM' poll --follow -j 2 -t 0 0:in
	usage_error '--lines cannot be combined with a program' poll --lines -t 0 0:in -- true
}

@test "numbers that are none" {
	local n

	for n in '' 0 -1 1x 1e3 99999999999999999999; do
		usage_error 'count' poll --follow -c "$n" -t 0 0:in
		usage_error 'jobs' poll --follow -j "$n" -t 0 0:in -- true
		usage_error 'max-line' poll --lines --max-line "$n" -t 0 0:in
	done
	usage_error 'idle' poll --follow --idle x -t 0 0:in
}
