//! How hints travel: within the process always, between processes on PostgreSQL.

use std::{collections::HashSet, time::Duration};

use sea_orm::sqlx::{
    self,
    pool::PoolOptions,
    postgres::{PgConnectOptions, PgListener},
};
use tokio::{sync::broadcast, task::AbortHandle};
use windlass_domain::{Entropy, LogId, OsEntropy};
use windlass_storage::Signal;

const CHANNEL: &str = "windlass";

/// PostgreSQL refuses payloads of 8000 bytes or more.
const MOST_PAYLOAD: usize = 7_900;

/// A receiver that is further behind than this is told that it has missed something.
const BUFFERED: usize = 4_096;

/// The longest pause between two attempts to listen again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Passes hints on to everybody in this process.
#[derive(Debug, Clone)]
pub(crate) struct Hub {
    sender: broadcast::Sender<Signal>,
    /// Marks what this hub has sent, so that it does not hear itself.
    origin: String,
}

/// Ends its task when it is dropped.
#[derive(Debug)]
pub(crate) struct Listening(AbortHandle);

impl Hub {
    pub(crate) fn new() -> Self {
        let mut random = [0; 8];
        OsEntropy.fill(&mut random);
        let origin = format!("{:016x}", u64::from_be_bytes(random));
        Self { sender: broadcast::Sender::new(BUFFERED), origin }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Signal> {
        self.sender.subscribe()
    }

    /// Tells everybody in this process.
    pub(crate) fn send(&self, signals: impl IntoIterator<Item = Signal>) {
        for signal in signals {
            // An error means that nobody listens, which is fine.
            let _ = self.sender.send(signal);
        }
    }

    /// What to tell other processes, in as few payloads as possible.
    pub(crate) fn payloads(&self, signals: &[Signal]) -> Vec<String> {
        let mut payloads = Vec::new();
        let mut payload = self.origin.clone();
        for signal in signals {
            let word = to_word(*signal);
            if MOST_PAYLOAD < payload.len() + 1 + word.len() {
                payloads.push(std::mem::replace(&mut payload, self.origin.clone()));
            }
            payload.push(' ');
            payload.push_str(&word);
        }
        payloads.push(payload);
        payloads
    }

    fn receive(&self, payload: &str) {
        let mut words = payload.split(' ');
        if words.next() != Some(self.origin.as_str()) {
            self.send(words.map(from_word));
        }
    }

    /// Listens to other processes from now on.
    pub(crate) async fn listen(&self, server: PgConnectOptions) -> Result<Listening, sqlx::Error> {
        let first = listener(&server).await?;
        let hub = self.clone();
        let task = tokio::spawn(async move { hub.keep_listening(server, first).await });
        Ok(Listening(task.abort_handle()))
    }

    async fn keep_listening(self, server: PgConnectOptions, mut listener_now: PgListener) {
        loop {
            let lost = loop {
                match listener_now.try_recv().await {
                    Ok(Some(notification)) => self.receive(notification.payload()),
                    Ok(None) => break None,
                    Err(err) => break Some(err),
                }
            };
            tracing::warn!(error = ?lost, "lost the connection that carries signals");
            listener_now = self.listen_again(&server).await;
            tracing::info!("signals are carried again");
            self.send([Signal::Anything]);
        }
    }

    async fn listen_again(&self, server: &PgConnectOptions) -> PgListener {
        let mut pause = Duration::from_millis(100);
        loop {
            match listener(server).await {
                Ok(listener) => return listener,
                Err(err) => tracing::debug!(error = %err, "cannot listen for signals yet"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn listener(server: &PgConnectOptions) -> Result<PgListener, sqlx::Error> {
    // A pool of its own, as the listener keeps its connection for ever.
    let pool = PoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .acquire_timeout(Duration::from_secs(5))
        .connect_with(server.clone())
        .await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    // Otherwise it would come back by itself, and nobody would learn that something was missed.
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Each hint once, in the order in which they first came.
pub(crate) fn without_repeats(signals: Vec<Signal>) -> Vec<Signal> {
    let mut seen = HashSet::new();
    signals.into_iter().filter(|signal| seen.insert(*signal)).collect()
}

/// The statement that hands a payload over; `$1` is the payload.
pub(crate) const NOTIFY: &str = "SELECT pg_notify('windlass', $1)";

fn to_word(signal: Signal) -> String {
    match signal {
        Signal::Jobs => "jobs".to_owned(),
        Signal::Log(LogId::Build(id)) => format!("log:{id}"),
        Signal::Log(LogId::App(id)) => format!("log:{id}"),
        Signal::Deployment(id) => id.to_string(),
        Signal::Environment(id) => id.to_string(),
        Signal::ApiKey(id) => id.to_string(),
        Signal::Member(id) => id.to_string(),
        Signal::Token(id) => id.to_string(),
        Signal::Sessions(id) => format!("sessions:{id}"),
        Signal::SigningKeys => "signing_keys".to_owned(),
        Signal::Anything => "anything".to_owned(),
    }
}

fn from_word(word: &str) -> Signal {
    let parsed = if word == "jobs" {
        Some(Signal::Jobs)
    } else if word == "signing_keys" {
        Some(Signal::SigningKeys)
    } else if let Some(user) = word.strip_prefix("sessions:") {
        user.parse().map(Signal::Sessions).ok()
    } else if let Some(log) = word.strip_prefix("log:") {
        let build = log.parse().map(LogId::Build);
        build.or_else(|_| log.parse().map(LogId::App)).ok().map(Signal::Log)
    } else {
        None.or_else(|| word.parse().map(Signal::Deployment).ok())
            .or_else(|| word.parse().map(Signal::Environment).ok())
            .or_else(|| word.parse().map(Signal::ApiKey).ok())
            .or_else(|| word.parse().map(Signal::Member).ok())
            .or_else(|| word.parse().map(Signal::Token).ok())
    };
    // Another version of the server may know hints that this one does not.
    parsed.unwrap_or(Signal::Anything)
}

#[cfg(test)]
mod tests {
    use windlass_auth::{ApiKeyId, TokenId};
    use windlass_domain::{
        BuildId, DeploymentId, EnvironmentId, LogId, UserId,
        test_util::{CountingEntropy, ManualClock},
    };
    use windlass_storage::Signal;

    use super::{Hub, MOST_PAYLOAD, from_word, to_word, without_repeats};

    fn one_of_each() -> [Signal; 11] {
        let (clock, entropy) = (ManualClock::default(), CountingEntropy::default());
        let fx = entropy.with(&clock);
        [
            Signal::Jobs,
            Signal::Log(LogId::Build(BuildId::generate(fx))),
            Signal::Log(LogId::App(EnvironmentId::generate(fx))),
            Signal::Deployment(DeploymentId::generate(fx)),
            Signal::Environment(EnvironmentId::generate(fx)),
            Signal::ApiKey(ApiKeyId::generate(fx)),
            Signal::Member(UserId::generate(fx)),
            Signal::Token(TokenId::generate(fx)),
            Signal::Sessions(UserId::generate(fx)),
            Signal::SigningKeys,
            Signal::Anything,
        ]
    }

    #[test]
    fn every_signal_survives_its_text_form_and_unknown_ones_may_be_anything() {
        for signal in one_of_each() {
            assert_eq!(from_word(&to_word(signal)), signal);
        }
        assert_eq!(from_word("weather:sunny"), Signal::Anything);
    }

    #[test]
    fn a_hub_hears_others_but_not_itself() {
        let (here, there) = (Hub::new(), Hub::new());
        let (mut at_home, mut abroad) = (here.subscribe(), there.subscribe());
        for payload in here.payloads(&one_of_each()) {
            here.receive(&payload);
            there.receive(&payload);
        }
        assert!(at_home.try_recv().is_err());
        for signal in one_of_each() {
            assert_eq!(abroad.try_recv().unwrap(), signal);
        }
    }

    #[test]
    fn many_signals_are_split_into_payloads_that_the_database_takes() {
        let (clock, entropy) = (ManualClock::default(), CountingEntropy::default());
        let many: Vec<Signal> = (0..1_000)
            .map(|_| Signal::Deployment(DeploymentId::generate(entropy.with(&clock))))
            .collect();
        let (here, there) = (Hub::new(), Hub::new());
        let mut abroad = there.subscribe();
        let payloads = here.payloads(&many);
        assert!(1 < payloads.len());
        for payload in payloads {
            assert!(payload.len() <= MOST_PAYLOAD);
            there.receive(&payload);
        }
        for signal in many {
            assert_eq!(abroad.try_recv().unwrap(), signal);
        }
    }

    #[test]
    fn a_repeated_signal_is_sent_once() {
        let repeated = vec![Signal::Jobs, Signal::Anything, Signal::Jobs];
        assert_eq!(without_repeats(repeated), [Signal::Jobs, Signal::Anything]);
    }
}
