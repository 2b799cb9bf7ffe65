//! A web server, a database and a store from Debian's packages, each in a container of its own, side by side: they
//! answer, outlive reboots with what they keep, come back in their order, and leave no trace.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use crate::boot::scripts::Script;
use crate::world::{World, free_port, page, until};

/// `front` serves what it reads from the database when it starts; `memory` and `tables` come before it.
struct Shop {
    script: Script,
    web: u16,
    redis: u16,
    postgres: u16,
    log_read: usize,
}

/// Where Debian has the programs of the newest PostgreSQL.
fn postgres_programs() -> String {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("Debian's postgresql is installed");
    let newest = versions.flatten().map(|entry| entry.path()).max().unwrap();
    newest.join("bin").to_str().unwrap().to_owned()
}

/// Runs a shell script in a container as a user of its own.
#[track_caller]
fn sh(world: &World, container: &str, user: &str, script: &str) -> String {
    world.run(["exec", container, "-U", user, "--", "sh", "-c", script]).ok()
}

/// What the packages' own scripts do, where the host's are copied without them.
fn make_user(world: &World, container: &str, user: &str, home: &str) {
    let known = format!("getent passwd {user} || useradd --system --home-dir {home} {user}");
    sh(world, container, "root", &format!("{known}; mkdir -p {home}; chown {user} {home}"));
}

/// What comes back on a port first.
fn answer(port: u16, question: &[u8]) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    stream.write_all(question).ok()?;
    let mut bytes = vec![0; 256];
    let length = stream.read(&mut bytes).ok()?;
    Some(bytes[..length].to_vec())
}

impl Shop {
    fn open(isolation: &str) -> Self {
        let world = World::new();
        let packages = "packages=lighttpd,netbase,passwd,postgresql,procps,redis-server";
        world.run(["install", "--source", "host", "-o", packages]).ok();
        for name in ["front", "memory", "tables"] {
            world.run(["create", name, "--isolation", isolation]).ok();
        }
        let shop = Self {
            script: Script::init_d(world, &["dash"]),
            web: free_port(),
            redis: free_port(),
            postgres: free_port(),
            log_read: 0,
        };
        shop.set_up_tables();
        shop.set_up_memory();
        shop.set_up_front();
        shop
    }

    fn world(&self) -> &World {
        &self.script.world
    }

    fn set_up_tables(&self) {
        let (bin, port) = (postgres_programs(), self.postgres);
        make_user(self.world(), "tables", "postgres", "/var/lib/postgresql");
        sh(
            self.world(),
            "tables",
            "postgres",
            &format!("{bin}/initdb -D /var/lib/postgresql/data --no-sync -A trust -E UTF8"),
        );
        let shared = "-c dynamic_shared_memory_type=mmap";
        let command = format!(
            "postgres={bin}/postgres -D /var/lib/postgresql/data -h 127.0.0.1 -p {port} -k /tmp {shared}"
        );
        // While it recovers it listens and refuses.
        let ready = format!("postgres=command:{bin}/pg_isready -q -h 127.0.0.1 -p {port}");
        self.world()
            .run([
                "config",
                "tables",
                "--command",
                &command,
                "--user",
                "postgres=postgres",
                "--ready",
                &ready,
            ])
            .ok();
        self.world().run(["config", "tables", "--stop-signal", "postgres=INT"]).ok();
        self.world().run(["start", "tables"]).ok();
        self.sql("create table goods (name text); insert into goods values ('a row of the database')");
    }

    fn set_up_memory(&self) {
        make_user(self.world(), "memory", "redis", "/var/lib/redis");
        let port = self.redis;
        let command = format!(
            "redis=redis-server --bind 127.0.0.1 --port {port} --dir /var/lib/redis --appendonly yes"
        );
        let ready = format!("redis=port:{port}");
        self.world()
            .run(["config", "memory", "--command", &command, "--user", "redis=redis", "--ready", &ready])
            .ok();
    }

