#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# What a target may be, and how it is printed.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

# fifo NAME: a FIFO with a line in it, which stays while the test runs.
fifo() {
	mkfifo -- "$1"
	exec {held}<>"$1"
	echo hello >&"$held"
}

# ---- numbers and their other names ----

@test "a number" {
	with 7=pipe.r.data -- pmux poll -t 0 7:in
	expect 0 $'in\t7'
	with 7=pipe.r.data -- pmux poll -t 0 007:in
	expect 0 $'in\t007'
}

@test "/dev/stdin, /dev/stdout, /dev/stderr" {
	with 0=unix-stream.data -- pmux poll -t 0 /dev/stdin:in
	expect 0 $'in\t/dev/stdin'
	run bash -c 'pmux poll -t 0 --json /dev/stdout:in | cat'
	[[ $output != *'"in"'* ]]
	with 2=unix-stream.data -- pmux poll -t 0 /dev/stderr:in
	expect 0 $'in\t/dev/stderr'
}

# A socket cannot be opened again, so these are the descriptor itself.
@test "/dev/fd/N and /proc/self/fd/N" {
	with 7=unix-stream.data -- pmux poll -t 0 /dev/fd/7:in
	expect 0 $'in\t/dev/fd/7'
	with 7=unix-stream.data -- pmux poll -t 0 /proc/self/fd/7:in
	expect 0 $'in\t/proc/self/fd/7'
	with 7=unix-stream.data -- pmux poll -t 0 --format %f /dev/fd/7:in
	expect 0 7
}

@test "/dev/fd/N that is not open is a closed number" {
	with 7=number.closed -- pmux poll -t 0 /dev/fd/7:in
	expect 1 $'nval\t/dev/fd/7'
}

@test "JSON has the descriptor" {
	need_json
	with 7=pipe.r.data -- pmux poll -t 0 --json 7:in
	assert_equal "$(json fd <<<"$output")" 7
	with 0=pipe.r.data -- pmux poll -t 0 --json /dev/stdin:in
	assert_equal "$(json fd <<<"$output")" 0
	: >file
	pm poll -t 0 --json file:in
	(($(json fd <<<"$output") > 2))
}

# ---- paths ----

@test "a path, relative and absolute" {
	fifo fifo
	pm poll -t 0 fifo:in
	expect 0 $'in\tfifo'
	pm poll -t 0 "$PWD/fifo:in"
	expect 0 $'in\t'"$PWD/fifo"
	pm poll -t 0 ./fifo:in
	expect 0 $'in\t./fifo'
}

@test "a path that looks like a number: ./7" {
	fifo 7
	with 7=number.closed -- pmux poll -t 0 ./7:in 7:in
	expect 0 $'in\t./7' $'nval\t7'
}

@test "a path that begins with a hyphen or an at sign" {
	fifo -t
	pm poll -t 0 ./-t:in
	expect 0 $'in\t./-t'
	fifo @list
	pm poll -t 0 ./@list:in
	expect 0 $'in\t./@list'
}

@test "a path opened for writing" {
	fifo fifo
	pm poll -t 0 fifo:out
	expect 0 $'out\tfifo'
	pm poll -t 0 fifo:wrnorm
	expect 0 $'wrnorm\tfifo'
}

@test "a path with a number in it" {
	fifo 7a
	pm poll -t 0 7a:in
	expect 0 $'in\t7a'
	fifo +7
	pm poll -t 0 +7:in
	expect 0 $'in\t+7'
	fifo 0x7
	pm poll -t 0 0x7:in
	expect 0 $'in\t0x7'
}

@test "opening a FIFO that nobody writes to does not block" {
	mkfifo fifo
	pm poll -t 0 fifo:in
	expect 124
}

@test "a file is not created" {
	pm poll -t 0 new:out
	expect_error 3 'new: .*\[ENOENT\]'
	[[ ! -e new ]]
}

# ---- the colon ----

@test "events follow the last colon" {
	fifo a:b
	pm poll -t 0 a:b:in
	expect 0 $'in\ta:b'
}

@test "without events after it the colon belongs to the path" {
	fifo a:b
	pm poll -t 0 a:b
	expect 0 $'in\ta:b'
	fifo a:in,bogus
	pm poll -t 0 a:in,bogus
	expect 0 $'in\ta:in,bogus'
}

@test "events after it: the colon is never part of the path" {
	fifo a:in
	pm poll -t 0 a:in
	expect_error 3 'pmux: poll: a: .*\[ENOENT\]'
}

