//! What a key may do: whatever happens in its own bucket, and no more.

use async_trait::async_trait;
use s3s::{
    S3Request, S3Result,
    access::{S3Access, S3AccessContext},
    dto::{CopyObjectInput, CopySource, UploadPartCopyInput},
    path::S3Path,
    s3_error,
};

/// Lets signed requests into one bucket.
#[derive(Debug)]
pub(super) struct OwnBucket {
    name: String,
}

impl OwnBucket {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    fn check_source(&self, source: &CopySource) -> S3Result<()> {
        match source {
            CopySource::Bucket { bucket, key, .. } if **bucket == *self.name => check_key(key),
            CopySource::Bucket { .. }
            | CopySource::AccessPoint { .. }
            | CopySource::Outpost { .. } => {
                Err(s3_error!(AccessDenied, "the source is not in this key's bucket"))
            }
        }
    }
}

#[async_trait]
impl S3Access for OwnBucket {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        if context.credentials().is_none() {
            return Err(s3_error!(AccessDenied, "the request is not signed"));
        }
        // The bucket is there for as long as its environment is.
        if context.s3_op().name() == "DeleteBucket" {
            return Err(s3_error!(AccessDenied, "the bucket cannot be deleted"));
        }
        match context.s3_path() {
            // There is only one bucket to be listed.
            S3Path::Root => Ok(()),
            S3Path::Bucket { bucket } if **bucket == *self.name => Ok(()),
            S3Path::Object { bucket, key } if **bucket == *self.name => check_key(key),
            S3Path::Bucket { .. } | S3Path::Object { .. } => {
                Err(s3_error!(AccessDenied, "this key opens another bucket"))
            }
        }
    }

    async fn copy_object(&self, request: &mut S3Request<CopyObjectInput>) -> S3Result<()> {
        self.check_source(&request.input.copy_source)
    }

    async fn upload_part_copy(&self, request: &mut S3Request<UploadPartCopyInput>) -> S3Result<()> {
        self.check_source(&request.input.copy_source)
    }
}

/// Keys become paths: some would lead out of the bucket, to what is kept beside it.
fn check_key(key: &str) -> S3Result<()> {
    let is_path = key.starts_with('/') || key.split('/').any(|part| part == ".." || part == ".");
    if is_path || key.contains('\0') {
        return Err(s3_error!(
            InvalidArgument,
            "keys must not begin with / or contain . or .. parts"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_key;

    #[test]
    fn keys_stay_in_the_bucket() {
        for good in ["a", "a/b.c", "..a", "a../b", "a/", "ä ö/…"] {
            assert!(check_key(good).is_ok(), "{good}");
        }
        for bad in ["..", "../a", "a/../../b", "/etc/passwd", "a/..", "./a"] {
            assert!(check_key(bad).is_err(), "{bad}");
        }
    }
}
