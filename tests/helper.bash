# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# shellcheck disable=SC2154	# status, output, stderr: set by run
# shellcheck disable=SC2034	# BATS_DEBUG_...: used by Bats
#
# Loaded by every test file. Needs PMUX, the program under test, and
# PMUX_TOOLS, the directory of what tests/tools has. Both absolute. TEST_LIMIT:
# seconds after which a test is taken to hang. TEST_ROUNDS: see rounds.

bats_require_minimum_version 1.8.0

: "${PMUX:?must name the pmux to be tested}"
: "${PMUX_TOOLS:?must name the directory that has peer and guard}"
PATH=${PMUX%/*}:$PMUX_TOOLS:$PATH
export PATH
export LC_ALL=C

# PMUX_BUILTIN: `pmux' is the builtin, in the process of each test; what another
# program executes, tools of the tests and other shells, is still the program.
if [[ ${PMUX_BUILTIN-} ]]; then
	enable -f "$PMUX_SO" pmux 2>/dev/null || exit
fi

# shellcheck source=tests/assert.bash
source "${BASH_SOURCE[0]%/*}/assert.bash"

# A file may have a function prepare, to be called before each of its tests: a
# skip in setup_file is an error for Bats 1.8.
setup() {
	local self=$BASHPID	# behind & it would be another

	trap_failures
	cd -- "$BATS_TEST_TMPDIR" || return 1
	umask 022
	# what guard knows the test's own processes by
	export TEST_OF_PMUX=$BATS_TEST_TMPDIR
	guard watch "${TEST_LIMIT:-600}" "$self" 3>&- &
	disown "$!" 2>/dev/null || :	# where guard cannot watch, it has ended
	need_primitives
	! declare -F prepare >/dev/null || prepare
}

# To know where a test fails Bats has bash call a function before each command,
# which takes more CPU time than the tests. For bash says it when one fails.
trap_failures() {
	trap - DEBUG
	trap at_failure ERR
	BATS_DEBUG_LAST_STACK_TRACE=()
	BATS_DEBUG_LASTLAST_STACK_TRACE=()
}

at_failure() {
	BATS_ERROR_STATUS=${BATS_ERROR_STATUS:-$?}
	bats_capture_stack_trace
	BATS_DEBUG_LAST_STACK_TRACE_IS_VALID=yes
}

# The primitives that this pmux lacks.
setup_file() {
	LACKING=$(pmux info | sed -n $'s/\tabsent\t.*//p')
	export LACKING
}