@test "one trailing colon is removed" {
	fifo a:in
	pm poll -t 0 a:in:
	expect 0 $'in\ta:in'
	fifo plain
	pm poll -t 0 plain:
	expect 0 $'in\tplain'
	fifo colon:
	pm poll -t 0 colon::
	expect 0 $'in\tcolon:'
	with 7=pipe.r.data -- pmux poll -t 0 7:
	expect 0 $'in\t7'
}

@test "one trailing colon is removed, always: a name that ends in one" {
	fifo colon:
	pm poll -t 0 colon:
	expect_error 3 'colon: .*\[ENOENT\]'
	pm poll -t 0 colon::in
	expect 0 $'in\tcolon:'
}

@test "unknown event: said when the part before the colon exists" {
	: >file
	pm poll -t 0 file:inn
	expect_error 3 'pmux: poll: file:inn: .*\[ENOENT\]'
	assert_regex "$stderr" 'unknown event'
	pm poll -t 0 nofile:inn
	expect_error 3 'pmux: poll: nofile:inn: .*\[ENOENT\]'
	refute_regex "$stderr" 'unknown event'
}

@test "behind a number the colon is never part of a path" {
	fifo 0:inn
	usage_error inn poll -t 0 0:inn
	usage_error . poll -t 0 0:in,,out
	usage_error . poll -t 0 0:in,
	usage_error . poll -t 0 0:,in
	usage_error . poll -t 0 0:0xzz
	pm poll -t 0 ./0:inn
	expect 0 $'in\t./0:inn'
}

@test "letter case and the prefixes do not matter" {
	local event

	for event in IN In POLLIN pollin EPOLLIN epollIn EPollIn; do
		with 7=pipe.r.data -- pmux poll -t 0 "7:$event"
		expect 0 $'in\t7'
		with 7=pipe.r.data -- pmux epoll -t 0 "7:$event"
		expect 0 $'in\t7'
	done
	with 7=unix-stream.data -- pmux poll -t 0 7:POLLOUT,in,EPOLLRDNORM
	expect 0 $'in,out,rdnorm\t7'
}

@test "a numeric mask behind a path" {
	fifo fifo
	pm poll -t 0 fifo:0x1
	expect 0 $'in\tfifo'
}

@test "a mask past the type is a usage error" {
	usage_error . poll -t 0 0:0x100000000
	usage_error . epoll -t 0 0:0x100000000
	usage_error . poll -t 0 0:0x
}

# ---- @FILE ----

@test "@FILE stands for its lines" {
	printf '%s\n' 9:in 8:in >list
	with 7=pipe.r.data 8=pipe.r.data 9=pipe.r.data -- \
	    pmux poll -t 0 7:in @list 7:in
	expect 0 $'in\t7' $'in\t9' $'in\t8'
}

@test "@- is standard input" {
	with 7=pipe.r.data 8=pipe.r.data -- \
	    bash -c 'printf "%s\n" 7:in 8:in | pmux poll -t 0 @-'
	expect 0 $'in\t7' $'in\t8'
}

@test "@- goes on where another has stopped, in a file as well" {
	printf '%s\n' first 8:in 7:in >list
	with 7=pipe.r.data 8=pipe.r.data -- \
	    bash -c '{ read -r _; pmux poll -t 0 @-; } <list'
	expect 0 $'in\t8' $'in\t7'
	with 7=pipe.r.data -- bash -c 'cat >/dev/null && pmux poll -t 0 @- 7:in' <list
	expect 0 $'in\t7'
}

@test "@FILE: the last line may be unfinished, a line may hold spaces" {
	fifo 'a b'
	printf 'a b:in\n./a b:in' >list
	pm poll -t 0 @list
	expect 0 $'in\ta b' $'in\t./a b'
}

@test "@FILE: several, and each counts as if it stood there" {
	echo 7 >in
	echo 7:out >out
	with 7=unix-stream.data -- pmux poll -t 0 @in @out
	expect 0 $'out\t7'
	with 7=unix-stream.data -- pmux poll -t 0 -e out @in
	expect 0 $'out\t7'
	echo 8 >w
	with 7=pipe.r.data 8=pipe.w.empty -- pmux select -t 0 @in -w @w
	assert_equal "$status ${#lines[@]}" '0 2'
	assert_line $'write\t8'
}

@test "@FILE with -0: names that hold newlines" {
	fifo $'a\nb'
	printf 'a\nb:in\0' >list
	pm poll -t 0 -0 --format %f @list
	assert_success
	printf 'a\nb:in' >list
	pm poll -t 0 --null --quiet @list
	expect 0
}

