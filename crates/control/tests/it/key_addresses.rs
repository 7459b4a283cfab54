//! Keys that are bound to addresses.

use std::net::IpAddr;

use windlass_auth::{NewApiKey, Permission, Scope};
use windlass_control::{ControlError, Presentation, create_api_key};

use crate::{
    keys::key,
    support::{Platform, occasion},
};

fn from<'a>(text: &'a str, address: &str) -> Presentation<'a> {
    let address: IpAddr = address.parse().unwrap();
    Presentation { address: Some(address), ..Presentation::bearer(text) }
}

#[tokio::test]
async fn a_key_and_what_it_makes_stay_within_its_addresses() {
    let platform = Platform::new("addresses").await;
    let maker = Scope::Permission(Permission::ApiKeysWrite);
    let bound = |networks: &[&str]| NewApiKey {
        allowed_addresses: Some(networks.iter().map(|text| text.parse().unwrap()).collect()),
        ..key(&[maker])
    };
    let control = &platform.control;
    let minted = create_api_key(control, &platform.owner, bound(&["203.0.113.0/24"])).await;
    let text = minted.unwrap().key.expose().to_owned();

    let principal = control.authenticate(from(&text, "203.0.113.9")).await.unwrap();
    for wrong in [from(&text, "198.51.100.9"), Presentation::bearer(&text)] {
        let refused = control.authenticate(wrong).await;
        assert!(matches!(refused, Err(ControlError::WrongAddress(_))), "{refused:?}");
    }

    let caller = control.caller(principal, occasion());
    create_api_key(control, &caller, bound(&["203.0.113.9"])).await.unwrap();
    for broader in [bound(&["203.0.113.9", "0.0.0.0/0"]), key(&[maker])] {
        let refused = create_api_key(control, &caller, broader).await;
        let field = "allowed_addresses";
        assert!(
            matches!(&refused, Err(ControlError::Invalid { field: named, .. }) if *named == field),
            "{refused:?}"
        );
    }
}
