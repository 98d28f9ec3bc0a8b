#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# pmux compare: its answers are those of the manual, and what it says of read(2)
# and write(2) is what these do.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

readiness=$BATS_TEST_DIRNAME/../man/pmux-readiness.7
table=$BATS_TEST_DIRNAME/../src/inspect/compare/states.def

prepare() {
	need_linux
	need_proc
	need epoll
	need kqueue
	need select
}

# Rows that peer does not make: they are as others.
not_made='number.minus-one number.never-open file.unlinked'

# row_of STATE: the row of the manual that it is, in `id'.
row_of() {
	id=$1
	case $id in
	tcp.fresh | tcp.connected | tcp.data | tcp.oob* | tcp.past-the-mark | \
	    tcp.full)
		;;
	tcp.*)
		id=tcp-closed.${id#tcp.}
		;;
	unix-stream.peer-closed-data)
		id=unix-stream-closed.data
		;;
	unix-stream.drained | unix-stream.our-data-unread | \
	    unix-stream.own-shut-rd | \
	    unix-stream.own-shut-rdwr | unix-stream.peer-shut-*)
		id=unix-stream-closed.${id#*.}
		;;
	file.middle)
		id=file.at-4-of-10
		;;
	file.past-end)
		id=file.15-past-end
		;;
	linux.memfd)
		id=linux.memfd-empty
		;;
	linux.o_path)
		id=linux.o_path-file
		;;
	esac
}

# states: the states of peer that have a row.
states() {
	local state id

	rows_of_table >table
	for state in $(peer states); do
		row_of "$state"
		! grep -q "^$id"$'\t' table || echo "$state"
	done
}

