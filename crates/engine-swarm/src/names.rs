//! How things of ours are called in Docker, and what their labels say.

use std::{collections::HashMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use windlass_domain::{BuildId, DeploymentId, EnvironmentId};
use windlass_engine::TaskId;

/// Label of everything of ours: the installation.
pub(crate) const NAMESPACE: &str = "windlass.namespace";
/// Labels of images, services and containers.
pub(crate) const BUILD: &str = "windlass.build";
pub(crate) const PROJECT: &str = "windlass.project";
pub(crate) const BRANCH: &str = "windlass.branch";
pub(crate) const COMMIT: &str = "windlass.commit";
pub(crate) const DEPLOYMENT: &str = "windlass.deployment";
pub(crate) const ENVIRONMENT: &str = "windlass.environment";
/// Label of the containers of tasks, which have none of a deployment's: those are an app's.
pub(crate) const TASK: &str = "windlass.task";
/// Labels of services alone: what they were made from, the number of their first line, and the
/// task that was the first to be healthy.
pub(crate) const MADE_FROM: &str = "windlass.made-from";
pub(crate) const FIRST_LINE: &str = "windlass.first-line";
pub(crate) const HEALTHY: &str = "windlass.healthy";

/// Tells an installation's services, networks and images from those of others on the same swarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Namespace(String);

/// The text is no namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadNamespace;

impl fmt::Display for BadNamespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected 1 to 24 of a-z and 0-9")
    }
}

impl std::error::Error for BadNamespace {}

impl Default for Namespace {
    fn default() -> Self {
        Self("windlass".to_owned())
    }
}

impl FromStr for Namespace {
    type Err = BadNamespace;

    /// What Docker takes as part of the name of anything.
    fn from_str(text: &str) -> Result<Self, BadNamespace> {
        let is_plain = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        if is_plain && (1..=24).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadNamespace)
        }
    }
}

impl TryFrom<String> for Namespace {
    type Error = BadNamespace;

    fn try_from(text: String) -> Result<Self, BadNamespace> {
        text.parse()
    }
}

impl From<Namespace> for String {
    fn from(Namespace(text): Namespace) -> Self {
        text
    }
}

impl Namespace {
    pub(crate) fn service(&self, deployment: DeploymentId) -> String {
        format!("{}-{deployment}", self.0)
    }

    pub(crate) fn container(&self, task: TaskId) -> String {
        format!("{}-{task}", self.0)
    }

    pub(crate) fn network(&self, environment: EnvironmentId) -> String {
        format!("{}-{environment}", self.0)
    }

    /// Where the image of a build is, in the registry or on the daemon alone.
    pub(crate) fn repository(&self, registry: Option<&str>) -> String {
        format!("{}/{}", registry.unwrap_or("windlass.invalid"), self.0)
    }

    pub(crate) fn image(&self, registry: Option<&str>, build: BuildId) -> String {
        format!("{}:{build}", self.repository(registry))
    }

    /// The label of everything of this installation.
    pub(crate) fn label(&self) -> (String, String) {
        (NAMESPACE.to_owned(), self.0.clone())
    }

    /// Whether something with these labels is this installation's.
    pub(crate) fn owns(&self, labels: Option<&HashMap<String, String>>) -> bool {
        labels.and_then(|labels| labels.get(NAMESPACE)) == Some(&self.0)
    }

    /// Asks for what has this label, too.
    pub(crate) fn filter(&self, also: Option<(&str, &str)>) -> HashMap<String, Vec<String>> {
        let also = also.map(|(name, value)| format!("{name}={value}"));
        let labels = [format!("{NAMESPACE}={}", self.0)].into_iter().chain(also).collect();
        HashMap::from([("label".to_owned(), labels)])
    }
}

/// A label's value, where it can be read as what it should be.
pub(crate) fn read<T: FromStr>(labels: Option<&HashMap<String, String>>, name: &str) -> Option<T> {
    labels?.get(name)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::Namespace;

    #[test]
    fn a_namespace_is_something_that_docker_takes_in_every_name() {
        for good in ["a", "windlass", "team7"] {
            assert_eq!(String::from(good.parse::<Namespace>().unwrap()), good);
        }
        for bad in ["", "A", "a-b", "a/b", "a b", &"x".repeat(25)] {
            assert!(bad.parse::<Namespace>().is_err(), "{bad}");
        }
    }
}
