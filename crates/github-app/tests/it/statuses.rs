//! Marks at commits.

use serde_json::json;
use windlass_github_app::{CommitState, CommitStatus};

use crate::stand_in::{COMMIT, StandIn, repository};

#[tokio::test]
async fn a_commit_is_marked_with_what_github_takes() {
    let github = StandIn::start().await;
    let status = CommitStatus {
        state: CommitState::Success,
        context: "windlass/login".to_owned(),
        description: "ü".repeat(141),
        target_url: Some("https://windlass.example/d/1".parse().unwrap()),
    };
    let app = github.app();
    app.set_commit_status(&repository(), &COMMIT.parse().unwrap(), &status).await.unwrap();
    let asked = format!("POST /repos/octo/shop/statuses/{COMMIT}");
    assert_eq!(github.asked(&asked), 1);
    let world = github.world();
    assert_eq!(*world.newest_token().1, json!({ "statuses": "write" }));
    let wanted = json!({
        "state": "success", "context": "windlass/login",
        "description": format!("{}…", "ü".repeat(139)),
        "target_url": "https://windlass.example/d/1",
    });
    assert_eq!(world.statuses, [wanted]);
}
