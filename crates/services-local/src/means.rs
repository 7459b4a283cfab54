//! What all services need: the folder, its ports, its trash, and what the operator decided.

use std::io;

use windlass_services::ServiceError;

use crate::{config::ServicesConfig, files::Trash, layout::Layout, ports::Ports};

/// What services are made with.
#[derive(Debug)]
pub(crate) struct Means {
    pub(crate) config: ServicesConfig,
    pub(crate) layout: Layout,
    pub(crate) ports: Ports,
    pub(crate) trash: Trash,
}

impl Means {
    pub(crate) fn open(config: ServicesConfig, layout: Layout) -> Result<Self, ServiceError> {
        let failed = || ServiceError::unavailable::<io::Error>("opening the folder for services");
        let ports = Ports::open(layout.ports(), config.ports.clone()).map_err(failed())?;
        let trash = Trash::open(layout.trash()).map_err(failed())?;
        Ok(Self { config, layout, ports, trash })
    }
}
