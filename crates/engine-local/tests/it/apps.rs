//! Apps: started, watched, stopped.

use std::time::Duration;

use windlass_domain::BuildResult;
use windlass_engine::{AppState, Engine as _, EngineError};

use crate::site::{GRACE, LONG, Site, app, assert_gone, build, build_well, collect, get, text};

const SERVER: &str = r#"
import http.server, os, signal, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(500 if self.path == "/broken" else 200)
        self.end_headers()
        self.wfile.write(("hello " + os.environ.get("NAME", "")).encode())
        if self.path == "/end":
            os._exit(5)
    def log_message(self, *args):
        pass
def end(*args):
    print("goodbye", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
server = http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
print("ready", flush=True)
server.serve_forever()
"#;

fn serving() -> (Site, windlass_engine::BuildRequest) {
    let site = Site::new();
    let commit = site.commit(&[("server.py", SERVER), ("Procfile", "web: python3 server.py\n")]);
    let request = site.request(commit);
    (site, request)
}

#[tokio::test]
async fn an_app_is_built_started_followed_and_stopped() {
    let (site, request) = serving();
    let engine = site.engine().await;
    let report = build_well(&engine, &request).await;
    assert_eq!(report.result, BuildResult::Built);

    let mut app = app(&request);
    app.health_path = Some("/".to_owned());
    app.variables.push(crate::site::variable("NAME", "world"));
    let mut changes = engine.changes();
    let running = engine.start(&app).await.unwrap();
    assert!(get(running.addresses[0], "/").await.contains("hello world"));
    let first = tokio::time::timeout(LONG, changes.recv()).await.unwrap().unwrap();
    assert_eq!(first, app.deployment);
    assert_eq!(engine.start(&app).await.unwrap(), running);
    let observed = engine.observe().await.unwrap();
    assert_eq!(observed.len(), 1);
    assert_eq!(observed[0].state, AppState::Running(running));

    let (sender, lines) = collect();
    let follow = engine.follow(app.deployment, 0, sender);
    let stop = engine.stop(app.deployment, GRACE);
    let (followed, stopped) = tokio::join!(follow, stop);
    followed.unwrap();
    stopped.unwrap();
    let lines = text(&lines.await.unwrap());
    assert!(lines.contains("ready") && lines.contains("goodbye"), "{lines}");
    assert_eq!(engine.observe().await.unwrap(), []);
    engine.stop(app.deployment, GRACE).await.unwrap();
}

#[tokio::test]
async fn a_shell_lets_its_commands_end_in_peace() {
    let (site, request) = serving();
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    let mut app = app(&request);
    app.start_command = Some("echo before; python3 server.py; echo after".parse().unwrap());
    engine.start(&app).await.unwrap();
    let (sender, lines) = collect();
    let (followed, stopped) =
        tokio::join!(engine.follow(app.deployment, 0, sender), engine.stop(app.deployment, GRACE));
    followed.unwrap();
    stopped.unwrap();
    let lines = text(&lines.await.unwrap());
    assert!(lines.contains("goodbye") && lines.contains("after"), "{lines}");
}

#[tokio::test]
async fn an_app_that_does_not_want_to_end_is_forced() {
    let (site, request) = serving();
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    let mut app = app(&request);
    let stubborn = "trap '' TERM; python3 -m http.server --bind 127.0.0.1 $PORT & \
                    while :; do sleep 98765.5; done";
    app.start_command = Some(stubborn.parse().unwrap());
    engine.start(&app).await.unwrap();
    engine.stop(app.deployment, Duration::from_millis(300)).await.unwrap();
    assert_gone("98765.5");
}

#[tokio::test]
async fn a_static_site_is_served_without_its_secrets() {
    let site = Site::new();
    let commit = site.commit(&[("index.html", "<h1>hi</h1>"), ("style.css", "a{}")]);
    let request = site.request(commit);
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    let app = app(&request);
    let running = engine.start(&app).await.unwrap();
    let index = get(running.addresses[0], "/").await;
    assert!(index.contains("text/html") && index.contains("<h1>hi</h1>"), "{index}");
    assert!(get(running.addresses[0], "/style.css").await.contains("text/css"));
    for hidden in ["/.git/config", "/%2egit/config", "/../../etc/passwd", "/missing"] {
        assert!(get(running.addresses[0], hidden).await.starts_with("HTTP/1.1 404"), "{hidden}");
    }
    engine.stop(app.deployment, GRACE).await.unwrap();
}

#[tokio::test]
async fn a_node_project_is_installed_and_started() {
    let site = Site::new();
    let server = "require('http').createServer((q, s) => s.end('node')).listen(process.env.PORT)";
    let package = r#"{"name":"x","version":"1.0.0","scripts":{"start":"node server.js"}}"#;
    let request = site.request(site.commit(&[("package.json", package), ("server.js", server)]));
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    let app = app(&request);
    let running = engine.start(&app).await.unwrap();
    assert!(get(running.addresses[0], "/").await.ends_with("node"));
    engine.stop(app.deployment, GRACE).await.unwrap();
}

async fn start_error(
    command: &str,
    change: impl FnOnce(&mut windlass_engine::AppRequest),
) -> String {
    let (site, request) = serving();
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    let mut app = app(&request);
    app.start_command = Some(command.parse().unwrap());
    change(&mut app);
    let error = engine.start(&app).await.unwrap_err();
    assert!(matches!(error, EngineError::Refused(_)), "{error}");
    assert_eq!(engine.observe().await.unwrap(), []);
    error.to_string()
}

#[tokio::test]
async fn an_app_that_never_listens_is_told_what_is_expected() {
    let error = start_error("echo waiting; sleep 98765.6", |app| {
        app.start_timeout = Duration::from_secs(1);
    })
    .await;
    for part in ["not healthy after 1 s", "nothing listens on 127.0.0.1:", "PORT", "waiting"] {
        assert!(error.contains(part), "{error}");
    }
    assert_gone("98765.6");
}

#[tokio::test]
async fn an_app_that_ends_at_once_is_told_how_and_what_it_said() {
    let error = start_error("echo oh no >&2; exit 4", |_| {}).await;
    let expected = "the app ended before it was healthy: exit status 4; its last lines:\noh no";
    assert_eq!(error, expected);
}

#[tokio::test]
async fn an_unhealthy_answer_is_named() {
    let error = start_error("python3 server.py", |app| {
        app.health_path = Some("/broken".to_owned());
        app.start_timeout = Duration::from_secs(2);
    })
    .await;
    assert!(error.contains("GET /broken was answered with status 500"), "{error}");
}

#[tokio::test]
async fn fixed_ports_and_misleading_health_paths_are_refused() {
    let error = start_error("true", |app| app.port = Some(8080)).await;
    assert!(error.contains("port 8080"), "{error}");
    let error = start_error("true", |app| app.health_path = Some("/\r\nX: y".to_owned())).await;
    assert!(error.contains("health_path"), "{error}");
}

#[tokio::test]
async fn what_was_not_built_cannot_be_started() {
    let (site, request) = Site::building("exit 1");
    let engine = site.engine().await;
    build(&engine, &request).await.unwrap();
    let error = engine.start(&app(&request)).await.unwrap_err();
    assert!(matches!(error, EngineError::Refused(_)), "{error}");
}

#[tokio::test]
async fn an_app_that_keeps_crashing_is_given_up_with_its_last_lines() {
    let (site, request) = serving();
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    let mut app = app(&request);
    // Healthy at first, until it is asked to end; from then on it ends at once.
    let crashing = "test -e crashed || python3 server.py; touch crashed; echo crashed; exit 5";
    app.start_command = Some(crashing.parse().unwrap());
    let mut changes = engine.changes();
    let running = engine.start(&app).await.unwrap();
    get(running.addresses[0], "/end").await;

    let mut was_restarting = false;
    let reason = loop {
        let observed = engine.observe().await.unwrap();
        match observed[0].state.clone() {
            AppState::Crashed { reason } => break reason,
            AppState::Restarting { restarts } => was_restarting |= 1 <= restarts,
            AppState::Starting | AppState::Running(_) | AppState::Stopped => {}
        }
        tokio::time::timeout(LONG, changes.recv()).await.unwrap().unwrap();
    };
    assert!(was_restarting);
    assert!(reason.contains("exit status 5") && reason.contains("crashed"), "{reason}");

    // Its lines can still be read, over all its restarts.
    let (sender, lines) = collect();
    engine.follow(app.deployment, 0, sender).await.unwrap();
    let lines = lines.await.unwrap();
    assert_eq!(text(&lines).matches("\ncrashed").count(), 6);
    assert!(lines.iter().enumerate().all(|(index, line)| line.number == index as u64));
    engine.stop(app.deployment, GRACE).await.unwrap();
}
