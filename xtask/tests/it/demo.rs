//! The demo, as its audience sees it.

use crate::task::{Running, assert_in_order, run};

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

#[test]
fn an_interrupt_in_the_middle_of_the_demo_stops_everything() {
    let mut demo = Running::start(&["demo", "--database", "sqlite"]);
    demo.show_until("deploying its branch main");
    demo.interrupt();
    assert_eq!(demo.end(), Some(130), "as a shell names it");
    demo.assert_gone();
}

#[test]
fn an_interrupt_of_the_demo_on_postgres_stops_that_too() {
    let mut demo = Running::start(&["demo", "--database", "postgres"]);
    demo.show_until("started a PostgreSQL");
    demo.interrupt();
    assert_eq!(demo.end(), Some(130));
    demo.assert_gone();
}

#[test]
fn the_demo_stays_up_until_it_is_interrupted() {
    let mut demo = Running::start(&["demo", "--database", "sqlite"]);
    demo.show_until("Ctrl-C stops everything.");
    demo.interrupt();
    demo.show_until("✔ nothing is left running");
    assert_eq!(demo.end(), Some(0));
    demo.assert_gone();
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
