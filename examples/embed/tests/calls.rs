//! Calls the service as its users would.
#![expect(clippy::unwrap_used, reason = "what helps a test may fail as the test itself")]

use std::process::Stdio;

use reqwest::{Client, Method, StatusCode};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};
use windlass_auth::{Effects, Narrowing, OsEntropy, ProjectId, SystemClock, attenuate};

/// The running service; it ends with the test.
struct Service {
    base: String,
    first_key: String,
    _process: Child,
    _output: Lines<BufReader<ChildStdout>>,
}

impl Service {
    async fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_windlass-example-embed"))
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let base = output.next_line().await.unwrap().unwrap();
        let first_key = output.next_line().await.unwrap().unwrap();
        Self { base, first_key, _process: process, _output: output }
    }

    async fn call(&self, method: Method, path: &str, credential: &str) -> (StatusCode, String) {
        let request = Client::new().request(method, format!("{}{path}", self.base));
        let response = request.bearer_auth(credential).body("hello").send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    async fn status(&self, method: Method, path: &str, credential: &str) -> StatusCode {
        self.call(method, path, credential).await.0
    }
}

fn note() -> (ProjectId, String) {
    let project = ProjectId::generate(Effects { clock: &SystemClock, entropy: &OsEntropy });
    (project, format!("/notes/{project}"))
}

#[tokio::test]
async fn a_key_is_let_in_and_refused_at_once_when_it_is_revoked() {
    let service = Service::start().await;
    let (_, note) = note();
    let key = &service.first_key;
    assert_eq!(service.status(Method::PUT, &note, key).await, StatusCode::NO_CONTENT);
    assert_eq!(service.call(Method::GET, &note, key).await, (StatusCode::OK, "hello".to_owned()));

    let mistyped = key.replace('_', "-");
    let unsigned = reqwest::get(format!("{}{note}", service.base)).await.unwrap().status();
    assert_eq!(unsigned, StatusCode::UNAUTHORIZED);
    assert_eq!(service.status(Method::GET, &note, &mistyped).await, StatusCode::UNAUTHORIZED);

    assert_eq!(service.status(Method::DELETE, "/credential", key).await, StatusCode::NO_CONTENT);
    assert_eq!(service.status(Method::GET, &note, key).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_that_was_narrowed_offline_opens_what_is_left_of_it() {
    let service = Service::start().await;
    let ((ours, note), (_, other)) = (note(), note());
    for path in [&note, &other] {
        service.call(Method::PUT, path, &service.first_key).await;
    }
    let (status, token) = service.call(Method::POST, "/tokens", &service.first_key).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(service.status(Method::PUT, &note, &token).await, StatusCode::NO_CONTENT);

    let narrowing =
        Narrowing { projects: Some(vec![ours]), is_read_only: true, ..Narrowing::default() };
    let narrow = attenuate(&token, &narrowing, &OsEntropy).unwrap();
    let narrow = narrow.expose();
    assert_eq!(service.status(Method::GET, &note, narrow).await, StatusCode::OK);
    assert_eq!(service.status(Method::PUT, &note, narrow).await, StatusCode::FORBIDDEN);
    assert_eq!(service.status(Method::GET, &other, narrow).await, StatusCode::NOT_FOUND);
    assert_eq!(service.status(Method::POST, "/tokens", narrow).await, StatusCode::FORBIDDEN);
    assert_eq!(service.status(Method::DELETE, "/credential", narrow).await, StatusCode::FORBIDDEN);

    assert_eq!(service.status(Method::DELETE, "/credential", &token).await, StatusCode::NO_CONTENT);
    for token in [&token, narrow] {
        assert_eq!(service.status(Method::GET, &note, token).await, StatusCode::UNAUTHORIZED);
    }
}
