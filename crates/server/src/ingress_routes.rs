//! Connects what the use cases say about routes with the ingress.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    time::Duration,
};

use async_trait::async_trait;
use futures_util::future::join_all;
use windlass_control::{RouteTarget, Routes};
use windlass_domain::HostLabel;
use windlass_ingress::{Drained, Ingress, Outage, Target};

/// The ingress, as the use cases see it.
pub(crate) struct IngressRoutes(pub(crate) Ingress);

#[async_trait]
impl Routes for IngressRoutes {
    fn replace(&self, table: HashMap<HostLabel, RouteTarget>) {
        let routes = table.into_iter().map(|(host, to)| (host.to_string(), target(&host, to)));
        self.0.routes().replace_all(routes);
    }

    async fn drained(&self, addresses: &[SocketAddr], at_most: Duration) {
        let drains = addresses.iter().map(|address| self.0.drain(*address, at_most));
        for (address, drained) in addresses.iter().zip(join_all(drains).await) {
            if let Drained::TimedOut { left } = drained {
                tracing::warn!(%address, left, "requests are cut off with the app they went to");
            }
        }
    }

    fn take_visits(&self) -> HashSet<HostLabel> {
        let labels = self.0.take_visits();
        labels.into_iter().filter_map(|label| label.parse().ok()).collect()
    }
}

fn target(host: &HostLabel, to: RouteTarget) -> Target {
    match to {
        RouteTarget::App(addresses) => Target::App { id: host.to_string(), addresses },
        RouteTarget::Starting => Target::Starting {
            message: "The app is being started and will answer in a moment.".to_owned(),
        },
        RouteTarget::Waking => Target::Waking {
            message: "The app is being started again and will answer in a moment.".to_owned(),
        },
        RouteTarget::Asleep => Target::Asleep {
            message: "Nobody came for a while, so the app was paused. It is being woken up."
                .to_owned(),
        },
        RouteTarget::Paused => Target::Unavailable {
            reason: Outage::Paused,
            message: "This environment is paused.".to_owned(),
        },
        RouteTarget::Stopped => Target::Unavailable {
            reason: Outage::Stopped,
            message: "This environment is being taken down.".to_owned(),
        },
        RouteTarget::Down => Target::Unavailable {
            reason: Outage::Failed,
            message: "The app has failed. Its log and its latest deployment tell why.".to_owned(),
        },
    }
}
