//! S3: a bucket for each environment, in a folder of its own, behind one HTTP server of ours.
//!
//! Every bucket has an S3 service of its own, which knows one key and sees one folder. So nothing
//! that a request says, nor a mistake in deciding about it, leads to another environment's data.

mod access;
mod bucket;
mod http;
mod server;

use std::{
    collections::HashMap,
    io,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use secrecy::SecretString;
use tokio::sync::Mutex;
use windlass_services::{Place, ServiceError};

use self::{bucket::Bucket, server::S3Server};
use crate::{
    files::{Owner, make_folder},
    means::Means,
    secrets::Purpose,
};

/// What clients assume where they are not told.
const REGION: &str = "us-east-1";

/// The buckets that can be reached, and the server by which.
#[derive(Debug, Default)]
pub(crate) struct S3 {
    open: Arc<OpenBuckets>,
    server: Mutex<Option<S3Server>>,
}

/// Buckets by their names and by the ids of their access keys.
#[derive(Debug, Default)]
pub(crate) struct OpenBuckets(RwLock<HashMap<String, Bucket>>);

impl S3 {
    /// Opens an environment's bucket, and tells how it is reached.
    pub(crate) async fn open(
        &self,
        means: &Means,
        place: Place,
    ) -> Result<Vec<(&'static str, SecretString)>, ServiceError> {
        let failed = || ServiceError::unavailable::<io::Error>("opening a bucket");
        let port = self.serve(means).await.map_err(failed())?;
        let (name, access_key) = (bucket::name(place.environment), place.environment.to_string());
        let secret_key = means.config.key.derive(Purpose::S3, &place.environment);
        if self.open.find(&name).is_none() {
            let folder = folder(means, place);
            means.layout.make_environment(place).map_err(failed())?;
            make_folder(&folder, Owner::OURS).map_err(failed())?;
            make_folder(&folder.join(&name), Owner::OURS).map_err(failed())?;
            let bucket = Bucket::open(&folder, &name, &access_key, &secret_key).map_err(failed())?;
            self.open.insert(&name, &access_key, bucket);
        }
        Ok(vec![
            ("S3_ENDPOINT", format!("http://127.0.0.1:{port}").into()),
            ("S3_BUCKET", name.into()),
            ("S3_REGION", REGION.into()),
            ("AWS_ACCESS_KEY_ID", access_key.into()),
            ("AWS_SECRET_ACCESS_KEY", secret_key),
        ])
    }

    /// Whether an environment's bucket can be reached.
    pub(crate) fn is_open(&self, place: Place) -> bool {
        self.open.find(&bucket::name(place.environment)).is_some()
    }

    /// Lets nobody in any more.
    pub(crate) fn close(&self, place: Place) {
        self.open.remove(&bucket::name(place.environment), &place.environment.to_string());
    }

    /// Removes what is in an environment's bucket. It must have been closed.
    pub(crate) async fn clear(&self, means: &Means, place: Place) -> io::Result<()> {
        means.trash.take(&folder(means, place)).await
    }

    /// Makes sure that the server listens, and returns its port.
    async fn serve(&self, means: &Means) -> io::Result<u16> {
        let mut server = self.server.lock().await;
        if let Some(server) = server.as_ref().filter(|server| server.works()) {
            return Ok(server.port());
        }
        let started = S3Server::start(&means.ports, Arc::clone(&self.open)).await?;
        let port = started.port();
        *server = Some(started);
        Ok(port)
    }
}

impl OpenBuckets {
    /// The bucket of this name or of this access key.
    pub(crate) fn find(&self, name: &str) -> Option<Bucket> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn insert(&self, name: &str, access_key: &str, bucket: Bucket) {
        let mut open = self.0.write().unwrap_or_else(PoisonError::into_inner);
        open.insert(name.to_owned(), bucket.clone());
        open.insert(access_key.to_owned(), bucket);
    }

    fn remove(&self, name: &str, access_key: &str) {
        let mut open = self.0.write().unwrap_or_else(PoisonError::into_inner);
        open.remove(name);
        open.remove(access_key);
    }
}

fn folder(means: &Means, place: Place) -> PathBuf {
    means.layout.environment(place).join("s3")
}
