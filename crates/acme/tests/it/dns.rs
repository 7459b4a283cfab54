//! A name server that says that every host is this machine.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::{net::UdpSocket, task::AbortHandle};

/// The length of a message's head; the question follows (RFC 1035, 4.1).
const HEAD: usize = 12;
const TYPE_A: [u8; 2] = [0, 1];
/// A response, the server's own, to be had by recursion, without an error.
const RESPONSE: [u8; 2] = [0x85, 0x80];

/// It answers until this is dropped.
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    serving: AbortHandle,
}

impl NameServer {
    pub(crate) async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let mut message = [0; 512];
            while let Ok((length, client)) = socket.recv_from(&mut message).await {
                socket.send_to(&answer(&message[..length]), client).await.unwrap();
            }
        });
        Self { address, serving: serving.abort_handle() }
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The question, and the address if it is for one of IPv4: there is none of IPv6.
fn answer(message: &[u8]) -> Vec<u8> {
    let name = message[HEAD..].iter().position(|&byte| byte == 0).unwrap();
    let question = &message[HEAD..][..name + 5];
    let is_for_address = question[name + 1..][..2] == TYPE_A;
    let mut answer =
        [&message[..2], &RESPONSE, &[0, 1, 0, u8::from(is_for_address), 0, 0, 0, 0]].concat();
    answer.extend(question);
    if is_for_address {
        // The name of the question, type A, class IN, good for a minute, four bytes.
        answer.extend([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(Ipv4Addr::LOCALHOST.octets());
    }
    answer
}
