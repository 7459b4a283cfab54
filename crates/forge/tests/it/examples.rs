//! What GitHub really sends: the examples that Octokit keeps.

use std::{collections::BTreeMap, fs};

use serde::Deserialize;
use serde_json::Value;
use windlass_forge::{Event, Forge, Repository};

use crate::support::Request;

/// An event, and what was sent for it.
#[derive(Deserialize)]
struct Examples {
    name: String,
    examples: Vec<Value>,
}

#[expect(clippy::disallowed_methods, reason = "how tests are told of the examples")]
fn examples() -> Vec<Examples> {
    let index = std::env::var("WINDLASS_WEBHOOK_EXAMPLES").expect(
        "no examples are named for this test; they are installed for it by: \
         cargo xtask test -- --package windlass-forge",
    );
    serde_json::from_slice(&fs::read(index).unwrap()).unwrap()
}

#[test]
fn every_example_of_github_is_understood() {
    let mut understood: BTreeMap<String, usize> = BTreeMap::new();
    for Examples { name, examples } in examples() {
        for example in examples {
            let delivery = Request::new(Forge::GitHub, &name, &example).delivery();
            let is_expected = match delivery.event {
                Event::Ping => name == "ping",
                Event::Push { .. } => name == "push",
                Event::BranchDeleted { .. } => name == "push" || name == "delete",
                Event::PullRequest { number, .. } => {
                    name == "pull_request" && Some(number) == example["number"].as_u64()
                }
                Event::Installation { .. } => name.starts_with("installation"),
                // Tags, and whatever else there is.
                Event::Ignored { .. } => !["ping", "pull_request"].contains(&name.as_str()),
            };
            assert!(is_expected, "{name}: {example}");
            let named = example["repository"]["full_name"].as_str();
            let repository = delivery.repository.as_ref();
            let known = repository.map(Repository::full_name);
            if !name.starts_with("installation") {
                assert_eq!(known, named, "{name}: {example}");
            }
            *understood.entry(name.clone()).or_default() += 1;
        }
    }
    for name in ["push", "delete", "pull_request", "ping", "installation"] {
        assert!(0 < understood.get(name).copied().unwrap_or_default(), "no example of `{name}`");
    }
}

#[test]
fn one_example_of_a_push_is_of_a_branch() {
    let pushes = examples().into_iter().filter(|examples| examples.name == "push");
    let events = pushes.flat_map(|pushes| pushes.examples);
    let events = events.map(|example| Request::new(Forge::GitHub, "push", &example).event());
    assert!(events.into_iter().any(|event| matches!(event, Event::Push { .. })));
}