@test "@FILE: lines are targets, no options" {
	echo --help >list
	pm poll -t 0 @list
	[[ $status == 2 || $status == 3 ]]
	assert_equal "$output" ''
	assert_regex "$stderr" '--help'
}

@test "an empty @FILE is no error" {
	pm poll -t 0 @/dev/null
	expect 124
	pm poll -t 0 --all @/dev/null
	expect 0
	pm poll --all @/dev/null
	expect 0
}

@test "an empty @FILE without a timeout waits" {
	waiting poll @/dev/null
	await_state "$pid" S
	kill -TERM "$pid"
	finish "$pid"
	expect 143
}

@test "@FILE that cannot be read" {
	pm poll -t 0 @none
	expect_error 3 'pmux: poll: .*none: .*\[ENOENT\]'
	mkdir dir
	pm poll -t 0 @dir
	expect_error 3 'pmux: poll: .*dir: .*\[EISDIR\]'
}

@test "@FILE: an error names the target, not the list" {
	echo missing:in >list
	pm poll -t 0 @list
	expect_error 3 'missing: .*\[ENOENT\]'
}

@test "@FILE: lines of any length" {
	local name long=. i most

	# PATH_MAX is 4096 on Linux, 1024 on the BSDs
	most=$(getconf PATH_MAX . 2>/dev/null) || most=1024
	most=$((most / 250))
	name=$(printf '%0200d' 0)
	mkdir "$name"
	for ((i = 0; i < most; i++)); do
		long+=/$name/..
	done
	: >file
	echo "$long/file:in" >list
	pm poll -t 0 @list
	expect 0 $'in\t'"$long/file"
}

# ---- -e ----

@test "-e is the mask of the targets after it" {
	with 7=unix-stream.data 8=unix-stream.data -- \
	    pmux poll -t 0 -e out 7 8
	expect 0 $'out\t7' $'out\t8'
	with 7=unix-stream.data 8=unix-stream.data -- \
	    pmux poll -t 0 7 --events out 8
	expect 0 $'in\t7' $'out\t8'
	with 7=unix-stream.data 8=unix-stream.data -- \
	    pmux poll -t 0 --events=out 7 -e in 8
	expect 0 $'out\t7' $'in\t8'
}

@test "-e leaves the mask alone that a target carries" {
	with 7=unix-stream.data -- pmux poll -t 0 -e out 7:in
	expect 0 $'in\t7'
}

@test "-e needs no colon: a path that ends in one is still shortened" {
	fifo a:in
	pm poll -t 0 -e hup,in a:in:
	expect 0 $'in\ta:in'
}

@test "-e with an unknown event, or one that the primitive lacks" {
	usage_error inn poll -t 0 -e inn 0
	usage_error et poll -t 0 -e et 0
	usage_error . poll -t 0 -e '' 0
	usage_error . poll -t 0 -e in, 0
}

@test "-e decides for what a path is opened" {
	fifo fifo
	pm poll -t 0 -e out fifo
	expect 0 $'out\tfifo'
}

# ---- how names are printed ----

# printed NAME WANTED: the name of a FIFO, in text, and back through printf %b
# of each shell.
printed() {
	local shell

	rm -f -- "$1"
	fifo "$1"
	pm poll -t 0 "./$1:in"
	expect 0 $'in\t./'"$2"
	for shell in sh bash dash zsh ksh; do
		command -v "$shell" >/dev/null || continue
		# shellcheck disable=SC2016
		run "$shell" -c '
			name=$(printf %bx "$1")
			test "${name%x}" = "$2"' sh "${output#*$'\t'}" "./$1"
		[[ $status == 0 ]] || fail "$shell: $2"
		pm poll -t 0 "./$1:in"
	done
	exec {held}<&-
}

@test "newline, tab, carriage return and backslash" {
	printed $'a\nb' 'a\nb'
	printed $'a\tb' 'a\tb'
	printed $'a\rb' 'a\rb'
	printed 'a\b' 'a\\b'
	printed 'a\nb' 'a\\nb'
	printed $'\n\n' '\n\n'
}

@test "control characters, escape sequences, DEL" {
	printed $'\e[2Jx' '\0033[2Jx'
	printed $'\x01' '\0001'
	printed $'a\x017' 'a\00017'
	printed $'\x7f' '\0177'
	printed $'\a\b\f\v' '\0007\0010\0014\0013'
}