# text_of TEST: its words, and those of the functions and variables of its file
# that it uses.
text_of() {
	local -A seen=()
	local -a names=("$1")
	local word text

	for ((i = 0; i < ${#names[@]}; i++)); do
		text=$(declare -f "${names[i]}" || echo "${!names[i]-}")
		printf '%s\n' "$text"
		for word in ${text//[!a-zA-Z0-9_]/ }; do
			[[ -z ${seen[$word]-} && " $HELPERS " != *" $word "* ]] ||
			    continue
			seen[$word]=yes
			if declare -F "$word" >/dev/null ||
			    [[ $word == [a-z]* && -n ${!word-} ]]; then
				names+=("$word")
			fi
		done
	done
}

# Skip a test that names a primitive that this pmux lacks, and does not ask for
# it by itself.
need_primitives() {
	local name text

	[[ $LACKING ]] || return 0
	text=$(text_of "$BATS_TEST_NAME")
	# by a variable: for one of several
	[[ ! $text =~ (^|[^a-zA-Z0-9_])(has|need)\ \"?\$ ]] || return 0
	text=" ${text//[!a-zA-Z0-9_]/ } "
	for name in $LACKING; do
		[[ $text != *" $name "* || $text =~ \ (has|need)\ $name\  ]] ||
		    skip "this pmux has no $name"
	done
}

# Nothing that a test began outlives it.  A holder ends when its FIFO has no
# name any more; what is left all the same, tests/bats-tap ends after the file.
teardown() {
	local f
	local -a fifos=()

	end_jobs
	shopt -s nullglob
	for f in "$BATS_TEST_TMPDIR"/* "$BATS_TEST_TMPDIR"/*/*; do
		[[ ! -p $f || -L $f ]] || fifos+=("$f")
	done
	((${#fifos[@]} == 0)) || rm -f -- "${fifos[@]}"
	# a folder on another file system than BATS_TEST_TMPDIR
	[[ ! ${elsewhere-} ]] || rm -rf -- "$elsewhere"
	[[ ${part_failed-} ]] || return 0
	[[ ! $BATS_TEST_COMPLETED ]] || echo '# only parts failed' >&3
	return 1
}

end_jobs() {
	local pid

	# not all at once: bash 5.2 may wait for ever for a process substitution
	for pid in $(jobs -p); do
		kill -KILL "$pid" 2>/dev/null || :
		wait "$pid" || :
	done
}

# need_root, need_user: skip a test that is the other's.
need_root() {
	[[ $(id -u) == 0 ]] || skip "needs root"
}

need_user() {
	[[ $(id -u) != 0 ]] || skip "root may do this"
}

# need_program WHY: skip a test that the builtin cannot pass.
need_program() {
	[[ ! ${PMUX_BUILTIN-} ]] || skip "not with the builtin: $1"
}

need_linux() {
	[[ ! ${PMUX_AS-} ]] || skip "as $PMUX_AS"
	[[ $(uname -s) == Linux ]] || skip "is about Linux"
}

# hide: set `hidden' to a command that runs another one where the kernel does not
# say how a process ended that was waited for.
hide() {
	need_linux
	# PIDFD_GET_INFO, and the process connector
	hidden=(deny "ioctl:0xc040ff0b=ENOTTY" "socket=EPERM" --)
	"${hidden[@]}" true || skip 'no seccomp'
}

# how STATUS: a regex for how the child is said to have ended, which is
# unknown where it has been waited for and the kernel does not say.
how() {
	peer reaped && echo "$1" || echo "($1|-)"
}

# may_follow: skip unless this process may be told of forks.
may_follow() {
	pm kqueue -t 0 "proc:$$:fork"
	[[ $status == 124 ]] || skip "no fork and exec to be had: $stderr"
}

need_proc() {
	[[ -r /proc/self/stat ]] || skip "no /proc to look at processes with"
}

# has_filter NAME: whether kevent(2) has that filter.
has_filter() {
	pm kqueue -t 0 "$1:1"
	[[ $status != 4 ]]
}

# need_filter NAME: skip where kevent(2) lacks the filter.
need_filter() {
	has_filter "$1" || skip "$stderr"
}

# need_fifo_room BACKEND: skip where it does not report whether a FIFO can be
# written to.  EVFILT_WRITE of NetBSD 9.1 is ready, with eof, for each FIFO.
need_fifo_room() {
	[[ $1 != kqueue || $(uname -s) != NetBSD ]] ||
	    skip "a FIFO has eof for each writer here"
}

# need_number N: descriptor N must be within the hard limit.
need_number() {
	local hard

	hard=$(ulimit -Hn)
	[[ $hard == unlimited ]] || ((hard > $1)) ||
	    skip "the hard limit of $hard allows no descriptor $1"
}

# rounds N: set `rounds' to how often a test does what it does N times when it has
# the time: TEST_ROUNDS is percent of that, 10 unless it is set.
rounds() {
	rounds=$(($1 * ${TEST_ROUNDS:-10} / 100))
	((rounds > 3)) || rounds=3
}

# has COMMAND: does this system have the primitive?
has() {
	[[ " $LACKING " != *" $1 "* ]]
}

need() {
	has "$1" || skip "no $1 on this system"
}

# each FUNCTION [ARG]...: FUNCTION BACKEND [ARG]... for each that there is, as a
# part of the test.
each() {
	among "select poll devpoll epoll kqueue wait" "$@"
}

# among BACKENDS FUNCTION [ARG]...: for each of these.
among() {
	local backend did=

	for backend in $1; do
		if has "$backend"; then
			part "$backend" "${@:2}"
			did=yes
		fi
	done
	[[ $did ]]
}

# part NAME FUNCTION [ARG]...: FUNCTION NAME [ARG]... in a subshell, with a result
# of its own (tests/tap). The test goes on, and fails in the end, if it fails;
# the files that it made have gone by then.
part() {
	local result f
	local -a before=(*)

	trap - ERR
	set +e
	(
		set -e
		# not local: where a function fails, the trap may not see it
		part_name="$BATS_TEST_DESCRIPTION: $1${3+ ${*:3}}"
		trap at_failure ERR
		trap end_part EXIT
		"$2" "$1" "${@:3}"
	) >"$BATS_TEST_TMPDIR.part" 2>&1
	result=$?
	set -e
	trap at_failure ERR
	((result != 0)) || return 0
	part_failed=yes
	for f in *; do
		[[ "${before[*]/#/:}:" == *":$f:"* ]] || rm -rf -- "$f"
	done
}

end_part() {
	local result=$?

	trap - ERR
	set +e
	end_jobs
	if ((result != 0)); then
		echo "# not ok $part_name"
		bats_print_stack_trace "${BATS_DEBUG_LAST_STACK_TRACE[@]}"
		bats_print_failed_command "${BATS_DEBUG_LAST_STACK_TRACE[@]}"
		sed 's/^/# /' "$BATS_TEST_TMPDIR.part"
	elif [[ ${BATS_TEST_SKIPPED-} ]]; then
		echo "# ok $part_name # skip $BATS_TEST_SKIPPED"
	else
		echo "# ok $part_name"
	fi >&3
	exit "$result"
}

# reads COMMAND TARGET, writes COMMAND TARGET: how the command is told.
reads() {
	case $1 in
	select)
		echo "$2"
		;;
	kqueue)
		echo "read:$2"
		;;
	*)
		echo "$2:in"
		;;
	esac
}

writes() {
	case $1 in
	select)
		echo "-w$2"
		;;
	kqueue)
		echo "write:$2"
		;;
	*)
		echo "$2:out"
		;;
	esac
}

# says COMMAND: its word for what can be read.
says() {
	case $1 in
	select | kqueue)
		echo read
		;;
	*)
		echo in
		;;
	esac
}

# short: leave only the first and the last column of each line of `output`.
short() {
	output=$(sed $'s/^\\([^\t]*\t\\).*\t/\\1/' <<<"$output")
}

# apart COMMAND [ARG]...: as `run --separate-stderr', for which Bats starts two
# processes more.
apart() {
	local messages=$BATS_TEST_TMPDIR.$BASHPID.$((++kept_apart))

	if declare -F "$1" >/dev/null || [[ ${PMUX_BUILTIN-} ]]; then
		output=$(set +eET; "$@" 2>"$messages") && status=0 || status=$?
	else
		output=$(exec "$@" 2>"$messages") && status=0 || status=$?
	fi
	read -rd '' stderr <"$messages" || :
	IFS=$'\n' read -rd '' -a lines <<<"$output" || :
	IFS=$'\n' read -rd '' -a stderr_lines <<<"$stderr" || :
	BATS_RUN_COMMAND=$*
}

# pm ARG...: run pmux, output and messages apart.
pm() {
	apart pmux "$@"
}

# seen_fifo: the FIFO f, where it can be seen who has it open.
seen_fifo() {
	mkfifo f
	peer openers f >/dev/null || skip "$(peer openers f 2>&1)"
}

# with SPEC... -- PROGRAM [ARG]...: run it with descriptors made by peer.
with() {
	apart peer with "$@"
	if [[ $status == 77 && $stderr == peer:* ]]; then
		skip "$stderr"
	fi
}

# ask BACKEND EVENT STATE: what the command says of descriptor 7 in STATE, at
# once; `words` has the events in poll's words.
ask() {
	local -a list=([0]=-r)
	case $1:$2 in
	select:out)
		list=(-w)
		;;
	select:pri)
		list=(-x)
		;;
	esac
	if [[ $1 == select ]]; then
		with "7=$3" -- pmux select -t 0 "${list[@]}" 7
	elif [[ $1 == kqueue && $2 == out ]]; then
		with "7=$3" -- pmux kqueue -t 0 write:7
	elif [[ $1 == kqueue ]]; then
		with "7=$3" -- pmux kqueue -t 0 read:7
	else
		with "7=$3" -- pmux "$1" -t 0 "7:$2"
	fi
	words=${output%%$'\t'*}
	words=${words/read/in}
	words=${words/write/out}
	words=${words/except/pri}
}

