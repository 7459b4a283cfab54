//! Promises about webhooks.

use chrono::TimeDelta;
use windlass_domain::{
    Id, PageRequest, Project, SealedValue, WebhookDelivery, WebhookOutcome, WebhookSecret,
    WebhookWish,
};

use super::world::{World, after_commit_of};
use crate::{Store, StoreError};

fn secret(world: &World<'_>, project: &Project) -> WebhookSecret {
    WebhookSecret {
        id: Id::generate(world.fx()),
        organization_id: project.organization_id,
        project_id: project.id,
        value: SealedValue { key_id: 3, bytes: vec![0, 255, 7] },
        created_at: world.tick(),
        ends_at: None,
    }
}

fn delivery(world: &World<'_>, project: &Project, forge_id: &str) -> WebhookDelivery {
    WebhookDelivery {
        id: Id::generate(world.fx()),
        organization_id: project.organization_id,
        project_id: project.id,
        forge: "github".to_owned(),
        forge_id: forge_id.to_owned(),
        digest: None,
        event: "push".to_owned(),
        wish: WebhookWish::Deploy {
            branch: "feature/login".parse().unwrap(),
            commit: "a".repeat(40).parse().unwrap(),
        },
        outcome: WebhookOutcome::Waiting,
        received_at: world.tick(),
    }
}

pub async fn a_delivery_survives_storage_with_every_wish_and_outcome(store: &dyn Store) {
    let world = World::new(store);
    let (organization, project, environment) = world.tenant("shop").await;
    let first = delivery(&world, &project, "1");
    let why = "the plan allows no more".to_owned();
    let variants = [
        WebhookDelivery {
            outcome: WebhookOutcome::Deployed {
                environment_id: environment.id,
                deployment_id: Id::generate(world.fx()),
            },
            ..first.clone()
        },
        WebhookDelivery {
            wish: WebhookWish::Remove { branch: "gone".parse().unwrap() },
            outcome: WebhookOutcome::Removed { environment_id: environment.id },
            digest: Some("00ff".to_owned()),
            ..first.clone()
        },
        WebhookDelivery {
            wish: WebhookWish::Nothing,
            outcome: WebhookOutcome::Ignored { why: why.clone() },
            ..first.clone()
        },
        WebhookDelivery { outcome: WebhookOutcome::Refused { why }, ..first.clone() },
    ];
    let mut uow = world.write().await;
    uow.webhooks().insert_delivery(&first).await.unwrap();
    let found = uow.webhooks().find_delivery(organization.id, project.id, first.id).await.unwrap();
    assert_eq!(found, Some(first));
    for variant in variants {
        uow.webhooks().update_delivery(&variant).await.unwrap();
        let found = uow.webhooks().find_delivery(organization.id, project.id, variant.id).await;
        assert_eq!(found.unwrap(), Some(variant));
    }
}

pub async fn a_delivery_is_added_once_by_identifier_and_by_digest(store: &dyn Store) {
    let world = World::new(store);
    let (organization, project, _) = world.tenant("shop").await;
    let (_, elsewhere, _) = world.tenant("blog").await;
    let digest = Some("00ff".to_owned());
    let first = WebhookDelivery { digest: digest.clone(), ..delivery(&world, &project, "1") };

    let mut uow = world.write().await;
    uow.webhooks().insert_delivery(&first).await.unwrap();
    let replays = [
        delivery(&world, &project, "1"),
        WebhookDelivery { digest: digest.clone(), ..delivery(&world, &project, "2") },
    ];
    for replay in &replays {
        let refused = uow.webhooks().insert_delivery(replay).await;
        assert!(matches!(refused, Err(StoreError::Taken("delivery"))), "{refused:?}");
    }
    let others = [
        delivery(&world, &project, "3"),
        WebhookDelivery { forge: "gitea".to_owned(), ..delivery(&world, &project, "1") },
        WebhookDelivery { digest, ..delivery(&world, &elsewhere, "1") },
    ];
    for other in &others {
        uow.webhooks().insert_delivery(other).await.unwrap();
    }
    let page = PageRequest::default();
    let page = uow.webhooks().list_deliveries(organization.id, project.id, page).await.unwrap();
    let [third, other_forge, _] = others;
    assert_eq!(page.items, [other_forge, third, first]);
}

pub async fn of_two_who_add_a_delivery_at_once_one_does(store: &dyn Store) {
    let world = World::new(store);
    let (_, project, _) = world.tenant("shop").await;
    let mut first = world.write().await;
    first.webhooks().insert_delivery(&delivery(&world, &project, "1")).await.unwrap();
    let second = async {
        let mut uow = world.write().await;
        uow.webhooks().insert_delivery(&delivery(&world, &project, "1")).await
    };
    let refused = after_commit_of(first, second).await;
    assert!(matches!(refused, Err(StoreError::Taken("delivery"))), "{refused:?}");
}

