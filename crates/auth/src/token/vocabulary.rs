//! What tokens are made of: the names of facts, and blocks of them.

use std::{collections::HashMap, fmt::Write as _, net::IpAddr};

use biscuit_auth::builder::{BlockBuilder, Fact, Term};
use chrono::{DateTime, Utc};
use ipnet::IpNet;

use crate::Permission;

pub(super) const ACCOUNT: &str = "account";
pub(super) const USER: &str = "user";
pub(super) const TOKEN: &str = "token";
pub(super) const RIGHT: &str = "right";
pub(super) const PROJECTS: &str = "projects";
pub(super) const LINK: &str = "link";
pub(super) const IP: &str = "ip";
pub(super) const NETWORK: &str = "network";

/// A block, clause by clause.
#[derive(Default)]
pub(super) struct Clauses {
    source: String,
    values: HashMap<String, Term>,
}

impl Clauses {
    /// Adds a clause, in which `{name}` stands for the value.
    pub(super) fn with(mut self, clause: &str, name: &str, value: Term) -> Self {
        self.values.insert(name.to_owned(), value);
        self.add(clause)
    }

    /// Adds a clause without a value, or one that repeats an earlier one's.
    pub(super) fn add(mut self, clause: &str) -> Self {
        self.source.push_str(clause);
        self
    }

    /// Adds a clause where there is a value for it.
    pub(super) fn with_any(self, clause: &str, name: &str, value: Option<Term>) -> Self {
        match value {
            Some(value) => self.with(clause, name, value),
            None => self,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.source.is_empty()
    }

    pub(super) fn build(self) -> Result<BlockBuilder, biscuit_auth::error::Token> {
        BlockBuilder::new().code_with_params(self.source, self.values, HashMap::new())
    }
}

/// A set of texts.
pub(super) fn set<T: ToString>(items: impl IntoIterator<Item = T>) -> Term {
    Term::Set(items.into_iter().map(|item| text(&item)).collect())
}

pub(super) fn text(value: &impl ToString) -> Term {
    Term::Str(value.to_string())
}

/// To the second, which is all that a token can tell.
pub(super) fn date(at: DateTime<Utc>) -> Term {
    Term::Date(u64::try_from(at.timestamp()).unwrap_or(0))
}

pub(super) fn fact(name: &str, value: Term) -> Fact {
    Fact::new(name.to_owned(), vec![value])
}

/// What kind of thing is done with a permission.
pub(super) fn operation(permission: Permission) -> &'static str {
    if permission.is_read() { "read" } else { "write" }
}

/// An address and every network that it is in, as [`crate::Network`] writes them.
pub(super) fn networks(address: IpAddr) -> impl Iterator<Item = String> {
    let address = address.to_canonical();
    let longest = IpNet::from(address).max_prefix_len();
    let wider = (0..longest).filter_map(move |length| IpNet::new(address, length).ok());
    wider.map(|network| network.trunc().to_string()).chain([address.to_string()])
}

/// How revocation identifiers are written.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
