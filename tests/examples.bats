#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# Every example of README and of the manual pages, as printed, in dash and in
# bash, and in the other shells that there are: it ends with status 0, says
# nothing on standard error, and prints what the text says that it prints.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

top=$BATS_TEST_DIRNAME/..

# ---- what there is ----

# man_examples FILE: write the marked displays of a manual page into LINE.sh,
# LINE.out (what that one prints) and LINE.illustration. The marks are described
# at the head of pmux.1.
man_examples() {
	awk '
	function bad(what) {
		printf "%s:%d: %s\n", FILENAME, FNR, what
		failed = 1
	}
	/^\.\\" (example|output|illustration)$/ {
		kind = $2
		next
	}
	/^\.Bd -literal/ {
		if (kind == "")
			bad("a display without a mark")
		if (kind == "output" && !example)
			bad("the output of what?")
		if (kind == "output")
			file = example ".out"
		else
			file = FNR (kind == "example" ? ".sh" : ".illustration")
		example = kind == "example" ? FNR : 0
		printf "" > file
		next
	}
	/^\.Ed$/ && file != "" {
		close(file)
		file = kind = ""
		next
	}
	file != "" {
		if (/^[.\047]/)
			bad("a request in an example")
		gsub(/\\e/, "\001")
		if (/\\/)
			bad("an escape in an example")
		gsub(/\001/, "\\")
		print > file
	}
	kind != "" && file == "" { bad("a mark without a display") }
	END { exit failed }' "$1"
}

# readme_examples: write each block of README, which is what has a tab before
# it, into LINE.sh, or if nothing behind it says what it "prints" into
# LINE.block; what it prints into LINE.out, the heading above into LINE.title.
readme_examples() {
	local file

	awk '
	/^\t/ && !inside {
		inside = 1
		if (first ~ /^prints/)
			file = number ".out"
		else {
			number = FNR
			file = number ".block"
			print title > (number ".title")
		}
		blanks = ""
	}
	/^$/ {
		blanks = blanks "\n"
		next
	}
	/^\t/ {
		printf "%s%s\n", blanks, substr($0, 2) > file
		blanks = ""
		next
	}
	inside || blanks != "" { first = $1 }
	{
		inside = 0
		blanks = ""
	}
	/^### / { title = substr($0, 5) }
	/^---/ { title = "" }' "$top/README"
	for file in *.out; do
		mv "${file%.out}.block" "${file%.out}.sh"
	done
}

# ---- running ----

# check NUMBER COMMAND...: run it in the new directory scratch, for the example at
# that line. What it leaves in the background with its output is waited for.
check() {
	local number=$1 wanted

	shift
	mkdir scratch
	apart in_scratch "$@"
	wanted=$output
	[[ ! -e $number.out ]] || wanted=$(<"$number.out")
	[[ $status == 0 && ! $stderr && $output == "$wanted" ]] ||
	    differs unexpected example "$where, line $number" \
	        command "$*" status "$status" output "$output" \
	        'not' "$wanted" message "$stderr"
}

in_scratch() {
	cd scratch && "$@" </dev/null 3>&-
}

# each_shell FUNCTION: FUNCTION SHELL, for those that there are.
each_shell() {
	local shell

	for shell in dash bash; do
		if command -v "$shell" >/dev/null; then
			"$1" "$shell"
		fi
	done
	command -v dash >/dev/null || skip "no dash; bash runs them all"
}

# page NAME: every example of that manual page.
page() {
	need poll
	where=$1
	man_examples "$top/man/$1" || fail "the examples of $1 cannot be read"
	if [[ $1 == pmux-zsh.1 ]]; then
		page_in zsh
	else
		each_shell page_in
	fi
}

page_in() {
	local file text

	for file in *.sh; do
		[[ -e $file ]] || continue
		read -rd '' text <"$file" || :
		can_run "$text" "$1" || continue
		if [[ $'\n'$text == *$'\n''bats '* ]]; then
			check "${file%.sh}" new_bats "$@" "$PWD/$file"
		else
			check "${file%.sh}" "$@" "$PWD/$file"
		fi
		rm -rf scratch
	done
	for file in *.illustration; do
		[[ ! -e $file ]] || "$@" -n "$file"
	done
}