# rows_of_manual: ID SELECT POLL EPOLL READ WRITE for Linux, READ and WRITE empty
# where the manual has none; with tabs.
rows_of_manual() {
	awk -F ' Ta ' '
	!/^\.It .* Ta .* \\" [^ ]/ { next }
	{
		id = $NF
		sub(/.*\\" /, "", id)
		sub(/ *\\" .*/, "", $NF)
	}
	id ~ /^kevent / && $2 ~ /all|Linux/ {
		sub(/^kevent /, "", id)
		kevent[id] = $3 "\t" $4
		next
	}
	$2 == "all" || $2 == "Linux" {
		row[id] = $3 "\t" $4 "\t" ($5 == "same" ? $4 : $5)
	}
	END {
		for (id in row)
			print id "\t" row[id] "\t" \
			    (id in kevent ? kevent[id] : "\t")
	}' "$readiness" | sort
}

# rows_of_table: ID AS, with a tab.
rows_of_table() {
	awk -F '"' '/^STATE\(/ { print $2 "\t" $4 }' "$table" | sort
}

@test "the table has the rows of the manual, and peer makes them" {
	local id as state made

	assert_equal "$(rows_of_table | cut -f 1)" \
	    "$(rows_of_manual | cut -f 1)"
	# a state that is not found stands for one that is
	while IFS=$'\t' read -r id as; do
		[[ -z $as ]] || rows_of_table | grep -q "^$as"$'\t'"\$" ||
		    fail "$id: $as"
	done < <(rows_of_table)
	made=$(for state in $(states); do
		row_of "$state"
		echo "$id"
	done; printf '%s\n' $not_made)
	assert_equal "$(sort <<<"$made")" "$(rows_of_table | cut -f 1)"
}

# equal_numbers FOUND WANTED: they are equal, where >0 and >1000 are any.
equal_numbers() {
	local found=$1 wanted=$2

	if [[ $wanted == *'>'* ]]; then
		[[ ${found% *} == "${wanted% *}" || $wanted == '>'* ]] &&
		    [[ ${found##* } -gt ${wanted##*>} ]]
	else
		[[ $found == "$wanted" ]]
	fi
}

# sets WORD: a word of the column select as compare prints it.
sets() {
	local set text=

	if [[ $1 == E* ]]; then
		echo "$1"
		return
	fi
	for set in r w x; do
		[[ $1 == *$set* ]] && text+=$set || text+=-
	done
	echo "$text"
}

# answers STATE: the columns are those of the manual, and the second wait of an
# edge-triggered epoll returns nothing.
answers() {
	local state=$1 id row select poll epoll read write edge

	row_of "$state"
	[[ -e manual ]] || rows_of_manual >manual
	row=$(grep "^$id"$'\t' manual)
	IFS='|' read -r id select poll epoll read write <<<"${row//$'\t'/|}"
	with "7=$state" -- pmux compare 7
	assert_success
	IFS='|' read -ra found <<<"${lines[0]//$'\t'/|}"
	edge=$epoll
	[[ $epoll == - || $epoll == E* ]] || edge+=', then -'
	assert_equal "$state: ${found[*]:2:4}" \
	    "$state: $(sets "$select") $poll $epoll $edge"
	[[ $read ]] || return 0
	equal_numbers "${found[6]}" "$read" && equal_numbers "${found[7]}" "$write" ||
	    fail "$state: kevent: ${found[6]}, ${found[7]}, not $read, $write"
}

@test "the answers are those of the manual" {
	local state

	for state in $(states); do
		# its owner's poll is not disturbed
		[[ $state != linux.proc-mounts ]] || continue
		answers "$state"
	done
}

# objects: what compare says of each state of peer, in the file of that name:
# STATE FOUND READ WRITE DIFFERS REASON UNKNOWN with tabs, null as that word.
# One jq for all, and one file for the tests that want it.
objects() {
	local state

	command -v jq >/dev/null || skip "no jq"
	objects=$BATS_FILE_TMPDIR/objects
	[[ ! -e $objects ]] || return 0
	for state in $(peer states); do
		with "7=$state" -- pmux compare --json 7
		assert_success
		printf '%s\n' "$output"
	done >json
	jq -r '[.state, .read, .write, .differs, .reason, .unknown] |
	    map(if . == null then "null" else tostring end) | join("\t")' \
	    json | paste <(peer states) - >objects.new
	mv objects.new "$objects"
}

# calls STATE READ WRITE DIFFERS REASON UNKNOWN: read and write do what is said,
# and where the answers differ there is a reason.
calls() {
	local state=$1 read write

	read=$(peer with "7=$state" -- peer try read 7)
	write=$(peer with "7=$state" -- peer try write 7)
	case $2 in
	null)
		[[ $6 == *calls* ]]
		;;
	'end of file' | 'empty datagram')
		assert_equal "$state: $read" "$state: end"
		;;
	*)
		assert_equal "$state: $read" "$state: ${2/sleep/EAGAIN}"
		;;
	esac
	# the peer's buffer may still be filling from this one's
	[[ $3 == null || $state == tcp.full ]] ||
	    assert_equal "$state: $write" "$state: ${3/sleep/EAGAIN}"
	[[ $4 != true || $5 != null ]] || fail "$state: no reason"
	[[ $4 != false || $5 == null ]]
}

@test "read and write do what is said, and differences have a reason" {
	local state found said

	objects
	while IFS=$'\t' read -r state found said; do
		IFS=$'\t' read -ra said <<<"$said"
		calls "$state" "${said[@]}"
	done <"$objects"
}

# found STATE FOUND: it is the row of the table, or the one that stands for it.
found() {
	local id as

	row_of "$1"
	as=$(sed -n "s/^$id"$'\t//p' table)
	case $id in
	# whether the peer's end had come before is not known
	tcp-closed.reset | tcp-closed.peer-closed-written-to)
		as=null
		;;
	esac
	assert_equal "$1: $2" "$1: ${as:-$id}"
}

@test "the state is found" {
	local state found

	objects
	rows_of_table >table
	while IFS=$'\t' read -r state found _; do
		row_of "$state"
		! grep -q "^$id"$'\t' table || found "$state" "$found"
	done <"$objects"
}

@test "both directions of one socket" {
	with 7=unix-stream.half-closed-unread -- pmux compare 7
	[[ ${lines[0]} == *$'\tdata\tEPIPE' ]]
	assert_line --regexp '^7: this end is shut down for writing'
	with 7=unix-stream.full-unread -- pmux compare 7
	[[ ${lines[0]} == *$'\tdata\tsleep' ]]
	with 7=unix-stream.nearly-full -- pmux compare 7
	[[ ${lines[0]} == *$'\t---\t-\t-\t-\t-\t-\tsleep\tdone' ]]
	assert_line --regexp '^7: .*a byte would be taken$'
}

@test "O_NONBLOCK: EAGAIN instead of sleep" {
	with 7=pipe.r.empty -- pmux compare 7
	expect 0 $'7\tpipe r\t---\t-\t-\t-\t-\t-\tsleep\tEBADF'
	with 7=fifo.r.writer-no-data -- pmux compare 7
	expect 0 $'7\tfifo r\t---\t-\t-\t-\t-\t-\tEAGAIN\tEBADF'
}

@test "several descriptors, in the order in which they are named" {
	with 7=pipe.r.data 8=number.closed 9=pipe.w.full -- pmux compare 9 8 7
	assert_equal "${#lines[@]} $(cut -f 1 <<<"$output" | cut -c 1-2 |
	    tr '\n' ' ')" '4 9 8 7 8: '
	printf '%s\n' 9 8 >list
	with 8=number.closed 9=pipe.w.full -- pmux compare @list
	assert_equal "$status ${#lines[@]}" '0 3'
}

