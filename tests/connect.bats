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
import select, socket, struct, sys, time
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

@test "PROGRAM has the connection alone" {
	mkfifo closed
	server $'s.listen()
c = s.accept()[0]
c.settimeout(20)
try:
    print(c.makefile().read(), end="")
finally:
    open("closed", "w").close()'
	pm wait -t 1h --connect "127.0.0.1:$port" -- \
	    sh -c 'echo text; exec <&- >&-; read -r _ <closed; exit 5'
	expect 5
	wait "$server"
	assert_equal "$(<served)" text
}

@test "with --follow, too" {
	server $'s.listen()\nc = s.accept()[0]\nprint(c.makefile().read(), end="")'
	pm wait -f -t 1h --connect "127.0.0.1:$port" -- echo hello
	expect 0
	wait "$server"
	assert_equal "$(<served)" hello
}

@test "a listener whose backlog is full drops what comes" {
	mkfifo go
	server $'s.listen(0)
full = []
while True:
    c = socket.socket()
    c.setblocking(False)
    full.append(c)
    try:
        c.connect(s.getsockname())
    except BlockingIOError:
        pass
    if not select.select([], [c], [], 0.1)[1]:
        break
open("go").read()
while True:
    s.accept()'
	until [[ $(pmux wait -t 100ms --connect "127.0.0.1:$port"; echo $?) == 124 ]]
	do
		:
	done
	waiting wait -t 1h --connect "127.0.0.1:$port"
	: >go
	finish "$pid"
	expect 0 "connect"$'\t'"127.0.0.1:$port"
	kill "$server"
}

@test "a listener that resets each connection accepts connections" {
	server $'s.listen()
while True:
    c = s.accept()[0]
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()'
	pm wait -t 1h --connect "127.0.0.1:$port"
	expect 0 "connect"$'\t'"127.0.0.1:$port"
	kill "$server"
}

@test "a listener that accepts and closes" {
	server $'s.listen()
while True:
    s.accept()[0].close()'
	pm wait -a -t 1h --connect "127.0.0.1:$port" --connect "127.0.0.1:0$port"
	assert_equal "$status ${#lines[@]}" '0 2'
	pm wait -t 1h --connect "127.0.0.1:$port" -- cat
	expect 0
	kill "$server"
}

@test "a listener on IPv6 only" {
	python3 -c 'import socket
s = socket.socket(socket.AF_INET6)
s.bind(("::1", 0))' || skip 'no IPv6'
	server $'s = socket.socket(socket.AF_INET6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
s.bind(("::1", 0))
s.listen()
open("port6", "w").write(str(s.getsockname()[1]))
while True:
    s.accept()'
	until [[ -s port6 ]]; do
		sleep 0.01
	done
	port=$(<port6)
	pm wait -t 1h --connect "[::1]:$port"
	expect 0 "connect"$'\t'"[::1]:$port"
	pm wait -t 100ms --connect "127.0.0.1:$port"
	expect 124
	if [[ $(getent ahosts localhost) == *::1* ]]; then
		pm wait -t 1h --connect "localhost:$port"
		expect 0 "connect"$'\t'"localhost:$port"
	fi
	kill "$server"
}

# resolving ORDER COMMAND: in a mount namespace whose names are looked up so.
resolving() {
	need_linux
	need_root
	[[ -e /etc/nsswitch.conf ]] || skip 'no /etc/nsswitch.conf'
	: >hosts
	echo "hosts: $1" >switch
	# an address that nobody has (RFC 5737)
	echo 'nameserver 192.0.2.1' >servers
	run --separate-stderr unshare -m bash -c '
		mount --bind hosts /etc/hosts &&
		mount --bind switch /etc/nsswitch.conf || exit 77
		mount --bind servers /etc/resolv.conf
		'"$2"
	[[ $status != 77 ]] || skip 'no right to mount'
}

@test "a name that does not resolve yet" {
	server $'s.listen()\ns.accept()'
	export port
	resolving files '
		mkfifo ready
		pmux wait -t 1h --ready-fd 9 --connect "later:$port" 9>ready 3>&- &
		read -r _ <ready
		echo 127.0.0.1 later >>/etc/hosts
		wait "$!"'
	expect 0 "connect"$'\t'"later:$port"
}

@test "while a name is looked up the time passes, and others are reported" {
	resolving dns '
		pmux wait -t 100ms --connect none.example:80
		echo "$?"
		pmux wait -t 1h --connect none.example:80 0 </dev/null'
	expect 0 124 $'in\t0'
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

@test "--format, and -q" {
	server $'s.listen()\ns.accept()\ns.accept()'
	pm wait -t 1h --format '%e %f %b %s' --connect "127.0.0.1:$port"
	expect 0 'connect - - -'
	pm wait -t 1h -q --connect "127.0.0.1:$port"
	expect 0
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
