#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# What ends the tests that hang signals nothing that is not theirs. Each of
# these runs in a pid namespace of its own, so that a mistake stays there.

# shellcheck disable=SC2016	# for the shell that is started
load helper

# alone SCRIPT: run it by sh as process 1 of a pid namespace.
alone() {
	unshare -pf --mount-proc true 2>/dev/null ||
	    skip "may make no pid namespace"
	run --separate-stderr unshare -pf --mount-proc timeout -s KILL 60 \
	    sh -c "$words$1" 3>&-
}

prepare() {
	need_linux
}

# For the scripts: wait for a file; whether a process runs, and wait until not.
words='until_file() { until [ -s "$1" ]; do sleep 0.01; done; }
runs() { [ -e "/proc/$1/exe" ]; }
until_gone() { while runs "$1"; do sleep 0.01; done; }
'

@test "a watchdog that starts after its test has ended ends nothing" {
	alone '
		sleep 1000 & other=$!
		sh -c "(until [ -s go ]; do sleep 0.01; done
			export TEST_OF_PMUX=x
			exec guard watch 0 \$\$) & echo \$! >dog"
		echo >go
		until_gone "$(cat dog)"
		runs $other && echo alive'
	expect 0 alive
}

@test "a watchdog that is given another number than its parent's ends nothing" {
	alone '
		export TEST_OF_PMUX=x
		sleep 1000 & other=$!
		sh -c "guard watch 0 $other; guard watch 0 1; :"
		runs $other && echo alive'
	expect 0 alive
}

@test "a watchdog of a test without a name ends nothing" {
	alone 'unset TEST_OF_PMUX
		sleep 1000 & other=$!
		guard watch 0 $$
		echo $?
		runs $other && echo alive'
	expect 0 2 alive
}

@test "a watchdog ends what its test has started, and then the test" {
	alone 'sleep 1000 & other=$!
		TEST_OF_PMUX=y sleep 1000 & near=$!
		sh -c "
			export TEST_OF_PMUX=x
			guard watch 1 \$\$ &
			setsid sleep 1000 &
			echo \$! >away
			sleep 1000
			echo the child ended
			while :; do :; done"
		echo $?
		until_gone "$(cat away)"
		runs $other && runs $near && echo alive'
	expect 0 'the child ended' 143 alive
}

@test "a watchdog ends subshells of its test that hang" {
	alone 'mkfifo f
		sh -c "
			export TEST_OF_PMUX=x
			guard watch 1 \$\$ &
			((sh -c \"echo \\\$PPID\" >inner; : <f; :); :)
			echo the child ended
			while :; do :; done"
		echo $?
		until_gone "$(cat inner)"
		echo gone'
	expect 0 'the child ended' 143 gone
}

@test "a watchdog ends with its test" {
	alone '
		sh -c "export TEST_OF_PMUX=x
			guard watch 1000 \$\$ & echo \$! >dog"
		until_gone "$(cat dog)"
		echo gone'
	expect 0 gone
}

@test "what a file of tests leaves running ends with it, and nothing else" {
	alone 'sleep 1000 & other=$!
		guard run sh -c "
			(setsid sh -c \"echo \\\$\\\$ >one; sleep 1000\" &)
			nohup sleep 1000 >/dev/null 2>&1 &
			echo \$! >two
			until [ -s one ]; do sleep 0.01; done
			exit 3"
		echo $?
		for f in one two; do
			runs "$(cat $f)" && echo left
		done
		runs $other && echo alive'
	expect 0 3 alive
}

@test "what has ended before the file of tests has is no zombie for long" {
	alone 'guard run sh -c "
			(sh -c \"echo \\\$\\\$ >one\" &)
			until [ -s one ]; do sleep 0.01; done
			while [ -e /proc/\$(cat one) ]; do sleep 0.01; done
			echo gone"'
	expect 0 gone
}

@test "the status of a file of tests is that of its command" {
	run guard run sh -c 'exit 7'
	assert_equal "$status" 7
	run guard run sh -c 'kill -KILL $$'
	assert_equal "$status" 137
	run guard run ./missing
	assert_equal "$status" 2
}

@test "what a file of tests runs does not inherit ignored signals" {
	run bash -c 'trap "" HUP INT QUIT TERM PIPE USR1
		exec guard run bash -c "trap"'
	assert_success
	assert_output ""
}

@test "a test without a result is a failed one" {
	run sh "$BATS_TEST_DIRNAME/tap" <<-'END'
		1..4
		begin 1 first
		ok 1 first
		begin 2 killed
		begin 3 with parts
		# ok with parts: poll
		ok 3 with parts
		begin 4 killed, too
	END
	short='# Bats printed no result: something ended the process of the test'
	assert_equal "$output" "ok 1 first
not ok 2 killed
$short
ok 3 with parts: poll
not ok 4 killed, too
$short
1..4"
}
