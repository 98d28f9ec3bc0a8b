#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# What each primitive says of each kind of descriptor in each state, with every
# event asked for and with none. The values are Linux's.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

every=in,pri,out,rdhup,rdnorm,rdband,wrnorm,wrband,msg

# sort_words LIST: `words' is LIST, comma-separated words, in alphabetical order,
# - for none.
sort_words() {
	local word

	words=
	for word in err hup in msg nval out pri rdband rdhup rdnorm wrband \
	    wrnorm; do
		[[ ,$1, != *,$word,* ]] || words+=,$word
	done
	words=${words#,}
	# with a word twice, or another word
	[[ ${#words} == "${#1}" ]] || words=$1
	words=${words:--}
}

# The exit status that goes with what was reported and was all asked for.
status_of() {
	local word rest=,$1,

	case $1 in
	-)
		wanted_status=124
		return
		;;
	EPERM | EBADF | EINVAL)
		wanted_status=3
		return
		;;
	esac
	case $rest in
	*,hup,* | *,err,*)
		rest=${rest//,out,/,}
		rest=${rest//,wrnorm,/,}
		rest=${rest//,wrband,/,}
		;;
	esac
	for word in hup err nval; do
		rest=${rest//,$word,/,}
	done
	wanted_status=0
	[[ $rest != , ]] || wanted_status=1
}

# says COMMAND STATE WANTED ARG...: the words reported for descriptor 7.
says() {
	local command=$1 which=$2 wanted=$3 words='' wanted_status

	with "7=$which" -- pmux "$command" -t 0 "${@:4}"
	if [[ $wanted == E* ]]; then
		[[ $stderr == *"[$wanted]"* ]] || words=$stderr
		[[ $words ]] || words=$wanted
	elif [[ $command == select ]]; then
		[[ $'\n'$output != *$'\n'read* ]] || words+=r
		[[ $'\n'$output != *$'\n'write* ]] || words+=w
		[[ $'\n'$output != *$'\n'except* ]] || words+=x
		[[ ${#lines[@]} == "${#words}" ]]
		[[ $words ]] || words=-
	else
		[[ $output != *$'\n'* ]]
		sort_words "${output%%$'\t'*}"
	fi
	if [[ $words != "$wanted" ]]; then
		fail "$which: $command ${*:4}: $words, not $wanted $stderr"
	fi
	if [[ $command != select ]]; then
		status_of "$wanted"
	elif [[ $wanted == E* ]]; then
		return
	elif [[ $wanted == - ]]; then
		wanted_status=124
	else
		wanted_status=0
	fi
	assert_equal "$which: $command: $status" \
	    "$which: $command: $wanted_status"
}

# row STATE SELECT POLL NONE [EPOLL [NONE]]
row() {
	local which=$1 select=$2 poll=$3 none=$4 epoll=${5-$3} bare=${6-$4}
	local backend

	[[ $select == '?' ]] ||
	    says select "$which" "$select" -r 7 -w 7 -x 7
	for backend in poll devpoll wait; do
		says "$backend" "$which" "$poll" "7:$every"
	done
	says poll "$which" "$none" 7:0x0
	if has epoll; then
		says epoll "$which" "$epoll" "7:$every"
		says epoll "$which" "$bare" 7:0x0
	fi
}

rows() {
	local line
	local -a words

	need_linux
	while read -r line; do
		read -ra words <<<"$line"
		row "${words[@]}"
	done
}

@test "pipe, the end that is read" {
	rows <<-'END'
	pipe.r.empty			-	-	-
	pipe.r.data			r	in,rdnorm	-
	pipe.r.full			r	in,rdnorm	-
	pipe.r.writer-gone-data		r	hup,in,rdnorm	hup
	pipe.r.writer-gone-drained	r	hup	hup
	END
}

@test "pipe, the end that is written" {
	rows <<-'END'
	pipe.w.empty			w	out,wrnorm	-
	pipe.w.data			w	out,wrnorm	-
	pipe.w.full			-	-	-
	pipe.w.full-but-one-byte	-	-	-
	pipe.w.full-but-a-page		w	out,wrnorm	-
	pipe.w.reader-gone		rw	err,out,wrnorm	err
	pipe.w.reader-gone-full		rw	err	err
	END
}

@test "FIFO, open for reading" {
	rows <<-'END'
	fifo.r.never-a-writer		-	-	-
	fifo.r.writer-no-data		-	-	-
	fifo.r.writer-data		r	in,rdnorm	-
	fifo.r.writer-gone-data		r	hup,in,rdnorm	hup
	fifo.r.writer-gone-drained	r	hup	hup
	fifo.r.reopened			-	-	-
	END
}

@test "FIFO, open for writing, or both ways" {
	rows <<-'END'
	fifo.w.empty			w	out,wrnorm	-
	fifo.w.full			-	-	-
	fifo.w.reader-gone-empty	rw	err,out,wrnorm	err
	fifo.rw.empty			w	out,wrnorm	-
	fifo.rw.data			rw	in,out,rdnorm,wrnorm	-
	fifo.rw.full			r	in,rdnorm	-
	END
}

@test "local stream socket" {
	rows <<-'END'
	unix-stream.idle		w	out,wrband,wrnorm	-
	unix-stream.data		rw	in,out,rdnorm,wrband,wrnorm	-
	unix-stream.full		-	-	-
	unix-stream.peer-half-closed-data rw	in,out,rdhup,rdnorm,wrband,wrnorm	-
	unix-stream.peer-half-closed	rw	in,out,rdhup,rdnorm,wrband,wrnorm	-
	unix-stream.itself-half-closed	w	out,wrband,wrnorm	-
	END
}

@test "local stream socket whose ends are shut" {
	rows <<-'END'
	unix-stream.both-half-closed	rw	hup,in,out,rdhup,rdnorm,wrband,wrnorm	hup
	unix-stream.peer-closed		rw	hup,in,out,rdhup,rdnorm,wrband,wrnorm	hup
	unix-stream.peer-closed-data	rw	hup,in,out,rdhup,rdnorm,wrband,wrnorm	hup
	unix-stream.our-data-unread	rw	err,hup,in,out,rdhup,rdnorm,wrband,wrnorm	err,hup
	unix-stream.own-shut-rd		rw	in,out,rdhup,rdnorm,wrband,wrnorm	-
	unix-stream.own-shut-rdwr	rw	hup,in,out,rdhup,rdnorm,wrband,wrnorm	hup
	END
}

@test "local datagram socket" {
	rows <<-'END'
	unix-dgram.idle			w	out,wrband,wrnorm	-
	unix-dgram.data			rw	in,out,rdnorm,wrband,wrnorm	-
	unix-dgram.empty-datagram	rw	in,out,rdnorm,wrband,wrnorm	-
	unix-dgram.full			-	-	-
	unix-dgram.peer-closed		w	out,wrband,wrnorm	-
	END
}

@test "local listening socket and its clients" {
	rows <<-'END'
	unix-listen.fresh		rw	hup,out,wrband,wrnorm	hup
	unix-listen.listening		-	-	-
	unix-listen.one-waits		r	in,rdnorm	-
	unix-listen.client-not-accepted	w	out,wrband,wrnorm	-
	unix-listen.client-listener-closed rw	err,hup,in,out,rdhup,rdnorm,wrband,wrnorm	err,hup
	END
}

@test "TCP, listening" {
	rows <<-'END'
	tcp-listen.bound		rw	hup,out,wrnorm	hup
	tcp-listen.listening		-	-	-
	tcp-listen.one-waits		r	in,rdnorm	-
	END
}

@test "TCP, connected" {
	rows <<-'END'
	tcp.fresh			rw	hup,out,wrnorm	hup
	tcp.connected			w	out,wrnorm	-
	tcp.data			rw	in,out,rdnorm,wrnorm	-
	tcp.oob				wx	out,pri,wrnorm	-
	tcp.oob-and-data		rwx	in,out,pri,rdnorm,wrnorm	-
	END
}

@test "TCP, no room" {
	rows <<-'END'
	tcp.full			-	-	-
	END
}

@test "TCP, closed" {
	rows <<-'END'
	tcp.peer-half-closed-data	rw	in,out,rdhup,rdnorm,wrnorm	-
	tcp.peer-half-closed		rw	in,out,rdhup,rdnorm,wrnorm	-
	tcp.both-half-closed		rw	hup,in,out,rdhup,rdnorm,wrnorm	hup
	tcp.peer-closed			rw	in,out,rdhup,rdnorm,wrnorm	-
	tcp.peer-closed-written-to	rw	err,hup,in,out,rdhup,rdnorm,wrnorm	err,hup
	tcp.reset			rw	err,hup,in,out,rdhup,rdnorm,wrnorm	err,hup
	tcp.own-shut-rdwr		rw	hup,in,out,rdhup,rdnorm,wrnorm	hup
	tcp.refused			rw	err,hup,in,out,rdhup,rdnorm,wrnorm	err,hup
	END
}

@test "UDP" {
	rows <<-'END'
	udp.bound			w	out,wrband,wrnorm	-
	udp.data			rw	in,out,rdnorm,wrband,wrnorm	-
	udp.empty-datagram		rw	in,out,rdnorm,wrband,wrnorm	-
	udp.refused			rw	err,out,wrband,wrnorm	err
	END
}

@test "pseudo-terminal, the master" {
	rows <<-'END'
	pty.master.idle			w	out,wrnorm	-
	pty.master.data			rw	in,out,rdnorm,wrnorm	-
	pty.master.slave-closed		rw	hup,out,wrnorm	hup
	END
}

@test "pseudo-terminal, the slave" {
	rows <<-'END'
	pty.slave.idle			w	out,wrnorm	-
	pty.slave.unfinished-line	w	out,wrnorm	-
	pty.slave.line			rw	in,out,rdnorm,wrnorm	-
	pty.slave.master-closed		rw	err,hup,in,out,rdnorm,wrnorm	err,hup
	END
}

@test "regular file, wherever its offset is" {
	rows <<-'END'
	file.start			rw	in,out,rdnorm,wrnorm	-	EPERM	EPERM
	file.middle			rw	in,out,rdnorm,wrnorm	-	EPERM	EPERM
	file.at-end			rw	in,out,rdnorm,wrnorm	-	EPERM	EPERM
	file.past-end			rw	in,out,rdnorm,wrnorm	-	EPERM	EPERM
	file.empty			rw	in,out,rdnorm,wrnorm	-	EPERM	EPERM
	END
}

@test "directory" {
	rows <<-'END'
	directory.open			rw	in,out,rdnorm,wrnorm	-	EPERM	EPERM
	END
}

@test "/dev/null, /dev/zero, /dev/full" {
	rows <<-'END'
	dev.null			rw	in,out,rdnorm,wrnorm	-	EPERM	EPERM
	dev.null-rdonly			rw	in,out,rdnorm,wrnorm	-	EPERM	EPERM
	dev.zero			rw	in,out,rdnorm,wrnorm	-	EPERM	EPERM
	linux.dev-full			rw	in,out,rdnorm,wrnorm	-	EPERM	EPERM
	END
}

@test "a number that is not open" {
	rows <<-'END'
	number.closed			EBADF	nval	nval	EBADF	EBADF
	END
}

@test "eventfd" {
	rows <<-'END'
	eventfd.0			w	out	-
	eventfd.5			rw	in,out	-
	eventfd.max			r	in	-
	eventfd.semaphore-0		w	out	-
	END
}

@test "timerfd, signalfd" {
	rows <<-'END'
	timerfd.disarmed		-	-	-
	timerfd.armed			-	-	-
	timerfd.expired			r	in	-
	signalfd.none			-	-	-
	END
}

@test "pidfd" {
	rows <<-'END'
	pidfd.alive			-	-	-
	pidfd.zombie			r	in,rdnorm	-
	END
}

@test "inotify, epoll" {
	rows <<-'END'
	inotify.none			-	-	-
	epoll.none-ready		-	-	-
	epoll.one-ready			r	in,rdnorm	-
	END
}

@test "memfd, O_PATH, files of proc(5)" {
	rows <<-'END'
	linux.memfd			rw	in,out,rdnorm,wrnorm	-	EPERM	EPERM
	linux.o_path			?	nval	nval	EBADF	EBADF
	linux.proc-file			rw	in,out,rdnorm,wrnorm	-	EPERM	EPERM
	linux.proc-mounts		r	in,rdnorm	-
	END
}

# kevent_says FILTER STATE WANTED: what kqueue prints, as in the tables of
# pmux-readiness(7).
kevent_says() {
	local words fflags flags data

	with "7=$2" -- pmux kqueue -t 0 "$1:7"
	if [[ $output ]]; then
		IFS=$'\t' read -r _ fflags flags data _ <<<"$output"
		[[ $3 != *'>0' || $data -le 0 ]] || data='>0'
		words="$flags $fflags $data"
		words=${words//- /}
	elif [[ $stderr =~ \[(E[A-Z]+)\] ]]; then
		words=${BASH_REMATCH[1]}
	else
		words=-
	fi
	[[ $words == "$3" ]] || fail "$2: $1: '$words', not '$3' $stderr"
}

@test "kevents, as pmux-readiness(7) has them" {
	local state reading writing

	need kqueue
	need_linux
	while IFS='|' read -r state reading writing; do
		run peer with "7=$state" -- true
		[[ $status == 0 ]] || continue
		kevent_says read "$state" "$reading"
		# the question for read has not taken the error of the socket
		[[ $reading == *' E'* ]] || kevent_says write "$state" "$writing"
		echo "$state" >>asked
	done < <(sed -nE '/ Ta (all|Linux[^ ]*) Ta /s/.* Ta ([^ ]+( [^ ]+)*) Ta ([^ ]+( [^ ]+)*) \\" kevent (.*)/\5|\1|\3/p' \
	    "$BATS_TEST_DIRNAME/../man/pmux-readiness.7")
	(($(wc -l <asked) > 60))
}

# available STATE NUMBER: what FIONREAD says, in JSON.
available() {
	with "7=$1" -- pmux poll -t 0 --json "7:$every"
	[[ $output =~ \"available\":([^,}]*) ]]
	assert_equal "$1: ${BASH_REMATCH[1]}" "$1: $2"
}

@test "bytes that can be read now, null where the kernel does not say" {
	need_linux
	available pipe.r.data 5
	available pipe.r.writer-gone-data 3
	available pipe.r.writer-gone-drained 0
	available pipe.w.data 5
	available fifo.r.writer-data 3
	available unix-stream.idle 0
	available unix-stream.data 5
	available unix-dgram.data 5
	available unix-dgram.empty-datagram 0
	available unix-listen.one-waits null
	available tcp-listen.one-waits null
	available tcp.data 5
	available udp.data 5
	available pty.slave.line 4
	available file.start 10
	available file.middle 6
	available file.at-end 0
	available dev.null null
	available eventfd.5 null
	available number.closed null
}
