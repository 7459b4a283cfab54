//! Asks an authority over HTTPS.

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use chrono::DateTime;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{DATE, RETRY_AFTER, USER_AGENT},
};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient, Problem};
use rustls::{ClientConfig, crypto::ring, pki_types::CertificateDer};
use rustls_platform_verifier::Verifier;
use serde::Deserialize;
use tokio::time::timeout;

use crate::error::{Invalid, with_causes};

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Most bytes of an answer: many times those of a chain of certificates.
const MOST_BYTES: usize = 1024 * 1024;
/// After how long it is worth asking again in any case: what is limited, is limited by the week.
const LONGEST_WAIT: Duration = Duration::from_hours(7 * 24);

/// Asks, without following redirections. Clones share connections.
#[derive(Clone)]
pub(crate) struct Http(Client<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>>);

/// Why there is no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// It did not come, or is too long.
    #[error("{0}")]
    NoAnswer(String),
    /// It did not come in time.
    #[error("it did not answer within {} seconds", TIMEOUT.as_secs())]
    Late,
    /// It says that something is wrong, but not what.
    #[error("it answers with status {status}")]
    Status { status: StatusCode, retry_after: Option<Duration> },
    /// It says what is wrong.
    #[error("{problem}")]
    Problem { problem: Problem, retry_after: Option<Duration> },
    /// The first answer of all is none of an authority.
    #[error("{reason}")]
    NotADirectory { directory: String, reason: String },
}

/// The part of a directory without which nothing can be asked.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Directory {
    #[serde(rename = "newNonce")]
    _nonce: String,
    #[serde(rename = "newAccount")]
    _account: String,
    #[serde(rename = "newOrder")]
    _order: String,
}

impl Http {
    pub(crate) fn new(extra_roots: Vec<CertificateDer<'static>>) -> Result<Self, Invalid> {
        // Whatever provider of cryptography the process has, or has none.
        let provider = Arc::new(ring::default_provider());
        let has_extra_roots = !extra_roots.is_empty();
        let verifier = Verifier::new_with_extra_roots(extra_roots, Arc::clone(&provider));
        let verifier = verifier.map_err(|error| {
            if has_extra_roots { Invalid::ExtraRoots } else { Invalid::NoRoots(error.to_string()) }
        })?;
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has what both versions of TLS need")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_only();
        let connector = connector.enable_http1().enable_http2().build();
        Ok(Self(Client::builder(TokioExecutor::new()).build(connector)))
    }

    async fn ask(self, mut request: Request<BodyWrapper<Bytes>>) -> Result<Response<Bytes>, Fault> {
        let agent = HeaderValue::from_static(concat!("windlass/", env!("CARGO_PKG_VERSION")));
        request.headers_mut().insert(USER_AGENT, agent);
        let answer = timeout(TIMEOUT, async {
            let response = self.0.request(request).await;
            let response = response.map_err(|error| Fault::NoAnswer(with_causes(&error)))?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MOST_BYTES).collect().await;
            let body = body.map_err(|error| Fault::NoAnswer(with_causes(&*error)))?;
            Ok(Response::from_parts(head, body.to_bytes()))
        });
        answer.await.map_err(|_| Fault::Late)?
    }
}

impl HttpClient for Http {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let (method, address) = (request.method().clone(), request.uri().to_string());
        let answer = self.clone().ask(request);
        Box::pin(async move {
            let answer = answer.await.and_then(|answer| judge(&method, &address, answer));
            let answer = answer.map_err(|fault| Error::Other(Box::new(fault)))?;
            Ok(answer.map(Full::new).into())
        })
    }
}

/// Whether the library can make something of an answer. It takes every error for a problem in
/// JSON, does not tell when to ask again after one, and reckons with any time that it is told.
fn judge(
    method: &Method,
    address: &str,
    answer: Response<Bytes>,
) -> Result<Response<Bytes>, Fault> {
    let (mut head, body) = answer.into_parts();
    let status = head.status;
    let retry_after = retry_after(&head.headers);
    if retry_after.is_none_or(|wait| LONGEST_WAIT < wait) {
        head.headers.remove(RETRY_AFTER);
    }
    let retry_after = retry_after.map(|wait| wait.min(LONGEST_WAIT));
    let is_busy = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
    // Directories are all that is asked for like this.
    if *method == Method::GET && !is_busy {
        let reason = if !status.is_success() {
            format!("it answers with status {status}")
        } else if serde_json::from_slice::<Directory>(&body).is_err() {
            "there is something else".to_owned()
        } else {
            return Ok(Response::from_parts(head, body));
        };
        return Err(Fault::NotADirectory { directory: address.to_owned(), reason });
    }
    if !status.is_client_error() && !status.is_server_error() {
        return Ok(Response::from_parts(head, body));
    }
    match serde_json::from_slice::<Problem>(&body) {
        // Among these is what the library asks again for by itself.
        Ok(_) if status == StatusCode::BAD_REQUEST => Ok(Response::from_parts(head, body)),
        Ok(mut problem) => {
            problem.status = Some(status.as_u16());
            Err(Fault::Problem { problem, retry_after })
        }
        Err(_) => Err(Fault::Status { status, retry_after }),
    }
}

