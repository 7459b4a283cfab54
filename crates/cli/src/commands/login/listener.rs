//! Waits for the browser to come back, on this machine alone (RFC 8252, section 7.3).

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

use secrecy::SecretString;
use windlass_auth::LoopbackRedirect;

use crate::failure::{Failure, Result};

/// Where the browser comes back to.
const PATH: &str = "/callback";
/// Longer than the head of any request of a browser.
const MOST_BYTES: usize = 32 * 1024;
const MOST_HEADERS: usize = 100;
/// How long a connection may be silent: browsers open some that they never use.
const SILENCE: Duration = Duration::from_secs(10);

/// Waits for the browser to come back.
pub(super) struct Listener {
    socket: TcpListener,
    redirect: LoopbackRedirect,
}

/// With what the browser has come back.
#[derive(Debug)]
pub(super) enum Arrival {
    /// With a code that is good for the token.
    Code(SecretString),
    /// With nothing, and why.
    Denied(String),
}

impl Listener {
    /// Listens at whichever port is free.
    pub(super) fn open() -> Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|err| unable(&err))?;
        let port = socket.local_addr().map_err(|err| unable(&err))?.port();
        let redirect = format!("http://127.0.0.1:{port}{PATH}");
        let redirect = redirect.parse().map_err(|err| unable(&io::Error::other(err)))?;
        Ok(Self { socket, redirect })
    }

    /// Where the browser is to come back to.
    pub(super) fn redirect(&self) -> &LoopbackRedirect {
        &self.redirect
    }

    /// Waits for whoever knows the state. Whoever else comes is sent away, and the wait goes on.
    pub(super) fn wait(self, state: &str, patience: Duration) -> Result<Arrival> {
        let (sender, arrivals) = mpsc::channel();
        let state = state.to_owned();
        // It ends with the program.
        thread::spawn(move || {
            for connection in self.socket.incoming().flatten() {
                let (state, sender) = (state.clone(), sender.clone());
                thread::spawn(move || serve(connection, &state, &sender));
            }
        });
        arrivals.recv_timeout(patience).map_err(|err| match err {
            RecvTimeoutError::Timeout => {
                let message = "nobody has allowed it in the browser in time: try again, or log in \
                               with an API key: windlass login --with-key";
                Failure::Failed(message.to_owned())
            }
            RecvTimeoutError::Disconnected => unable(&io::ErrorKind::ConnectionAborted.into()),
        })
    }
}

/// Answers one request. A connection that breaks off, or says anything else, is passed over.
fn serve(mut connection: TcpStream, state: &str, sender: &Sender<Arrival>) {
    let arrival = connection
        .set_read_timeout(Some(SILENCE))
        .and_then(|()| connection.set_write_timeout(Some(SILENCE)))
        .and_then(|()| target(&mut connection))
        .ok()
        .and_then(|target| read(&target?, state));
    // Nobody who reads it is no reason to fail.
    let _ = connection.write_all(page(arrival.as_ref()).as_bytes());
    if let Some(arrival) = arrival {
        // Another one was faster.
        let _ = sender.send(arrival);
    }
}

/// What a request asks for; nothing where it is none that is answered.
fn target(connection: &mut TcpStream) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut part = [0; 4096];
    while head.len() < MOST_BYTES {
        let read = connection.read(&mut part)?;
        head.extend_from_slice(part.get(..read).unwrap_or_default());
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(&head) {
            Ok(httparse::Status::Partial) if 0 < read => {}
            Ok(httparse::Status::Complete(_)) if request.method == Some("GET") => {
                return Ok(request.path.map(str::to_owned));
            }
            Ok(_) | Err(_) => return Ok(None),
        }
    }
    Ok(None)
}

/// What the address says to which the browser was sent, if it is the one that was waited for.
fn read(target: &str, state: &str) -> Option<Arrival> {
    let (path, query) = target.split_once('?')?;
    let parameter = |wanted: &str| {
        let mut all = form_urlencoded::parse(query.as_bytes());
        all.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    if path != PATH || parameter("state")? != state {
        return None;
    }
    let code = parameter("code").map(|code| Arrival::Code(code.into()));
    code.or_else(|| parameter("error").map(Arrival::Denied))
}

fn page(arrival: Option<&Arrival>) -> String {
    let (status, text) = match arrival {
        Some(Arrival::Code(_)) => ("200 OK", "Go back to the terminal: you can close this page."),
        Some(Arrival::Denied(_)) => ("200 OK", "Nothing was allowed. You can close this page."),
        None => ("404 Not Found", "There is nothing here."),
    };
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Windlass</title>\n\
         <p>{text}</p>\n"
    );
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n\
         Referrer-Policy: no-referrer\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{html}",
        html.len()
    )
}

fn unable(err: &io::Error) -> Failure {
    Failure::Failed(format!("this machine's own address cannot be listened at: {err}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whoever_knows_the_state_is_listened_to() {
        let told = |target| match read(target, "s-1") {
            Some(Arrival::Code(_)) => "code",
            Some(Arrival::Denied(why)) if why == "access_denied" => "denied",
            Some(Arrival::Denied(_)) => "failed",
            None => "nothing",
        };
        for (target, expected) in [
            ("/callback?code=wlc_1&state=s-1", "code"),
            ("/callback?state=s-1&code=wlc_1", "code"),
            ("/callback?error=access_denied&state=s-1", "denied"),
            ("/callback?error=server_error&state=s-1", "failed"),
            ("/callback?code=wlc_1&state=s-2", "nothing"),
            ("/callback?code=wlc_1&state=s-2&state=s-1", "nothing"),
            ("/callback?code=wlc_1", "nothing"),
            ("/callback?state=s-1", "nothing"),
            ("/callback", "nothing"),
            ("/favicon.ico?code=wlc_1&state=s-1", "nothing"),
        ] {
            assert_eq!(told(target), expected, "{target}");
        }
    }
}
