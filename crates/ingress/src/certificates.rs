//! Which host name is served with which certificate.

use std::{collections::HashMap, fmt, sync::Arc};

use arc_swap::ArcSwap;
use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::{certificate::Certificate, host::normal};

/// The certificates of an [`Ingress`](crate::Ingress), by host name; clones share them. Changes
/// count from the next handshake on.
#[derive(Clone, Default)]
pub struct Certificates {
    table: Arc<ArcSwap<Table>>,
}

#[derive(Clone, Default)]
struct Table {
    by_name: HashMap<String, Certificate>,
    default: Option<Certificate>,
}

impl Certificates {
    /// Uses a certificate for a host name, whatever was used before. `*.` in front of a name stands
    /// for any one label that has no certificate of its own.
    pub fn set(&self, name: &str, certificate: &Certificate) {
        self.change(|table| {
            table.by_name.insert(normal(name).into_owned(), certificate.clone());
        });
    }

    /// Refuses handshakes for a host name, unless a wildcard stands for it.
    pub fn remove(&self, name: &str) {
        self.change(|table| {
            table.by_name.remove(&*normal(name));
        });
    }

    /// Uses a certificate for clients that name no host, as those do that know but an address. One
    /// that names a host that has no certificate is refused all the same.
    pub fn set_default(&self, certificate: &Certificate) {
        self.change(|table| table.default = Some(certificate.clone()));
    }

    /// The certificate for the host that a client has named.
    pub(crate) fn find(&self, name: Option<&str>) -> Option<Certificate> {
        let table = self.table.load();
        let Some(name) = name else { return table.default.clone() };
        let name = normal(name);
        let own = table.by_name.get(&*name);
        let found = own.or_else(|| {
            let (_, domain) = name.split_once('.')?;
            table.by_name.get(&format!("*.{domain}"))
        });
        found.cloned()
    }

    fn change(&self, change: impl Fn(&mut Table)) {
        self.table.rcu(|table| {
            let mut table = Table::clone(table);
            change(&mut table);
            table
        });
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.find(client_hello.server_name())?.key())
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = self.table.load();
        f.debug_struct("Certificates")
            .field("by_name", &table.by_name)
            .field("default", &table.default)
            .finish()
    }
}
