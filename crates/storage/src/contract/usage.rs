//! Promises about the usage ledger.

use chrono::TimeDelta;
use windlass_domain::{BuildId, Environment, Id, UsageEvent, UsageTotals};

use super::world::World;
use crate::{Store, StoreError};

fn event_of(world: &World<'_>, environment: &Environment, build: BuildId) -> UsageEvent {
    UsageEvent {
        id: Id::generate(world.fx()),
        organization_id: environment.organization_id,
        project_id: environment.project_id,
        environment_id: environment.id,
        build_id: build,
        cpu_micros: 1_000,
        billable: true,
        at: world.now(),
    }
}

async fn enter(world: &World<'_>, environment: &Environment, cpu_micros: u64, billable: bool) {
    let build = world.build(environment).await.id;
    let event = UsageEvent { cpu_micros, billable, ..event_of(world, environment, build) };
    let mut uow = world.write().await;
    uow.usage().insert(&event).await.unwrap();
    uow.commit().await.unwrap();
}

pub async fn a_build_is_entered_once(store: &dyn Store) {
    let world = World::new(store);
    let (organization, _, environment) = world.tenant("shop").await;
    let build = world.build(&environment).await.id;

    let mut uow = world.write().await;
    uow.usage().insert(&event_of(&world, &environment, build)).await.unwrap();
    let refused = uow.usage().insert(&event_of(&world, &environment, build)).await;
    assert!(matches!(refused, Err(StoreError::Taken("build"))), "{refused:?}");
    uow.commit().await.unwrap();
    let totals = world.read().await.usage().totals(organization.id, None, None, None).await;
    assert_eq!(totals.unwrap().build_count, 1);
}

pub async fn totals_tell_what_is_billed_from_what_is_not(store: &dyn Store) {
    let world = World::new(store);
    let (organization, _, environment) = world.tenant("shop").await;
    let mut uow = world.read().await;
    let totals = uow.usage().totals(organization.id, None, None, None).await.unwrap();
    assert_eq!(totals, UsageTotals::default());

    // Together they exceed 32 bits by far.
    for (cpu_micros, billable) in [(5_000_000_000, true), (7_000_000_000, true), (3, false)] {
        enter(&world, &environment, cpu_micros, billable).await;
    }
    let totals = uow.usage().totals(organization.id, None, None, None).await.unwrap();
    let expected = UsageTotals {
        cpu_micros: 12_000_000_003,
        build_count: 3,
        billable_cpu_micros: 12_000_000_000,
        billable_build_count: 2,
    };
    assert_eq!(totals, expected);
}

pub async fn totals_are_limited_to_a_period(store: &dyn Store) {
    let world = World::new(store);
    let (organization, _, environment) = world.tenant("shop").await;
    let start = world.now();
    for cpu_micros in [1, 10, 100] {
        enter(&world, &environment, cpu_micros, true).await;
        world.clock.advance(TimeDelta::milliseconds(500));
    }

    let at = |millis| Some(start + TimeDelta::milliseconds(millis));
    let mut uow = world.read().await;
    for (from, to, expected) in [
        (None, None, 111),
        (at(0), at(1_000), 11),
        (at(1), None, 110),
        (at(500), at(1_000), 10),
        (None, at(500), 1),
        (at(1_001), None, 0),
    ] {
        let totals = uow.usage().totals(organization.id, from, to, None).await.unwrap();
        assert_eq!(totals.cpu_micros, expected, "from {from:?} to {to:?}");
    }
}

pub async fn totals_are_limited_to_projects_and_never_cross_organizations(store: &dyn Store) {
    let world = World::new(store);
    let (organization, shop, main) = world.tenant("shop").await;
    let blog = world.project(&organization, "blog").await;
    let of_blog = world.environment(&blog, "main").await;
    let (theirs, _, _) = world.tenant("theirs").await;
    enter(&world, &main, 1, true).await;
    enter(&world, &of_blog, 10, true).await;

    let mut uow = world.read().await;
    for (asking, only, expected) in [
        (organization.id, None, 11),
        (organization.id, Some(vec![shop.id]), 1),
        (organization.id, Some(vec![shop.id, blog.id]), 11),
        (organization.id, Some(vec![]), 0),
        (theirs.id, None, 0),
        (theirs.id, Some(vec![shop.id]), 0),
    ] {
        let totals = uow.usage().totals(asking, None, None, only.as_deref()).await.unwrap();
        assert_eq!(totals.cpu_micros, expected, "only {only:?}");
    }
}
