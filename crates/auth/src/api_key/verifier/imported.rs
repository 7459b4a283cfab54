//! How imported keys look, as the directory says it from time to time.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Mutex;

use super::super::{DirectoryError, ImportedFormat, KeyDirectory};

/// How old an answer may be: as long can the first key of a kind go unnoticed when another process
/// imports it. Texts that are no keys at all cannot make the directory be asked more often.
const FRESH: TimeDelta = TimeDelta::seconds(1);

/// The last answer.
#[derive(Default)]
pub(super) struct Formats(Mutex<Option<Known>>);

struct Known {
    formats: Arc<[ImportedFormat]>,
    asked_at: DateTime<Utc>,
    /// When that was, counted in changes.
    generation: u64,
}

impl Formats {
    /// The format that a text has.
    pub(super) async fn of(
        &self,
        text: &str,
        directory: &dyn KeyDirectory,
        now: DateTime<Utc>,
        generation: u64,
    ) -> Result<Option<ImportedFormat>, DirectoryError> {
        let formats = self.all(directory, now, generation).await?;
        Ok(formats.iter().find(|format| format.start_of(text).is_some()).cloned())
    }

    /// All of them. Whoever comes while the directory is being asked waits for its answer.
    async fn all(
        &self,
        directory: &dyn KeyDirectory,
        now: DateTime<Utc>,
        generation: u64,
    ) -> Result<Arc<[ImportedFormat]>, DirectoryError> {
        let mut last = self.0.lock().await;
        if let Some(known) = &*last
            && known.generation == generation
            && (TimeDelta::zero()..FRESH).contains(&(now - known.asked_at))
        {
            return Ok(Arc::clone(&known.formats));
        }
        let formats: Arc<[ImportedFormat]> = directory.imported_formats().await?.into();
        *last = Some(Known { formats: Arc::clone(&formats), asked_at: now, generation });
        Ok(formats)
    }
}
