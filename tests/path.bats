#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# wait --exists, --absent: paths that come and go.

# shellcheck disable=SC2030,SC2031,SC2154	# run sets them
load helper

# reports LINE: pmux in the background ends with 0 and that.
reports() {
	finish "$pid"
	expect 0 "$1"
}

@test "what is there, and what is not, at once" {
	: >file
	pm wait -t 0 --exists file
	expect 0 $'exists\tfile'
	pm wait -t 0 --absent none
	expect 0 $'absent\tnone'
	pm wait -t 0 --absent none/deeper
	expect 0 $'absent\tnone/deeper'
	pm wait -t 0 --absent file/deeper
	expect 0 $'absent\tfile/deeper'
	pm wait -t 50ms --exists none --absent file
	expect 124
}

@test "a file that is made, renamed to, linked to, removed" {
	waiting wait -t 1h --exists file
	: >file
	reports $'exists\tfile'
	waiting wait -t 1h --absent file
	rm file
	reports $'absent\tfile'
	: >other
	waiting wait -t 1h --exists file
	mv other file
	reports $'exists\tfile'
	waiting wait -t 1h --absent "$PWD/file"
	mv file other
	reports "absent"$'\t'"$PWD/file"
	waiting wait -t 1h --exists file
	ln other file
	reports $'exists\tfile'
}

@test "directories on the way that come later, go and are renamed" {
	waiting wait -t 1h --exists a/b/c/file
	mkdir -p a/b/c
	: >a/b/c/file
	reports $'exists\ta/b/c/file'
	waiting wait -t 1h --absent a/b/c/file
	mv a other
	reports $'absent\ta/b/c/file'
	waiting wait -t 1h --exists a/b/c/file
	mv other a
	reports $'exists\ta/b/c/file'
	waiting wait -t 1h --absent a/b/../b/c/file
	rm -r a
	reports $'absent\ta/b/../b/c/file'
}

@test "a directory that is replaced while it is watched" {
	mkdir d new
	: >new/file
	waiting wait -t 1h --exists d/file
	mv d old
	mv new d
	reports $'exists\td/file'
}

@test "symbolic links: a dangling one is absent, the target may change" {
	ln -s target link
	pm wait -t 0 --absent link
	expect 0 $'absent\tlink'
	pm wait -t 50ms --exists link
	expect 124
	waiting wait -t 1h --exists link
	: >target
	reports $'exists\tlink'
	waiting wait -t 1h --absent link
	ln -sfn elsewhere link
	reports $'absent\tlink'
	waiting wait -t 1h --exists link/file
	mkdir there
	: >there/file
	ln -sfn "$PWD/there" link
	reports $'exists\tlink/file'
	waiting wait -t 200ms --exists new
	ln -s nowhere new
	finish "$pid"
	expect 124
}

@test "a chain of symbolic links, one of which is replaced by a rename" {
	mkdir old new
	ln -s old current
	ln -s current/name file
	: >new/name
	waiting wait -t 1h --exists file
	ln -s new next
	peer rename next current
	reports $'exists\tfile'
	waiting wait -t 1h --absent file
	ln -s old next
	peer rename next current
	reports $'absent\tfile'
}

@test "a name that exists, or is missing, for a moment" {
	[[ $(pmux info) == *$'path\twatched\tinotify'* ]] ||
	    skip 'only inotify(7) has the names'
	waiting wait -t 1h --exists file
	kill -STOP "$pid"
	: >file
	rm file
	kill -CONT "$pid"
	reports $'exists\tfile'
	: >file
	waiting wait -t 1h --absent file
	kill -STOP "$pid"
	rm file
	: >file
	kill -CONT "$pid"
	reports $'absent\tfile'
}

@test "the directories are watched before --ready-fd says so" {
	need_proc
	need_program "it waits for a process named pmux"
	[[ $(pmux info) == *$'path\twatched\tinotify'* ]] ||
	    skip 'only inotify(7) has the names'
	# a full FIFO: pmux is held where it says that it waits
	mkfifo ready
	exec 7<>ready
	dd if=/dev/zero bs=4096 count=16 >&7 2>notes
	pmux wait -t 1h --ready-fd 9 --exists file 9>ready >out 2>err \
	    3>&- 7>&- &
	pid=$!
	until [[ $(<"/proc/$pid/comm") == pmux* ]]; do :; done
	await_state "$pid" S
	: >file
	rm file
	dd bs=4096 count=16 <&7 2>notes | wc -c >said
	reports $'exists\tfile'
}

await_message() {
	until [[ -s err ]]; do
		sleep 0.01
	done
}

@test "a path that cannot be looked up: one message, and then again" {
	ln -s loop loop
	waiting wait -t 1h --exists loop
	await_message
	ln -sfn . loop
	finish "$pid"
	assert_equal "$output" $'exists\tloop'
	[[ $stderr == *'loop: '*'[ELOOP]'* && $stderr != *$'\n'* ]]
	ln -sfn loop loop
	pm wait -t 100ms --absent loop
	assert_equal "$status" 124
}

# as_other ARG...: as waiting, by a user who has no rights in the directory d.
as_other() {
	local -a user=()

	[[ $(id -u) != 0 ]] || user=(peer as 65534)
	mkfifo ready
	"${user[@]}" "$PMUX" wait --ready-fd 9 "$@" 9>ready >out 2>err 3>&- &
	pid=$!
	read -r _ <ready
	rm ready
}