# has_line TEXT REGEX: whether it matches a part of a line, ^ is its beginning.
has_line() {
	local line

	while IFS= read -r line; do
		[[ ! $line =~ $2 ]] || return 0
	done <<<"$1"
	return 1
}

# is_portable EXAMPLE: whether it does the same here as on Linux, where several
# readers of a pipe take whole lines, an unfinished line stays in it, and a
# drained pipe does not report `in'.  On NetBSD poll(2) of a FIFO reports no hangup
# and always `in', and a write to the end of a file may not be told as `extend'.
is_portable() {
	local linux='^worker\(\)|printf .*\\nthr|^pmux poll --follow -t 5s 3 3'

	case $(uname -s) in
	Linux) return ;;
	NetBSD) linux+='|^pmux poll .* (3:0x0|3:in,pri,out|-e in,out)|vnode:result:write' ;;
	esac
	! has_line "$1" "$linux"
}

# can_run EXAMPLE SHELL: whether this system has what the example needs.
can_run() {
	local command

	is_portable "$1" || return
	for command in select poll devpoll epoll kqueue wait; do
		[[ $1 != *"pmux $command"* ]] || has $command || return
	done
	! has_line "$1" '^#!.*bats' || return
	! has_line "$1" ' aio:' || has_filter aio || return
	! has_line "$1" 'pmux .* -p ' || looks_at_others || return
	# its pipelines are sockets, and it reports a child that stops
	[[ $2 != ksh ]] || ! has_line "$1" \
	    '\| .*pmux (inspect|compare) 0|^sleep 10 \| cat|kill -STOP' || return
	# a coprocess that has a number
	[[ $2 == bash ]] || ! has_line "$1" '^coproc|BASH_VERSION|^enable' ||
	    return
	! has_line "$1" '^enable' || loadable || return
	! has_line "$1" '^zmodload' || { [[ $2 == zsh ]] && module; }
}

# module: whether "zmodload pmux" finds the module.
module() {
	[[ -r ${PMUX_ZSH-} ]] || return
	export ZDOTDIR=$BATS_TEST_TMPDIR
	echo "module_path+=(${PMUX_ZSH%/*})" >"$ZDOTDIR/.zshenv"
}

# loadable: whether "enable -f pmux" finds the builtin.
loadable() {
	[[ -r ${PMUX_SO-} ]] || return
	mkdir -p "$BATS_TEST_TMPDIR/loadables"
	ln -sf "$PMUX_SO" "$BATS_TEST_TMPDIR/loadables/pmux"
	export BASH_LOADABLES_PATH=$BATS_TEST_TMPDIR/loadables
}

# looks_at_others: whether another process may be asked for its descriptors.
looks_at_others() {
	local sleeper

	[[ $(uname -s) == Linux ]] || return
	mkfifo other
	sleep 60 7<>other 3>&- &
	sleeper=$!
	# it has no reader yet; a device is not inspected
	pm poll -t 0 -p "$sleeper" 7:out
	kill "$sleeper"
	rm other
	[[ $stderr != *"no pidfd_getfd"* && $stderr != *EPERM* ]]
}

# all_in SHELL [ARG]...: every example of README and of all the pages.
all_in() {
	local file

	command -v "$1" >/dev/null || skip "no $1"
	for file in "$top"/README "$top"/man/*.[17]; do
		where=${file##*/}
		mkdir one
		cd one || return
		if [[ $where == README ]]; then
			readme_examples
		else
			man_examples "$file"
		fi
		page_in "$@"
		cd .. || return
		rm -r one
	done
}

