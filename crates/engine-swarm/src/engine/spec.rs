//! What Docker is asked for: the service of an app, the container of a task, and the network of an
//! environment.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{
    ContainerCreateBody, EndpointPortConfig, EndpointPortConfigProtocolEnum,
    EndpointPortConfigPublishModeEnum, EndpointSpec, EndpointSpecModeEnum, HealthConfig,
    HostConfig, HostConfigLogConfig, Limit, NetworkAttachmentConfig, NetworkCreateRequest,
    RestartPolicy, RestartPolicyNameEnum, ServiceSpec, ServiceSpecMode, ServiceSpecModeReplicated,
    Task, TaskSpec, TaskSpecContainerSpec, TaskSpecContainerSpecPrivileges, TaskSpecLogDriver,
    TaskSpecPlacement, TaskSpecResources, TaskSpecRestartPolicy,
    TaskSpecRestartPolicyConditionEnum,
};
use sha2::{Digest as _, Sha256};
use windlass_domain::{CommandLine, EnvironmentId};
use windlass_engine::{AppLimits, AppRequest, TaskRequest, Variable};
use windlass_engine_kit::order::plain;

use crate::{
    config::SwarmEngineConfig,
    names::{BUILD, DEPLOYMENT, ENVIRONMENT, FIRST_LINE, HEALTHY, MADE_FROM, Namespace, TASK},
};

/// Where apps listen inside of their container, unless they say otherwise.
const PORT: u16 = 8080;
/// How often an app is started again before it is given up, and within which time, in nanoseconds.
const MAX_RESTARTS: i64 = 5;
const WITHIN: i64 = 5 * 60 * SECOND;
const PAUSE: i64 = SECOND / 2;
const SECOND: i64 = 1_000_000_000;
const LOG_DRIVER: &str = "json-file";
/// Into how many files Docker cuts a log.
const SEGMENTS: u64 = 4;

/// What images need that begin as root and become somebody else, as most do. What else Docker
/// would allow them is taken away, above all raw sockets and device files.
const CAPABILITIES: [&str; 7] =
    ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"];

/// An app as it is to be.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) request: &'a AppRequest,
    /// The image, as the swarm finds it.
    pub(super) image: String,
    pub(super) origin: Origin,
    /// The only node that has the image, where there is but one.
    pub(super) node: Option<String>,
}

/// What was built, as the labels of its image say.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) branch: String,
    pub(super) commit: String,
}

