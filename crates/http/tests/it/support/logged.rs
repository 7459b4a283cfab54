//! Keeps what is logged.

use std::{
    io,
    sync::{Arc, Mutex},
};

use tracing::{level_filters::LevelFilter, subscriber::DefaultGuard};
use tracing_subscriber::fmt::MakeWriter;

/// Keeps what is logged while it lives.
#[derive(Clone, Default)]
pub(crate) struct Logged(Arc<Mutex<Vec<u8>>>);

impl Logged {
    /// What an operator would see.
    pub(crate) fn start() -> (Self, DefaultGuard) {
        Self::start_from(LevelFilter::INFO)
    }

    /// The same from a level on.
    pub(crate) fn start_from(level: LevelFilter) -> (Self, DefaultGuard) {
        let logged = Self::default();
        let subscriber = tracing_subscriber::fmt().json().with_max_level(level);
        let subscriber = subscriber.with_writer(logged.clone()).finish();
        (logged.clone(), tracing::subscriber::set_default(subscriber))
    }

    /// The lines that contain a text.
    pub(crate) fn with(&self, text: &str) -> Vec<String> {
        let bytes = self.0.lock().unwrap().clone();
        let all = String::from_utf8(bytes).unwrap();
        all.lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
    }
}

impl io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logged {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
