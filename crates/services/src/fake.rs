//! Backing services that exist only in memory, for tests of whoever tells them what to do.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use windlass_domain::{EnvironmentId, Services};

use crate::{BackingServices, Place, ServiceError, Variable};

/// Remembers what each environment was given; clones share it. Its variables lead nowhere.
#[derive(Debug, Clone, Default)]
pub struct FakeServices {
    inner: Arc<Mutex<Inner>>,
}

/// What an environment was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FakePlace {
    /// What runs for it.
    pub active: Services,
    /// How often it was emptied.
    pub resets: usize,
    /// How often it was asked to be there.
    pub provisions: usize,
}

#[derive(Debug, Default)]
struct Inner {
    places: BTreeMap<Place, FakePlace>,
    data: BTreeMap<Place, Vec<u8>>,
    stalled: Vec<Place>,
    missing: Option<(String, String)>,
    failures: usize,
}

impl FakeServices {
    /// What an environment has now; nothing once it was removed.
    #[must_use]
    pub fn of(&self, environment: EnvironmentId) -> Option<FakePlace> {
        let inner = self.lock();
        let found = inner.places.iter().find(|(place, _)| place.environment == environment);
        found.map(|(_, has)| *has)
    }

    /// From now on the machine lacks something.
    pub fn miss(&self, what: &str, advice: &str) {
        self.lock().missing = Some((what.to_owned(), advice.to_owned()));
    }

    /// So many of the next calls fail.
    pub fn fail_next(&self, times: usize) {
        self.lock().failures = times;
    }

    /// What an environment was given ends by itself.
    pub fn crash(&self, environment: EnvironmentId) {
        let mut inner = self.lock();
        let place = inner.places.keys().copied().find(|place| place.environment == environment);
        inner.stalled.extend(place);
    }

    /// An app writes into its database.
    pub fn write(&self, environment: EnvironmentId, data: &[u8]) {
        let mut inner = self.lock();
        let place = inner.places.keys().copied().find(|place| place.environment == environment);
        if let Some(place) = place {
            inner.data.insert(place, data.to_vec());
        }
    }

    /// What is in an environment's database.
    #[must_use]
    pub fn read(&self, environment: EnvironmentId) -> Vec<u8> {
        let inner = self.lock();
        let found = inner.data.iter().find(|(place, _)| place.environment == environment);
        found.map(|(_, data)| data.clone()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) -> Result<MutexGuard<'_, Inner>, ServiceError> {
        let mut inner = self.lock();
        if inner.failures == 0 {
            return Ok(inner);
        }
        inner.failures -= 1;
        Err(ServiceError::unavailable("pretending")("it was told to"))
    }
}

#[async_trait]
impl BackingServices for FakeServices {
    async fn check(&self, wanted: Services) -> Result<(), ServiceError> {
        match &self.begin()?.missing {
            Some((what, advice)) if wanted != Services::NONE => {
                Err(ServiceError::Missing { what: what.clone(), advice: advice.clone() })
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn provide(&self, place: Place, wanted: Services) -> Result<Vec<Variable>, ServiceError> {
        self.check(wanted).await?;
        let mut inner = self.begin()?;
        if wanted == Services::NONE && !inner.places.contains_key(&place) {
            return Ok(Vec::new());
        }
        let has = inner.places.entry(place).or_default();
        has.active = wanted;
        has.provisions += 1;
        inner.stalled.retain(|stalled| *stalled != place);
        let all = [
            (wanted.postgres, "DATABASE_URL", "postgres"),
            (wanted.redis, "REDIS_URL", "redis"),
            (wanted.s3, "S3_BUCKET", "s3"),
        ];
        let given = all.into_iter().filter(|(is_wanted, ..)| *is_wanted);
        given
            .map(|(_, key, scheme)| {
                let key = key.parse().map_err(ServiceError::unavailable("naming a variable"))?;
                Ok(Variable { key, value: format!("{scheme}://{}", place.environment).into() })
            })
            .collect()
    }

    async fn reset(&self, place: Place) -> Result<(), ServiceError> {
        let mut inner = self.begin()?;
        inner.data.remove(&place);
        if let Some(has) = inner.places.get_mut(&place) {
            has.resets += 1;
        }
        Ok(())
    }

    async fn rest(&self, place: Place) -> Result<(), ServiceError> {
        if let Some(has) = self.begin()?.places.get_mut(&place) {
            has.active = Services::NONE;
        }
        Ok(())
    }

    async fn remove(&self, place: Place) -> Result<(), ServiceError> {
        let mut inner = self.begin()?;
        inner.data.remove(&place);
        inner.places.remove(&place);
        Ok(())
    }

    async fn places(&self) -> Result<Vec<Place>, ServiceError> {
        Ok(self.begin()?.places.keys().copied().collect())
    }

    async fn stalled(&self) -> Result<Vec<Place>, ServiceError> {
        Ok(self.begin()?.stalled.clone())
    }

    async fn dump(
        &self,
        place: Place,
        to: &mut (dyn AsyncWrite + Unpin + Send),
    ) -> Result<u64, ServiceError> {
        let data = self.begin()?.data.get(&place).cloned().unwrap_or_default();
        to.write_all(&data).await.map_err(ServiceError::unavailable("writing a dump"))?;
        Ok(u64::try_from(data.len()).unwrap_or(u64::MAX))
    }

    async fn restore(
        &self,
        place: Place,
        from: &mut (dyn AsyncRead + Unpin + Send),
    ) -> Result<(), ServiceError> {
        let mut data = Vec::new();
        from.read_to_end(&mut data).await.map_err(ServiceError::unavailable("reading a dump"))?;
        self.begin()?.data.insert(place, data);
        Ok(())
    }
}
