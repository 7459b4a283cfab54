//! Machines that are not there.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
};

use windlass_domain::{Availability, DeploymentId, NodeName, NodeRole, NodeState};

use super::FakeEngine;
use crate::{Admission, AppState, EngineError, ObservedNode};

/// Where the only manager is said to listen.
const MANAGER_PORT: u16 = 2_377;

impl FakeEngine {
    /// Another machine joins: a worker that is ready.
    pub fn add_node(&self, name: &NodeName) {
        self.state().nodes.add(name);
    }

    /// A machine is lost or comes back. The apps of one that is down go elsewhere, or begin again
    /// and again where there is no other.
    pub fn set_node(&self, node: &NodeName, state: NodeState) {
        let (moved, stranded) = self.state().nodes.set_state(node, state);
        for app in stranded {
            self.set_app(app, AppState::Restarting { restarts: 0 });
        }
        self.tell(&moved);
    }

    /// From now on this engine is one that runs on a single machine.
    pub fn run_alone(&self) {
        self.state().nodes.run_alone();
    }

    /// Says that these apps have changed.
    pub(super) fn tell(&self, apps: &[DeploymentId]) {
        for app in apps {
            self.inner.changed(*app);
        }
    }
}

/// The machines, and which apps are on them.
pub(super) struct Nodes {
    all: Vec<ObservedNode>,
    placed: BTreeMap<DeploymentId, NodeName>,
    /// How often the token was changed.
    rotations: u32,
    is_alone: bool,
}

impl Default for Nodes {
    /// One manager, which runs apps as well.
    fn default() -> Self {
        let mut nodes =
            Self { all: Vec::new(), placed: BTreeMap::new(), rotations: 0, is_alone: false };
        if let Ok(name) = "node-1".parse() {
            nodes.all.push(node(&name, NodeRole::Manager));
        }
        nodes
    }
}

/// Those that went elsewhere, and those for which there was no place.
type Moved = (Vec<DeploymentId>, Vec<DeploymentId>);

impl Nodes {
    pub(super) fn add(&mut self, name: &NodeName) {
        if self.find(name).is_none() {
            self.all.push(node(name, NodeRole::Worker));
        }
    }

    pub(super) fn run_alone(&mut self) {
        self.is_alone = true;
    }

    /// Puts an app on the machine that has the fewest.
    pub(super) fn place(&mut self, app: DeploymentId) -> Result<(), EngineError> {
        let node = self.free_node().ok_or_else(|| refused("no node takes apps now"))?;
        self.placed.insert(app, node);
        Ok(())
    }

    pub(super) fn leave(&mut self, app: DeploymentId) {
        self.placed.remove(&app);
    }

    pub(super) fn leave_all(&mut self) {
        self.placed.clear();
    }

    pub(super) fn observed(&self, running: &[DeploymentId]) -> Vec<ObservedNode> {
        let with_apps = |node: &ObservedNode| {
            let is_here = |app: &&DeploymentId| self.placed.get(app) == Some(&node.name);
            let apps = running.iter().filter(is_here).copied().collect();
            ObservedNode { apps, ..node.clone() }
        };
        self.all.iter().map(with_apps).collect()
    }

    pub(super) fn admission(&self) -> Result<Admission, EngineError> {
        self.together()?;
        let token = format!("join-{}", self.rotations).into();
        let managers = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, MANAGER_PORT))];
        Ok(Admission { token, managers })
    }

    pub(super) fn rotate(&mut self) -> Result<Admission, EngineError> {
        self.together()?;
        self.rotations += 1;
        self.admission()
    }

    /// The apps that went elsewhere.
    pub(super) fn set_availability(
        &mut self,
        name: &NodeName,
        availability: Availability,
    ) -> Result<Vec<DeploymentId>, EngineError> {
        self.together()?;
        let node = self.find(name).ok_or_else(|| refused(&format!("there is no node {name}")))?;
        let before = std::mem::replace(&mut node.availability, availability);
        if availability != Availability::Drained || self.apps_on(name).is_empty() {
            return Ok(Vec::new());
        }
        if self.free_node().is_none() {
            if let Some(node) = self.find(name) {
                node.availability = before;
            }
            return Err(refused("its apps could run nowhere else"));
        }
        Ok(self.evacuate(name).0)
    }

    pub(super) fn set_state(&mut self, name: &NodeName, state: NodeState) -> Moved {
        if let Some(node) = self.find(name) {
            node.state = state;
        }
        if state == NodeState::Down { self.evacuate(name) } else { Moved::default() }
    }

    pub(super) fn remove(&mut self, name: &NodeName) -> Result<(), EngineError> {
        self.together()?;
        let Some(node) = self.find(name) else { return Ok(()) };
        if node.role == NodeRole::Manager {
            return Err(refused("the last manager cannot be removed"));
        }
        if node.availability != Availability::Drained && node.state != NodeState::Down {
            return Err(refused("only a node that is drained or down can be removed"));
        }
        self.all.retain(|node| node.name != *name);
        Ok(())
    }

    /// Refuses what an engine with one machine cannot do.
    fn together(&self) -> Result<(), EngineError> {
        if self.is_alone { Err(refused("this engine runs on this machine alone")) } else { Ok(()) }
    }

    fn find(&mut self, name: &NodeName) -> Option<&mut ObservedNode> {
        self.all.iter_mut().find(|node| node.name == *name)
    }

    fn apps_on(&self, name: &NodeName) -> Vec<DeploymentId> {
        let here = self.placed.iter().filter(|(_, node)| *node == name);
        here.map(|(app, _)| *app).collect()
    }

    fn free_node(&self) -> Option<NodeName> {
        let is_free = |node: &&ObservedNode| {
            node.availability == Availability::Active && node.state == NodeState::Ready
        };
        let free = self.all.iter().filter(is_free).map(|node| &node.name);
        free.min_by_key(|name| self.apps_on(name).len()).cloned()
    }

    fn evacuate(&mut self, name: &NodeName) -> Moved {
        let mut moved = Moved::default();
        for app in self.apps_on(name) {
            self.leave(app);
            match self.place(app) {
                Ok(()) => moved.0.push(app),
                Err(_) => moved.1.push(app),
            }
        }
        moved
    }
}

fn node(name: &NodeName, role: NodeRole) -> ObservedNode {
    ObservedNode {
        name: name.clone(),
        hostname: name.to_string(),
        role,
        availability: Availability::Active,
        state: NodeState::Ready,
        address: Some(Ipv4Addr::LOCALHOST.into()),
        labels: BTreeMap::new(),
        cpu_millis: 4_000,
        memory_bytes: 8 << 30,
        version: "1".to_owned(),
        apps: Vec::new(),
    }
}

fn refused(text: &str) -> EngineError {
    EngineError::Refused(text.to_owned())
}
