//! A project's settings as options, and as the API wants them.

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    duration,
    failure::{Failure, Result},
};

/// What is given is set, what is absent is left as it is.
#[derive(Debug, Args, Serialize)]
pub(super) struct Settings {
    /// Any git remote.
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    git_url: Option<String>,
    /// A repository on GitHub, instead of `--git-url`.
    #[arg(long, value_name = "OWNER/NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    github_repo: Option<String>,
    /// The branch that is deployed when none is named.
    #[arg(long, value_name = "BRANCH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    default_branch: Option<String>,
    /// Shell command that builds it.
    #[arg(long, value_name = "COMMAND")]
    #[serde(skip_serializing_if = "Option::is_none")]
    build_command: Option<String>,
    /// Shell command that starts it.
    #[arg(long, value_name = "COMMAND")]
    #[serde(skip_serializing_if = "Option::is_none")]
    start_command: Option<String>,
    /// Path of a Dockerfile in the repository.
    #[arg(long, value_name = "PATH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    dockerfile: Option<String>,
    /// The folder in the repository that is built.
    #[arg(long, value_name = "PATH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    build_context: Option<String>,
    /// Path that answers 2xx or 3xx once the app is healthy.
    #[arg(long, value_name = "PATH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    health_path: Option<String>,
    /// The port that the app listens on, where it ignores `PORT`.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    /// CPU cores of each running app.
    #[arg(long, value_name = "CORES")]
    #[serde(skip)]
    cpu: Option<f64>,
    /// Memory of each running app, in MiB.
    #[arg(long, value_name = "MIB")]
    #[serde(skip)]
    memory_mb: Option<u32>,
    /// CPU cores of each build.
    #[arg(long, value_name = "CORES")]
    #[serde(skip)]
    build_cpu: Option<f64>,
    /// Memory of each build, in MiB.
    #[arg(long, value_name = "MIB")]
    #[serde(skip)]
    build_memory_mb: Option<u32>,
    /// How long a build may take.
    #[arg(long, value_name = "SECONDS")]
    #[serde(skip)]
    build_timeout_seconds: Option<u32>,
    /// Whether each environment gets a PostgreSQL database.
    #[arg(long, value_name = "BOOL")]
    #[serde(skip)]
    postgres: Option<bool>,
    /// Whether each environment gets a Redis server.
    #[arg(long, value_name = "BOOL")]
    #[serde(skip)]
    redis: Option<bool>,
    /// Whether each environment gets an S3 bucket.
    #[arg(long, value_name = "BOOL")]
    #[serde(skip)]
    s3: Option<bool>,
    /// Shell command that is run once in a new environment, before its app is started.
    #[arg(long, value_name = "COMMAND")]
    #[serde(skip)]
    on_new: Option<String>,
    /// Shell command that is run with each deployment, before its app is started.
    #[arg(long, value_name = "COMMAND")]
    #[serde(skip)]
    on_deploy: Option<String>,
    /// Whether branches get a preview when they are pushed.
    #[arg(long, value_name = "BOOL")]
    #[serde(skip)]
    previews: Option<bool>,
    /// Which branches do, such as `feature/**` or `!wip/*`; the last that fits decides. May be given
    /// several times; `--reset preview-branches` takes all of them back.
    #[arg(long, value_name = "PATTERN")]
    #[serde(skip)]
    preview_branch: Vec<String>,
    /// How many previews there may be at once.
    #[arg(long, value_name = "NUMBER")]
    #[serde(skip)]
    preview_limit: Option<u32>,
    /// How long a preview lasts after the last push, such as `7d`.
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    #[serde(skip)]
    preview_ttl: Option<u64>,
    /// After how long without a request a preview is paused until the next one, such as `30m`.
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    #[serde(skip)]
    preview_idle_pause: Option<u64>,
}

/// A setting that has a default.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Field {
    DefaultBranch,
    BuildCommand,
    StartCommand,
    Dockerfile,
    BuildContext,
    HealthPath,
    Port,
    Cpu,
    MemoryMb,
    BuildCpu,
    BuildMemoryMb,
    BuildTimeoutSeconds,
    Postgres,
    Redis,
    S3,
    OnNew,
    OnDeploy,
    Previews,
    PreviewBranches,
    PreviewLimit,
    PreviewTtl,
    PreviewIdlePause,
}

