//! Promises about accounts.

use chrono::TimeDelta;
use windlass_auth::{ExternalIdentity, IdentityProvider, OneTimeHash, PasswordHash};
use windlass_domain::{EmailAddress, User};

use super::world::{World, after_commit_of};
use crate::{Account, Store, StoreError};

fn email(text: &str) -> EmailAddress {
    text.parse().unwrap()
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::from(format!("$argon2id${text}"))
}

fn github(subject: &str) -> ExternalIdentity {
    ExternalIdentity { provider: IdentityProvider::Github, subject: subject.to_owned() }
}

async fn person(world: &World<'_>, address: Option<&str>) -> User {
    let name = "Grace Hopper".parse().unwrap();
    let user = User { email: address.map(email), ..User::create(name, world.fx()) };
    let mut uow = world.write().await;
    uow.organizations().insert_user(&user).await.unwrap();
    uow.commit().await.unwrap();
    user
}

pub async fn an_account_is_found_by_its_address_and_has_the_last_password(store: &dyn Store) {
    let world = World::new(store);
    let (user, _other) =
        (person(&world, Some("grace@example.com")).await, person(&world, None).await);
    let expected = |password| Some(Account { user: user.clone(), password });
    let mut uow = world.write().await;
    assert_eq!(uow.accounts().find(user.id).await.unwrap(), expected(None));
    for password in ["first", "second"].map(hash) {
        uow.accounts().set_password(user.id, &password, world.tick()).await.unwrap();
        let mut accounts = uow.accounts();
        let found = accounts.find_by_email_of_everyone(&email("Grace@example.com")).await.unwrap();
        assert_eq!(found, expected(Some(password.clone())));
        assert_eq!(accounts.find_for_update(user.id).await.unwrap(), expected(Some(password)));
    }
    let unknown = uow.accounts().find_by_email_of_everyone(&email("ada@example.com")).await;
    assert_eq!(unknown.unwrap(), None);
}

pub async fn a_persons_name_and_address_are_replaced(store: &dyn Store) {
    let world = World::new(store);
    let user = person(&world, None).await;
    let named = User {
        name: "Ada".parse().unwrap(),
        email: Some(email("ada@example.com")),
        ..user.clone()
    };
    for changed in [named.clone(), named, user] {
        let mut uow = world.write().await;
        uow.accounts().update_user(&changed).await.unwrap();
        uow.commit().await.unwrap();
        let found = world.read().await.organizations().find_user(changed.id).await.unwrap();
        assert_eq!(found, Some(changed));
    }
}

pub async fn an_address_belongs_to_one_person(store: &dyn Store) {
    let world = World::new(store);
    let (grace, ada) =
        (person(&world, Some("grace@example.com")).await, person(&world, None).await);
    let taken = User { email: grace.email.clone(), ..ada.clone() };
    let another = User { email: grace.email, ..User::create(ada.name.clone(), world.fx()) };

    let mut uow = world.write().await;
    let inserted = uow.organizations().insert_user(&another).await;
    assert!(matches!(inserted, Err(StoreError::Taken(_))), "{inserted:?}");
    // Adding leaves the rest usable.
    assert_eq!(uow.organizations().find_user(another.id).await.unwrap(), None);
    let updated = uow.accounts().update_user(&taken).await;
    assert!(matches!(updated, Err(StoreError::Taken(_))), "{updated:?}");
    drop(uow);
    assert_eq!(world.read().await.organizations().find_user(ada.id).await.unwrap(), Some(ada));
}

pub async fn two_people_never_get_one_address(store: &dyn Store) {
    let world = World::new(store);
    let (one, other) = (person(&world, None).await, person(&world, None).await);
    let address = Some(email("ada@example.com"));
    let mut first = world.write().await;
    first.accounts().update_user(&User { email: address.clone(), ..one.clone() }).await.unwrap();

    let second = async {
        let mut uow = world.write().await;
        uow.accounts().update_user(&User { email: address.clone(), ..other }).await
    };
    let second = after_commit_of(first, second).await;
    assert!(matches!(second, Err(StoreError::Taken(_))), "{second:?}");

    let mut first = world.write().await;
    first.accounts().update_user(&User { email: None, ..one }).await.unwrap();
    let newcomer = User { email: address, ..User::create("Ada".parse().unwrap(), world.fx()) };
    let second = async {
        let mut uow = world.write().await;
        uow.organizations().insert_user(&newcomer).await
    };
    assert!(after_commit_of(first, second).await.is_ok(), "it is free again");
}

