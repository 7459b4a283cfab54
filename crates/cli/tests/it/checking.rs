//! A repository's file, checked before it is pushed.

use std::fs;

use serde_json::json;

use crate::support::User;

/// Somebody without a server, and what is in their folder.
fn with_files(files: &[(&str, &str)]) -> User {
    let user = User::new();
    for (name, text) in files {
        fs::write(user.file(name), text).unwrap();
    }
    user
}

#[test]
fn check_says_that_a_file_is_fine_and_nothing_else() {
    let user = with_files(&[("windlass.yaml", "app: { port: 8080 }\n")]);
    let checked = user.run("check").succeeded();
    assert_eq!((&*checked.out, &*checked.err), ("windlass.yaml is fine\n", ""));
    let checked = user.run("check --json").succeeded();
    assert_eq!((&*checked.out, &*checked.err), ("", ""));
}

#[test]
fn check_tells_every_mistake_with_its_place() {
    let user = with_files(&[("windlass.yaml", "app:\n  port: http\nbuild_resources: {}\n")]);
    let checked = user.run("check").failed_with(1);
    assert_eq!(checked.out, "");
    assert_eq!(
        checked.err,
        "windlass.yaml:2:9: app.port: must be a whole number from 1 to 65535, and is \"http\"\n\
         windlass.yaml:3:1: there is no `build_resources` here; did you mean `buildResources`?\n"
    );
}

#[test]
fn check_tells_programs_the_same() {
    let user = with_files(&[("windlass.yaml", "app:\n  port: http\n")]);
    let checked = user.run("check --json").failed_with(1);
    assert_eq!(checked.out, "");
    let told: serde_json::Value = serde_json::from_str(&checked.err).unwrap();
    let message = "must be a whole number from 1 to 65535, and is \"http\"";
    let expected = json!({
        "code": "manifest",
        "message": format!("windlass.yaml:2:9: app.port: {message}"),
        "problems": [{
            "file": "windlass.yaml",
            "line": 2,
            "column": 9,
            "field": "app.port",
            "message": message,
        }],
    });
    assert_eq!(told, expected);
}

#[test]
fn check_looks_where_it_is_told_and_windlass_yaml_counts() {
    let user = with_files(&[("nexos.yaml", "nonsense: 1\n")]);
    let checked = user.run("check").failed_with(1);
    assert!(checked.err.starts_with("nexos.yaml:1:1: "), "{checked:?}");
    fs::write(user.file("windlass.yaml"), "").unwrap();
    assert_eq!(user.run("check").succeeded().out, "windlass.yaml is fine\n");

    fs::create_dir(user.file("shop")).unwrap();
    let checked = user.run("check shop").failed_with(1);
    assert_eq!(checked.err, "error: there is no windlass.yaml or nexos.yaml in shop\n");
    fs::write(user.file("shop/nexos.yaml"), "name: shop\n").unwrap();
    assert_eq!(user.run("check shop").succeeded().out, "nexos.yaml is fine\n");
}

#[test]
fn check_reads_no_more_of_a_file_than_it_may_have() {
    let user = with_files(&[("windlass.yaml", &"#".repeat(1_000_000))]);
    let checked = user.run("check").failed_with(1);
    assert!(checked.err.contains("must have at most 65536 bytes"), "{checked:?}");
}

#[test]
fn check_prints_the_schema_for_editors() {
    let schema = User::new().run("check --schema").succeeded().json();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["properties"]["app"]["properties"]["port"]["maximum"], 65_535);
}
