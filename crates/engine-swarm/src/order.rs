//! What a supervisor is told, over its standard input.

use bollard::models::ContainerCreateBody;
use serde::{Deserialize, Serialize};
use windlass_domain::{BuildId, ProjectId};
use windlass_engine_kit::{
    cgroup::Group,
    checkout::CheckoutOrder,
    order::{Limits, RecipeOrder},
};

use crate::{
    config::{BaseImages, Registry},
    daemon::Endpoint,
    names::Namespace,
};

/// Everything that a supervisor does in its life.
#[derive(Serialize, Deserialize)]
pub(crate) enum Order {
    Build(Box<BuildOrder>),
    Task(Box<TaskOrder>),
}

#[derive(Serialize, Deserialize)]
pub(crate) struct BuildOrder {
    pub(crate) build: BuildId,
    pub(crate) project: ProjectId,
    pub(crate) checkout: CheckoutOrder,
    pub(crate) recipe: RecipeOrder,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) limits: Limits,
    pub(crate) wall_millis: u64,
    pub(crate) log_bytes: u64,
    pub(crate) endpoint: Endpoint,
    pub(crate) namespace: Namespace,
    pub(crate) registry: Option<Registry>,
    pub(crate) base_images: BaseImages,
    /// Whose the containers are in which the steps run: nothing else of the daemon's has it.
    pub(crate) parent: String,
    /// That parent as a control group, where this machine has it.
    pub(crate) group: Group,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct TaskOrder {
    /// The name of its container, which nothing else has.
    pub(crate) name: String,
    pub(crate) container: ContainerCreateBody,
    pub(crate) command: String,
    pub(crate) limits: Limits,
    pub(crate) wall_millis: u64,
    pub(crate) log_bytes: u64,
    pub(crate) endpoint: Endpoint,
    /// The parent of its container as a control group, where this machine has it.
    pub(crate) group: Group,
}
