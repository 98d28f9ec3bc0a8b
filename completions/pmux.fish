# Fish completion for pmux. Commands, options and their help are read from
# `pmux help` once, with this file; only the names of the events are written
# down here.

# Is the command this one? Without a name: is there none yet?
function __pmux_command --argument-names command
    set -l words (commandline -opc)
    test "$words[2]" = "$command"; and not contains -- -- $words
end

# __pmux_list COMMAND PREFIX TYPED: a list of events, each once, after PREFIX.
function __pmux_list --argument-names command prefix typed
    set -l names in pri out err hup rdhup rdnorm rdband wrnorm wrband msg
    set -l begun (string match -r -- '.*,' $typed)
    switch $command
        case epoll
            set -a names et oneshot exclusive wakeup
        case '*'
            set -a names nval
    end
    for name in $names
        contains -- $name (string split -- , "$begun")
        or printf '%s\tevent\n' "$prefix$begun$name"
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
        set -l fds /proc/$pid[-1]/fd/*
        string replace -r '.*/(.*)' '$1\tdescriptor' $fds
    else
        __pmux_own_descriptors
    end
end

# __pmux_targets COMMAND USAGE LETTER
function __pmux_targets --argument-names command usage letter
    set -l typed (__pmux_typed $letter)
    set -l before (string match -r -- '.+:' $typed)
    if string match -q -- '@*' $typed
        set -l begun (string sub -s 2 -- $typed)
        for file in $begun*
            test -d $file; and set file $file/
            printf '@%s\n' $file
        end
    else if set -q before[1]; and string match -q -- '*:EVENTS*' $usage
        __pmux_list $command $before (string replace -- $before '' $typed)
    else
        __pmux_descriptors
    end
end

function __pmux_durations --argument-names letter
    set -l number (string match -r -- '^[0-9.]+' (__pmux_typed $letter))
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
        case '*COMMAND*'
            complete $row -a '(__pmux_commands)'
    end
end

function __pmux_commands
    command pmux help 2>/dev/null </dev/null |
        string replace -fr -- '^  ([a-z]+)  +(\S)' '$1\t$2'
end

complete -c pmux -f
complete -c pmux -n __pmux_command -a '(__pmux_commands)'
complete -c pmux -n __pmux_command -s h -l help -d 'print the commands'
complete -c pmux -n __pmux_command -l version -d 'print the version'
begin
    set -l pattern '^  (?:-(?=.,))?((?:.(?=,))?),? +--([a-z-]+) ?((?:[A-Z]+(?= ))?) +(\S.*)'
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
