//! What fstat(1) prints: who has which files open. It runs nothing.

/// The process of each line, as `PID (COMMAND)`, each once: `USER CMD PID FD MOUNT …` below a head. A command's name may
/// have blanks in it, so the number is the last before what can only be the name of a descriptor.
pub(crate) fn holders(text: &str) -> Vec<String> {
    let mut found: Vec<String> = text.lines().filter_map(holder).map(shown).collect();
    found.dedup();
    found
}

/// The numbers of the processes.
pub(crate) fn pids(text: &str) -> Vec<u32> {
    text.lines().filter_map(holder).map(|(pid, _)| pid).collect()
}

fn shown((pid, command): (u32, String)) -> String {
    format!("{pid} ({command})")
}

fn holder(line: &str) -> Option<(u32, String)> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let at =
        (2..fields.len().saturating_sub(1)).find(|&at| is_number(fields[at]) && is_file(fields[at + 1]))?;
    Some((fields[at].parse().ok()?, fields[1..at].join(" ")))
}

fn is_number(field: &str) -> bool {
    !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_digit())
}

/// Special names and, with a `*` where it is no file of a file system, numbers; see fstat(1).
fn is_file(field: &str) -> bool {
    let special = ["text", "wd", "root", "jail", "tr", "mmap", "ctty"];
    special.contains(&field) || is_number(field.trim_end_matches('*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded on 13.2.
    const TEXT: &str = "\
USER     CMD          PID   FD MOUNT      INUM MODE         SZ|DV R/W
root     sleep        168 text /tmp/q/c1/sharedfs     54 -r-xr-xr-x    7672  r
root     sleep        168   wd /tmp          5 drwxr-xr-x     640  r
root     sleep        168 root /tmp          5 drwxr-xr-x     640  r
root     sleep        168 jail /tmp          5 drwxr-xr-x     640  r
root     sleep        168    0 /tmp/q/c1/dev     26 crw-rw-rw-    null rw
root     sleep        168    1 /tmp/q/c1/dev     26 crw-rw-rw-    null rw
";

    #[test]
    fn each_process_is_named_once_and_the_head_is_none() {
        assert_eq!(holders(TEXT), ["168 (sleep)"]);
        assert_eq!(pids(TEXT).len(), 6);
        let head = TEXT.lines().next().unwrap_or_default();
        assert!(holders(head).is_empty() && pids(&format!("{head} NAME\n")).is_empty());
    }

    #[test]
    fn names_with_blanks_and_numbers_are_commands() {
        let line = "www      nginx: 7 worker  912 mmap /usr   7 -r--r--r--  10 r  /usr/lib/libc.so";
        assert_eq!(holders(line), ["912 (nginx: 7 worker)"]);
        assert_eq!(holders("root     syslogd      77    5* local dgram fffff8"), ["77 (syslogd)"]);
        assert!(holders("fstat: /nosuch: No such file or directory").is_empty());
    }
}
