//! What no library should do to the process it is in.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use qchroot_plugin::{OptionKind, OptionSpec, Options};

/// The two options.
pub fn options() -> Vec<OptionSpec> {
    vec![
        OptionSpec::new("in", OptionKind::Text, "nowhere", "the method"),
        OptionSpec::new("does", OptionKind::Text, "nothing", "what it does"),
    ]
}

/// Does what the options want done in this method.
pub fn turn(method: &str, options: &Options) {
    let text = |key: &str| options.get(key).and_then(|value| value.as_str()).unwrap_or_default();
    if text("in") == method {
        act(text("does"));
    }
}

fn act(what: &str) {
    match what {
        "abort" => {
            eprintln!("this is the end of it");
            std::process::abort()
        }
        // SAFETY: there is none: that is what is tested.
        "segfault" => unsafe { std::ptr::write_volatile(std::ptr::without_provenance_mut::<u8>(8), 1) },
        "exit" => std::process::exit(3),
        "hang" => loop {
            thread::park();
        },
        "print" => println!("{{\"release\":\"forged\"}}\nsecond\x1b[31m line"),
        "flood" => (0..20_000).for_each(|number| println!("line {number} of many that nobody wants to read")),
        "thread" => drop(thread::spawn(|| {
            loop {
                thread::sleep(Duration::from_millis(1));
            }
        })),
        "child" => drop(sleeper()),
        "child-abort" => {
            sleeper();
            std::process::abort()
        }
        "surroundings" => surroundings(),
        other => panic!("nobody knows {other:?}"),
    }
}

/// A process that would outlive this one by far.
fn sleeper() {
    let mut sleep = Command::new("sleep");
    let child = sleep.arg("1000").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    println!("child {}", child.unwrap().id());
}

/// What this process was given.
fn surroundings() {
    for (name, value) in std::env::vars() {
        println!("env {name}={value}");
    }
    for entry in std::fs::read_dir("/proc/self/fd").unwrap().flatten() {
        if let Ok(file) = std::fs::read_link(entry.path()) {
            println!("fd {} {}", entry.file_name().display(), file.display());
        }
    }
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    println!("{}", limits.lines().find(|line| line.starts_with("Max core")).unwrap());
    println!("pid {}", std::process::id());
}
