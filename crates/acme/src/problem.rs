//! What an authority says is wrong.

use std::fmt;

/// Before the names of problems that ACME defines.
const PREFIX: &str = "urn:ietf:params:acme:error:";
/// Most characters of a text of the authority's that are told. It may quote what it was answered
/// at a host.
const MOST: usize = 1000;

/// What an authority says is wrong (RFC 8555, 6.7), free of control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The host that it concerns, if it is not all of them.
    pub host: Option<String>,
    /// What kind it is: `unauthorized`, `caa`, `rateLimited`, …; a whole URN or address where it
    /// is none of those that ACME defines.
    pub kind: String,
    /// What the authority says to people.
    pub detail: String,
}

/// Why an authority does not do what it was asked for: one problem or more, the first one being
/// the one that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it says is wrong.
    pub problems: Vec<Problem>,
}

impl Problem {
    fn new(host: Option<String>, kind: Option<&str>, detail: Option<&str>) -> Self {
        let kind = kind.unwrap_or("about:blank");
        let kind = printable(kind.strip_prefix(PREFIX).unwrap_or(kind));
        let detail = printable(detail.unwrap_or("no reason is given"));
        Self { host, kind, detail }
    }
}

impl Refusal {
    /// What an authority answers; `host` is the one it was asked about.
    pub(crate) fn new(host: Option<&str>, problem: &instant_acme::Problem) -> Self {
        let all = Problem::new(
            host.map(str::to_owned),
            problem.r#type.as_deref(),
            problem.detail.as_deref(),
        );
        let parts = problem.subproblems.iter().map(|part| {
            let host = part.identifier.as_ref().map(|name| name.authorized(false).to_string());
            Problem::new(host, part.r#type.as_deref(), part.detail.as_deref())
        });
        Self { problems: [all].into_iter().chain(parts).collect() }
    }

    /// The kind of its first problem.
    pub(crate) fn kind(&self) -> &str {
        self.problems.first().map_or("", |problem| &problem.kind)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, kind, detail } = self;
        if let Some(host) = host {
            write!(f, "{host}: ")?;
        }
        write!(f, "{detail} ({kind})")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.problems.iter().enumerate() {
            if 0 < place {
                f.write_str("; ")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

/// A text from elsewhere, for a terminal or a page.
pub(crate) fn printable(text: &str) -> String {
    let shown = text.chars().take(MOST);
    shown.map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::{Problem, Refusal, printable};

    #[test]
    fn what_an_authority_says_is_told_by_host() {
        let problem = serde_json::from_str(
            r#"{
                "type": "urn:ietf:params:acme:error:malformed",
                "detail": "Some of the identifiers\nwere rejected",
                "status": 400,
                "subproblems": [{
                    "type": "urn:ietf:params:acme:error:rejectedIdentifier",
                    "detail": "This CA will not issue for it",
                    "identifier": { "type": "dns", "value": "a.example" }
                }]
            }"#,
        );
        let refusal = Refusal::new(None, &problem.unwrap());
        assert_eq!(
            refusal.to_string(),
            "Some of the identifiers were rejected (malformed); a.example: This CA will not issue \
             for it (rejectedIdentifier)"
        );
        assert_eq!(refusal.kind(), "malformed");
    }

    #[test]
    fn a_problem_that_says_nothing_is_one_too() {
        let refusal = Refusal::new(Some("a.example"), &serde_json::from_str("{}").unwrap());
        let problem = Problem {
            host: Some("a.example".to_owned()),
            kind: "about:blank".to_owned(),
            detail: "no reason is given".to_owned(),
        };
        assert_eq!(refusal.problems, [problem]);
    }

    proptest! {
        #[test]
        fn what_is_told_is_short_and_printable(text in ".*", count in 1_usize..200) {
            let told = printable(&text.repeat(count));
            assert!(told.chars().count() <= 1000 && !told.chars().any(char::is_control));
        }
    }
}
