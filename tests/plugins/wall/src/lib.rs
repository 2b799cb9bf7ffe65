//! `acme.wall`: isolation `chroot` under another name, so that containers depend on a plug-in while they run.

use qchroot_isolation_chroot::Chroot;
use qchroot_plugin::{Backend, Base, Container, Info, Isolation, Observe, Options, Plan, Result, Way};

qchroot_plugin::export! { isolation "acme.wall" = Wall }

struct Wall;

impl Backend for Wall {
    fn info(&self) -> Info {
        Info { name: "acme.wall".into(), summary: "a wall".into(), ..Chroot.info() }
    }

    fn check(&self, options: &Options) -> Result<()> {
        Chroot.check(options)
    }
}

impl Isolation for Wall {
    fn enclose(&self, container: &Container, host: &dyn Observe) -> Result<Plan> {
        Chroot.enclose(container, host)
    }

    fn up(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        Chroot.up(base, container, host)
    }

    fn way(&self, container: &Container, host: &dyn Observe) -> Result<Way> {
        Chroot.way(container, host)
    }
}
