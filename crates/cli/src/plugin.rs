//! What is shown of back ends: `plugin list` and `plugin info`. What a plug-in says of itself is escaped.

use qchroot_api::{Capability, OptionSpec, Result};
use qchroot_engine::{PluginLine, PluginState};

use crate::print::{escape, line, table};

/// `plugin list`.
pub(crate) fn list(lines: &[PluginLine]) -> Result<()> {
    let row = |line: &PluginLine| {
        vec![
            line.name.clone(),
            line.kind.map_or("-".into(), |kind| kind.to_string()),
            line.version.clone().unwrap_or("-".into()),
            or_dash(line.platforms.iter().map(ToString::to_string)),
            or_dash(line.capabilities.iter().filter_map(word)),
            registered(line),
            state(line),
        ]
    };
    table(&["NAME", "KIND", "VERSION", "RUNS ON", "CAN", "REGISTERED", "STATE"], lines.iter().map(row))
}

/// `plugin info`.
pub(crate) fn info(info: &PluginLine) -> Result<()> {
    let kind = info.kind.map_or(String::new(), |kind| kind.to_string());
    line(&escape(&format!("{kind} {}: {}", info.name, info.summary)))?;
    let version = info.version.as_deref().unwrap_or("-");
    let border = info.border.as_ref().map_or(String::new(), |border| format!(", for border {border}"));
    line(&escape(&format!("version: {version}{border}, {}", registered(info))))?;
    line(&format!("runs on: {}", or_dash(info.platforms.iter().map(ToString::to_string))))?;
    line(&format!("can: {}", or_dash(info.capabilities.iter().filter_map(word))))?;
    line(&escape(&format!("its plans may run: {}", or_dash(info.programs.iter().cloned()))))?;
    line(&escape(&format!("used by: {}", or_dash(info.users.iter().cloned()))))?;
    if info.options.is_empty() {
        return line("takes no options");
    }
    let row = |option: &OptionSpec| {
        let kind = format!("{:?}", option.kind).to_lowercase();
        vec![option.key.clone(), kind, option.default.clone(), option.summary.clone()]
    };
    table(&["OPTION", "TYPE", "DEFAULT", "WHAT IT DOES"], info.options.iter().map(row))
}

/// Where it comes from.
fn registered(line: &PluginLine) -> String {
    line.file.as_ref().map_or("built in".into(), ToString::to_string)
}

fn state(line: &PluginLine) -> String {
    let used =
        if line.users.is_empty() { "unused".into() } else { format!("in use by {}", line.users.len()) };
    let why = line.problem.as_ref().map_or(String::new(), |problem| format!(": {problem}"));
    match line.state {
        PluginState::InUse | PluginState::Unused => used,
        PluginState::NotAllowed => format!("{used}, not allowed"),
        PluginState::Misnamed => format!("{used}, misnamed{why}"),
        PluginState::Broken => format!("{used}, broken{why}"),
        PluginState::Missing => format!("{used}, missing"),
    }
}

/// A capability as it is in JSON.
fn word(capability: &Capability) -> Option<String> {
    Some(serde_json::to_value(capability).ok()?.as_str()?.to_owned())
}

fn or_dash(words: impl Iterator<Item = String>) -> String {
    let all = words.collect::<Vec<_>>().join(", ");
    if all.is_empty() { "-".into() } else { all }
}
