# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# shellcheck disable=SC2154	# status, output, lines: set by run
#
# What the tests say about a result. Each prints what it found, and fails.

fail() {
	printf '%s\n' "$@"
	return 1
}

# differs WHAT [NAME VALUE]...: fail, and print the values.
differs() {
	printf '%s\n' "-- $1 --"
	shift
	while (($#)); do
		printf '%s: %s\n' "$1" "$2"
		shift 2
	done
	return 1
}

assert_equal() {
	[[ $1 == "$2" ]] ||
	    differs 'values differ' actual "$1" expected "$2"
}

# assert_status N|nonzero
assert_status() {
	[[ $status == "$1" || ($1 == nonzero && $status != 0) ]] ||
	    differs 'exit status differs' actual "$status" expected "$1" \
	        output "$output"
}

assert_success() {
	assert_status 0
}

# assert_failure [N]
assert_failure() {
	assert_status "${1-nonzero}"
}

# matches TEXT [--partial | --regexp] PATTERN
matches() {
	case $2 in
	--partial)
		[[ $1 == *"$3"* ]]
		;;
	--regexp)
		[[ $1 =~ $3 ]]
		;;
	*)
		[[ $1 == "$2" ]]
		;;
	esac
}

assert_regex() {
	[[ $1 =~ $2 ]] || differs 'no match' value "$1" regex "$2"
}

refute_regex() {
	[[ ! $1 =~ $2 ]] || differs 'a match' value "$1" regex "$2"
}

# assert_output [--partial | --regexp] PATTERN
assert_output() {
	matches "$output" "$@" ||
	    differs 'output differs' output "$output" expected "$*"
}

refute_output() {
	! matches "$output" "$@" ||
	    differs 'output matches' output "$output" unexpected "$*"
}

# assert_line [--index N] [--partial | --regexp] PATTERN
assert_line() {
	local line
	local -a among=("${lines[@]}")

	if [[ $1 == --index ]]; then
		among=("${lines[$2]-}")
		shift 2
	fi
	for line in "${among[@]}"; do
		! matches "$line" "$@" || return 0
	done
	differs 'no such line' output "$output" expected "$*"
}