@test "a terminal: a heading, and aligned columns" {
	command -v script >/dev/null || skip "no script(1)"
	run script -qec 'echo data | pmux compare 0' /dev/null </dev/null
	[[ ${lines[0]} == FD\ \ KIND\ \ *'WRITE WOULD'* ]]
	[[ ${lines[1]} == 0\ \ \ pipe\ r\ * ]]
}

@test "JSON: every key, always" {
	local state keys

	command -v jq >/dev/null || skip "no jq"
	for state in pipe.r.data number.closed linux.proc-mounts; do
		with "7=$state" -- pmux compare --json 7
		keys=$(jq -r 'keys_unsorted | join(" ")' <<<"$output")
		assert_equal "$keys" "pid comm fd kind access state select poll\
 epoll epoll_et kevent_read kevent_write emulated read write differs reason\
 unknown"
	done
	with 7=tcp.refused -- pmux compare --json 7
	assert_equal "$(jq -c .kevent_read <<<"$output")" \
	    '{"data":0,"eof":true,"error":"ECONNREFUSED"}'
	assert_equal "$(jq -c .epoll_et <<<"$output")" \
	    '[["in","out","err","hup","rdhup"],[]]'
}

# ---- -p ----

may_copy=
# owner SPEC...: a process with these descriptors; its id is in `owner'.
owner() {
	rm -f owner.pid
	mkfifo owner.pid
	peer with "$@" -- peer owner owner.pid 3>&- &
	read -r owner <owner.pid
	rm owner.pid
	[[ ! $may_copy ]] || return 0
	pm poll -t 0 -p "$owner" 0
	[[ $stderr != *"no pidfd_getfd"* && $stderr != *EPERM* ]] ||
	    skip "pidfd_getfd(2): $stderr"
	may_copy=yes
}

# same STATE: the same is said of another process's as of one's own.
same() {
	peer with "7=$1" -- pmux compare 7 >wanted
	owner "7=$1"
	pmux compare -p "$owner" 7 >found
	kill "$owner"
	wait "$owner" || :
	# the counts of bytes differ, and whether a byte more is taken
	sed -i 's/[0-9]\{2,\}/N/g' wanted found
	[[ $1 != tcp.full ]] ||
	    sed -i '/a byte would be taken/d; s/done$/sleep/' wanted found
	assert_equal "$1: $(<found)" "$1: $(<wanted)"
}

@test "-p: the descriptors of another process" {
	local state

	for state in $(peer states); do
		# they answer for the caller
		[[ $state != signalfd.* ]] || continue
		same "$state"
	done
}

@test "-p: a signalfd is not asked, and its state is known" {
	owner 7=signalfd.none
	pm compare -p "$owner" 7
	assert_equal "${lines[0]}" \
	    $'7\tsignalfd\t?\t?\t?\t?\t?\t?\tsleep\tEINVAL'
	[[ ${lines[1]} == '7: not asked: '* ]]
	owner 7=signalfd.pending
	pm compare -p "$owner" 7
	assert_equal "${lines[0]}" $'7\tsignalfd\t?\t?\t?\t?\t?\t?\tdata\tEINVAL'
	# it still is
	grep -q '^ShdPnd:.*200$' "/proc/$owner/status"
}

@test "-p: several processes are named" {
	local first

	owner 7=pipe.r.data
	first=$owner
	owner 7=pipe.r.writer-gone-drained
	pm compare -p "$first" 7 -p "$owner" 7
	[[ ${lines[0]} == "peer[$first]/7"$'\tpipe r\t'* ]]
	[[ ${lines[1]} == "peer[$owner]/7"$'\tpipe r\t'* ]]
	[[ ${lines[2]} == "peer[$owner]/7: hung up"* ]]
}

