//! Looking into one file of a commit, without fetching the others.

use std::collections::HashMap;

use crate::{Git, GitError, Source, error::Failure};

/// A file, as it was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its name, which is one of those that were asked for.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Room for what is fetched to look into it: names and commits, or a whole commit from servers that
/// cannot leave out the rest. In units of 512 bytes, as POSIX counts them.
const MOST_BLOCKS: &str = "2097152";

impl Git {
    /// The first of some files in the top folder of a commit that is there; `most` bytes of it at
    /// most.
    pub async fn read_first(
        &self,
        source: Source<'_>,
        names: &[&str],
        most: usize,
    ) -> Result<Option<SourceFile>, GitError> {
        let Source { url, commit, .. } = source;
        let folder = tempfile::tempdir().map_err(GitError::Io)?;
        let call = self.call(folder.path(), Some(url))?.limited(MOST_BLOCKS);
        call.init(commit).await?;
        // A remote with a name, so that git can ask it later for what it left out.
        let remote = call.run(["config", "remote.origin.url", url.as_str()]).await;
        remote.map_err(Failure::without_remote)?;
        call.fetch(source, "origin", &["--filter=blob:none"]).await?;

        let wanted =
            ["ls-tree", "-z", commit.as_str(), "--"].into_iter().chain(names.iter().copied());
        let listed = call.run(wanted).await.map_err(Failure::without_remote)?;
        let entries = entries(&listed);
        let Some((name, (kind, blob))) =
            names.iter().find_map(|name| Some((*name, entries.get(*name)?)))
        else {
            return Ok(None);
        };
        let unfit = |why: String| GitError::Unfit { name: name.to_owned(), why };
        if !kind.starts_with("100") {
            return Err(unfit("is not a file".to_owned()));
        }
        let bytes = call.bytes(["cat-file", "blob", blob], most + 1).await;
        let bytes = bytes.map_err(|failure| failure.at_remote(url))?;
        if most < bytes.len() {
            return Err(unfit(format!("has more than {most} bytes")));
        }
        Ok(Some(SourceFile { name: name.to_owned(), bytes }))
    }
}

/// What is listed, by name: mode and object.
fn entries(listed: &str) -> HashMap<&str, (&str, &str)> {
    listed
        .split('\0')
        .filter_map(|line| {
            let (about, name) = line.split_once('\t')?;
            let mut words = about.split(' ');
            let (mode, _, object) = (words.next()?, words.next()?, words.next()?);
            Some((name, (mode, object)))
        })
        .collect()
}
