//! Remotes that want to know who asks.

use std::{fs, path::Path};

use windlass_domain::{BranchName, CommitId, GitUrl};
use windlass_git::{Credential, Git, GitError, Source};

use crate::{
    http_backend::{Door, Server, TOKEN, USERNAME},
    repository::Repository,
};

fn main_branch() -> BranchName {
    "main".parse().unwrap()
}

fn repository() -> (Repository, CommitId) {
    let repository = Repository::new();
    let commit = repository.commit("first.yaml", "a: 1\n");
    (repository, commit)
}

fn knowing(url: &GitUrl, token: &str) -> Git {
    Git::default().credential(url, Credential::new(USERNAME, token.into()).unwrap())
}

fn holds_token(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds_token(&path);
        }
        String::from_utf8_lossy(&fs::read(path).unwrap()).contains(TOKEN)
    })
}

#[tokio::test]
async fn whoever_knows_the_token_reads_and_leaves_it_nowhere() {
    let (repository, commit) = repository();
    let server = Server::start(&repository, Door::Locked);
    let (url, branch) = (server.url("/.git"), main_branch());
    let git = knowing(&url, TOKEN);
    assert_eq!(git.branch_tip(&url, &branch).await.unwrap(), commit);
    let source = Source { url: &url, branch: &branch, commit: &commit };
    let file = git.read_first(source, &["first.yaml"], 10).await.unwrap();
    assert_eq!(file.unwrap().bytes, b"a: 1\n");

    let into = tempfile::tempdir().unwrap();
    git.check_out(source, into.path()).await.unwrap();
    assert!(into.path().join("first.yaml").exists());
    assert!(!holds_token(into.path()));
    assert_eq!(server.command_line(), None);
    assert!(!format!("{git:?}").contains(TOKEN));
}

#[tokio::test]
async fn whoever_does_not_is_told_so_without_what_they_said() {
    let (repository, commit) = repository();
    let server = Server::start(&repository, Door::Locked);
    let (url, branch) = (server.url("/.git"), main_branch());
    let into = tempfile::tempdir().unwrap();
    let source = Source { url: &url, branch: &branch, commit: &commit };
    let wrong = "ghs_wr0ng";
    for git in [Git::default(), knowing(&url, wrong)] {
        let err = git.check_out(source, into.path()).await.unwrap_err();
        assert!(matches!(err, GitError::Denied { .. }), "{err}");
        let said = format!("{err} {err:?}");
        assert!(!said.contains(wrong) && !said.contains("eC1hY2Nlc3Mt"), "{said}");
    }
}

#[tokio::test]
async fn another_remote_is_asked_as_nobody() {
    let (repository, _) = repository();
    let [known, other] = [(); 2].map(|()| Server::start(&repository, Door::Locked));
    let git = knowing(&known.url("/.git"), TOKEN);
    let err = git.branch_tip(&other.url("/.git"), &main_branch()).await.unwrap_err();
    assert!(matches!(err, GitError::Denied { .. }), "{err}");
    assert!(other.credentials().iter().all(Option::is_none));
}

#[tokio::test]
async fn nobody_is_told_who_does_not_ask() {
    let (repository, commit) = repository();
    let server = Server::start(&repository, Door::Open);
    let url = server.url("/.git");
    let tip = knowing(&url, TOKEN).branch_tip(&url, &main_branch()).await.unwrap();
    assert_eq!(tip, commit);
    assert!(server.credentials().iter().all(Option::is_none));
}

#[tokio::test]
async fn another_host_to_which_a_remote_sends_us_on_is_not_told() {
    for (remote_door, is_told) in
        [(Door::Moved as fn(String) -> Door, false), (Door::SecretlyMoved, true)]
    {
        for door in [Door::Open, Door::Locked] {
            let (repository, commit) = repository();
            let other = Server::start(&repository, door);
            let remote = Server::start(&repository, remote_door(other.at("/new")));
            let (url, branch) = (remote.url("/old/.git"), main_branch());
            let into = tempfile::tempdir().unwrap();
            let source = Source { url: &url, branch: &branch, commit: &commit };
            // Whether that works is another matter.
            let _ = knowing(&url, TOKEN).check_out(source, into.path()).await;
            assert_eq!(remote.credentials().iter().any(Option::is_some), is_told);
            assert!(!other.credentials().is_empty());
            assert!(other.credentials().iter().all(Option::is_none));
        }
    }
}

#[tokio::test]
async fn a_repository_with_a_new_name_is_read_if_everybody_is_told_of_it() {
    let (repository, commit) = repository();
    let remote = Server::start(&repository, Door::Moved("/new".to_owned()));
    let (url, branch) = (remote.url("/old/.git"), main_branch());
    let into = tempfile::tempdir().unwrap();
    let source = Source { url: &url, branch: &branch, commit: &commit };
    knowing(&url, TOKEN).check_out(source, into.path()).await.unwrap();
}

#[tokio::test]
async fn a_repository_with_a_new_name_that_is_a_secret_is_said_to_have_one() {
    let (repository, commit) = repository();
    let remote = Server::start(&repository, Door::SecretlyMoved("/new".to_owned()));
    let (url, branch) = (remote.url("/old/.git"), main_branch());
    let into = tempfile::tempdir().unwrap();
    let source = Source { url: &url, branch: &branch, commit: &commit };
    let err = knowing(&url, TOKEN).check_out(source, into.path()).await.unwrap_err();
    assert!(matches!(err, GitError::Denied { .. }), "{err}");
    assert!(err.to_string().ends_with("it has another address now, which must be told"), "{err}");
}
