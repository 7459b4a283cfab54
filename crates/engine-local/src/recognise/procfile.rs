//! `Procfile`: a line for each kind of process.

use std::path::Path;

use super::read;

/// The command of the `web` process, the only one that is run.
pub(super) fn web(root: &Path) -> Option<String> {
    let text = read(&root.join("Procfile"))?;
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.trim() == "web")
        .map(|(_, command)| command.trim().to_owned())
        .find(|command| !command.is_empty())
}
