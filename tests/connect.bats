#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# wait --connect: addresses that accept connections.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

prepare() {
	command -v python3 >/dev/null || skip 'no python3 to listen with'
}

# server CODE: run it in the background, with s, a socket of 127.0.0.1 that does
# not listen yet; its port is in `port'.
server() {
	mkfifo port
	python3 -c "
import socket, struct, sys, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', 0))
with open('port', 'w') as f:
    print(s.getsockname()[1], file=f)
$1" >served 3>&- &
	server=$!
	read -r port <port
	rm port
}

@test "a listener that is there already" {
	server $'s.listen()\ns.accept()'
	pm wait -t 1h --connect "127.0.0.1:$port"
	expect 0 "connect"$'\t'"127.0.0.1:$port"
}

@test "a listener that comes later, by its number and by a name" {
	mkfifo go
	server $'open("go").read()\ns.listen()\ns.accept()\ns.accept()'
	pm wait -t 100ms --connect "127.0.0.1:$port"
	expect 124
	waiting wait -t 1h --connect "127.0.0.1:$port"
	: >go
	finish "$pid"
	expect 0 "connect"$'\t'"127.0.0.1:$port"
	grep -qw localhost /etc/hosts || skip 'no localhost in /etc/hosts'
	pm wait -t 1h --connect "localhost:$port"
	expect 0 "connect"$'\t'"localhost:$port"
}

@test "nobody listens, and a name that has no address" {
	server 'time.sleep(600)'
	pm wait -t 100ms --connect "127.0.0.1:$port"
	expect 124
	pm wait -t 100ms --connect 'no-such-host.invalid:80'
	expect 124
	kill "$server"
}

@test "no connection is left behind" {
	server $'s.listen()\nc = s.accept()[0]\nprint(c.recv(1))'
	pm wait -q -t 1h --connect "127.0.0.1:$port"
	expect 0
	wait "$server"
	assert_equal "$(<served)" "b''"
}

@test "PROGRAM has the connection as its standard input and output" {
	server $'s.listen()\nc = s.accept()[0]\nc.send(b"question\\n")
print(c.makefile().readline(), end="")'
	# shellcheck disable=SC2016
	pm wait -t 1h --connect "127.0.0.1:$port" -- sh -c \
	    'read -r line && echo "$line: $PMUX_EVENTS,$PMUX_FD"'
	expect 0
	wait "$server"
	assert_equal "$(<served)" 'question: connect,'
}

@test "with --follow, too" {
	server $'s.listen()\nc = s.accept()[0]\nprint(c.makefile().read(), end="")'
	pm wait -f -t 1h --connect "127.0.0.1:$port" -- echo hello
	expect 0
	wait "$server"
	assert_equal "$(<served)" hello
}

@test "a Unix socket that comes later, and listens later" {
	mkfifo go
	waiting wait -t 1h --connect ./d/socket
	python3 -c '
import os, socket
os.mkdir("d")
s = socket.socket(socket.AF_UNIX)
s.bind("d/socket")
open("go").read()
s.listen()
s.accept()' 3>&- &
	server=$!
	: >go
	finish "$pid"
	expect 0 $'connect\t./d/socket'
	wait "$server"
}

@test "a connection with itself is none" {
	local first last
	need_linux
	read -r first last </proc/sys/net/ipv4/ip_local_port_range
	# nobody listens on a port that connect(2) may choose
	pm wait -t 1s --connect "127.0.0.1:$(((first + last) / 2 | 1))"
	expect 124
}

@test "JSON, and beside others" {
	need_json
	server $'s.listen()\ns.accept()'
	pm wait -t 1h --json --connect "127.0.0.1:$port" --exists none
	assert_equal "$(json events <<<"$output")" '["connect"]'
	for key in fd available pid exit signal; do
		assert_equal "$key $(json $key <<<"$output")" "$key null"
	done
	pm wait -t 1h --connect 127.0.0.1:1 0 </dev/null
	expect 0 $'in\t0'
}

@test "what is no address" {
	local word

	for word in localhost :80 localhost: ::1:80 '[::1]' '[]:80' ''; do
		usage_error "'${word//[/\\[}' is not HOST:PORT" \
		    wait --connect "$word"
	done
	usage_error 'a number from 1 to 65535' wait --connect localhost:0
	usage_error 'a number from 1 to 65535' wait --connect localhost:65536
	usage_error 'an option of wait' poll --connect localhost:80
	pm wait --connect "./$(printf '%0200d' 0)"
	expect_error 3 ENAMETOOLONG
}
