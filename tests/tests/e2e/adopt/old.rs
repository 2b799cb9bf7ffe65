//! Systems as other tools leave them, with the userland of the tests: trees, links and configuration files at their
//! places below a directory that stands for the root of a machine.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::Ran;
use crate::tree::Tree;
use crate::userland;
use crate::world::{RunWith, World, free_port, page, until};

/// A daemon with a script as rc.subr(8) has it: `onestart` and `onestop`.
pub const HTTPD: &str = "#!/bin/sh
case $1 in
onestart) httpd -p 127.0.0.1:$(cat /etc/port) -h /www ;;
onestop) killall httpd ;;
esac
";

/// What the tools share of the tests' userland.
const SHARED: &[&str] = &["bin", "usr/bin", "usr/sbin"];

/// One machine with one tool's containers.
pub struct Old {
    /// Holds the directory, and the userland's archive.
    holder: World,
    /// The root of the old machine.
    pub top: PathBuf,
    /// The qchroot system that takes over.
    pub world: World,
    /// Which tool.
    pub tool: &'static str,
    /// The port of `web`'s daemon.
    pub port: u16,
}

impl Old {
    /// One with the containers `web`, which has the service `httpd`, and `db`, which does not start at boot.
    pub fn of(tool: &'static str) -> Self {
        let holder = World::new();
        let top = holder.dir().join("old");
        // As on FreeBSD, what takes over lies where the old qchroot(8) had everything.
        let world = World::at(&top.join("usr/q"));
        fs::create_dir_all(&top).unwrap();
        userland::write_with(&holder.archive(), &[("usr/local/etc/rc.d/httpd", HTTPD)]);
        let old = Self { top, world, tool, port: free_port(), holder };
        old.make("usr/q/lib");
        match tool {
            "qchroot" => old.qchroot(),
            "qjail" => old.qjail(),
            "ezjail" => old.ezjail(),
            _ => old.bastille(),
        }
        for name in ["web", "db"] {
            old.write(&format!("{}/root/thesis", old.tree_of(name)), &format!("precious {name}"));
            old.write(&format!("{}/etc/port", old.tree_of(name)), &old.port.to_string());
        }
        old
    }

    fn qchroot(&self) {
        symlink("q/lib", self.top.join("usr/qchroot")).unwrap();
        self.split("usr/qchroot/template", "usr/qchroot/sharedfs", "sharedfs");
        for name in ["web", "db"] {
            self.copy("usr/qchroot/template", &format!("usr/qchroot/{name}"));
        }
        self.write("usr/local/etc/qchroot.local/web", "name=\"web\"\nservice_name=\"httpd\"\n");
        self.write("usr/local/etc/qchroot.local/db.norun", "name=\"db\"\nservice_name=\"\"\n");
        self.write("usr/local/etc/rc.d/qchroot.bootime", "#!/bin/csh\n");
    }

    fn qjail(&self) {
        self.split("usr/jails/template", "usr/jails/sharedfs", "sharedfs");
        for (name, file) in [("web", "web"), ("db", "db.man")] {
            let root = format!("/usr/jails/{name}");
            self.copy("usr/jails/template", &root);
            let text = format!(
                "name=\"{name}\"\nip4=\"10.0.0.1,lo1|10.0.0.2\"\nip6=\"\"\npath=\"{root}\"\ninterface=\"em0\"\n\
                 fstab=\"/usr/local/etc/qjail.fstab/{name}\"\nsecurelevel=\"2\"\ncpuset=\"\"\nfib=\"\"\nvnet=\"\"\n\
                 vinterface=\"\"\nrsockets=\"yes\"\nruleset=\"\"\nsysvipc=\"\"\nquotas=\"\"\nnullfs=\"\"\nzfs=\"\"\n\
                 tmpfs=\"\"\npoststartssh=\"\"\ndeffile=\"/usr/local/etc/qjail.local/{file}\"\nimage=\"\"\n\
                 imagetype=\"\"\nimageblockcount=\"\"\nimagedevice=\"\"\n"
            );
            self.write(&format!("usr/local/etc/qjail.local/{file}"), &text);
            let line = format!("/usr/jails/sharedfs {root}/sharedfs nullfs ro 0 0\n");
            self.write(&format!("usr/local/etc/qjail.fstab/{name}"), &line);
        }
        self.enable();
    }

