# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154
# A part of scripts/bench: a request to a session and its answer, beside a C
# program that answers over two pipes as well.

program session
say "a session: $rounds rounds"
drive session session -r "$rounds" // C "$dir/session" \
    // again "$dir/session" // pmux "$pmux" epoll --session
row '--session, poll 0' median session pmux C 1.50
row '--session, poll 0' p99 session pmux C ''
