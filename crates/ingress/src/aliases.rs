//! Whole host names that stand for a label.

use std::{collections::HashMap, sync::Arc};

use arc_swap::ArcSwap;

use crate::host::normal;

/// Labels by host name. Readers never wait.
#[derive(Default)]
pub(crate) struct Aliases {
    by_host: ArcSwap<HashMap<String, Arc<str>>>,
}

impl Aliases {
    pub(crate) fn replace_all(&self, aliases: impl IntoIterator<Item = (String, String)>) {
        let aliases = aliases.into_iter().map(|(host, label)| {
            (normal(&host).into_owned(), Arc::from(label.to_ascii_lowercase()))
        });
        self.by_host.store(Arc::new(aliases.collect()));
    }

    /// The label that `host` stands for, which is in lower case and has no dot at its end.
    pub(crate) fn label(&self, host: &str) -> Option<Arc<str>> {
        self.by_host.load().get(host).cloned()
    }
}
