//! The text of a token.

use std::sync::LazyLock;

use windlass_auth::{NarrowError, Narrowing, TokenError, attenuate, inspect, looks_like_token};

use crate::world::{Counting, World};

static WORLD: LazyLock<World> = LazyLock::new(World::new);

/// Whatever can be read can be narrowed, once, unless it is sealed or full; and nothing opens
/// anything but the one token that there is, and what was made of it.
pub fn check(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let verified = WORLD.runtime.block_on(WORLD.verifier.verify(text, None));
    let Ok(inspection) = inspect(text) else {
        assert!(matches!(verified, Err(TokenError::Invalid)), "it cannot be read");
        return;
    };
    assert!(looks_like_token(text));
    match &verified {
        Ok(_) => {
            let own = inspect(&WORLD.token).unwrap().blocks;
            assert!(inspection.blocks.starts_with(&own), "another token was let in");
        }
        Err(TokenError::Invalid | TokenError::WrongAddress(_) | TokenError::Undecided(_)) => {}
        Err(err) => panic!("{err:?}"),
    }

    let narrowing = Narrowing { is_read_only: true, ..Narrowing::default() };
    let narrowed = match attenuate(text, &narrowing, &Counting::default()) {
        Ok(narrowed) => narrowed,
        Err(NarrowError::Sealed) => {
            assert!(inspection.is_sealed);
            return;
        }
        Err(_) => return,
    };
    let narrowed = inspect(narrowed.expose()).unwrap();
    let (added, before) = narrowed.blocks.split_last().unwrap();
    assert_eq!(before, inspection.blocks);
    assert_eq!(added.source, "check if operation(\"read\");\n");
}
