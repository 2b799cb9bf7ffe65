//! Who may depend on whom. The table below is the architecture; cargo's metadata is what was built.

use serde_json::Value;

/// Crates that talk to the operating system.
const SYSTEM_CRATES: &[&str] = &["duct", "libc", "nix", "rustix"];

/// The only packages that may use them in what they ship; none of the others but the first ships.
const SYSTEM_USERS: &[&str] =
    &["qchroot-host", "qchroot-testkit", "acceptance", "qchroot-tests", "tests", "xtask"];

/// Packages that everything may be put together in.
const ROOTS: &[&str] = &["qchroot", "acceptance", "qchroot-tests", "tests", "xtask"];

/// The packages of this workspace that `package` may build on, or none if anything goes.
fn may_use(package: &str) -> Option<&'static [&'static str]> {
    match package {
        root if ROOTS.contains(&root) => None,
        "qchroot-api" => Some(&[]),
        "qchroot-unpack" | "qchroot-abi" => Some(&["qchroot-api"]),
        "qchroot-plugin" => Some(&["qchroot-api", "qchroot-abi"]),
        "qchroot-pack" => Some(&["qchroot-api", "qchroot-unpack"]),
        "qchroot-engine" => Some(&["qchroot-adopt", "qchroot-api", "qchroot-abi", "qchroot-pack"]),
        "qchroot-host" => Some(&["qchroot-api", "qchroot-abi", "qchroot-engine", "qchroot-unpack"]),
        "qchroot-testkit" => {
            Some(&["qchroot-api", "qchroot-abi", "qchroot-engine", "qchroot-host", "qchroot-unpack"])
        }
        source if source.starts_with("qchroot-release-") => Some(&["qchroot-api", "qchroot-unpack"]),
        example if example.starts_with("qchroot-example-") => Some(&["qchroot-plugin"]),
        _plugin => Some(&["qchroot-api"]),
    }
}

/// Complaints about the dependencies of `packages`, development ones excepted.
pub(super) fn check(packages: &[Value]) -> Vec<String> {
    let ours: Vec<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut complaints = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        for dependency in shipped(package) {
            complaints.extend(arrow(name, dependency, &ours));
            complaints.extend(system(name, dependency));
        }
    }
    complaints
}

fn shipped(package: &Value) -> impl Iterator<Item = &str> {
    let dependencies = package["dependencies"].as_array().map_or(&[][..], Vec::as_slice);
    dependencies.iter().filter(|d| d["kind"].as_str() != Some("dev")).filter_map(|d| d["name"].as_str())
}

fn arrow(package: &str, dependency: &str, ours: &[&str]) -> Option<String> {
    let allowed = may_use(package)?;
    let wrong = ours.contains(&dependency) && !allowed.contains(&dependency);
    wrong.then(|| format!("{package}: must not depend on {dependency}, only on: {}", allowed.join(" ")))
}

fn system(package: &str, dependency: &str) -> Option<String> {
    let wrong = SYSTEM_CRATES.contains(&dependency) && !SYSTEM_USERS.contains(&package);
    wrong
        .then(|| format!("{package}: must not depend on {dependency}: only qchroot-host talks to the system"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn packages(name: &str, dependencies: &[(&str, Option<&str>)]) -> Vec<Value> {
        let needs: Vec<Value> =
            dependencies.iter().map(|(n, kind)| json!({"name": n, "kind": kind})).collect();
        let mut all = vec![json!({"name": name, "dependencies": needs})];
        let ours = dependencies.iter().filter(|(n, _)| n.starts_with("qchroot"));
        all.extend(ours.map(|(n, _)| json!({"name": n, "dependencies": []})));
        all
    }

    #[test]
    fn arrows_point_one_way() {
        let wrong = [
            ("qchroot-api", "qchroot-engine"),
            ("qchroot-unpack", "qchroot-host"),
            ("qchroot-engine", "qchroot-host"),
            ("qchroot-storage-md", "qchroot-unpack"),
            ("qchroot-release-media", "qchroot-engine"),
            ("qchroot-isolation-jail", "qchroot-storage-md"),
            ("qchroot-example-btrfs", "qchroot-api"),
        ];
        for (from, to) in wrong {
            let complaints = check(&packages(from, &[(to, None)]));
            assert_eq!(complaints.len(), 1, "{from} → {to}: {complaints:?}");
            assert!(complaints[0].starts_with(&format!("{from}: must not depend on {to}")), "{complaints:?}");
        }
    }

    #[test]
    fn the_arrows_of_the_design_are_allowed() {
        let right = [
            ("qchroot-release-media", "qchroot-unpack"),
            ("qchroot-host", "qchroot-engine"),
            ("qchroot-testkit", "qchroot-host"),
            ("qchroot", "qchroot-storage-md"),
        ];
        for (from, to) in right {
            assert_eq!(check(&packages(from, &[(to, None), ("serde", None)])), Vec::<String>::new());
        }
    }

    #[test]
    fn tests_may_use_what_the_crate_may_not() {
        let both = [("qchroot-testkit", Some("dev")), ("nix", Some("dev"))];
        assert_eq!(check(&packages("qchroot-storage-md", &both)), Vec::<String>::new());
    }

    #[test]
    fn only_the_host_talks_to_the_system() {
        for dependency in ["nix", "rustix", "duct", "libc"] {
            assert_eq!(check(&packages("qchroot-engine", &[(dependency, None)])).len(), 1, "{dependency}");
            assert_eq!(check(&packages("qchroot-host", &[(dependency, None)])), Vec::<String>::new());
        }
    }
}
