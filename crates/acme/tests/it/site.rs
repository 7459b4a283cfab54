//! The ingress that all hosts lead to, and whoever has it answer challenges.

use std::{
    future::{pending, ready},
    net::SocketAddr,
    sync::Arc,
};

use async_trait::async_trait;
use tokio::{net::TcpListener, sync::watch};
use windlass_acme::{ChallengeSolver, Issued, SolverError};
use windlass_ingress::{
    Certificate, Certificates, Challenges, External, Ingress, IngressConfig, Limits, Scheme,
};

use crate::pebble::{Manner, Pebble};

/// How well challenges are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answering {
    /// As they have to be.
    Well,
    /// It only seems so.
    NotAtAll,
    /// It never gets as far.
    Hanging,
    /// It is known not to be.
    Failing,
}

/// An ingress that runs for as long as the test.
pub(crate) struct Site {
    ingress: Ingress,
    pub(crate) address: SocketAddr,
}

/// Has an ingress answer challenges, and tells which.
pub(crate) struct Solver {
    challenges: Challenges,
    answering: Answering,
    shown: watch::Sender<Shown>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    /// How many have ever been presented.
    pub(crate) ever: usize,
    /// Those that are to be answered now.
    pub(crate) now: Vec<String>,
}

impl Site {
    pub(crate) async fn start() -> Self {
        let external = External { scheme: Scheme::Http, port: 80 };
        let base_domain = "localhost".to_owned();
        let limits = Limits::default();
        let ingress = Ingress::new(IngressConfig { base_domain, external, https: None, limits });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = ingress.clone();
        tokio::spawn(async move { server.serve(listener, pending()).await });
        Self { ingress, address }
    }

    /// With an authority that looks at it.
    pub(crate) async fn with_pebble(manner: Manner) -> (Self, Pebble) {
        let site = Self::start().await;
        let pebble = Pebble::start(Manner { site: Some(site.address), ..manner }).await;
        (site, pebble)
    }

    pub(crate) fn solver(&self, answering: Answering) -> (Arc<Solver>, Arc<dyn ChallengeSolver>) {
        let challenges = self.ingress.challenges().clone();
        let solver = Arc::new(Solver { challenges, answering, shown: watch::Sender::default() });
        (Arc::clone(&solver), solver)
    }

    /// Serves hosts with a certificate; returns where.
    pub(crate) async fn serve(&self, hosts: &[&str], issued: &Issued) -> SocketAddr {
        let certificate = Certificate::from_pem(&issued.chain_pem, &issued.key_pem).unwrap();
        let certificates = Certificates::default();
        for host in hosts {
            certificates.set(host, &certificate);
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = self.ingress.clone();
        tokio::spawn(async move { server.serve_tls(listener, certificates, pending()).await });
        address
    }
}

impl Solver {
    pub(crate) fn shown(&self) -> Shown {
        self.shown.borrow().clone()
    }

    /// Waits until it is asked to answer this many.
    pub(crate) async fn until_shown(&self, count: usize) {
        self.shown.subscribe().wait_for(|shown| shown.now.len() == count).await.unwrap();
    }
}

#[async_trait]
impl ChallengeSolver for Solver {
    async fn present(&self, token: &str, key_authorization: &str) -> Result<(), SolverError> {
        self.shown.send_modify(|shown| {
            shown.ever += 1;
            shown.now.push(token.to_owned());
        });
        match self.answering {
            Answering::Well => self.challenges.set(token, key_authorization),
            Answering::NotAtAll => ready(()).await,
            Answering::Hanging => pending().await,
            Answering::Failing => return Err("nobody is at home".into()),
        }
        Ok(())
    }

    async fn withdraw(&self, token: &str) {
        self.challenges.remove(token);
        self.shown.send_modify(|shown| shown.now.retain(|other| other != token));
    }
}