/// The environment of whatever runs in what was built: each name once, and ours as we say.
fn environment(
    variables: &[Variable],
    origin: &Origin,
    port: Option<(String, String)>,
) -> Vec<String> {
    let own = [("WINDLASS_BRANCH", &origin.branch), ("WINDLASS_COMMIT", &origin.commit)];
    let own = own.map(|(name, value)| (name.to_owned(), value.clone()));
    let all: BTreeMap<String, String> =
        plain(variables).into_iter().chain(port).chain(own).collect();
    all.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

impl Wanted<'_> {
    fn port(&self) -> u16 {
        self.request.port.unwrap_or(PORT)
    }

    fn environment(&self) -> Vec<String> {
        let port = ("PORT".to_owned(), self.port().to_string());
        environment(&self.request.variables, &self.origin, Some(port))
    }

    /// What tells whether a service is as it is wanted. It grows old where the way changes in which
    /// services are made: that is what the number is for.
    fn made_from(&self) -> String {
        let request = self.request;
        let AppLimits { cpu_millis, memory_bytes, processes, log_bytes } = request.limits;
        let command = request.start_command.as_ref().map(|command| command.as_str().to_owned());
        let limits = [u64::from(cpu_millis), memory_bytes, u64::from(processes), log_bytes];
        let all = (1, &self.image, self.environment(), command, self.port(), limits, &self.node);
        // Strings and numbers can always be written.
        let text = serde_json::to_string(&all).unwrap_or_default();
        format!("{:x}", Sha256::digest(text))
    }

    /// Its service. `healthy` is the task that was the first to be healthy, once one was.
    pub(super) fn service(&self, config: &SwarmEngineConfig, healthy: Option<&str>) -> ServiceSpec {
        let request = self.request;
        let labels = labels(&config.namespace, request);
        let labels: HashMap<String, String> =
            labels.into_iter().chain([(MADE_FROM.to_owned(), self.made_from())]).collect();
        let first_line = request.first_line.to_string();
        let also = [(FIRST_LINE, first_line)].into_iter();
        let also = also.chain(healthy.map(|task| (HEALTHY, task.to_owned())));
        let also = also.map(|(name, value)| (name.to_owned(), value));
        let constraint = self.node.as_ref().map(|node| vec![format!("node.id=={node}")]);
        ServiceSpec {
            name: Some(config.namespace.service(request.deployment)),
            labels: Some(labels.clone().into_iter().chain(also).collect()),
            task_template: Some(TaskSpec {
                container_spec: Some(self.container(config, labels)),
                resources: Some(resources(request.limits)),
                restart_policy: Some(TaskSpecRestartPolicy {
                    condition: Some(TaskSpecRestartPolicyConditionEnum::ANY),
                    delay: Some(PAUSE),
                    max_attempts: Some(MAX_RESTARTS),
                    window: Some(WITHIN),
                }),
                placement: constraint.map(|constraints| TaskSpecPlacement {
                    constraints: Some(constraints),
                    ..TaskSpecPlacement::default()
                }),
                networks: Some(vec![NetworkAttachmentConfig {
                    target: Some(config.namespace.network(request.environment)),
                    ..NetworkAttachmentConfig::default()
                }]),
                log_driver: Some(TaskSpecLogDriver {
                    name: Some(LOG_DRIVER.to_owned()),
                    options: Some(log_options(request.limits)),
                }),
                ..TaskSpec::default()
            }),
            mode: Some(ServiceSpecMode {
                replicated: Some(ServiceSpecModeReplicated { replicas: Some(1) }),
                ..ServiceSpecMode::default()
            }),
            endpoint_spec: Some(EndpointSpec {
                // Virtual addresses need IPVS, which not every kernel has.
                mode: Some(EndpointSpecModeEnum::DNSRR),
                ports: Some(vec![EndpointPortConfig {
                    protocol: Some(EndpointPortConfigProtocolEnum::TCP),
                    target_port: Some(self.port().into()),
                    publish_mode: Some(EndpointPortConfigPublishModeEnum::HOST),
                    ..EndpointPortConfig::default()
                }]),
            }),
            ..ServiceSpec::default()
        }
    }

    /// Whether a task is one of those that are wanted, and not of what was wanted before.
    pub(super) fn is_made_from(&self, task: &Task) -> bool {
        let container = task.spec.as_ref().and_then(|spec| spec.container_spec.as_ref());
        let labels = container.and_then(|container| container.labels.as_ref());
        labels.and_then(|labels| labels.get(MADE_FROM)) == Some(&self.made_from())
    }

    fn container(
        &self,
        config: &SwarmEngineConfig,
        labels: HashMap<String, String>,
    ) -> TaskSpecContainerSpec {
        let command = self.request.start_command.as_ref();
        let grace = i64::try_from(config.stop_grace.as_nanos()).unwrap_or(i64::MAX);
        TaskSpecContainerSpec {
            image: Some(self.image.clone()),
            labels: Some(labels),
            command: command.map(shell),
            env: Some(self.environment()),
            stop_grace_period: Some(grace),
            // A shell that is a container's first process does not hear that it is to end.
            init: Some(true),
            capability_drop: Some(vec!["ALL".to_owned()]),
            capability_add: Some(CAPABILITIES.map(|name| format!("CAP_{name}")).to_vec()),
            privileges: Some(TaskSpecContainerSpecPrivileges {
                no_new_privileges: Some(true),
                ..TaskSpecContainerSpecPrivileges::default()
            }),
            ..TaskSpecContainerSpec::default()
        }
    }
}

