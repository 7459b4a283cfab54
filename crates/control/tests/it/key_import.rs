//! Keys that were made elsewhere move in.

use windlass_auth::{
    BcryptCost, HasherOptions, ImportedKey, KeyHasher, NewApiKey, PlainKey, Scope,
};
use windlass_control::{
    Arrival, ControlError, Newcomer, Presentation, Refusal, import_keys, revoke_api_key,
};
use windlass_domain::{Id, OsEntropy, SystemClock, UserId};
use windlass_storage::Store as _;

use crate::{
    keys::key,
    support::{Keys, Platform},
};

fn fx() -> windlass_domain::Effects<'static> {
    windlass_domain::Effects { clock: &SystemClock, entropy: &OsEntropy }
}

async fn newcomer(text: &str, shown: usize, request: NewApiKey) -> Newcomer {
    let cost = BcryptCost::MIN;
    let hasher = KeyHasher::new(HasherOptions { cost, ..HasherOptions::default() });
    let hash = hasher.hash(&PlainKey::from(text.to_owned())).await.unwrap();
    let key = ImportedKey::new(request, text[..shown].to_owned(), hash, None).unwrap();
    Newcomer { key, owner: None }
}

async fn import(platform: &Platform, newcomers: &[Newcomer]) -> Vec<Arrival> {
    let organization = platform.owner.organization();
    import_keys(&*platform.store, organization, newcomers, fx()).await.unwrap()
}

#[tokio::test]
async fn imported_keys_work_on_every_server_and_can_be_revoked() {
    let platform = Platform::new("import").await;
    let (replica, server) = platform.replica("running", Keys::default()).await;
    let [text, other] = ["nxs_a1b2c3d4e5f6g7h8", "nrx_Ks7dF2xW9bT3mN+pQ/r8sV1y=="];
    let unknown = replica.authenticate(Presentation::bearer(text)).await;
    assert!(matches!(unknown, Err(ControlError::InvalidCredential(_))), "{unknown:?}");

    let newcomers = [
        newcomer(text, 12, key(&[Scope::Read])).await,
        newcomer(other, 12, key(&[Scope::Build])).await,
    ];
    let arrivals = import(&platform, &newcomers).await;
    let [Arrival::Imported(id), Arrival::Imported(_)] = arrivals[..] else {
        panic!("{arrivals:?}")
    };
    for control in [&replica, &platform.control] {
        platform
            .until("the keys work", || async {
                control.authenticate(Presentation::bearer(text)).await.ok()?;
                control.authenticate(Presentation::bearer(other)).await.ok()
            })
            .await;
    }
    let principal = replica.authenticate(Presentation::bearer(other)).await.unwrap();
    assert_eq!(principal.permissions, Scope::Build.permissions());
    assert_eq!(principal.user_id, platform.owner.principal.user_id, "the owner's by default");

    revoke_api_key(&replica, &platform.owner, id).await.unwrap();
    let refused = replica.authenticate(Presentation::bearer(text)).await;
    assert!(matches!(refused, Err(ControlError::InvalidCredential(_))), "{refused:?}");
    server.stop().await;
}

#[tokio::test]
async fn importing_again_changes_nothing() {
    let platform = Platform::new("import_again").await;
    let text = "nxs_a1b2c3d4e5f6g7h8";
    let newcomers = [newcomer(text, 12, key(&[Scope::Read])).await];
    let first = import(&platform, &newcomers).await;
    let Arrival::Imported(id) = first[0] else { panic!("{first:?}") };
    let stored = async || {
        let mut uow = platform.store.read().await.unwrap();
        let formats = uow.imported_formats().list_of_everyone().await.unwrap();
        (uow.api_keys().find(platform.owner.organization(), id).await.unwrap().unwrap(), formats)
    };
    let before = stored().await;

    // Even where it would be another key now: no repetition takes a revocation back.
    let again = Newcomer {
        key: ImportedKey::new(
            key(&[Scope::Admin]),
            text[..14].to_owned(),
            before.0.hash.clone(),
            None,
        )
        .unwrap(),
        owner: None,
    };
    let second = import(&platform, &[again.clone(), again]).await;
    assert!(second.iter().all(|arrival| matches!(arrival, Arrival::Present(same) if *same == id)));
    assert!(stored().await == before);
}

#[tokio::test]
async fn a_key_that_is_refused_does_not_keep_the_others_out() {
    let platform = Platform::new("import_refused").await;
    let stranger: UserId = Id::generate(fx());
    let project = Id::generate(fx());
    let mut newcomers = Vec::new();
    for number in 0..3 {
        let text = format!("nxs_a1b2c3d{number}secret");
        newcomers.push(newcomer(&text, 12, key(&[Scope::Read])).await);
    }
    newcomers[0].owner = Some(stranger);
    let bound = NewApiKey { project_ids: Some(vec![project]), ..key(&[]) };
    newcomers.push(newcomer("nxs_bound_to_nothing", 12, bound).await);
    newcomers.push(newcomer("nxs_short", 6, key(&[])).await);

    let arrivals = import(&platform, &newcomers[..4]).await;
    let [refused, fine, too, nowhere] = &arrivals[..] else { panic!("{arrivals:?}") };
    assert!(matches!(refused, Arrival::Refused(Refusal::Stranger(id)) if *id == stranger));
    assert!(matches!((fine, too), (Arrival::Imported(_), Arrival::Imported(_))));
    assert!(matches!(nowhere, Arrival::Refused(Refusal::NoProject(id)) if *id == project));
    let short = import(&platform, &newcomers[4..]).await;
    assert!(matches!(short[0], Arrival::Refused(Refusal::Import(_))), "{short:?}");
}
