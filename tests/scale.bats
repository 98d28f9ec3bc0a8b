#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# As many descriptors in one call as the hard limit allows, up to 19,000.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

first=100

prepare() {
	local hard

	hard=$(ulimit -Hn)
	count=19000
	if [[ $hard != unlimited ]] && ((hard < count + first + 100)); then
		count=$((hard - first - 100))
		echo "# the hard limit is $hard: $count descriptors" >&3
	fi
	((count > 0)) || skip "a hard limit of $hard is too low"
	last=$((first + count - 1))
	((count < 256)) || ulimit -Sn 256
	seq "$first" "$last" >numbers
}

# many ARG...: one idle pipe under all numbers but the last, which is ready.
many() {
	with "$first-$((last - 1))=pipe.r.empty" "$last=pipe.r.data" -- "$@"
}

# listed COMMAND: the numbers as it takes them, in the file targets.
listed() {
	if [[ $1 == kqueue ]]; then
		sed 's/^/read:/' numbers
	else
		cat numbers
	fi >targets
}

from_file() {
	many pmux "$1" -t 1h "${@:2}" @numbers
	assert_equal "$1 $status $stderr" "$1 0 "
	assert_equal "${output#*$'\t'}" "$last"
}

@test "select: every descriptor from @FILE, the last is ready" {
	from_file select
}

@test "poll: every descriptor from @FILE, the last is ready" {
	from_file poll -e in
}

@test "devpoll: every descriptor from @FILE, the last is ready" {
	from_file devpoll -e in
}

@test "epoll: every descriptor from @FILE, the last is ready" {
	need epoll
	from_file epoll -e in
}

@test "kqueue: every descriptor from @FILE, the last is ready" {
	need kqueue
	listed kqueue
	many pmux kqueue -t 1h @targets
	expect 0 $'read\t-\t-\t5\t'"$last"
}

@test "wait: every descriptor from @FILE, the last is ready" {
	from_file wait -e in
}

from_stdin() {
	listed "$1"
	many bash -c 'exec pmux "$@" -t 1h @- <targets' - "$@"
	assert_equal "$1 $status $stderr" "$1 0 "
	assert_equal "${output##*$'\t'}" "$last"
}

@test "from standard input" {
	each from_stdin
}

@test "from standard input with -0" {
	tr '\n' '\0' <numbers >nul
	many bash -c 'exec pmux poll -t 1h -0 -e in @- <nul | tr "\0" "\n"'
	expect 0 $'in\t'"$last"
}

all_of_them() {
	listed "$1"
	with "$first-$last=pipe.r.data" -- bash -c 'pmux "$@" -t 1h --all \
	    --format %f @targets | sort -n' - "$1"
	assert_equal "$status" 0
	cmp - numbers <<<"$output"
}

@test "all ready, --all: each reported once" {
	each all_of_them
}

none_of_them() {
	listed "$1"
	with "$first-$last=pipe.r.empty" -- pmux "$1" -t 1ms @targets
	expect 124
}

@test "none ready" {
	each none_of_them
}

@test "closed ones among them: poll reports them all" {
	with "$first-$((last - 1))=number.closed" "$last=pipe.r.data" -- \
	    bash -c 'pmux poll -t 0 @numbers | cut -f 1 | sort | uniq -c'
	assert_success
	assert_line --regexp '^ *1 in$'
	assert_line --regexp "^ *$((count - 1)) nval\$"
}

@test "all numbers twice: poll has one entry a descriptor" {
	cat numbers numbers >twice
	many pmux poll -t 0 -e in @twice
	expect 0 $'in\t'"$last"
	many pmux wait -t 0 -e hup @numbers -e in @numbers
	expect 0 $'in\t'"$last"
}

@test "paths up to the limit, and an error past it" {
	[[ ! ${TEST_COVERAGE-} ]] || skip "libgcov has no descriptor for its counts"
	local n=200

	: >file
	for ((i = 0; i < n; i++)); do
		echo ./file
	done >paths
	ulimit -n 256
	run --separate-stderr bash -c 'pmux poll -t 0 @paths | wc -l'
	assert_equal "$((output))" "$n"
	for ((i = 0; i < n; i++)); do
		echo ./file
	done >>paths
	pm poll -t 0 @paths
	expect_error 3 'file: .*\[EMFILE\]$'
}
