#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# lib/bats-pmux: servers in Bats tests, and waiting for them.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper
load ../lib/bats-pmux/load

prepare() {
	# no test but those of a time waits for it
	# shellcheck disable=SC2034	# of the library
	BATS_PMUX_TIMEOUT=1h
}

# lines TEXT...: a server that writes these lines, and then waits.
lines() {
	printf '%s\n' "$@"
	exec sleep 100
}

# reported TITLE LINE...: the last function failed with that report, which has
# these lines; those that end in `...' go on.
reported() {
	local line text

	[[ $status == 1 ]] || fail "status $status" "$output"
	text=$'\n'$(sed 's/^\([a-z ]*[a-z]\) *: /\1 : /' <<<"$output")$'\n'
	[[ $text == *$'\n'"-- $1 --"$'\n'*$'\n--\n'* ]] ||
	    fail "no report '$1'" "$output"
	for line in "${@:2}"; do
		line=$(sed 's/^\([a-z ]*[a-z]\) *: /\1 : /' <<<"$line")
		case $line in
		*...) [[ $text == *$'\n'"${line%...}"* ]] ;;
		*) [[ $text == *$'\n'"$line"$'\n'* ]] ;;
		esac || fail "no line '$line'" "$output"
	done
}

# inner_file: make inner.bats of standard input. TEST stands for @test, which Bats
# would take for one of this file.
inner_file() {
	sed 's/^TEST /@test /' >inner.bats
}

# inner: run the tests on standard input with another Bats, which has the
# library where it looks.
inner() {
	inner_file
	mkdir -p inner.tmp
	run env -i PATH="$PATH" TMPDIR="$PWD/inner.tmp" \
	    BATS_LIB_PATH="$BATS_TEST_DIRNAME/../lib:/usr/lib/bats" \
	    TEST_OF_PMUX="$TEST_OF_PMUX" \
	    "$BATS_ROOT/bin/bats" --tap inner.bats 3>&-
}

# gone FILE...: the processes whose IDs are there have ended.
gone() {
	local file

	for file; do
		pmux wait -q -t 1h --exit "$(<"$file")"
	done
}

# ---- lines ----

@test "await_line prints the line, also one that is there already" {
	start_server web lines starting 'listening on port 8080' ready
	run await_line web 'port [0-9]+$'
	assert_success
	assert_output 'listening on port 8080'
	run await_line web ready
	assert_output ready
}

@test "await_line waits for a line that comes in pieces, empty ones too" {
	mkfifo go
	pieces() {
		printf 'READ'
		read -r _ <go
		printf 'Y\n\nnext\n'
	}
	start_server web pieces
	run await_line -t 50ms web READY
	reported 'timed out waiting for a matching line'
	echo >go
	run await_line web READY
	assert_output READY
	run await_line web '^$'
	assert_output ''
	run await_line web next
	assert_output next
}

@test "await_line finds each line once" {
	start_server web lines one two three two
	await_line web two
	await_line web two
	run await_line --timeout 50ms web two
	reported 'timed out waiting for a matching line' \
	    'awaited           : a line that matches: two' \
	    'waited            : 0....' \
	    "web               : runs, process $(server_pid web)" \
	    'last lines of web : (none)' 'already passed    : two'
	run await_line -t 50ms web one
	reported 'timed out waiting for a matching line' \
	    'already passed    : one'
}

@test "await_line fails as soon as the server has ended" {
	start_server web -- sh -c 'echo one; echo two >&2; exit 7'
	run await_line web three
	reported 'the server ended before a matching line' \
	    'awaited : a line that matches: three' \
	    'web     : ended with status 7' 'last lines of web (2 lines):' \
	    '  one' '  two'
	# its last words are found all the same
	await_line web one
	run await_line web three
	reported 'the server ended before a matching line' \
	    'last lines of web : two'
	await_line web two
}

