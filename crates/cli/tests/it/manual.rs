//! What is written about the commands.

use std::fs;

use crate::support::User;

#[test]
fn every_shell_has_its_completions() {
    let user = User::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = user.run(&format!("completions {shell}")).succeeded().out;
        assert!(script.contains("deployments"), "{shell}: {script}");
    }
}

#[test]
fn every_command_has_its_page() {
    let user = User::new();
    let folder = user.file("man");
    user.run(&format!("man {}", folder.display())).succeeded();
    let page = fs::read_to_string(folder.join("windlass.1")).unwrap();
    assert!(page.contains("Exit codes"), "{page}");
    assert!(folder.join("windlass-projects-create.1").is_file());
}