    fn ezjail(&self) {
        self.split("usr/jails/newjail", "usr/jails/basejail", "basejail");
        self.write("usr/local/etc/ezjail.conf", "# ezjail_jaildir=/elsewhere\nezjail_jaildir=/usr/jails\n");
        for (name, file) in [("web", "web"), ("db", "db.norun")] {
            let root = format!("/usr/jails/{name}");
            self.copy("usr/jails/newjail", &root);
            let mut text = "# To specify the start up order of your ezjails, use these lines to\n# create a Jail \
                            dependency tree. See rcorder(8) for more details.\n#\n# PROVIDE: standard_ezjail\n\
                            # REQUIRE: \n# BEFORE: \n#\n\n"
                .to_owned();
            for (key, value) in [
                ("hostname", format!("{name}.example.org")),
                ("ip", "em0|10.0.0.1,lo1|fd00::1".into()),
                ("rootdir", root.clone()),
                ("exec", "/bin/sh /etc/rc".into()),
                ("mount_enable", "YES".into()),
                ("devfs_enable", "YES".into()),
                ("devfs_ruleset", "devfsrules_jail".into()),
                ("procfs_enable", "YES".into()),
                ("fdescfs_enable", "YES".into()),
                ("image", String::new()),
                ("imagetype", String::new()),
                ("attachparams", String::new()),
                ("attachblocking", String::new()),
                ("forceblocking", String::new()),
            ] {
                text.push_str(&format!("export jail_{name}_{key}=\"{value}\"\n"));
            }
            self.write(&format!("usr/local/etc/ezjail/{file}"), &text);
            self.write(
                &format!("etc/fstab.{name}"),
                &format!("/usr/jails/basejail {root}/basejail nullfs ro 0 0\n"),
            );
        }
        self.enable();
    }

    fn bastille(&self) {
        let release = "usr/local/bastille/releases/13.2-RELEASE";
        self.make(release);
        self.unpack(release);
        self.write(&format!("{release}/.profile"), "PATH=/bin\n");
        let conf = "bastille_prefix=\"/usr/local/bastille\"   ## default\nbastille_jailsdir=\"${bastille_prefix}/jails\"\n";
        self.write("usr/local/etc/bastille/bastille.conf", conf);
        for (name, boot) in [("web", "on"), ("db", "off")] {
            let dir = format!("/usr/local/bastille/jails/{name}");
            for path in ["root/.bastille", "root/.template", "root/usr/local", "root/home"] {
                self.make(&format!("{dir}/{path}"));
            }
            for path in SHARED {
                symlink(format!("/.bastille/{path}"), self.at(&format!("{dir}/root/{path}"))).unwrap();
            }
            for path in [".profile", "etc", "dev", "proc", "root", "tmp", "var", "www", "usr/local/etc"] {
                self.copy(&format!("{release}/{path}"), &format!("{dir}/root/{path}"));
            }
            let conf = format!(
                "{name} {{\n  enforce_statfs = 2;\n  devfs_ruleset = 4;\n  exec.clean;\n  exec.consolelog = \
                 /var/log/bastille/{name}_console.log;\n  exec.start = '/bin/sh /etc/rc';\n  exec.stop = '/bin/sh \
                 /etc/rc.shutdown';\n  host.hostname = {name};\n  mount.devfs;\n  mount.fstab = {dir}/fstab;\n  \
                 path = {dir}/root;\n  securelevel = 2;\n  osrelease = 13.2-RELEASE;\n\n  ip4.addr = \
                 bastille0|10.0.0.1;\n  \n  ip6 = disable;\n}}\n"
            );
            self.write(&format!("{dir}/jail.conf"), &conf);
            let fstab = format!("/{release} {dir}/root/.bastille nullfs ro 0 0\n");
            self.write(&format!("{dir}/fstab"), &fstab);
            let settings = format!("boot=\"{boot}\"\ndepend=\"\"\npriority=\"99\"\n");
            self.write(&format!("{dir}/settings.conf"), &settings);
        }
        self.enable();
    }

