//! Whether an app answers.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How an app is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Its own socket takes the connection.
    Direct,
    /// Something before it takes every connection, and drops it at once where nobody listens.
    Forwarded,
}

/// Whether a path can be asked for.
#[must_use]
pub fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.chars().all(|c| c.is_ascii_graphic()) && path.len() <= 2_000
}

/// How long a connection must last to show that somebody listens behind what has taken it.
const TAKEN: Duration = Duration::from_millis(100);

/// Asks once; the error says what is wrong, for people.
pub async fn check(address: SocketAddr, way: Way, path: Option<&str>) -> Result<(), String> {
    match tokio::time::timeout(PATIENCE, ask(address, way, path)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("what listens on {address} does not answer")),
    }
}

async fn ask(address: SocketAddr, way: Way, path: Option<&str>) -> Result<(), String> {
    let silence = || {
        let place = match way {
            Way::Direct => format!(" on {address}"),
            Way::Forwarded => String::new(),
        };
        format!(
            "nothing listens{place}; an app is expected to listen on the port that the variable \
             PORT names"
        )
    };
    let mut stream = TcpStream::connect(address).await.map_err(|_| silence())?;
    // A socket that looks for a listener at its own, just chosen, port connects to itself.
    if stream.local_addr().ok() == stream.peer_addr().ok() {
        return Err(silence());
    }
    let Some(path) = path else {
        return match way {
            Way::Direct => Ok(()),
            Way::Forwarded => stays_open(&mut stream).await.then_some(()).ok_or_else(silence),
        };
    };

    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: windlass-health\r\n\
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

/// Whether a connection is still there after a moment, or brings something.
async fn stays_open(stream: &mut TcpStream) -> bool {
    let mut first = [0; 1];
    match tokio::time::timeout(TAKEN, stream.read(&mut first)).await {
        Ok(read) => read.is_ok_and(|count| 0 < count),
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use tokio::{io::AsyncWriteExt as _, net::TcpListener};

    use super::{Way, check};

    /// Something that takes connections and does this with them.
    async fn taker(answer: Option<&'static [u8]>) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                match answer {
                    Some(answer) => {
                        stream.write_all(answer).await.unwrap();
                        held.push(stream);
                    }
                    None => drop(stream),
                }
            }
        });
        address
    }

    #[tokio::test]
    async fn a_connection_that_is_dropped_at_once_shows_that_nobody_listens_behind_it() {
        let dropped = taker(None).await;
        assert!(check(dropped, Way::Direct, None).await.is_ok());
        let why = check(dropped, Way::Forwarded, None).await.unwrap_err();
        assert!(why.contains("nothing listens") && why.contains("PORT"), "{why}");
        let silent = taker(Some(b"")).await;
        assert!(check(silent, Way::Forwarded, None).await.is_ok());
    }

    #[tokio::test]
    async fn a_path_must_be_answered_well() {
        let well = taker(Some(b"HTTP/1.1 302 Found\r\n\r\n")).await;
        assert!(check(well, Way::Forwarded, Some("/")).await.is_ok());
        let badly = taker(Some(b"HTTP/1.1 503 No\r\n\r\n")).await;
        let why = check(badly, Way::Direct, Some("/up")).await.unwrap_err();
        assert_eq!(why, "GET /up was answered with status 503");
    }
}
