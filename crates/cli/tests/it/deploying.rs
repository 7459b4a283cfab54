//! From a repository to a live app.

use crate::support::{Repository, Server, User};

#[test]
fn a_deployment_is_followed_until_it_is_live() {
    let server = Server::start();
    let user = User::of(&server);
    let repository = Repository::answering("one");
    let path = repository.path().to_str().unwrap();
    user.run(&format!("projects create shop --git-url {path}")).succeeded();

    let created = user.run("environments create main --project shop --follow").succeeded();
    assert!(
        created.out.lines().last().unwrap().starts_with("live http://main-shop."),
        "{created:?}"
    );

    let commit = repository.answer("two");
    let deployed = user.run("deploy --project shop --follow --json").succeeded().json();
    assert_eq!(deployed["state"], "live");
    assert_eq!(deployed["commit"], commit.as_str());

    let listed = user.json("deployments list main --project shop");
    let states: Vec<_> = listed.as_array().unwrap().iter().map(|it| &it["state"]).collect();
    assert_eq!(states, ["live", "superseded"]);
    let first = listed[1]["id"].as_str().unwrap();
    let rolled_back = user.json(&format!("deployments rollback {first} --follow"));
    assert_eq!(
        (&rolled_back["state"], &rolled_back["trigger"]),
        (&"live".into(), &"rollback".into())
    );

    let url = user.run("open --project shop").succeeded().out;
    assert!(url.starts_with("http://main-shop."), "{url}");
    let usage = user.json("usage");
    assert_eq!(usage["build_count"], 2);

    let paused = user.run("environments pause main --project shop").succeeded();
    assert_eq!(paused.out, "the environment of main is paused\n");
    assert_eq!(user.json("environments resume main --project shop")["state"], "active");
    let refused = user.run("environments reset main --project shop --yes").failed_with(6);
    assert!(refused.err.contains("no database, Redis or bucket"), "{}", refused.err);
    let gone = user.run("environments destroy main --project shop --yes --wait").succeeded();
    assert_eq!(gone.out, "the environment of main is destroyed\n");
    let deleted = user.json("projects delete shop --yes --wait");
    assert_eq!(deleted["state"], "deleted");
    assert_eq!(user.json("projects list"), serde_json::json!([]));
}

#[test]
fn a_deployment_that_fails_is_told_by_the_exit_code() {
    let server = Server::start();
    let user = User::of(&server);
    let repository = Repository::answering("one");
    let path = repository.path().to_str().unwrap();
    let command = "echo building it; exit 3";
    let create = ["projects", "create", "shop", "--git-url", path, "--build-command", command];
    user.json_of(&create);

    let failed = user.run("environments create main --project shop --follow").failed_with(1);
    assert!(failed.out.contains("building it\n"), "{failed:?}");
    assert!(failed.err.starts_with("error: the deployment is failed: "), "{failed:?}");

    let failed = user.run("deploy --project shop --follow --json").failed_with(1);
    assert_eq!(failed.json()["state"], "failed");
    assert!(failed.err.contains("building it\n"), "{failed:?}");

    let log = user.run("logs --project shop --build --json").succeeded().out;
    let lines = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    assert!(lines.into_iter().any(|line| line["text"] == "building it"), "{log}");
    let followed = user.run("logs --project shop --build --follow").succeeded().out;
    assert!(followed.contains("building it\n"), "{followed}");
}

#[test]
fn an_apps_log_is_shown_and_followed() {
    let server = Server::start();
    let user = User::of(&server);
    let repository = Repository::answering("hello");
    let path = repository.path().to_str().unwrap();
    user.run(&format!("projects create shop --git-url {path}")).succeeded();
    user.run("environments create main --project shop --follow").succeeded();

    let mut terminal = user.at_terminal("logs main --project shop --follow");
    terminal.exp_string("serving hello").unwrap();
    terminal.send_control('c').unwrap();
    terminal.exp_eof().unwrap();
    let log = user.run("logs main --project shop").succeeded().out;
    assert!(log.contains("serving hello\n"), "{log}");
}

#[test]
fn a_checkout_says_the_project_and_the_branch() {
    let server = Server::start();
    let user = User::of(&server);
    let repository = Repository::answering("one");
    repository.branch("next");
    let path = repository.path().to_str().unwrap();
    let checkout = user.file("checkout");
    let cloned = std::process::Command::new("git")
        .args(["clone", "--quiet", path, checkout.to_str().unwrap()])
        .status();
    assert!(cloned.unwrap().success());

    user.run_in(&checkout, "projects get").failed_with(5);
    user.run(&format!("projects create shop --git-url {path}")).succeeded();
    let project = user.run_in(&checkout, "projects get --json").succeeded().json();
    assert_eq!(project["slug"], "shop");
    user.run_in(&checkout, "deploy").failed_with(5);
    user.run_in(&checkout, "environments create next").succeeded();
    let deployed = user.run_in(&checkout, "deploy --follow --json").succeeded().json();
    assert_eq!(deployed["state"], "live");
    let url = user.run_in(&checkout, "open").succeeded().out;
    assert!(url.starts_with("http://next-shop."), "{url}");
    let failed = user.run("deploy").failed_with(2);
    assert!(failed.err.contains("--project"), "{failed:?}");
}
