#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# pmux select.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

@test "a bare target is to be read" {
	with 7=pipe.r.data -- pmux select -t 0 7
	expect 0 $'read\t7'
}

@test "-r, -w, -x ask for each list" {
	with 7=unix-stream.data -- pmux select -t 0 -r 7
	expect 0 $'read\t7'
	with 7=unix-stream.data -- pmux select -t 0 -w 7
	expect 0 $'write\t7'
	with 7=unix-stream.data -- pmux select -t 0 -x 7
	expect 124
}

@test "-r, -w, -x with the target in the same word" {
	with 7=unix-stream.data -- pmux select -t 0 -r7 -w7
	assert_equal "$status ${#lines[@]}" '0 2'
}

@test "a line for each list that the target is in" {
	need_linux
	with 7=tcp.oob-and-data -- pmux select -t 0 -r 7 -w 7 -x 7
	assert_equal "$status ${#lines[@]}" '0 3'
	assert_line $'read\t7'
	assert_line $'write\t7'
	assert_line $'except\t7'
}

@test "targets are printed as they were written" {
	with 0=unix-stream.data 7=pipe.r.data -- \
	    pmux select -t 0 /dev/stdin /dev/fd/7
	assert_equal "$status ${#lines[@]}" '0 2'
	assert_line $'read\t/dev/stdin'
	assert_line $'read\t/dev/fd/7'
}

@test "end of file is read, a lost reader is write" {
	with 7=pipe.r.writer-gone-drained -- pmux select -t 0 7
	expect 0 $'read\t7'
	with 7=pipe.w.reader-gone -- pmux select -t 0 -w 7
	expect 0 $'write\t7'
}

@test "a FIFO to be read, by name" {
	mkfifo fifo
	echo hello >fifo &
	pm select -t 1h --hold 1h fifo
	expect 0 $'read\tfifo'
	read -r line <fifo
	assert_equal "$line" hello
	wait
}

@test "select takes no events" {
	usage_error "-[rwx]" select -t 0 0:in
	usage_error "-[rwx]" select -t 0 -r 0:in
	usage_error . select -t 0 -e in 0
}

@test "-r without a target is a usage error" {
	usage_error . select -t 0 -r
}

@test "5000 and 0 in one call, under a soft limit of 256" {
	need_number 5000
	ulimit -Sn 256
	with 0=pipe.r.data 5000=unix-stream.data 4999=pipe.r.empty -- \
	    pmux select -t 0 0 4999 5000 -w 5000
	assert_equal "$status ${#lines[@]}" '0 3'
	assert_line $'read\t0'
	assert_line $'read\t5000'
	assert_line $'write\t5000'
}

@test "each number about FD_SETSIZE" {
	local n

	need_number 1100
	for n in 63 64 65 1022 1023 1024 1025 1087 1088; do
		with "$n=pipe.r.data" -- pmux select -t 0 "$n"
		expect 0 $'read\t'"$n"
		with "$n=pipe.r.empty" -- pmux select -t 0 "$n"
		expect 124
		with "$n=number.closed" -- pmux select -t 0 "$n"
		expect_error 3 "$n: .*EBADF"
	done
}

@test "a number far past any open descriptor is EBADF, no crash" {
	pm select -t 0 2147483647
	expect_error 3 '2147483647: .*\[EBADF\]'
	pm select -t 0 1000000
	expect_error 3 '1000000'
}

@test "--json has read, write, except as the events" {
	need_json
	with 7=unix-stream.data -- pmux select -t 0 --json 7
	assert_success
	assert_equal "$(json primitive <<<"$output")" '"select"'
	assert_equal "$(json target <<<"$output")" '"7"'
	assert_equal "$(json fd <<<"$output")" 7
	assert_equal "$(json events <<<"$output")" '["read"]'
	assert_equal "$(json available <<<"$output")" 5
}

@test "--max-events counts lines" {
	with 7=unix-stream.data 8=unix-stream.data -- \
	    pmux select -t 0 -n 3 -r 7 -w 7 -r 8 -w 8
	assert_equal "$status ${#lines[@]}" '0 3'
	with 7=unix-stream.data -- pmux select -t 0 -n 1 -r 7 -w 7
	assert_equal "$status ${#lines[@]}" '0 1'
}

@test "the lists in any order" {
	with 7=pipe.r.data 8=pipe.w.empty -- pmux select -t 0 -x 7 -w 8 7
	assert_equal "$status ${#lines[@]}" '0 2'
	assert_line $'write\t8'
	assert_line $'read\t7'
}

@test "something to read at standard output is not taken for its end" {
	mkfifo f
	exec 7<>f
	echo x >&7
	{ : <>/dev/ptmx; } 2>/dev/null || skip 'no terminal to open'
	run --separate-stderr pmux select -t 100ms -r 0 0<>/dev/ptmx >&7
	assert_equal "$status: $stderr" '124: '
	exec 7>&-
}
