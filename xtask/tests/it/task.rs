//! Runs a task as people do.

use std::process::Command;

/// Runs `cargo xtask` with these arguments and returns what it showed; a failure fails the test.
pub(crate) fn run(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments).output();
    let output = output.expect("the task can be started");
    let shown = String::from_utf8(output.stdout).expect("tasks print UTF-8");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown}\n{complaints}");
    shown
}

/// Asserts that a text has these parts, in this order.
pub(crate) fn assert_in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part:?} is missing after:\n{text}"));
        rest = &rest[at + part.len()..];
    }
}
