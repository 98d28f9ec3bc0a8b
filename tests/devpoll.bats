#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# pmux devpoll: /dev/poll, or the same behaviour over poll(2).

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

@test "info says whether it is native" {
	run pmux info
	assert_success
	if [[ -e /dev/poll || ${DEVPOLL_NATIVE-} ]]; then
		assert_line --regexp '^devpoll.*native'
	else
		assert_line --regexp '^devpoll.*emulated'
	fi
}

@test "without events: in and pri" {
	with 7=unix-stream.data -- pmux devpoll -t 0 7
	expect 0 $'in\t7'
	with 7=tcp.oob -- pmux devpoll -t 0 7
	expect 0 $'pri\t7'
	with 7=unix-stream.idle -- pmux devpoll -t 0 7
	expect 124
}

@test "the primitive's name is devpoll" {
	need_json
	with 7=pipe.r.data -- pmux devpoll -t 0 --json 7:in
	assert_success
	assert_equal "$(json primitive <<<"$output")" '"devpoll"'
	with 7=pipe.r.data -- pmux devpoll -t 0 --format %p 7:in
	expect 0 devpoll
}

@test "the last mask of a descriptor stands" {
	with 7=unix-stream.data 8=unix-stream.data -- \
	    pmux devpoll -t 0 7:in 8:in 7:out 8:pri
	expect 0 $'out\t7'
}

@test "a closed descriptor is reported and harms no other" {
	with 7=number.closed 8=pipe.r.data -- pmux devpoll -t 0 7:in 8:in
	assert_equal "$status ${#lines[@]}" '0 2'
	assert_line $'nval\t7'
	assert_line $'in\t8'
}

@test "--max-events bounds the answer" {
	with 7-12=pipe.r.data -- \
	    pmux devpoll -t 0 -n 2 -e in 7 8 9 10 11 12
	assert_equal "$status ${#lines[@]}" '0 2'
	with 7-12=pipe.r.data -- \
	    pmux devpoll -t 1h -a -n 2 -e in 7 8 9 10 11 12
	assert_equal "$status ${#lines[@]}" '0 6'
}

@test "the events of epoll alone are not devpoll's" {
	usage_error et devpoll -t 0 0:in,et
}