pub async fn what_waits_for_a_branch_is_found_oldest_first(store: &dyn Store) {
    let world = World::new(store);
    let (organization, project, _) = world.tenant("shop").await;
    let (_, elsewhere, _) = world.tenant("blog").await;
    let waiting = [delivery(&world, &project, "1"), delivery(&world, &project, "2")];
    let others = [
        WebhookDelivery {
            outcome: WebhookOutcome::Ignored { why: "not meant".to_owned() },
            ..delivery(&world, &project, "3")
        },
        WebhookDelivery {
            wish: WebhookWish::Deploy {
                branch: "main".parse().unwrap(),
                commit: "b".repeat(40).parse().unwrap(),
            },
            ..delivery(&world, &project, "4")
        },
        delivery(&world, &elsewhere, "5"),
    ];
    let mut uow = world.write().await;
    for delivery in waiting.iter().chain(&others) {
        uow.webhooks().insert_delivery(delivery).await.unwrap();
    }
    let branch = "feature/login".parse().unwrap();
    let found = uow.webhooks().list_waiting(organization.id, project.id, &branch).await.unwrap();
    assert_eq!(found, waiting);
}

pub async fn old_deliveries_go_and_the_others_stay(store: &dyn Store) {
    let world = World::new(store);
    let (organization, project, _) = world.tenant("shop").await;
    let (old, new) = (delivery(&world, &project, "1"), delivery(&world, &project, "2"));
    let mut uow = world.write().await;
    for delivery in [&old, &new] {
        uow.webhooks().insert_delivery(delivery).await.unwrap();
    }
    uow.webhooks().prune_deliveries_of_everyone(new.received_at).await.unwrap();
    let page = PageRequest::default();
    let page = uow.webhooks().list_deliveries(organization.id, project.id, page).await.unwrap();
    assert_eq!(page.items, [new]);
}

pub async fn another_organization_never_finds_a_delivery_or_a_secret(store: &dyn Store) {
    let world = World::new(store);
    let (_, project, _) = world.tenant("shop").await;
    let theirs = world.organization().await;
    let (delivery, secret) = (delivery(&world, &project, "1"), secret(&world, &project));
    let mut uow = world.write().await;
    let mut webhooks = uow.webhooks();
    webhooks.insert_delivery(&delivery).await.unwrap();
    webhooks.insert_secret(&secret).await.unwrap();
    let found = webhooks.find_delivery(theirs.id, project.id, delivery.id).await.unwrap();
    assert_eq!(found, None);
    let page = webhooks.list_deliveries(theirs.id, project.id, PageRequest::default()).await;
    assert!(page.unwrap().items.is_empty());
    webhooks.end_secrets(theirs.id, project.id, world.now()).await.unwrap();
    assert!(webhooks.list_secrets(theirs.id, project.id, world.now()).await.unwrap().is_empty());
    let ours = webhooks.list_secrets(project.organization_id, project.id, world.now()).await;
    assert_eq!(ours.unwrap(), [secret]);
}

pub async fn secrets_are_good_until_they_end(store: &dyn Store) {
    let world = World::new(store);
    let (organization, project, _) = world.tenant("shop").await;
    let (old, new) = (secret(&world, &project), secret(&world, &project));
    let end = world.now() + TimeDelta::hours(1);
    let mut uow = world.write().await;
    let mut webhooks = uow.webhooks();
    webhooks.insert_secret(&old).await.unwrap();
    webhooks.end_secrets(organization.id, project.id, end).await.unwrap();
    // What ends sooner stays as it is.
    webhooks.end_secrets(organization.id, project.id, end + TimeDelta::hours(1)).await.unwrap();
    webhooks.insert_secret(&new).await.unwrap();

    let old = WebhookSecret { ends_at: Some(end), ..old };
    let now = webhooks.list_secrets(organization.id, project.id, world.now()).await.unwrap();
    assert_eq!(now, [new.clone(), old]);
    let later = webhooks.list_secrets(organization.id, project.id, end).await.unwrap();
    assert_eq!(later, std::slice::from_ref(&new));
    webhooks.prune_secrets_of_everyone(end + TimeDelta::seconds(1)).await.unwrap();
    let left = webhooks.list_secrets(organization.id, project.id, world.now()).await.unwrap();
    assert_eq!(left, [new]);
}
