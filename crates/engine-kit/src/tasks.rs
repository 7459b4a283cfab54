//! Tasks: what the folder of one says besides what that of a build does.

use std::{io, path::Path};

use windlass_domain::BuildId;
use windlass_engine::TaskRequest;

use crate::{
    files::{read_json, write_json},
    runs::Runs,
    spool::begin_at,
};

/// The file that names the build in which it runs.
const BUILD: &str = "build.json";

/// Fills the folder of a task that is about to begin.
pub fn begin(folder: &Path, request: &TaskRequest) -> io::Result<()> {
    begin_at(folder, request.first_line)?;
    write_json(&folder.join(BUILD), &request.build)
}

impl Runs<TaskRequest> {
    /// The builds in which tasks run now.
    pub fn builds(&self) -> impl Iterator<Item = BuildId> {
        let running = self.kept().into_iter().filter(|task| self.runs(*task));
        running.filter_map(|task| read_json(&self.folder(task).join(BUILD)).ok()?)
    }
}