impl Settings {
    /// As the API wants them: absent ones stay absent.
    pub(super) fn body(&self) -> Map<String, Value> {
        let mut body = match serde_json::to_value(self) {
            Ok(Value::Object(body)) => body,
            Ok(_) | Err(_) => Map::new(),
        };
        let resources =
            [("cpu", self.cpu.map(Value::from)), ("memory_mb", self.memory_mb.map(Value::from))];
        let build_resources = [
            ("cpu", self.build_cpu.map(Value::from)),
            ("memory_mb", self.build_memory_mb.map(Value::from)),
            ("timeout_seconds", self.build_timeout_seconds.map(Value::from)),
        ];
        for (name, value) in resources {
            put(&mut body, &["resources", name], value);
        }
        for (name, value) in build_resources {
            put(&mut body, &["build_resources", name], value);
        }
        let services = [
            ("postgres", self.postgres.map(Value::from)),
            ("redis", self.redis.map(Value::from)),
            ("s3", self.s3.map(Value::from)),
        ];
        for (name, value) in services {
            put(&mut body, &["services", name], value);
        }
        let hooks = [
            ("on_new", self.on_new.clone().map(Value::from)),
            ("on_deploy", self.on_deploy.clone().map(Value::from)),
        ];
        for (name, value) in hooks {
            put(&mut body, &["hooks", name], value);
        }
        let branches = (!self.preview_branch.is_empty()).then(|| json!(self.preview_branch));
        let previews = [
            ("enabled", self.previews.map(Value::from)),
            ("branches", branches),
            ("limit", self.preview_limit.map(Value::from)),
            ("ttl_seconds", self.preview_ttl.map(Value::from)),
            ("idle_pause_seconds", self.preview_idle_pause.map(Value::from)),
        ];
        for (name, value) in previews {
            put(&mut body, &["previews", name], value);
        }
        body
    }
}

fn put(body: &mut Map<String, Value>, path: &[&str; 2], value: Option<Value>) {
    let (Some(value), [group, name]) = (value, path) else { return };
    let group = body.entry(*group).or_insert_with(|| json!({}));
    if let Some(group) = group.as_object_mut() {
        group.insert((*name).to_owned(), value);
    }
}

impl Field {
    fn path(self) -> (Option<&'static str>, &'static str) {
        match self {
            Self::DefaultBranch => (None, "default_branch"),
            Self::BuildCommand => (None, "build_command"),
            Self::StartCommand => (None, "start_command"),
            Self::Dockerfile => (None, "dockerfile"),
            Self::BuildContext => (None, "build_context"),
            Self::HealthPath => (None, "health_path"),
            Self::Port => (None, "port"),
            Self::Cpu => (Some("resources"), "cpu"),
            Self::MemoryMb => (Some("resources"), "memory_mb"),
            Self::BuildCpu => (Some("build_resources"), "cpu"),
            Self::BuildMemoryMb => (Some("build_resources"), "memory_mb"),
            Self::BuildTimeoutSeconds => (Some("build_resources"), "timeout_seconds"),
            Self::Postgres => (Some("services"), "postgres"),
            Self::Redis => (Some("services"), "redis"),
            Self::S3 => (Some("services"), "s3"),
            Self::OnNew => (Some("hooks"), "on_new"),
            Self::OnDeploy => (Some("hooks"), "on_deploy"),
            Self::Previews => (Some("previews"), "enabled"),
            Self::PreviewBranches => (Some("previews"), "branches"),
            Self::PreviewLimit => (Some("previews"), "limit"),
            Self::PreviewTtl => (Some("previews"), "ttl_seconds"),
            Self::PreviewIdlePause => (Some("previews"), "idle_pause_seconds"),
        }
    }

    /// Adds to a patch that this is to go back to its default.
    pub(super) fn reset(self, body: &mut Map<String, Value>) -> Result<()> {
        let (group, name) = self.path();
        let place = match group {
            Some(group) => match body.entry(group).or_insert_with(|| json!({})).as_object_mut() {
                Some(place) => place,
                None => return Ok(()),
            },
            None => body,
        };
        match place.insert(name.to_owned(), Value::Null) {
            Some(value) if !value.is_null() => {
                Err(Failure::Usage(format!("{name} cannot be both set and set back")))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        settings: Settings,
    }

    fn body(line: &str) -> Map<String, Value> {
        Line::parse_from(line.split(' ')).settings.body()
    }

    #[test]
    fn only_what_is_given_is_sent() {
        let body = body("_ --git-url=https://example.com/a --port=80 --build-cpu=2 --memory-mb=64");
        let wanted = json!({
            "git_url": "https://example.com/a",
            "port": 80,
            "resources": { "memory_mb": 64 },
            "build_resources": { "cpu": 2.0 },
        });
        assert_eq!(Value::Object(body), wanted);
    }

    #[test]
    fn what_is_set_back_is_null_beside_what_is_set() {
        let mut body = body("_ --cpu=2");
        Field::MemoryMb.reset(&mut body).unwrap();
        Field::Port.reset(&mut body).unwrap();
        let wanted = json!({ "resources": { "cpu": 2.0, "memory_mb": null }, "port": null });
        assert_eq!(Value::Object(body), wanted);
    }

    #[test]
    fn a_setting_is_not_both_set_and_set_back() {
        let mut body = body("_ --port=80");
        assert!(Field::Port.reset(&mut body).is_err());
    }
}