@test "-p: a number that is another file each time is no mixture of these" {
	local i

	owned
	mkfifo f
	: >plain
	owner_does 'exec 8<>f'
	echo 'while :; do exec 7<&8; exec 7<plain; exec 7<&-; done' >&"$owner_in"
	rounds 2000
	for ((i = 0; i < rounds; i += 20)); do
		pmux compare -p "$owner" 7{,}{,}{,,,,} >>rows 2>>errors || :
	done
	kill -KILL "$owner"
	printf '7\t%s\n' >wanted \
	    $'fifo rw\t-w-\tout\tout\tout, then -\t-\t65536\tsleep\tdone' \
	    $'file r\trw-\tin,out\tEPERM\tEPERM\t-\t0\tend of file\tEBADF' \
	    $'-\tEBADF\tnval\tEBADF\tEBADF\tEBADF\tEBADF\tEBADF\tEBADF'
	grep -v '^7: ' rows | sort -u >found
	assert_equal "$(grep -vxF -f wanted found)" ''
	assert_equal "$(grep -v EAGAIN errors)" ''
}

@test "nothing is consumed" {
	with 7=pipe.r.data -- sh -c 'pmux compare 7 >&2; head -c 5 <&7'
	expect 0 hello
	with 7=tcp.refused -- sh -c 'pmux compare 7 >&2; exec peer try read 7'
	expect 0 ECONNREFUSED
	with 7=udp.refused -- sh -c 'pmux compare 7 >&2; exec peer try read 7'
	expect 0 ECONNREFUSED
	with 7=timerfd.expired -- sh -c 'pmux compare 7 >&2; exec peer try read 7'
	expect 0 data
	with 7=fifo.r.never-a-writer -- sh -c 'pmux compare 7 >&2; cat <&7'
	expect 0
}

# ---- what cannot be had ----

@test "what is no number of a descriptor" {
	usage_error 'no descriptor to compare' compare
	usage_error 'file: a path is not opened, give a descriptor' compare file
	usage_error '-1: a descriptor cannot be negative' compare -1
	usage_error '9999999999: a descriptor is at most' compare 9999999999
	usage_error 'runs no program' compare 0 -- true
	usage_error 'unknown option' compare --follow 0
}

@test "without descriptors for the primitives there is one message" {
	run --separate-stderr bash -c 'exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
		ulimit -n 5
		exec pmux compare 0 1'
	expect_error 3 'primitives: .*\[EMFILE\]'
}

@test "a process that is not there, or a zombie" {
	pm compare -p 2147483646 0
	expect_error 3 'descriptor 0 of process 2147483646: .*\[ESRCH\]'
	run --separate-stderr peer zombie pmux compare -p @PID@ 0
	expect_error 3 '\[ESRCH\]'
}

@test "a number that is not open there" {
	owner 7=number.closed
	pm compare -p "$owner" 7
	assert_equal "${lines[0]}" \
	    $'7\t-\tEBADF\tnval\tEBADF\tEBADF\tEBADF\tEBADF\tEBADF\tEBADF'
	assert_equal "$status" 0
}

@test "another user's process" {
	need_root
	owner 7=pipe.r.data
	run --separate-stderr peer as 65534 "$PMUX" compare -p "$owner" 7
	[[ $status != 77 ]] || skip "$stderr"
	expect_error 3 "descriptor 7 of process $owner: .*\[E(PERM|ACCES)\]"
}

@test "a kernel that denies pidfd_getfd(2)" {
	run deny pidfd_getfd=EPERM -- true
	[[ $status != 77 ]] || skip "$output"
	owner 7=pipe.r.data
	run --separate-stderr deny pidfd_getfd=EPERM -- "$PMUX" compare \
	    -p "$owner" 7
	expect_error 3 "descriptor 7 of process $owner: .*\[EPERM\]"
	# one's own needs none
	with 7=pipe.r.data -- deny pidfd_getfd=ENOSYS -- "$PMUX" compare 7
	assert_equal "${lines[0]}" \
	    $'7\tpipe r\tr--\tin\tin\tin, then -\t5\t-\tdata\tEBADF'
	run --separate-stderr deny pidfd_getfd=ENOSYS -- "$PMUX" compare \
	    -p "$owner" 7
	expect_error 4 'pidfd_getfd'
}
