//! rctl(8): rules on what jails may use.

use qchroot_api::Output;

use super::Kernel;
use crate::fake::process::output;

/// What it says on a kernel that does not count.
const DISABLED: &str = "rctl: RACCT/RCTL present, but disabled; enable using kern.racct.enable=1 tunable\n";

impl Kernel {
    /// `rctl -a RULE`, `rctl -r FILTER`.
    pub(super) fn rctl(&mut self, args: &[String]) -> Output {
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        match words[..] {
            _ if !self.counts => output(1, "", DISABLED),
            ["-a", rule] if is_rule(rule) => {
                self.rules.insert(rule.into());
                output(0, "", "")
            }
            ["-r", filter] if self.rules.iter().any(|rule| fits(rule, filter)) => {
                self.rules.retain(|rule| !fits(rule, filter));
                output(0, "", "")
            }
            ["-r", filter] => {
                output(1, "", &format!("rctl: failed to remove rule '{filter}': No such process\n"))
            }
            _ => output(
                1,
                "",
                &format!("rctl: failed to add rule '{}': Operation not supported\n", words.join(" ")),
            ),
        }
    }

    /// `rctl FILTER`
    pub(super) fn rules_of(&self, filter: &str) -> Output {
        if !self.counts {
            return output(1, "", DISABLED);
        }
        let rules = self.rules.iter().filter(|rule| fits(rule, filter));
        output(0, &rules.map(|rule| format!("{rule}\n")).collect::<String>(), "")
    }
}

fn fits(rule: &str, filter: &str) -> bool {
    rule.strip_prefix(filter).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

/// What is read and written can be slowed down only, all else denied.
fn is_rule(rule: &str) -> bool {
    let [_, _, resource, action] = rule.split(':').collect::<Vec<_>>()[..] else { return false };
    let is_slow = matches!(resource, "readbps" | "writebps");
    action.starts_with("throttle=") == is_slow && action.starts_with("deny=") != is_slow
}
