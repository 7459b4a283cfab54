//! The one comment in a pull request.

use crate::stand_in::{APP_ID, Canned, StandIn, repository};

const MARKED: &str = "<!-- windlass:env_1 -->\nhello";

#[tokio::test]
async fn a_comment_is_made_once_and_then_edited() {
    let github = StandIn::start().await;
    let say = async |text: &str| {
        github.app().comment_once(&repository(), 5, "env_1", text).await.unwrap();
    };
    say("hello").await;
    assert_eq!(github.world().comments[0]["body"], MARKED);
    say("hello").await;
    assert_eq!((github.asked("POST /repos"), github.asked("PATCH")), (1, 0));
    say("bye").await;
    assert_eq!((github.asked("POST /repos"), github.asked("PATCH")), (1, 1));
    let world = github.world();
    assert_eq!(world.comments.len(), 1);
    assert_eq!(world.comments[0]["body"], "<!-- windlass:env_1 -->\nbye");
}

#[tokio::test]
async fn another_marker_is_another_comment() {
    let github = StandIn::start().await;
    let app = github.app();
    for marker in ["env_1", "env_10", "env_1"] {
        app.comment_once(&repository(), 5, marker, "x").await.unwrap();
    }
    assert_eq!(github.world().comments.len(), 2);
}

#[tokio::test]
async fn the_comment_of_somebody_else_with_our_marker_is_left_alone() {
    for tells_app in [true, false] {
        let github = StandIn::start().await;
        {
            let mut world = github.world();
            world.tells_app = tells_app;
            world.add_comment(MARKED, "mallory", None);
            // A person who came through the App is a person.
            world.add_comment(MARKED, "windlass-test", Some(APP_ID));
            world.add_comment(MARKED, "other[bot]", Some(1));
            world.add_comment(&format!("> {MARKED}"), "windlass-test[bot]", Some(APP_ID));
            world.comments[0]["user"] = serde_json::Value::Null;
        }
        for text in ["one", "two"] {
            github.app().comment_once(&repository(), 5, "env_1", text).await.unwrap();
        }
        let world = github.world();
        assert_eq!(world.comments.len(), 5, "{tells_app}");
        for theirs in &world.comments[..3] {
            assert_eq!(theirs["body"], MARKED);
        }
        assert_eq!(world.comments[4]["body"], "<!-- windlass:env_1 -->\ntwo");
    }
}

#[tokio::test]
async fn a_comment_is_found_on_a_later_page_whatever_its_address_says() {
    let github = StandIn::start().await;
    {
        let mut world = github.world();
        world.page_size = 2;
        world.links_to = Some("http://elsewhere.example");
        for _ in 0..5 {
            world.add_comment("me, too", "ada", None);
        }
        world.add_comment(&MARKED.replace('\n', "\r\n"), "windlass-test[bot]", Some(APP_ID));
    }
    github.app().comment_once(&repository(), 5, "env_1", "hello").await.unwrap();
    assert_eq!(github.asked("GET /repositories/7/issues/5/comments"), 2);
    assert_eq!(github.world().comments.len(), 6);
    assert_eq!(github.asked("PATCH"), 0);
}

#[tokio::test]
async fn a_comment_that_failed_is_made_by_the_next_attempt() {
    let github = StandIn::start().await;
    github.next("POST /repos", Canned::message(502, "Server Error"));
    let app = github.app();
    app.comment_once(&repository(), 5, "env_1", "x").await.unwrap_err();
    app.comment_once(&repository(), 5, "env_1", "x").await.unwrap();
    assert_eq!(github.world().comments.len(), 1);
}
