//! Why a command failed, with which exit code, and what to do about it.

use std::{io, path::PathBuf, process::ExitCode};

use thiserror::Error;
use windlass_manifest::Problems;

use crate::client::Refusal;

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a command failed.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Refused(#[from] Box<Refusal>),
    #[error("{server} cannot be reached")]
    Unreachable { server: String, source: ureq::Error },
    #[error("the answer of {server} cannot be understood")]
    Garbled { server: String, source: serde_json::Error },
    #[error("there is no credential for {server}")]
    NotLoggedIn { server: String },
    /// What was asked for makes no sense; says why.
    #[error("{0}")]
    Usage(String),
    /// What a name stands for is not there.
    #[error("there is no {0}")]
    NotFound(String),
    /// It was tried and did not come off.
    #[error("{0}")]
    Failed(String),
    #[error("{} {path} failed", .doing)]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("{path} is not as it should be: {reason}", path = path.display())]
    Misshapen { path: PathBuf, reason: String },
    /// A repository's file has mistakes.
    #[error("{0}")]
    Manifest(Problems),
    #[error("reading the input failed")]
    Input(#[source] io::Error),
    #[error("writing the output failed")]
    Output(#[source] io::Error),
}

/// The exit codes that the help promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    Failed = 1,
    Usage = 2,
    Unauthenticated = 3,
    Forbidden = 4,
    NotFound = 5,
    Conflict = 6,
    Unavailable = 7,
}

impl Failure {
    /// Says what was being done to a file.
    pub(crate) fn file(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { doing, path, source }
    }

    /// Whether only nobody reads any more what is printed.
    pub(crate) fn is_lost_reader(&self) -> bool {
        matches!(self, Self::Output(err) if err.kind() == io::ErrorKind::BrokenPipe)
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        if self.is_lost_reader() {
            return ExitCode::SUCCESS;
        }
        ExitCode::from(self.code() as u8)
    }

    /// Names the failure for programs; the API's code where it has one.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Refused(refusal) => &refusal.code,
            Self::Unreachable { .. } => "unreachable",
            Self::Garbled { .. } => "garbled_answer",
            Self::NotLoggedIn { .. } => "not_logged_in",
            Self::Usage(_) => "usage",
            Self::NotFound(_) => "not_found",
            Self::Failed(_) => "failed",
            Self::File { .. } | Self::Misshapen { .. } => "file",
            Self::Manifest(_) => "manifest",
            Self::Input(_) => "input",
            Self::Output(_) => "output",
        }
    }

    /// What the person at the keyboard can do about it.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        if let Self::Unreachable { .. } = self {
            return Some("see whether it runs, and whether --server or the profile is right");
        }
        match self.code() {
            Code::Unauthenticated => Some("log in: windlass login"),
            Code::Forbidden => Some("use a credential that has it; `windlass whoami` shows yours"),
            Code::Conflict => Some("look at its state, then try again"),
            Code::Unavailable => Some("try again later"),
            Code::Failed | Code::Usage | Code::NotFound => None,
        }
    }

    fn code(&self) -> Code {
        match self {
            Self::Refused(refusal) => match refusal.status {
                401 => Code::Unauthenticated,
                403 => Code::Forbidden,
                404 | 410 => Code::NotFound,
                409 | 412 => Code::Conflict,
                400 | 405 | 413 | 415 | 422 => Code::Usage,
                429 | 502..=504 => Code::Unavailable,
                _ => Code::Failed,
            },
            Self::Unreachable { .. } => Code::Unavailable,
            Self::NotLoggedIn { .. } => Code::Unauthenticated,
            Self::Usage(_) | Self::Misshapen { .. } => Code::Usage,
            Self::NotFound(_) => Code::NotFound,
            Self::Garbled { .. }
            | Self::Failed(_)
            | Self::File { .. }
            | Self::Manifest(_)
            | Self::Input(_)
            | Self::Output(_) => Code::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(status: u16) -> Code {
        Failure::from(Box::new(Refusal::new(status, ""))).code()
    }

    #[test]
    fn statuses_have_the_exit_codes_that_the_help_promises() {
        let codes =
            [400, 401, 403, 404, 409, 422, 429, 500, 503].map(|status| code_of(status) as u8);
        assert_eq!(codes, [2, 3, 4, 5, 6, 2, 7, 1, 7]);
    }

    #[test]
    fn a_reader_that_has_gone_away_is_no_failure() {
        let gone = Failure::Output(io::ErrorKind::BrokenPipe.into());
        assert!(gone.is_lost_reader());
        assert!(!Failure::Output(io::ErrorKind::StorageFull.into()).is_lost_reader());
    }
}