/// Whether a service is as it is wanted.
pub(super) fn is_as_wanted(found: &ServiceSpec, wanted: &ServiceSpec) -> bool {
    let of = |spec: &ServiceSpec| spec.labels.as_ref()?.get(MADE_FROM).cloned();
    of(found) == of(wanted)
}

fn labels(namespace: &Namespace, request: &AppRequest) -> HashMap<String, String> {
    HashMap::from([
        namespace.label(),
        (DEPLOYMENT.to_owned(), request.deployment.to_string()),
        (ENVIRONMENT.to_owned(), request.environment.to_string()),
        (BUILD.to_owned(), request.build.to_string()),
    ])
}

fn resources(limits: AppLimits) -> TaskSpecResources {
    let memory_bytes = i64::try_from(limits.memory_bytes).unwrap_or(i64::MAX);
    TaskSpecResources {
        limits: Some(Limit {
            nano_cpus: Some(i64::from(limits.cpu_millis) * 1_000_000),
            memory_bytes: Some(memory_bytes),
            pids: Some(limits.processes.into()),
        }),
        ..TaskSpecResources::default()
    }
}

/// How Docker keeps what is printed, of which the oldest goes first; it takes no file that is empty.
fn log_options(limits: AppLimits) -> HashMap<String, String> {
    let segment = (limits.log_bytes / SEGMENTS).max(64 * 1024);
    HashMap::from([
        ("max-size".to_owned(), segment.to_string()),
        ("max-file".to_owned(), SEGMENTS.to_string()),
    ])
}

fn shell(command: &CommandLine) -> Vec<String> {
    ["/bin/sh", "-c", command.as_str()].map(str::to_owned).to_vec()
}

/// The container of a task: like the app's, but that it ends, and is never started again.
pub(super) fn task(
    config: &SwarmEngineConfig,
    request: &TaskRequest,
    image: String,
    origin: &Origin,
    parent: Option<String>,
) -> ContainerCreateBody {
    let TaskRequest { limits, environment: id, .. } = request;
    let memory_bytes = i64::try_from(limits.memory_bytes).unwrap_or(i64::MAX);
    let labels = [
        config.namespace.label(),
        (TASK.to_owned(), request.task.to_string()),
        (ENVIRONMENT.to_owned(), id.to_string()),
        (BUILD.to_owned(), request.build.to_string()),
    ];
    ContainerCreateBody {
        image: Some(image),
        labels: Some(HashMap::from(labels)),
        entrypoint: Some(shell(&request.command)),
        cmd: Some(Vec::new()),
        env: Some(environment(&request.variables, origin, None)),
        // The image's own would ask whether the app answers.
        healthcheck: Some(HealthConfig {
            test: Some(vec!["NONE".to_owned()]),
            ..HealthConfig::default()
        }),
        host_config: Some(HostConfig {
            nano_cpus: Some(i64::from(limits.cpu_millis) * 1_000_000),
            memory: Some(memory_bytes),
            memory_swap: Some(memory_bytes),
            pids_limit: Some(limits.processes.into()),
            cgroup_parent: parent,
            restart_policy: Some(RestartPolicy {
                name: Some(RestartPolicyNameEnum::NO),
                maximum_retry_count: None,
            }),
            init: Some(true),
            cap_drop: Some(vec!["ALL".to_owned()]),
            cap_add: Some(CAPABILITIES.map(str::to_owned).to_vec()),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            network_mode: Some(config.namespace.network(*id)),
            log_config: Some(HostConfigLogConfig {
                typ: Some(LOG_DRIVER.to_owned()),
                config: Some(log_options(*limits)),
            }),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

/// The network of an environment, on which its apps and nobody else's see each other.
pub(super) fn network(namespace: &Namespace, environment: EnvironmentId) -> NetworkCreateRequest {
    let label = (ENVIRONMENT.to_owned(), environment.to_string());
    NetworkCreateRequest {
        name: namespace.network(environment),
        driver: Some("overlay".to_owned()),
        labels: Some(HashMap::from([namespace.label(), label])),
        // For the containers of tasks, which are no services.
        attachable: Some(true),
        ..NetworkCreateRequest::default()
    }
}
