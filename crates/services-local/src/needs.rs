//! Who needs a project's PostgreSQL for a while, whether the project is active or not.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use windlass_domain::ProjectId;

/// How many need which.
#[derive(Debug, Default, Clone)]
pub(crate) struct Needs(Arc<Mutex<HashMap<ProjectId, usize>>>);

/// That somebody needs it, until this is dropped.
#[derive(Debug)]
pub(crate) struct Need {
    needs: Needs,
    project: ProjectId,
}

impl Needs {
    pub(crate) fn begin(&self, project: ProjectId) -> Need {
        *self.counts().entry(project).or_default() += 1;
        Need { needs: self.clone(), project }
    }

    pub(crate) fn has(&self, project: ProjectId) -> bool {
        self.counts().contains_key(&project)
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<ProjectId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Need {
    fn drop(&mut self) {
        let mut counts = self.needs.counts();
        match counts.get_mut(&self.project) {
            Some(count) if 1 < *count => *count -= 1,
            Some(_) | None => {
                counts.remove(&self.project);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use windlass_domain::{Effects, OsEntropy, ProjectId, SystemClock};

    use super::Needs;

    #[test]
    fn it_is_needed_until_nobody_needs_it() {
        let project = ProjectId::generate(Effects { clock: &SystemClock, entropy: &OsEntropy });
        let needs = Needs::default();
        let (one, two) = (needs.begin(project), needs.begin(project));
        drop(one);
        assert!(needs.has(project));
        drop(two);
        assert!(!needs.has(project));
    }
}
