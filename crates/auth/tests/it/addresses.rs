//! Keys that may be used from some addresses only.

use std::net::IpAddr;

use proptest::prelude::*;
use windlass_auth::{
    AddressReach, AuthError, Credential, MintError, Network, NewApiKey, ParseNetworkError,
    PermissionSet, Principal, ProjectReach, Scope,
};

use crate::support::{World, request};

fn network(text: &str) -> Network {
    text.parse().unwrap()
}

fn networks(texts: &[&str]) -> Vec<Network> {
    texts.iter().map(|text| network(text)).collect()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn bound_to(texts: &[&str]) -> NewApiKey {
    NewApiKey { allowed_addresses: Some(networks(texts)), ..request(&[Scope::Read]) }
}

#[test]
fn networks_are_written_in_one_way() {
    for (text, written) in [
        ("203.0.113.0/24", "203.0.113.0/24"),
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7/32", "203.0.113.7"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("::1", "::1"),
        ("::1/128", "::1"),
        ("::/0", "::/0"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("::ffff:0:0/95", "::fffe:0:0/95"),
    ] {
        match text.parse::<Network>() {
            Ok(network) => assert_eq!(network.to_string(), written, "{text}"),
            Err(ParseNetworkError::HostBits { network }) => {
                assert_eq!(network.to_string(), written, "{text}");
                assert_eq!(text, "::ffff:0:0/95");
            }
            Err(ParseNetworkError::Syntax) => panic!("{text}"),
        }
    }
}

#[test]
fn what_is_no_network_is_refused() {
    for text in [
        "",
        "/",
        "10.0.0.0/",
        "/8",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0.0/08",
        "10.0.0.0/8/8",
        "10.0.0.0/255.0.0.0",
        "10.0.0",
        "010.0.0.0/8",
        "10.0.0.0 /8",
        " ::1",
        "2001:db8::/129",
        "fe80::1%eth0",
        "[::1]",
        "localhost",
        "*",
        "10.0.0.1:80",
    ] {
        assert_eq!(text.parse::<Network>(), Err(ParseNetworkError::Syntax), "{text}");
    }
    let err = "10.1.2.3/8".parse::<Network>().unwrap_err();
    assert_eq!(err, ParseNetworkError::HostBits { network: network("10.0.0.0/8") });
    assert!(err.to_string().ends_with("the network is 10.0.0.0/8"));
}

proptest! {
    #[test]
    fn no_text_panics_and_what_parses_is_read_back_the_same(text in "[0-9a-f:./]{0,30}|\\PC*") {
        if let Ok(network) = text.parse::<Network>() {
            prop_assert_eq!(network.to_string().parse(), Ok(network));
            prop_assert!(network.covers(&network));
        }
    }

    #[test]
    fn an_address_lies_in_its_networks(bits: u32, length in 0_u8..=32, other: u32) {
        let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
        let base = std::net::Ipv4Addr::from(bits & mask);
        let network = network(&format!("{base}/{length}"));
        let other_address = std::net::Ipv4Addr::from(other);
        let expected = bits & mask == other & mask;
        prop_assert_eq!(network.contains(other_address.into()), expected);
        prop_assert_eq!(network.contains(other_address.to_ipv6_mapped().into()), expected);
    }
}

#[tokio::test]
async fn a_key_opens_only_from_where_it_may_be_used() {
    let world = World::new();
    let key = world.stored_key(bound_to(&["203.0.113.0/24", "2001:db8::/32", "::1"])).await;
    let verifier = world.verifier();

    for right in ["203.0.113.7", "::ffff:203.0.113.7", "2001:db8::7", "::1"] {
        assert!(verifier.verify(&key.text, Some(address(right))).await.is_ok(), "{right}");
    }
    for wrong in ["203.0.114.1", "::ffff:203.0.114.1", "2001:db9::1", "::2", "::203.0.113.7"] {
        let refused = verifier.verify(&key.text, Some(address(wrong))).await;
        assert!(matches!(refused, Err(AuthError::WrongAddress(_))), "{wrong}");
    }
    let unknown = verifier.verify(&key.text, None).await;
    assert!(
        matches!(unknown, Err(AuthError::WrongAddress(_))),
        "an unknown address is none of them"
    );
}

#[tokio::test]
async fn a_key_bound_to_no_address_opens_from_nowhere() {
    let world = World::new();
    let key = world.stored_key(bound_to(&[])).await;

    for from in [None, Some(address("127.0.0.1")), Some(address("::1"))] {
        let refused = world.verifier().verify(&key.text, from).await;
        assert!(matches!(refused, Err(AuthError::WrongAddress(_))), "an empty list is not all");
    }
}

#[tokio::test]
async fn only_who_has_the_secret_learns_that_the_address_is_wrong() {
    let world = World::new();
    let key = world.stored_key(bound_to(&["203.0.113.7"])).await;
    let (verifier, from) = (world.verifier(), Some(address("198.51.100.1")));
    // The row of this key, found by the look-up id of another.
    let other = world.format.generate(&world.entropy);
    let entry = world.directory.keys.lock().unwrap()[&key.lookup].clone();
    world.directory.keys.lock().unwrap().insert(other.lookup, entry);

    let refused = verifier.verify(other.key.expose(), from).await;
    assert!(matches!(refused, Err(AuthError::Invalid)));
    let refused = verifier.verify(&key.text, from).await;
    assert!(matches!(refused, Err(AuthError::WrongAddress(_))));
    assert_eq!(verifier.taken_uses(), [], "nor is that a use");
}

#[tokio::test]
async fn a_bound_key_mints_only_keys_within_its_addresses() {
    let world = World::new();
    let mut creator: Principal = world.principal(PermissionSet::ALL, ProjectReach::All);
    if let Credential::ApiKey { addresses, .. } = &mut creator.credential {
        *addresses = AddressReach::from(Some(networks(&["203.0.113.0/24", "::1"])));
    }

    for within in [&["203.0.113.0/24"][..], &["203.0.113.128/25", "::1"], &[]] {
        assert!(world.mint(bound_to(within), &creator).await.is_ok(), "{within:?}");
    }
    assert!(matches!(world.mint(request(&[]), &creator).await, Err(MintError::Anywhere)));
    for beyond in ["203.0.112.0/23", "0.0.0.0/0", "198.51.100.1", "::/0"] {
        assert!(matches!(
            world.mint(bound_to(&["::1", beyond]), &creator).await,
            Err(MintError::OutOfNetwork { network: named }) if named == network(beyond)
        ));
    }
    let many = NewApiKey { allowed_addresses: Some(vec![network("::1"); 101]), ..request(&[]) };
    assert!(matches!(world.mint(many, &creator).await, Err(MintError::TooManyAddresses)));
}