@test "UTF-8 is printed as it is, whatever the locale" {
	printed 'größe→𝄞' 'größe→𝄞'
	LC_ALL=C.UTF-8 printed 'é' 'é'
}

@test "C1 control characters in UTF-8" {
	printed $'\xc2\x9b2J' '\0302\02332J'
	printed $'\xc2\x80' '\0302\0200'
	printed $'\xc2\xa0' $'\xc2\xa0'
}

@test "characters that are not seen, or change the direction of others" {
	printed $'a\xe2\x80\xaeb' 'a\0342\0200\0256b'
	printed $'\xe2\x80\x8b' '\0342\0200\0213'
	printed $'\xe2\x80\xa9' '\0342\0200\0251'
	printed $'\xe2\x81\xa9' '\0342\0201\0251'
	printed $'\xef\xbb\xbf' '\0357\0273\0277'
	printed $'\xd8\x9c' '\0330\0234'
	printed $'\xf3\xa0\x81\x81' '\0363\0240\0201\0201'
	printed $'\xe2\x80\x90\xe2\x80\xb0\xe2\x81\xb0\xef\xbb\xbe' $'\xe2\x80\x90\xe2\x80\xb0\xe2\x81\xb0\xef\xbb\xbe'
	fifo held
	pm poll -t 0 --json $'held:in' "$(printf 'no\342\200\256.\363\240\201\201')"
	[[ $stderr == *': no\0342\0200\0256.\0363\0240\0201\0201: '* ]] || fail "$stderr"
	exec {held}<&-
}

@test "bytes that are not UTF-8" {
	printed $'\xff' '\0377'
	printed $'a\x80b' 'a\0200b'
	printed $'\xc3' '\0303'
	printed $'\xc3(' '\0303('
	printed $'\xe2\x82x' '\0342\0202x'
	printed $'\xc0\xaf' '\0300\0257'
	printed $'\xed\xa0\x80' '\0355\0240\0200'
	printed $'\xf4\x90\x80\x80' '\0364\0220\0200\0200'
}

@test "messages are escaped too, and one line" {
	pm poll -t 0 $'no\nsuch\e[2J\xff:in'
	expect_error 3 'no\\nsuch\\0033\[2J\\0377: .*\[ENOENT\]'
}

@test "JSON has the real name" {
	need_json
	fifo $'a\n\t"\\\eö'
	pm poll -t 0 --json $'a\n\t"\\\eö:in'
	[[ $output != *$'\e'* && $output != *$'\t'* ]]
	assert_equal "${#lines[@]}" 1
	run json target <<<"$output"
	assert_success
	assert_equal "${output//001B/001b}" '"a\n\t\"\\\u001bö"'
}

@test "JSON has target_base64 where the name is not UTF-8" {
	need_json
	fifo $'a\xff\xfe'
	pm poll -t 0 --json $'a\xff\xfe:in'
	assert_success
	assert_equal "$(json target <<<"$output")" null
	assert_equal "$(json target_base64 <<<"$output")" '"Yf/+"'
}

# A machine of 32 bits reads its stat(2) only where time_t has 64.
dated() {
	pm "$1" -t 0 "$(reads "$1" f)"
	short
	expect 0 "$(says "$1")"$'\tf'
}

@test "files from after January 2038" {
	echo text >f
	touch -d 2040-01-01 f || skip "no touch -d"
	[[ $(ls -l f) == *2040* ]] || skip "this file system has no such time"
	for command in select poll devpoll kqueue wait; do
		! has $command || dated $command
	done
	echo f >list
	touch -d 2040-01-01 list
	pm poll -t 0 @list
	expect 0 $'in\tf'
	need kqueue
	waiting kqueue vnode:f
	echo more >>f
	finish "$pid"
	expect 0 $'vnode\twrite,extend\t-\t0\tf'
}

@test "@-: a standard input that does not block is waited for" {
	need_linux
	mkfifo list
	exec 8<>list 7<list 6>list
	exec 8<&-
	# dd leaves it so
	dd iflag=nonblock count=0 of=/dev/null <&7 2>/dev/null
	printf '/dev/nu' >&6
	pmux poll -t 0 @- <&7 >out 2>err 3>&- 6>&- &
	pid=$!
	while pmux poll -q -t 0 7; do
		sleep 0.002
	done
	await_state "$pid" SZ
	printf 'll\n' >&6
	exec 6>&-
	finish "$pid"
	expect 0 $'in\t/dev/null'
}
