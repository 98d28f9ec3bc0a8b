#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# pmux inspect: what it prints of each kind of descriptor in each state.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

prepare() {
	need_linux
	need_proc
}

# says STATE FIELDS: what is printed of descriptor 7, up to the state.
says() {
	local fields

	with "7=$1" -- pmux inspect 7
	assert_success
	fields=$(cut -f 2-4 <<<"$output")
	[[ ${fields//$'\t'/|} == "$2" ]] || fail "$1: $output, not $2"
}

rows() {
	local state fields

	while IFS=$'\t' read -r state fields; do
		says "$state" "$fields"
	done
}

@test "pipes and FIFOs" {
	rows <<-'END'
	pipe.r.empty	pipe|r|-
	pipe.r.data	pipe|r|in
	pipe.r.writer-gone-data	pipe|r|in,hup
	pipe.r.writer-gone-drained	pipe|r|hup
	pipe.w.full	pipe|w|-
	pipe.w.reader-gone	pipe|w|out,err
	fifo.r.never-a-writer	fifo|r nonblock|-
	fifo.rw.data	fifo|rw nonblock|in,out
	END
}
