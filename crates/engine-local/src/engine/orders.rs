//! Makes orders out of requests, and hands them to new supervisors.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use secrecy::ExposeSecret as _;
use tokio::{io::AsyncWriteExt as _, process::Command, time::Instant};
use windlass_domain::Protocol;
use windlass_engine::{AppRequest, BuildRequest, EngineError, Variable};

use super::{BEGIN, Shared, internal};
use crate::{
    confinement::{Identity, write_accounts},
    files::{names, read_json},
    layout::{HOME, STATE, TEMP, WORKSPACE, make_folder},
    order::{AppOrder, BuildOrder, Launcher, Limits, Order, Place},
    prepare::{PrepareOrder, RecipeOrder},
    record::{AppRecord, Output, StartHow},
};

impl Shared {
    pub(super) fn build_order(&self, request: &BuildRequest) -> io::Result<Order> {
        let identity = self.owners.of(request.project)?;
        let output = self.layout.output(request.build);
        let temp = output.join(TEMP);
        make_folder(&output, 0o711)?;
        for folder in [&output.join(WORKSPACE), &output.join(HOME), &temp] {
            make_owned(folder, identity)?;
        }
        let us = Identity {
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
        };
        write_accounts(&output, identity.unwrap_or(us))?;

        let source = request.source.as_str();
        let is_local = request.source.protocol() == Protocol::File;
        let local_source =
            is_local.then(|| PathBuf::from(source.strip_prefix("file://").unwrap_or(source)));
        let limits = request.limits;
        let recipe = &request.recipe;
        let prepare = PrepareOrder {
            url: source.to_owned(),
            branch: request.branch.to_string(),
            commit: request.commit.to_string(),
            allow_local: self.config.allow_local_git,
            git_environment: self.config.git_environment.clone(),
            timeout_millis: millis(limits.wall),
            recipe: RecipeOrder {
                dockerfile: recipe.dockerfile.clone(),
                build_context: recipe.build_context.clone(),
                build_command: recipe.build_command.clone().map(Into::into),
                start_command: recipe.start_command.clone().map(Into::into),
            },
        };
        let group = self.hierarchy.group(&request.build.to_string());
        Ok(Order::Build(Box::new(BuildOrder {
            build: request.build,
            prepare,
            variables: plain(&request.variables),
            limits: Limits {
                cpu_millis: limits.cpu_millis,
                memory_bytes: limits.memory_bytes,
                processes: limits.processes,
                disk_bytes: Some(limits.disk_bytes),
            },
            wall_millis: millis(limits.wall),
            log_bytes: limits.log_bytes,
            place: self.place(output, temp, group, identity),
            fetch_group: self.hierarchy.group(&format!("{}.fetch", request.build)),
            local_source,
        })))
    }

    pub(super) fn app_order(&self, request: &AppRequest, output: Output) -> io::Result<Order> {
        let Output { mut start, identity } = output;
        if let Some(command) = &request.start_command {
            start.how = StartHow::Command(command.as_str().to_owned());
        }
        let temp = self.layout.app_temp(request.deployment);
        make_owned(&temp, identity)?;
        let group = self.hierarchy.group(&request.deployment.to_string());
        let limits = request.limits;
        Ok(Order::App(Box::new(AppOrder {
            deployment: request.deployment,
            environment: request.environment,
            build: request.build,
            start,
            variables: plain(&request.variables),
            port: self.free_port()?,
            health_path: request.health_path.clone(),
            start_timeout_millis: millis(request.start_timeout),
            limits: Limits {
                cpu_millis: limits.cpu_millis,
                memory_bytes: limits.memory_bytes,
                processes: limits.processes,
                disk_bytes: None,
            },
            log_bytes: limits.log_bytes,
            place: self.place(self.layout.output(request.build), temp, group, identity),
        })))
    }

    fn place(
        &self,
        output: PathBuf,
        temp: PathBuf,
        group: crate::cgroup::Group,
        identity: Option<Identity>,
    ) -> Place {
        let supervisor = &self.config.supervisor;
        Place {
            output,
            temp,
            group,
            identity,
            confinement: self.confinement.clone(),
            launcher: Launcher {
                program: supervisor.program.clone(),
                arguments: supervisor.arguments.clone(),
            },
        }
    }

    /// A port that nobody listens on, and that no app of ours comes back to.
    fn free_port(&self) -> io::Result<u16> {
        let apps = names(&self.layout.apps()).into_iter();
        let taken: Vec<u16> = apps
            .filter_map(|app| read_json::<AppRecord>(&self.layout.app(app).join(STATE)).ok()?)
            .map(|record| record.port)
            .collect();
        let mut held = Vec::new();
        for _ in 0..1_000 {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let port = listener.local_addr()?.port();
            if !taken.contains(&port) {
                return Ok(port);
            }
            held.push(listener);
        }
        Err(io::Error::other("there is no free port"))
    }

    /// Starts a supervisor and returns once it has begun.
    pub(super) async fn supervise(&self, folder: &Path, order: &Order) -> Result<(), EngineError> {
        let failed = || internal("starting a supervisor");
        let text = serde_json::to_vec(order).map_err(internal("writing an order"))?;
        let supervisor = &self.config.supervisor;
        let mut child = Command::new(&supervisor.program)
            .args(&supervisor.arguments)
            .arg("supervise")
            .arg(folder)
            .current_dir("/")
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed())?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(&text).await.map_err(failed())?;
        }
        // Reaped whenever it ends; that is all a child needs from its parent here.
        let mut ended = tokio::spawn(async move { child.wait().await });
        let mut wake = self.names.watch(folder);
        let deadline = Instant::now() + BEGIN;
        while !folder.join(STATE).exists() {
            tokio::select! {
                status = &mut ended => {
                    let text = format!("it ended at once: {status:?}");
                    return Err(failed()(io::Error::other(text)));
                }
                () = wake.wait(Duration::from_millis(100)) => {}
            }
            if deadline < Instant::now() {
                return Err(failed()(io::Error::other("it does not begin")));
            }
        }
        Ok(())
    }
}

/// Makes a folder that belongs to whom commands run as.
fn make_owned(folder: &Path, identity: Option<Identity>) -> io::Result<()> {
    make_folder(folder, 0o700)?;
    // Whatever mask the server has.
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    match identity {
        Some(Identity { uid, gid }) => chown(folder, Some(uid), Some(gid)),
        None => Ok(()),
    }
}

fn plain(variables: &[Variable]) -> Vec<(String, String)> {
    let pair = |variable: &Variable| {
        (variable.key.as_str().to_owned(), variable.value.expose_secret().to_owned())
    };
    variables.iter().map(pair).collect()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