# expect STATUS [LINE]...: how the last run ended and all that it printed.
expect() {
	local wanted=$1 text

	shift
	printf -v text '%s\n' "$@"
	text=${text%$'\n'}
	[[ $status == "$wanted" && $output == "$text" ]] ||
	    differs unexpected command "${BATS_RUN_COMMAND-}" \
	        status "$status" 'not' "$wanted" \
	        output "$output" 'not' "$text" message "$stderr"
}

# expect_error STATUS REGEX: nothing printed, one line of message. A REGEX that
# begins with pmux is about the whole of it.
expect_error() {
	local pattern="^pmux: .*$2"

	[[ $2 != pmux:* ]] || pattern=^$2
	expect "$1"
	[[ $stderr != *$'\n'* && $stderr =~ $pattern ]] ||
	    differs 'unexpected message' command "${BATS_RUN_COMMAND-}" \
	        message "$stderr" 'wanted' "one line with $2"
}

# usage_error REGEX ARG...: pmux ARG... is one.
usage_error() {
	pm "${@:2}" </dev/null
	expect_error 2 "$1"
}

# owned: start a shell that does as it is told by owner_does, in `owner`.
owned() {
	need_linux
	rm -f owner.in owner.out
	mkfifo owner.in owner.out
	bash -c 'while read -r line; do eval "$line"; echo; done' \
	    <owner.in >owner.out 3>&- &
	owner=$!
	exec {owner_in}>owner.in
	# it stays open: who opens it again may find the last writer closing
	exec {owner_out}<owner.out
	pm poll -t 0 -p "$owner" 0
	[[ $stderr != *"no pidfd_getfd"* && $stderr != *EPERM* ]] ||
	    skip "pidfd_getfd(2): $stderr"
}

