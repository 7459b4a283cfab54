//! Tokens: handed on, narrower each time, and ended.

use serde_json::Value;

use crate::support::{Server, User};

const PROJECT: &str = "projects create shop --git-url https://git.example.com/shop.git";

fn holder(server: &Server, token: &str) -> User {
    User::new().with("WINDLASS_SERVER", &server.url).with("WINDLASS_TOKEN", token)
}

#[test]
fn a_token_is_created_at_the_prompt_and_lets_one_look_but_not_touch() {
    let server = Server::start();
    let owner = User::of(&server);
    let mut terminal = owner.at_terminal("shell");
    terminal.exp_string("windlass> ").unwrap();
    terminal.send_line("tokens create --read-only").unwrap();
    let line = "-".repeat(61);
    terminal.exp_string(&format!("{line}\r\n")).unwrap();
    let token = terminal.exp_string("\r\n").unwrap();
    terminal.exp_string(&line).unwrap();
    terminal.exp_string("is not shown again").unwrap();
    terminal.exp_string("windlass> ").unwrap();
    terminal.send_line("exit").unwrap();
    terminal.exp_eof().unwrap();

    let reader = holder(&server, &token);
    assert_eq!(reader.json("whoami")["credential"]["kind"], "token");
    reader.run("projects list").succeeded();
    let refused = reader.run(PROJECT).failed_with(4);
    assert!(refused.err.contains("projects:write"), "{refused:?}");
}

#[test]
fn a_token_is_narrowed_without_a_server_and_each_one_is_ended_alone() {
    let server = Server::start();
    let owner = User::of(&server);
    let shop = owner.json(PROJECT);
    owner.run("projects create other --git-url https://git.example.com/o.git").succeeded();
    let create = "tokens create robot -p projects:read,env_vars:write --expires-in 90d";
    let created = owner.json(create);
    let token = created["token"].as_str().unwrap();
    let robot = holder(&server, token);
    assert_eq!(robot.json("projects list").as_array().unwrap().len(), 2);

    // Whoever narrows it knows no server.
    let offline = User::new();
    let project = shop["id"].as_str().unwrap();
    let attenuate = format!("tokens attenuate --project {project} --read-only --expires-in 1h");
    let narrower = offline.run_with_input(&attenuate, token).succeeded().out;
    let narrower = narrower.trim_end();
    let helper = holder(&server, narrower);
    let seen = helper.json("projects list");
    assert_eq!(seen.as_array().unwrap().len(), 1);
    assert_eq!(seen[0]["slug"], "shop");
    helper.run("env set A=1 --project shop").failed_with(4);
    robot.run("env set A=1 --project shop").succeeded();

    let looked = offline.run_with_input("tokens inspect --json", narrower).succeeded().json();
    assert_eq!(looked["blocks"].as_array().unwrap().len(), 2);
    assert_eq!(looked["blocks"][0]["revocation_id"], created["revocation_id"]);
    assert!(looked["expires_at"].as_str().unwrap() < created["expires_at"].as_str().unwrap());
    assert_eq!(looked["sealed"], false);
    let shown = offline.run_with_input("tokens inspect", narrower).succeeded().out;
    assert!(shown.contains("check if operation(\"read\")"), "{shown}");
    assert!(!shown.contains(narrower), "{shown}");

    owner.run_with_input("tokens revoke", narrower).succeeded();
    helper.run("projects list").failed_with(3);
    robot.run("projects list").succeeded();
    let id = created["id"].as_str().unwrap();
    owner.run(&format!("tokens revoke {id} --yes")).succeeded();
    robot.run("projects list").failed_with(3);
    let listed = owner.run("tokens list").succeeded().out;
    assert!(listed.contains("revoked") && !listed.contains(token), "{listed}");
}

#[test]
fn a_sealed_token_is_used_but_not_narrowed() {
    let server = Server::start();
    let owner = User::of(&server);
    let token = owner.run("tokens create").succeeded().out;
    let sealed = User::new().run_with_input("tokens seal", &token).succeeded().out;
    holder(&server, sealed.trim_end()).run("whoami").succeeded();
    let refused = User::new().run_with_input("tokens attenuate --read-only", &sealed);
    assert!(refused.failed_with(2).err.contains("sealed"));
}

#[test]
fn what_cannot_be_narrowed_is_said_before_a_token_is_asked_for() {
    let user = User::new();
    let unknown = user.run_with_input("tokens attenuate -p projects:eat", "").failed_with(2);
    assert!(unknown.err.contains("must be a permission such as"), "{unknown:?}");
    let soon = user.run_with_input("tokens attenuate --expires-in 90", "").failed_with(2);
    assert!(soon.err.contains("try 90d"), "{soon:?}");
    let nothing = user.run_with_input("tokens attenuate", &"A".repeat(200)).failed_with(2);
    assert!(nothing.err.contains("nothing is narrowed"), "{nothing:?}");
    let other = user.run_with_input("tokens attenuate --read-only", "a text").failed_with(2);
    assert!(other.err.contains("is not a token"), "{other:?}");
}

#[test]
fn a_key_is_replaced_by_one_like_it() {
    let server = Server::start();
    let owner = User::of(&server);
    let old = owner.json("keys create ci --scope read --address 127.0.0.1,::1");
    assert_eq!(old["allowed_addresses"], serde_json::json!(["127.0.0.1", "::1"]));
    let id = old["id"].as_str().unwrap();
    let new: Value = owner.json(&format!("keys rotate {id}"));
    let (old, new) = (old["key"].as_str().unwrap(), new["key"].as_str().unwrap());
    holder(&server, new).run("projects list").succeeded();
    holder(&server, old).run("projects list").failed_with(3);
}
