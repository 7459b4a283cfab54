//! Places, waiting with patience, and clients that expect to be let in.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout;
use windlass_domain::{Effects, EnvironmentId, OsEntropy, ProjectId, Services, SystemClock};

use super::{Harness, Kind};
use crate::{Place, ServiceError, Variable};

/// Longer than anything may take; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_mins(2);

pub(super) fn a_place() -> Place {
    Place { project: ProjectId::generate(fx()), environment: EnvironmentId::generate(fx()) }
}

/// Another environment of the same project.
pub(super) fn a_neighbour(of: Place) -> Place {
    Place { environment: EnvironmentId::generate(fx()), ..of }
}

fn fx() -> Effects<'static> {
    Effects { clock: &SystemClock, entropy: &OsEntropy }
}

pub(super) async fn patiently<F: Future>(what: F) -> F::Output {
    timeout(PATIENCE, what).await.expect("the provider takes too long")
}

/// Everything that there is.
pub(super) fn all(harness: &dyn Harness) -> Services {
    harness.kinds().into_iter().fold(Services::default(), |all, kind| {
        let one = kind.alone();
        Services {
            postgres: all.postgres || one.postgres,
            redis: all.redis || one.redis,
            s3: all.s3 || one.s3,
        }
    })
}

pub(super) async fn provide(
    harness: &dyn Harness,
    place: Place,
    wanted: Services,
) -> Vec<Variable> {
    patiently(harness.services().provide(place, wanted)).await.unwrap_or_else(|error| fail(&error))
}

pub(super) async fn done(call: impl Future<Output = Result<(), ServiceError>>) {
    patiently(call).await.unwrap_or_else(|error| fail(&error));
}

pub(super) fn fail(error: &ServiceError) -> ! {
    panic!("{error}: {:?}", std::error::Error::source(error).map(ToString::to_string))
}

pub(super) async fn put(harness: &dyn Harness, at: &[Variable], name: &str, value: &str) {
    for kind in harness.kinds() {
        let put = patiently(harness.put(kind, at, name, value)).await;
        put.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
    }
}

/// Checks that every service has this value.
pub(super) async fn expect(
    harness: &dyn Harness,
    at: &[Variable],
    name: &str,
    value: Option<&str>,
) {
    for kind in harness.kinds() {
        let got = patiently(harness.get(kind, at, name)).await;
        assert_eq!(got.as_ref().map(Option::as_deref), Ok(value), "{kind:?}");
    }
}

/// Checks that a service does not let this client in.
pub(super) async fn expect_closed(harness: &dyn Harness, kind: Kind, at: &[Variable]) {
    let got = patiently(harness.get(kind, at, "name")).await;
    assert!(got.is_err(), "{kind:?} lets in: {got:?}");
    let put = patiently(harness.put(kind, at, "name", "value")).await;
    assert!(put.is_err(), "{kind:?} lets in");
}

pub(super) fn value<'a>(variables: &'a [Variable], key: &str) -> &'a str {
    let found = variables.iter().find(|variable| variable.key.as_str() == key);
    found.unwrap_or_else(|| panic!("there is no {key}")).value.expose_secret()
}

/// The variables with another value of one.
pub(super) fn with(variables: &[Variable], key: &str, value: &str) -> Vec<Variable> {
    let mut variables = variables.to_vec();
    for variable in variables.iter_mut().filter(|variable| variable.key.as_str() == key) {
        variable.value = SecretString::from(value.to_owned());
    }
    variables
}

pub(super) fn texts(variables: &[Variable]) -> Vec<(&str, &str)> {
    let mut texts: Vec<_> = variables
        .iter()
        .map(|variable| (variable.key.as_str(), variable.value.expose_secret()))
        .collect();
    texts.sort_unstable();
    texts
}
