//! The prompt, as a person uses it.

use std::{fs, os::unix::fs::PermissionsExt as _};

use crate::support::{Server, User};

const PROMPT: &str = "windlass> ";

#[test]
fn commands_run_from_the_prompt_and_are_remembered_without_their_secrets() {
    let server = Server::start();
    let user = User::of(&server).with("WINDLASS_PROJECT", "shop");
    let mut terminal = user.at_terminal("shell");
    terminal.exp_string(PROMPT).unwrap();
    terminal
        .send_line("projects create 'my shop' --git-url https://git.example.com/shop.git")
        .unwrap();
    terminal.exp_string("active").unwrap();
    terminal.exp_string(PROMPT).unwrap();

    // What fails leaves the prompt.
    terminal.send_line("projects get nothing").unwrap();
    terminal.exp_string("error: there is no project nothing").unwrap();
    terminal.exp_string(PROMPT).unwrap();

    // The tabulator completes.
    terminal.send("projects li\t").unwrap();
    terminal.send_line("").unwrap();
    terminal.exp_string("SLUG").unwrap();
    terminal.exp_string(PROMPT).unwrap();

    terminal.send_line("env set TOKEN=very-secret-value --project my-shop").unwrap();
    terminal.exp_string("********alue").unwrap();
    terminal.exp_string(PROMPT).unwrap();
    terminal.send_line("env sett TOKEN=very-secret-value").unwrap();
    terminal.exp_string("unrecognized subcommand").unwrap();
    terminal.exp_string(PROMPT).unwrap();
    terminal.send_line("windlass whoami").unwrap();
    terminal.exp_string("permissions").unwrap();
    terminal.exp_string(PROMPT).unwrap();
    terminal.send_line("exit").unwrap();
    terminal.exp_eof().unwrap();

    let history = user.file(".local/state/windlass/history");
    assert_eq!(fs::metadata(&history).unwrap().permissions().mode() & 0o777, 0o600);
    let lines = fs::read_to_string(history).unwrap();
    let lines: Vec<_> = lines.lines().collect();
    assert_eq!(
        lines,
        [
            "projects create 'my shop' --git-url https://git.example.com/shop.git",
            "projects get nothing",
            "projects list",
            "windlass whoami",
        ]
    );
    assert!(!user.written().contains("very-secret"));

    // The next one remembers.
    let mut terminal = user.at_terminal("shell");
    terminal.exp_string(PROMPT).unwrap();
    terminal.send("\u{1b}[A").unwrap();
    terminal.flush().unwrap();
    terminal.exp_string("windlass whoami").unwrap();
    terminal.send_line("").unwrap();
    terminal.exp_string("permissions").unwrap();
    terminal.exp_string(PROMPT).unwrap();
    terminal.send_control('d').unwrap();
    terminal.exp_eof().unwrap();
}

#[test]
fn an_interrupt_ends_the_command_and_not_the_shell() {
    let server = Server::start();
    let user = User::of(&server);
    // Nothing will ever answer here.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let mut terminal = user.at_terminal("shell");
    terminal.exp_string(PROMPT).unwrap();
    terminal.send_line(&format!("projects list --server http://{address}")).unwrap();
    let (connection, _) = silent.accept().unwrap();
    terminal.send_control('c').unwrap();
    terminal.exp_string(PROMPT).unwrap();
    terminal.send_line("whoami").unwrap();
    terminal.exp_string("permissions").unwrap();
    terminal.send_control('d').unwrap();
    drop(connection);
    terminal.exp_eof().unwrap();
}
