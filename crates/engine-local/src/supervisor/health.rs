//! Whether an app answers.

use std::{net::Ipv4Addr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks once; the error says what is wrong, for people.
pub(super) async fn check(port: u16, path: Option<&str>) -> Result<(), String> {
    match tokio::time::timeout(PATIENCE, ask(port, path)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("what listens on 127.0.0.1:{port} does not answer")),
    }
}

async fn ask(port: u16, path: Option<&str>) -> Result<(), String> {
    let silence = || {
        format!(
            "nothing listens on 127.0.0.1:{port}; an app is expected to listen on the port that \
             the variable PORT names"
        )
    };
    let mut stream =
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.map_err(|_| silence())?;
    // A socket that looks for a listener at its own, just chosen, port connects to itself.
    if stream.local_addr().ok() == stream.peer_addr().ok() {
        return Err(silence());
    }
    let Some(path) = path else { return Ok(()) };

    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: windlass-health\r\n\
         Accept: */*\r\nConnection: close\r\n\r\n"
    );
    let broken = |_| format!("GET {path} was not answered");
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    // `HTTP/1.1 200`, or whatever else it says.
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.map_err(broken)?;
    let head = String::from_utf8_lossy(&head);
    let status = head.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..)?.parse::<u16>().ok());
    match status {
        Some(200..400) => Ok(()),
        Some(status) => Err(format!("GET {path} was answered with status {status}")),
        None => Err(format!("GET {path} was not answered in HTTP")),
    }
}
