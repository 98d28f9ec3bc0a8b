#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# --session: one polling object that serves requests.

# shellcheck disable=SC2030,SC2031,SC2154	# run and the helpers set them
# shellcheck disable=SC2016	# words of requests, which no shell expands
load helper

prepare() {
	need poll
}

# ---- requests all at once ----

# serve COMMAND [SPEC]... [-- OPTION...]: what is answered to standard input,
# without the line that says ready.
serve() {
	local command=$1 specs=()

	shift
	while (($# > 0)) && [[ $1 != -- ]]; do
		specs+=("$1")
		shift
	done
	(($# == 0)) || shift
	cat >requests
	if ((${#specs[@]} > 0)); then
		with "${specs[@]}" -- pmux "$command" --session "$@" <requests
	else
		pm "$command" --session "$@" <requests
	fi
	[[ $output =~ ^ready\ [0-9]+ ]] || fail "not ready: $output $stderr"
	output=${output#*[0-9]}
	while [[ $output == [0-9]* ]]; do
		output=${output:1}
	done
	output=${output#$'\n'}
}

# said [LINE]...: these were the answers, and nothing else was said.
said() {
	expect 0 "$@"
	assert_equal "$stderr" ''
}

# refused NAME COMMAND REQUEST [SPEC]...: the one answer is that error.
refused() {
	serve "$2" "${@:4}" <<<"$3"
	[[ $status == 0 && ! $stderr && $output == "error $1 "* &&
	    $output != *$'\n'* ]] ||
	    fail "$2: '$3': not $1 but '$output' $stderr"
}

# each_session FUNCTION: FUNCTION COMMAND for each that has sessions.
each_session() {
	local command

	for command in select poll devpoll epoll kqueue; do
		if has "$command"; then
			echo "with $command:"
			"$1" "$command"
		fi
	done
}

# wait_for COMMAND T TIMEOUT: a request to wait until T can be read.
wait_for() {
	case $1 in
	select)
		echo "select $3 -r $2"
		;;
	kqueue)
		echo "control 9 $3 read:$2"
		;;
	*)
		echo "poll $3"
		;;
	esac
}

# watch COMMAND T: the request before that, if it needs one.
watch() {
	case $1 in
	select | kqueue) ;;
	*)
		echo "register $2:in"
		;;
	esac
}

# ---- requests one by one ----

# start ARG...: begin a session as a coprocess; its id is in `pid`.
start() {
	coproc PMUX_SESSION { exec "$@" 2>messages 3>&-; }
	pid=$PMUX_SESSION_PID
	exec {to}>&"${PMUX_SESSION[1]}" {from}<&"${PMUX_SESSION[0]}"
	eval "exec ${PMUX_SESSION[1]}>&- ${PMUX_SESSION[0]}<&-"
	read -r -t 20 ready id <&"$from" || fail "no session: $(<messages)"
	assert_equal "$ready $id" "ready $pid"
}

send() {
	printf '%s\n' "$1" >&"$to"
}

# hear: the lines of one answer, in `output`.
hear() {
	local line

	output=
	while IFS= read -r -t 20 line <&"$from"; do
		output+=$line$'\n'
		case $line in
		event*) ;;
		*)
			output=${output%$'\n'}
			return
			;;
		esac
	done
	fail "no answer; so far '$output'"
}

# ask REQUEST [LINE]...: the answer is these lines.
ask() {
	local wanted

	send "$1"
	hear
	printf -v wanted '%s\n' "${@:2}"
	[[ $output == "${wanted%$'\n'}" ]] ||
	    fail "$1: '$output', not '${wanted%$'\n'}'"
}

# hears [LINE]...: the next answer is these lines.
hears() {
	local wanted

	hear
	printf -v wanted '%s\n' "$@"
	[[ $output == "${wanted%$'\n'}" ]] ||
	    fail "'$output', not '${wanted%$'\n'}'"
}

# stop: end its input, and so it; nothing was said on standard error.
stop() {
	exec {to}>&-
	ended 0
}

ended() {
	status=0
	wait "$pid" || status=$?
	assert_equal "$status $(<messages)" "$1 "
}

# ---- protocol ----

@test "it says ready, answers, and ends with 0 at the end of the input" {
	each_session ready_first
}

ready_first() {
	serve "$1" <<<closed
	said 'ok false'
	serve "$1" </dev/null
	said
	printf 'closed\nclosed' >two
	serve "$1" <two
	said 'ok false' 'ok false'
}

@test "ready has the process id" {
	start pmux poll --session
	ask quit ok
	stop
}

@test "each answer is written before the next request comes" {
	start pmux poll --session
	ask 'register 99:in' ok
	ask 'poll' $'event\tnval\t99' 'ok 1'
	ask 'unregister 99' ok
	ask 'poll 0' 'ok 0'
	stop
}

@test "tags stand in every line of the answer" {
	serve poll 7=pipe.r.data <<-'end'
	@a.B-1_ register 7:in
	@2 poll 0
	@x frob
	  @y	closed
	end
	said 'ok @a.B-1_' $'event @2\tin\t7' 'ok @2 1' \
	    "error @x USAGE poll has no request 'frob' (see help)" \
	    'ok @y false'
}

@test "what is not understood is USAGE, and the session goes on" {
	each_session usage_in
}

usage_in() {
	local request

	for request in '' '   ' frob '@' '@ x' '@ä closed' '@t' 'closed now' \
	    'close x' 'fileno 1' 'cancel a b' 'help me' 'quit now' "closed '" \
	    'closed "' closed\ \\ "closed \$'\\q'" "closed \$'\\0'" Closed \
	    'poll nan' 'poll x' 'poll 1 2 3' 'select' 'select -5' 'select x' \
	    'select 0 -r' 'select 0 -q 5' 'select 0 -r 7:in' 'control' \
	    'control 1' 'control -1 0' 'control 1 -1' 'control 1 0 x' \
	    'control x 0' 'control 1 0 read' 'control 1 0 read:7:frob' \
	    'register' 'register ""' 'register 5:inn' 'register 5 6' \
	    'modify 5' 'unregister' 'fromfd' 'fromfd x' 'fromfd 3 4' \
	    'poll 0 0'; do
		serve "$1" <<<"$request"$'\nclosed'
		[[ ${lines[1]} =~ ^error\ (@t\ )?USAGE\ . && \
		    ${#lines[@]} == 3 && ${lines[2]} == 'ok false' && \
		    ! $stderr ]] || fail "$1: '$request': $output $stderr"
	done
}

@test "a NUL in a request" {
	printf 'clo\0sed\n@t closed\0\nclosed\n' >given
	serve poll <given
	said 'error USAGE a NUL byte in a request' \
	    'error @t USAGE a NUL byte in a request' 'ok false'
}

@test "a request of 100 MB" {
	local size=100000000

	# nothing is printed of it but what a message holds
	{
		printf 'register '
		head -c "$size" /dev/zero | tr '\0' a
		printf '\n@b closed\n'
	} | pmux poll --session >out 2>err
	assert_equal "$(grep -c . out) $(tail -n 1 out)" '3 ok @b false'
	assert_equal "$(sed -n 2p out | cut -c 1-24)" 'error ENAMETOOLONG aaaaa'
	assert_equal "$(<err)" ''
}

@test "a request of 300 MB is refused, and the next one served" {
	{
		printf '@a register '
		head -c 300000000 /dev/zero | tr '\0' a
		printf '\n@b closed\n'
	} | pmux poll --session >out 2>err
	assert_equal "$(sed 1d out)" \
	    $'error @a USAGE a request has at most 134217728 bytes\nok @b false'
	head -c 150000000 /dev/zero | pmux poll --session >out 2>err
	assert_equal "$(sed 1d out)" \
	    'error USAGE a request has at most 134217728 bytes'
	assert_equal "$(<err)" ''
}

@test "no memory for a request: a message, and 3" {
	[[ -z ${ASAN_OPTIONS-} ]] || skip "the sanitizer needs more memory"
	status=0
	{
		printf 'register '
		head -c 100000000 /dev/zero
	} | (ulimit -v 60000 && exec pmux poll --session) >out 2>err ||
	    status=$?
	[[ -s out ]] || skip "this build needs more memory to start"
	assert_equal "$status" 3
	assert_equal "$(<err)" \
	    'pmux: poll: a request: Cannot allocate memory [ENOMEM]'
}

@test "words: quotes and escapes" {
	touch 'a b' "it's" 'c"d\e' $'t\tn\001'
	serve poll <<-'end'
	register 'a b:in'
	register "it's:in"
	register 'c"d\e':in
	register "c\"d\\e:in"
	register $'t\tn\0001:in'
	register a\ b:out
	poll 0
	unregister a' 'b
	unregister $'t\011n\x01'
	poll 0
	end
	said ok ok ok ok ok \
	    'error USAGE a b: opened for reading only: unregister it first' \
	    $'event\tin\ta b' $'event\tin\tit\'s' $'event\tin\tc"d\\\\e' \
	    $'event\tin\tt\\tn\\0001' 'ok 4' ok ok \
	    $'event\tin\tit\'s' $'event\tin\tc"d\\\\e' 'ok 2'
}

@test "what printf %b undoes in a shell is a word of \$'...'" {
	local name=$'\e[31m\\\r\xff' target

	: >"$name"
	start pmux poll --session
	send "register $(printf '%q' "$name"):in"
	hears ok
	send 'poll 0'
	hear
	target=${output#*$'\t'*$'\t'}
	target=${target%$'\n'ok*}
	[[ $(printf %b "$target") == "$name" ]]
	ask "unregister \$'$target'" ok
	stop
}

@test "no expansion, no comments, no files of targets" {
	touch '$HOME' '#a' '*' '@list'
	serve poll <<-'end'
	register "$HOME":in
	register #a:in
	register *:in
	register @list:in
	poll 0
	end
	said ok ok ok ok $'event\tin\t$HOME' $'event\tin\t#a' $'event\tin\t*' \
	    $'event\tin\t@list' 'ok 4'
}

@test "help is one line with all requests" {
	each_session help_in
}

help_in() {
	serve "$1" <<<help
	[[ ${#lines[@]} == 2 && ${lines[1]} == 'ok '*closed*close*cancel*quit ]]
}

@test "messages are escaped and one line" {
	serve poll <<-'end'
	register $'no\nsuch\e'
	end
	[[ $output == 'error ENOENT no\nsuch\0033: '* && ${#lines[@]} == 2 ]]
}

@test "options that have no place in a session" {
	usage_error session poll --session 7
	usage_error session epoll --session -t 1
	usage_error session poll --session --json
	usage_error numeric poll --numeric 7
	usage_error process poll --session -p $$ -p 1
	pm poll --session -p 2147483646 </dev/null
	expect_error 3 ESRCH
}

# ---- the object ----

@test "close, closed, and CLOSED" {
	each_session closing_in
}

closing_in() {
	local request=poll

	case $1 in
	select) request='select 0' ;;
	kqueue) request='control 0 0' ;;
	esac
	printf '%s\n' closed close closed close "$request" fileno cancel help \
	    quit >given
	serve "$1" <given
	[[ ${#lines[@]} == 10 ]] || fail "$output"
	assert_equal "${lines[*]:1:4}" 'ok false ok ok true ok'
	[[ ${lines[5]} == 'error CLOSED '* && ${lines[6]} == 'error CLOSED '* &&
	    ${lines[7]} == 'error CLOSED '* && ${lines[8]} == 'ok '* &&
	    ${lines[9]} == ok ]] || fail "$output"
}

@test "fileno: the number, ENOSYS for select and poll" {
	refused ENOSYS poll fileno
	! has select || refused ENOSYS select fileno
	for command in devpoll epoll kqueue; do
		has "$command" || continue
		serve "$command" <<<fileno
		[[ $output =~ ^ok\ [0-9]+$ ]] || fail "$command: $output"
	done
}

@test "quit ends it, whatever follows" {
	serve poll <<<$'quit\nclosed'
	said ok
	start pmux poll --session
	ask quit ok
	ended 0
}

@test "quit and close end a pending wait" {
	each_session ending_in
}

ending_in() {
	local end request

	request=$(wait_for "$1" 7 -)
	for end in quit close; do
		{
			watch "$1" 7
			printf '%s\n' "@w $request" "@e $end"
		} >given
		serve "$1" 7=pipe.r.empty <given
		[[ $output == *"error @w CANCELED "*$'\n'"ok @e" ]] ||
		    fail "$output"
	done
}

# ---- poll, devpoll, epoll ----

@test "register without events: in, pri and out" {
	each_poller usual_events
}

each_poller() {
	local command

	for command in poll devpoll epoll; do
		! has "$command" || "$1" "$command"
	done
}

usual_events() {
	serve "$1" 7=unix-stream.data <<-'end'
	register 7
	poll 0
	modify 7:out
	poll 0
	modify 7:0x1
	poll 0
	unregister 7
	poll 0
	end
	said ok $'event\tin,out\t7' 'ok 1' ok $'event\tout\t7' 'ok 1' ok \
	    $'event\tin\t7' 'ok 1' ok 'ok 0'
}

@test "registering twice: fine for poll and devpoll, EEXIST for epoll" {
	for command in poll devpoll; do
		has "$command" || continue
		serve "$command" 7=unix-stream.data <<-'end'
		register 7:in
		register 7:out
		poll 0
		end
		said ok ok $'event\tout\t7' 'ok 1'
	done
	need epoll
	serve epoll 7=unix-stream.data <<<$'register 7\nregister 7'
	[[ $output == $'ok\nerror EEXIST 7: '* ]]
	: >f
	mkfifo p
	serve epoll -- --hold 0 <<<$'register p:in\nregister p:in'
	[[ $output == $'ok\nerror EEXIST p: '* ]]
}

@test "modify of the unknown: ENOENT" {
	each_poller modify_unknown
}

modify_unknown() {
	refused ENOENT "$1" 'modify 7:in' 7=pipe.r.data
	refused ENOENT "$1" 'modify nofile:in'
}

@test "unregister of the unknown" {
	refused UNREGISTERED poll 'unregister 7' 7=pipe.r.data
	refused UNREGISTERED poll 'unregister nofile'
	if has epoll; then
		refused ENOENT epoll 'unregister 7' 7=pipe.r.data
		refused ENOENT epoll 'unregister nofile'
		refused EBADF epoll 'unregister 7' 7=number.closed
	fi
	if has devpoll; then
		serve devpoll <<<$'unregister 7\nunregister nofile'
		said ok ok
	fi
}

@test "a closed number: nval for poll and devpoll, EBADF for epoll" {
	for command in poll devpoll; do
		! has "$command" || serve "$command" 7=number.closed <<-'end'
		register 7
		poll
		end
		said ok $'event\tnval\t7' 'ok 1'
	done
	! has epoll || refused EBADF epoll 'register 7' 7=number.closed
}

@test "epoll: a regular file is EPERM" {
	need epoll
	: >f
	refused EPERM epoll 'register f:in'
}

@test "epoll: edge-triggered, oneshot, and MAXEVENTS" {
	need epoll
	serve epoll 7=pipe.r.data 8=pipe.r.data 9=unix-stream.data <<-'end'
	register 7:in,et
	poll 0
	poll 0
	register 8:in,oneshot
	poll 0
	poll 0
	modify 8:in
	register 9:in
	poll 0 1
	poll 0 1
	poll 0 -1
	end
	said ok $'event\tin\t7' 'ok 1' 'ok 0' ok $'event\tin\t8' 'ok 1' 'ok 0' \
	    ok ok $'event\tin\t8' 'ok 1' $'event\tin\t9' 'ok 1' \
	    $'event\tin\t8' $'event\tin\t9' 'ok 2'
}

@test "epoll: fromfd takes an instance that was inherited" {
	need epoll
	serve epoll 7=epoll.one-ready 8=pipe.r.data <<-'end'
	fromfd 7
	fileno
	poll 0
	register 8:in
	poll 1
	end
	[[ ${lines[2]} == 'ok 7' && ${lines[*]} == *$'event\tin\t8'*'ok 2' ]] ||
	    fail "$output"
	refused EINVAL epoll 'fromfd 7' 7=pipe.r.data
	refused EBADF epoll 'fromfd 7' 7=number.closed
	refused EBADF epoll 'fromfd 0'
}

@test "epoll: fromfd, and an entry of another with data.fd -1" {
	need epoll
	serve epoll 7=epoll.minus-one <<-'end'
	fromfd 7
	poll 0
	end
	said ok $'event\tin\t-1' 'ok 1'
}

@test "epoll, kqueue: fromfd of the instance that is in use" {
	local number command

	for command in epoll kqueue; do
		has "$command" || continue
		start pmux "$command" --session
		send fileno
		hear
		number=${output#ok }
		ask "fromfd $number" ok
		ask fileno "ok $number"
		case $command in
		epoll)
			ask 'poll 0' 'ok 0'
			;;
		kqueue)
			ask 'control 1 0' 'ok 0'
			;;
		esac
		stop
	done
}

@test "descriptors 0 to 2 are the session's own" {
	each_poller own_standard
	! has select || refused EBADF select 'select 0 -r 0'
	! has kqueue || refused EBADF kqueue 'control 0 0 read:0'
}

own_standard() {
	refused EBADF "$1" 'register 0'
	refused EBADF "$1" 'register /dev/stdout'
	refused EBADF "$1" 'register /proc/self/fd/2'
}

@test "a number as high as numbers can be, then another wait" {
	each_session far_away
}

far_away() {
	local far

	for far in 5000 100000000 2147483647; do
		case $1 in
		select)
			serve select 7=pipe.r.data <<-end
			select 0 -r 7 -r $far
			select 0 -r $far
			select 0 -r 7
			end
			said "error EBADF $far: Bad file descriptor" \
			    "error EBADF $far: Bad file descriptor" \
			    $'event\tread\t7' 'ok 1'
			;;
		kqueue)
			serve kqueue 7=pipe.r.data <<-end
			control 0 0 read:$far
			control 1 0 read:7
			end
			short
			said "error EBADF $far: Bad file descriptor" \
			    $'event\t7' 'ok 1'
			;;
		*)
			serve "$1" 7=pipe.r.data <<-end
			register $far:in
			unregister $far
			register 7:in
			poll 0
			end
			[[ $output == *$'\nok\nevent\tin\t7\nok 1' ]] ||
			    fail "$far: $output"
			;;
		esac
	done
}

@test "what pmux itself has opened cannot be named" {
	local number

	need epoll
	mkfifo p
	start pmux epoll --session --hold 0
	ask 'register p:in' ok
	send fileno
	hear
	# it is next to the object
	number=$((${output#ok } + 1))
	send "register $number:in"
	hear
	[[ $output == "error EBADF $number: "* ]]
	stop
}

@test "past the type: RANGE" {
	refused RANGE poll 'register 99999999999'
	refused RANGE poll 'register 7:0x1ffff'
	refused RANGE poll 'poll 1e300'
	! has epoll || refused RANGE epoll 'poll 0 99999999999'
	! has select || refused RANGE select 'select 1e300'
	! has kqueue || refused RANGE kqueue 'control 99999999999 0'
	! has kqueue || refused RANGE kqueue 'control 0 0 read:0:flags=65536'
}

@test "a negative number is no path: USAGE" {
	: >-1
	each_poller negative_number
	! has select || refused USAGE select 'select 0 -r -1'
	! has kqueue || refused USAGE kqueue 'control 0 0 read:-1'
	! has kqueue || refused USAGE kqueue 'control 0 0 vnode:-1:write'
	serve poll <<<'register ./-1:in'
	said 'ok'
}

negative_number() {
	refused USAGE "$1" 'register -1'
	refused USAGE "$1" 'register -1:0x1'
	refused USAGE "$1" 'register -1:inn'
	refused USAGE "$1" 'modify -1:in'
	refused USAGE "$1" 'unregister -1'
}

@test "timeouts: units, forever, negative" {
	local timeout

	each_poller poll_timeouts
	need select
	start peer with 7=pipe.r.data -- pmux select --session
	for timeout in 0 1ms 0.001 -0; do
		ask "select $timeout" 'ok 0'
	done
	ask 'select - -r 7' $'event\tread\t7' 'ok 1'
	ask 'select inf -r 7' $'event\tread\t7' 'ok 1'
	stop
}

poll_timeouts() {
	local timeout

	start peer with 7=pipe.r.data -- pmux "$1" --session
	for timeout in 0 1ms 0.001 -0; do
		ask "poll $timeout" 'ok 0'
	done
	ask 'register 7:in' ok
	for timeout in - -1 -3 -5ms inf ''; do
		ask "poll $timeout" $'event\tin\t7' 'ok 1'
	done
	stop
}

@test "a wait is not shorter than its timeout" {
	each_session not_shorter
}

not_shorter() {
	local before after

	before=$(peer clock)
	{
		watch "$1" 7
		wait_for "$1" 7 0.05
	} >given
	serve "$1" 7=pipe.r.empty <given
	after=$(peer clock)
	[[ ${lines[-1]} == 'ok 0' ]]
	((after - before >= 50000000))
}

# ---- select ----

@test "select: a line for each list, and lists are forgotten" {
	need select
	serve select 7=unix-stream.data 8=pipe.r.empty <<-'end'
	select 0 -r 7 -w 7 -x 7 -r 8 -r 7
	select 0 -r 8
	select 0 -w 7
	select 0 -r 7 -r 8
	end
	said $'event\tread\t7' $'event\twrite\t7' 'ok 2' 'ok 0' \
	    $'event\twrite\t7' 'ok 1' $'event\tread\t7' 'ok 1'
}

@test "select: EBADF names the closed descriptor" {
	need select
	serve select 7=pipe.r.data 8=number.closed <<-'end'
	select 0 -r 7 -r 8
	select 0 -r 7
	end
	[[ $output == 'error EBADF 8: '*$'\nevent\tread\t7\nok 1' ]] ||
	    fail "$output"
}

# ---- kqueue ----

@test "kqueue: the first of two udata in a kevent is freed" {
	need_filter user
	local words

	need kqueue
	[[ -z ${ASAN_OPTIONS-} ]] || skip "the sanitizer needs more memory"
	words=udata=$(printf '%0100000d' 0)
	{
		for ((i = 0; i < 500; i++)); do
			echo "control 0 0 user:1:$words,$words"
		done
		echo 'control 0 0 user:1:udata=a,udata=b,trigger'
		echo 'control 1 5'
	} | (ulimit -v 30000 && exec pmux kqueue --session) >out 2>err ||
		fail "$(tail -n 2 out)"
	assert_equal "$(grep -c '^ok' out)" 502
	run tail -n 2 out
	assert_line --index 0 --regexp $'\tb$'
}

@test "kqueue: a kevent without memory for its udata is no missing interface" {
	need_filter user
	need kqueue
	[[ -z ${ASAN_OPTIONS-} ]] || skip "the sanitizer needs more memory"
	local limit

	# The request needs 32 MiB, its udata 20 MB: the limit between them
	# depends on how the C library allocates.
	for limit in 48000 52000 56000 60000 64000 68000; do
		{
			printf 'control 0 0 user:1:udata=%020000000d\n' 0
			echo 'control 0 0 user:1:udata=a'
		} | (ulimit -v "$limit" && exec pmux kqueue --session) \
		    >out 2>err || continue
		run sed 1d out
		[[ ${lines[0]} == ok* ]] || break
	done
	assert_line --index 0 "error ENOMEM 1: Cannot allocate memory"
	assert_line --index 1 "ok 0"
}

@test "kqueue: changes and events, udata, the words of a command" {
	need kqueue
	serve kqueue 7=pipe.r.data <<-'end'
	control 0 0 read:7:udata=a%2Cb
	control 9 1
	control 9 0 read:7:disable
	control 9 0 read:7:enable,udata=c
	control 0 0 read:7:delete user:3:clear
	control 9 0 user:3:trigger,fflags=5,ffcopy
	control 9 0
	control 0 0 timer:1:data=1ms,oneshot,udata=t
	control 9 -
	end
	said 'ok 0' $'event\tread\t-\t-\t5\t7\ta,b' 'ok 1' 'ok 0' \
	    $'event\tread\t-\t-\t5\t7\tc' 'ok 1' 'ok 0' \
	    $'event\tuser\t0x5\tclear\t0\t3' 'ok 1' 'ok 0' 'ok 0' \
	    $'event\ttimer\tnseconds\toneshot,clear\t1\t1\tt' 'ok 1' ||
	    said 'ok 0' $'event\tread\t-\t-\t5\t7\ta,b' 'ok 1' 'ok 0' \
	    $'event\tread\t-\t-\t5\t7\tc' 'ok 1' 'ok 0' \
	    $'event\tuser\t0x5\tclear\t0\t3' 'ok 1' 'ok 0' 'ok 0' \
	    $'event\ttimer\t-\toneshot,clear\t1\t1\tt' 'ok 1'
}

@test "kqueue: fflags are numbers of any base, for each filter" {
	need_filter user
	need kqueue
	serve kqueue <<-'end'
	control 0 0 user:3:clear
	control 9 0 user:3:flags=1,fflags=16777216
	control 9 0 user:3:flags=1,fflags=0x1000000
	control 9 0 user:3:flags=1,0x1000000
	control 9 0 user:3:flags=1,fflags=4294967296
	end
	[[ $output == "ok 0"*$'\nerror RANGE '* &&
	    $(grep -c '^event' <<<"$output") == 3 ]] || fail "$output"
}

@test "kqueue: a process whose status is not reported" {
	need kqueue
	hide
	mkfifo go
	bash -c 'read -r _ <go; exit 7' 3>&- &
	child=$!
	start "${hidden[@]}" pmux kqueue --session --numeric
	ask "control 0 0 -5:$child:flags=1,0x80000000" 'ok 0'
	echo >go
	wait "$child" || :
	send 'control 1 1m'
	hear
	assert_equal "$output" \
	    $'event\t-5\t2147483648\t32816\t-1\t'"$child"$'\nok 1'
	stop
}

@test "kqueue: failed changes are events while MAX has room" {
	need_filter user
	need kqueue
	serve kqueue 7=pipe.r.data 8=number.closed <<-'end'
	control 3 - read:8 read:7 write:8 read:nofile
	control 1 0 read:8
	control 0 0 user:1 read:8
	control 1 0 user:1:EV_DELETE
	end
	assert_equal "${#lines[@]}" 10
	assert_equal "${lines[1]}" $'event\tread\t-\terror\t9\t8'
	assert_equal "${lines[2]}" $'event\twrite\t-\terror\t9\t8'
	assert_equal "${lines[3]}" $'event\tread\t-\terror\t2\tnofile'
	assert_equal "${lines[4]}" 'ok 3'
	assert_equal "${lines[6]}" 'ok 1'
	[[ ${lines[7]} == 'error EBADF 8: '* ]]
	# what came before the failed one was done
	assert_equal "${lines[8]}" $'event\tread\t-\t-\t5\t7'
}

@test "kqueue: room for one error only" {
	need kqueue
	serve kqueue 8=number.closed <<-'end'
	control 1 0 read:8 write:8
	control 2 0 read:8 write:8
	end
	[[ $output == 'error EBADF 8: '*$'\nok 2' && ${#lines[@]} == 5 ]]
}

@test "kqueue: a change acts at once on the pending wait" {
	need_filter user
	need kqueue
	start pmux kqueue --session
	send '@w control 1 -'
	ask '@c control 0 0 user:1:udata=x' 'ok @c 0'
	ask '@b control 1 0' 'error @b BUSY a wait is pending'
	send '@t control 0 0 user:1:trigger,udata=y'
	hears 'ok @t 0'
	hears $'event @w\tuser\t-\t-\t0\t1\ty' 'ok @w 1'
	stop
}

@test "kqueue: signals to the session itself, and what they did before" {
	need kqueue
	start pmux kqueue --session
	ask 'control 0 0 signal:USR1' 'ok 0'
	kill -USR1 "$pid"
	kill -USR1 "$pid"
	send 'control 1 5'
	hear
	[[ $output == $'event\tsignal\t-\tclear\t'[12]$'\tUSR1\nok 1' ]] ||
	    fail "$output"
	ask 'control 0 0 signal:USR1:delete' 'ok 0'
	kill -USR1 "$pid"
	ended $((128 + $(kill -l USR1)))
}

@test "kqueue: numbers for filters, flags and fflags" {
	need_filter user
	local read user

	need kqueue
	serve kqueue 7=pipe.r.data -- --numeric <<-'end'
	control 1 0 read:7
	control 1 0 user:1:trigger read:7:delete
	end
	read=$(cut -f 2 <<<"${lines[1]}")
	user=$(cut -f 2 <<<"${lines[3]}")
	assert_equal "${lines[1]}" $'event\t'"$read"$'\t0\t0\t5\t7'
	assert_equal "${lines[3]}" $'event\t'"$user"$'\t0\t0\t0\t1'
	serve kqueue 7=pipe.r.data <<-end
	control 9 0 $read:7:flags=1 $user:0x10:flags=0x1
	control 9 0 $read:7:flags=0x2 $user:16:flags=2
	control 9 0
	end
	said $'event\tread\t-\t-\t5\t7' 'ok 1' 'ok 0' 'ok 0'
}

@test "--numeric: masks in decimal" {
	each_poller numeric_in
}

numeric_in() {
	serve "$1" 7=unix-stream.data -- --numeric <<-'end'
	register 7:in
	poll 0
	end
	said ok $'event\t1\t7' 'ok 1'
}

# ---- waits ----

@test "requests are served while a wait is pending; one wait at a time" {
	each_session pending_in
}

pending_in() {
	local request

	request=$(wait_for "$1" 7 -)
	start peer with 7=pipe.r.empty -- pmux "$1" --session
	[[ ! $(watch "$1" 7) ]] || ask "$(watch "$1" 7)" ok
	send "@w $request"
	ask '@c closed' 'ok @c false'
	ask "@b $request" 'error @b BUSY a wait is pending'
	ask '@x cancel y' 'ok @x 0'
	send '@d cancel'
	hears 'error @w CANCELED the wait was ended'
	hears 'ok @d 1'
	ask '@e cancel' 'ok @e 0'
	send "@v $request"
	send '@f cancel v'
	hears 'error @v CANCELED the wait was ended'
	hears 'ok @f 1'
	send "$request"
	send 'cancel'
	hears 'error CANCELED the wait was ended'
	hears 'ok 1'
	stop
}

@test "what comes during a wait ends it" {
	each_session wakes
}

wakes() {
	local fd request

	request=$(wait_for "$1" p -)
	rm -f p
	mkfifo p
	start pmux "$1" --session --hold 0
	[[ ! $(watch "$1" p) ]] || ask "$(watch "$1" p)" ok
	send "@w $request"
	ask closed 'ok false'
	exec {fd}<>p
	echo >&"$fd"
	hear
	[[ $output == $'event @w\t'*$'p\nok @w 1' ]] || fail "$output"
	stop
	exec {fd}>&-
}

@test "epoll: register, modify and unregister act on the pending wait" {
	need epoll
	start peer with 7=pipe.r.data 8=pipe.r.data -- pmux epoll --session
	send '@w poll'
	send '@r register 7:in'
	hears 'ok @r'
	hears $'event @w\tin\t7' 'ok @w 1'
	ask 'modify 7:0x0' ok
	send '@w poll'
	send '@m modify 7:in'
	hears 'ok @m'
	hears $'event @w\tin\t7' 'ok @w 1'
	stop
}

@test "poll and devpoll: the pending wait keeps its snapshot" {
	for command in poll devpoll; do
		has "$command" || continue
		start peer with 7=pipe.r.data -- pmux "$command" --session
		send '@w poll'
		send '@r register 7:in'
		hears 'ok @r'
		ask '@c cancel' 'error @w CANCELED the wait was ended'
		hears 'ok @c 1'
		ask 'poll 0' $'event\tin\t7' 'ok 1'
		stop
	done
}

@test "poll and devpoll: what is unregistered in a wait is still reported" {
	for command in poll devpoll; do
		has "$command" || continue
		unregistered_in_a_wait "$command"
	done
}

unregistered_in_a_wait() {
	local fd

	rm -f p q
	mkfifo p q
	start pmux "$1" --session --hold 0
	ask 'register p:in' ok
	ask 'register /dev/null:0x0' ok
	send '@w poll'
	ask 'unregister p' ok
	ask 'unregister /dev/null' ok
	ask 'register q:in' ok
	exec {fd}<>p
	echo >&"$fd"
	hears $'event @w\tin\tp' 'ok @w 1'
	ask 'poll 0' 'ok 0'
	# it was kept for the peers, and can be had again
	ask 'register p:in' ok
	ask 'poll 0' $'event\tin\tp' 'ok 1'
	stop
	exec {fd}>&-
}

@test "poll: a number that is unregistered in a wait is still reported" {
	local fd

	mkfifo p
	exec {fd}<>p
	start pmux poll --session
	ask "register $fd:in" ok
	send '@w poll 20'
	ask "unregister $fd" ok
	echo >&"$fd"
	hears $'event @w\tin\t'"$fd" 'ok @w 1'
	ask 'poll 0' 'ok 0'
	stop
	exec {fd}>&-
}

@test "no event is lost by cancel: edge-triggered and one-shot" {
	local fd

	need epoll
	mkfifo p
	exec {fd}<>p
	start pmux epoll --session --hold 0
	ask 'register p:in,et' ok
	rounds 50
	for ((; rounds > 0; rounds--)); do
		send '@w poll'
		send '@c cancel'
		echo >&"$fd"
		hear
		if [[ $output == *CANCELED* ]]; then
			hears 'ok @c 1'
			ask 'poll' $'event\tin\tp' 'ok 1'
		else
			[[ $output == $'event @w\tin\tp\nok @w 1' ]]
			hears 'ok @c 0'
		fi
		ask 'poll 0' 'ok 0'
	done
	stop
	exec {fd}>&-
}

@test "epoll: an exclusive wake-up ends one of the waits" {
	local fd n

	need epoll
	mkfifo p out
	exec {fd}<>p 9<>out
	for n in 1 2 3; do
		# awake before the byte comes, and with nothing else to do
		(printf 'register %s:in,exclusive\n@%s poll\n' "$fd" "$n"
		    exec sleep 1000) 3>&- 9>&- |
		    exec pmux epoll --session 3>&- 8>&- >&9 9>&- &
		sessions[n]=$!
		read -r _ <&9
		read -r _ <&9
		await_state "${sessions[n]}" S
	done
	printf x >&"$fd"
	read -r -t 20 line <&9
	assert_regex "$line" $'^event @[123]\tin\t'
	read -r -t 20 line <&9
	# the others sleep still: nothing but time could show more
	! read -r -t 0.3 line <&9 || fail "another one: $line"
	kill "${sessions[@]}"
	exec {fd}>&- 9>&-
}

@test "epoll: input and the output's reader end an exclusive wait's sleep" {
	local fd

	need epoll
	mkfifo p
	exec {fd}<>p
	start pmux epoll --session
	ask "register $fd:in,exclusive" ok
	send '@w poll 100'
	await_state "$pid" S
	ask closed 'ok false'
	ask cancel 'error @w CANCELED the wait was ended'
	hears 'ok 1'
	ask 'poll 0 1' 'ok 0'
	stop
	exec {fd}>&-
}

@test "a session that can wait no more says so, and ends with 3" {
	command -v prlimit >/dev/null || skip "no prlimit(1)"
	each_session limit_sinks
}

limit_sinks() {
	start pmux "$1" --session
	await_state "$pid" S
	prlimit --pid "$pid" --nofile=2:2
	# to be seen at once, while it sleeps
	send closed
	hear
	exec {to}>&-
	status=0
	wait "$pid" || status=$?
	assert_equal "$status" 3
	assert_regex "$(<messages)" \
	    "^pmux: $1: poll: Invalid argument \[EINVAL\] "
}

@test "the end of the input: a wait with a timeout runs to its end" {
	each_session end_of_input
}

end_of_input() {
	local timeout end

	# the last line may have no newline
	for end in '\n' ''; do
		for timeout in 0.02 -; do
			{
				watch "$1" 7
				printf "@w %s$end" "$(wait_for "$1" 7 $timeout)"
			} >given
			serve "$1" 7=pipe.r.empty <given
			assert_equal "$status" 0
			[[ $timeout == - || ${lines[-1]} == 'ok @w 0' ]]
			[[ $timeout != - ||
			    ${lines[-1]} == 'error @w CANCELED '* ]]
		done
	done
}

@test "the input comes in pieces" {
	start pmux poll --session
	printf 'clo' >&"$to"
	printf 'sed\n@a cl' >&"$to"
	hears 'ok false'
	printf 'osed\n' >&"$to"
	hears 'ok @a false'
	stop
}

# ---- the driver ----

@test "it ends at once when nobody reads its output: idle" {
	each_session unread_idle
}

# nobody_reads: the reader of the output goes, the input stays open.
nobody_reads() {
	exec {from}<&-
	ended $((128 + $(kill -l PIPE)))
	exec {to}>&-
}

unread_idle() {
	start pmux "$1" --session
	nobody_reads
}

@test "it ends at once when nobody reads its output: in a wait" {
	each_session unread_wait
}

unread_wait() {
	start peer with 7=pipe.r.empty -- pmux "$1" --session
	[[ ! $(watch "$1" 7) ]] || ask "$(watch "$1" 7)" ok
	send "$(wait_for "$1" 7 1h)"
	ask closed 'ok false'
	nobody_reads
}

@test "it ends at once when nobody reads its output: after the input's end" {
	each_session unread_end
}

unread_end() {
	start peer with 7=pipe.r.empty -- pmux "$1" --session
	[[ ! $(watch "$1" 7) ]] || ask "$(watch "$1" 7)" ok
	send "$(wait_for "$1" 7 1h)"
	ask closed 'ok false'
	exec {to}>&-
	exec {from}<&-
	ended $((128 + $(kill -l PIPE)))
}

@test "an output that has bytes to read keeps it asleep" {
	each_session unread_output
}

session_to_itself() {
	peer with 7=pipe.r.empty -- pmux "$1" --session <requests 1<>out \
	    2>messages
}

# select(2) everywhere and poll(2) of NetBSD report them as events.
unread_output() {
	local TIMEFORMAT='%3R %3U %3S' line real user system answer

	rm -f out
	mkfifo out
	exec {from}<>out
	printf 'from before\n' >&"$from"
	{ watch "$1" 7 && wait_for "$1" 7 1s; } >requests
	{ time session_to_itself "$1"; } 2>spent
	assert_equal "$(<messages)" ''
	read -r -t 20 line <&"$from"
	assert_equal "$line" 'from before'
	read -r -t 20 ready id <&"$from"
	assert_equal "$ready" ready
	while IFS= read -r line; do
		IFS= read -r -t 20 answer <&"$from"
		[[ $line == register* && $answer == ok || $answer == 'ok 0' ]] ||
		    fail "$line: $answer"
	done <requests
	read -r real user system < <(tr -d . <spent)
	((10#$real >= 1000)) || fail "it waited $real ms"
	((3 * (10#$user + 10#$system) < 10#$real)) ||
	    fail "busy: $user and $system of $real ms"
	exec {from}<&-
}

@test "it ends when the driver is killed" {
	[[ ${PMUX_AS-} != netbsd && $(uname -s) != NetBSD ]] ||
	    skip "poll(2) of NetBSD has no hangup of a FIFO"
	each_session killed_driver
}

killed_driver() {
	local driver

	rm -f in out
	mkfifo in out
	bash -c 'exec 8>in 9<out; read -r _ id <&9; echo "$id" >&7
		echo "$1" >&8; while :; do read -r -t 100 _ <&9; done' - \
	    "$(wait_for "$1" 99 1h | sed 's/read:99//; s/-r 99//')" 7>id 3>&- &
	driver=$!
	pmux "$1" --session <in >out 2>err 3>&- &
	pid=$!
	until [[ -s id ]]; do sleep 0.002; done
	await_state "$pid" S
	kill -KILL "$driver"
	wait "$driver" || :
	wait "$pid" || :
	assert_equal "$(<err)" ''
	rm -f id
}

@test "a signal ends it, idle and in a wait, and FIFOs are left first" {
	each_session signalled
}

signalled() {
	local name request

	request=$(wait_for "$1" p 1h)
	# a coprocess of bash 5.3 ignores INT
	for name in TERM USR1 HUP; do
		rm -f p
		mkfifo p
		start pmux "$1" --session
		[[ ! $(watch "$1" p) ]] || ask "$(watch "$1" p)" ok
		[[ $name == TERM ]] || send "$request"
		ask closed 'ok false'
		kill -"$name" "$pid"
		ended $((128 + $(kill -l "$name")))
	done
}

@test "a writer that was let through loses nothing when a session is killed" {
	local command

	for command in poll epoll select; do
		has "$command" || continue
		rm -f p
		mkfifo p
		start pmux "$command" --session
		if [[ $command == select ]]; then
			ask 'select 0 -r p' 'ok 0'
		else
			ask 'register p:in' ok
		fi
		echo precious >p
		kill -TERM "$pid"
		ended $((128 + $(kill -l TERM)))
		assert_equal "$(timeout 10 cat p)" precious
	done
}

# ---- named pipes ----

@test "a FIFO: what was written stays when the session ends" {
	mkfifo p
	start pmux poll --session
	ask 'register p:in' ok
	echo precious >p
	send poll
	hear
	# NetBSD reports no hangup while bytes are unread
	[[ $output == $'event\tin'?(,hup)$'\tp\nok 1' ]] || fail "$output"
	ask 'unregister p' ok
	ask quit ok
	ended 0
	assert_equal "$(timeout 10 cat p)" precious
}

@test "a FIFO to be written that nobody reads: ENXIO at once" {
	mkfifo p
	refused ENXIO poll 'register p:out'
	! has select || refused ENXIO select 'select - -w p'
	if has kqueue; then
		serve kqueue <<<'control 1 - write:p'
		[[ $output == $'event\twrite\t-\terror\t6\tp\nok 1' ]]
	fi
}

@test "both directions of a FIFO by name are refused" {
	mkfifo p
	refused USAGE poll 'register p'
	serve poll -- --hold 0 <<<$'register p:in\nregister ./p:out'
	[[ $output == $'ok\nerror USAGE ./p: '* ]] || fail "$output"
	! has kqueue || {
		serve kqueue -- --hold 0 \
		    <<<$'control 0 0 read:p\ncontrol 0 0 write:p'
		[[ $output == $'ok 0\nerror USAGE p: '* ]] || fail "$output"
	}
}

# ---- another process ----

@test "-p: epoll: closing, dup2 and reuse in the other process" {
	need epoll
	owned
	mkfifo a b
	owner_does 'exec 7<>a'
	start pmux epoll --session -p "$owner"
	ask 'register 7:in' ok
	ask 'poll 0' 'ok 0'
	owner_does 'echo >&7'
	ask 'poll' $'event\tin\t7' 'ok 1'
	send 'register 7:in'
	hear
	[[ $output == 'error EEXIST 7: '* ]]
	# the last descriptor of the file is closed: the entry has gone
	owner_does 'exec 7>&-'
	ask 'poll 0' 'ok 0'
	send 'unregister 7'
	hear
	[[ $output == 'error EBADF 7: '* ]]
	# the number is another file's
	owner_does 'exec 7<>b; echo >&7'
	ask 'poll 0' 'ok 0'
	send 'modify 7:in'
	hear
	[[ $output == 'error ENOENT 7: '* ]]
	ask 'register 7:in' ok
	ask 'poll' $'event\tin\t7' 'ok 1'
	# a duplicate keeps the file, and so the entry
	owner_does 'exec 8>&7 7>&-'
	ask 'poll' $'event\tin\t7' 'ok 1'
	ask 'register 8:in' ok
	ask 'poll' $'event\tin\t7' $'event\tin\t8' 'ok 2'
	ask 'unregister 8' ok
	owner_does 'exec 8>&-'
	ask 'poll 0' 'ok 0'
	stop
}

@test "-p: epoll: fromfd twice, and after its owner has closed it" {
	need epoll
	need_linux
	rm -f epoll.pid
	mkfifo epoll.pid
	peer with 7=epoll.none-ready 8=epoll.none-ready -- peer owner epoll.pid 3>&- &
	read -r owner <epoll.pid
	start pmux epoll --session -p "$owner"
	ask 'fromfd 7' ok
	ask 'fromfd 7' ok
	ask 'poll 0' 'ok 0'
	ask 'fromfd 8' ok
	send 'fromfd 9'
	hear
	[[ $output == 'error EBADF 9: '* ]] || fail "$output"
	stop
}

@test "-p: epoll: the number of the session's own instance" {
	local number

	need epoll
	owned
	mkfifo a
	start pmux epoll --session -p "$owner"
	send fileno
	hear
	number=${output#ok }
	owner_does "ulimit -n $((number + 1)); eval 'exec $number<>a'"
	owner_does "echo >&$number"
	ask "register $number:in" ok
	ask 'poll 0' $'event\tin\t'"$number" 'ok 1'
	send fileno
	hear
	[[ ${output#ok } != "$number" ]]
	ask "modify $number:pri" ok
	ask "unregister $number" ok
	stop
}

@test "-p: a copy is not kept: peers see the end" {
	need epoll
	owned
	mkfifo a
	owner_does 'exec 7<>a 8>a'
	for command in epoll poll; do
		start pmux "$command" --session -p "$owner"
		ask 'register 8:out' ok
		ask 'poll 0' $'event\tout\t8' 'ok 1'
		peer await 1 a
		stop
	done
	assert_equal "$(peer openers a | sort -u | count -l)" 1
}

@test "-p: poll and devpoll: nval for what is closed there" {
	owned
	mkfifo a
	for command in poll devpoll; do
		has "$command" || continue
		owner_does 'exec 7<>a; echo >&7'
		start pmux "$command" --session -p "$owner"
		ask 'register 7:in' ok
		ask 'register 99:in' ok
		ask 'poll' $'event\tin\t7' $'event\tnval\t99' 'ok 2'
		ask 'unregister 99' ok
		owner_does 'exec 7>&-'
		ask 'poll' $'event\tnval\t7' 'ok 1'
		owner_does 'exec 7<>a'
		ask 'poll 0' 'ok 0'
		stop
	done
}

@test "-p: select: EBADF for what is closed there" {
	need select
	owned
	mkfifo a
	owner_does 'exec 7<>a; echo >&7'
	start pmux select --session -p "$owner"
	ask 'select 0 -r 7 -w 7' $'event\tread\t7' $'event\twrite\t7' 'ok 2'
	owner_does 'exec 7>&-'
	send 'select 0 -r 7'
	hear
	[[ $output == 'error EBADF 7: '* ]]
	stop
}

@test "-p: kqueue: a closed number's kevents are no more" {
	need kqueue
	owned
	mkfifo a b
	owner_does 'exec 7<>a; echo >&7'
	start pmux kqueue --session -p "$owner"
	ask 'control 9 0 read:7' $'event\tread\t-\t-\t1\t7' 'ok 1'
	owner_does 'exec 7>&-'
	ask 'control 9 0' 'ok 0'
	ask 'control 1 0 read:7:EV_DELETE' $'event\tread\t-\terror\t9\t7' 'ok 1'
	owner_does 'exec 7<>b'
	ask 'control 1 0 read:7:EV_DELETE' $'event\tread\t-\terror\t2\t7' 'ok 1'
	ask 'control 9 0 read:7' 'ok 0'
	owner_does 'echo >&7'
	ask 'control 9 5' $'event\tread\t-\t-\t1\t7' 'ok 1'
	stop
}

@test "-p: kqueue: not more events than MAX, and each has its turn" {
	local number once

	need kqueue
	owned
	mkfifo a b c
	owner_does 'exec 7<>a 8<>b 9<>c; echo >&7; echo >&8; echo >&9'
	start pmux kqueue --session -p "$owner"
	ask 'control 0 0 read:7 read:8 read:9' 'ok 0'
	for number in 7 8 9 7; do
		ask 'control 1 0' $'event\tread\t-\t-\t1\t'"$number" 'ok 1'
	done
	once='add,oneshot'
	ask "control 0 0 read:7:$once read:8:$once read:9:$once" 'ok 0'
	for number in 8 9 7; do
		ask 'control 1 0' \
		    $'event\tread\t-\toneshot\t1\t'"$number" 'ok 1'
	done
	ask 'control 1 0' 'ok 0'
	stop
}

@test "-p: kqueue: what is clear is told once" {
	need kqueue
	owned
	mkfifo a
	owner_does 'exec 7<>a; echo >&7'
	start pmux kqueue --session -p "$owner"
	ask 'control 0 0 read:7:add,clear' 'ok 0'
	ask 'control 9 5' $'event\tread\t-\tclear\t1\t7' 'ok 1'
	ask 'control 9 0' 'ok 0'
	owner_does 'echo >&7'
	ask 'control 9 5' $'event\tread\t-\tclear\t2\t7' 'ok 1'
	ask 'control 9 0' 'ok 0'
	ask 'control 0 0 read:7:add,clear' 'ok 0'
	ask 'control 9 5' $'event\tread\t-\tclear\t2\t7' 'ok 1'
	stop
}

@test "-p: 0 to 2 are that process's, and the session keeps its own" {
	local command

	owned
	mkfifo a
	owner_does 'exec 2<>a; echo >&2'
	for command in poll devpoll epoll; do
		has "$command" || continue
		start pmux "$command" --session -p "$owner"
		ask 'register 2:in' ok
		ask 'poll' $'event\tin\t2' 'ok 1'
		ask 'unregister 2' ok
		ask 'poll 0' 'ok 0'
		stop
	done
}

# full COMMAND: 300 numbers of the owner in a session that may have 64.
full() {
	local i pairs=()

	rm -f a
	mkfifo a
	owner_does 'exec 99<>a'
	owner_does 'for ((i = 100; i < 400; i++)); do eval "exec $i<>a"; done'
	(
		for ((i = 100; i < 400; i++)); do
			case $1 in
			select) pairs+=("-r $i") ;;
			kqueue) echo "control 0 0 read:$i" ;;
			*) echo "register $i:in" ;;
			esac
		done
		case $1 in
		select) echo "select 0 ${pairs[*]}" ;;
		kqueue) echo 'control 999 0' ;;
		*) echo 'poll 0' ;;
		esac
	) >requests
	owner_does 'echo >&99'
	(ulimit -n 64 && exec pmux "$1" --session -p "$owner" <requests \
	    {owner_in}>&-) >answers 2>messages
	assert_equal "$(tail -n 1 answers) $(<messages)" 'ok 300 '
	! grep error answers
	owner_does 'read -r <&99'
}

@test "-p: more registrations than the session may have descriptors" {
	local command

	owned
	for command in select poll devpoll kqueue; do
		! has "$command" || full "$command"
	done
}

@test "-p: what happens, and is closed, in a pending wait" {
	local command answer

	owned
	mkfifo a
	for command in poll devpoll kqueue; do
		has "$command" || continue
		owner_does 'exec 7<>a'
		start pmux "$command" --session -p "$owner"
		if [[ $command == kqueue ]]; then
			ask 'control 0 0 read:7' 'ok 0'
			send '@w control 9 20'
			answer=$'event @w\tread\t-\t-\t1\t7'
		else
			ask 'register 7:in' ok
			send '@w poll 20'
			answer=$'event @w\tin\t7'
		fi
		ask 'closed' 'ok false'
		await_state "$pid" S
		owner_does 'echo >&7'
		hears "$answer" 'ok @w 1'
		owner_does 'read -r <&7'
		send "$(wait_for "$command" 7 20)"
		ask '@c closed' 'ok @c false'
		owner_does 'exec 8<&7 7<&-'
		if [[ $command != kqueue ]]; then
			hears $'event\tnval\t7' 'ok 1'
		else
			ask '@c cancel' 'error CANCELED the wait was ended'
			hears 'ok @c 1'
			owner_does 'echo >&8'
			ask 'control 9 0' 'ok 0'
			owner_does 'read -r <&8'
		fi
		stop
		owner_does 'exec 8<&-'
	done
}

@test "-p: what a look has an effect on is refused" {
	local command

	need_linux
	rm -f owner.pid
	mkfifo owner.pid
	peer with 7=signalfd.none -- peer owner owner.pid 3>&- &
	read -r owner <owner.pid
	for command in poll devpoll epoll; do
		! has "$command" ||
		    refused_of "$command" 'register 7:in'
	done
	! has select || refused_of select 'select 0 -r 7'
	! has kqueue || refused_of kqueue 'control 0 0 read:7'
}

refused_of() {
	serve "$1" -- -p "$owner" <<<"$2"
	[[ $output == 'error ENOSYS 7: '* ]] || fail "$1: $output $stderr"
}

@test "-p: the process ends" {
	owned
	start pmux poll --session -p "$owner"
	ask 'register 7:in' ok
	kill -KILL "$owner"
	wait "$owner" || :
	ask 'poll' $'event\tnval\t7' 'ok 1'
	stop
	need epoll
	pm epoll --session -p "$owner" </dev/null
	expect_error 3 ESRCH
}

@test "-p: paths are pmux's own" {
	owned
	: >f
	start pmux poll --session -p "$owner"
	ask 'register f:in' ok
	ask 'poll' $'event\tin\tf' 'ok 1'
	stop
}

# ---- scale ----

@test "very many events, none lost and none twice" {
	local command

	for command in poll epoll kqueue; do
		has "$command" || continue
		million "$command"
	done
}

million() {
	local status=0

	rounds 1000
	{
		case $1 in
		kqueue)
			seq -f 'control 0 0 read:%g' 100 1099
			yes 'control 1000 -' | head -n "$rounds"
			;;
		*)
			seq -f 'register %g:in' 100 1099
			yes poll | head -n "$rounds"
			;;
		esac
	} >requests
	peer with 100-1099=pipe.r.data -- pmux "$1" --session <requests |
	    awk -F '\t' -v rounds="$rounds" '
		$1 == "event" { count[$NF]++; answered++; total++ }
		$1 == "ok 1000" {
			waits++
			if (answered != 1000)
				bad = 1
			answered = 0
		}
		END {
			for (number in count) {
				numbers++
				if (count[number] != rounds)
					bad = 1
			}
			print total, waits, numbers, bad + 0
		}' >counts
	assert_equal "$1 $(<counts)" "$1 ${rounds}000 $rounds 1000 0"
}

@test "10,000 events in one answer" {
	local command

	need_number 10200
	for command in poll devpoll epoll; do
		has "$command" || continue
		{
			seq -f 'register %g:in' 100 10099
			echo @x poll
		} >given
		serve "$command" 100-10099=pipe.r.data <given
		assert_equal "${lines[-1]}" 'ok @x 10000'
		assert_equal "$(grep -c '^event @x' <<<"$output")" 10000
		assert_equal "$(grep '^event @x' <<<"$output" | sort -u |
		    count -l)" 10000
	done
}

@test "19,000 registrations" {
	local command count=19000 hard

	hard=$(ulimit -Hn)
	[[ $hard == unlimited ]] || ((hard >= count + 200)) ||
	    count=$((hard - 200))
	((count > 1000)) || skip "a hard limit of $hard is too low"
	ulimit -Sn 256
	for command in poll epoll kqueue; do
		has "$command" || continue
		if [[ $command == kqueue ]]; then
			seq -f 'control 0 0 read:%g' 100 "$((count + 99))"
			echo '@x control 9 -'
		else
			seq -f 'register %g:in' 100 "$((count + 99))"
			echo '@x poll'
		fi >many
		serve "$command" "100-$((count + 98))=pipe.r.empty" \
		    "$((count + 99))=pipe.r.data" <many
		assert_equal "$(grep -cx 'ok\( 0\)*' <<<"$output")" "$count"
		assert_equal "${lines[-1]}" 'ok @x 1'
		assert_regex "${lines[-2]}" "^event @x.*$((count + 99))\$"
	done
}
