//! What the checks of a token ask about.

use std::collections::HashSet;

use biscuit_auth::builder::{Check, Rule};

use super::vocabulary::{IP, NETWORK};

/// Facts that tell what is done with a token.
const OF_ACT: [&str; 2] = ["operation", "permission"];
/// Facts that tell to what.
const OF_TARGET: [&str; 4] = ["project", "environment", "deployment", "collection"];
const OF_ADDRESS: [&str; 2] = [IP, NETWORK];
const OF_TIME: [&str; 1] = ["time"];

/// The names of facts by which it shows what a check asks about, those among them that the token's
/// own rules make of others.
pub(super) struct Topics {
    act: HashSet<String>,
    target: HashSet<String>,
    address: HashSet<String>,
    time: HashSet<String>,
}

/// Why a token is good for nothing at the moment, whatever it is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// Its time is over, or has not come yet.
    Time,
    /// It does not work from there.
    Address,
}

impl Topics {
    pub(super) fn of(rules: &[Rule]) -> Self {
        Self {
            act: made_of(&OF_ACT, rules),
            target: made_of(&OF_TARGET, rules),
            address: made_of(&OF_ADDRESS, rules),
            time: made_of(&OF_TIME, rules),
        }
    }

    /// Whether a check that has failed where no target was named may hold for one.
    pub(super) fn depends_on_target(&self, check: &str) -> bool {
        // What cannot be read may be about anything.
        check.parse().map_or(true, |check| asks(&check, &self.target))
    }

    /// What a check that has failed says against every use; nothing where it depends on the use.
    pub(super) fn obstacle(&self, check: &str) -> Option<Obstacle> {
        let check: Check = check.parse().ok()?;
        if asks(&check, &self.act) || asks(&check, &self.target) {
            None
        } else if asks(&check, &self.address) {
            Some(Obstacle::Address)
        } else {
            asks(&check, &self.time).then_some(Obstacle::Time)
        }
    }
}

/// Some names of facts, and those of all facts that rules make of such.
fn made_of(names: &[&str], rules: &[Rule]) -> HashSet<String> {
    let mut found: HashSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
    loop {
        let before = found.len();
        for rule in rules {
            if rule.body.iter().any(|part| found.contains(&part.name)) {
                found.insert(rule.head.name.clone());
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

fn asks(check: &Check, names: &HashSet<String>) -> bool {
    let mut parts = check.queries.iter().flat_map(|query| &query.body);
    parts.any(|part| names.contains(&part.name))
}

#[cfg(test)]
mod tests {
    use biscuit_auth::builder::BlockBuilder;

    use super::{Obstacle, Topics};

    #[test]
    fn a_check_depends_on_what_it_or_a_rule_behind_it_names() {
        let source = "mine($p) <- project($p); late($t) <- time($t); doing($o) <- operation($o);";
        let topics = Topics::of(&BlockBuilder::new().code(source).unwrap().rules);
        for (check, depends_on_target, obstacle) in [
            ("check if project(\"x\")", true, None),
            ("check if mine($p), {\"x\"}.contains($p)", true, None),
            ("check if operation(\"read\")", false, None),
            ("check if doing(\"read\"), time($t), $t < 2026-01-01T00:00:00Z", false, None),
            ("check if late($t), $t < 2026-01-01T00:00:00Z", false, Some(Obstacle::Time)),
            ("check if network($n), {\"10.0.0.0/8\"}.contains($n)", false, Some(Obstacle::Address)),
            ("check if ip(\"10.0.0.1\") or operation(\"read\")", false, None),
            ("reject if environment($e)", true, None),
            ("check if unknown(1)", false, None),
            ("what is this", true, None),
        ] {
            assert_eq!(topics.depends_on_target(check), depends_on_target, "{check}");
            assert_eq!(topics.obstacle(check), obstacle, "{check}");
        }
    }
}