/// How long to wait, as a number of seconds or until some time of the authority's own clock
/// (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let value = text(RETRY_AFTER)?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let time = |text| DateTime::parse_from_rfc2822(text).ok();
    (time(value)? - time(text(DATE)?)?).to_std().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::{Method, Response, header::RETRY_AFTER};
    use proptest::prelude::{any, proptest};

    use super::{Http, judge};
    use crate::{AcmeError, Invalid};

    const NONCE: &str = r#"{ "type": "urn:ietf:params:acme:error:badNonce" }"#;

    fn answer(status: u16, retry_after: &str, body: &str) -> Response<Bytes> {
        let mut answer = Response::builder().status(status);
        if !retry_after.is_empty() {
            answer = answer.header(RETRY_AFTER, retry_after);
        }
        answer
            .header("date", "Sun, 06 Nov 1994 08:49:37 GMT")
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap()
    }

    fn error(status: u16, retry_after: &str, body: &str) -> AcmeError {
        let answer = answer(status, retry_after, body);
        judge(&Method::POST, "https://acme.example/order", answer).unwrap_err().into()
    }

    #[test]
    fn whoever_asks_too_often_is_told_when_to_ask_again() {
        let body = r#"{
            "type": "urn:ietf:params:acme:error:rateLimited",
            "detail": "too many certificates already issued for shop.example"
        }"#;
        let day = 24 * 3600;
        for (header, seconds) in [
            ("", None),
            ("soon", None),
            ("-1", None),
            ("120", Some(120)),
            (" 120 ", Some(120)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:49:07 GMT", None),
            ("18446744073709551615", Some(7 * day)),
        ] {
            let err = error(429, header, body);
            let wait = seconds.map(Duration::from_secs);
            assert_eq!(err.retry_after(), wait, "{header}");
            let AcmeError::RateLimited { refusal, .. } = err else { panic!("{err:?}") };
            assert!(refusal.to_string().contains("already issued"), "{refusal}");
        }
    }

    #[test]
    fn an_authority_with_troubles_of_its_own_is_not_available() {
        let maintenance = r#"{ "detail": "The service is down for maintenance" }"#;
        for (status, body, told) in [
            (503, maintenance, "down for maintenance"),
            (500, r#"{ "type": "urn:ietf:params:acme:error:unauthorized" }"#, "unauthorized"),
            (502, "<html>Bad Gateway</html>", "502 Bad Gateway"),
            (429, "", "429 Too Many Requests"),
        ] {
            let err = error(status, "60", body);
            assert_eq!(err.retry_after(), Some(Duration::from_mins(1)), "{status}");
            assert!(matches!(err, AcmeError::Unavailable { .. }), "{err:?}");
            assert!(err.to_string().contains(told), "{err}");
        }
    }

    #[test]
    fn a_refusal_is_told_with_its_kind() {
        let err = error(
            403,
            "",
            r#"{ "type": "urn:ietf:params:acme:error:caa", "detail": "CAA of shop.example" }"#,
        );
        assert!(matches!(err, AcmeError::Refused(_)), "{err:?}");
        assert_eq!(err.to_string(), "the certificate authority refuses: CAA of shop.example (caa)");
    }

    #[test]
    fn what_the_library_asks_again_for_is_left_to_it() {
        let answer = judge(&Method::POST, "", answer(400, "18446744073709551615", NONCE)).unwrap();
        assert_eq!(answer.body(), NONCE);
        assert_eq!(answer.headers().get(RETRY_AFTER), None, "with no time that ends it");
    }

    #[test]
    fn a_directory_is_recognised() {
        let good = r#"{ "newNonce": "a", "newAccount": "b", "newOrder": "c", "meta": {} }"#;
        assert!(judge(&Method::GET, "", answer(200, "", good)).is_ok());
        for (status, body) in [(200, "<html>"), (200, "{}"), (301, ""), (404, ""), (403, good)] {
            let fault = judge(&Method::GET, "https://a.example", answer(status, "", body));
            let err = fault.unwrap_err().into();
            let AcmeError::Invalid(Invalid::NotADirectory { directory, .. }) = err else {
                panic!("{err:?}")
            };
            assert_eq!(directory, "https://a.example");
        }
        for status in [429, 503] {
            let fault = judge(&Method::GET, "", answer(status, "", ""));
            let err = AcmeError::from(fault.unwrap_err());
            assert!(matches!(err, AcmeError::Unavailable { .. }), "{err:?}");
        }
    }

    #[test]
    fn no_provider_of_cryptography_has_to_be_installed() {
        let roots = Vec::new();
        assert!(matches!(Http::new(roots), Ok(_) | Err(Invalid::NoRoots(_))));
    }

    proptest! {
        #[test]
        fn any_answer_is_one_or_none(
            status in 200_u16..600,
            retry_after in "[ -~]{0,40}",
            body in ".*",
            gets in any::<bool>(),
        ) {
            let method = if gets { Method::GET } else { Method::POST };
            if let Err(fault) = judge(&method, "", answer(status, &retry_after, &body)) {
                let told = AcmeError::from(fault).to_string();
                assert!(!told.chars().any(char::is_control), "{told}");
            }
        }
    }
}