pub async fn a_hash_of_a_password_is_replaced_where_the_old_one_still_is(store: &dyn Store) {
    let world = World::new(store);
    let user = person(&world, None).await;
    let [old, new, other] = ["old", "new", "other"].map(hash);
    let mut uow = world.write().await;
    assert!(!uow.accounts().replace_hash(user.id, &old, &new).await.unwrap());
    uow.accounts().set_password(user.id, &old, world.now()).await.unwrap();
    assert!(!uow.accounts().replace_hash(user.id, &other, &new).await.unwrap());
    assert!(uow.accounts().replace_hash(user.id, &old, &new).await.unwrap());
    assert!(!uow.accounts().replace_hash(user.id, &old, &other).await.unwrap());
    assert_eq!(uow.accounts().find(user.id).await.unwrap().unwrap().password, Some(new));
}

pub async fn a_password_and_identities_are_taken_from_one_person(store: &dyn Store) {
    let world = World::new(store);
    let (one, other) = (person(&world, None).await, person(&world, None).await);
    let mut uow = world.write().await;
    for (user, subject) in [(one.id, "1"), (one.id, "2"), (other.id, "3")] {
        uow.accounts().set_password(user, &hash("x"), world.now()).await.unwrap();
        uow.accounts().insert_identity(user, &github(subject), world.now()).await.unwrap();
    }
    for _ in 0..2 {
        uow.accounts().remove_password(one.id).await.unwrap();
        uow.accounts().remove_identities_of(one.id).await.unwrap();
        assert_eq!(uow.accounts().find(one.id).await.unwrap().unwrap().password, None);
        assert_eq!(uow.accounts().identities_of(one.id).await.unwrap(), []);
    }
    let found = uow.accounts().find(other.id).await.unwrap();
    assert_eq!(found.unwrap().password, Some(hash("x")));
    assert_eq!(uow.accounts().identities_of(other.id).await.unwrap(), ["3"].map(github));
    // They are free again.
    uow.accounts().insert_identity(other.id, &github("1"), world.now()).await.unwrap();
    uow.accounts().set_password(one.id, &hash("y"), world.now()).await.unwrap();
}

pub async fn the_last_setup_link_works_once_and_in_its_time(store: &dyn Store) {
    let world = World::new(store);
    let user = person(&world, None).await;
    let now = world.now();
    let until = now + TimeDelta::hours(1);
    let mut uow = world.write().await;
    for secret in ["first", "second"] {
        uow.accounts().put_setup_link(user.id, &OneTimeHash::of(secret), until).await.unwrap();
    }
    for (secret, at, expected) in [
        ("first", now, None),
        ("second", until, None),
        ("second", until - TimeDelta::seconds(1), Some(user.id)),
    ] {
        let found = uow.accounts().find_setup_link(&OneTimeHash::of(secret), at).await.unwrap();
        assert_eq!(found, expected, "{secret}");
    }
    uow.commit().await.unwrap();

    let mut first = world.write().await;
    let hash = OneTimeHash::of("second");
    let taken = first.accounts().take_setup_link(&hash, now).await.unwrap();
    assert_eq!(taken, Some(user.id));
    let second = async {
        let mut uow = world.write().await;
        uow.accounts().take_setup_link(&hash, now).await.unwrap()
    };
    assert_eq!(after_commit_of(first, second).await, None);
}

pub async fn an_identity_elsewhere_belongs_to_one_person(store: &dyn Store) {
    let world = World::new(store);
    let (one, other) = (person(&world, None).await, person(&world, None).await);
    let mut uow = world.write().await;
    for subject in ["583231", "0"] {
        uow.accounts().insert_identity(one.id, &github(subject), world.tick()).await.unwrap();
    }
    let taken = uow.accounts().insert_identity(other.id, &github("583231"), world.now()).await;
    assert!(matches!(taken, Err(StoreError::Taken(_))), "{taken:?}");

    let mut accounts = uow.accounts();
    let found = accounts.find_by_identity_of_everyone(&github("583231")).await.unwrap();
    assert_eq!(found.map(|account| account.user.id), Some(one.id));
    assert_eq!(accounts.find_by_identity_of_everyone(&github("1")).await.unwrap(), None);
    assert_eq!(accounts.identities_of(one.id).await.unwrap(), ["583231", "0"].map(github));
    assert_eq!(accounts.identities_of(other.id).await.unwrap(), []);
}

pub async fn whoever_locks_an_account_second_sees_what_the_first_wrote(store: &dyn Store) {
    let world = World::new(store);
    let user = person(&world, None).await;
    let mut first = world.write().await;
    first.accounts().find_for_update(user.id).await.unwrap();
    first.accounts().set_password(user.id, &hash("first"), world.now()).await.unwrap();

    let second = async {
        let mut uow = world.write().await;
        uow.accounts().find_for_update(user.id).await.unwrap()
    };
    let password = Some(hash("first"));
    assert_eq!(after_commit_of(first, second).await, Some(Account { user, password }));
}
