//! Commands get the project's variables, byte for byte, and nothing of the server's.

use std::collections::BTreeMap;

use windlass_engine::{Engine as _, TaskResult};

use crate::site::{GRACE, Site, app, build_well, run, task, variable};

const DUMP: &str =
    "python3 -c 'import os, json; open(\"env\", \"w\").write(json.dumps(dict(os.environ)))'";

fn odd_values() -> Vec<windlass_engine::Variable> {
    vec![
        variable("LINES_OF_TEXT", "one\ntwo\n"),
        variable("QUOTES", r#"'"`$HOME $(id) \ %s"#),
        variable("UNICODE", "größe 日本 \u{202e} 🦀"),
        variable("EMPTY", ""),
        variable("BLANKS", "  x  "),
        variable("LANG", "C"),
    ]
}

/// What a command saw, without what shells and Python add by themselves.
fn seen(site: &Site, build: &str) -> BTreeMap<String, String> {
    let path = site.data().join("engine/outputs").join(build).join("app/env");
    let mut seen: BTreeMap<String, String> =
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for own in ["PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE"] {
        seen.remove(own);
    }
    seen
}

#[tokio::test]
async fn of_a_build() {
    let (site, mut request) = Site::building(DUMP);
    request.variables = odd_values();
    let engine = site.engine().await;
    build_well(&engine, &request).await;

    let mut seen = seen(&site, &request.build.to_string());
    assert_eq!(seen.remove("CI").as_deref(), Some("true"));
    assert_eq!(seen.remove("WINDLASS_COMMIT").as_deref(), Some(request.commit.as_str()));
    assert_eq!(seen.remove("WINDLASS_BRANCH").as_deref(), Some("main"));
    assert!(seen.remove("PATH").is_some() && seen.remove("HOME").is_some());
    assert_eq!(seen, expected());
}

#[tokio::test]
async fn of_an_app() {
    let (site, request) = Site::building("true");
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    let mut app = app(&request);
    app.variables = odd_values();
    let command = format!("{DUMP}; exec python3 -m http.server --bind 127.0.0.1 $PORT");
    app.start_command = Some(command.parse().unwrap());
    let running = engine.start(&app).await.unwrap();
    engine.stop(app.deployment, GRACE).await.unwrap();

    let mut seen = seen(&site, &request.build.to_string());
    let port = running.addresses[0].port().to_string();
    assert_eq!(seen.remove("PORT"), Some(port));
    for own in ["WINDLASS_COMMIT", "WINDLASS_BRANCH", "PATH", "HOME"] {
        assert!(seen.remove(own).is_some(), "{own}");
    }
    assert_eq!(seen, expected());
}

#[tokio::test]
async fn of_a_task() {
    let (site, request) = Site::building("true");
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    let mut task = task(&request, DUMP);
    task.variables = odd_values();
    let (report, _) = run(&engine, &task).await;
    assert_eq!(report.result, TaskResult::Succeeded, "{report:?}");

    let mut seen = seen(&site, &request.build.to_string());
    for own in ["WINDLASS_COMMIT", "WINDLASS_BRANCH", "PATH", "HOME"] {
        assert!(seen.remove(own).is_some(), "{own}");
    }
    assert_eq!(seen, expected());
}

fn expected() -> BTreeMap<String, String> {
    use secrecy::ExposeSecret as _;
    odd_values()
        .into_iter()
        .map(|it| (it.key.to_string(), it.value.expose_secret().to_owned()))
        .collect()
}
