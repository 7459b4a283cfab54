//! Which project runs as which user.

use std::{collections::BTreeMap, io, path::PathBuf, sync::Mutex};

use windlass_domain::ProjectId;
use windlass_engine_kit::files::{read_json, write_json};

use crate::{config::Users, confinement::Identity};

/// Gives every project the user it keeps.
#[derive(Debug)]
pub(crate) struct Owners {
    file: PathBuf,
    users: Users,
    is_root: bool,
    lock: Mutex<()>,
}

impl Owners {
    pub(crate) fn new(file: PathBuf, users: Users, is_root: bool) -> Self {
        Self { file, users, is_root, lock: Mutex::new(()) }
    }

    /// As whom the project's commands run; `None` where that is the server's own user.
    pub(crate) fn of(&self, project: ProjectId) -> io::Result<Option<Identity>> {
        if !self.is_root {
            return Ok(None);
        }
        let first_uid = match self.users {
            Users::Shared { uid, gid } => return Ok(Some(Identity { uid, gid })),
            Users::PerProject { first_uid } => first_uid,
        };
        let _guard = self.lock.lock();
        let mut known: BTreeMap<ProjectId, u32> = read_json(&self.file)?.unwrap_or_default();
        let index = if let Some(index) = known.get(&project) {
            *index
        } else {
            let next = known.values().max().map_or(0, |last| last.saturating_add(1));
            known.insert(project, next);
            write_json(&self.file, &known)?;
            next
        };
        let id = first_uid.saturating_add(index);
        Ok(Some(Identity { uid: id, gid: id }))
    }
}
