//! What an engine brings to be tested.

use async_trait::async_trait;
use windlass_domain::{BranchName, CommandLine, CommitId, GitUrl};

use crate::{Engine, Recipe};

/// An engine and the repositories that it can build.
#[async_trait]
pub trait Harness: Send + Sync {
    /// The engine; the same one every time.
    fn engine(&self) -> &dyn Engine;

    /// Makes a repository whose newest commit, on the branch, does what is planned. Engines that
    /// run shell commands can put [`BuildPlan::command`] and [`AppPlan::command`] into the recipe;
    /// [`TaskPlan::command`] is in the requests for tasks.
    async fn prepare(&self, plan: Plan) -> Prepared;
}

/// What is to happen with a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// When it is built.
    pub build: BuildPlan,
    /// When it is run.
    pub app: AppPlan,
    /// When a task is run in it.
    pub task: TaskPlan,
}

/// What a build does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildPlan {
    /// Prints [`BuildPlan::LINES`] and succeeds.
    Succeeds,
    /// Prints [`BuildPlan::LINES`] and fails.
    Fails,
    /// Prints [`BuildPlan::LINES`] and does not end by itself.
    Hangs,
}

/// What an app does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppPlan {
    /// Prints [`AppPlan::LINES`] and answers.
    Answers,
    /// Prints [`AppPlan::LINES`] and ends.
    Ends,
}

/// What a task does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskPlan {
    /// Prints [`TaskPlan::LINES`] and succeeds.
    Succeeds,
    /// Prints [`TaskPlan::LINES`] and ends with exit status 3.
    Fails,
    /// Prints [`TaskPlan::LINES`] and does not end by itself, nor does what it has started.
    Hangs,
    /// Prints what is in `README` and whether the variable [`TaskPlan::KEY`] is
    /// [`TaskPlan::VALUE`]: [`TaskPlan::SEEN`].
    Looks,
}

/// What the file `README` of every prepared commit says.
pub const README: &str = "hello";

/// A repository that does what was planned.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Where it is.
    pub source: GitUrl,
    /// The branch that the commit is on.
    pub branch: BranchName,
    /// The commit.
    pub commit: CommitId,
    /// How it is built and started.
    pub recipe: Recipe,
}

impl BuildPlan {
    /// What it prints to standard output, perhaps among lines of the engine's own.
    pub const LINES: [&'static str; 3] = ["one", "two", "three"];

    /// The plan as a shell command.
    #[must_use]
    pub fn command(self) -> CommandLine {
        let end = match self {
            Self::Succeeds => "true",
            Self::Fails => "exit 3",
            Self::Hangs => "sleep 600",
        };
        command(&Self::LINES, end)
    }
}

impl AppPlan {
    /// What it prints to standard output, perhaps among lines of the engine's own.
    pub const LINES: [&'static str; 2] = ["hello", "world"];

    /// The plan as a shell command, for engines whose apps find a `python3`.
    #[must_use]
    pub fn command(self) -> CommandLine {
        let end = match self {
            Self::Answers => "exec python3 -m http.server \"$PORT\"",
            Self::Ends => "exit 3",
        };
        command(&Self::LINES, end)
    }
}

impl TaskPlan {
    /// What it prints to standard output, perhaps among lines of the engine's own.
    pub const LINES: [&'static str; 2] = ["begun", "migrated"];

    /// What it prints where it looks around.
    pub const SEEN: [&'static str; 2] = [README, "same"];

    /// The variable that it looks at.
    pub const KEY: &'static str = "ODD";

    /// What that is to be, byte for byte.
    pub const VALUE: &'static str = "one\ntwo 'x' \"`$HOME $(id) \\ %s größe \u{202e}🦀\t  .";

    /// The plan as a shell command.
    #[must_use]
    pub fn command(self) -> CommandLine {
        let end = match self {
            Self::Succeeds => "true",
            Self::Fails => "exit 3",
            Self::Hangs => "sleep 600 & sleep 600",
            Self::Looks => return parse(&look()),
        };
        command(&Self::LINES, end)
    }
}

fn look() -> String {
    use std::fmt::Write as _;
    let mut octal = String::new();
    for byte in TaskPlan::VALUE.bytes() {
        write!(octal, "\\{byte:03o}").expect("strings can be written to");
    }
    let key = TaskPlan::KEY;
    format!("cat README; echo; [ \"${key}\" = \"$(printf '{octal}')\" ] && echo same")
}

fn command(lines: &[&str], end: &str) -> CommandLine {
    let lines = lines.join("; echo ");
    parse(&format!("echo {lines}; {end}"))
}

fn parse(command: &str) -> CommandLine {
    command.parse().expect("the command is short and has no control characters")
}
