//! Adds builds, deployments and the usage ledger.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, big_integer_null, boolean, string, string_null, text, text_null,
        timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
    },
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_builds(manager).await?;
        create_deployments(manager).await?;
        create_usage_events(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["usage_events", "deployments", "builds"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

async fn create_builds(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let builds = Table::create()
        .table("builds")
        .col(uuid("id").primary_key())
        .col(uuid("organization_id"))
        .col(uuid("project_id"))
        .col(uuid("environment_id"))
        .col(big_integer("number"))
        .col(string_null("commit_id"))
        .col(uuid_null("restart_of"))
        .col(string("state"))
        .col(timestamp_with_time_zone_null("started_at"))
        .col(timestamp_with_time_zone_null("ended_at"))
        .col(text_null("message"))
        .col(big_integer_null("cpu_micros"))
        .col(big_integer_null("peak_memory_bytes"))
        .col(big_integer_null("wall_millis"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(
            ForeignKey::create().from("builds", "organization_id").to("organizations", "id"),
        )
        .foreign_key(ForeignKey::create().from("builds", "environment_id").to("environments", "id"))
        .to_owned();
    manager.create_table(builds).await?;

    let number = Index::create()
        .name("builds_number")
        .table("builds")
        .unique()
        .col("organization_id")
        .col("number")
        .to_owned();
    manager.create_index(number).await
}

async fn create_deployments(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let deployments = Table::create()
        .table("deployments")
        .col(uuid("id").primary_key())
        .col(uuid("organization_id"))
        .col(uuid("project_id"))
        .col(uuid("environment_id"))
        .col(string("kind"))
        .col(string("trigger"))
        .col(uuid_null("rollback_to"))
        .col(text("requested_by"))
        .col(string_null("commit_id"))
        .col(uuid("build_id"))
        .col(string("state"))
        .col(timestamp_with_time_zone_null("state_since"))
        .col(text_null("reason"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .foreign_key(
            ForeignKey::create().from("deployments", "organization_id").to("organizations", "id"),
        )
        .foreign_key(
            ForeignKey::create().from("deployments", "environment_id").to("environments", "id"),
        )
        .to_owned();
    manager.create_table(deployments).await?;

    let listed = Index::create()
        .name("deployments_by_environment")
        .table("deployments")
        .col("environment_id")
        .col("id")
        .to_owned();
    manager.create_index(listed).await?;
    let unfinished = Index::create()
        .name("deployments_unfinished")
        .table("deployments")
        .col("environment_id")
        .col("id")
        .cond_where(Expr::cust("state IN ('queued', 'building', 'deploying', 'live')"))
        .to_owned();
    manager.create_index(unfinished).await
}

async fn create_usage_events(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let usage_events = Table::create()
        .table("usage_events")
        .col(uuid("id").primary_key())
        .col(uuid("organization_id"))
        .col(uuid("project_id"))
        .col(uuid("environment_id"))
        .col(uuid("build_id").unique_key())
        .col(big_integer("cpu_micros"))
        .col(boolean("billable"))
        .col(timestamp_with_time_zone("at"))
        .foreign_key(
            ForeignKey::create().from("usage_events", "organization_id").to("organizations", "id"),
        )
        .foreign_key(ForeignKey::create().from("usage_events", "build_id").to("builds", "id"))
        .to_owned();
    manager.create_table(usage_events).await?;

    let summed = Index::create()
        .name("usage_events_by_organization")
        .table("usage_events")
        .col("organization_id")
        .col("at")
        .to_owned();
    manager.create_index(summed).await
}
