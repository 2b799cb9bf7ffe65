#!/bin/sh

# PROVIDE: qchroot
# REQUIRE: LOGIN FILESYSTEMS cleanvar
# REQUIRE: jail
# BEFORE: securelevel
# KEYWORD: nojail shutdown
#
# After jail, and so before it at shutdown: without a jail_list, rc.d/jail removes every jail there is.
#
# rc.conf(5):
#
#   qchroot_enable="YES"    start the containers at boot, stop them in order at shutdown; NO unless set
#   qchroot_list=""         which start at boot, in this order where they do not need each other; if empty, all
#                           whose own setting `boot` is yes
#   qchroot_flags=""        more arguments for `qchroot start`, such as "-j 8"
#   qchroot_timeout="60"    seconds for all containers to stop; rcshutdown_timeout must be longer
#   qchroot_env=""          environment, such as "QCHROOT_ROOT=/data/qchroot"
#
# `service qchroot start NAME` is for one container, as are stop, restart and status.

. /etc/rc.subr

name="qchroot"
desc="Containers that share one copy of the system"
rcvar="qchroot_enable"
start_cmd="qchroot_start"
stop_cmd="qchroot_stop"
status_cmd="qchroot_status"
# In older releases rc.subr(8) knows status by itself only where a process has the service's name.
extra_commands="status"

load_rc_config $name
: ${qchroot_enable:="NO"}
: ${qchroot_list:=""}
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
		set -- ${qchroot_list:---boot}
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
	table=$("$qchroot" list "$@") || return 1
	echo "$table"
	stopped=1
	while read -r container state rest; do
		case $state in
		started|partial)
			stopped=0
			;;
		esac
	done <<-END
	$table
	END
	return $stopped
}

run_rc_command "$@"
