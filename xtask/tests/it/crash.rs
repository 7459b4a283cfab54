//! A server that is killed again and again loses nothing.

use crate::task::{assert_in_order, run};

#[test]
fn twenty_five_kills_lose_nothing_on_sqlite() {
    assert_story(&run(&["crash", "--kills", "25", "--database", "sqlite"]));
}

#[test]
fn twenty_five_kills_lose_nothing_on_postgres() {
    assert_story(&run(&["crash", "--kills", "25", "--database", "postgres"]));
}

fn assert_story(shown: &str) {
    let parts = ["kill 25 of 25", "✔ counted everything", "25 kills", "✔ nothing is left running"];
    assert_in_order(shown, &parts);
}