    fn set_up_front(&self) {
        let (bin, web, postgres) = (postgres_programs(), self.web, self.postgres);
        let script = format!(
            "cat > /etc/front.conf <<END
server.document-root = \"/var/www/html\"
server.bind = \"127.0.0.1\"
server.port = {web}
server.username = \"www-data\"
index-file.names = ( \"index.html\" )
END
cat > /usr/sbin/front <<END
#!/bin/sh
set -e
{bin}/psql -h 127.0.0.1 -p {postgres} -U postgres -Atc 'select name from goods' > /var/www/html/index.html
exec lighttpd -D -f /etc/front.conf
END
chmod 755 /usr/sbin/front"
        );
        sh(self.world(), "front", "root", &script);
        let ready = format!("http=port:{web}");
        self.world().run(["config", "front", "--command", "http=/usr/sbin/front", "--ready", &ready]).ok();
        self.world().run(["config", "front", "--requires", "tables", "--requires", "memory"]).ok();
    }

    /// What the database answers inside its container.
    #[track_caller]
    fn sql(&self, words: &str) -> String {
        let (bin, port) = (postgres_programs(), self.postgres);
        let ask = format!("{bin}/psql -h 127.0.0.1 -p {port} -v ON_ERROR_STOP=1 -Atc \"{words}\"");
        sh(self.world(), "tables", "postgres", &ask)
    }

    #[track_caller]
    fn assert_answers(&self) {
        until("the web server answers", || page(self.web).is_some());
        assert_eq!(page(self.web).unwrap(), "a row of the database\n");
        assert_eq!(answer(self.redis, b"PING\r\n").unwrap(), b"+PONG\r\n");
        // Whether it speaks TLS, "SSLRequest" of PostgreSQL's message formats: S or N.
        let said = answer(self.postgres, &[0, 0, 0, 8, 4, 210, 22, 47]).unwrap();
        assert!(matches!(said.as_slice(), b"S" | b"N"), "{said:?}");
        let member = |name: &str| self.world().run(["ps", name]).ok();
        for (name, program) in [("front", "lighttpd"), ("memory", "redis-server"), ("tables", "postgres")] {
            assert!(member(name).contains(program), "{program} runs in {name}");
        }
    }

    /// The database has its row and the store its key.
    #[track_caller]
    fn assert_keeps(&self) {
        assert_eq!(self.sql("select name from goods"), "a row of the database\n");
        assert_eq!(answer(self.redis, b"GET goods\r\n").unwrap(), b"$4\r\nkept\r\n");
    }

    /// What the database's log has had to say since it was last asked.
    fn database_log(&mut self) -> String {
        let path: PathBuf = self.world().root.join("log/tables/postgres.log");
        let text = fs::read_to_string(path).unwrap();
        let news = text[self.log_read..].to_owned();
        self.log_read = text.len();
        news
    }

    /// The run directory is of memory; what started since then, in order.
    fn boot(&self) -> Vec<String> {
        for gone in ["run", "log/qchroot.log"] {
            let at = self.world().root.join(gone);
            let _ = if at.is_dir() { fs::remove_dir_all(at) } else { fs::remove_file(at) };
        }
        self.script.run("start").is(0, &["front: Start chroot completed"]);
        let record = fs::read_to_string(self.world().root.join("log/qchroot.log")).unwrap();
        let starts = record.lines().filter(|line| line.contains(" done: start service "));
        starts.map(|line| line.split(' ').nth(2).unwrap().to_owned()).collect()
    }

    #[track_caller]
    fn assert_in_order(started: &[String]) {
        assert_eq!(started.len(), 3, "{started:?}");
        assert_eq!(started[2], "front", "what it requires comes first: {started:?}");
    }
}

fn a_day_in_the_life_of_a_shop(isolation: &str) {
    let mut shop = Shop::open(isolation);
    shop.world().run(["start", "-A"]).ok();
    shop.assert_answers();
    assert_eq!(answer(shop.redis, b"SET goods kept\r\n").unwrap(), b"+OK\r\n");
    shop.assert_keeps();

    // Shut down in order, and boot.
    shop.script.run("stop").is(0, &["tables: Chroot is stopped"]);
    shop.world().assert_quiet();
    let last_words = shop.database_log();
    assert!(last_words.contains("database system is shut down"), "{last_words}");
    Shop::assert_in_order(&shop.boot());
    shop.assert_answers();
    shop.assert_keeps();
    let news = shop.database_log();
    assert!(news.contains("database system was shut down at"), "{news}");
    assert!(!news.contains("not properly shut down") && !news.contains("interrupted"), "{news}");

    // A power cut, and boot.
    shop.world().pull_the_plug();
    Shop::assert_in_order(&shop.boot());
    shop.assert_answers();
    shop.assert_keeps();

    shop.script.run("stop").is(0, &[]);
    shop.world().assert_quiet();
    assert_eq!([shop.web, shop.redis, shop.postgres].map(|port| answer(port, b"\n")), [const { None }; 3]);
    shop.world().run(["delete", "-A", "--wait"]).ok();
    shop.world().assert_sound();
}

#[test]
fn in_chroots() {
    a_day_in_the_life_of_a_shop("chroot");
}

#[test]
fn in_namespaces() {
    a_day_in_the_life_of_a_shop("namespaces");
}
