//! A block that somebody appends to a token that is genuine.

use std::sync::LazyLock;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use biscuit_auth::{Algorithm, Biscuit, KeyPair, PrivateKey, PublicKey};
use windlass_auth::{Denied, Permission, Principal, Target, TokenError, authorize};

use crate::world::World;

static WORLD: LazyLock<World> = LazyLock::new(World::new);

/// The token to which blocks are appended.
static PARENT: LazyLock<Biscuit> = LazyLock::new(|| {
    let key: PublicKey = WORLD.public_key.parse().unwrap();
    Biscuit::from_base64(&WORLD.token, key).unwrap()
});

const ASKED: [Permission; 3] =
    [Permission::ProjectsRead, Permission::DeploymentsWrite, Permission::TokensRead];

/// Whatever the block says, in the format of protocol buffers, the token does nothing that it did
/// not before, and is answered in time.
pub fn check(data: &[u8]) {
    let seed = PrivateKey::from_bytes(&[7; 32], Algorithm::Ed25519).unwrap();
    let next = KeyPair::from(&seed);
    let signed = PARENT.container().append_serialized(&next, data.to_vec(), None).unwrap();
    let child = BASE64_URL_SAFE_NO_PAD.encode(signed.to_vec().unwrap());

    let verify = |text: &str| WORLD.runtime.block_on(WORLD.verifier.verify(text, None));
    let parent = verify(&WORLD.token).unwrap();
    let child = match verify(&child) {
        Ok(child) => child,
        Err(TokenError::Invalid | TokenError::WrongAddress(_) | TokenError::Undecided(_)) => return,
        Err(err) => panic!("{err:?}"),
    };
    assert_eq!((child.organization_id, child.user_id), (parent.organization_id, parent.user_id));
    let organization = WORLD.organization;
    let targets = [Target::organization(organization), Target::projects(organization)];
    let projects = WORLD.projects.map(|project| Target::project(organization, project));
    for target in targets.into_iter().chain(projects) {
        for permission in ASKED {
            let widened = may(&child, permission, target) && !may(&parent, permission, target);
            assert!(!widened, "{permission} on {target:?}");
        }
    }
}

fn may(principal: &Principal, permission: Permission, target: Target) -> bool {
    match authorize(principal, permission, target) {
        Ok(_) => true,
        Err(Denied::Undecided(err)) => panic!("its price was known: {err}"),
        Err(_) => false,
    }
}
