//! A database that fails when it is told to.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::broadcast;
use windlass_storage::{Signal, Store, StoreError, UnitOfWork};

/// What the database does from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Mood {
    /// What it should.
    #[default]
    Fine,
    /// It cannot be reached.
    Unreachable,
    /// It fails for good.
    Broken,
    /// It brings its caller down.
    Panicking,
    /// It never answers.
    Hanging,
}

/// A database that fails when it is told to.
pub(crate) struct Flaky {
    store: Arc<dyn Store>,
    mood: Mutex<Mood>,
}

impl Flaky {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, mood: Mutex::default() }
    }

    /// Says what it does from now on.
    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    async fn suffer(&self) -> Result<(), StoreError> {
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Fine => Ok(()),
            Mood::Unreachable => Err(StoreError::Unreachable("no route to 10.0.0.7".into())),
            Mood::Broken => Err(StoreError::Backend("the disk is on fire".into())),
            Mood::Panicking => panic!("the test wants it so"),
            Mood::Hanging => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Store for Flaky {
    async fn read(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        self.suffer().await?;
        self.store.read().await
    }

    async fn write(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        self.suffer().await?;
        self.store.write().await
    }

    fn signals(&self) -> broadcast::Receiver<Signal> {
        self.store.signals()
    }
}
