//! What a build is asked for from the daemon, and what becomes of its image.

use std::{collections::HashMap, time::Duration};

use bollard::{
    BollardRequest, Docker,
    auth::DockerCredentials,
    errors::Error,
    query_parameters::{BuildImageOptions, PushImageOptions, RemoveImageOptions},
};
use form_urlencoded::Serializer;
use futures_util::StreamExt as _;
use http::{Uri, uri::PathAndQuery};
use secrecy::ExposeSecret as _;
use windlass_engine_kit::{log::Log, order::Limits};

use super::push::Progress;
use crate::{
    config::Registry,
    daemon::found,
    names::{BRANCH, BUILD, COMMIT, PROJECT},
    order::BuildOrder,
};

/// The length of the periods in which CPU time is dealt out, in microseconds.
const PERIOD_MICROS: u64 = 100_000;

/// The image of a build.
pub(super) struct Image<'a> {
    order: &'a BuildOrder,
    name: String,
}

impl<'a> Image<'a> {
    pub(super) fn new(order: &'a BuildOrder) -> Self {
        let registry = order.registry.as_ref().map(|registry| registry.address.as_str());
        Self { order, name: order.namespace.image(registry, order.build) }
    }

    /// How it is asked for.
    pub(super) fn options(&self, dockerfile: String) -> BuildImageOptions {
        let BuildOrder { build, project, checkout, variables, namespace, .. } = self.order;
        let own = [
            ("CI", "true"),
            ("WINDLASS_BRANCH", &checkout.branch),
            ("WINDLASS_COMMIT", &checkout.commit),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let labels = [
            namespace.label(),
            (BUILD.to_owned(), build.to_string()),
            (PROJECT.to_owned(), project.to_string()),
            (BRANCH.to_owned(), checkout.branch.clone()),
            (COMMIT.to_owned(), checkout.commit.clone()),
        ];
        BuildImageOptions {
            dockerfile,
            t: Some(self.name.clone()),
            rm: true,
            forcerm: true,
            buildargs: Some(variables.iter().cloned().chain(own).collect()),
            labels: Some(HashMap::from(labels)),
            ..BuildImageOptions::default()
        }
    }

    /// How large it is, in bytes; with what it is built on.
    pub(super) async fn bytes(&self, docker: &Docker) -> Result<u64, Error> {
        let size = docker.inspect_image(&self.name).await?.size;
        Ok(size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0))
    }

    /// Brings it to the registry, where there is one, and tells the log how far it has come.
    pub(super) async fn push(&self, docker: &Docker, log: &Log) -> Result<(), Error> {
        let Some(registry) = &self.order.registry else { return Ok(()) };
        log.say(&format!("Pushing the image to {}", registry.address));
        let options = PushImageOptions { tag: Some(self.order.build.to_string()), platform: None };
        let repository = self.order.namespace.repository(Some(&registry.address));
        let mut progress = docker.push_image(&repository, Some(options), credentials(registry));
        let mut told = Progress::new(log.clone());
        while let Some(step) = progress.next().await {
            told.take(&step?);
        }
        Ok(())
    }

    pub(super) async fn remove(&self, docker: &Docker) -> Result<(), Error> {
        let options = None::<RemoveImageOptions>;
        found(docker.remove_image(&self.name, options, None).await).map(|_| ())
    }
}

/// As whom a registry knows us.
pub(crate) fn credentials(registry: &Registry) -> Option<DockerCredentials> {
    let Registry { address, username, password } = registry;
    (!username.is_empty()).then(|| DockerCredentials {
        username: Some(username.clone()),
        password: Some(password.expose_secret().to_owned()),
        serveraddress: address.split('/').next().map(str::to_owned),
        ..DockerCredentials::default()
    })
}

/// A way to the daemon for builds whose containers have this parent. Without a group of ours, each
/// is limited by itself.
pub(super) fn for_builds(
    docker: Docker,
    patience: Duration,
    parent: &str,
    each: Option<Limits>,
) -> Docker {
    let mut query = Serializer::new(String::new());
    query.append_pair("cgroupparent", parent);
    if let Some(Limits { cpu_millis, memory_bytes, .. }) = each {
        let quota = u64::from(cpu_millis) * PERIOD_MICROS / 1_000;
        let memory = memory_bytes.to_string();
        query
            .append_pair("memory", &memory)
            .append_pair("memswap", &memory)
            .append_pair("cpuperiod", &PERIOD_MICROS.to_string())
            .append_pair("cpuquota", &quota.to_string());
    }
    let query = query.finish();
    // Options of Docker's that the client has no field for.
    docker.with_timeout(patience).with_request_modifier(move |request| append(request, &query))
}

fn append(mut request: BollardRequest, query: &str) -> BollardRequest {
    if request.uri().path().ends_with("/build") {
        let mut parts = request.uri().clone().into_parts();
        let before = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
        let joint = if before.contains('?') { '&' } else { '?' };
        if let Ok(after) = format!("{before}{joint}{query}").parse() {
            parts.path_and_query = Some(after);
        }
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
    request
}
