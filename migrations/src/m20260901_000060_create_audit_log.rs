//! Adds the audit log.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, string, string_null, timestamp_with_time_zone, uuid, uuid_null},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// What lines are looked for by, besides time.
const SOUGHT: [&str; 4] = ["user_id", "credential_id", "action", "target_id"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Nothing but the organization is referred to: a line outlives what it tells of.
        let log = Table::create()
            .table("audit_log")
            .col(uuid("id").primary_key())
            .col(uuid("organization_id"))
            .col(timestamp_with_time_zone("at"))
            .col(string_null("actor_kind"))
            .col(string_null("user_id"))
            .col(string_null("credential_id"))
            .col(string_null("label"))
            .col(string("action"))
            .col(string_null("permission"))
            .col(string_null("target_kind"))
            .col(string_null("target_id"))
            .col(uuid_null("project_id"))
            .col(uuid_null("environment_id"))
            .col(string("outcome"))
            .col(big_integer("times"))
            .col(string_null("request_id"))
            .col(string_null("address"))
            .foreign_key(
                ForeignKey::create().from("audit_log", "organization_id").to("organizations", "id"),
            )
            .to_owned();
        manager.create_table(log).await?;
        let listed = Index::create()
            .name("audit_log_by_organization")
            .table("audit_log")
            .col("organization_id")
            .col("id")
            .to_owned();
        manager.create_index(listed).await?;
        for column in SOUGHT {
            let found = Index::create()
                .name(format!("audit_log_by_{column}"))
                .table("audit_log")
                .col("organization_id")
                .col(column)
                .col("id")
                .to_owned();
            manager.create_index(found).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("audit_log").to_owned()).await
    }
}
