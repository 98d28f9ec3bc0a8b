# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# bats-pmux: servers in Bats tests, and waiting for them.  bats-pmux(7) describes
# the functions; those that begin with _pmux_ are private.  For Bats 1.5 and bash
# 3.2: no associative arrays, no BASHPID, no mapfile; no "${@:2}", of which bash 3.2
# makes one word where IFS has no space; and ${a[@]+"${a[@]}"}, since bash before 4.4
# takes an empty array for an unset variable.
#
# Each server has a directory, .bats-pmux/NAME in the temporary directory of the
# test, file or suite that started it.  All that is known of it is in files there,
# so that subshells and other processes know it too:
#
#	log		standard output and standard error
#	pid, keeper	the process IDs of the server and of its keeper
#	ready		what was written to the readiness descriptor
#	status		how the server ended, as $? has it; absent while it runs
#	position	the number of lines of the log that await_line has passed
#	stop		made to ask the keeper to end the server

# ---- reports ----

# _pmux_fail TITLE [KEY VALUE]...: print a report in the form of bats-support, a
# line for a value or a block where it has several, and fail.
_pmux_fail() {
	local title=$1 width=0 i
	local -a lines blocks

	shift
	lines=() blocks=()
	while (($#)); do
		if [[ $2 == *$'\n'* ]]; then
			blocks+=("$1" "$2")
		else
			lines+=("$1" "$2")
			((${#1} <= width)) || width=${#1}
		fi
		shift 2
	done
	{
		printf '\n-- %s --\n' "$title"
		for ((i = 0; i < ${#lines[@]}; i += 2)); do
			printf '%-*s : %s\n' "$width" "${lines[i]}" \
			    "${lines[i + 1]}"
		done
		for ((i = 0; i < ${#blocks[@]}; i += 2)); do
			_pmux_block "${blocks[i]}" "${blocks[i + 1]}"
		done
		printf -- '--\n\n'
	} >&2
	return 1
}

_pmux_block() {
	local count=${2//[!$'\n']/}

	printf '%s (%d lines):\n' "$1" $((${#count} + 1))
	printf '%s\n' "$2" | sed 's/^/  /'
}

# _pmux_state DIR: whether the server runs, and if not how it ended.
_pmux_state() {
	local code

	if code=$(cat "$1/status" 2>/dev/null); then
		if ((code > 128)) && kill -l "$code" >/dev/null 2>&1; then
			code="$code (signal $(kill -l "$code"))"
		fi
		echo "ended with status $code"
	elif kill -0 "$(<"$1/keeper")" 2>/dev/null; then
		echo "runs, process $(<"$1/pid")"
	else
		echo 'not known, since its keeper was killed'
	fi
}

# _pmux_facts [DIR [FROM]]: append to the caller's `facts' what is known of that
# server, or of each: its state, the last lines of its log, but none up to line
# FROM, and the verdict of pmux explain.
_pmux_facts() {
	local dir=${1-} text

	if [[ ! $dir ]]; then
		while read -r dir; do
			_pmux_facts "$dir"
		done < <(_pmux_servers)
		return
	fi
	facts+=("${dir##*/}" "$(_pmux_state "$dir")")
	text=$(tail -n "+$((${2:-0} + 1))" "$dir/log" | tail -n 10)
	facts+=("last lines of ${dir##*/}" "${text:-(none)}")
	[[ ! -e $dir/status ]] || return 0
	text=$("$_PMUX" explain -p "$(<"$dir/pid")" 2>/dev/null | head -n 20)
	[[ ! $text ]] || facts+=("pmux explain" "$text")
}

# _pmux_late CODE WHAT WANTED [KEY VALUE]...: report that WANTED, in short WHAT, did
# not come, by the status of pmux: 1 is the end of the server.  Uses the caller's
# `dir', `start' and `from'.
_pmux_late() {
	local code=$1 what=$2 wanted=$3 title
	local -a facts

	shift 3
	case $code in
	1)
		title="the server ended before $what"
		# the keeper writes the status down in a moment
		"$_PMUX" wait -q -t 2s --exists "$dir/status" \
		    --exit "$(<"$dir/keeper")" || :
		;;
	124) title="timed out waiting for $what" ;;
	*) title="waiting for $what failed with status $code" ;;
	esac
	facts=("awaited" "$wanted" waited "$(_pmux_took "$start")")
	_pmux_facts "$dir" "$from"
	_pmux_fail "$title" "${facts[@]}" "$@"
}

# _pmux_clock: set the caller's `now' to microseconds; before bash 5 there are only
# seconds.
_pmux_clock() {
	now=${EPOCHREALTIME:-$SECONDS.000000}
	now=${now//[!0-9]/}
}

# _pmux_took START: print the time since then.
_pmux_took() {
	local now

	_pmux_clock
	now=$(((now - $1) / 1000))
	printf '%d.%03d s\n' $((now / 1000)) $((now % 1000))
}

# ---- arguments ----

# _pmux_servers: print the directories of the servers of this test, file and suite.
_pmux_servers() (
	set +f
	for scope in "${BATS_TEST_TMPDIR-}" "${BATS_FILE_TMPDIR-}" \
	    "${BATS_SUITE_TMPDIR-}"; do
		for dir in "$scope"/.bats-pmux/*; do
			[[ ! $scope || ! -e $dir/pid ]] || printf '%s\n' "$dir"
		done
	done
)

# _pmux_find NAME: set the caller's `dir' to the directory of that server.
_pmux_find() {
	while read -r dir; do
		[[ ${dir##*/} != "$1" ]] || return 0
	done < <(_pmux_servers)
	_pmux_fail 'no such server' server "$1" \
	    started "$(_pmux_servers | sed 's|.*/||')"
}

# _pmux_parse USAGE ARG...: set the caller's limit, server, wanted and span to the
# values of the options, dir to the directory of the server, start to the time,
# words to the other arguments.  USAGE has the function, its options in brackets,
# and as many words as it takes; a final `...' stands for further ones.
_pmux_parse() {
	local usage=$1 option now IFS=$' \t\n'

	shift
	_pmux_keep_refute_line
	words=() dir='' limit=${BATS_PMUX_TIMEOUT:-10s}
	while [[ ${1-} == -* ]]; do
		option=$1
		case $option in
		--timeout) option=-t ;;
		--server) option=-s ;;
		esac
		[[ $usage == *"[$option "* && $# -ge 2 ]] ||
		    _pmux_fail "no such option, or no value: $1" usage "$usage" ||
		    return
		case $option in
		-t) limit=$2 ;;
		-s) server=$2 ;;
		--status) wanted=$2 ;;
		--for) span=$2 ;;
		esac
		shift 2
	done
	words=("$@")
	# shellcheck disable=SC2086	# its words are counted
	set -- ${usage//\[*\]/}
	[[ ${#words[@]} == $(($# - 1)) ||
	    ($usage == *... && ${#words[@]} -ge $(($# - 1))) ]] ||
	    _pmux_fail 'wrong number of arguments' usage "$usage" || return
	[[ $2 != NAME ]] || server=${words[0]}
	[[ ! ${server-} ]] || _pmux_find "$server" || return
	_pmux_clock
	start=$now
}

# ---- the process that keeps a server ----

# _pmux_keep DIR FD OWNER COMMAND...: run COMMAND, with FD as its readiness
# descriptor unless that is empty, and end it and its descendants when the file
# stop is made, or process OWNER has ended.  Called in a subshell that leads a
# process group, which the server is in.  The keeper lives for as long as its
# number is used for the group, so it cannot mean another.
_pmux_keep() {
	local dir=$1 fd=$2 owner=$3 pid group ended rounds=0
	local -a members

	shift 3
	local IFS=$' \t\n'

	set +eETfmu
	trap - DEBUG ERR EXIT
	# those sent to the group are meant for the server
	trap : HUP INT QUIT TERM
	# shellcheck disable=SC2016	# it is for sh
	group=$(exec sh -c 'echo "$PPID"')
	_pmux_serve "$@" </dev/null >>"$dir/log" 2>&1 &
	pid=$!
	_pmux_put "$dir/pid" "$pid"
	ended=$(_pmux_watch --exit "$pid")
	if [[ $'\n'$ended$'\n' == *$'\n'$pid$'\n'* ]]; then
		_pmux_reap
		_pmux_watch >/dev/null
	fi
	_pmux_end TERM
	((!${#members[@]})) || "$_PMUX" wait -q -a -t "${BATS_PMUX_GRACE:-5s}" "${members[@]}"
	# until there are none; what sleeps in the kernel may stay
	while
		_pmux_end KILL
		((${#members[@]} && ++rounds < 6))
	do
		"$_PMUX" wait -q -a -t 1s "${members[@]}"
	done
	_pmux_reap
}

# _pmux_serve COMMAND...: become COMMAND.
_pmux_serve() {
	# a shell ignores INT and QUIT in what it runs in the background
	trap - HUP INT QUIT TERM
	# with a slash after it, this is the beginning of no other name
	export BATS_PMUX_SERVER=$dir/
	[[ ! $fd ]] || eval "exec $fd>\"\$dir/ready\""
	case $(type -t "$1") in
	function | builtin)
		set -e
		"$@"
		;;
	*) exec "$@" ;;
	esac
}

# _pmux_put FILE TEXT: it appears with its text in it.
_pmux_put() {
	printf '%s\n' "$2" >"$1.new" && mv "$1.new" "$1"
}

# _pmux_watch ARG...: wait for ARG, a request to stop, or the end of the owner.
_pmux_watch() {
	trap '' HUP INT QUIT TERM
	exec "$_PMUX" wait --format %t --exit "$owner" --exists "$dir/stop" "$@"
}

# _pmux_reap: write the status of the server down.
_pmux_reap() {
	local code

	[[ ! -e $dir/status ]] || return 0
	# signals interrupt it
	while
		code=0
		wait "$pid" || code=$?
		kill -0 "$pid"
	do
		:
	done
	_pmux_put "$dir/status" "$code"
}

# _pmux_end SIGNAL: send it to the members of the group, and to descendants that
# have left it, which are found by their environment on Linux.  Sets `members' to
# the arguments that let pmux wait for them.
_pmux_end() {
	local found file text member

	found=''
	if [[ -r /proc/self/environ ]]; then
		for file in /proc/[0-9]*/stat; do
			text=''
			IFS= read -r -d '' text <"$file"
			# behind the name: state, parent, group
			# shellcheck disable=SC2086	# split
			set -- "$1" ${text##*) }
			[[ ${2-Z} == [ZX] || $4 != "$group" ]] ||
			    found="$found ${text%% *}"
		done
		found="$found $(grep -lsF "BATS_PMUX_SERVER=$dir/" \
		    /proc/[0-9]*/environ | sed 's|[^0-9]||g')"
	else
		found=$(ps -A -o pid= -o pgid= -o stat= |
		    awk -v group="$group" '$2 == group && $3 !~ /^Z/ { print $1 }')
	fi
	members=()
	for member in $found; do
		[[ $member != "$group" ]] && kill "-$1" "$member" || continue
		members+=(--exit "$member")
		# one that is stopped ends when it is continued
		kill -CONT "$member"
	done
}

# ---- starting and ending ----

# start_server [--ready-fd N] NAME [--] COMMAND...
start_server() {
	local usage='start_server [--ready-fd N] NAME [--] COMMAND...' fd='' dir
	local name mode=$-

	_pmux_keep_refute_line
	if [[ ${1-} == --ready-fd ]]; then
		fd=${2-}
		[[ $fd == [3-9] ]] ||
		    _pmux_fail "not a number from 3 to 9: $fd" usage "$usage" ||
		    return
		shift 2
	fi
	name=${1-}
	[[ $name == [A-Za-z0-9_]* && $name != *[!A-Za-z0-9_.-]* ]] ||
	    _pmux_fail "not a name: $name" usage "$usage" || return
	shift
	[[ ${1-} != -- ]] || shift
	(($#)) || _pmux_fail 'no command' usage "$usage" || return
	type -t "$1" >/dev/null ||
	    _pmux_fail 'no such command' server "$name" command "$1" || return
	_pmux_scope
	if [[ -e $dir/pid && ! -e $dir/status ]]; then
		_pmux_fail 'the server runs already' server "$name" || return
	fi
	[[ ! -e $dir/pid ]] || _pmux_stop "$dir"
	rm -rf "$dir"
	mkdir -p "$dir"
	touch "$dir/log" "$dir/ready"
	# a process group of its own: a terminal's Ctrl-C is for Bats, which ends
	# the servers
	set -m
	_pmux_keep "$dir" "$fd" "$$" "$@" >/dev/null 2>&1 3>&- &
	[[ $mode == *m* ]] || set +m
	_pmux_put "$dir/keeper" "$!"
	# a test may wait for its children
	disown "$!"
	"$_PMUX" wait -q --exists "$dir/pid" --exit "$(<"$dir/keeper")"
}

# _pmux_scope: set the caller's `dir' to the temporary directory of the test, file
# or suite, and have its servers ended when its teardown function has returned.
_pmux_scope() {
	# by the name of Bats's program: what a Bats that runs this one has
	# exported is in the variables
	case ${0##*/} in
	*suite*)
		dir=$BATS_SUITE_TMPDIR
		_pmux_wrap teardown_suite
		;;
	*file*)
		dir=$BATS_FILE_TMPDIR
		_pmux_wrap teardown_file
		;;
	*)
		dir=$BATS_TEST_TMPDIR
		_pmux_wrap teardown
		;;
	esac
	_PMUX_SCOPE=$dir/.bats-pmux
	dir=$_PMUX_SCOPE/$name
}

_pmux_wrap() {
	! declare -F "_pmux_own_$1" >/dev/null || return 0
	declare -F "$1" >/dev/null || eval "$1() { :; }"
	eval "_pmux_own_$(declare -f "$1")"
	eval "$1() {
		local code=0
		_pmux_own_$1 || code=\$?
		_pmux_stop \"\$_PMUX_SCOPE\"/*
		return \"\$code\"
	}"
}

# _pmux_stop DIR...: end the servers, side by side.
_pmux_stop() {
	local dir
	local -a keepers

	keepers=()
	for dir; do
		[[ -e $dir/keeper ]] || continue
		: >"$dir/stop"
		keepers+=(--exit "$(<"$dir/keeper")")
	done
	((!${#keepers[@]})) || "$_PMUX" wait -q -a "${keepers[@]}"
}

# stop_server NAME
stop_server() {
	local dir limit server start from=0
	local -a words

	_pmux_parse 'stop_server NAME' "$@" || return
	_pmux_stop "$dir"
}

# server_log NAME: print the name of the file with its output.
server_log() {
	local dir limit server start from=0
	local -a words

	_pmux_parse 'server_log NAME' "$@" || return
	printf '%s\n' "$dir/log"
}

# server_pid NAME
server_pid() {
	local dir limit server start from=0
	local -a words

	_pmux_parse 'server_pid NAME' "$@" || return
	cat "$dir/pid"
}

# ---- lines ----

# _pmux_follow FILE FROM ERE: print the line of FILE, behind line FROM, that ERE
# matches first, and after it its number.  Waits for it for the caller's `limit',
# while the server in the caller's `dir' runs.  The status is pmux's.
_pmux_follow() (
	trap - DEBUG ERR
	set +eE +o pipefail
	how=(kqueue -t "$limit" --while "$(<"$dir/pid")" read:0)
	# its number may be another's by now; the file is read to its end
	[[ ! -e $dir/status ]] || how=(wait 0)
	{
		(($2 == 0)) || "$_PMUX" wait -q --lines --count "$2" 0
		"$_PMUX" "${how[@]}" --lines --until "$3" --format %l
	} <"$1" | LC_ALL=C awk -v from="$2" '
	{ last = $0 }
	END {
		print last
		print NR + from
	}'
	exit "${PIPESTATUS[0]}"
)

_pmux_position() {
	cat "$dir/position" 2>/dev/null || echo 0
}

# _pmux_seconds DURATION: print it as a number of seconds, as far as it is one.
_pmux_seconds() {
	awk -v text="$1" 'BEGIN {
		unit = text
		gsub(/[0-9.]/, "", unit)
		n = split("ns .000000001 us .000001 ms .001 s 1 m 60 h 3600 d 86400",
		    units, " ")
		for (i = 1; i < n; i += 2)
			if (unit == units[i])
				text = sprintf("%.9f", text * units[i + 1])
		print text
	}'
}

# _pmux_left START LIMIT: print how much of LIMIT is left.
_pmux_left() {
	local now

	_pmux_clock
	awk -v limit="$(_pmux_seconds "$2")" -v gone=$((now - $1)) 'BEGIN {
		left = limit - gone / 1000000
		if (limit !~ /^[0-9.]+$/)
			print limit
		else
			printf("%.3f\n", left > 0 ? left : 0)
	}'
}

# _pmux_lines ERE...: await_lines; for the caller's server.
_pmux_lines() {
	local from position ere found code whole=$limit

	from=$(_pmux_position) position=$from
	for ere; do
		code=0
		found=$(_pmux_follow "$dir/log" "$from" "$ere") || code=$?
		((!code)) || _pmux_no_line || return
		((${found##*$'\n'} <= position)) || position=${found##*$'\n'}
		printf '%s\n' "${found%$'\n'*}"
		limit=$(_pmux_left "$start" "$whole")
	done
	_pmux_put "$dir/position" "$position"
}

_pmux_no_line() {
	local passed
	local -a more

	more=()
	if ((from)) && passed=$(head -n "$from" "$dir/log" |
	    "$_PMUX" wait --lines --until "$ere" --format %l 0 2>/dev/null); then
		more=('already passed' "${passed##*$'\n'}")
	fi
	_pmux_late "$code" 'a matching line' "a line that matches: $ere" \
	    ${more[@]+"${more[@]}"}
}

# await_line [-t DURATION] NAME ERE: wait for a line that matches, and print it.
await_line() {
	local dir limit server start from=0
	local -a words

	_pmux_parse 'await_line [-t DURATION] NAME ERE' "$@" || return
	_pmux_lines "${words[1]}"
}

# await_lines [-t DURATION] NAME ERE...: a line for each, in any order.
await_lines() {
	local dir limit server start from=0
	local -a words

	_pmux_parse 'await_lines [-t DURATION] NAME ERE...' "$@" || return
	set -- "${words[@]}"
	shift
	_pmux_lines "$@"
}

# refute_line [--for DURATION] NAME ERE: no line that matches comes in that time.
# bats-assert has a function of this name, which takes one word or options of its
# own; what is not ours is passed on to it.
_pmux_refute_line() {
	local dir limit server start from span=500ms found code=0
	local -a words facts

	if [[ ${1-} != --for && ($# -ne 2 || ${1-} == -*) ]] &&
	    declare -F _pmux_own_refute_line >/dev/null; then
		_pmux_own_refute_line "$@"
		return
	fi
	_pmux_parse 'refute_line [--for DURATION] NAME ERE' "$@" || return
	limit=$span
	from=$(_pmux_position)
	found=$(_pmux_follow "$dir/log" "$from" "${words[1]}") || code=$?
	case $code in
	1 | 124) return 0 ;;
	0) ;;
	*) _pmux_late "$code" 'no line' "no line that matches: ${words[1]}" || return ;;
	esac
	facts=('not awaited' "a line that matches: ${words[1]}"
	    line "${found%$'\n'*}" waited "$(_pmux_took "$start")")
	_pmux_facts "$dir" "$from"
	_pmux_fail 'a line that must not come' "${facts[@]}"
}

# _pmux_keep_refute_line: bats-assert may have been loaded behind this.
_pmux_keep_refute_line() {
	case $(declare -f refute_line) in
	*_pmux_refute_line*) return ;;
	?*) eval "_pmux_own_$(declare -f refute_line)" ;;
	esac
	refute_line() {
		_pmux_refute_line "$@"
	}
}

# ---- other things to wait for ----

# await_ready [-t DURATION] NAME: a line on the readiness descriptor.
await_ready() {
	local dir limit server start from=0 code=0
	local -a words

	_pmux_parse 'await_ready [-t DURATION] NAME' "$@" || return
	_pmux_follow "$dir/ready" 0 '^' >/dev/null || code=$?
	((!code)) || _pmux_late "$code" 'readiness' \
	    'a newline on the readiness descriptor'
}

# await_quiet [-t DURATION] [--for DURATION] NAME: its log does not grow for a time.
await_quiet() {
	local dir limit server start from=0 span=500ms code=0
	local -a words

	_pmux_parse 'await_quiet [-t DURATION] [--for DURATION] NAME' "$@" ||
	    return
	_pmux_quiet || code=$?
	((!code)) || _pmux_late "$code" 'quiet' "no output for $span"
}

# _pmux_quiet: whether there was quiet for `span' within `limit'.  The first pmux
# ends the pipe, or dies of SIGPIPE when the second has ended it.
_pmux_quiet() (
	trap - DEBUG ERR
	set +eE +o pipefail
	"$_PMUX" kqueue --follow --idle "$span" "vnode:$dir/log:write" 3>&- |
	    "$_PMUX" wait --lines -q -t "$limit" 0
	ends=("${PIPESTATUS[@]}")
	((ends[1] > 1)) && exit "${ends[1]}"
	((ends[0] == 124)) || exit "${ends[0]}"
)

# await_exit [--status N] [-t DURATION] NAME
await_exit() {
	local dir limit server start from=0 wanted='' code=0
	local -a words facts

	_pmux_parse 'await_exit [--status N] [-t DURATION] NAME' "$@" || return
	[[ ! $wanted || $wanted != *[!0-9]* ]] ||
	    wanted=$((128 + $(kill -l "${wanted#SIG}")))
	"$_PMUX" wait -q -t "$limit" --exists "$dir/status" \
	    --exit "$(<"$dir/keeper")" || code=$?
	((!code)) || _pmux_late "$code" 'its end' \
	    "its end${wanted:+ with status $wanted}" || return
	[[ ! $wanted || $(cat "$dir/status") == "$wanted" ]] || {
		facts=(awaited "its end with status $wanted"
		    waited "$(_pmux_took "$start")")
		_pmux_facts "$dir"
		_pmux_fail 'exit status differs' "${facts[@]}"
	}
}

# _pmux_await WHAT WANTED ARG...: pmux wait ARG..., with `limit', while the server of
# `dir' runs, if there is one.
_pmux_await() {
	local what=$1 wanted=$2 code=0 found
	local -a ends

	shift 2
	ends=()
	[[ ! $dir ]] || ends=(--exists "$dir/status" --exit "$(<"$dir/keeper")")
	found=$("$_PMUX" wait -t "$limit" --format '%e %t' "$@" \
	    ${ends[@]+"${ends[@]}"}) || code=$?
	# its last act may have been this
	case $found in
	"exists $dir/status"* | exit* | signal*)
		"$_PMUX" wait -q -t 0 "$@" || code=1
		;;
	esac
	((!code)) || _pmux_late "$code" "$what" "$wanted"
}

# await_file [-t DURATION] [-s NAME] PATH
await_file() {
	local dir limit server start from=0
	local -a words

	_pmux_parse 'await_file [-t DURATION] [-s NAME] PATH' "$@" || return
	_pmux_await 'the file' "the file ${words[0]}" --exists "${words[0]}"
}

# await_no_file [-t DURATION] [-s NAME] PATH
await_no_file() {
	local dir limit server start from=0
	local -a words

	_pmux_parse 'await_no_file [-t DURATION] [-s NAME] PATH' "$@" || return
	_pmux_await 'the removal of the file' "no file ${words[0]}" \
	    --absent "${words[0]}"
}

# await_connect [-t DURATION] [-s NAME] ADDRESS
await_connect() {
	local dir limit server start from=0
	local -a words

	_pmux_parse 'await_connect [-t DURATION] [-s NAME] ADDRESS' "$@" || return
	_pmux_await 'a connection' "a connection to ${words[0]}" \
	    --connect "${words[0]}"
}

# ---- loading ----

_pmux_keep_refute_line

# Where a test fails is where it calls these functions.
! declare -F bats_add_debug_exclude_path >/dev/null ||
    bats_add_debug_exclude_path "${BASH_SOURCE[0]%/*}"

# The program, also when a test changes PATH: that of PATH, else the one that was
# built where this file is.
_PMUX=$(type -P pmux) || _PMUX=${BASH_SOURCE[0]%/*}/../../build/pmux
[[ $_PMUX == /* ]] || _PMUX=$PWD/$_PMUX
[[ -x $_PMUX ]] || {
	echo 'bats-pmux: pmux is not in PATH' >&2
	return 1
}