# recipe TITLE: the one example of README below that heading, which leaves no
# file behind.
recipe() {
	local file

	need poll
	where=README number=
	readme_examples
	for file in *.sh; do
		[[ $(<"${file%.sh}.title") == "$1" ]] || continue
		[[ ! $number ]] || fail "two examples below '$1'"
		number=${file%.sh}
	done
	[[ $number ]] || fail "no example below '$1'"
	is_portable "$(<"$number.sh")" || skip "is about Linux"
	if [[ $(head -n 1 "$number.sh") == '#!'*bats ]]; then
		recipe_for_bats
	else
		each_shell recipe_in
	fi
}

recipe_in() {
	check "$number" "$1" "$PWD/$number.sh"
	rmdir scratch || fail "README, line $number, in $1, leaves files"
}

# new_bats COMMAND...: COMMAND, in which a Bats must not think that it is this one,
# which has a `bats' of its own in PATH.
new_bats() {
	env -i PATH="${PATH//"$BATS_LIBEXEC:"/}" TMPDIR="$BATS_TEST_TMPDIR" \
	    BATS_LIB_PATH="$(cd "$top/lib" && pwd)" "$@"
}

recipe_for_bats() {
	check "$number" new_bats "$BATS_ROOT/bin/bats" --tap "$PWD/$number.sh"
	rmdir scratch || fail "README, line $number, leaves files"
}

# ---- README ----

@test "README: the example at its head" {
	recipe ''
}

@test "README: two job pipes" {
	recipe 'Two job pipes'
}

@test "README: a job dispatcher" {
	recipe 'A job dispatcher'
}

@test "README: five logs in one" {
	recipe 'Merge the logs of five programs, with timestamps'
}

@test "README: one job, by name" {
	recipe 'Read one job from a named pipe'
}

@test "README: a line, end and timeout" {
	recipe 'Distinguish a line, the end of file and a timeout'
}

@test "README: a descriptor of another process" {
	need_linux
	looks_at_others || skip "pidfd_getfd(2): $stderr"
	recipe 'Is descriptor 7 of process 1234 readable?'
}

@test "README: which process keeps the reader waiting" {
	looks_at_others || skip 'other processes cannot be examined'
	recipe 'Which process keeps the reader waiting'
}

@test "README: two programs that wait for each other" {
	looks_at_others || skip 'other processes cannot be examined'
	recipe 'Two programs that wait for each other'
}

@test "README: a reader whose writer was stopped" {
	looks_at_others || skip 'other processes cannot be examined'
	recipe 'A reader whose writer was stopped'
}

@test "README: a pipe, or the end of its writer" {
	recipe 'Wait for data in a pipe, or for the end of its writer'
}

@test "README: a server that says that it is ready" {
	recipe 'Wait until a server prints that it is ready, dies, or takes too long'
}

@test "README: a server that has started" {
	recipe "Wait for a server's file, its port, or its death"
}

@test "README: the first line of a server, in Bats" {
	recipe 'In Bats: the first line of a server, not a sleep'
}

@test "README: a reader first, then the write" {
	recipe 'Write only when there is a reader'
}

@test "README: many descriptors from a file" {
	recipe 'Many descriptors, from a file'
}

@test "README: a program after each save" {
	need kqueue
	recipe 'Run a program once after each save of a file'
}

@test "README: restart a server" {
	need kqueue
	recipe 'Restart a server when its configuration changes, or when it dies'
}

@test "README: one object for many waits" {
	need epoll
	recipe 'One object for many waits'
}

@test "README: the lines of two programs" {
	recipe 'Merge the lines of two programs'
}

@test "README: three workers" {
	recipe 'Three workers, one queue'
}

@test "README: a script that can be terminated" {
	recipe 'A script that waits, and can be terminated'
}

@test "README: every recipe says what it prints, and is tested" {
	local title

	readme_examples
	for title in *.title; do
		# no recipe: the commands for a fresh machine, building by hand
		[[ $(<"$title") ]] || continue
		[[ -e ${title%.title}.sh ]] ||
		    fail "line ${title%.title} of README has no 'prints'"
		grep -qxF -e "	recipe '$(<"$title")'" \
		    -e "	recipe \"$(<"$title")\"" "$BATS_TEST_FILENAME" ||
		    fail "no test of '$(<"$title")'"
	done
	run grep -c '^### ' "$top/README"
	assert_equal "$output" "$(cat -- *.title | grep -c .)"
}

