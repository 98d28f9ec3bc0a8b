#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# Timeouts: how they are written, and that none fires early.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

# lasts NANOSECONDS ARG...: pmux ARG... finds nothing and ends not before that.
lasts() {
	local start end

	start=$(peer clock)
	with 7=pipe.r.empty -- pmux "${@:2}"
	end=$(peer clock)
	expect 124
	((end - start >= $1)) || fail "${*:2}: $((end - start)) ns, too early"
}

@test "seconds, with a fraction" {
	lasts 30000000 poll -t 0.03 7:in
	lasts 30000000 poll -t .03 7:in
	lasts 30000000 poll -t 0.0300000000000 7:in
	lasts 30000000 poll -t 00.03s 7:in
	lasts 1000000000 poll -t 1 7:in
	lasts 1000000000 poll -t 1. 7:in
}

@test "every unit" {
	lasts 30000000 poll -t 30000000ns 7:in
	lasts 30000000 poll -t 30000us 7:in
	lasts 30000000 poll -t 30ms 7:in
	lasts 30000000 poll -t 0.03s 7:in
	lasts 30000000 poll -t 0.0005m 7:in
	lasts 36000000 poll -t 0.00001h 7:in
	lasts 43200000 poll -t 0.0000005d 7:in
}

@test "fractions of small units, and exponents" {
	lasts 500 poll -t 0.5us 7:in
	lasts 1 poll -t 0.1ns 7:in
	lasts 1500000 poll -t 1.5ms 7:in
	lasts 30000000 poll -t 3e-2 7:in
	lasts 30000000 poll -t 3E-2s 7:in
	lasts 30000000 poll -t 3e1ms 7:in
	lasts 30000000 poll -t 0.3e+2ms 7:in
}

@test "--timeout D, --timeout=D, -tD" {
	lasts 30000000 poll --timeout 30ms 7:in
	lasts 30000000 poll --timeout=30ms 7:in
	lasts 30000000 poll -t30ms 7:in
}

@test "the last timeout stands" {
	lasts 30000000 poll -t 1h -t 30ms 7:in
}

zero() {
	local spelling target

	target=$(reads "$1" 7)
	for spelling in 0 -0 0s 0ns 0ms 0us 0m 0h 0d 0.0 0e5; do
		with 7=pipe.r.empty -- pmux "$1" -t "$spelling" "$target"
		expect 124
		with 7=pipe.r.data -- pmux "$1" -q -t "$spelling" "$target"
		expect 0
	done
}

@test "0 polls once" {
	each zero
}

not_early() {
	local target

	target=$(reads "$1" 7)
	lasts 100000 "$1" -t 100us "$target"
	lasts 1000001 "$1" -t 1000001ns "$target"
	lasts 20000000 "$1" -t 20ms "$target"
}

@test "never early" {
	each not_early
}

forever() {
	local target word spelling
	local -a options

	target=$(reads "$1" 7) word=$(says "$1")
	exec 8<>pipe
	for spelling in none -1 inf; do
		options=(-t "$spelling")
		[[ $spelling != none ]] || options=()
		waiting "$1" "${options[@]}" "$target" 7<pipe 8<&-
		await_state "$pid" S
		echo >&8
		finish "$pid"
		short
		expect 0 "$word"$'\t7'
		read -r _ <&8
	done
	exec 8<&-
}

@test "omitted, -1 and inf are forever" {
	mkfifo pipe
	each forever
}

@test "very long timeouts are no error and do not overflow" {
	local t

	for t in 100000d 2147483648 4294967296ms 9223372036s 36500d 1e9 \
	    9223372036854775807ns; do
		with 7=pipe.r.data -- pmux poll -t "$t" 7:in
		expect 0 $'in\t7'
	done
}

long_waits() {
	local target t

	target=$(reads "$1" 7)
	exec 8<>pipe
	for t in 25d 2147484 4294968 9223372036s; do
		waiting "$1" -t "$t" "$target" 7<pipe 8<&-
		await_state "$pid" S
		echo >&8
		finish "$pid"
		assert_equal "$1 $t $status" "$1 $t 0"
		read -r _ <&8
	done
	exec 8<&-
}

@test "a timeout past what an int of milliseconds holds is waited for" {
	mkfifo pipe
	each long_waits
}

@test "what is not a duration" {
	local t

	for t in abc -5 1e400 nan NaN 1.5.2 '' ' ' 1x 1sec ms s . - + -1s \
	    -inf 1,5 0x10 1e 1ms2 '1 s' ' 1' 1s5 e5 -0.001 1e5000000000 \
	    999999999999999999999d; do
		usage_error . poll "--timeout=$t" 0:in
		usage_error . poll -t "$t" 0:in
	done
}

@test "what is not a duration is shown" {
	usage_error abc poll -t abc 0:in
	usage_error 1.5.2 poll -t 1.5.2 0:in
	usage_error '\\n' poll -t $'a\nb' 0:in
}

@test "no word after -t is a usage error" {
	usage_error . poll -t
	usage_error . poll --timeout
}

