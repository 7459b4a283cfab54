//! Which pull requests belong to a branch.

use serde_json::{Value, json};

use crate::stand_in::{StandIn, repository};

fn pull(number: u64, branch: &str, repository: Option<&str>) -> Value {
    let repository = repository.map(|name| json!({ "full_name": name }));
    json!({ "number": number, "state": "open", "head": { "ref": branch, "repo": repository } })
}

#[tokio::test]
async fn only_pull_requests_from_the_repository_itself_are_its_own() {
    let github = StandIn::start().await;
    github.world().page_size = 2;
    github.world().pulls = vec![
        pull(5, "login", Some("Octo/Shop")),
        pull(6, "login", Some("octo/fork-of-shop")),
        pull(7, "login", None),
        pull(8, "logout", Some("octo/shop")),
        pull(9, "login", Some("octo/shop")),
    ];
    let branch = "login".parse().unwrap();
    let numbers = github.app().pull_requests_of(&repository(), &branch).await.unwrap();
    assert_eq!(numbers, [5, 9]);
}
