# SPDX-License-Identifier: ISC
#
# Fish completion for pmux. Commands, options and their help are read from
# `pmux help` once, with this file; only the names of the events, and the
# filters and words of kqueue, are written down here.

# Is the command this one? Without a name: is there none yet?
function __pmux_command --argument-names command
    set -l words (commandline -opc)
    test "$words[2]" = "$command"; and not contains -- -- $words
end

# __pmux_list COMMAND PREFIX TYPED [FILTER]: a list of events, each once, after
# PREFIX; for kqueue, of words.
function __pmux_list --argument-names command prefix typed filter
    set -l names in pri out err hup rdhup rdnorm rdband wrnorm wrband msg
    set -l begun (string match -r -- '.*,' $typed)
    set -l kind event
    switch $command
        case kqueue
            set names (__pmux_words $filter)
            set kind word
        case epoll
            set -a names et oneshot exclusive wakeup
        case '*'
            set -a names nval
    end
    for name in $names
        contains -- $name (string split -- , "$begun")
        or printf '%s\t%s\n' "$prefix$begun$name" $kind
    end
end

# __pmux_words [FILTER]: the words that it takes, without FILTER all.
function __pmux_words --argument-names filter
    switch "$filter"
        case ''
            for filter in read vnode proc timer netdev aio user
                __pmux_words $filter
            end | sort -u
            return
        case read write
            printf '%s\n' lowat=
        case vnode
            printf '%s\n' write extend attrib link rename revoke open close close_write read
        case proc
            printf '%s\n' exit fork exec track
        case timer
            printf '%s\n' seconds mseconds useconds nseconds abstime
        case netdev
            printf '%s\n' linkup linkdown linkinv
        case aio
            printf '%s\n' bytes= offset=
        case user
            printf '%s\n' trigger ffnop ffand ffor ffcopy fflags=
    end
    test "$filter" = aio; or echo data=
    printf '%s\n' add delete enable disable oneshot clear dispatch receipt udata=
end

# __pmux_files PREFIX TYPED
function __pmux_files --argument-names prefix typed
    for file in $typed*
        test -d $file; and set file $file/
        printf '%s\n' $prefix$file
    end
end

# The filter, what it is about, its words.
function __pmux_kevents
    set -l typed (__pmux_typed '')
    set -l parts (string split -m 1 -- : $typed)
    set -l filter (string lower -- $parts[1])
    if string match -q -- '@*' $typed
        __pmux_files @ (string sub -s 2 -- $typed)
    else if not set -q parts[2]
        printf '%s:\tfilter\n' read write vnode proc signal timer netdev aio user
    else if string match -qr -- '.:' $parts[2]
        set -l before (string match -r -- '.+:' $typed)
        __pmux_list kqueue $before (string replace -- $before '' $typed) $filter
        contains -- $filter read write vnode aio
        and __pmux_files $parts[1]: $parts[2]
    else
        __pmux_idents $filter $parts[2] | string replace -r '^' $parts[1]:
    end
end

# __pmux_idents FILTER TYPED: what a kevent may be about.
function __pmux_idents --argument-names filter typed
    switch $filter
        case read write vnode aio
            __pmux_descriptors
            __pmux_files '' $typed
        case proc
            __fish_complete_pids
        case signal
            sh -c 'kill -l' | string split -n ' ' | string match -r '^[A-Z].*' |
                string replace -r '^SIG' '' | string match -rv '^(KILL|STOP)$'
        case timer
            __pmux_duration_list $typed | string match -v 'inf*'
        case netdev
            if test -d /sys/class/net
                path basename /sys/class/net/*
            else
                ifconfig -l 2>/dev/null | string split ' '
            end
    end
end

# The argument as far as it is typed; an option may be glued to it.
function __pmux_typed --argument-names letter
    set -l typed (string unescape -- (commandline -ct))
    string replace -r -- "^(--[a-z-]+=|-[^-]*?$letter)" '' "$typed"
end

function __pmux_events --argument-names command
    __pmux_list $command '' (__pmux_typed e)
end

# A shell between sees what pmux would be given, and nothing of fish's own.
function __pmux_own_descriptors
    sh -c 'for fd in /dev/fd/*; do
        [ ! -e "$fd" ] || printf "%s\\tdescriptor\\n" "${fd##*/}"
    done'
end

