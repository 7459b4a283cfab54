//! Nodes: the machines on which apps run.

use std::{fmt, str::FromStr};

/// What a node is called by its engine, and by nobody else at the same time: an id of Docker's, or
/// `local`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeName(String);

/// The text is not a [`NodeName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the id of a node: 1 to {} of a-z, A-Z, 0-9, `-`, `_` and `.`", NodeName::MAX)]
pub struct NodeNameError;

/// Whether a node is given apps to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Availability {
    /// It is.
    Active,
    /// It keeps those that it has, and is given no others.
    Paused,
    /// It is given none, and those that it had go elsewhere.
    Drained,
}

/// Whether a node can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeState {
    /// It works.
    Ready,
    /// It has not been heard of for so long that its apps are started elsewhere.
    Down,
    /// It has not been heard of for a moment.
    Disconnected,
    /// Nobody knows yet, as after a start.
    Unknown,
}

/// What a node is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeRole {
    /// It decides with the other managers what runs where, and may run apps, too.
    Manager,
    /// It runs apps.
    Worker,
}

impl NodeName {
    /// Most characters in a name.
    pub const MAX: usize = 64;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NodeName {
    type Err = NodeNameError;

    fn from_str(text: &str) -> Result<Self, NodeNameError> {
        let is_fit = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        // `.` and `..` mean something else in addresses.
        let begins_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if begins_well && text.len() <= Self::MAX && text.chars().all(is_fit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NodeNameError)
        }
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::NodeName;

    #[test]
    fn a_name_is_an_id_that_fits_into_an_address() {
        for good in ["local", "kz348e6lbatmo9ffgyijfeimh", "node-1.example_x"] {
            assert_eq!(good.parse::<NodeName>().unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", "-x", "a b", "a/b", "ä", &"x".repeat(65)] {
            assert!(bad.parse::<NodeName>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_is_kept_as_it_is(text in ".{0,70}") {
            if let Ok(name) = text.parse::<NodeName>() {
                prop_assert_eq!(name.to_string(), text);
            }
        }
    }
}
