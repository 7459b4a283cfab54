//! Projects, variables, keys: what is sent arrives, and nothing secret comes back.

use serde_json::{Value, json};

use crate::support::{Outcome, Server, User};

const PROJECT: &str = "projects create shop --git-url https://git.example.com/shop.git";

#[test]
fn a_project_is_created_changed_and_found_by_its_slug_and_its_id() {
    let server = Server::start();
    let user = User::of(&server);
    let created = user.json(&format!("{PROJECT} --start-command serve --cpu 0.5 --memory-mb 64"));
    assert_eq!(created["resources"], json!({ "cpu": 0.5, "memory_mb": 64 }));
    let id = created["id"].as_str().unwrap();

    let changed = user.json("projects update shop --name store --reset start-command --reset cpu");
    assert_eq!(changed["name"], "store");
    assert_eq!(changed["start_command"], Value::Null);
    assert_eq!(changed["resources"], json!({ "cpu": null, "memory_mb": 64 }));

    assert_eq!(user.json("projects get shop"), user.json(&format!("projects get {id}")));
    let table = user.run("projects list").succeeded().out;
    let mut lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(lines.next().unwrap(), ["SLUG", "BRANCH", "STATE", "REPOSITORY", "ID"]);
    let wanted = ["shop", "main", "active", "https://git.example.com/shop.git", id];
    assert_eq!(lines.next().unwrap(), wanted);
}

#[test]
fn a_list_is_whole_however_many_pages_it_has() {
    let server = Server::start();
    let user = User::of(&server);
    user.run(PROJECT).succeeded();
    for number in 0..201 {
        let set = format!("env set NUMBER_{number}=1 --project shop");
        user.run(&set).succeeded();
    }
    let listed = user.json("env list --project shop");
    assert_eq!(listed.as_array().unwrap().len(), 201);
}

#[test]
fn a_variables_value_is_read_from_standard_input_and_never_shown() {
    let server = Server::start();
    let user = User::of(&server).with("WINDLASS_PROJECT", "shop");
    user.run(PROJECT).succeeded();
    let secret = "very-secret-value\nof two lines";
    let set = user.run_with_input("env set TOKEN", &format!("{secret}\n")).succeeded();
    let listed = user.run("env list").succeeded();
    let json = user.run("env list --json").succeeded();
    for Outcome { out, err, .. } in [&set, &listed, &json] {
        assert!(out.contains("********ines"), "{out}");
        assert!(!out.contains("very-secret") && !err.contains("very-secret"), "{out}{err}");
    }
    assert_eq!(json.json()[0]["key"], "TOKEN");

    user.run("env set TOKEN=other-secret").succeeded();
    user.run("env unset TOKEN").succeeded();
    user.run("env unset TOKEN").failed_with(5);
    assert_eq!(user.json("env list"), json!([]));
}

#[test]
fn a_key_is_shown_once_and_can_do_what_it_should() {
    let server = Server::start();
    let owner = User::of(&server);
    let project = owner.json(PROJECT);
    let created = owner.json("keys create ci --scope read --scope env_vars:write --project shop");
    assert_eq!(created["project_ids"], json!([project["id"]]));
    let (id, key) = (created["id"].as_str().unwrap(), created["key"].as_str().unwrap());
    let listed = owner.run("keys list").succeeded().out;
    assert!(listed.contains(" read,env_vars:write ") && !listed.contains(key), "{listed}");

    let robot = User::new().with("WINDLASS_SERVER", &server.url).with("WINDLASS_TOKEN", key);
    let who = robot.run("whoami").succeeded().out;
    assert!(who.contains("env_vars:write") && !who.contains(key), "{who}");
    robot.run("env set A=1 --project shop").succeeded();
    let refused = robot.run("projects update shop --port 80").failed_with(4);
    assert!(refused.err.contains("projects:write"), "{refused:?}");

    owner.run(&format!("keys revoke {id} --yes")).succeeded();
    robot.run("whoami").failed_with(3);
}

#[test]
fn what_was_done_is_told_newest_first_and_as_much_as_was_asked_for() {
    let server = Server::start();
    let owner = User::of(&server);
    let project = owner.json(PROJECT);
    let id = project["id"].as_str().unwrap();
    owner.run("projects update shop --name store").succeeded();

    let all = owner.json("audit --outcome done");
    let actions: Vec<_> = all.as_array().unwrap().iter().map(|line| &line["action"]).collect();
    assert_eq!(actions[..2], ["update_project", "create_project"]);
    let newest = owner.json("audit --limit 1");
    assert_eq!(newest, json!([all[0]]));
    let about = owner.run(&format!("audit --target {id} --action create_project")).succeeded().out;
    let mut lines = about.lines();
    assert!(lines.next().unwrap().starts_with("TIME"), "{about}");
    let line = lines.next().unwrap();
    assert!(
        line.contains("done") && line.contains("API key \"owner\"") && line.contains(id),
        "{line}"
    );
    assert_eq!(lines.next(), None, "{about}");
    assert_eq!(owner.json("audit --from 2999-01-01"), json!([]));
    owner.run("audit --actor nobody").failed_with(2);
}

#[test]
fn services_and_hooks_are_asked_for_and_set_back() {
    let server = Server::start();
    let owner = User::of(&server);
    owner.run(PROJECT).succeeded();
    let change = "projects update shop --postgres true --s3 true --on-new seed --on-deploy migrate";
    let changed = owner.json(change);
    assert_eq!(changed["services"], json!({ "postgres": true, "redis": false, "s3": true }));
    assert_eq!(changed["hooks"], json!({ "on_new": "seed", "on_deploy": "migrate" }));
    let changed = owner.json("projects update shop --reset s3 --reset on-new");
    assert_eq!(changed["services"], json!({ "postgres": true, "redis": false, "s3": false }));
    assert_eq!(changed["hooks"], json!({ "on_new": null, "on_deploy": "migrate" }));
}

#[test]
fn previews_are_set_and_a_webhooks_secret_is_shown_with_where_it_belongs() {
    let server = Server::start();
    let owner = User::of(&server);
    owner.run(PROJECT).succeeded();
    let changed = owner.json(
        "projects update shop --preview-branch feature/** --preview-branch !feature/wip-* \
         --preview-limit 3 --preview-ttl 7d --preview-idle-pause 30m",
    );
    let wanted = json!({
        "enabled": true, "branches": ["feature/**", "!feature/wip-*"], "limit": 3,
        "ttl_seconds": 604_800, "idle_pause_seconds": 1_800,
    });
    assert_eq!(changed["previews"], wanted);
    let changed = owner.json("projects update shop --previews false --reset preview-branches");
    assert_eq!(changed["previews"]["enabled"], false);
    assert_eq!(changed["previews"]["branches"], json!([]));

    let set = owner.json("env set LIVE=1 --project shop --previews false");
    assert_eq!(set["previews"], false);
    let listed = owner.run("env list --project shop").succeeded().out;
    assert!(listed.contains("all but previews"), "{listed}");

    let made = owner.run("webhooks secret --project shop --overlap 2h").succeeded().out;
    assert!(made.contains("wlwh_") && made.contains("/api/webhooks/gitlab"), "{made}");
    assert_eq!(owner.json("webhooks list --project shop"), json!([]));
    let unknown = "webhooks redeliver whd_01kdvdna000000000000000010 --project shop";
    owner.run(unknown).failed_with(5);
}
