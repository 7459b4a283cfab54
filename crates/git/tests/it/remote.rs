//! What is asked of remotes.

use std::fs;

use windlass_domain::{BranchName, CommitId};
use windlass_git::{Git, GitError, Source, SourceFile};

use crate::repository::{Repository, git};

fn branch(name: &str) -> BranchName {
    name.parse().unwrap()
}

fn local() -> Git {
    Git::default().allow_local(true)
}

#[tokio::test]
async fn the_tip_of_a_branch_is_the_commit_it_points_to() {
    let repository = Repository::new();
    let commit = repository.commit("a", "one");
    git(repository.0.path(), &["branch", "x/main"]);

    let tip = local().branch_tip(&repository.url(), &branch("main")).await.unwrap();
    assert_eq!(tip, commit);
}

#[tokio::test]
async fn a_branch_that_is_not_there_is_named() {
    let repository = Repository::new();
    repository.commit("a", "one");

    let error = local().branch_tip(&repository.url(), &branch("nope")).await.unwrap_err();
    let expected = format!("branch `nope` does not exist in {}", repository.url());
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn the_commit_that_was_asked_for_is_checked_out_after_the_branch_has_moved_on() {
    let repository = Repository::new();
    let (url, main) = (repository.url(), branch("main"));
    let old = repository.commit("file", "old");
    repository.commit("file", "new");
    // Hidden commits can't be asked for by name, as on strict servers.
    git(repository.0.path(), &["config", "uploadpack.allowAnySHA1InWant", "false"]);

    let into = tempfile::tempdir().unwrap();
    let source = Source { url: &url, branch: &main, commit: &old };
    local().check_out(source, into.path()).await.unwrap();
    assert_eq!(fs::read_to_string(into.path().join("file")).unwrap(), "old");
}

#[tokio::test]
async fn a_commit_that_is_not_on_the_branch_is_refused() {
    let repository = Repository::new();
    repository.commit("file", "text");
    let (url, main) = (repository.url(), branch("main"));
    let missing = "0123456789012345678901234567890123456789".parse().unwrap();

    let into = tempfile::tempdir().unwrap();
    let source = Source { url: &url, branch: &main, commit: &missing };
    let error = local().check_out(source, into.path()).await.unwrap_err();
    assert!(matches!(error, GitError::NoSuchCommit { .. }), "{error}");
}

#[tokio::test]
async fn repositories_of_this_machine_are_refused_unless_allowed() {
    let repository = Repository::new();
    repository.commit("a", "one");
    for url in [repository.url(), format!("file://{}", repository.url()).parse().unwrap()] {
        let error = Git::default().branch_tip(&url, &branch("main")).await.unwrap_err();
        assert!(matches!(error, GitError::LocalForbidden), "{error}");
    }
}

#[tokio::test]
async fn a_remote_that_does_not_answer_may_answer_later() {
    let url = "http://127.0.0.1:1/shop.git".parse().unwrap();
    let error = Git::default().branch_tip(&url, &branch("main")).await.unwrap_err();
    assert!(matches!(error, GitError::Unreachable { .. }), "{error}");
    assert!(error.to_string().starts_with("the git remote http://127.0.0.1:1/shop.git cannot"));
}

#[tokio::test]
async fn a_folder_without_a_repository_is_denied() {
    let folder = tempfile::tempdir().unwrap();
    let url = folder.path().to_str().unwrap().parse().unwrap();
    let error = local().branch_tip(&url, &branch("main")).await.unwrap_err();
    assert!(matches!(error, GitError::Denied { .. }), "{error}");
}

#[tokio::test]
async fn hooks_of_a_template_or_a_repository_do_not_run() {
    let repository = Repository::new();
    let commit = repository.commit("a", "one");
    let (url, main) = (repository.url(), branch("main"));
    let into = tempfile::tempdir().unwrap();
    let marker = into.path().join("ran");
    let hooks = into.path().join("x/.git/hooks");
    fs::create_dir_all(&hooks).unwrap();
    let hook = hooks.join("post-checkout");
    fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", marker.display())).unwrap();
    fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();

    let source = Source { url: &url, branch: &main, commit: &commit };
    local().check_out(source, &into.path().join("x")).await.unwrap();
    assert!(!marker.exists());
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_ended() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("git://{}/shop", listener.local_addr().unwrap()).parse().unwrap();
    let git = Git::default().timeout(std::time::Duration::from_millis(300));
    let error = git.branch_tip(&url, &branch("main")).await.unwrap_err();
    assert!(error.to_string().ends_with("it took too long"), "{error}");
}

async fn read(repository: &Repository, commit: &CommitId) -> Result<Option<SourceFile>, GitError> {
    let (url, branch) = (repository.url(), branch("main"));
    let source = Source { url: &url, branch: &branch, commit };
    local().read_first(source, &["first.yaml", "second.yaml"], 10).await
}

#[tokio::test]
async fn the_first_of_some_files_that_is_there_is_read_as_it_was_committed() {
    let repository = Repository::new();
    let none = repository.commit("a", "one");
    let second = repository.commit("second.yaml", "b: \u{fc}\r\n");
    let both = repository.commit("first.yaml", "a: 1\n");
    let file = |name: &str, text: &str| {
        Some(SourceFile { name: name.to_owned(), bytes: text.as_bytes().to_vec() })
    };
    assert_eq!(read(&repository, &none).await.unwrap(), None);
    let found = read(&repository, &second).await.unwrap();
    assert_eq!(found, file("second.yaml", "b: \u{fc}\r\n"));
    assert_eq!(read(&repository, &both).await.unwrap(), file("first.yaml", "a: 1\n"));
}

#[tokio::test]
async fn a_file_that_is_too_large_or_none_at_all_is_refused_by_its_name() {
    let repository = Repository::new();
    let large = repository.commit("first.yaml", "0123456789a");
    let err = read(&repository, &large).await.unwrap_err();
    assert_eq!(err.to_string(), "first.yaml has more than 10 bytes");

    let path = repository.0.path().join("first.yaml");
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
    let link = repository.commit("b", "two");
    let err = read(&repository, &link).await.unwrap_err();
    assert_eq!(err.to_string(), "first.yaml is not a file");
}

#[tokio::test]
async fn only_what_is_looked_at_is_fetched_where_the_remote_can_leave_out_the_rest() {
    let repository = Repository::new();
    git(repository.0.path(), &["config", "uploadpack.allowFilter", "true"]);
    repository.commit("other", &"x".repeat(100_000));
    let commit = repository.commit("first.yaml", "a: 1\n");
    assert!(read(&repository, &commit).await.unwrap().is_some());
}
