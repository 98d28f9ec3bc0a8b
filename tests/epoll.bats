#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# pmux epoll.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

prepare() {
	need epoll
}

@test "without events: in and pri" {
	with 7=unix-stream.data -- pmux epoll -t 0 7
	expect 0 $'in\t7'
	with 7=unix-stream.idle -- pmux epoll -t 0 7
	expect 124
	with 7=tcp.oob -- pmux epoll -t 0 7
	expect 0 $'pri\t7'
}

@test "each event that epoll(7) has" {
	local event

	for event in in out rdnorm wrnorm wrband; do
		with 7=unix-stream.data -- pmux epoll -t 0 "7:$event"
		expect 0 "$event"$'\t7'
	done
	for event in pri err hup rdhup rdband msg; do
		with 7=unix-stream.data -- pmux epoll -t 0 "7:$event"
		expect 124
	done
}

@test "et: standing readiness is reported once registered" {
	with 7=pipe.r.data -- pmux epoll -t 0 7:in,et
	expect 0 $'in\t7'
	with 7=pipe.r.empty -- pmux epoll -t 0 7:in,et
	expect 124
}

@test "oneshot" {
	with 7=pipe.r.data -- pmux epoll -t 0 7:in,oneshot
	expect 0 $'in\t7'
	with 7=pipe.r.empty -- pmux epoll -t 0 7:oneshot,et,in
	expect 124
}

@test "oneshot and et with --all: settled all the same" {
	with 7=pipe.r.data 8=pipe.r.data -- \
	    pmux epoll -t 1h --all 7:in,oneshot 8:in,et
	assert_equal "$status ${#lines[@]}" '0 2'
}

@test "exclusive" {
	with 7=pipe.r.data -- pmux epoll -t 0 7:in,exclusive
	expect 0 $'in\t7'
}

@test "exclusive with what the kernel does not take beside it: EINVAL" {
	with 7=pipe.r.data -- pmux epoll -t 0 7:in,oneshot,exclusive
	expect_error 3 '7: .*\[EINVAL\]$'
}

@test "wakeup" {
	with 7=pipe.r.data -- pmux epoll -t 0 7:in,wakeup
	expect 0 $'in\t7'
}

@test "the names may be EPOLL names" {
	with 7=pipe.r.data -- pmux epoll -t 0 7:EPOLLIN,EPOLLET,epollrdnorm
	expect 0 $'in,rdnorm\t7'
}

@test "a descriptor twice: EEXIST, also by another name" {
	with 7=pipe.r.data -- pmux epoll -t 0 7 7
	expect_error 3 'pmux: epoll: 7: .*\[EEXIST\]'
	with 7=pipe.r.data -- pmux epoll -t 0 7 /dev/fd/7
	expect_error 3 'pmux: epoll: /dev/fd/7: .*\[EEXIST\]'
}

@test "two numbers of one open file are two" {
	with 7-8=pipe.r.data -- pmux epoll -t 0 7:in 8:in
	assert_equal "$status ${#lines[@]}" '0 2'
}

@test "a path twice is opened twice" {
	local fd

	mkfifo fifo
	exec {fd}<>fifo
	echo >fifo
	pm epoll -t 0 fifo:in ./fifo:in
	assert_equal "$status ${#lines[@]}" '0 2'
	exec {fd}<&-
}

@test "EPERM: a regular file, a directory, /dev/null" {
	: >file
	mkdir dir
	pm epoll -t 0 file
	expect_error 3 'file: .*\[EPERM\].*(poll|select)'
	pm epoll -t 0 dir
	expect_error 3 'dir: .*\[EPERM\]'
	pm epoll -t 0 /dev/null
	expect_error 3 '/dev/null: .*\[EPERM\]'
}

@test "an epoll instance can be waited for" {
	with 7=epoll.one-ready 8=epoll.none-ready -- pmux epoll -t 0 7:in 8:in
	expect 0 $'in\t7'
}

@test "--max-events" {
	with 7-19=pipe.r.data -- pmux epoll -t 0 -n 5 -e in \
	    7 8 9 10 11 12 13 14 15 16 17 18 19
	assert_equal "$status ${#lines[@]}" '0 5'
}

@test "--max-events with --all: all in the end" {
	with 7-19=pipe.r.data -- pmux epoll -t 1h --all -n 5 -e in \
	    7 8 9 10 11 12 13 14 15 16 17 18 19
	assert_equal "$status ${#lines[@]}" '0 13'
}

@test "a descriptor of the number that epoll itself would get" {
	with 3=pipe.r.data 4=pipe.r.empty -- pmux epoll -t 0 3:in 4:in
	expect 0 $'in\t3'
	with 3=number.closed 4=number.closed -- pmux epoll -t 0 3:in
	expect_error 3 '3: .*\[EBADF\]'
	with 3=number.closed 4=number.closed -- pmux epoll -t 0 4:in
	expect_error 3 '4: .*\[EBADF\]'
}