owner_does() {
	echo "$1" >&"$owner_in"
	read -r _ <&"$owner_out"
}

# waiting ARG...: start pmux in the background; it waits when this returns.
# Its process id is in `pid`, its output in out, its messages in err.
waiting() {
	[[ -p ready ]] || mkfifo ready
	pmux "$1" --ready-fd 9 "${@:2}" 9>ready >out 2>err 3>&- &
	pid=$!
	# shellcheck disable=SC2034
	read -r line <ready || {
		cat err
		return 1
	}
}

# streaming COMMAND ARG...: start pmux in the background; it waits when this
# returns. Its output comes through the FIFO that descriptor 8 reads.
streaming() {
	[[ -p ready ]] || mkfifo ready
	[[ -p records ]] || mkfifo records
	pmux "$1" --ready-fd 9 "${@:2}" >records 9>ready 2>err \
	    3>&- 5>&- 6>&- &
	pid=$!
	exec 8<records
	read -r line <ready || {
		cat err
		return 1
	}
}

# ends STATUS [MESSAGE]: what `streaming' started ends by itself, prints nothing
# more, and no other message.
ends() {
	local status

	run ! read -r line <&8 || fail "one more record: $line"
	exec 8<&-
	status=0	# run has set it
	wait "$pid" || status=$?
	assert_equal "$status $(<err)" "$1 ${2-}"
}

