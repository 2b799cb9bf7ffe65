#!/bin/sh
### BEGIN INIT INFO
# Provides:          qchroot
# Required-Start:    $local_fs $remote_fs $network $named $syslog $time
# Required-Stop:     $local_fs $remote_fs $network $named $syslog
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: Containers that share one copy of the system
# Description:       Starts the containers whose boot is yes in the order of their dependencies,
#                    and stops all that are started in the reverse order.
### END INIT INFO

# Exit status as LSB says: 0 done, 1 failed, 2 usage, 3 not implemented (of status: nothing is started),
# 4 not allowed (of status: unknown), 5 not installed.

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
PROGRAM=/usr/sbin/qchroot
QCHROOT_START_FLAGS=
QCHROOT_STOP_TIMEOUT=120
[ ! -r /etc/default/qchroot ] || . /etc/default/qchroot
export PATH
[ -z "$QCHROOT_ROOT" ] || export QCHROOT_ROOT

run()
{
	"$PROGRAM" "$@"
	case $? in
	0) ;;
	77) return 4 ;;
	*) return 1 ;;
	esac
}

start()
{
	# The flags are words.
	run start --boot $QCHROOT_START_FLAGS
}

stop()
{
	run stop -A --timeout "$QCHROOT_STOP_TIMEOUT"
}

# A container's name holds no blank.
status()
{
	table=$("$PROGRAM" list) || return 4
	echo "$table"
	while read -r _ state _; do
		case $state in
		started | partial) return 0 ;;
		esac
	done <<-END
	$table
	END
	return 3
}

if [ ! -x "$PROGRAM" ]; then
	echo "qchroot: $PROGRAM is not installed" >&2
	[ "$1" = status ] && exit 4
	exit 5
fi

case $1 in
start) start ;;
stop) stop ;;
restart | force-reload)
	stop && start
	;;
try-restart | condrestart)
	if status >/dev/null; then
		stop && start
	fi
	;;
status) status ;;
reload)
	echo "qchroot: nothing to reload: a container reads its file when it starts" >&2
	exit 3
	;;
*)
	echo "usage: ${0##*/} start|stop|restart|try-restart|force-reload|status" >&2
	exit 2
	;;
esac