@test "README: the scripts and switches that it names" {
	local name

	while read -r name; do
		[[ -x $top/$name ]] || fail "$name is no program"
	done < <(grep -o 'scripts/[a-z-]*' "$top/README" | sort -u)
	# man/pmux-poll(1) stands for what is installed
	while read -r name; do
		[[ -e $top/man/${name%(*}.${name: -2:1} ]] || fail "no $name"
	done < <(grep -oE '[a-z]*-?pmux(-[a-z]+)?\([17]\)' "$top/README" | sort -u)
	while read -r name; do
		grep -qE "AC_ARG_(ENABLE|WITH)\(\[$name\]|PMUX_PRIMITIVE\(\[$name\]" \
		    "$top/configure.ac" || fail "configure has no $name"
	done < <(grep -oE -e '--(dis|en)able-[a-z-]+|--with-[a-z-]+' \
	    "$top/README" | sed 's/^--[a-z]*-//' | sort -u)
}

# ---- manual pages ----

@test "pmux(1)" {
	page pmux.1
}

@test "pmux-bash(1)" {
	[[ -r ${PMUX_SO-} ]] || skip "the builtin was not built"
	page pmux-bash.1
}

@test "pmux-zsh(1)" {
	[[ -r ${PMUX_ZSH-} ]] || skip "the module was not built"
	command -v zsh >/dev/null || skip "no zsh"
	page pmux-zsh.1
}

@test "bats-pmux(7)" {
	page bats-pmux.7
}

@test "pmux-devpoll(1)" {
	need devpoll
	page pmux-devpoll.1
}

@test "pmux-epoll(1)" {
	need epoll
	page pmux-epoll.1
}

@test "pmux-help(1)" {
	page pmux-help.1
}

@test "pmux-info(1)" {
	page pmux-info.1
}

@test "pmux-trace(1)" {
	need_linux
	pm trace --calls -- true
	[[ $status == 0 ]] || skip "$stderr"
	page pmux-trace.1
}

@test "pmux-compare(1)" {
	need_linux
	page pmux-compare.1
}

@test "pmux-explain(1)" {
	need_linux
	page pmux-explain.1
}

@test "pmux-inspect(1)" {
	need_linux
	page pmux-inspect.1
}

@test "pmux-kqueue(1)" {
	need kqueue
	page pmux-kqueue.1
}

@test "pmux-poll(1)" {
	page pmux-poll.1
}

@test "pmux-select(1)" {
	need select
	page pmux-select.1
}

@test "pmux-wait(1)" {
	page pmux-wait.1
}

@test "pmux-fifo(7)" {
	page pmux-fifo.7
}

@test "pmux-output(7)" {
	page pmux-output.7
}

@test "pmux-readiness(7)" {
	page pmux-readiness.7
}

@test "pmux-stream(7)" {
	page pmux-stream.7
}

@test "pmux-target(7)" {
	page pmux-target.7
}

@test "pmux-session(7)" {
	need epoll
	command -v bash >/dev/null || skip "no bash for its coprocess"
	page pmux-session.7
}

@test "every manual page has examples, is tested and is installed" {
	local file

	for file in "$top"/man/*.[17]; do
		grep -qx '\.\\" example' "$file" ||
		    fail "$file has no examples"
		grep -qxF "	page ${file##*/}" "$BATS_TEST_FILENAME" ||
		    fail "the examples of ${file##*/} are not tested"
		grep -qE "^	man/${file##*/}( |\$)" "$top/Makefile.am" ||
		    fail "${file##*/} is not installed"
	done
}

# ---- the other shells ----

@test "all of them in zsh" {
	export ZDOTDIR=$BATS_TEST_TMPDIR	# not the user's .zshenv
	all_in zsh
}

@test "all of them in busybox" {
	all_in busybox sh
}

@test "all of them in yash" {
	all_in yash
}

@test "all of them in ksh" {
	all_in ksh
}

@test "all of them in mksh" {
	all_in mksh
}