@test "the report has ten lines, and the verdict of explain" {
	need_linux
	start_server web lines 1 2 3 4 5 6 7 8 9 10 11 12
	await_line web 12
	rm "$(dirname "$(server_log web)")/position"
	run await_line -t 100ms web 13
	reported 'timed out waiting for a matching line' \
	    'last lines of web (10 lines):' '  3' '  12'
	assert_regex "$output" \
	    $'\npmux explain +: sleep\[[0-9]+\] sleeps in clock_nanosleep\n'
}

@test "a wrong expression, a wrong duration" {
	start_server web lines one
	run await_line web '('
	reported 'waiting for a matching line failed with status 2' 'pmux: ...'
	run await_line -t soon web one
	reported 'waiting for a matching line failed with status 2' 'pmux: ...'
	run refute_line --for soon web one
	reported 'waiting for no line failed with status 2' 'pmux: ...'
	run await_quiet --for soon web
	reported 'waiting for quiet failed with status 2' 'pmux: ...'
}

@test "await_lines finds them in any order" {
	start_server web lines one two three four
	run await_lines web three one
	assert_success
	assert_output $'three\none'
	# what it passed is passed
	run await_lines -t 50ms web four two
	reported 'timed out waiting for a matching line' \
	    'awaited           : a line that matches: two' \
	    'already passed    : two'
	await_line web four
}

@test "refute_line" {
	mkfifo go
	late() {
		echo one
		read -r _ <go
		echo two
		exec sleep 100
	}
	start_server web late
	refute_line --for 50ms web two
	run refute_line --for 1h web one
	reported 'a line that must not come' \
	    'not awaited       : a line that matches: one' \
	    'line              : one'
	await_line web one
	refute_line --for 50ms web one
	echo >go
	run refute_line --for 1h web two
	reported 'a line that must not come'
	await_line web two
	stop_server web
	refute_line --for 1h web three
}

# ---- ends ----

@test "await_exit" {
	mkfifo go
	start_server web -- sh -c 'read -r _ <go; exit 3'
	run await_exit -t 50ms web
	reported 'timed out waiting for its end' 'web ...'
	echo >go
	await_exit web
	await_exit --status 3 web
	run await_exit --status 0 web
	reported 'exit status differs' \
	    'awaited           : its end with status 0' \
	    'web               : ended with status 3'
}

@test "await_exit: signals" {
	start_server web lines
	kill -INT "$(server_pid web)"
	await_exit --status INT web
	await_exit --status SIGINT web
	await_exit --status 130 web
	run await_exit --status 0 web
	reported 'exit status differs' \
	    'web               : ended with status 130 (signal INT)'
}

@test "stop_server" {
	start_server web lines one
	# one that is stopped ends as well
	kill -STOP "$(server_pid web)"
	stop_server web
	await_exit --status TERM web
	await_line web one
	gone "${BATS_TEST_TMPDIR}/.bats-pmux/web/keeper"
}

# ---- files, connections, quiet, readiness ----

@test "await_file, await_no_file" {
	need_linux
	mkfifo go
	start_server web -- sh -c 'read -r _ <go; touch file; exec sleep 100'
	run await_file -t 50ms file
	reported 'timed out waiting for the file' \
	    'awaited           : the file file' 'web               : runs, ...'
	echo >go
	await_file file
	await_file --server web file
	run await_no_file -t 50ms -s web file
	reported 'timed out waiting for the removal of the file' \
	    'awaited           : no file file'
	rm file
	await_no_file file
}

@test "await_file -s: the end of the server" {
	start_server makes -- touch file
	await_file -s makes file
	start_server fails -- sh -c 'echo cannot; exit 9'
	run await_file -s fails none
	reported 'the server ended before the file' \
	    'fails               : ended with status 9' \
	    'last lines of fails : cannot'
	# of all servers, without it
	run await_file -t 50ms none
	reported 'timed out waiting for the file' \
	    'fails               : ended with status 9' \
	    'makes               : ended with status 0'
}

@test "await_connect" {
	command -v python3 >/dev/null || skip 'no python3 to listen with'
	start_server web -- python3 -c '
import socket, time
s = socket.socket(socket.AF_UNIX)
s.bind("s")
s.listen()
time.sleep(100)'
	await_connect ./s
	await_connect -s web ./s
	run await_connect -t 50ms ./none
	reported 'timed out waiting for a connection' \
	    'awaited           : a connection to ./none'
	stop_server web
	run await_connect -s web ./none
	reported 'the server ended before a connection'
}

