#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# --settle: one event, one PROGRAM, after the last of a burst.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
# shellcheck disable=SC2094	# both ends of a FIFO
load helper

every_burst() {
	local i

	mkfifo f
	exec 7<>f
	streaming "$1" --follow --settle 0.3 -c 1 "$(reads "$1" f)"
	for ((i = 0; i < 10; i++)); do
		echo x >&7
	done
	read -r line <&8
	[[ $line == *f ]]
	ends 0
	exec 7>&-
	rm f
}

@test "a burst is one event" {
	each every_burst
}

@test "it is not reported before nothing has happened for the time" {
	local start end

	mkfifo f
	exec 7<>f
	streaming wait --follow --settle 0.2 -c 1 f
	start=$(peer clock)
	echo x >&7
	read -r line <&8
	end=$(peer clock)
	assert_equal "$line" $'in\tf'
	((end - start >= 200000000)) || fail "too early"
	ends 0
	exec 7>&-
}

@test "each save of a file postpones the event, what happened is joined" {
	local start end i

	need kqueue
	echo >file
	streaming kqueue --follow --settle 0.3 -c 1 vnode:file
	start=$(peer clock)
	for ((i = 0; i < 3; i++)); do
		sleep 0.1
		echo >>file
	done
	chmod 600 file
	read -r line <&8
	end=$(peer clock)
	[[ $line == $'vnode\twrite,extend,attrib\t'* ||
	    $line == $'vnode\twrite,attrib,extend\t'* ]] || fail "$line"
	((end - start >= 600000000)) || fail "too early"
	ends 0
}

@test "a limit reports a burst that does not end" {
	local writer

	need kqueue
	echo >file
	(while :; do
		echo >>file
		sleep 0.01
	done) 3>&- &
	writer=$!
	pm kqueue --follow --settle 60,50ms -c 2 vnode:file:write
	kill $writer
	short
	assert_equal "$status" 0
	assert_equal "${#lines[@]}" 2
}

@test "a thousand saves are one run of the program" {
	local i

	need kqueue
	echo >file
	streaming kqueue --follow --settle 0.5 -c 1 vnode:file:write -- \
	    sh -c 'echo run; wc -l <file'
	for ((i = 0; i < 1000; i++)); do
		echo
	done >>file
	read -r line <&8
	assert_equal "$line" run
	read -r line <&8
	assert_equal "$((line))" 1001
	ends 0
}

@test "the last save of a burst is followed by a run, and so are later ones" {
	local i

	need kqueue
	echo >file
	streaming kqueue --follow --settle 20ms vnode:file:write -- cat file
	for ((i = 1; i <= 30; i++)); do
		echo "$i" >file
		sleep 0.005
	done
	until [[ $line == 30 ]]; do
		read -r line <&8
	done
	echo later >file
	until [[ $line == later ]]; do
		read -r line <&8
	done
	kill "$pid"
	wait "$pid" || :
	exec 8<&-
}

@test "a change during the run causes one more run after it" {
	need kqueue
	mkfifo go
	exec 6<>go
	echo >file
	streaming kqueue --follow --settle 50ms -c 2 -j 4 vnode:file:write -- \
	    sh -c 'echo run; read -r _ <go; echo end'
	echo >>file
	read -r line <&8
	assert_equal "$line" run
	echo >>file
	echo >>file
	sleep 0.1	# so long that a run would have begun
	echo >&6
	for expected in end run; do
		read -r line <&8
		assert_equal "$line" $expected
	done
	echo >&6
	read -r line <&8
	assert_equal "$line" end
	ends 0
	exec 6>&-
}

@test "readable targets: the program is not run for what is gone" {
	mkfifo f
	exec 7<>f
	streaming wait --follow --settle 0.2 -t 0.8 f -- sh -c 'echo run'
	echo x >&7
	read -r line <&7
	ends 124
	exec 7>&-
}

@test "what is pending at the end is reported, and no program is run" {
	mkfifo f
	exec 7<>f
	echo x >&7
	pm wait --follow --settle 60 -t 0.1 --hold 0 f
	expect 124 $'in\tf'
	pm wait --follow --settle 60 -t 0.1 --hold 0 f -- echo run
	expect 124
	exec 7>&-
}

@test "the end of a target is reported at once" {
	mkfifo f
	streaming wait --follow --settle 60 f
	exec 7>f
	exec 7>&-
	read -r line <&8
	# a BSD says in, too, which was asked for, or nothing else
	[[ $line == @(in|hup|in,hup)$'\tf' ]]
	ends "$([[ $line == in* ]] && echo 0 || echo 1)"
}

@test "--while: what is pending is reported" {
	mkfifo f life
	exec 7<>f
	cat life >/dev/null 3>&- &
	life=$!
	exec 6>life
	streaming wait --follow --settle 60 --while $life f
	echo x >&7
	exec 6>&-
	read -r line <&8
	assert_equal "$line" $'in\tf'
	ends 0
	exec 7>&-
}

@test "--idle counts from the last thing that happened" {
	with 7=pipe.r.data -- pmux wait --follow --settle 60 --idle 0.1 7
	expect 124 $'in\t7'
}

@test "--settle: bad words, and not without --follow" {
	for word in '' x 1,x ,1 '1,' -2 inf inf,1 1,2,3 1e400; do
		usage_error '--settle: ' wait --follow --settle "$word" 0
	done
	usage_error '--settle: only with --follow' wait --settle 1 0
	usage_error '--settle: .*--lines' wait --lines --settle 1 0
}
