//! What rctl(8) prints with `-u`: what the processes of a jail use together. It runs nothing.

use qchroot_api::GroupUsage;

/// Its lines, each a resource and an amount: bytes, seconds, numbers.
pub(crate) fn usage(text: &str) -> GroupUsage {
    let amount = |resource: &str| {
        let value = |line: &str| line.trim().strip_prefix(resource)?.strip_prefix('=')?.parse::<u64>().ok();
        text.lines().find_map(value)
    };
    GroupUsage {
        memory_bytes: amount("memoryuse"),
        processes: amount("nthr"),
        cpu_millis: amount("cputime").map(|seconds| seconds.saturating_mul(1000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_name_what_is_used() {
        let text = "cputime=12\ndatasize=1187840\nstacksize=0\ncoredumpsize=0\nmemoryuse=58523648\nmemorylocked=0\n\
                    maxproc=9\nopenfiles=204\nvmemoryuse=184229888\npseudoterminals=0\nswapuse=0\nnthr=11\n\
                    wallclock=3405\npcpu=3\nreadbps=0\n";
        let expected =
            GroupUsage { memory_bytes: Some(58_523_648), processes: Some(11), cpu_millis: Some(12_000) };
        assert_eq!(usage(text), expected);
        assert_eq!(usage(""), GroupUsage::default());
    }
}
