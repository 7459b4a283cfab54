//! What is read, and what is refused.

use figment::{
    Figment,
    providers::{Format, Toml},
};

use windlass_engine_swarm::Endpoint;

use super::{Config, DEFAULTS, ProxyHeader};
use crate::machinery;

fn with(text: &str) -> anyhow::Result<Config> {
    Config::from_figment(&Figment::from(Toml::string(DEFAULTS)).merge(Toml::string(text)))
}

#[test]
fn defaults_are_complete() {
    let config = with("").unwrap();
    assert_eq!((config.server.listen.port(), config.ingress.listen.port()), (8080, 8081));
}

#[test]
fn a_misspelt_key_is_an_error_that_names_it() {
    let err = with("[server]\nlisn = 1").unwrap_err().to_string();
    assert!(err.contains("lisn") && err.contains("listen"), "{err}");
}

#[test]
fn a_password_in_the_database_address_is_not_shown() {
    let config = with("[database]\nurl = \"postgres://me:hunter2@db/x\"").unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn github_takes_an_id_and_a_secret_that_is_not_shown() {
    let config = with("[github]\nclient_id = \"Iv1.x\"\nclient_secret = \"hunter2\"").unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    for text in ["client_id = \"Iv1.x\"", "client_secret = \"hunter2\""] {
        let err = with(&format!("[github]\n{text}")).unwrap_err().to_string();
        assert!(err.contains("belong together") && !err.contains("hunter2"), "{err}");
    }
}

#[test]
fn a_github_app_is_told_what_is_wrong_with_its_settings() {
    for (text, wanted) in [
        ("id = 7", "private_key_file"),
        ("private_key_file = \"key.pem\"", "github.app.id"),
        ("accounts = { octo = [\"acme\"] }", "github.app.accounts.octo"),
        ("accounts = { \"octo/shop\" = [] }", "octo/shop"),
        ("key = \"x\"", "private_key_file"),
    ] {
        let err = format!("{:#}", with(&format!("[github.app]\n{text}")).unwrap_err());
        assert!(err.contains(wanted), "{text}: {err}");
    }
    let id = windlass_domain::OrganizationId::generate(windlass_domain::Effects {
        clock: &windlass_domain::SystemClock,
        entropy: &windlass_domain::OsEntropy,
    });
    let text = format!("[github.app]\naccounts = {{ Octo = [\"{id}\"] }}");
    assert_eq!(with(&text).unwrap().github.app.accounts["Octo"], [id.to_string()]);
}

#[test]
fn a_swarm_is_told_what_is_wrong_with_its_settings() {
    for (text, wanted) in [
        ("[engine]\nkind = \"k8s\"", "swarm"),
        ("[swarm]\nendpoint = \"localhost:2375\"", "swarm.endpoint"),
        ("[swarm]\nendpoint = \"unix://run/docker.sock\"", "swarm.endpoint"),
        ("[swarm]\nendpoint = \"tcp://10.0.0.1:2376\"", "swarm.tls_ca"),
        ("[swarm]\nnamespace = \"My Team\"", "swarm.namespace"),
        ("[swarm]\nregistry = \"https://r.example.com\"", "swarm.registry"),
        ("[swarm]\nregistry_password = \"hunter2\"", "swarm.registry_username"),
    ] {
        let err = format!("{:#}", with(text).unwrap_err());
        assert!(err.contains(wanted) && !err.contains("hunter2"), "{text}: {err}");
    }
    let text = "[swarm]\nregistry = \"r.example.com:5000/team\"\nregistry_username = \"me\"\n\
                registry_password = \"hunter2\"";
    assert!(!format!("{:?}", with(text).unwrap()).contains("hunter2"));
}

#[test]
fn a_swarm_may_be_on_another_machine_and_have_a_registry() {
    let text = "[swarm]\nendpoint = \"tcp://10.0.0.1:2376\"\ntls_ca = \"ca.pem\"\n\
                tls_certificate = \"cert.pem\"\ntls_key = \"key.pem\"\n\
                registry = \"r.example.com:5000/team\"";
    let (endpoint, _, registry) = machinery::swarm_settings(&with(text).unwrap().swarm).unwrap();
    let wanted = Endpoint::Tls {
        address: "10.0.0.1:2376".to_owned(),
        ca: "ca.pem".into(),
        certificate: "cert.pem".into(),
        key: "key.pem".into(),
    };
    assert_eq!(endpoint, wanted);
    // One that lets everybody in needs no password.
    let registry = registry.unwrap();
    assert_eq!((&*registry.address, &*registry.username), ("r.example.com:5000/team", ""));
    let (_, _, none) = machinery::swarm_settings(&with("").unwrap().swarm).unwrap();
    assert!(none.is_none());
}

#[test]
fn plans_say_what_is_wrong_with_them() {
    let plan = "[quotas]\nplan = \"free\"\n[quotas.plans.free]\nmax_cpu = 2.5";
    assert_eq!(with(plan).unwrap().quotas.plans["free"].max_cpu, Some(2.5));
    for (text, wanted) in [
        ("[quotas]\nplan = \"free\"", "quotas.plan"),
        ("[quotas.plans.Free]", "quotas.plans.Free"),
        ("[quotas.plans.free]\nmax_cpu = -1.0", "max_cpu"),
        ("[quotas.plans.free]\nmax_cpus = 1", "max_cpus"),
    ] {
        let err = format!("{:#}", with(text).unwrap_err());
        assert!(err.contains(wanted), "{text}: {err}");
    }
}

#[test]
fn proxies_are_networks_and_none_by_default() {
    let config = with("").unwrap();
    assert!(config.server.trusted_proxies.is_empty());
    assert_eq!(config.server.proxy_header, ProxyHeader::XForwardedFor);

    let text =
        "[server]\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\nproxy_header = \"forwarded\"";
    let config = with(text).unwrap();
    let networks = ["10.0.0.0/8", "::1"].map(|text| text.parse().unwrap());
    assert_eq!(config.server.trusted_proxies, networks);
    assert_eq!(config.server.proxy_header, ProxyHeader::Forwarded);
    let err = with("[server]\ntrusted_proxies = [\"10.0.0.1/8\"]").unwrap_err().to_string();
    assert!(err.contains("10.0.0.0/8"), "{err}");
}

#[test]
fn what_cannot_work_is_refused_at_start() {
    for text in ["[jobs]\nworkers = 0", "[apps]\ncpu = 0.0", "[ingress]\nscheme = \"ftp\""] {
        assert!(with(text).is_err(), "{text}");
    }
}