@test "--hold takes the same spellings" {
	local t

	for t in 0 5 300ms 1e-1 1h; do
		with 7=pipe.r.data -- pmux poll -t 0 --hold "$t" 7:in
		expect 0 $'in\t7'
	done
	for t in abc nan -5 ''; do
		usage_error . poll -t 0 --hold "$t" 0:in
	done
}

# ---- signals ----

# stop_and_continue PID: until it has ended, and letting it come to its next
# wait each time.
stop_and_continue() {
	while kill -STOP "$1" 2>/dev/null && await_state "$1" TZX &&
	    kill -CONT "$1" 2>/dev/null && await_state "$1" SZX; do
		:
	done
}

# What is left is waited for each time, or this would end too early, or never.
stopped_and_continued() {
	local start end target

	target=$(reads "$1" 7)
	start=$(peer clock)
	waiting "$1" -t 300ms "$target" 7<>pipe
	stop_and_continue "$pid"
	finish "$pid"
	end=$(peer clock)
	expect 124
	((end - start >= 300000000))
}

@test "stop and continue: neither early nor for ever" {
	mkfifo pipe
	each stopped_and_continued
}

# stopped COMMAND [ARG]...: a pmux that is to wait for 3 s, stopped at once; its
# number is the last of `stopped'.
stopped() {
	mkfifo ready
	"${prefix[@]}" pmux "$1" --ready-fd 9 -t 3s "${@:2}" \
	    "$(reads "$1" 7)" 7<>pipe 9>ready 3>&- &
	stopped+=($!)
	read -r _ <ready
	rm ready
	kill -STOP $!
	await_state $! T
}

# The 3 s pass while they are stopped: what counts from the start ends before
# another one that begins as they go on and waits for 2 s.
@test "time counts while pmux is stopped" {
	local -a stopped=() prefix=()
	local other number

	mkfifo pipe
	each stopped
	stopped poll --follow
	stopped wait --follow --idle 3s
	prefix=(env --ignore-signal=CONT --block-signal=CONT)
	! "${prefix[@]}" true 2>/dev/null || stopped poll
	pmux poll -t 3s || :
	pmux poll -t 2s 3>&- &
	other=$!
	kill -CONT "${stopped[@]}"
	for number in "${stopped[@]}"; do
		status=0
		wait "$number" || status=$?
		assert_equal "$status" 124
	done
	await_state "$other" SRD
}

storm() {
	local start end target signal

	target=$(reads "$1" 7)
	start=$(peer clock)
	waiting "$1" -t 300ms "$target" 7<>pipe
	while state "$pid" >/dev/null; do
		for signal in CONT WINCH CHLD URG; do
			kill -"$signal" "$pid" 2>/dev/null || break 2
		done
	done
	finish "$pid"
	end=$(peer clock)
	expect 124
	((end - start >= 300000000))
}

@test "a storm of signals that mean nothing: neither early nor for ever" {
	mkfifo pipe
	each storm
}

# A FIFO by name: here pmux has more to watch than its target.
@test "stop and continue while a FIFO is waited for" {
	local start end target

	mkfifo r w
	for target in r:in w:out; do
		start=$(peer clock)
		waiting poll -t 300ms --hold 0 "$target"
		stop_and_continue "$pid"
		finish "$pid"
		end=$(peer clock)
		expect 124
		((end - start >= 300000000))
	done
}

interrupted() {
	local target word

	target=$(reads "$1" 7) word=$(says "$1")
	exec 8<>pipe
	waiting "$1" "$target" 7<pipe 8<&-
	for _ in {1..20}; do
		kill -STOP "$pid"
		await_state "$pid" T
		kill -CONT "$pid"
		await_state "$pid" S
	done
	echo >&8
	finish "$pid"
	short
	expect 0 "$word"$'\t7'
	exec 8<&-
	rm pipe
	mkfifo pipe
}

@test "an interrupted wait without a timeout goes on" {
	mkfifo pipe
	each interrupted
}

ended_by() {
	local name=$1 number=$2

	mkfifo ready
	peer with 7=pipe.r.empty -- peer run status \
	    bash -c 'echo $$ >pid; exec pmux poll --ready-fd 9 7:in 9>ready' \
	    3>&- &
	read -r _ <ready
	kill -"$name" "$(<pid)"
	wait $!
	assert_equal "$name $(<status)" "$name signal $number"
	rm ready
}

@test "pmux dies of a signal that ends it" {
	ended_by TERM 15
	ended_by INT 2
	ended_by HUP 1
	ended_by KILL 9
	ended_by USR1 "$(kill -l USR1)"
}

@test "a signal that the caller ignores stays ignored" {
	mkfifo pipe
	exec 8<>pipe
	trap '' HUP TERM
	waiting poll 7:in 7<pipe 8<&-
	trap - HUP TERM
	kill -HUP "$pid"
	kill -TERM "$pid"
	echo >&8
	finish "$pid"
	expect 0 $'in\t7'
}