# finish PID: wait for it; `status`, `output` and `stderr` as run has them.
finish() {
	status=0
	wait "$1" || status=$?
	# shellcheck disable=SC2034
	output=$(<out)
	# shellcheck disable=SC2034
	stderr=$(<err)
	# shellcheck disable=SC2034
	BATS_RUN_COMMAND='(in the background)'
}

# state PID: the letter that ps(1) prints, S also for I, which a BSD has for what
# has slept for long.  /proc costs no process.
state() {
	local line

	if [[ -r /proc/self/stat ]]; then
		read -r line 2>/dev/null <"/proc/$1/stat" || return 1
		line=${line##*) }
	else
		line=$(ps -o stat= -p "$1" 2>/dev/null) || return 1
		line=${line/#I/S}
	fi
	printf '%s\n' "${line:0:1}"
}

# child_of PID: its only child, or nothing.
child_of() {
	local child

	if [[ -r /proc/self/stat ]]; then
		child=$(cat "/proc/$1/task/$1/children" 2>/dev/null) || :
	else
		child=$(pgrep -P "$1") || :
	fi
	printf '%s\n' "${child% }"
}

# command_of PID: its command line, or the title that it has instead.
command_of() {
	if [[ -r /proc/self/stat ]]; then
		tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline"
	else
		ps -ww -o command= -p "$1"
	fi
}

# sleeps PID: how often it has gone to sleep.
sleeps() {
	if [[ -r /proc/self/status ]]; then
		sed -n 's/^voluntary_ctxt_switches:\t//p' "/proc/$1/status"
	else
		ps -o nvcsw= -p "$1" 2>/dev/null || :
	fi
}

need_sleeps() {
	[[ $(sleeps $$) ]] || skip "ps(1) does not say how often a process slept"
}

# file_id FILE: DEVICE:INODE.
file_id() {
	stat -Lc %d:%i "$1" 2>/dev/null || stat -Lf %d:%i "$1"
}

# count OPTION: what wc(1) counts of standard input, without a BSD's spaces.
count() {
	local number

	number=$(wc "$1")
	printf '%s\n' "${number//[[:blank:]]/}"
}

# await_state PID LETTERS: wait until it is in one of these states.
await_state() {
	local letter

	until letter=$(state "$1") || return 1
	    [[ $letter == ["$2"] ]]; do
		sleep 0.002
	done
}

# await_gone PID: wait until there is no such process, or a dead one.
await_gone() {
	local letter

	while letter=$(state "$1") && [[ $letter != [ZX] ]]; do
		sleep 0.002
	done
}

# json KEY: that key of the one object on standard input, as JSON.
json() {
	if command -v jq >/dev/null; then
		jq -c --arg key "$1" 'if has($key) then .[$key] else error end'
	elif perl -MJSON::PP -e 1 2>/dev/null; then
		# shellcheck disable=SC2016
		perl -MJSON::PP -e '
			my $json = JSON::PP->new->utf8->allow_nonref->canonical;
			local $/;
			my $object = $json->decode(<STDIN>);
			exists $object->{$ARGV[0]} or die "no such key";
			print $json->encode($object->{$ARGV[0]}), "\n"' "$1"
	else
		python3 -c '
import json, sys
value = json.load(sys.stdin)[sys.argv[1]]
print(json.dumps(value, separators=(",", ":"), ensure_ascii=False))' "$1"
	fi
}

need_json() {
	command -v jq >/dev/null || perl -MJSON::PP -e 1 2>/dev/null ||
	    command -v python3 >/dev/null ||
	    skip "no jq, no JSON::PP and no python3 to read JSON with"
}

# What a test's file has by itself is not among these.
[[ ! ${LACKING-} ]] || HELPERS=$(compgen -A function | tr '\n' ' ')
