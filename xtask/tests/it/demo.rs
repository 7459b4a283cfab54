//! The demo, as its audience sees it.

use crate::task::{assert_in_order, run};

#[test]
fn the_demo_deploys_and_redeploys_an_app_on_sqlite() {
    assert_story(&run(&["demo", "--once", "--database", "sqlite"]));
}

#[test]
fn the_demo_deploys_and_redeploys_an_app_on_postgres() {
    let shown = run(&["demo", "--once", "--database", "postgres"]);
    assert!(shown.contains("✔ started a PostgreSQL"), "{shown}");
    assert_story(&shown);
}

fn assert_story(shown: &str) {
    assert_in_order(
        shown,
        &[
            "✔ started the server",
            "✔ made examples/hello a git repository",
            "✔ created the project over HTTP",
            "│ building version 1",
            "✔ deployed it",
            "✔ it answers at http://main-hello.localhost:",
            "✔ committed a change",
            "✔ redeployed it while requests kept coming",
            " requests served, 0 failed",
            "/api/usage: ",
            "CPU seconds really used by 2 builds",
            "✔ stopped the server and its apps",
            "✔ nothing is left running",
        ],
    );
}
