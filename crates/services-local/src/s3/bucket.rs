//! A bucket and the service that serves it.

use std::{io, path::Path};

use s3s::{
    HttpError, HttpRequest, HttpResponse,
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use secrecy::{ExposeSecret as _, SecretString};
use tracing::{instrument::WithSubscriber as _, subscriber::NoSubscriber};
use windlass_domain::EnvironmentId;

use super::access::OwnBucket;

/// The name of an environment's bucket: no `_` is allowed in it.
pub(crate) fn name(environment: EnvironmentId) -> String {
    environment.to_string().replace('_', "-")
}

/// A bucket that can be reached.
#[derive(Debug, Clone)]
pub(crate) struct Bucket(S3Service);

impl Bucket {
    /// Serves the folder's only bucket to whoever has the secret key.
    pub(crate) fn open(
        folder: &Path,
        name: &str,
        access_key: &str,
        secret_key: &SecretString,
    ) -> io::Result<Self> {
        let files =
            FileSystem::new(folder).map_err(|error| io::Error::other(format!("{error:?}")))?;
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(access_key, secret_key.expose_secret()));
        service.set_access(OwnBucket::new(name));
        Ok(Self(service.build()))
    }

    pub(crate) async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        // It would log whole requests, signatures and all.
        self.0.call(request).with_subscriber(NoSubscriber::new()).await
    }
}