@test "await_quiet" {
	start_server web -- sh -c 'echo one; exec sleep 100'
	await_quiet --for 20ms web
	# shellcheck disable=SC2016	# for sh
	start_server loud -- sh -c 'while sleep 0.01; do echo noise; done'
	run await_quiet -t 200ms --for 1h loud
	reported 'timed out waiting for quiet' 'awaited : no output for 1h' \
	    'last lines of loud (10 lines):'
	stop_server loud
	await_quiet --for 20ms loud
}

@test "await_ready" {
	mkfifo go
	start_server --ready-fd 3 web -- sh -c \
	    'read -r _ <go; echo >&3; exec sleep 100'
	run await_ready -t 50ms web
	reported 'timed out waiting for readiness' \
	    'awaited           : a newline on the readiness descriptor'
	echo >go
	await_ready web
	await_ready web
	start_server --ready-fd 9 ends -- sh -c ': >&9; exit 1'
	run await_ready ends
	reported 'the server ended before readiness' \
	    'ends               : ended with status 1'
}

@test "await_ready: pmux as a server" {
	mkfifo fifo
	start_server --ready-fd 7 reader -- pmux wait --ready-fd 7 fifo
	await_ready reader
}

# ---- starting ----

@test "what a server gets" {
	need_linux
	server() {
		echo "$word $*"
		[[ -e /dev/fd/3 ]] || echo 'no 3'
		cat
		exec grep SigIgn /proc/self/status
	}
	word=hello
	start_server web server 'a b' '*'
	await_exit --status 0 web
	assert_equal "$(<"$(server_log web)")" \
	    $'hello a b *\nno 3\n'"$(grep SigIgn /proc/self/status)"
	# the shell has no child to wait for
	start_server web sleep 100
	wait
}

@test "start_server: usage" {
	run start_server
	reported 'not a name: ' \
	    'usage : start_server [--ready-fd N] NAME [--] COMMAND...'
	run start_server a/b true
	reported 'not a name: a/b'
	run start_server --ready-fd 2 web true
	reported 'not a number from 3 to 9: 2'
	run start_server web
	reported 'no command'
	run start_server web --
	reported 'no command'
	run start_server web no-such-command
	reported 'no such command' 'command : no-such-command'
	start_server web lines one
	run start_server web lines two
	reported 'the server runs already' 'server : web'
}

@test "start_server: again" {
	start_server web echo one
	await_line web one
	await_exit web
	start_server web lines two
	await_line web two
	run grep -c . "$(server_log web)"
	assert_output 1
}

@test "the functions: usage" {
	run await_line web
	reported 'wrong number of arguments' \
	    'usage : await_line [-t DURATION] NAME ERE'
	run await_lines web
	reported 'wrong number of arguments'
	run await_line -x web one
	reported 'no such option, or no value: -x'
	run await_line -t
	reported 'no such option, or no value: -t'
	run await_file -s web file
	reported 'no such server' 'server  : web'
	run await_line --for 1 web one
	reported 'no such option, or no value: --for'
}

@test "set -u, pipefail, noglob, another IFS" {
	set -uf -o pipefail
	local IFS=:
	start_server web lines one two
	await_line web one
	await_lines web two
	refute_line --for 10ms web one
	await_quiet --for 10ms web
	run await_line -t 10ms web one
	reported 'timed out waiting for a matching line' 'already passed ...'
	stop_server web
	await_exit web
}

# ---- ending ----

@test "the server ends with its descendants after teardown" {
	need_linux
	inner <<-'END'
	teardown() {
		server_log web
		kill -0 "$(server_pid web)"
		touch torn
	}
	TEST "fails" {
		bats_load_library bats-pmux
		start_server web -- sh -c 'setsid sleep 100 & echo $! >a
			sleep 100 & echo $! >b; echo done; wait'
		await_line web done
		server_pid web >c
		cp "$BATS_TEST_TMPDIR"/.bats-pmux/web/keeper d
		false
	}
	END
	assert_failure 1
	assert_regex "$output" '^1\.\.1.not ok 1 fails'
	[[ -e torn ]]
	gone a b c d
}