@test "a directory that may not be read, though searched" {
	mkdir d
	chmod 311 d
	as_other -t 1h --exists d/file
	: >d/file
	reports $'exists\td/file'
	as_other -t 1h --absent d/file
	rm d/file
	reports $'absent\td/file'
	chmod 755 d
}

@test "a directory that may not be searched: neither, and one message" {
	mkdir d
	: >d/file
	chmod 0 d
	as_other -t 1h --exists d/file
	await_message
	chmod 755 d
	finish "$pid"
	assert_equal "$status $output" $'0 exists\td/file'
	[[ $stderr == *'d/file: '*'[EACCES]'* && $stderr != *$'\n'* ]]
	chmod 0 d
	as_other -t 1h --absent d/file
	await_message
	chmod 755 d
	rm d/file
	finish "$pid"
	assert_equal "$status $output" $'0 absent\td/file'
	[[ $stderr == *'[EACCES]'* && $stderr != *$'\n'* ]]
	chmod 0 d
	as_other -t 100ms --exists d/none --absent d/none
	finish "$pid"
	assert_equal "$status $output" '124 '
	chmod 755 d
}

@test "on another file system, by a symbolic link" {
	[[ -d /dev/shm && -w /dev/shm ]] || skip 'no /dev/shm'
	elsewhere=$(mktemp -d /dev/shm/pmux.XXXXXX)
	ln -s "$elsewhere/d" link
	waiting wait -t 1h --exists link/file
	mkdir "$elsewhere/d"
	: >"$elsewhere/d/file"
	finish "$pid"
	expect 0 $'exists\tlink/file'
}

@test "a file system that is mounted on the way, and unmounted" {
	need_linux
	need_root
	mkdir d
	: >d/below
	run --separate-stderr unshare -m bash -c '
		mount -t tmpfs none d || exit 77
		: >d/above
		umount d
		exec 7<> <(:)
		mkfifo ready
		pmux wait -t 1h --ready-fd 9 --absent d/below 9>ready 3>&- &
		read -r _ <ready
		mount -t tmpfs none d
		wait "$!"
		: >d/above
		pmux wait -t 1h --ready-fd 9 --exists d/below 9>ready 3>&- &
		read -r _ <ready
		umount d
		wait "$!"'
	[[ $status != 77 ]] || skip 'no right to mount'
	expect 0 $'absent\td/below' $'exists\td/below'
}

@test "where nothing is reported it is sampled: /proc" {
	need_proc
	sleep 600 3>&- &
	child=$!
	waiting wait -t 1h --absent "/proc/$child"
	kill "$child"
	wait "$child" || :
	reports "absent"$'\t'"/proc/$child"
}

@test "an empty path, and --lines" {
	usage_error '--exists: an empty path' wait --exists ''
	usage_error '--absent: an empty path' wait --absent ''
	usage_error '--while' wait --lines --exists file 0
	usage_error 'an option of wait' poll --exists file
}

@test "a thousand paths" {
	local -a paths
	local n

	rounds 1000
	mapfile -t paths < <(seq -f 'd%g/file' "$rounds")
	waiting wait -a -t 1h "${paths[@]/#/--exists=}"
	for n in "${paths[@]}"; do
		mkdir "${n%/*}"
		: >"$n"
	done
	finish "$pid"
	assert_equal "$(cut -f 2 <<<"$output" | sort)" \
	    "$(printf '%s\n' "${paths[@]}" | sort)"
}

@test "beside descriptors and processes, --follow, PROGRAM" {
	: >file
	pm wait --absent none 0 --exists file </dev/null
	expect 0 $'absent\tnone' $'in\t0' $'exists\tfile'
	pm wait -n 1 --exists none 0 --exists file </dev/null
	expect 0 $'in\t0'
	waiting wait -f -t 1h --exists a --exists b --absent file
	: >b
	until [[ $(<out) == *b ]]; do
		sleep 0.01
	done
	: >a
	until [[ $(<out) == *a ]]; do
		sleep 0.01
	done
	rm file
	reports $'exists\tb\nexists\ta\nabsent\tfile'
	# shellcheck disable=SC2016
	pm wait -t 1h --exists a -- sh -c 'echo "$PMUX_TARGET $PMUX_EVENTS"'
	expect 0 'a exists'
	pm wait --format '%e %t %f %b %s' --exists a --absent file
	expect 0 'exists a - - -' 'absent file - - -'
	pm wait -q --exists a
	expect 0
}

@test "names with newlines and escape sequences" {
	local name=$'a\n\e[31m\\'

	waiting wait -t 1h --exists "$name"
	: >"$name"
	reports $'exists\ta\\n\\0033[31m\\\\'
	pm wait -0 --exists "$name"
	assert_equal "$output" $'exists\t'"$name"
	pm wait -t 10ms --exists "$name/x" --absent "$name"
	expect 124
}

@test "JSON has the keys of every record of wait, null where they mean nothing" {
	local key

	need_json
	pm wait --json --exists . --absent none
	assert_equal "$status ${#lines[@]}" '0 2'
	assert_equal "$(json events <<<"${lines[0]}")" '["exists"]'
	assert_equal "$(json target <<<"${lines[0]}")" '"."'
	assert_equal "$(json events <<<"${lines[1]}")" '["absent"]'
	assert_equal "$(json target <<<"${lines[1]}")" '"none"'
	for key in fd available pid exit signal; do
		assert_equal "$key $(json $key <<<"${lines[0]}")" "$key null"
	done
}
