//! Every failure says what to do, and has its exit code.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    thread::{self, JoinHandle},
};

use serde_json::{Value, json};

use crate::support::{Server, User};

#[test]
fn a_failure_names_the_request_and_what_to_do() {
    let server = Server::start();
    let user = User::of(&server);
    let unknown = "proj_01kdvdna000000000000000003";
    let failed = user.run(&format!("projects get {unknown}")).failed_with(5);
    assert_eq!(failed.out, "");
    let mut lines = failed.err.lines();
    assert_eq!(lines.next().unwrap(), "error: no such project");
    let request = lines.next().unwrap();
    assert!(request.starts_with("  whoever runs the server can look up request "), "{request}");

    let failed = user.run(&format!("projects get {unknown} --json")).failed_with(5);
    let body: Value = serde_json::from_str(&failed.err).unwrap();
    assert_eq!((&body["code"], &body["error"]), (&json!("not_found"), &json!("Not Found")));
    assert!(body["request_id"].is_string());
}

#[test]
fn exit_codes_are_those_that_the_help_promises() {
    let server = Server::start();
    let user = User::of(&server);
    let help = user.run("--help").succeeded().out;
    assert!(help.contains("3  there is no credential, or not a good one"), "{help}");

    user.run("projects get nothing").failed_with(5);
    user.run("projects frobnicate").failed_with(2);
    user.run("projects create shop --git-url nonsense").failed_with(2);
    user.run("projects create shop --git-url https://git.example.com/shop.git").succeeded();
    user.run("projects delete shop").failed_with(2);
    let environment = user.json("environments create main --project shop");
    let id = environment["id"].as_str().unwrap();
    user.run(&format!("environments destroy {id} --yes --wait")).succeeded();
    user.run(&format!("environments rebuild {id}")).failed_with(6);

    let stranger = User::new().with("WINDLASS_SERVER", &server.url);
    let failed = stranger.run("projects list").failed_with(3);
    assert!(failed.err.contains("windlass login"), "{failed:?}");
    let liar = User::of(&server).with("WINDLASS_TOKEN", "wls_nonsense");
    liar.run("projects list").failed_with(3);
    let lost = User::of(&server).with("WINDLASS_SERVER", "http://127.0.0.1:1");
    lost.run("projects list").failed_with(7);
}

#[test]
fn a_credentials_file_that_others_can_read_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;

    let user = User::new();
    fs::create_dir_all(user.file(".config/windlass")).unwrap();
    let path = user.file(".config/windlass/credentials.toml");
    fs::write(&path, "default = \"very-secret\"\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let failed = user.run("whoami").failed_with(2);
    assert!(failed.err.contains("chmod 600"), "{failed:?}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let failed = user.run("whoami").failed_with(2);
    assert!(!failed.err.contains("very-secret"), "{failed:?}");
}

/// Answers one connection after another, each with the next text; returns what was asked.
fn answering(answers: &'static [&'static str]) -> (User, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = thread::spawn(move || {
        let serve = |answer: &&str| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            while !asked.ends_with("\r\n\r\n") {
                assert_ne!(reader.read_line(&mut asked).unwrap(), 0);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            asked
        };
        answers.iter().map(serve).collect()
    });
    (User::new().with("WINDLASS_SERVER", &url).with("WINDLASS_TOKEN", "secret"), serving)
}

#[test]
fn a_server_that_is_not_windlass_is_told_apart_and_not_followed() {
    let (user, serving) = answering(&[
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 2\r\n\r\nno",
    ]);
    let failed = user.run("projects list").failed_with(1);
    assert_eq!(failed.err, "error: the server answered 302, and not as Windlass does\n");
    serving.join().unwrap();
}

#[test]
fn a_log_that_breaks_off_is_read_on_from_there() {
    let (user, serving) = answering(&[
        "HTTP/1.1 200 OK\r\n\r\ndata: {\"seq\":1,\"text\":\"one\"}\n\ndata: {\"seq\":2",
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\ndata: {\"seq\":2,\"text\":\"two\"}\n\nevent: end\ndata: {}\n\n",
    ]);
    let log = user.run("logs dep_01kdvdna000000000000000006 --follow").succeeded();
    assert_eq!(log.out, "one\ntwo\n");
    let asked = serving.join().unwrap();
    let resumed: Vec<_> =
        asked.iter().map(|asked| asked.contains("last-event-id: 1\r\n")).collect();
    assert_eq!(resumed, [false, true, true], "{asked:?}");
}
