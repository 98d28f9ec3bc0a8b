#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# pmux wait: poll's answers, whatever it uses.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

@test "without events: in" {
	with 7=unix-stream.data -- pmux wait -t 0 7
	expect 0 $'in\t7'
	with 7=tcp.oob -- pmux wait -t 0 7
	expect 124
}

@test "the primitive's name is the one that was used" {
	need_json
	with 7=pipe.r.data -- pmux wait -t 0 --json 7
	assert_success
	assert_equal "$(json primitive <<<"$output")" '"poll"'
	with 7=pipe.r.data -- pmux wait -t 0 --format %p 7
	expect 0 poll
}

@test "masks of one descriptor are joined, also by another name" {
	with 0=unix-stream.data -- pmux wait -t 0 0:in /dev/stdin:out 0:hup
	expect 0 $'in,out\t0'
}

@test "a joined mask counts as asked for" {
	with 7=pipe.r.writer-gone-drained -- pmux wait -t 0 7:pri 7:hup
	expect 0 $'hup\t7'
}

@test "messages name wait" {
	pm wait -t 0 none:in
	expect_error 3 'pmux: wait: none: .*\[ENOENT\] \(--exists PATH waits'
}

@test "the events of epoll alone are not wait's" {
	usage_error et wait -t 0 0:in,et
	usage_error oneshot wait -t 0 0:oneshot
}

@test "regular files and everything else together" {
	: >file
	with 7=pipe.r.empty 8=number.closed -- pmux wait 7 8 file /dev/null
	assert_equal "$status ${#lines[@]}" '0 3'
	assert_line $'nval\t8'
	assert_line $'in\tfile'
	assert_line $'in\t/dev/null'
}

@test "what was meant for something else names that" {
	: >f
	pm wait proc:4711
	expect_error 3 '\[ENOENT\] \(a kevent is for pmux kqueue; .*--exit PID'
	pm wait timer:1s
	expect_error 3 '\[ENOENT\] \(a kevent is for pmux kqueue\)'
	pm wait localhost:80
	expect_error 3 '\[ENOENT\] \(pmux wait --connect HOST:PORT'
	pm wait -
	expect_error 3 '\[ENOENT\] \(standard input is 0\)'
	pm wait f:read
	expect_error 3 '\[ENOENT\] \(unknown event; there are in, pri,'
	pm wait f:in,
	expect_error 3 '\[ENOENT\] \(unknown event; there are in, pri,'
	pm poll f:none/none
	expect_error 3 '\[ENOENT\]|\[ENOTDIR\]'
	pm poll none
	expect_error 3 '\[ENOENT\]$'
}

@test "an unknown long option names the nearest one" {
	usage_error "did you mean '--exists'\?\)$" wait --exsits f
	usage_error "did you mean '--absent'\?\)$" wait --abset=f
	usage_error "did you mean '--connect'\?\)$" wait --conect a:1
	usage_error "did you mean '--until'\?\)$" wait --lines --untl x 0
	usage_error "did you mean '--settle'\?\)$" wait -f --sttle 1 0
	usage_error "did you mean '--timeout'\?\)$" wait --time 1 0
	usage_error "did you mean '--exit'\?\)$" wait --ex=1 0
	usage_error "did you mean 'explain'\?\)$" exp 0
	usage_error '--nonsense: unknown option$' wait --nonsense 0
}

@test "-V is pmux's, not a command's" {
	usage_error '-V: unknown option \(pmux -V prints the version\)$' wait -V
	usage_error '--version: unknown .*\(pmux -V prints' info --version
}
