//! Projects.

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use windlass_domain::{
    Effects, Id, NewProject, Project, ProjectChange, ProjectSettings, Slug, TransitionError,
};

use crate::machine::{Machine, check, sequences};

#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    Change,
    Delete,
    FinishDeleting,
}

impl Machine for Project {
    const ENTITY: &'static str = "project";
    const EDGES: &'static [(&'static str, &'static [&'static str])] =
        &[("active", &["active", "deleting"]), ("deleting", &["deleted"]), ("deleted", &[])];

    type Event = Event;

    fn state(&self) -> &'static str {
        self.state.name()
    }

    fn apply(self, event: &Event, fx: Effects<'_>) -> Result<Self, TransitionError> {
        let now = fx.clock.now();
        match event {
            Event::Change => {
                let change = ProjectChange {
                    name: "Renamed".parse().expect("it is a name"),
                    git_url: self.git_url.clone(),
                    github_repo: None,
                    default_branch: self.default_branch.clone(),
                    settings: ProjectSettings::default(),
                };
                self.change(change, now)
            }
            Event::Delete => self.delete(now),
            Event::FinishDeleting => self.finish_deleting(now),
        }
    }

    fn progress(&self) -> Option<(DateTime<Utc>, u64)> {
        Some((self.updated_at, self.version))
    }
}

pub(crate) fn project(fx: Effects<'_>) -> Project {
    let new = NewProject {
        organization_id: Id::generate(fx),
        name: "Shop".parse().expect("it is a name"),
        slug: Slug::from_text("shop", "project"),
        git_url: "https://git.example/shop.git".parse().expect("it is a URL"),
        github_repo: None,
        default_branch: "main".parse().expect("it is a branch"),
        settings: ProjectSettings::default(),
    };
    Project::create(new, fx)
}

proptest! {
    #[test]
    fn a_project_takes_only_allowed_steps(
        events in sequences(prop_oneof![
            2 => Just(Event::Change), 1 => Just(Event::Delete), 1 => Just(Event::FinishDeleting)
        ])
    ) {
        check(project, &events, |_| Ok(()))?;
    }
}
