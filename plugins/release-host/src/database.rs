//! dpkg's database inside the userland: it names the packages that are there, and no others.

use std::collections::HashSet;

use qchroot_api::camino::Utf8Path;
use qchroot_api::{ErrorKind, Observe, Place, Result};

use crate::closure::Selection;
use crate::manifest::{INFO, Manifest};
use crate::output::Output;

const TOP: &str = "/var/lib/dpkg";

/// Writes it.
pub(crate) fn write(selection: &Selection, manifest: &mut Manifest, output: &mut Output) -> Result<()> {
    for directory in ["", "alternatives", "info", "parts", "triggers", "updates"] {
        output.directory(format!("var/lib/dpkg/{directory}"), 0o755, 0)?;
    }
    let status: String =
        selection.packages().map(|package| format!("{}\n\n", package.stanza.trim())).collect();
    put(output, "status", &status)?;
    put(output, "available", "")?;
    put(output, "diversions", &diversions(selection, output.host())?)?;
    put(output, "statoverride", &overrides(manifest, output.host())?)?;
    put(output, "triggers/Unincorp", "")?;
    if let Some(arch) = read(output.host(), "arch")? {
        put(output, "arch", &arch)?;
    }
    interest(selection, output)?;
    info(selection, output)
}

/// Lists, checksums and scripts of the packages.
fn info(selection: &Selection, output: &mut Output) -> Result<()> {
    let stems: HashSet<String> = selection.packages().map(|package| package.stem()).collect();
    put(output, "info/format", &read(output.host(), "info/format")?.unwrap_or_else(|| "1\n".into()))?;
    for name in names(output.host(), "info")? {
        if name.rsplit_once('.').is_some_and(|(stem, _)| stems.contains(stem)) {
            let path = format!("{INFO}/{name}");
            let content = output.read(Utf8Path::new(&path))?;
            let script = content.starts_with(b"#!");
            output.file(&path[1..], if script { 0o755 } else { 0o644 }, 0, &content)?;
        }
    }
    Ok(())
}

/// Three lines each: from, to, and the package that diverts.
fn diversions(selection: &Selection, host: &dyn Observe) -> Result<String> {
    let text = read(host, "diversions")?.unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    let ours = lines.chunks_exact(3).filter(|three| selection.has(three[2]));
    Ok(ours.map(|three| three.join("\n") + "\n").collect())
}

/// Lines `USER GROUP MODE PATH`.
fn overrides(manifest: &mut Manifest, host: &dyn Observe) -> Result<String> {
    let text = read(host, "statoverride")?.unwrap_or_default();
    let ours = |line: &&str| line.splitn(4, ' ').nth(3).is_some_and(|path| manifest.has(host, path));
    Ok(text.lines().filter(ours).map(|line| format!("{line}\n")).collect())
}

/// Triggers: each line ends in the package that is interested, with `/noawait` perhaps.
fn interest(selection: &Selection, output: &mut Output) -> Result<()> {
    for name in
        names(output.host(), "triggers")?.iter().filter(|name| !["Lock", "Unincorp"].contains(&name.as_str()))
    {
        let file = format!("triggers/{name}");
        let text = read(output.host(), &file)?.unwrap_or_default();
        let package =
            |line: &str| line.rsplit(' ').next().and_then(|word| word.split('/').next().map(str::to_owned));
        let ours = text.lines().filter(|line| package(line).is_some_and(|package| selection.has(&package)));
        let ours: String = ours.map(|line| format!("{line}\n")).collect();
        if !ours.is_empty() {
            put(output, &file, &ours)?;
        }
    }
    Ok(())
}

fn put(output: &mut Output, name: &str, text: &str) -> Result<()> {
    output.file(format!("var/lib/dpkg/{name}"), 0o644, 0, text.as_bytes())
}

fn read(host: &dyn Observe, name: &str) -> Result<Option<String>> {
    match host.read(&Place::host(format!("{TOP}/{name}"))) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        text => text.map(Some),
    }
}

fn names(host: &dyn Observe, directory: &str) -> Result<Vec<String>> {
    host.list(&Place::host(format!("{TOP}/{directory}")))
}
