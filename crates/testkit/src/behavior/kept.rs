//! The plans of back ends in the tree, as text in their own `tests/snapshots`, one step a line.

use qchroot_api::{Plan, Platform};

/// Fails when a plan is not as it was.
pub(crate) fn compare(platform: Platform, verb: &str, plan: &Plan) {
    let text: String = plan.iter().map(|step| format!("{step}\n")).collect();
    let package = std::env::var("CARGO_MANIFEST_DIR").expect("cargo runs the suite");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("{package}/tests/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let name = format!("{}-{verb}", platform.to_string().to_lowercase());
    settings.bind(|| insta::assert_snapshot!(name, text));
}
