//! A web server from Debian's packages in a container: made, started, asked, stopped and gone again.

use std::time::{Duration, Instant};

use crate::program::Program;
use crate::run::Run;
use crate::workspace::Workspace;
use crate::{Result, http, setup};

/// What the page says.
const PAGE: &str = "<h1>Hello from inside the container</h1>\n";

/// How long the server may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// `cargo xtask demo`.
pub(crate) fn task(workspace: &Workspace) -> Result<()> {
    setup::require_root("demo", "mounts and enters a container")?;
    setup::ensure(setup::DEMO)?;
    Run::cargo().args(["build", "--release", "--package=qchroot"]).run()?;
    let root = workspace.target.join("demo");
    let program = Program::on_empty_root(workspace.built("release", "qchroot"), root)?;
    let start = Instant::now();
    let shown = show(&program);
    if shown.is_err() {
        println!("\nit failed; cleaning up");
    }
    program.remove_root()?;
    shown?;
    println!("\nNothing is left of it; all that took {:.0} s.", start.elapsed().as_secs_f64());
    Ok(())
}

fn show(program: &Program) -> Result<()> {
    let port = http::free_port()?;
    say("A release: Debian's packages, unpacked once and shared by every container made from it");
    program.show(&["install", "--source", "debian", "-o", "packages=lighttpd"])?;
    say("A container, with a page and a configuration written from inside");
    program.show(&["create", "web"])?;
    write_inside(program, "/var/www/html/index.html", PAGE)?;
    write_inside(program, "/etc/lighttpd/lighttpd.conf", &configuration(port))?;
    say("Its service, by the name of its script in /etc/init.d");
    program.show(&["config", "web", "lighttpd"])?;
    program.show(&["start", "web"])?;
    program.show(&["list"])?;
    program.show(&["ps", "web"])?;
    say(&format!("What http://127.0.0.1:{port}/ answers"));
    fetch(port)?;
    say("Stopped, and no process left; then deleted");
    program.show(&["stop", "web"])?;
    program.show(&["ps", "web"])?;
    program.show(&["delete", "web"])
}

fn say(what: &str) {
    println!("\n# {what}");
}

fn write_inside(program: &Program, file: &str, text: &str) -> Result<()> {
    program.show(&["exec", "web", "--", "/bin/sh", "-c", "printf %s \"$1\" > \"$2\"", "write", text, file])
}

/// The least that lighttpd needs: its script checks the file before it starts the server.
fn configuration(port: u16) -> String {
    format!(
        "server.bind = \"127.0.0.1\"\nserver.port = {port}\nserver.document-root = \"/var/www/html\"\n\
         server.username = \"www-data\"\nserver.groupname = \"www-data\"\nserver.pid-file = \"/run/lighttpd.pid\"\n\
         index-file.names = (\"index.html\")\nmimetype.assign = (\".html\" => \"text/html\")\n"
    )
}

fn fetch(port: u16) -> Result<()> {
    let answer = http::get(port, PATIENCE)?;
    println!("{}", answer.trim_end());
    if answer.starts_with("HTTP/1.0 200") && answer.ends_with(PAGE) {
        return Ok(());
    }
    Err("the server did not answer with the page".into())
}
