#!/bin/sh
# A stand-in for pkg(8): it takes the words that the real one takes, in its order, and nothing else; it wants a repository
# that is described, enabled and signed, a list of packages before it installs, and packages that are in that list.
set -eu
die() { echo "pkg: $*" >&2; exit "${status:-1}"; }
[ "$*" = -N ] && exit 0
root='' conf='' abi=''
while [ $# -gt 0 ]; do
    case $1 in
    --rootdir) root=$2; shift 2 ;;
    --repo-conf-dir) conf=$2; shift 2 ;;
    -o)
        case $2 in
        ABI=FreeBSD:*) abi=${2#ABI=} ;;
        IGNORE_OSVERSION=yes) ;;
        *) status=64 die "unknown option $2" ;;
        esac
        shift 2 ;;
    -*) status=64 die "illegal option -- $1" ;;
    *) break ;;
    esac
done
[ -n "$abi" ] && [ -d "$root" ] || status=64 die "usage: pkg --rootdir DIR -o ABI=... command"
grep -q 'enabled: yes' "$conf"/*.conf || die "No active remote repositories configured"
value() { sed -n "s/^  $1: \"\(.*\)\",\$/\1/p" "$conf"/FreeBSD-base.conf; }
repository=$(value url)
repository=${repository#file://}
ls "$root$(value fingerprints)"/trusted/* >/dev/null 2>&1 || die "Error opening the trusted directory"
db=$root/var/db/pkg
case $* in
'update -r FreeBSD-base')
    mkdir -p "$db" "$root/var/cache/pkg"
    cp "$repository/data.pkg" "$db/repo-FreeBSD-base" ;;
'install -U -y -r FreeBSD-base '*)
    [ -f "$db/repo-FreeBSD-base" ] || die "Repository FreeBSD-base cannot be opened. 'pkg update' required"
    shift 5
    for package; do
        grep -qx "$package" "$db/repo-FreeBSD-base" ||
            die "No packages available to install matching '$package' have been found in the repositories"
        cp "$repository/$package.tar" "$root/var/cache/pkg/"
        tar -xpf "$repository/$package.tar" -C "$root"
        echo "$package" >>"$db/local"
    done ;;
'clean -a -y') rm -f "$root"/var/cache/pkg/* ;;
*) status=64 die "unknown command: $*" ;;
esac
