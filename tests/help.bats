#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# --help, help, --version.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

commands=(select poll devpoll epoll kqueue wait explain inspect compare trace info)

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
		    max-line until partial settle while reopen jobs debug help; do
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

@test "no help is wider than 79 columns" {
	local command wide

	for command in '' "${commands[@]}" help; do
		# shellcheck disable=SC2086	# none without a command
		helps help $command
		wide=$(awk 'length > 79' <<<"$output")
		[[ ! $wide ]] || fail "help $command: $wide"
		[[ $output != *$'\t'* ]] || fail "help $command: a tab"
	done
}

# listed COMMAND: the names below the heading "Events" of its help.
listed() {
	pmux help "$1" | awk '/^$/ { on = 0 } on; /^Events / { on = 1 }' |
	    tr -s ' ' '\n' | sed /^$/d
}

@test "help lists the events that the command takes, and no others" {
	local command event all

	all=$(for command in poll devpoll epoll wait; do listed $command; done)
	for command in poll devpoll epoll wait; do
		for event in $(sort -u <<<"$all"); do
			pm $command -t 0 -e "$event"
			if listed $command | grep -qx "$event"; then
				assert_equal "$command $event $status" \
				    "$command $event 124"
			else
				[[ $status == [24] ]] ||
				    fail "$command: $event is not listed"
			fi
		done
	done
	assert_equal "$(listed select | paste -sd ' ' -)" 'read write except'
}

@test "help of kqueue lists the filters and words that it takes" {
	local filters words filter word
	local -A idents=([proc]=$$ [signal]=USR1 [timer]=1 [netdev]=lo [user]=1
	    [all]=1)

	need kqueue
	while read -r filters words; do
		for filter in ${filters//,/ }; do
			for word in $words; do
				word=${word/=N/=1}
				word=${word/=TEXT/=x}
				pm kqueue -t 0 \
				    "${filter/all/timer}:${idents[$filter]-none}:$word"
				[[ $status != 2 ]] || fail "$filter $word: $stderr"
			done
			echo "$filter" >>filters
		done
	done < <(pmux help kqueue | sed '1,/^Filters/d;/^$/,$d;s/, /,/g' |
	    awk '/^   / { sub(/^ +/, " ") } !/^ [^ ]/ && NR > 1 { print "" }
		{ printf "%s", $0 } END { print "" }')
	assert_equal "$(paste -sd ' ' filters)" \
	    'read write vnode proc signal timer netdev aio user all'
}

@test "help lists exit statuses, and two examples that run" {
	local command example count

	for command in "${commands[@]}" help; do
		helps help "$command"
		assert_line --regexp '^  0  +[a-z]'
		assert_line '  2        usage error'
		count=0
		while read -r example; do
			count=$((count + 1))
			! has "$command" && [[ $command != [ih]* ]] ||
			    [[ $command == @(explain|inspect|compare|trace) &&
			    ! -r /proc/self/stat ]] ||
			    example_runs "$example"
		done < <(sed -n '/^Examples:/,/^$/s/^  //p' <<<"$output")
		assert_equal "$command: $count" "$command: 2"
	done
}

@test "help of the waiting commands lists the exit statuses of a stream" {
	local command

	for command in select poll devpoll epoll kqueue wait; do
		helps help "$command"
		assert_equal "$(sed -n '/^With --follow/,/^$/s/^  //p' \
		    <<<"$output" | awk '{ print $1 }' | paste -sd ' ' -)" '0 1 124'
	done
	helps help inspect
	refute_output --partial --follow
}

example_runs() {
	local output stderr status

	run --separate-stderr timeout 60 sh -c "$1" </dev/null 3>&-
	assert_equal "$1: $status $stderr" "$1: 0 "
	[[ $output ]] || fail "$1 prints nothing"
}

# page_options PAGE: the options of the table in its section OPTIONS.
page_options() {
	awk '/^\.Sh / { on = $2 == "OPTIONS" }
	on && /^\.It Fl / {
		sub(/^\.It /, "")
		gsub(/ Ns Op , Ns Ar [a-z]+/, "")
		gsub(/Fl -/, "--")
		gsub(/Fl /, "-")
		gsub(/ ,/, ",")
		gsub(/( Ns Op = Ns)? Ar [a-z]+/, "")
		print
	}' "$BATS_TEST_DIRNAME/../man/$1"
}

@test "the page of each command has a line for each option of its help" {
	local command

	for command in "${commands[@]}" help; do
		diff <(pmux help "$command" | sed -nE \
		    's/^ +((-., )?--[a-z-]+).*/\1/p' | sort) \
		    <(page_options "pmux-$command.1" | sort) ||
		    fail "pmux-$command(1)"
	done
}

@test "pmux(1) has a paragraph for each option of the help" {
	local command

	pmux help >/dev/null
	diff <(for command in poll kqueue; do pmux help $command; done |
	    sed -nE 's/^ +((-., )?--[a-z-]+).*/\1/p' | sort -u) \
	    <(sed -n '/^\.Ss Options/,/^\.Ss Output/s/^\.It Fl/Fl/p' \
	    "$BATS_TEST_DIRNAME/../man/pmux.1" |
	    sed 's/ Ns Op [=,] Ns//; s/ Ar [a-z]*//g; s/Fl -/--/g; s/Fl /-/g; s/ ,/,/g' | sort -u)
}

@test "--help works whatever is wrong before it is read" {
	helps poll 0:in -t 5 --help
	helps select -r 0 -h
}

@test "help of an unknown command is a usage error" {
	usage_error nonsense help nonsense
	usage_error "did you mean 'poll'" help pol
}

@test "--version and -V" {
	for option in --version -V; do
		pm "$option"
		assert_success
		assert_equal "$stderr" ''
		assert_output --regexp '^pmux .*[0-9]+\.[0-9]+'
	done
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
