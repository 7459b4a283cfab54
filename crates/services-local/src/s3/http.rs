//! To which bucket a request goes. That decides nothing: the bucket looks at it again.

use http::{HeaderMap, Response, StatusCode, Uri, header};
use s3s::{Body, HttpRequest, HttpResponse};

use super::{OpenBuckets, bucket::Bucket};

/// Answers a request by the bucket that it names.
pub(super) async fn answer(buckets: &OpenBuckets, request: HttpRequest) -> HttpResponse {
    let Some(bucket) = bucket_of(buckets, request.uri(), request.headers()) else {
        return refusal();
    };
    match bucket.answer(request).await {
        Ok(response) => {
            if response.status().is_server_error() {
                tracing::warn!(status = %response.status(), "a bucket could not do what was asked");
            }
            response
        }
        Err(error) => {
            tracing::warn!(?error, "a bucket could not answer");
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}

/// That of the path, or of the key where no bucket is named, to list them.
fn bucket_of(buckets: &OpenBuckets, uri: &Uri, headers: &HeaderMap) -> Option<Bucket> {
    let name = uri.path().trim_start_matches('/').split('/').next().unwrap_or_default();
    if !name.is_empty() {
        return buckets.find(name);
    }
    let in_head = headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
    buckets.find(in_head.or(uri.query()).and_then(access_key)?)
}

/// Reads `AWS4-HMAC-SHA256 Credential=KEY/20260101/us-east-1/s3/aws4_request, …`, or the query
/// `X-Amz-Credential=KEY%2F20260101%2F…`.
fn access_key(signature: &str) -> Option<&str> {
    let (_, credential) = signature.split_once("Credential=")?;
    credential.split(['/', '%']).next()
}

/// The same whether there is such a bucket that rests, or none.
fn refusal() -> HttpResponse {
    let text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
                <Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = StatusCode::FORBIDDEN;
    let xml = header::HeaderValue::from_static("application/xml");
    response.headers_mut().insert(header::CONTENT_TYPE, xml);
    response
}

#[cfg(test)]
mod tests {
    use super::access_key;

    #[test]
    fn keys_are_read_from_signatures() {
        let header = "AWS4-HMAC-SHA256 Credential=env_1/20260101/us-east-1/s3/aws4_request, \
                      SignedHeaders=host, Signature=0";
        assert_eq!(access_key(header), Some("env_1"));
        let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=env_1%2F20260101%2Fus";
        assert_eq!(access_key(query), Some("env_1"));
        assert_eq!(access_key("Bearer x"), None);
    }
}
