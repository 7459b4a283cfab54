//! Fetching one commit into an empty repository.

use windlass_domain::CommitId;

use crate::{GitError, Source, command::Call, error::Failure};

impl Call<'_> {
    /// Makes an empty repository for objects like the commit's.
    pub(crate) async fn init(&self, commit: &CommitId) -> Result<(), GitError> {
        let format = if commit.as_str().len() == 64 { "sha256" } else { "sha1" };
        let format = format!("--object-format={format}");
        self.run(["init", "--quiet", &format]).await.map_err(Failure::without_remote)?;
        Ok(())
    }

    /// Fetches a commit from a remote, by its address or its name. Most servers give any commit that
    /// a branch contains; where one does not, the branch is fetched with its history.
    pub(crate) async fn fetch(
        &self,
        source: Source<'_>,
        remote: &str,
        options: &[&str],
    ) -> Result<(), GitError> {
        let Source { url, branch, commit } = source;
        let fetch = [&["fetch", "--quiet", "--no-tags"], options].concat();
        let shallow = [&fetch[..], &["--depth=1", "--", remote, commit.as_str()]].concat();
        if let Err(failure) = self.run(shallow).await {
            if failure.is_final() {
                return Err(failure.at_remote(url));
            }
            let refspec = format!("+refs/heads/{branch}:refs/remotes/origin/{branch}");
            self.run([&fetch[..], &["--", remote, &refspec]].concat())
                .await
                .map_err(|failure| failure.at_branch(url, branch))?;
        }
        let object = format!("{commit}^{{commit}}");
        match self.run(["cat-file", "-e", &object]).await {
            Ok(_) => Ok(()),
            Err(Failure::Exit(_)) => Err(GitError::no_such_commit(source)),
            Err(failure) => Err(failure.without_remote()),
        }
    }
}
