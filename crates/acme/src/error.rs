//! Why there is no certificate.

use std::{error::Error, time::Duration};

use crate::{
    http::Fault,
    problem::{Refusal, printable},
    solver::SolverError,
};

/// Why there is no certificate, or no account. Says nothing of keys.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// It cannot be asked for like this; asking again does not help.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The authority does not want to. Something has to change before it is asked again.
    #[error("the certificate authority refuses: {0}")]
    Refused(Refusal),
    /// It was asked too often.
    #[error("the certificate authority was asked too often: {refusal}")]
    RateLimited {
        /// What it says about that.
        refusal: Refusal,
        /// When it may be asked again, if it says so.
        retry_after: Option<Duration>,
    },
    /// It does not know the account (any more). Another one can be opened.
    #[error("the certificate authority does not know the account: {0}")]
    AccountUnknown(Refusal),
    /// Nobody could be brought to answer its challenge.
    #[error("the challenge for {host} could not be shown to the certificate authority")]
    NotPresented {
        /// The host that it is for.
        host: String,
        /// What the solver says.
        source: SolverError,
    },
    /// It cannot be reached or does not do its work. It can be asked again later.
    #[error("the certificate authority is not available: {reason}")]
    Unavailable {
        /// What has happened.
        reason: String,
        /// When it may be asked again, if it says so.
        retry_after: Option<Duration>,
    },
}

/// Why an authority cannot be asked at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// The directory is no address with TLS.
    #[error(
        "`{0}` is not the address of an ACME directory: expected `https://HOST/…`, such as \
         `https://acme-v02.api.letsencrypt.org/directory`"
    )]
    Directory(String),
    /// Something else is there.
    #[error("`{directory}` is not an ACME directory: {reason}")]
    NotADirectory {
        /// The address.
        directory: String,
        /// What was found there.
        reason: String,
    },
    /// The contact is no address.
    #[error("`{0}` is not a contact: expected one e-mail address, such as `ops@example.com`")]
    Contact(String),
    /// The external account cannot be used.
    #[error(
        "the external account is not valid: expected a key id, and the secret for HMAC in base64url"
    )]
    ExternalAccount,
    /// The extra roots are no certificates.
    #[error(
        "the extra roots are not valid: expected PEM text with `-----BEGIN CERTIFICATE-----`, of \
         authorities"
    )]
    ExtraRoots,
    /// This machine has no certificates of authorities, and there are no extra ones.
    #[error("there is nothing to verify the authority's server by: {0}")]
    NoRoots(String),
    /// What was stored of the account is no such thing.
    #[error("the account's credentials are not valid: expected what opening an account has given")]
    Credentials,
    /// The account is with somebody else.
    #[error("the account is one of `{theirs}`, not of `{ours}`: open another one")]
    OtherAuthority {
        /// The directory that the account was opened with.
        theirs: String,
        /// The one that is asked now.
        ours: String,
    },
    /// There is nothing that a certificate would be for.
    #[error("there is no host to get a certificate for")]
    NoHost,
    /// A host cannot be shown to be ours over HTTP.
    #[error(
        "`{0}` cannot have a certificate: expected a host name in lower case with a dot, such as \
         `shop.example.com`, without `*`"
    )]
    Host(String),
}

impl AcmeError {
    /// When it makes sense to ask again, if the authority says so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::Unavailable { retry_after, .. } => {
                *retry_after
            }
            Self::Invalid(_)
            | Self::Refused(_)
            | Self::AccountUnknown(_)
            | Self::NotPresented { .. } => None,
        }
    }

    pub(crate) fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable { reason: reason.into(), retry_after: None }
    }

    /// What it means that an authority answers with a problem.
    pub(crate) fn refused(refusal: Refusal, retry_after: Option<Duration>) -> Self {
        match refusal.kind() {
            "rateLimited" => Self::RateLimited { refusal, retry_after },
            "accountDoesNotExist" => Self::AccountUnknown(refusal),
            // Its own faults, or those of the way to it.
            "serverInternal" | "badNonce" => {
                Self::Unavailable { reason: refusal.to_string(), retry_after }
            }
            _ => Self::Refused(refusal),
        }
    }
}

impl From<instant_acme::Error> for AcmeError {
    fn from(error: instant_acme::Error) -> Self {
        use instant_acme::Error as Theirs;

        match error {
            Theirs::Api(problem) => Self::refused(Refusal::new(None, &problem), None),
            Theirs::Other(cause) => match cause.downcast::<Fault>() {
                Ok(fault) => (*fault).into(),
                Err(cause) => Self::unavailable(with_causes(&*cause)),
            },
            Theirs::KeyRejected => Invalid::Credentials.into(),
            Theirs::Timeout(next) => {
                let now = std::time::Instant::now();
                Self::Unavailable {
                    reason: "it did not finish in time".to_owned(),
                    retry_after: next.map(|next| next.saturating_duration_since(now)),
                }
            }
            Theirs::Crypto
            | Theirs::Http(_)
            | Theirs::InvalidUri(_)
            | Theirs::Json(_)
            | Theirs::Unsupported(_)
            | Theirs::Str(_)
            | _ => Self::unavailable(with_causes(&error)),
        }
    }
}

impl From<Fault> for AcmeError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NotADirectory { directory, reason } => {
                Invalid::NotADirectory { directory, reason }.into()
            }
            Fault::Problem { problem, retry_after } => {
                let refusal = Refusal::new(None, &problem);
                // Whatever it is called, that is no answer to the question.
                if problem.status.is_some_and(|status| 500 <= status) {
                    Self::Unavailable { reason: refusal.to_string(), retry_after }
                } else {
                    Self::refused(refusal, retry_after)
                }
            }
            Fault::Status { status: _, retry_after } => {
                Self::Unavailable { reason: fault.to_string(), retry_after }
            }
            Fault::NoAnswer(_) | Fault::Late => Self::unavailable(fault.to_string()),
        }
    }
}

/// An error and all that has led to it: what counts is often said last.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    printable(&text)
}
