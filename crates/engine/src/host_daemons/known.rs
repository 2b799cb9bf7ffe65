//! What keeps well known daemons to one address of the host's: data, from the manual page of each.

/// A daemon.
pub(super) struct Known {
    /// Names of its program.
    pub(super) programs: &'static [&'static str],
    /// File and line on Linux, as Debian lays files out; ADDRESS is the host's own, PORT the one it has.
    pub(super) linux: Option<(&'static str, &'static str)>,
    /// The same on FreeBSD.
    pub(super) freebsd: Option<(&'static str, &'static str)>,
}

/// A daemon whose line is the same on both systems.
const fn same(
    programs: &'static [&'static str],
    linux: &'static str,
    freebsd: &'static str,
    line: &'static str,
) -> Known {
    Known { programs, linux: Some((linux, line)), freebsd: Some((freebsd, line)) }
}

pub(super) const KNOWN: &[Known] = &[
    same(&["sshd"], "/etc/ssh/sshd_config", "/etc/ssh/sshd_config", "ListenAddress ADDRESS"),
    same(
        &["nginx"],
        "each server of /etc/nginx",
        "each server of /usr/local/etc/nginx/nginx.conf",
        "listen ADDRESS:PORT;",
    ),
    same(
        &["apache2", "httpd"],
        "/etc/apache2/ports.conf",
        "/usr/local/etc/apache24/httpd.conf",
        "Listen ADDRESS:PORT",
    ),
    same(
        &["lighttpd"],
        "/etc/lighttpd/lighttpd.conf",
        "/usr/local/etc/lighttpd/lighttpd.conf",
        "server.bind = \"ADDRESS\"",
    ),
    same(&["haproxy"], "/etc/haproxy/haproxy.cfg", "/usr/local/etc/haproxy.conf", "bind ADDRESS:PORT"),
    same(
        &["postgres"],
        "the cluster's postgresql.conf",
        "the cluster's postgresql.conf",
        "listen_addresses = 'ADDRESS'",
    ),
    same(
        &["mysqld", "mariadbd"],
        "[mysqld] of /etc/mysql/my.cnf",
        "[mysqld] of /usr/local/etc/mysql/my.cnf",
        "bind-address = ADDRESS",
    ),
    same(
        &["redis-server", "valkey-server"],
        "/etc/redis/redis.conf",
        "/usr/local/etc/redis.conf",
        "bind ADDRESS",
    ),
    Known {
        programs: &["memcached"],
        linux: Some(("/etc/memcached.conf", "-l ADDRESS")),
        freebsd: Some(("/etc/rc.conf", "memcached_flags=\"-l ADDRESS\"")),
    },
    same(
        &["named"],
        "options of /etc/bind/named.conf.options",
        "options of /usr/local/etc/namedb/named.conf",
        "listen-on { ADDRESS; }; listen-on-v6 { none; };",
    ),
    same(
        &["unbound"],
        "server of /etc/unbound/unbound.conf",
        "server of /usr/local/etc/unbound/unbound.conf",
        "interface: ADDRESS",
    ),
    Known {
        programs: &["local-unbound"],
        linux: None,
        freebsd: Some(("server of /var/unbound/unbound.conf", "interface: ADDRESS")),
    },
    Known {
        programs: &["lpd"],
        linux: None,
        freebsd: Some(("/etc/rc.conf", "lpd_flags=\"-s\", which takes no jobs from the network")),
    },
    Known {
        programs: &["rpc.lockd"],
        linux: None,
        freebsd: Some(("/etc/rc.conf", "rpc_lockd_flags=\"-h ADDRESS\"")),
    },
    Known {
        programs: &["rpc.statd"],
        linux: None,
        freebsd: Some(("/etc/rc.conf", "rpc_statd_flags=\"-h ADDRESS\"")),
    },
    same(
        &["dnsmasq"],
        "/etc/dnsmasq.conf",
        "/usr/local/etc/dnsmasq.conf",
        "bind-interfaces and listen-address=ADDRESS",
    ),
    Known {
        programs: &["rpcbind"],
        linux: Some(("/etc/default/rpcbind", "OPTIONS=\"-w -h ADDRESS\"")),
        freebsd: Some(("/etc/rc.conf", "rpcbind_flags=\"-h ADDRESS\"")),
    },
    Known {
        programs: &["nfsd"],
        linux: None,
        freebsd: Some(("/etc/rc.conf", "nfs_server_flags=\"-u -t -h ADDRESS\"")),
    },
    Known {
        programs: &["mountd"],
        linux: None,
        freebsd: Some(("/etc/rc.conf", "mountd_flags=\"-r -S -h ADDRESS\"")),
    },
    Known { programs: &["syslogd"], linux: None, freebsd: Some(("/etc/rc.conf", "syslogd_flags=\"-ss\"")) },
    same(
        &["rsyslogd"],
        "/etc/rsyslog.conf",
        "/usr/local/etc/rsyslog.conf",
        "input(type=\"imudp\" address=\"ADDRESS\" port=\"PORT\")",
    ),
    Known {
        programs: &["inetd"],
        linux: Some(("each line of /etc/inetd.conf", "ADDRESS:SERVICE in place of SERVICE")),
        freebsd: Some(("/etc/rc.conf", "inetd_flags=\"-wW -C 60 -a ADDRESS\"")),
    },
    Known {
        programs: &["sendmail"],
        linux: Some(("/etc/mail/sendmail.mc", "DAEMON_OPTIONS(`Name=MTA, Port=PORT, Addr=ADDRESS')")),
        freebsd: Some(("/etc/mail/HOSTNAME.mc", "DAEMON_OPTIONS(`Name=IPv4, Family=inet, Addr=ADDRESS')")),
    },
    same(&["master"], "/etc/postfix/main.cf", "/usr/local/etc/postfix/main.cf", "inet_interfaces = ADDRESS"),
    Known {
        programs: &["exim", "exim4"],
        linux: Some(("/etc/exim4/update-exim4.conf.conf", "dc_local_interfaces='ADDRESS'")),
        freebsd: Some(("/usr/local/etc/exim/configure", "local_interfaces = ADDRESS")),
    },
    same(
        &["ntpd"],
        "/etc/ntpsec/ntp.conf or /etc/ntp.conf",
        "/etc/ntp.conf",
        "interface ignore wildcard and interface listen ADDRESS",
    ),
    same(&["chronyd"], "/etc/chrony/chrony.conf", "/usr/local/etc/chrony.conf", "bindaddress ADDRESS"),
    same(&["cupsd"], "/etc/cups/cupsd.conf", "/usr/local/etc/cups/cupsd.conf", "Listen ADDRESS:PORT"),
    same(
        &["smbd", "nmbd"],
        "[global] of /etc/samba/smb.conf",
        "[global] of /usr/local/etc/smb4.conf",
        "interfaces = ADDRESS and bind interfaces only = yes",
    ),
    same(
        &["dovecot"],
        "/etc/dovecot/dovecot.conf",
        "/usr/local/etc/dovecot/dovecot.conf",
        "listen = ADDRESS",
    ),
    same(&["vsftpd"], "/etc/vsftpd.conf", "/usr/local/etc/vsftpd.conf", "listen_address=ADDRESS"),
    same(
        &["proftpd"],
        "/etc/proftpd/proftpd.conf",
        "/usr/local/etc/proftpd.conf",
        "DefaultAddress ADDRESS and SocketBindTight on",
    ),
    same(
        &["snmpd"],
        "/etc/snmp/snmpd.conf",
        "/usr/local/etc/snmp/snmpd.conf",
        "agentAddress udp:ADDRESS:PORT",
    ),
    Known {
        programs: &["systemd"],
        linux: Some(("the .socket unit, by `systemctl edit`", "ListenStream= and ListenStream=ADDRESS:PORT")),
        freebsd: None,
    },
];
