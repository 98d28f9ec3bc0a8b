# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154
# A part of scripts/bench: what --follow costs while nothing happens, though
# something is ready all the time.

set --
for command in select poll devpoll epoll kqueue; do
	for state in hup in out; do
		event=${state%hup}
		event=${event:-in}
		case $command in
		select) target=$([ "$event" = in ] && echo -r10 || echo -w10) ;;
		kqueue) target=$([ "$event" = in ] && echo read:10 ||
		    echo write:10) ;;
		*) target=10:$event ;;
		esac
		set -- "$@" // "$command-$state" "$pmux" "$command" --follow \
		    "$target"
		case $state in
		hup) what='a writer has left' ;;
		in) what='bytes unread' ;;
		out) what=writable ;;
		esac
		row "$command, $what" ms quiet "$command-$state" '' 10
	done
done
for command in wait kqueue; do
	target=10:in
	[ "$command" = wait ] || target=read:10
	set -- "$@" // "$command-settle-in" "$pmux" "$command" --follow \
	    --settle 100ms "$target"
	row "$command --settle, bytes unread" ms quiet "$command-settle-in" \
	    '' 10
done
say "quiet: $quiet_seconds seconds"
drive quiet quiet -t "$quiet_seconds" "$@"
