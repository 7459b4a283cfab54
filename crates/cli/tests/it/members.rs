//! Members and invitations from the command line.

use serde_json::{Value, json};

use crate::support::{Server, User};

/// What the addressee of an invitation does, who has no account yet.
fn register(server: &Server, token: &Value) {
    let body =
        json!({ "token": token, "name": "Grace", "password": "correct horse battery staple" });
    let url = format!("{}/api/invitations/register", server.url);
    let answer = ureq::post(url).content_type("application/json").send(body.to_string());
    assert_eq!(answer.unwrap().status(), 200);
}

#[test]
fn somebody_is_invited_comes_is_made_more_and_is_removed() {
    let server = Server::start();
    let owner = User::of(&server);
    let made = owner.json("members invite grace@example.com --role viewer --expires-in 1h");
    let token = made["token"].as_str().unwrap();
    let listed = owner.run("members invitations").succeeded().out;
    assert!(listed.contains(" pending ") && !listed.contains(token), "{listed}");
    register(&server, &made["token"]);

    let table = owner.run("members list").succeeded().out;
    let mut lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(lines.next().unwrap(), ["NAME", "E-MAIL", "ROLE", "ID"]);
    assert_eq!(lines.next().unwrap()[..3], ["Grace", "grace@example.com", "viewer"]);

    let changed = owner.json("members set-role Grace@Example.com admin");
    assert_eq!(changed["role"], "admin");
    owner.run("members set-role linus@example.com admin").failed_with(5);
    owner.run("members set-role grace@example.com root").failed_with(2);

    owner.run("members remove grace@example.com").failed_with(2);
    owner.run("members remove grace@example.com --yes").succeeded();
    assert_eq!(owner.json("members list").as_array().unwrap().len(), 1);
}

#[test]
fn an_invitation_is_shown_to_whoever_makes_it_once_and_taken_back() {
    let server = Server::start();
    let owner = User::of(&server);
    let invited = owner.run("members invite grace@example.com").succeeded();
    assert!(invited.out.contains("wli_"), "{invited:?}");
    assert!(invited.err.contains("yourself"), "nobody is written to: {invited:?}");
    let listed = owner.json("members invitations");
    assert_eq!((&listed[0]["role"], &listed[0]["status"]), (&json!("member"), &json!("pending")));

    let id = listed[0]["id"].as_str().unwrap();
    owner.run(&format!("members revoke-invitation {id}")).succeeded();
    assert_eq!(owner.json("members invitations")[0]["status"], "revoked");
}

#[test]
fn the_last_owner_stays() {
    let server = Server::start();
    let owner = User::of(&server);
    let me = owner.json("members list")[0]["user_id"].as_str().unwrap().to_owned();
    let refused = owner.run(&format!("members remove {me} --yes")).failed_with(6);
    assert!(refused.err.contains("owner"), "{refused:?}");
}