@test "a server that ignores TERM is killed" {
	inner <<-'END'
	TEST "passes" {
		bats_load_library bats-pmux
		BATS_PMUX_GRACE=10ms
		start_server web -- sh -c 'trap "" TERM; echo $$; sleep 100 & wait'
		await_line web . >a
	}
	END
	assert_output $'1..1\nok 1 passes'
	gone a
}

@test "a server ends when Bats is interrupted, or killed" {
	local signal

	for signal in INT KILL; do
		rm -f owner server go
		mkfifo go
		inner_file <<-'END'
		TEST "waits" {
			bats_load_library bats-pmux
			start_server web sleep 100
			server_pid web >server
			echo $$ >owner
			echo >go
			await_line -t 1h web never
		}
		END
		set -m	# INT is ignored in the background
		env -i PATH="$PATH" TMPDIR="$PWD" TEST_OF_PMUX="$TEST_OF_PMUX" \
		    BATS_LIB_PATH="$BATS_TEST_DIRNAME/../lib" \
		    "$BATS_ROOT/bin/bats" --tap inner.bats >out 2>&1 3>&- &
		pid=$!
		set +m
		read -r _ <go
		# Bats only takes note of one that comes between two commands
		until [[ $signal == KILL ]]; do
			kill -INT -- "-$pid" || break
			! pmux wait -q -t 200ms --exit "$pid" || break
		done
		[[ $signal == INT ]] || kill -KILL "$(<owner)"
		gone server owner
		wait "$pid" || :
	done
}

@test "a server of setup_file serves all tests" {
	inner <<-'END'
	setup_file() {
		bats_load_library bats-pmux
		start_server web -- sh -c 'echo one; echo two; exec sleep 100'
		server_pid web >a
	}
	teardown_file() {
		kill -0 "$(<a)" && touch torn
	}
	setup() {
		bats_load_library bats-pmux
	}
	TEST "first" {
		await_line web one
		start_server other sleep 100
		server_pid other >b
	}
	TEST "second" {
		run kill -0 "$(<b)"
		[ "$status" -eq 1 ]
		await_line web two
	}
	END
	assert_output $'1..2\nok 1 first\nok 2 second'
	[[ -e torn ]]
	gone a b
}

# ---- other libraries ----

@test "bats-assert's refute_line is there too, in either order" {
	local order

	[[ -e /usr/lib/bats/bats-assert/load.bash ]] || skip 'no bats-assert'
	for order in 'bats-pmux bats-support bats-assert' \
	    'bats-support bats-assert bats-pmux'; do
		sed "s/ORDER/$order/" >inner.in <<-'END'
		TEST "both" {
			for library in ORDER; do
				bats_load_library "$library"
			done
			start_server web -- sh -c 'echo one; exec sleep 100'
			await_line web one
			refute_line --for 10ms web one
			run echo one
			refute_line two
			refute_line --partial two
			refute_line -n 0 two
			refute_line -- two
			assert_line one
			run refute_line one
			assert_failure
			assert_line '-- line should not be in output --'
		}
		END
		inner <inner.in
		assert_output $'1..1\nok 1 both'
	done
}

@test "no pmux" {
	mkdir -p lib/bats-pmux
	cp "$BATS_TEST_DIRNAME/../lib/bats-pmux/load.bash" lib/bats-pmux
	# shellcheck disable=SC2016	# for bash
	run bash -c 'PATH=/none; . "$0"' "$PWD/lib/bats-pmux/load.bash"
	assert_failure 1
	assert_output 'bats-pmux: pmux is not in PATH'
	mkdir build
	ln -s "$PMUX" build
	# shellcheck disable=SC2016	# for bash
	bash -c 'PATH=/none; . "$0"' "$PWD/lib/bats-pmux/load.bash"
}
