//! Makes orders out of requests, and hands them to new supervisors.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
};

use windlass_domain::Protocol;
use windlass_engine::{AppRequest, BuildRequest, EngineError, TaskRequest};
use windlass_engine_kit::{
    cgroup::Group,
    checkout::CheckoutOrder,
    faults::internal,
    files::{STATE, make_folder, names, read_json},
    order::{millis, plain},
    recognise::StartHow,
};

use super::Shared;
use crate::{
    confinement::{Identity, write_accounts},
    layout::{HOME, TEMP, WORKSPACE},
    order::{AppOrder, BuildOrder, Launcher, Order, Place, TaskOrder},
    prepare::PrepareOrder,
    record::{AppRecord, Output},
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
        let (allow_local, variables) =
            (self.config.allow_local_git, self.config.git_environment.clone());
        let prepare = PrepareOrder {
            checkout: CheckoutOrder::new(request, allow_local, variables),
            recipe: (&request.recipe).into(),
        };
        let group = self.hierarchy.group(&request.build.to_string());
        Ok(Order::Build(Box::new(BuildOrder {
            build: request.build,
            prepare,
            variables: plain(&request.variables),
            limits: (&limits).into(),
            wall_millis: millis(limits.wall),
            log_bytes: limits.log_bytes,
            place: self.place(output, temp, group, identity),
            fetch_group: self.hierarchy.group(&format!("{}.fetch", request.build)),
            local_source,
        })))
    }

    pub(super) fn task_order(&self, request: &TaskRequest, output: Output) -> io::Result<Order> {
        let Output { start, identity } = output;
        let temp = self.layout.temp(request.task);
        make_owned(&temp, identity)?;
        let group = self.hierarchy.group(&request.task.to_string());
        let place = self.place(self.layout.output(request.build), temp, group, identity);
        Ok(Order::Task(Box::new(TaskOrder {
            start,
            command: request.command.as_str().to_owned(),
            variables: plain(&request.variables),
            limits: (&request.limits).into(),
            wall_millis: millis(request.wall),
            log_bytes: request.limits.log_bytes,
            place,
        })))
    }

    pub(super) fn app_order(&self, request: &AppRequest, output: Output) -> io::Result<Order> {
        let Output { mut start, identity } = output;
        if let Some(command) = &request.start_command {
            start.how = StartHow::Command(command.as_str().to_owned());
        }
        let temp = self.layout.temp(request.deployment);
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
            limits: (&limits).into(),
            log_bytes: limits.log_bytes,
            place: self.place(self.layout.output(request.build), temp, group, identity),
        })))
    }

    fn place(
        &self,
        output: PathBuf,
        temp: PathBuf,
        group: Group,
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
        self.supervisors.start(folder, &write(order)?).await
    }
}

/// An order as its supervisor reads it.
pub(super) fn write(order: &Order) -> Result<Vec<u8>, EngineError> {
    serde_json::to_vec(order).map_err(internal("writing an order"))
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
