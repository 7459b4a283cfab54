//! The way of an image into the registry, told in the log of its build.

use std::time::{Duration, Instant};

use bollard::models::PushImageInfo;
use windlass_engine_kit::{log::Log, order::mebibytes};

/// How often the way of a large layer is told.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Tells how far it has come.
pub(super) struct Progress {
    log: Log,
    layers: u32,
    there: u32,
    told: Instant,
}

impl Progress {
    pub(super) fn new(log: Log) -> Self {
        Self { log, layers: 0, there: 0, told: Instant::now() }
    }

    /// Takes what the daemon says about one layer, or about the whole.
    pub(super) fn take(&mut self, info: &PushImageInfo) {
        let Some(status) = info.status.as_deref() else { return };
        let detail = info.progress_detail.as_ref();
        let bytes = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok());
        match status {
            "Preparing" => self.layers += 1,
            "Pushed" | "Layer already exists" => self.arrived(),
            mounted if mounted.starts_with("Mounted from ") => self.arrived(),
            "Pushing" => {
                let current = bytes(detail.and_then(|detail| detail.current));
                let total = bytes(detail.and_then(|detail| detail.total));
                if let (Some(current), Some(total)) = (current, total)
                    && TELL_EVERY <= self.told.elapsed()
                {
                    self.told = Instant::now();
                    let (current, total) = (mebibytes(current.min(total)), mebibytes(total));
                    self.log.say(&format!("Pushing a layer: {current} of {total}"));
                }
            }
            whole => {
                if let Some((_, digest)) = whole.split_once("digest: ") {
                    let digest = digest.split(' ').next().unwrap_or(digest);
                    self.log.say(&format!("The registry has the image as {digest}"));
                }
            }
        }
    }

    fn arrived(&mut self) {
        self.there += 1;
        self.log.say(&format!("Pushed {} of {} layers", self.there, self.layers.max(self.there)));
    }
}

/// Why the registry has not taken an image, and what the operator can do about it.
pub(super) fn explain(address: &str, error: &str) -> String {
    let says = |words: &[&str]| words.iter().any(|word| error.contains(word));
    let hint = if says(&["unauthorized", "authentication required", "no basic auth", "denied"]) {
        "; it does not let this server in: its operator looks at `swarm.registry_username` and \
         `swarm.registry_password`"
    } else if says(&["server gave HTTP response to HTTPS client", "x509: "]) {
        "; a registry without a certificate that is trusted has to be among the \
         `insecure-registries` of the Docker daemon of every node"
    } else {
        ""
    };
    format!("the image could not be put into the registry {address}: {error}{hint}")
}

#[cfg(test)]
mod tests {
    use bollard::models::{ProgressDetail, PushImageInfo};
    use windlass_engine_kit::{
        log::Log,
        spool::{Policy, Reader, Spool},
    };

    use super::{Progress, explain};

    fn info(status: &str) -> PushImageInfo {
        PushImageInfo { status: Some(status.to_owned()), ..PushImageInfo::default() }
    }

    #[test]
    fn the_way_into_the_registry_is_told_by_layers() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), Policy::DropNew { bytes: 1 << 16 }).unwrap();
        let mut progress = Progress::new(Log::new(spool));
        let moving = ProgressDetail { current: Some(1), total: Some(2) };
        for step in [
            info("The push refers to repository [r.example.com/windlass]"),
            info("Preparing"),
            info("Preparing"),
            info("Waiting"),
            PushImageInfo { progress_detail: Some(moving), ..info("Pushing") },
            info("Layer already exists"),
            info("Pushed"),
            info("x: digest: sha256:0a size: 527"),
            PushImageInfo::default(),
        ] {
            progress.take(&step);
        }
        let lines = Reader::new(folder.path(), 0).read().unwrap();
        let told: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        let last = "The registry has the image as sha256:0a";
        assert_eq!(told, ["Pushed 1 of 2 layers", "Pushed 2 of 2 layers", last]);
    }

    #[test]
    fn a_registry_that_refuses_is_explained() {
        for (error, wanted) in [
            ("unauthorized: authentication required", "swarm.registry_password"),
            ("denied: requested access to the resource is denied", "swarm.registry_username"),
            ("http: server gave HTTP response to HTTPS client", "insecure-registries"),
            ("dial tcp: connection refused", "connection refused"),
        ] {
            let said = explain("r.example.com", error);
            assert!(said.contains(wanted) && said.contains(error), "{said}");
        }
    }
}
