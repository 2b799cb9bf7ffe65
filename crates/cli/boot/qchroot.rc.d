#!/bin/sh

# PROVIDE: qchroot
# REQUIRE: LOGIN FILESYSTEMS cleanvar
# BEFORE: securelevel
# KEYWORD: shutdown
#
# rc.conf(5):
#
#   qchroot_enable="YES"    start the containers at boot, stop them in order at shutdown; NO unless set
#   qchroot_flags=""        more arguments for `qchroot start`, such as "-j 8"
#   qchroot_timeout="60"    seconds for all containers to stop; rcshutdown_timeout must be longer
#   qchroot_env=""          environment, such as "QCHROOT_ROOT=/data/qchroot"
#
# `service qchroot start NAME` is for one container, as is stop and restart.

. /etc/rc.subr

name="qchroot"
desc="Containers that share one copy of the system"
rcvar="qchroot_enable"
start_cmd="qchroot_start"
stop_cmd="qchroot_stop"
status_cmd="qchroot_status"

load_rc_config $name
: ${qchroot_enable:="NO"}
: ${qchroot_timeout:="60"}

# rc.subr(8) takes every process of ${name}_program or ${command} for the service itself, and would find
# the supervisors of containers that were started by hand.
qchroot=${qchroot_program:-/usr/local/sbin/qchroot}
unset qchroot_program
# A service jail has no right to make jails and mounts.
qchroot_svcj="NO"

qchroot_start()
{
	if [ $# -eq 0 ]; then
		set -- --boot
	fi
	"$qchroot" start ${rc_flags} "$@"
}

qchroot_stop()
{
	if [ $# -eq 0 ]; then
		set -- -A
	fi
	"$qchroot" stop --timeout "$qchroot_timeout" "$@"
}

# A container's name holds no blank.
qchroot_status()
{
	local name state rest started=1 table

	table=$("$qchroot" list "$@") || return 1
	echo "$table"
	while read -r name state rest; do
		case $state in
		started|partial)
			started=0
			;;
		esac
	done <<-END
	$table
	END
	return $started
}

run_rc_command "$@"
