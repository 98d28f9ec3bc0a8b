#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# --help, help, --version.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

commands=(select poll devpoll epoll kqueue wait info)

# helps ARG...: usage on standard output and nothing else.
helps() {
	pm "$@"
	assert_success
	assert_equal "$stderr" ''
	assert_output --regexp '[Uu]sage'
	assert_output --partial pmux
}

@test "pmux --help, -h and help name every command" {
	local command first

	helps --help
	first=$output
	for command in "${commands[@]}" help; do
		assert_output --regexp "(^|[[:space:]])$command([[:space:],]|\$)"
	done
	helps help
	assert_output "$first"
	helps -h
	assert_output "$first"
}

@test "every command has --help and -h" {
	local command first

	for command in "${commands[@]}"; do
		helps "$command" --help
		first=$output
		assert_output --partial "pmux $command"
		helps "$command" -h
		assert_output "$first"
	done
}

@test "help COMMAND says what COMMAND --help says" {
	local command first

	for command in "${commands[@]}"; do
		helps "$command" --help
		first=$output
		helps help "$command"
		assert_output "$first"
	done
}

@test "the help of the waiting commands names every option" {
	local command option

	for command in select poll devpoll epoll kqueue wait; do
		helps "$command" --help
		for option in timeout all max-events quiet json format null \
		    timestamps ready-fd hold pid follow idle count lines \
		    max-line reopen jobs help; do
			assert_output --partial "--$option"
		done
		for option in t a n q 0 p f c l j h; do
			assert_output --regexp "(^|[[:space:],])-$option"
		done
		if [[ $command == select ]]; then
			for option in r w x; do
				assert_output --regexp "(^|[[:space:],])-$option"
			done
			refute_output --partial --events
		else
			assert_output --partial --events
		fi
	done
}

@test "the usage says what goes with PROGRAM and with --session" {
	local command

	for command in select poll devpoll epoll kqueue wait; do
		helps "$command" --help
		assert_line --index 0 --partial ' [-- PROGRAM [ARG]...]'
		if [[ $command == wait ]]; then
			refute_output --partial --session
			refute_output --partial --numeric
		else
			assert_line --index 1 \
			    "       pmux $command --session [OPTION]..."
			assert_output --partial --numeric
		fi
	done
	helps info --help
	refute_output --partial PROGRAM
}

@test "every option that the help names is one" {
	local command option

	for command in select poll devpoll epoll kqueue wait; do
		pm "$command" --help
		while read -r option; do
			pm "$command" "$option" -t 0 -h </dev/null
			[[ $stderr != *unknown*option* && \
			    $stderr != *unrecognized* ]] ||
			    fail "$command $option: $stderr"
		done < <(grep -oE -- '--[a-z][a-z-]+' <<<"$output" | sort -u)
	done
}

@test "--help works whatever is wrong before it is read" {
	helps poll 0:in -t 5 --help
	helps select -r 0 -h
}

@test "help of an unknown command is a usage error" {
	usage_error nonsense help nonsense
	usage_error "did you mean 'poll'" help pol
}

@test "--version" {
	pm --version
	assert_success
	assert_equal "$stderr" ''
	assert_output --regexp '^pmux .*[0-9]+\.[0-9]+'
}

@test "help on a full disk, and with nobody there" {
	[[ -w /dev/full ]] || skip "no /dev/full"
	run --separate-stderr bash -c 'pmux --help >/dev/full'
	expect_error 3 '\[ENOSPC\]$'
	run --separate-stderr bash -c 'pmux poll --help >/dev/full'
	expect_error 3 '\[ENOSPC\]$'
	run --separate-stderr bash -c 'pmux --version >/dev/full'
	expect_error 3 '\[ENOSPC\]$'
	run --separate-stderr bash -c 'pmux --help >&-'
	expect_error 3 '\[EBADF\]$'
}
