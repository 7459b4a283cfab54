//! A server of git's own `http-backend` that wants to know who asks.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use windlass_domain::GitUrl;

use crate::repository::Repository;

pub(crate) const USERNAME: &str = "x-access-token";
pub(crate) const TOKEN: &str = "ghs_t0psecret";

/// What a server does with those who ask.
#[derive(Clone)]
pub(crate) enum Door {
    /// Lets everybody in.
    Open,
    /// Lets in who knows the token, and repeats to others what they said.
    Locked,
    /// The same, but sends everybody who asks for `/old` on to there.
    Moved(String),
    /// The same, but only those who know the token.
    SecretlyMoved(String),
}

/// A server, for as long as the test runs.
pub(crate) struct Server {
    address: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    /// What was said of who asks, by each request.
    credentials: Vec<Option<String>>,
    /// A command line of this machine that had the token in it.
    command_line: Option<String>,
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Server {
    pub(crate) fn start(repository: &Repository, door: Door) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Seen::default()));
        let root = repository.0.path().to_owned();
        let server = Self { address, seen: Arc::clone(&seen) };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (root, door, seen) = (root.clone(), door.clone(), Arc::clone(&seen));
                thread::spawn(move || answer(&stream.unwrap(), &root, &door, &seen));
            }
        });
        server
    }

    pub(crate) fn url(&self, path: &str) -> GitUrl {
        self.at(path).parse().unwrap()
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// What was said of who asks, by each request.
    pub(crate) fn credentials(&self) -> Vec<Option<String>> {
        self.seen.lock().unwrap().credentials.clone()
    }

    /// A command line that had the token in it while git waited for an answer.
    pub(crate) fn command_line(&self) -> Option<String> {
        self.seen.lock().unwrap().command_line.clone()
    }
}

fn right() -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{USERNAME}:{TOKEN}")))
}

fn answer(stream: &TcpStream, root: &Path, door: &Door, seen: &Mutex<Seen>) {
    let request = read(stream);
    let said = request.header("authorization").map(str::to_owned);
    {
        let mut seen = seen.lock().unwrap();
        seen.credentials.push(said.clone());
        seen.command_line = seen.command_line.take().or_else(command_line_with_token);
    }
    let known = said.as_ref() == Some(&right());
    let answer = match door {
        Door::Moved(to) if request.path.starts_with("/old") => request.send_on(to),
        Door::Locked | Door::Moved(_) | Door::SecretlyMoved(_) if !known => {
            let body = format!("Nobody is known as {said:?}, or by {TOKEN}");
            let length = body.len();
            format!(
                "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\n\
                 Content-Type: text/plain\r\nContent-Length: {length}\r\n\
                 Connection: close\r\n\r\n{body}"
            )
            .into_bytes()
        }
        Door::SecretlyMoved(to) if request.path.starts_with("/old") => request.send_on(to),
        Door::Open | Door::Locked | Door::Moved(_) | Door::SecretlyMoved(_) => {
            request.ask_git(root)
        }
    };
    // Whoever has heard enough may be gone.
    let _ = { stream }.write_all(&answer);
}

fn read(stream: &TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut text = String::new();
        reader.read_line(&mut text).unwrap();
        text.trim_end().to_owned()
    };
    let first = line();
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap_or("/"));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (path, query) = (path.to_owned(), query.to_owned());
    let headers: Vec<(String, String)> = std::iter::from_fn(|| {
        let line = line();
        let (name, value) = line.split_once(": ")?;
        Some((name.to_ascii_lowercase(), value.to_owned()))
    })
    .collect();
    let mut request = Request { method, path, query, headers, body: Vec::new() };
    let length = request.header("content-length").map_or(0, |text| text.parse().unwrap());
    request.body = vec![0; length];
    reader.read_exact(&mut request.body).unwrap();
    request
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn send_on(&self, to: &str) -> Vec<u8> {
        let rest = self.path.trim_start_matches("/old");
        format!(
            "HTTP/1.1 301 Moved Permanently\r\nLocation: {to}{rest}?{}\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n",
            self.query
        )
        .into_bytes()
    }

    /// By the Common Gateway Interface.
    fn ask_git(&self, root: &Path) -> Vec<u8> {
        let header = |name| self.header(name).unwrap_or_default();
        let mut child = Command::new("git")
            .arg("http-backend")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("GIT_PROJECT_ROOT", root)
            .env("PATH_INFO", self.path.replace("/new", ""))
            .env("QUERY_STRING", &self.query)
            .env("REQUEST_METHOD", &self.method)
            .env("CONTENT_TYPE", header("content-type"))
            .env("CONTENT_LENGTH", self.body.len().to_string())
            .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
            .env("GIT_PROTOCOL", header("git-protocol"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&self.body).unwrap();
        let said = child.wait_with_output().unwrap().stdout;
        let status = said
            .strip_prefix(b"Status: ")
            .map_or(b"200 OK".as_slice(), |rest| rest.split(|byte| *byte == b'\r').next().unwrap());
        [b"HTTP/1.1 ", status, b"\r\nConnection: close\r\n", &said].concat()
    }
}

fn command_line_with_token() -> Option<String> {
    let lines = fs::read_dir("/proc").unwrap().filter_map(|process| {
        let line = fs::read(process.unwrap().path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).into_owned())
    });
    let encoded = BASE64_STANDARD.encode(format!("{USERNAME}:{TOKEN}"));
    lines.into_iter().find(|line| line.contains(TOKEN) || line.contains(&encoded))
}
