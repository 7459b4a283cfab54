//! As much of Redis's protocol as we speak.

use std::{io, path::Path, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::UnixStream,
    time::timeout,
};

use super::settings::ADMINISTRATOR;

/// It answers at once, or later than it should.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether it lets us in, and has nothing else to do first.
pub(super) async fn answers(socket: &Path, password: &SecretString) -> bool {
    matches!(timeout(PATIENCE, ping(socket, password)).await, Ok(Ok(true)))
}

async fn ping(socket: &Path, password: &SecretString) -> io::Result<bool> {
    let mut stream = BufReader::new(UnixStream::connect(socket).await?);
    let text = format!("AUTH {ADMINISTRATOR} {}\r\nPING\r\n", password.expose_secret());
    stream.write_all(text.as_bytes()).await?;
    let mut lines = stream.lines();
    let (auth, ping) = (lines.next_line().await?, lines.next_line().await?);
    Ok(auth.as_deref() == Some("+OK") && ping.as_deref() == Some("+PONG"))
}