# Descriptors of the process that --pid names, or of this shell.
function __pmux_descriptors
    set -l words (commandline -opc)
    set -l pid (string match -ra -- ' (?:--pid[= ]|-[^- ]*p ?)\K\d+' " $words")
    if set -q pid[1]
        # what it is: its kind and state, or the text of its link
        set -l states (command pmux inspect -p $pid[-1] 2>/dev/null </dev/null)
        for fd in /proc/$pid[-1]/fd/*
            set -l number (string replace -r '.*/' '' $fd)
            set -l what (readlink -- $fd 2>/dev/null; or echo descriptor)
            set -l pattern "^$number\\t([^\\t]*)\\t[^\\t]*\\t[^\\t]*\\t([^\\t]*).*"
            set -l state (string replace -rf -- $pattern '$1: $2' $states)
            set -q state[1]; and set what $state[1]
            printf '%s\t%s\n' $number "$what"
        end
    else
        __pmux_own_descriptors
    end
end

# __pmux_targets COMMAND USAGE LETTER
function __pmux_targets --argument-names command usage letter
    set -l typed (__pmux_typed $letter)
    set -l before (string match -r -- '.+:' $typed)
    if string match -q -- '@*' $typed
        __pmux_files @ (string sub -s 2 -- $typed)
    else if set -q before[1]; and string match -q -- '*:EVENTS*' $usage
        __pmux_list $command $before (string replace -- $before '' $typed)
    else
        __pmux_descriptors
    end
end

function __pmux_durations --argument-names letter
    __pmux_duration_list (__pmux_typed $letter)
end

function __pmux_duration_list --argument-names typed
    set -l number (string match -r -- '^[0-9.]+' $typed)
    if set -q number[1]
        printf '%s\tduration\n' $number{ns,us,ms,s,m,h,d}
    else
        printf '%s\tduration\n' 0 100ms 1s 10s 1m inf
    end
end

# __pmux_option COMMAND LETTER NAME KIND TEXT: one row of the help.
function __pmux_option --argument-names command letter name kind text
    set -l row -c pmux -n "__pmux_command $command" -l $name -d $text
    test -n "$letter"; and set -a row -s $letter
    switch "$kind:$name"
        case ':*'
            complete $row
        case 'TARGET:*'
            complete $row -r -F -a "(__pmux_targets $command '' $letter)"
        case 'EVENTS:*'
            complete $row -x -a "(__pmux_events $command)"
        case 'PID:*'
            complete $row -x -a '(__fish_complete_pids)'
        case 'DURATION:*'
            complete $row -x -a "(__pmux_durations $letter)"
        case 'FILE:*' 'PATH:*'
            complete $row -F
        case '*:ready-fd'
            complete $row -x -a '(__pmux_own_descriptors | string match -rv "^[012]\t")'
        case '*'
            complete $row -x
    end
end

# What the usage of a command says that it takes.
function __pmux_operands --argument-names command usage
    set -l row -c pmux -n "__pmux_command $command"
    switch $usage
        case '*TARGET*'
            complete $row -F -a "(__pmux_targets $command '$usage')"
        case '*NUMBER*'
            complete $row -f -a "(__pmux_targets $command '$usage')"
        case '*FILTER*'
            complete $row -a '(__pmux_kevents)'
        case '*COMMAND*'
            complete $row -a '(__pmux_commands)'
    end
end

# PROGRAM and its arguments, as fish completes any command.
function __pmux_program
    set -l words (commandline -opc)
    set -l dashes (contains -i -- -- $words)
    set -l line (string escape -- $words[$dashes..-1])
    set line $line[2..-1] (commandline -ct)
    complete -C "$line"
end

function __pmux_commands
    command pmux help 2>/dev/null </dev/null |
        string replace -fr -- '^  ([a-z]+)  +(\S)' '$1\t$2'
end

complete -c pmux -f
complete -c pmux -n __pmux_command -a '(__pmux_commands)'
complete -c pmux -n __pmux_command -s h -l help -d 'print the commands'
complete -c pmux -n __pmux_command -s V -l version -d 'print the version'
complete -c pmux -n 'contains -- -- (commandline -opc)' -a '(__pmux_program)'
begin
    set -l pattern '^  (?:-(?=.,))?((?:.(?=,))?),? +--([a-z-]+)(?: |\[=)?((?:[A-Z]+(?=[] ]))?)\]? +(\S.*)'
    for command in (__pmux_commands | string replace -r '\t.*' '')
        for line in (command pmux help $command 2>/dev/null </dev/null)
            set -l row (string match -r -- $pattern $line)
            if set -q row[1]
                __pmux_option $command $row[2..5]
            else if string match -q 'usage:*' -- $line
                __pmux_operands $command $line
            end
        end
    end
end
