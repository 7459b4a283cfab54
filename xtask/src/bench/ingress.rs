//! `bench ingress`: the ingress and nginx as proxies in front of the same app.

use std::{
    fs,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use reqwest::Url;
use rustix::process::Signal;
use serde_json::json;
use tokio::net::TcpStream;

use super::{
    Measure, free_port, median,
    wrk::{self, load},
};
use crate::{
    client::Environment,
    git::Repository,
    load::Visitor,
    process::{self, Guarded},
    server::{Launch, Playground},
    terminal::{detail, step},
    tools,
};

const CONNECTIONS: u32 = 32;

pub(super) async fn run(binary: PathBuf, quick: bool) -> anyhow::Result<Vec<Measure>> {
    tools::install(&[tools::GIT, tools::NGINX, tools::WRK]).await?;
    let (rounds, seconds) = if quick { (3, 2) } else { (7, 5) };
    let playground = Playground::new()?;
    let launch = Launch::new(binary, playground.data(), None);
    let server = step("started the server", launch.start()).await?;
    let ingress = server.addresses().ingress.clone();

    let environment = step("deployed the app", deploy(&playground, &launch, &server)).await?;
    let visitor = Visitor::new(&environment.url, &ingress, true)?;
    // The app tells its own port: that is how nginx finds it.
    let app: u16 = visitor.get("/port").await?.trim().parse().context("the app's port")?;
    let (nginx, _guard) = step("started nginx in front of it", nginx(&playground, app)).await?;

    let url = Url::parse(&environment.url)?;
    let host = url.host_str().context("the app's address has no host")?;
    let headers = [format!("Host: {host}")];
    let loads = || async {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            theirs.push(load(&nginx, &headers, CONNECTIONS, seconds)?);
            ours.push(load(&ingress, &headers, CONNECTIONS, seconds)?);
        }
        Ok((ours, theirs))
    };
    let (ours, theirs) = step("loaded both, in turns", loads()).await?;
    let direct = load(&format!("http://127.0.0.1:{app}"), &headers, CONNECTIONS, seconds)?;
    server.stop()?;

    let throughput =
        |results: &[wrk::Result]| median(results.iter().map(|result| result.per_second).collect());
    let latency =
        |results: &[wrk::Result]| median(results.iter().map(|result| result.p99_millis).collect());
    for (name, results) in [("ingress", &ours[..]), ("nginx", &theirs), ("the app", &[direct])] {
        let (per_second, p99) = (throughput(results)?, latency(results)?);
        detail(format_args!("{name:8} {per_second:8.0} answers a second, p99 {p99:.2} ms"));
    }
    let throughput = throughput(&ours)? / throughput(&theirs)?;
    let latency = latency(&ours)? / latency(&theirs)?;
    Ok(vec![
        Measure::at_least(0.6, "×", "throughput of the ingress by nginx's, medians", throughput),
        Measure::at_most(2.0, "×", "p99 of the ingress by nginx's, medians", latency),
    ])
}

/// An app that is never the bottleneck: nginx itself, answering from memory.
async fn deploy(
    playground: &Playground,
    launch: &Launch,
    server: &crate::server::Server,
) -> anyhow::Result<Environment> {
    let path = playground.path().join("app");
    let repository = Repository::empty(path)?;
    let configuration = configuration(
        "listen 127.0.0.1:@PORT@;
         location = /port { return 200 \"$server_port\"; }
         location / { return 200 \"hello\\n\"; }",
        "",
        "/tmp",
    );
    repository.write("nginx.conf", &configuration)?;
    repository.commit("An app that is fast")?;

    let nginx = tools::expect(tools::NGINX)?;
    let start = format!(
        "sed \"s/@PORT@/$PORT/\" nginx.conf > /tmp/nginx.conf && \
         exec {} -p /tmp -e stderr -c /tmp/nginx.conf",
        nginx.display()
    );
    let client = launch.client(server.addresses())?;
    let body = json!({
        "name": "fast",
        "git_url": repository.path(),
        "build_command": "true",
        "start_command": start,
    });
    let project = client.create_project(&body).await?;
    let environment = client.create_environment(&project, "main").await?;
    let first = environment.latest_deployment.as_ref().context("nothing is deployed")?;
    client.live(&first.id).await?;
    Ok(environment)
}

/// Starts the nginx that is compared with; the address and what keeps it running.
async fn nginx(playground: &Playground, app: u16) -> anyhow::Result<(String, Guarded)> {
    let folder = playground.path().join("nginx");
    fs::create_dir_all(&folder)?;
    let port = free_port()?;
    let configuration = configuration(
        &format!(
            "listen 127.0.0.1:{port};
             location / {{
               proxy_pass http://app;
               proxy_http_version 1.1;
               proxy_set_header Connection \"\";
               proxy_set_header Host $host;
               proxy_set_header X-Forwarded-For $remote_addr;
               proxy_set_header X-Forwarded-Proto $scheme;
             }}"
        ),
        &format!("upstream app {{ server 127.0.0.1:{app}; keepalive 64; }}"),
        &folder.to_string_lossy(),
    );
    fs::write(folder.join("nginx.conf"), configuration)?;
    let mut command = process::dies_with_us("TERM", tools::expect(tools::NGINX)?);
    command.arg("-p").arg(&folder).args(["-e", "stderr", "-c"]).arg(folder.join("nginx.conf"));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let guard = Guarded::spawn(&mut command, Signal::TERM, Duration::from_secs(5))?;
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        ensure!(start.elapsed() < Duration::from_secs(10), "nginx does not listen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok((format!("http://127.0.0.1:{port}"), guard))
}

/// One worker that stays in the foreground and writes only into `folder`.
fn configuration(server: &str, upstream: &str, folder: &str) -> String {
    format!(
        "daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/client_body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  {upstream}
  server {{
    {server}
  }}
}}
"
    )
}
