//! Which crate may depend on which: the arrows point towards `windlass-domain`.

use super::House;
use crate::workspace::{Dependency, Package};

/// Which of our crates each crate may depend on. New arrows are added here, in review.
#[rustfmt::skip]
const OURS: &[(&str, &[&str])] = &[
    ("windlass-domain",          &[]),
    ("windlass-migrations",      &[]),
    ("windlass-ingress",         &[]),
    ("windlass-acme",            &[]),
    ("windlass-auth",            &["windlass-domain"]),
    ("windlass-engine",          &["windlass-domain"]),
    ("windlass-forge",           &["windlass-domain"]),
    ("windlass-git",             &["windlass-domain"]),
    ("windlass-github",          &["windlass-domain", "windlass-auth"]),
    ("windlass-github-app",      &["windlass-domain"]),
    ("windlass-manifest",        &["windlass-domain"]),
    ("windlass-storage",         &["windlass-domain", "windlass-auth"]),
    ("windlass-storage-seaorm",  &["windlass-domain", "windlass-auth", "windlass-storage", "windlass-migrations"]),
    ("windlass-engine-kit",      &["windlass-domain", "windlass-engine", "windlass-git"]),
    ("windlass-engine-local",    &["windlass-domain", "windlass-engine", "windlass-engine-kit", "windlass-git"]),
    ("windlass-engine-swarm",    &["windlass-domain", "windlass-engine", "windlass-engine-kit", "windlass-git"]),
    ("windlass-services",        &["windlass-domain", "windlass-engine"]),
    ("windlass-services-local",  &["windlass-domain", "windlass-services"]),
    ("windlass-control",         &["windlass-domain", "windlass-auth", "windlass-forge", "windlass-manifest",
                                   "windlass-services", "windlass-storage", "windlass-engine"]),
    ("windlass-http",            &["windlass-domain", "windlass-auth", "windlass-forge", "windlass-control"]),
    ("windlass-server",          &["windlass-domain", "windlass-auth", "windlass-storage", "windlass-storage-seaorm",
                                   "windlass-migrations", "windlass-engine", "windlass-engine-local", "windlass-engine-swarm", "windlass-git",
                                   "windlass-github", "windlass-github-app", "windlass-services",
                                   "windlass-services-local", "windlass-control",
                                   "windlass-http", "windlass-ingress"]),
    ("windlass-cli",             &["windlass-domain", "windlass-auth", "windlass-manifest"]),
    ("windlass-example-embed",   &["windlass-auth"]),
    ("windlass-fuzz-checks",     &["windlass-auth", "windlass-http"]),
    ("xtask",                    &[]),
];

/// Which of our crates may depend on a crate of others that must not spread.
const THEIRS: &[(&str, &[&str])] = &[
    ("sea-orm", DATABASE),
    ("sea-orm-migration", DATABASE),
    ("sqlx", DATABASE),
    ("axum", HTTP),
    ("utoipa-axum", HTTP),
    ("utoipa-swagger-ui", HTTP),
    ("bollard", &["windlass-engine-swarm"]),
    ("s3s", &["windlass-services-local"]),
    ("s3s-fs", &["windlass-services-local"]),
    ("octocrab", &["windlass-github-app"]),
];

const DATABASE: &[&str] = &["windlass-storage-seaorm", "windlass-migrations"];
const HTTP: &[&str] = &["windlass-http", "windlass-server", "windlass-example-embed"];

/// Crates of ours depend only on those that `OURS` allows them.
pub(super) fn our_arrows_point_inwards(house: &House) -> Vec<String> {
    let mut faults = Vec::new();
    for package in &house.packages {
        let name = &package.name;
        let Some((_, allowed)) = OURS.iter().find(|(ours, _)| ours == name) else {
            faults.push(format!("{name} has no place among the layers: give it one in `OURS`"));
            continue;
        };
        for Dependency { name: other, .. } in real(package) {
            let ours = OURS.iter().any(|(ours, _)| ours == other);
            if ours && !allowed.contains(&other.as_str()) {
                faults.push(format!("{name} must not depend on {other}"));
            }
        }
    }
    faults
}

/// Crates of others that carry a technology are seen only by the layer that wraps it.
pub(super) fn their_crates_stay_in_their_layer(house: &House) -> Vec<String> {
    let mut faults = Vec::new();
    for package in &house.packages {
        for Dependency { name: other, .. } in real(package) {
            let keepers = THEIRS.iter().find(|(theirs, _)| theirs == other);
            if keepers.is_some_and(|(_, keepers)| !keepers.contains(&package.name.as_str())) {
                faults.push(format!("{} must not depend on {other}", package.name));
            }
        }
    }
    faults
}

/// What a package needs to run. Tests may use whatever they like.
fn real(package: &Package) -> impl Iterator<Item = &Dependency> {
    package.dependencies.iter().filter(|dependency| dependency.kind.as_deref() != Some("dev"))
}

#[cfg(test)]
mod tests {
    use super::{super::test_house::with_package, *};

    #[test]
    fn an_arrow_outwards_is_a_fault() {
        let house = with_package("windlass-domain", &[("windlass-storage", None)]);
        let wanted = ["windlass-domain must not depend on windlass-storage"];
        assert_eq!(our_arrows_point_inwards(&house), wanted);
    }

    #[test]
    fn an_arrow_inwards_is_none() {
        let house = with_package("windlass-storage", &[("windlass-domain", None)]);
        assert_eq!(our_arrows_point_inwards(&house), [""; 0]);
    }

    #[test]
    fn a_test_may_depend_on_anything() {
        let house = with_package("windlass-http", &[("windlass-storage-seaorm", Some("dev"))]);
        assert_eq!(our_arrows_point_inwards(&house), [""; 0]);
    }

    #[test]
    fn a_crate_without_a_place_is_a_fault() {
        assert_eq!(our_arrows_point_inwards(&with_package("windlass-attic", &[])).len(), 1);
    }

    #[test]
    fn a_database_above_storage_is_a_fault() {
        let house = with_package("windlass-control", &[("sea-orm", None), ("serde", None)]);
        let wanted = ["windlass-control must not depend on sea-orm"];
        assert_eq!(their_crates_stay_in_their_layer(&house), wanted);
    }

    #[test]
    fn its_own_layer_may_depend_on_it() {
        let house = with_package("windlass-storage-seaorm", &[("sea-orm", None)]);
        assert_eq!(their_crates_stay_in_their_layer(&house), [""; 0]);
    }
}
