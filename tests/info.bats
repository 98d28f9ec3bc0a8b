#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# pmux info.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

@test "each primitive is native, emulated or absent" {
	local name

	pm info
	assert_success
	assert_equal "$stderr" ''
	for name in select poll devpoll epoll kqueue; do
		assert_line --regexp "^${name}[^[:alnum:]].*(native|emulated|absent)"
	done
}

@test "select and poll are native, epoll on Linux" {
	need_linux
	pm info
	assert_line --regexp '^select[^[:alnum:]].*native'
	assert_line --regexp '^poll[^[:alnum:]].*native'
	assert_line --regexp '^epoll[^[:alnum:]].*native'
}

@test "how named pipes are watched" {
	need_linux
	pm info
	assert_line --regexp $'^fifo\t(watched\tinotify|sampled\t.*inotify)'
	run --separate-stderr deny inotify_init1=ENOSYS -- pmux info
	[[ $status != 77 ]] || skip "$stderr"
	assert_line $'fifo\tsampled\tthe kernel has no inotify(7)'
	run --separate-stderr deny inotify_init1=EMFILE -- pmux info --json
	assert_line --regexp '"feature":"fifo","state":"sampled"'
}

@test "the limits" {
	pm info
	assert_line --regexp "PIPE_BUF.*$(getconf PIPE_BUF .)"
	assert_line --regexp 'FD_SETSIZE.*[0-9]'
	assert_output --regexp "(open files|RLIMIT_NOFILE|open-file|descriptors).*$(
	    ulimit -Hn)"
}

@test "the soft limit is the caller's" {
	ulimit -Sn 123
	pm info
	assert_success
	assert_output --partial 123
}

@test "--json: one object a line, the same said" {
	local name key

	need_json
	pm info --json
	assert_success
	for name in select poll devpoll epoll kqueue; do
		assert_line --regexp "\"$name\".*\"(native|emulated|absent)\""
	done
	assert_line --regexp "\"PIPE_BUF\".*$(getconf PIPE_BUF .)"
	# each line has a first key, which a parser finds
	while read -r line; do
		[[ $line =~ ^\{\ *\"([^\"]+)\" ]]
		key=${BASH_REMATCH[1]}
		run json "$key" <<<"$line"
		assert_success
	done <<<"$output"
}

@test "info takes no target and no option of the waiting commands" {
	usage_error . info 0:in
	usage_error -t info -t 0
}

@test "info on a full disk" {
	[[ -w /dev/full ]] || skip "no /dev/full"
	run --separate-stderr bash -c 'pmux info >/dev/full'
	expect_error 3 'pmux: info: .*\[ENOSPC\]$'
}