    /// `web` says in its own rc.conf what starts in it.
    fn enable(&self) {
        let text = "sendmail_enable=\"NONE\"\nhttpd_enable=\"YES\"\nmissing_enable=\"YES\"\n";
        self.write(&format!("{}/etc/rc.conf", self.tree_of("web")), text);
    }

    /// A container's tree, from the old machine's root on.
    pub fn tree_of(&self, name: &str) -> String {
        match self.tool {
            "qchroot" => format!("usr/qchroot/{name}"),
            "bastille" => format!("usr/local/bastille/jails/{name}/root"),
            _ => format!("usr/jails/{name}"),
        }
    }

    /// The file that the old tool has of a container that starts at boot.
    pub fn file_of(&self, name: &str) -> String {
        match self.tool {
            "qchroot" => format!("usr/local/etc/qchroot.local/{name}"),
            "qjail" => format!("usr/local/etc/qjail.local/{name}"),
            "ezjail" => format!("usr/local/etc/ezjail/{name}"),
            _ => format!("usr/local/bastille/jails/{name}/jail.conf"),
        }
    }

    /// Where a path of the old machine's is.
    pub fn at(&self, path: &str) -> PathBuf {
        self.top.join(path.trim_start_matches('/'))
    }

    pub fn make(&self, path: &str) {
        fs::create_dir_all(self.at(path)).unwrap();
    }

    pub fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), text).unwrap();
    }

    /// Adds to a file.
    pub fn append(&self, path: &str, text: &str) {
        let before = fs::read_to_string(self.at(path)).unwrap();
        self.write(path, &format!("{before}{text}"));
    }

    pub fn copy(&self, from: &str, to: &str) {
        let (from, to) = (self.at(from), self.at(to));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        let (from, to) = (from.to_str().unwrap(), to.to_str().unwrap());
        Ran::of(Command::new("cp").args(["-a", from, to])).ok();
    }

    fn unpack(&self, at: &str) {
        let (archive, at) = (self.holder.archive(), self.at(at));
        let args = ["-xpf", archive.to_str().unwrap(), "-C", at.to_str().unwrap()];
        Ran::of(Command::new("tar").args(args)).ok();
        fs::set_permissions(&at, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A userland in two: what is shared, and a template with links to where that is mounted.
    fn split(&self, template: &str, shared: &str, mount: &str) {
        self.make(template);
        self.unpack(template);
        self.make(&format!("{shared}/usr"));
        self.make(&format!("{template}/{mount}"));
        for path in SHARED {
            let at = self.at(&format!("{template}/{path}"));
            fs::rename(&at, self.at(&format!("{shared}/{path}"))).unwrap();
            symlink(format!("/{mount}/{path}"), at).unwrap();
        }
    }

    /// `adopt` on the old machine's root; containers of jails become chroots, which this kernel has.
    pub fn adopt(&self, args: &[&str]) -> Ran {
        self.world.command(self.words()).ran(args)
    }

    /// The words that begin it.
    pub fn words(&self) -> [&str; 7] {
        ["adopt", "--from", self.tool, "--isolation", "chroot", "--path", self.top.to_str().unwrap()]
    }

    /// Everything on the old machine.
    pub fn tree(&self) -> Tree {
        Tree::with_times(&self.top)
    }

    /// Everything but what a run leaves whether or not it did anything: locks and logs.
    pub fn lasting(&self) -> Tree {
        let except = [
            "usr/q/run",
            "usr/q/log",
            "usr/q/etc",
            "usr/q/lib/.journal",
            "usr/q/lib/.trash",
            "usr/q/lib/releases",
        ];
        Tree::without(&self.top, &except)
    }

    /// Asserts that `web` is taken and works as ever.
    #[track_caller]
    pub fn assert_works(&self) {
        let world = &self.world;
        assert_eq!(world.sh("cat /root/thesis").ok(), "precious web");
        world.run(["start", "web"]).ok();
        until("httpd answers", || page(self.port).as_deref() == Some("a page from inside\n"));
        assert_eq!(world.state("web"), "started");
        world.run(["stop", "web"]).ok();
        world.assert_quiet();
        world.assert_sound();
    }
}

/// A directory's number: the same as long as it is the same one.
pub fn number(path: &Path) -> u64 {
    fs::symlink_metadata(path).unwrap().ino()
}
