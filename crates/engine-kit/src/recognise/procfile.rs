//! `Procfile`: a line for each kind of process.

use super::Root;

/// The command of the `web` process, the only one that is run.
pub(super) fn web(root: &Root) -> Option<String> {
    let text = root.read("Procfile")?;
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.trim() == "web")
        .map(|(_, command)| command.trim().to_owned())
        .find(|command| !command.is_empty())
}
