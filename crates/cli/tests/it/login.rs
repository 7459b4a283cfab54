//! Credentials and profiles.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::json;

use crate::support::{Server, User};

#[test]
fn a_key_is_typed_unseen_and_stored_for_its_owner_alone() {
    let server = Server::start();
    let user = User::new();
    let mut terminal = user.at_terminal(&format!("login --with-key --server {}", server.url));
    let before = terminal.exp_string("API key for ").unwrap();
    let prompt = terminal.exp_string(": ").unwrap();
    terminal.send_line(&server.key).unwrap();
    let after = terminal.exp_eof().unwrap();
    let screen = format!("{before}{prompt}{after}");
    assert!(screen.contains("logged in to "), "{screen}");
    assert!(!screen.contains(&server.key), "{screen}");

    let credentials = user.file(".config/windlass/credentials.toml");
    assert_eq!(fs::metadata(&credentials).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(credentials).unwrap().contains(&server.key));
    assert!(!user.written().contains(&server.key));
    assert_eq!(user.json("whoami")["credential"]["kind"], "api_key");

    user.run("logout").succeeded();
    user.run("whoami").failed_with(3);
}

#[test]
fn a_wrong_key_is_not_stored() {
    let server = Server::start();
    let user = User::new().with("WINDLASS_SERVER", &server.url);
    user.run_with_input("login --with-key", "wls_nonsense\n").failed_with(3);
    user.run_with_input("login --with-key", "\n").failed_with(2);
    assert!(!user.file(".config/windlass/credentials.toml").exists());
}

#[test]
fn every_profile_has_its_server_and_its_credential() {
    let (one, other) = (Server::start(), Server::start());
    let user = User::new();
    for (name, server) in [("one", &one), ("other", &other)] {
        let login = format!("login --with-key --profile {name} --server {}", server.url);
        user.run_with_input(&login, &format!("{}\n", server.key)).succeeded();
    }
    let git = "--git-url https://git.example.com/shop.git";
    user.run(&format!("projects create shop {git} --profile other")).succeeded();

    assert_eq!(user.json("projects list"), json!([]));
    user.run("profiles use other").succeeded();
    assert_eq!(user.json("projects list")[0]["slug"], "shop");
    assert_eq!(user.json("projects list --profile one"), json!([]));
    // The credential of a profile is for its own server.
    user.run(&format!("projects list --server {}", one.url)).failed_with(3);

    let listed = user.run("profiles list").succeeded().out;
    let listed = listed + &user.run("profiles list --json").succeeded().out;
    assert!(listed.contains(&one.url) && listed.contains(&other.url), "{listed}");
    assert!(!listed.contains(&one.key) && !listed.contains(&other.key), "{listed}");

    user.run("profiles remove other").succeeded();
    user.run("profiles use other").failed_with(5);
    assert_eq!(user.json("profiles list").as_array().unwrap().len(), 1);
}
