#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# pmux poll.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

@test "without events: in and pri" {
	with 7=unix-stream.data -- pmux poll -t 0 7
	expect 0 $'in\t7'
	with 7=unix-stream.idle -- pmux poll -t 0 7
	expect 124
	with 7=tcp.oob -- pmux poll -t 0 7
	expect 0 $'pri\t7'
}

# On several systems wrnorm is the same bit as out.
@test "in and out by both of their names" {
	local event

	for event in in out rdnorm wrnorm in,out; do
		with 7=unix-stream.data -- pmux poll -t 0 "7:$event"
		expect 0 "$event"$'\t7'
	done
	with 7=unix-stream.data -- pmux poll -t 0 7:rdnorm,wrnorm
	# where they are one bit, wrnorm stands in the place of out
	[[ $output == $'wrnorm,rdnorm\t7' ]] || expect 0 $'rdnorm,wrnorm\t7'
	with 7=unix-stream.data -- pmux poll -t 0 --json 7:wrnorm
	[[ $output == *'"events":["wrnorm"]'* ]]
}

@test "each event that Linux has" {
	need_linux
	local event

	with 7=unix-stream.data -- pmux poll -t 0 "7:wrband"
	expect 0 $'wrband\t7'
	for event in pri err hup nval rdhup rdband msg; do
		with 7=unix-stream.data -- pmux poll -t 0 "7:$event"
		expect 124
	done
	with 7=unix-stream.peer-half-closed -- pmux poll -t 0 7:rdhup
	expect 0 $'rdhup\t7'
}

@test "targets are reported in the order of the command line" {
	with 7=pipe.r.data 8=pipe.r.empty 9=pipe.r.data -- \
	    pmux poll -t 0 9:in 8:in 7:in
	expect 0 $'in\t9' $'in\t7'
}

@test "--max-events keeps to that order" {
	with 7=pipe.r.data 8=pipe.r.data 9=pipe.r.data -- \
	    pmux poll -t 0 -n 2 9:in 8:in 7:in
	expect 0 $'in\t9' $'in\t8'
}

@test "nothing asked: hup, err and nval alone" {
	with 7=pipe.r.writer-gone-data -- pmux poll -t 0 7:0x0
	expect 1 $'hup\t7'
	with 7=pipe.r.data -- pmux poll -t 0 7:0x0
	expect 124
}

@test "nval, hup, err and readiness in one call" {
	need_linux
	with 7=number.closed 8=pipe.r.writer-gone-drained \
	    9=pipe.w.reader-gone-full 10=pipe.r.data -- \
	    pmux poll -t 0 7:in 8:in 9:out 10:in
	expect 0 $'nval\t7' $'hup\t8' $'err\t9' $'in\t10'
	with 7=number.closed 8=pipe.r.writer-gone-drained \
	    9=pipe.w.reader-gone-full -- pmux poll -t 0 7:in 8:in 9:out
	expect 1 $'nval\t7' $'hup\t8' $'err\t9'
}

@test "the events of epoll alone are not poll's" {
	local event

	for event in et oneshot exclusive wakeup; do
		usage_error "$event" poll -t 0 "0:in,$event"
	done
}

@test "the largest number, and one past it" {
	pm poll -t 0 2147483647:in
	expect 1 $'nval\t2147483647'
	usage_error 2147483648 poll -t 0 2147483648:in
	usage_error 99999999999999999999 poll -t 0 99999999999999999999
}
