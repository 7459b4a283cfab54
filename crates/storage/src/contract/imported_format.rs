//! Promises about formats of imported keys.

use windlass_auth::{ApiKeyRecord, BcryptCost, ImportedFormat};

use super::world::{World, after_commit_of};
use crate::Store;

fn format(prefix: &str, most_alike: usize) -> ImportedFormat {
    let cost = BcryptCost::new(12).unwrap();
    ImportedFormat { prefix: prefix.to_owned(), start_length: 12, most_alike, cost }
}

async fn put(world: &World<'_>, format: &ImportedFormat) {
    let mut uow = world.write().await;
    uow.imported_formats().put(format).await.unwrap();
    uow.commit().await.unwrap();
}

pub async fn a_prefix_has_one_format_the_last_that_was_put(store: &dyn Store) {
    let world = World::new(store);
    let listed = async || world.read().await.imported_formats().list_of_everyone().await.unwrap();
    assert_eq!(listed().await, []);

    put(&world, &format("nxs_", 1)).await;
    put(&world, &format("nrx_", 1)).await;
    put(&world, &format("nxs_", 3)).await;
    assert_eq!(listed().await, [format("nrx_", 1), format("nxs_", 3)]);
}

pub async fn whoever_imports_second_sees_what_the_first_wrote(store: &dyn Store) {
    let world = World::new(store);
    let mut first = world.write().await;
    let before = first.imported_formats().list_of_everyone_for_update().await.unwrap();
    assert_eq!(before, []);
    first.imported_formats().put(&format("nxs_", 1)).await.unwrap();
    let second = async {
        let mut uow = world.write().await;
        uow.imported_formats().list_of_everyone_for_update().await.unwrap()
    };
    assert_eq!(after_commit_of(first, second).await, [format("nxs_", 1)]);
}

pub async fn keys_are_found_by_their_first_characters_whoever_they_belong_to(store: &dyn Store) {
    let world = World::new(store);
    let mut alike = Vec::new();
    for number in 0..=ImportedFormat::MOST_ALIKE {
        let organization = world.organization().await;
        let user = world.owner(&organization).await;
        let key = ApiKeyRecord {
            imported_start: Some("nxs_a1b2c3d4".to_owned()),
            ..world.new_api_key(&organization, &user, &format!("imported{number}"))
        };
        let other = ApiKeyRecord {
            imported_start: Some("nxs_A1B2C3D4".to_owned()),
            ..world.new_api_key(&organization, &user, &format!("other{number}"))
        };
        let ours = world.new_api_key(&organization, &user, &format!("nxs_a1b2c3d4{number}"));
        let mut uow = world.write().await;
        for key in [&key, &other, &ours] {
            uow.api_keys().insert(key).await.unwrap();
        }
        uow.commit().await.unwrap();
        alike.push(key);
        world.tick();
    }
    let mut uow = world.read().await;
    let found = uow.api_keys().find_by_imported_start_of_everyone("nxs_a1b2c3d4").await.unwrap();
    assert!(found == alike[..ImportedFormat::MOST_ALIKE], "the oldest ones, and no more");
    let none = uow.api_keys().find_by_imported_start_of_everyone("nxs_a1b2").await.unwrap();
    assert!(none.is_empty(), "whole starts alone");
}
