//! Adds the secrets that projects share with their forges, and what those delivered.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, blob, string, string_null, text_null, timestamp_with_time_zone,
        timestamp_with_time_zone_null, uuid, uuid_null,
    },
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Projects are looked for by the address of their repository, in lower case.
const BY_REPOSITORY: &str = "CREATE INDEX projects_by_repository ON projects (lower(git_url)) \
     WHERE state <> 'deleted'";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(BY_REPOSITORY).await?;
        create_secrets(manager).await?;
        create_deliveries(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["webhook_deliveries", "webhook_secrets"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        let index = Index::drop().name("projects_by_repository").table("projects").to_owned();
        manager.drop_index(index).await
    }
}

async fn create_secrets(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let secrets = Table::create()
        .table("webhook_secrets")
        .col(uuid("id").primary_key())
        .col(uuid("organization_id"))
        .col(uuid("project_id"))
        .col(big_integer("value_key_id"))
        .col(blob("value"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("ends_at"))
        .foreign_key(
            ForeignKey::create()
                .from("webhook_secrets", "organization_id")
                .to("organizations", "id"),
        )
        .foreign_key(
            ForeignKey::create().from("webhook_secrets", "project_id").to("projects", "id"),
        )
        .to_owned();
    manager.create_table(secrets).await?;
    let listed = Index::create()
        .name("webhook_secrets_by_project")
        .table("webhook_secrets")
        .col("project_id")
        .to_owned();
    manager.create_index(listed).await
}

async fn create_deliveries(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let deliveries = Table::create()
        .table("webhook_deliveries")
        .col(uuid("id").primary_key())
        .col(uuid("organization_id"))
        .col(uuid("project_id"))
        .col(string("forge"))
        .col(string("forge_id"))
        .col(string_null("digest"))
        .col(string("event"))
        .col(string_null("wish"))
        .col(string_null("branch"))
        .col(string_null("commit_id"))
        .col(string("outcome"))
        .col(text_null("why"))
        .col(uuid_null("environment_id"))
        .col(uuid_null("deployment_id"))
        .col(timestamp_with_time_zone("received_at"))
        .foreign_key(
            ForeignKey::create()
                .from("webhook_deliveries", "organization_id")
                .to("organizations", "id"),
        )
        .foreign_key(
            ForeignKey::create().from("webhook_deliveries", "project_id").to("projects", "id"),
        )
        .to_owned();
    manager.create_table(deliveries).await?;

    let index = |name: &str| Index::create().name(name).table("webhook_deliveries").to_owned();
    let unique = index("webhook_deliveries_forge_id")
        .unique()
        .col("project_id")
        .col("forge")
        .col("forge_id")
        .to_owned();
    manager.create_index(unique).await?;
    let unique = index("webhook_deliveries_digest")
        .unique()
        .col("project_id")
        .col("digest")
        .cond_where(Expr::cust("digest IS NOT NULL"))
        .to_owned();
    manager.create_index(unique).await?;
    let listed = index("webhook_deliveries_by_project").col("project_id").col("id").to_owned();
    manager.create_index(listed).await?;
    let pruned = index("webhook_deliveries_by_time").col("received_at").to_owned();
    manager.create_index(pruned).await?;
    let waiting = index("webhook_deliveries_waiting")
        .col("project_id")
        .col("branch")
        .cond_where(Expr::cust("outcome = 'waiting'"))
        .to_owned();
    manager.create_index(waiting).await
}
