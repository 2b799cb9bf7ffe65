#!/bin/sh
# Runs the acceptance tests that lie beside this file, as root: sh run.sh [FILTER]
# The last line is `N passed, N failed`; the status is 0 when nothing failed.

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd -P) || exit 1
if [ "$(id -u)" -ne 0 ]; then
	echo "run.sh: the tests mount, attach disks and start containers: run them as root" >&2
	echo "0 passed, 1 failed"
	exit 1
fi
PATH=/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin
export PATH
unset QCHROOT_ROOT QCHROOT_CRASH_AT
QCHROOT_BIN=${QCHROOT_BIN:-$here/qchroot}
export QCHROOT_BIN
cd / || exit 1
umask 022
exec "$here/qchroot-acceptance" "$@"
