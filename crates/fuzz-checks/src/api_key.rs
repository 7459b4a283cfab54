//! The text of an API key.

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use tokio::runtime::{Builder, Runtime};
use windlass_auth::{
    AuthError, BcryptCost, DirectoryError, HasherOptions, KeyDirectory, KeyEntry, KeyFormat,
    KeyHasher, KeyVerifier, VerifierOptions,
};

use crate::world::Stopped;

/// Has no key, and counts how often it is asked for one.
#[derive(Default)]
struct Nothing(AtomicUsize);

#[async_trait]
impl KeyDirectory for Nothing {
    async fn find_key(&self, _lookup: &str) -> Result<Option<KeyEntry>, DirectoryError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(None)
    }
}

struct World {
    directory: Arc<Nothing>,
    verifier: KeyVerifier,
    runtime: Runtime,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let directory = Arc::<Nothing>::default();
    let options = HasherOptions { cost: BcryptCost::MIN, ..HasherOptions::default() };
    let verifier = KeyVerifier::new(
        directory.clone(),
        KeyHasher::new(options),
        KeyFormat::default(),
        Arc::new(Stopped),
        VerifierOptions::default(),
    );
    World { directory, verifier, runtime: Builder::new_current_thread().build().unwrap() }
});

/// Only what has the form of a key is looked for. A key of that form has no near relative.
pub fn check(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let format = KeyFormat::default();
    let parsed = format.parse(text);

    let World { directory, verifier, runtime } = &*WORLD;
    let asked = directory.0.load(Ordering::Relaxed);
    let refused = runtime.block_on(verifier.verify(text, None));
    assert!(matches!(refused, Err(AuthError::Invalid)), "there is no key");
    let asked = directory.0.load(Ordering::Relaxed) - asked;
    assert_eq!(asked, usize::from(parsed.is_some()), "whether the directory was asked");

    let Some(parsed) = parsed else { return };
    assert!(text.starts_with(&format!("wls_{}_", parsed.lookup)) && text.len() <= 72);
    for (at, old) in text.char_indices() {
        let new = if old == '0' { '1' } else { '0' };
        let mistyped = format!("{}{new}{}", &text[..at], &text[at + 1..]);
        assert_eq!(format.parse(&mistyped), None, "{mistyped}");
    }
}
