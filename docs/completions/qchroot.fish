# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_qchroot_global_optspecs
    string join \n root= dry-run json q/quiet v/verbose h/help V/version
end

function __fish_qchroot_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_qchroot_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_qchroot_using_subcommand
    set -l cmd (__fish_qchroot_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c qchroot -n "__fish_qchroot_needs_command" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_needs_command" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_needs_command" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_needs_command" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_needs_command" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_needs_command" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_needs_command" -s V -l version -d 'Print version'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "install" -d 'Install a pristine release and give it to containers made from now on'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "create" -d 'Make a container'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "list" -d 'List containers and their state, by the kernel\'s word'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "status" -d 'Show what each service of a container does, and what is missing'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "config" -d 'Show or change the services and options of a container'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "start" -d 'Start containers and their services'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "stop" -d 'Stop containers: afterwards they have no process and no mount'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "restart" -d 'Stop containers that are started, then start them'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "console" -d 'Open an interactive shell in a stopped container'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "exec" -d 'Run a program in a container, started or not'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "ps" -d 'List the processes of containers'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "kill" -d 'Send a signal to processes of a container'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "top" -d 'Show what containers use of processor and memory'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "stats" -d 'Show what containers use of processor and memory'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "logs" -d 'Show what services have printed'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "delete" -d 'Delete stopped containers: tree, administration file and logs'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "export" -d 'Write a stopped container into one file, to be carried to another host'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "import" -d 'Make a container of the file that an export made'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "adopt" -d 'Take over containers of the old qchroot(8), qjail, ezjail or BastilleBSD'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "release" -d 'Installed releases'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "upgrade" -d 'Move stopped containers to another installed release'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "rollback" -d 'Take the last upgrade of stopped containers back, or go back to a snapshot'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "check" -d 'Check the file systems of stopped containers that have one of their own'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "resize" -d 'Give a container another limit of its space'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "snapshot" -d 'Keep what a stopped container has now under a name, or list or remove what was kept'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "clone" -d 'Make a container as a copy of a stopped one'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "rename" -d 'Give a stopped container another name'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "plugin" -d 'Back ends'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "doctor" -d 'Look for what is half done, left over or damaged'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "version" -d 'Print the version'
complete -c qchroot -n "__fish_qchroot_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c qchroot -n "__fish_qchroot_using_subcommand install" -l source -d 'Where the release comes from [default: debian or host on Linux, distset on FreeBSD]' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand install" -l release -d 'Which release, by the source\'s naming [default: the host\'s own]' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand install" -s o -d 'An option of the source' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand install" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand install" -l any-release -d 'Accept what is not the host\'s own production release, or cannot be checked'
complete -c qchroot -n "__fish_qchroot_using_subcommand install" -l across-major -d 'Install another major release although there are containers'
complete -c qchroot -n "__fish_qchroot_using_subcommand install" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand install" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand install" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand install" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand install" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand create" -l storage -d 'How it shares the release [default: overlay on Linux, nullfs on FreeBSD]' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand create" -l source-tree -d 'An existing tree is its root, such as a mounted drive; short for --storage tree -o storage.path=DIR' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand create" -l isolation -d 'What keeps it apart [default: chroot]' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand create" -l release -d 'Which installed release [default: the one installed last]' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand create" -l permission -d 'What a file inside is to have, set right at each start; a path that ends in / is a directory, made if missing' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand create" -l limit -d 'What it may use of the machine: cpu, memory, processes, open_files, read, write; `none` for no limit' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand create" -l size -d 'Limit of its space, short for -o storage.size=SIZE' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand create" -s o -d 'An option of its storage or isolation' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand create" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand create" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand create" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand create" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand create" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand create" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand list" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand list" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand list" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand list" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand list" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand list" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand status" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand status" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand status" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand status" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand status" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand status" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand config" -l command -d 'A program that stays in the foreground, to add as a service' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand config" -l remove -d 'A service to take out' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand config" -l after -d 'Start the container after another one where both start, or a service after another one of the container' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand config" -l requires -d 'The same, and not without it: it is started too, and stopped after those that require it' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand config" -l ready -d 'What tells that a service has started: port:NUMBER, file:PATH, command:COMMANDLINE or notify' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand config" -l restart -d 'Start a service again when it ends: on-failure, always or never' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand config" -l user -d 'Run a service\'s command as this user of the container\'s' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand config" -l stop-signal -d 'Ask a service\'s command to end by this signal instead of TERM' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand config" -l permission -d 'What a file inside is to have, set right at each start; a path that ends in / is a directory, made if missing' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand config" -l limit -d 'What it may use of the machine: cpu, memory, processes, open_files, read, write; `none` for no limit' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand config" -l boot -d 'Whether the container starts with the system' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand config" -l remove-after -d 'Start the container after this other one no more' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand config" -l remove-requires -d 'Require this other container no more' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand config" -l keep-run-files -d 'Whether sockets, pid files and locks in /run and /var/run stay from one start to the next [default: no]' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand config" -s o -d 'An option of its storage or isolation' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand config" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand config" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand config" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand config" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand config" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand config" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand start" -s j -d 'At most N at once [default: as many as there are processors, and at least 4]' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand start" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand start" -s A -l all -d 'All containers'
complete -c qchroot -n "__fish_qchroot_using_subcommand start" -l boot -d 'All containers that start with the system, and what they require'
complete -c qchroot -n "__fish_qchroot_using_subcommand start" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand start" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand start" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand start" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand start" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand stop" -s j -d 'At most N at once [default: 64]' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand stop" -l timeout -d 'Kill what has not ended after SECONDS; they are for all containers together' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand stop" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand stop" -s A -l all -d 'All containers'
complete -c qchroot -n "__fish_qchroot_using_subcommand stop" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand stop" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand stop" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand stop" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand stop" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand restart" -s j -d 'At most N at once [default: 64]' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand restart" -l timeout -d 'Kill what has not ended after SECONDS; they are for all containers together' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand restart" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand restart" -s A -l all -d 'All containers'
complete -c qchroot -n "__fish_qchroot_using_subcommand restart" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand restart" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand restart" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand restart" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand restart" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand console" -s u -d 'Run as this user of the host\'s' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand console" -s U -d 'Run as this user of the container\'s' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand console" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand console" -s l -d 'As a login: in the home directory, the shell told so'
complete -c qchroot -n "__fish_qchroot_using_subcommand console" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand console" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand console" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand console" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand console" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand exec" -s u -d 'Run as this user of the host\'s' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand exec" -s U -d 'Run as this user of the container\'s' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand exec" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand exec" -s l -d 'As a login: in the home directory, the shell told so'
complete -c qchroot -n "__fish_qchroot_using_subcommand exec" -l trace-files -d 'Afterwards, list what the program asked for that is on the host but not inside (Linux)'
complete -c qchroot -n "__fish_qchroot_using_subcommand exec" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand exec" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand exec" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand exec" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand exec" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand ps" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand ps" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand ps" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand ps" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand ps" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand ps" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand kill" -s s -l signal -d 'The signal, by its name or number' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand kill" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand kill" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand kill" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand kill" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand kill" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand kill" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand top" -l sort -d 'What comes first' -r -f -a "cpu\t'Who computes most'
memory\t'Who takes most memory'"
complete -c qchroot -n "__fish_qchroot_using_subcommand top" -s d -l delay -d 'Seconds between two looks' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand top" -s n -l iterations -d 'As many looks, one below the other' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand top" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand top" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand top" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand top" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand top" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand top" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c qchroot -n "__fish_qchroot_using_subcommand stats" -l sort -d 'What comes first' -r -f -a "cpu\t'Who computes most'
memory\t'Who takes most memory'"
complete -c qchroot -n "__fish_qchroot_using_subcommand stats" -s d -l delay -d 'Seconds between two looks' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand stats" -s n -l iterations -d 'As many looks, one below the other' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand stats" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand stats" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand stats" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand stats" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand stats" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand stats" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c qchroot -n "__fish_qchroot_using_subcommand logs" -s n -l lines -d 'The last lines only [default: all; 10 with -f]' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand logs" -l since -d 'From a time on, such as 2026-11-22T10:00:00Z, or for as long as 10m' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand logs" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand logs" -s f -l follow -d 'Go on with what is printed from now on'
complete -c qchroot -n "__fish_qchroot_using_subcommand logs" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand logs" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand logs" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand logs" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand logs" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand delete" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand delete" -s A -l all -d 'All containers'
complete -c qchroot -n "__fish_qchroot_using_subcommand delete" -l wait -d 'Come back when the space that they took is free'
complete -c qchroot -n "__fish_qchroot_using_subcommand delete" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand delete" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand delete" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand delete" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand delete" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand export" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand export" -l force -d 'Replace a file that is there'
complete -c qchroot -n "__fish_qchroot_using_subcommand export" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand export" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand export" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand export" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand export" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand import" -l release -d 'Another installed release of the same version' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand import" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand import" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand import" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand import" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand import" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand import" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand adopt" -l from -d 'One tool only: qchroot, qjail, ezjail or bastille' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand adopt" -l path -d 'The root of the system that the tool ran on' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand adopt" -l isolation -d 'What keeps the containers apart [default: chroot for qchroot, jail for the others]' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand adopt" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand adopt" -l apply -d 'Do it'
complete -c qchroot -n "__fish_qchroot_using_subcommand adopt" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand adopt" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand adopt" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand adopt" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand adopt" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and not __fish_seen_subcommand_from list verify remove prune help" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and not __fish_seen_subcommand_from list verify remove prune help" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and not __fish_seen_subcommand_from list verify remove prune help" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and not __fish_seen_subcommand_from list verify remove prune help" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and not __fish_seen_subcommand_from list verify remove prune help" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and not __fish_seen_subcommand_from list verify remove prune help" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and not __fish_seen_subcommand_from list verify remove prune help" -f -a "list" -d 'List installed releases; the current one is marked'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and not __fish_seen_subcommand_from list verify remove prune help" -f -a "verify" -d 'Hold the files of releases against what was recorded when they were installed'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and not __fish_seen_subcommand_from list verify remove prune help" -f -a "remove" -d 'Remove a release that no container needs'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and not __fish_seen_subcommand_from list verify remove prune help" -f -a "prune" -d 'Remove every release that nobody needs, and downloads not used for a month'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and not __fish_seen_subcommand_from list verify remove prune help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from list" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from list" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from list" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from verify" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from verify" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from verify" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from verify" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from verify" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from remove" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from remove" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from remove" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from remove" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from prune" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from prune" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from prune" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from prune" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from prune" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from help" -f -a "list" -d 'List installed releases; the current one is marked'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from help" -f -a "verify" -d 'Hold the files of releases against what was recorded when they were installed'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Remove a release that no container needs'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from help" -f -a "prune" -d 'Remove every release that nobody needs, and downloads not used for a month'
complete -c qchroot -n "__fish_qchroot_using_subcommand release; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c qchroot -n "__fish_qchroot_using_subcommand upgrade" -l release -d 'Which installed release [default: the current one]' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand upgrade" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand upgrade" -l across-major -d 'Move to another major release'
complete -c qchroot -n "__fish_qchroot_using_subcommand upgrade" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand upgrade" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand upgrade" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand upgrade" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand upgrade" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand rollback" -l snapshot -d 'Go back to this snapshot instead' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand rollback" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand rollback" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand rollback" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand rollback" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand rollback" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand rollback" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand check" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand check" -l repair -d 'Repair whatever can be repaired, also where it means a choice'
complete -c qchroot -n "__fish_qchroot_using_subcommand check" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand check" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand check" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand check" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand check" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand resize" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand resize" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand resize" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand resize" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand resize" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand resize" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand snapshot" -l remove -d 'Remove this snapshot' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand snapshot" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand snapshot" -l list -d 'List the container\'s snapshots'
complete -c qchroot -n "__fish_qchroot_using_subcommand snapshot" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand snapshot" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand snapshot" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand snapshot" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand snapshot" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand clone" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand clone" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand clone" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand clone" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand clone" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand clone" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand rename" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand rename" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand rename" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand rename" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand rename" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand rename" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and not __fish_seen_subcommand_from list info check new help" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and not __fish_seen_subcommand_from list info check new help" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and not __fish_seen_subcommand_from list info check new help" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and not __fish_seen_subcommand_from list info check new help" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and not __fish_seen_subcommand_from list info check new help" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and not __fish_seen_subcommand_from list info check new help" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and not __fish_seen_subcommand_from list info check new help" -f -a "list" -d 'List back ends: those that are built in, and third parties\' plug-ins'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and not __fish_seen_subcommand_from list info check new help" -f -a "info" -d 'Show what a back end can do and the options it takes'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and not __fish_seen_subcommand_from list info check new help" -f -a "check" -d 'Examine a plug-in\'s library: all that a back end of its kind must do'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and not __fish_seen_subcommand_from list info check new help" -f -a "new" -d 'Begin a plug-in of your own: a project that builds, with tests'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and not __fish_seen_subcommand_from list info check new help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from list" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from list" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from list" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from info" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from info" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from info" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from info" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from info" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from info" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from check" -s o -d 'An option of the release source, or of containers with this storage or isolation' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from check" -l release -d 'Which release to ask the source for, by its own naming' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from check" -l only -d 'Run only the checks that have this text in their names' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from check" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from check" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from check" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from new" -l name -d 'The plug-in\'s name, with a dot in it [default: the directory\'s]' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from new" -l kind -d 'What it is to be' -r -f -a "release-source\t'Where a release comes from'
storage\t'How a container shares it'
isolation\t'What keeps a container apart'"
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from new" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from new" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from new" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from new" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from new" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from new" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from help" -f -a "list" -d 'List back ends: those that are built in, and third parties\' plug-ins'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from help" -f -a "info" -d 'Show what a back end can do and the options it takes'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from help" -f -a "check" -d 'Examine a plug-in\'s library: all that a back end of its kind must do'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from help" -f -a "new" -d 'Begin a plug-in of your own: a project that builds, with tests'
complete -c qchroot -n "__fish_qchroot_using_subcommand plugin; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c qchroot -n "__fish_qchroot_using_subcommand doctor" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand doctor" -l repair -d 'Put right what can be put right'
complete -c qchroot -n "__fish_qchroot_using_subcommand doctor" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand doctor" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand doctor" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand doctor" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand version" -l root -d 'Keep everything under DIR instead of the system\'s directories' -r
complete -c qchroot -n "__fish_qchroot_using_subcommand version" -l dry-run -d 'Print each step that would be taken and change nothing'
complete -c qchroot -n "__fish_qchroot_using_subcommand version" -l json -d 'Print results, and errors, as JSON'
complete -c qchroot -n "__fish_qchroot_using_subcommand version" -s q -l quiet -d 'Print errors only'
complete -c qchroot -n "__fish_qchroot_using_subcommand version" -s v -l verbose -d 'Print each step as it is taken'
complete -c qchroot -n "__fish_qchroot_using_subcommand version" -s h -l help -d 'Print help'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "install" -d 'Install a pristine release and give it to containers made from now on'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "create" -d 'Make a container'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "list" -d 'List containers and their state, by the kernel\'s word'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "status" -d 'Show what each service of a container does, and what is missing'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "config" -d 'Show or change the services and options of a container'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "start" -d 'Start containers and their services'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "stop" -d 'Stop containers: afterwards they have no process and no mount'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "restart" -d 'Stop containers that are started, then start them'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "console" -d 'Open an interactive shell in a stopped container'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "exec" -d 'Run a program in a container, started or not'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "ps" -d 'List the processes of containers'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "kill" -d 'Send a signal to processes of a container'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "top" -d 'Show what containers use of processor and memory'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "logs" -d 'Show what services have printed'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "delete" -d 'Delete stopped containers: tree, administration file and logs'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "export" -d 'Write a stopped container into one file, to be carried to another host'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "import" -d 'Make a container of the file that an export made'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "adopt" -d 'Take over containers of the old qchroot(8), qjail, ezjail or BastilleBSD'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "release" -d 'Installed releases'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "upgrade" -d 'Move stopped containers to another installed release'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "rollback" -d 'Take the last upgrade of stopped containers back, or go back to a snapshot'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "check" -d 'Check the file systems of stopped containers that have one of their own'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "resize" -d 'Give a container another limit of its space'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "snapshot" -d 'Keep what a stopped container has now under a name, or list or remove what was kept'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "clone" -d 'Make a container as a copy of a stopped one'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "rename" -d 'Give a stopped container another name'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "plugin" -d 'Back ends'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "doctor" -d 'Look for what is half done, left over or damaged'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "version" -d 'Print the version'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and not __fish_seen_subcommand_from install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and __fish_seen_subcommand_from release" -f -a "list" -d 'List installed releases; the current one is marked'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and __fish_seen_subcommand_from release" -f -a "verify" -d 'Hold the files of releases against what was recorded when they were installed'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and __fish_seen_subcommand_from release" -f -a "remove" -d 'Remove a release that no container needs'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and __fish_seen_subcommand_from release" -f -a "prune" -d 'Remove every release that nobody needs, and downloads not used for a month'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and __fish_seen_subcommand_from plugin" -f -a "list" -d 'List back ends: those that are built in, and third parties\' plug-ins'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and __fish_seen_subcommand_from plugin" -f -a "info" -d 'Show what a back end can do and the options it takes'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and __fish_seen_subcommand_from plugin" -f -a "check" -d 'Examine a plug-in\'s library: all that a back end of its kind must do'
complete -c qchroot -n "__fish_qchroot_using_subcommand help; and __fish_seen_subcommand_from plugin" -f -a "new" -d 'Begin a plug-in of your own: a project that builds, with tests'
