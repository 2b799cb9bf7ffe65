#compdef qchroot

autoload -U is-at-least

_qchroot() {
    typeset -A opt_args
    typeset -a _arguments_options
    local ret=1

    if is-at-least 5.2; then
        _arguments_options=(-s -S -C)
    else
        _arguments_options=(-s -C)
    fi

    local context curcontext="$curcontext" state line
    _arguments "${_arguments_options[@]}" : \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
":: :_qchroot_commands" \
"*::: :->qchroot" \
&& ret=0
    case $state in
    (qchroot)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:qchroot-command-$line[1]:"
        case $line[1] in
            (install)
_arguments "${_arguments_options[@]}" : \
'--source=[Where the release comes from \[default\: debian or host on Linux, distset on FreeBSD\]]:NAME:_default' \
'--release=[Which release, by the source'\''s naming \[default\: the host'\''s own\]]:NAME:_default' \
'*-o+[An option of the source]:KEY=VALUE:_default' \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--any-release[Accept what is not the host'\''s own production release, or cannot be checked]' \
'--across-major[Install another major release although there are containers]' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(create)
_arguments "${_arguments_options[@]}" : \
'--storage=[How it shares the release \[default\: overlay on Linux, nullfs on FreeBSD\]]:NAME:_default' \
'(--storage --release)--source-tree=[An existing tree is its root, such as a mounted drive; short for --storage tree -o storage.path=DIR]:DIR:_default' \
'--isolation=[What keeps it apart \[default\: chroot\]]:NAME:_default' \
'--release=[Which installed release \[default\: the one installed last\]]:ID:_default' \
'*--permission=[What a file inside is to have, set right at each start; a path that ends in / is a directory, made if missing]:PATH=OWNER:GROUP:MODE:_default' \
'*--limit=[What it may use of the machine\: cpu, memory, processes, open_files, read, write; \`none\` for no limit]:KEY=VALUE:_default' \
'--size=[Limit of its space, short for -o storage.size=SIZE]:SIZE:_default' \
'*-o+[An option of its storage or isolation]:storage.KEY=VALUE | isolation.KEY=VALUE:_default' \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
':name -- Letters, digits, dash and underscore; not all digits:_default' \
&& ret=0
;;
(list)
_arguments "${_arguments_options[@]}" : \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
'*::names -- Containers \[default\: all\]:_default' \
&& ret=0
;;
(status)
_arguments "${_arguments_options[@]}" : \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
'*::names -- Containers \[default\: all\]:_default' \
&& ret=0
;;
(config)
_arguments "${_arguments_options[@]}" : \
'*--command=[A program that stays in the foreground, to add as a service]:SERVICE=COMMANDLINE:_default' \
'*--remove=[A service to take out]:SERVICE:_default' \
'*--after=[Start the container after another one where both start, or a service after another one of the container]:CONTAINER | SERVICE=OTHER:_default' \
'*--requires=[The same, and not without it\: it is started too, and stopped after those that require it]:CONTAINER | SERVICE=OTHER:_default' \
'*--ready=[What tells that a service has started\: port\:NUMBER, file\:PATH, command\:COMMANDLINE or notify]:SERVICE=WHAT:_default' \
'*--restart=[Start a service again when it ends\: on-failure, always or never]:SERVICE=WHEN:_default' \
'*--user=[Run a service'\''s command as this user of the container'\''s]:SERVICE=USER:_default' \
'*--stop-signal=[Ask a service'\''s command to end by this signal instead of TERM]:SERVICE=SIGNAL:_default' \
'*--permission=[What a file inside is to have, set right at each start; a path that ends in / is a directory, made if missing]:PATH=OWNER:GROUP:MODE:_default' \
'*--limit=[What it may use of the machine\: cpu, memory, processes, open_files, read, write; \`none\` for no limit]:KEY=VALUE:_default' \
'--boot=[Whether the container starts with the system]:yes|no:_default' \
'*--remove-after=[Start the container after this other one no more]:NAME:_default' \
'*--remove-requires=[Require this other container no more]:NAME:_default' \
'--keep-run-files=[Whether sockets, pid files and locks in /run and /var/run stay from one start to the next \[default\: no\]]:yes|no:_default' \
'*-o+[An option of its storage or isolation]:storage.KEY=VALUE | isolation.KEY=VALUE:_default' \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
':name -- The container:_default' \
'*::services -- Services with a script inside, to add:_default' \
&& ret=0
;;
(start)
_arguments "${_arguments_options[@]}" : \
'-j+[At most N at once \[default\: as many as there are processors, and at least 4\]]:N:_default' \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'-A[All containers]' \
'--all[All containers]' \
'()--boot[All containers that start with the system, and what they require]' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
'*::names -- Containers:_default' \
&& ret=0
;;
(stop)
_arguments "${_arguments_options[@]}" : \
'-j+[At most N at once \[default\: 64\]]:N:_default' \
'--timeout=[Kill what has not ended after SECONDS; they are for all containers together]:SECONDS:_default' \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'-A[All containers]' \
'--all[All containers]' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
'*::names -- Containers:_default' \
&& ret=0
;;
(restart)
_arguments "${_arguments_options[@]}" : \
'-j+[At most N at once \[default\: 64\]]:N:_default' \
'--timeout=[Kill what has not ended after SECONDS; they are for all containers together]:SECONDS:_default' \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'-A[All containers]' \
'--all[All containers]' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
'*::names -- Containers:_default' \
&& ret=0
;;
(console)
_arguments "${_arguments_options[@]}" : \
'(-U)-u+[Run as this user of the host'\''s]:USER:_default' \
'-U+[Run as this user of the container'\''s]:USER:_default' \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'-l[As a login\: in the home directory, the shell told so]' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
':name -- The container:_default' \
&& ret=0
;;
(exec)
_arguments "${_arguments_options[@]}" : \
'(-U)-u+[Run as this user of the host'\''s]:USER:_default' \
'-U+[Run as this user of the container'\''s]:USER:_default' \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'-l[As a login\: in the home directory, the shell told so]' \
'--trace-files[Afterwards, list what the program asked for that is on the host but not inside (Linux)]' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
':name -- The container:_default' \
'*::argv -- The program and its arguments:_default' \
&& ret=0
;;
(ps)
_arguments "${_arguments_options[@]}" : \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
'*::names -- Containers \[default\: all\]:_default' \
&& ret=0
;;
(kill)
_arguments "${_arguments_options[@]}" : \
'-s+[The signal, by its name or number]:SIGNAL:_default' \
'--signal=[The signal, by its name or number]:SIGNAL:_default' \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
':name -- The container:_default' \
'*::pids -- Processes, by their numbers on the host \[default\: all\]:_default' \
&& ret=0
;;
(top)
_arguments "${_arguments_options[@]}" : \
'--sort=[What comes first]:SORT:((cpu\:"Who computes most"
memory\:"Who takes most memory"))' \
'-d+[Seconds between two looks]:SECONDS:_default' \
'--delay=[Seconds between two looks]:SECONDS:_default' \
'-n+[As many looks, one below the other]:N:_default' \
'--iterations=[As many looks, one below the other]:N:_default' \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::names -- Containers whose processes are shown, too \[default\: all containers, without\]:_default' \
&& ret=0
;;
(stats)
_arguments "${_arguments_options[@]}" : \
'--sort=[What comes first]:SORT:((cpu\:"Who computes most"
memory\:"Who takes most memory"))' \
'-d+[Seconds between two looks]:SECONDS:_default' \
'--delay=[Seconds between two looks]:SECONDS:_default' \
'-n+[As many looks, one below the other]:N:_default' \
'--iterations=[As many looks, one below the other]:N:_default' \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::names -- Containers whose processes are shown, too \[default\: all containers, without\]:_default' \
&& ret=0
;;
(logs)
_arguments "${_arguments_options[@]}" : \
'-n+[The last lines only \[default\: all; 10 with -f\]]:LINES:_default' \
'--lines=[The last lines only \[default\: all; 10 with -f\]]:LINES:_default' \
'--since=[From a time on, such as 2026-11-22T10\:00\:00Z, or for as long as 10m]:TIME:_default' \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'-f[Go on with what is printed from now on]' \
'--follow[Go on with what is printed from now on]' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
':name -- The container:_default' \
'::service -- One service only:_default' \
&& ret=0
;;
(delete)
_arguments "${_arguments_options[@]}" : \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'-A[All containers]' \
'--all[All containers]' \
'--wait[Come back when the space that they took is free]' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
'*::names -- Containers:_default' \
&& ret=0
;;
(export)
_arguments "${_arguments_options[@]}" : \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--force[Replace a file that is there]' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
':name -- The container:_default' \
':file -- The file; - is standard output:_default' \
&& ret=0
;;
(import)
_arguments "${_arguments_options[@]}" : \
'--release=[Another installed release of the same version]:ID:_default' \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
':file -- The file that an export made:_default' \
'::name -- The container'\''s name \[default\: the exported one\]:_default' \
&& ret=0
;;
(adopt)
_arguments "${_arguments_options[@]}" : \
'--from=[One tool only\: qchroot, qjail, ezjail or bastille]:TOOL:_default' \
'--path=[The root of the system that the tool ran on]:DIR:_default' \
'--isolation=[What keeps the containers apart \[default\: chroot for qchroot, jail for the others\]]:NAME:_default' \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--apply[Do it]' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
'*::names -- Containers, by the old tool'\''s names \[default\: all\]:_default' \
&& ret=0
;;
(release)
_arguments "${_arguments_options[@]}" : \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
":: :_qchroot__subcmd__release_commands" \
"*::: :->release" \
&& ret=0

    case $state in
    (release)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:qchroot-release-command-$line[1]:"
        case $line[1] in
            (list)
_arguments "${_arguments_options[@]}" : \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(verify)
_arguments "${_arguments_options[@]}" : \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
'*::ids -- Releases \[default\: all\]:_default' \
&& ret=0
;;
(remove)
_arguments "${_arguments_options[@]}" : \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
':id -- The release:_default' \
&& ret=0
;;
(prune)
_arguments "${_arguments_options[@]}" : \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_qchroot__subcmd__release__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:qchroot-release-help-command-$line[1]:"
        case $line[1] in
            (list)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(verify)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(remove)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(prune)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
;;
(upgrade)
_arguments "${_arguments_options[@]}" : \
'--release=[Which installed release \[default\: the current one\]]:ID:_default' \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--across-major[Move to another major release]' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
'*::names -- Containers:_default' \
&& ret=0
;;
(rollback)
_arguments "${_arguments_options[@]}" : \
'--snapshot=[Go back to this snapshot instead]:SNAPSHOT:_default' \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
'*::names -- Containers:_default' \
&& ret=0
;;
(check)
_arguments "${_arguments_options[@]}" : \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--repair[Repair whatever can be repaired, also where it means a choice]' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
'*::names -- Containers:_default' \
&& ret=0
;;
(resize)
_arguments "${_arguments_options[@]}" : \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
':name -- The container:_default' \
':size -- Its limit from now on\: bytes, or a number with K, M, G or T:_default' \
&& ret=0
;;
(snapshot)
_arguments "${_arguments_options[@]}" : \
'--remove=[Remove this snapshot]:SNAPSHOT:_default' \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'(--remove)--list[List the container'\''s snapshots]' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
':name -- The container:_default' \
'::snapshot -- Letters, digits, dash, underscore and dot \[default\: the time in UTC\]:_default' \
&& ret=0
;;
(clone)
_arguments "${_arguments_options[@]}" : \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
':name -- The container:_default' \
':new -- The new name\: letters, digits, dash and underscore; not all digits:_default' \
&& ret=0
;;
(rename)
_arguments "${_arguments_options[@]}" : \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
':name -- The container:_default' \
':new -- The new name\: letters, digits, dash and underscore; not all digits:_default' \
&& ret=0
;;
(plugin)
_arguments "${_arguments_options[@]}" : \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
":: :_qchroot__subcmd__plugin_commands" \
"*::: :->plugin" \
&& ret=0

    case $state in
    (plugin)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:qchroot-plugin-command-$line[1]:"
        case $line[1] in
            (list)
_arguments "${_arguments_options[@]}" : \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(info)
_arguments "${_arguments_options[@]}" : \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
':name -- Its name:_default' \
&& ret=0
;;
(check)
_arguments "${_arguments_options[@]}" : \
'*-o+[An option of the release source, or of containers with this storage or isolation]:KEY=VALUE:_default' \
'--release=[Which release to ask the source for, by its own naming]:NAME:_default' \
'--only=[Run only the checks that have this text in their names]:TEXT:_default' \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
':file -- The shared library:_default' \
&& ret=0
;;
(new)
_arguments "${_arguments_options[@]}" : \
'--name=[The plug-in'\''s name, with a dot in it \[default\: the directory'\''s\]]:NAME:_default' \
'--kind=[What it is to be]:KIND:((release-source\:"Where a release comes from"
storage\:"How a container shares it"
isolation\:"What keeps a container apart"))' \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':dir -- The project'\''s directory; it is made, or is there and empty:_default' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_qchroot__subcmd__plugin__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:qchroot-plugin-help-command-$line[1]:"
        case $line[1] in
            (list)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(info)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(check)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(new)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
;;
(doctor)
_arguments "${_arguments_options[@]}" : \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--repair[Put right what can be put right]' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(version)
_arguments "${_arguments_options[@]}" : \
'--root=[Keep everything under DIR instead of the system'\''s directories]:DIR:_default' \
'--dry-run[Print each step that would be taken and change nothing]' \
'--json[Print results, and errors, as JSON]' \
'-q[Print errors only]' \
'--quiet[Print errors only]' \
'*-v[Print each step as it is taken]' \
'*--verbose[Print each step as it is taken]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_qchroot__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:qchroot-help-command-$line[1]:"
        case $line[1] in
            (install)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(create)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(list)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(status)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(config)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(start)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(stop)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(restart)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(console)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(exec)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(ps)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(kill)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(top)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(logs)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(delete)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(export)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(import)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(adopt)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(release)
_arguments "${_arguments_options[@]}" : \
":: :_qchroot__subcmd__help__subcmd__release_commands" \
"*::: :->release" \
&& ret=0

    case $state in
    (release)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:qchroot-help-release-command-$line[1]:"
        case $line[1] in
            (list)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(verify)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(remove)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(prune)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
(upgrade)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(rollback)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(check)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(resize)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(snapshot)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(clone)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(rename)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(plugin)
_arguments "${_arguments_options[@]}" : \
":: :_qchroot__subcmd__help__subcmd__plugin_commands" \
"*::: :->plugin" \
&& ret=0

    case $state in
    (plugin)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:qchroot-help-plugin-command-$line[1]:"
        case $line[1] in
            (list)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(info)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(check)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(new)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
(doctor)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(version)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
}

(( $+functions[_qchroot_commands] )) ||
_qchroot_commands() {
    local commands; commands=(
'install:Install a pristine release and give it to containers made from now on' \
'create:Make a container' \
'list:List containers and their state, by the kernel'\''s word' \
'status:Show what each service of a container does, and what is missing' \
'config:Show or change the services and options of a container' \
'start:Start containers and their services' \
'stop:Stop containers\: afterwards they have no process and no mount' \
'restart:Stop containers that are started, then start them' \
'console:Open an interactive shell in a stopped container' \
'exec:Run a program in a container, started or not' \
'ps:List the processes of containers' \
'kill:Send a signal to processes of a container' \
'top:Show what containers use of processor and memory' \
'stats:Show what containers use of processor and memory' \
'logs:Show what services have printed' \
'delete:Delete stopped containers\: tree, administration file and logs' \
'export:Write a stopped container into one file, to be carried to another host' \
'import:Make a container of the file that an export made' \
'adopt:Take over containers of the old qchroot(8), qjail, ezjail or BastilleBSD' \
'release:Installed releases' \
'upgrade:Move stopped containers to another installed release' \
'rollback:Take the last upgrade of stopped containers back, or go back to a snapshot' \
'check:Check the file systems of stopped containers that have one of their own' \
'resize:Give a container another limit of its space' \
'snapshot:Keep what a stopped container has now under a name, or list or remove what was kept' \
'clone:Make a container as a copy of a stopped one' \
'rename:Give a stopped container another name' \
'plugin:Back ends' \
'doctor:Look for what is half done, left over or damaged' \
'version:Print the version' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'qchroot commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__adopt_commands] )) ||
_qchroot__subcmd__adopt_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot adopt commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__check_commands] )) ||
_qchroot__subcmd__check_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot check commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__clone_commands] )) ||
_qchroot__subcmd__clone_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot clone commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__config_commands] )) ||
_qchroot__subcmd__config_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot config commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__console_commands] )) ||
_qchroot__subcmd__console_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot console commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__create_commands] )) ||
_qchroot__subcmd__create_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot create commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__delete_commands] )) ||
_qchroot__subcmd__delete_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot delete commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__doctor_commands] )) ||
_qchroot__subcmd__doctor_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot doctor commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__exec_commands] )) ||
_qchroot__subcmd__exec_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot exec commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__export_commands] )) ||
_qchroot__subcmd__export_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot export commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help_commands] )) ||
_qchroot__subcmd__help_commands() {
    local commands; commands=(
'install:Install a pristine release and give it to containers made from now on' \
'create:Make a container' \
'list:List containers and their state, by the kernel'\''s word' \
'status:Show what each service of a container does, and what is missing' \
'config:Show or change the services and options of a container' \
'start:Start containers and their services' \
'stop:Stop containers\: afterwards they have no process and no mount' \
'restart:Stop containers that are started, then start them' \
'console:Open an interactive shell in a stopped container' \
'exec:Run a program in a container, started or not' \
'ps:List the processes of containers' \
'kill:Send a signal to processes of a container' \
'top:Show what containers use of processor and memory' \
'logs:Show what services have printed' \
'delete:Delete stopped containers\: tree, administration file and logs' \
'export:Write a stopped container into one file, to be carried to another host' \
'import:Make a container of the file that an export made' \
'adopt:Take over containers of the old qchroot(8), qjail, ezjail or BastilleBSD' \
'release:Installed releases' \
'upgrade:Move stopped containers to another installed release' \
'rollback:Take the last upgrade of stopped containers back, or go back to a snapshot' \
'check:Check the file systems of stopped containers that have one of their own' \
'resize:Give a container another limit of its space' \
'snapshot:Keep what a stopped container has now under a name, or list or remove what was kept' \
'clone:Make a container as a copy of a stopped one' \
'rename:Give a stopped container another name' \
'plugin:Back ends' \
'doctor:Look for what is half done, left over or damaged' \
'version:Print the version' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'qchroot help commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__adopt_commands] )) ||
_qchroot__subcmd__help__subcmd__adopt_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help adopt commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__check_commands] )) ||
_qchroot__subcmd__help__subcmd__check_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help check commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__clone_commands] )) ||
_qchroot__subcmd__help__subcmd__clone_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help clone commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__config_commands] )) ||
_qchroot__subcmd__help__subcmd__config_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help config commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__console_commands] )) ||
_qchroot__subcmd__help__subcmd__console_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help console commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__create_commands] )) ||
_qchroot__subcmd__help__subcmd__create_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help create commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__delete_commands] )) ||
_qchroot__subcmd__help__subcmd__delete_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help delete commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__doctor_commands] )) ||
_qchroot__subcmd__help__subcmd__doctor_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help doctor commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__exec_commands] )) ||
_qchroot__subcmd__help__subcmd__exec_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help exec commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__export_commands] )) ||
_qchroot__subcmd__help__subcmd__export_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help export commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__help_commands] )) ||
_qchroot__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help help commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__import_commands] )) ||
_qchroot__subcmd__help__subcmd__import_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help import commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__install_commands] )) ||
_qchroot__subcmd__help__subcmd__install_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help install commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__kill_commands] )) ||
_qchroot__subcmd__help__subcmd__kill_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help kill commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__list_commands] )) ||
_qchroot__subcmd__help__subcmd__list_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help list commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__logs_commands] )) ||
_qchroot__subcmd__help__subcmd__logs_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help logs commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__plugin_commands] )) ||
_qchroot__subcmd__help__subcmd__plugin_commands() {
    local commands; commands=(
'list:List back ends\: those that are built in, and third parties'\'' plug-ins' \
'info:Show what a back end can do and the options it takes' \
'check:Examine a plug-in'\''s library\: all that a back end of its kind must do' \
'new:Begin a plug-in of your own\: a project that builds, with tests' \
    )
    _describe -t commands 'qchroot help plugin commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__plugin__subcmd__check_commands] )) ||
_qchroot__subcmd__help__subcmd__plugin__subcmd__check_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help plugin check commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__plugin__subcmd__info_commands] )) ||
_qchroot__subcmd__help__subcmd__plugin__subcmd__info_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help plugin info commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__plugin__subcmd__list_commands] )) ||
_qchroot__subcmd__help__subcmd__plugin__subcmd__list_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help plugin list commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__plugin__subcmd__new_commands] )) ||
_qchroot__subcmd__help__subcmd__plugin__subcmd__new_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help plugin new commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__ps_commands] )) ||
_qchroot__subcmd__help__subcmd__ps_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help ps commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__release_commands] )) ||
_qchroot__subcmd__help__subcmd__release_commands() {
    local commands; commands=(
'list:List installed releases; the current one is marked' \
'verify:Hold the files of releases against what was recorded when they were installed' \
'remove:Remove a release that no container needs' \
'prune:Remove every release that nobody needs, and downloads not used for a month' \
    )
    _describe -t commands 'qchroot help release commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__release__subcmd__list_commands] )) ||
_qchroot__subcmd__help__subcmd__release__subcmd__list_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help release list commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__release__subcmd__prune_commands] )) ||
_qchroot__subcmd__help__subcmd__release__subcmd__prune_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help release prune commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__release__subcmd__remove_commands] )) ||
_qchroot__subcmd__help__subcmd__release__subcmd__remove_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help release remove commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__release__subcmd__verify_commands] )) ||
_qchroot__subcmd__help__subcmd__release__subcmd__verify_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help release verify commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__rename_commands] )) ||
_qchroot__subcmd__help__subcmd__rename_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help rename commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__resize_commands] )) ||
_qchroot__subcmd__help__subcmd__resize_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help resize commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__restart_commands] )) ||
_qchroot__subcmd__help__subcmd__restart_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help restart commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__rollback_commands] )) ||
_qchroot__subcmd__help__subcmd__rollback_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help rollback commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__snapshot_commands] )) ||
_qchroot__subcmd__help__subcmd__snapshot_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help snapshot commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__start_commands] )) ||
_qchroot__subcmd__help__subcmd__start_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help start commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__status_commands] )) ||
_qchroot__subcmd__help__subcmd__status_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help status commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__stop_commands] )) ||
_qchroot__subcmd__help__subcmd__stop_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help stop commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__top_commands] )) ||
_qchroot__subcmd__help__subcmd__top_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help top commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__upgrade_commands] )) ||
_qchroot__subcmd__help__subcmd__upgrade_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help upgrade commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__help__subcmd__version_commands] )) ||
_qchroot__subcmd__help__subcmd__version_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot help version commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__import_commands] )) ||
_qchroot__subcmd__import_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot import commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__install_commands] )) ||
_qchroot__subcmd__install_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot install commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__kill_commands] )) ||
_qchroot__subcmd__kill_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot kill commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__list_commands] )) ||
_qchroot__subcmd__list_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot list commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__logs_commands] )) ||
_qchroot__subcmd__logs_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot logs commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__plugin_commands] )) ||
_qchroot__subcmd__plugin_commands() {
    local commands; commands=(
'list:List back ends\: those that are built in, and third parties'\'' plug-ins' \
'info:Show what a back end can do and the options it takes' \
'check:Examine a plug-in'\''s library\: all that a back end of its kind must do' \
'new:Begin a plug-in of your own\: a project that builds, with tests' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'qchroot plugin commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__plugin__subcmd__check_commands] )) ||
_qchroot__subcmd__plugin__subcmd__check_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot plugin check commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__plugin__subcmd__help_commands] )) ||
_qchroot__subcmd__plugin__subcmd__help_commands() {
    local commands; commands=(
'list:List back ends\: those that are built in, and third parties'\'' plug-ins' \
'info:Show what a back end can do and the options it takes' \
'check:Examine a plug-in'\''s library\: all that a back end of its kind must do' \
'new:Begin a plug-in of your own\: a project that builds, with tests' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'qchroot plugin help commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__plugin__subcmd__help__subcmd__check_commands] )) ||
_qchroot__subcmd__plugin__subcmd__help__subcmd__check_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot plugin help check commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__plugin__subcmd__help__subcmd__help_commands] )) ||
_qchroot__subcmd__plugin__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot plugin help help commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__plugin__subcmd__help__subcmd__info_commands] )) ||
_qchroot__subcmd__plugin__subcmd__help__subcmd__info_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot plugin help info commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__plugin__subcmd__help__subcmd__list_commands] )) ||
_qchroot__subcmd__plugin__subcmd__help__subcmd__list_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot plugin help list commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__plugin__subcmd__help__subcmd__new_commands] )) ||
_qchroot__subcmd__plugin__subcmd__help__subcmd__new_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot plugin help new commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__plugin__subcmd__info_commands] )) ||
_qchroot__subcmd__plugin__subcmd__info_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot plugin info commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__plugin__subcmd__list_commands] )) ||
_qchroot__subcmd__plugin__subcmd__list_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot plugin list commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__plugin__subcmd__new_commands] )) ||
_qchroot__subcmd__plugin__subcmd__new_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot plugin new commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__ps_commands] )) ||
_qchroot__subcmd__ps_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot ps commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__release_commands] )) ||
_qchroot__subcmd__release_commands() {
    local commands; commands=(
'list:List installed releases; the current one is marked' \
'verify:Hold the files of releases against what was recorded when they were installed' \
'remove:Remove a release that no container needs' \
'prune:Remove every release that nobody needs, and downloads not used for a month' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'qchroot release commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__release__subcmd__help_commands] )) ||
_qchroot__subcmd__release__subcmd__help_commands() {
    local commands; commands=(
'list:List installed releases; the current one is marked' \
'verify:Hold the files of releases against what was recorded when they were installed' \
'remove:Remove a release that no container needs' \
'prune:Remove every release that nobody needs, and downloads not used for a month' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'qchroot release help commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__release__subcmd__help__subcmd__help_commands] )) ||
_qchroot__subcmd__release__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot release help help commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__release__subcmd__help__subcmd__list_commands] )) ||
_qchroot__subcmd__release__subcmd__help__subcmd__list_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot release help list commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__release__subcmd__help__subcmd__prune_commands] )) ||
_qchroot__subcmd__release__subcmd__help__subcmd__prune_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot release help prune commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__release__subcmd__help__subcmd__remove_commands] )) ||
_qchroot__subcmd__release__subcmd__help__subcmd__remove_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot release help remove commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__release__subcmd__help__subcmd__verify_commands] )) ||
_qchroot__subcmd__release__subcmd__help__subcmd__verify_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot release help verify commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__release__subcmd__list_commands] )) ||
_qchroot__subcmd__release__subcmd__list_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot release list commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__release__subcmd__prune_commands] )) ||
_qchroot__subcmd__release__subcmd__prune_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot release prune commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__release__subcmd__remove_commands] )) ||
_qchroot__subcmd__release__subcmd__remove_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot release remove commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__release__subcmd__verify_commands] )) ||
_qchroot__subcmd__release__subcmd__verify_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot release verify commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__rename_commands] )) ||
_qchroot__subcmd__rename_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot rename commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__resize_commands] )) ||
_qchroot__subcmd__resize_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot resize commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__restart_commands] )) ||
_qchroot__subcmd__restart_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot restart commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__rollback_commands] )) ||
_qchroot__subcmd__rollback_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot rollback commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__snapshot_commands] )) ||
_qchroot__subcmd__snapshot_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot snapshot commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__start_commands] )) ||
_qchroot__subcmd__start_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot start commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__status_commands] )) ||
_qchroot__subcmd__status_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot status commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__stop_commands] )) ||
_qchroot__subcmd__stop_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot stop commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__top_commands] )) ||
_qchroot__subcmd__top_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot top commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__upgrade_commands] )) ||
_qchroot__subcmd__upgrade_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot upgrade commands' commands "$@"
}
(( $+functions[_qchroot__subcmd__version_commands] )) ||
_qchroot__subcmd__version_commands() {
    local commands; commands=()
    _describe -t commands 'qchroot version commands' commands "$@"
}

if [ "$funcstack[1]" = "_qchroot" ]; then
    _qchroot "$@"
else
    compdef _qchroot qchroot
fi
