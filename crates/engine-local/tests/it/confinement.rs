//! What builds and apps can't reach.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Stdio};

use windlass_domain::BuildResult;
use windlass_engine::{Engine as _, TaskResult};

use crate::site::{GRACE, Site, app, build, build_well, run, task, text};

/// Tries to break out; each attempt that succeeds prints `reached`.
fn attempts(site: &Site, server: u32) -> String {
    let data = site.data();
    let data = data.display();
    [
        format!("cat {data}/owner.key"),
        format!("ls {data}"),
        format!("ls {data}/engine/outputs"),
        format!("cat {data}/engine/outputs/*/app/secret"),
        "cat /proc/*/root/etc/shadow".to_owned(),
        "cat /etc/shadow".to_owned(),
        format!("cat /proc/{server}/environ | grep CANARY"),
        format!("kill -9 {server}"),
        format!("kill -0 {server}"),
        "cat /proc/1/environ | grep CANARY".to_owned(),
        "touch /usr/x".to_owned(),
        "touch /etc/x".to_owned(),
        "touch /x".to_owned(),
        "mkdir /sys/fs/cgroup/x".to_owned(),
        "echo 1 > /proc/sys/kernel/sysrq".to_owned(),
        "mount -t tmpfs none /opt".to_owned(),
        "python3 -c 'import os; os.setuid(0)'".to_owned(),
        "ls /root".to_owned(),
        "chown 0 /app/README".to_owned(),
    ]
    .map(|attempt| format!("({attempt}) && echo \"reached: {}\"", attempt.replace(['"', '$'], "")))
    .join("\n")
}

/// A process that stands for the server.
struct Server(std::process::Child);

impl Server {
    fn start() -> Self {
        let mut command = std::process::Command::new("sleep");
        command.arg("600").env("CANARY", "1").stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn hide_key(site: &Site) {
    let key = site.data().join("owner.key");
    fs::create_dir_all(site.data()).unwrap();
    fs::write(&key, "secret").unwrap();
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(site.data(), fs::Permissions::from_mode(0o700)).unwrap();
}

#[tokio::test]
async fn a_build_reaches_nothing_but_its_workspace() {
    let mut server = Server::start();
    let (site, mut request) = Site::building("echo secret > secret");
    hide_key(&site);
    let engine = site.engine().await;
    let is_unconfined = |warning: &String| warning.contains("not confined");
    assert!(!engine.warnings().iter().any(is_unconfined), "{:?}", engine.warnings());
    build_well(&engine, &request).await;

    request = site.request(request.commit);
    request.project = windlass_domain::ProjectId::generate(crate::site::effects());
    let command = format!("{}\nid -u; echo finished", attempts(&site, server.0.id()));
    request.recipe.build_command = Some(command.parse().unwrap());
    request.recipe.start_command = Some("true".parse().unwrap());
    let (report, lines) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::Built, "{report:?}");
    let printed: Vec<&str> = lines.iter().skip(2).map(|line| line.text.as_str()).collect();
    assert!(printed.contains(&"finished"), "{}", text(&lines));
    assert!(!printed.iter().any(|line| line.starts_with("reached")), "{}", printed.join("\n"));
    assert!(!printed.contains(&"0"), "it ran as root");
    assert!(server.0.try_wait().unwrap().is_none());
}

#[tokio::test]
async fn an_app_reaches_nothing_but_its_workspace() {
    let mut server = Server::start();
    let (site, request) = Site::building("true");
    hide_key(&site);
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    let mut app = app(&request);
    let command = format!(
        "({}) > result 2>&1\nid -u >> result; echo finished >> result\n\
         exec python3 -m http.server --bind 127.0.0.1 $PORT",
        attempts(&site, server.0.id())
    );
    app.start_command = Some(command.parse().unwrap());
    engine.start(&app).await.unwrap();
    engine.stop(app.deployment, GRACE).await.unwrap();
    let output = site.data().join("engine/outputs").join(request.build.to_string());
    let result = fs::read_to_string(output.join("app/result")).unwrap();
    assert!(result.ends_with("finished\n"), "{result}");
    assert!(!result.lines().any(|line| line == "0" || line.starts_with("reached")), "{result}");
    assert!(server.0.try_wait().unwrap().is_none());
}

#[tokio::test]
async fn a_task_reaches_nothing_but_its_workspace() {
    let mut server = Server::start();
    let (site, request) = Site::building("true");
    hide_key(&site);
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    let command = format!("{}\nid -u; echo finished", attempts(&site, server.0.id()));
    let (report, lines) = run(&engine, &task(&request, &command)).await;
    assert_eq!(report.result, TaskResult::Succeeded, "{report:?}");
    let printed: Vec<&str> = lines.iter().skip(1).map(|line| line.text.as_str()).collect();
    assert!(printed.contains(&"finished"), "{}", text(&lines));
    assert!(!printed.iter().any(|line| *line == "0" || line.starts_with("reached")), "{printed:?}");
    assert!(server.0.try_wait().unwrap().is_none());
}

#[tokio::test]
async fn no_secret_is_written_to_the_disk() {
    let (site, mut request) = Site::building("sleep 0.2");
    request.variables.push(crate::site::variable("TOKEN", "s3cr3t-canary"));
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    let mut task = task(&request, "sleep 0.2");
    task.variables.clone_from(&request.variables);
    assert_eq!(run(&engine, &task).await.0.result, TaskResult::Succeeded);
    let found = std::process::Command::new("grep")
        .args(["-r", "s3cr3t-canary"])
        .arg(site.data())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
}

#[tokio::test]
async fn what_a_build_may_read_besides_can_be_configured() {
    let (site, request) = Site::building("cat $EXTRA/file && ! touch $EXTRA/other");
    let extra = tempfile::tempdir().unwrap();
    fs::write(extra.path().join("file"), "extra\n").unwrap();
    fs::set_permissions(extra.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut config = site.config();
    config.read_only_paths = vec![extra.path().to_owned()];
    let engine = windlass_engine_local::LocalEngine::open(config).await.unwrap();
    let mut request = request;
    request.variables.push(crate::site::variable("EXTRA", extra.path().to_str().unwrap()));
    build_well(&engine, &request).await;
}
