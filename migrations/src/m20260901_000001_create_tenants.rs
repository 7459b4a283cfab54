//! Adds tenants, people, who belongs where, and API keys.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, string, text, text_null, timestamp_with_time_zone,
        timestamp_with_time_zone_null, uuid,
    },
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let organizations = Table::create()
            .table("organizations")
            .col(uuid("id").primary_key())
            .col(string("name"))
            .col(big_integer("last_build_number").default(0))
            .col(timestamp_with_time_zone("created_at"))
            .to_owned();
        manager.create_table(organizations).await?;

        let users = Table::create()
            .table("users")
            .col(uuid("id").primary_key())
            .col(string("name"))
            .col(timestamp_with_time_zone("created_at"))
            .to_owned();
        manager.create_table(users).await?;

        let memberships = Table::create()
            .table("memberships")
            .col(uuid("organization_id"))
            .col(uuid("user_id"))
            .col(string("role"))
            .primary_key(Index::create().col("organization_id").col("user_id"))
            .foreign_key(
                ForeignKey::create()
                    .from("memberships", "organization_id")
                    .to("organizations", "id"),
            )
            .foreign_key(ForeignKey::create().from("memberships", "user_id").to("users", "id"))
            .to_owned();
        manager.create_table(memberships).await?;

        let api_keys = Table::create()
            .table("api_keys")
            .col(uuid("id").primary_key())
            .col(uuid("organization_id"))
            .col(string("lookup").unique_key())
            .col(string("prefix"))
            .col(string("hash"))
            .col(string("name"))
            .col(text("scopes"))
            .col(text_null("project_ids"))
            .col(uuid("created_by"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone_null("expires_at"))
            .col(timestamp_with_time_zone_null("revoked_at"))
            .col(timestamp_with_time_zone_null("last_used_at"))
            .foreign_key(
                ForeignKey::create().from("api_keys", "organization_id").to("organizations", "id"),
            )
            .foreign_key(ForeignKey::create().from("api_keys", "created_by").to("users", "id"))
            .to_owned();
        manager.create_table(api_keys).await?;
        let listed = Index::create()
            .name("api_keys_by_organization")
            .table("api_keys")
            .col("organization_id")
            .col("id")
            .to_owned();
        manager.create_index(listed).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["api_keys", "memberships", "users", "organizations"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
