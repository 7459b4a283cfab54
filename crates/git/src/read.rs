//! Looking into one file of a commit, without fetching the others.

use std::collections::HashMap;

use crate::{Git, GitError, Source, command::Call, error::Failure};

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
        let Source { url, branch, commit } = source;
        let folder = tempfile::tempdir().map_err(GitError::Io)?;
        let call = self.call(folder.path(), Some(url))?.limited(MOST_BLOCKS);
        init(&call, commit.as_str()).await?;
        // A remote with a name, so that git can ask it later for what it left out.
        for (name, value) in [
            ("remote.origin.url", url.as_str()),
            ("remote.origin.promisor", "true"),
            ("remote.origin.partialclonefilter", "blob:none"),
            ("core.repositoryformatversion", "1"),
            ("extensions.partialclone", "origin"),
        ] {
            call.run(["config", name, value]).await.map_err(Failure::without_remote)?;
        }
        let filtered = ["fetch", "--quiet", "--depth=1", "--no-tags", "--filter=blob:none"];
        let shallow = filtered.into_iter().chain(["origin", commit.as_str()]);
        if let Err(failure) = call.run(shallow).await {
            if failure.is_final() {
                return Err(failure.at_remote(url));
            }
            let refspec = format!("+refs/heads/{branch}:refs/remotes/origin/{branch}");
            call.run(["fetch", "--quiet", "--no-tags", "--filter=blob:none", "origin", &refspec])
                .await
                .map_err(|failure| failure.at_branch(url, branch))?;
        }
        let object = format!("{commit}^{{commit}}");
        match call.run(["cat-file", "-e", &object]).await {
            Ok(_) => {}
            Err(Failure::Exit(_)) => return Err(GitError::no_such_commit(source)),
            Err(failure) => return Err(failure.without_remote()),
        }

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

/// Makes an empty repository for objects like the commit's.
pub(crate) async fn init(call: &Call<'_>, commit: &str) -> Result<(), GitError> {
    let format = if commit.len() == 64 { "sha256" } else { "sha1" };
    let format = format!("--object-format={format}");
    call.run(["init", "--quiet", &format]).await.map_err(Failure::without_remote)?;
    Ok(())
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
