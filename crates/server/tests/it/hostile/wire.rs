//! Bytes to the server as they are: no client library would send most of these.

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::Api;

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Value,
}

/// Sends bytes and reads until the server closes. `None` where it hung up without a word.
pub(super) async fn exchange(api: &Api, bytes: &[u8]) -> Option<Reply> {
    let (mut reader, mut writer) = connect(api).await.into_split();
    let mut reply = Vec::new();
    // A server that has heard enough need not listen to the end, and what came before it hung up
    // is an answer as well.
    let _ = tokio::join!(writer.write_all(bytes), reader.read_to_end(&mut reply));
    read(&reply)
}

/// The same where nothing more will be sent, though more was announced.
pub(super) async fn break_off(api: &Api, bytes: &[u8]) -> Option<Reply> {
    let mut connection = connect(api).await;
    connection.write_all(bytes).await.unwrap();
    connection.shutdown().await.unwrap();
    let mut reply = Vec::new();
    let _ = connection.read_to_end(&mut reply).await;
    read(&reply)
}

async fn connect(api: &Api) -> TcpStream {
    TcpStream::connect(api.base().trim_start_matches("http://")).await.unwrap()
}

fn read(reply: &[u8]) -> Option<Reply> {
    let reply = String::from_utf8_lossy(reply);
    let (head, body) = reply.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().unwrap();
    let body = serde_json::from_str(body).unwrap_or(Value::Null);
    Some(Reply { status, body })
}

/// A request with the key, complete but for what is added to its head.
pub(super) fn request(api: &Api, start: &str, header: &str, body: &str) -> Vec<u8> {
    request_by(&format!("Authorization: Bearer {}\r\n", api.key()), start, header, body)
}

/// The same with the header lines of any credential.
pub(super) fn request_by(credential: &str, start: &str, header: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "{start} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         {credential}Content-Type: application/json\r\n\
         Content-Length: {length}\r\n{header}\r\n{body}"
    )
    .into_bytes()
}
