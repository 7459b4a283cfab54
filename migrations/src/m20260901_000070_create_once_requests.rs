//! Adds requests that are carried out once, however often they are sent.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, binary_null, string, timestamp_with_time_zone, uuid},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let requests = Table::create()
            .table("once_requests")
            .col(uuid("organization_id"))
            .col(uuid("user_id"))
            .col(string("operation"))
            .col(string("key"))
            .col(string("fingerprint"))
            .col(big_integer("attempt"))
            .col(timestamp_with_time_zone("leased_until"))
            .col(big_integer_null("sealing_key_id"))
            .col(binary_null("answer"))
            .col(timestamp_with_time_zone("created_at"))
            .primary_key(
                Index::create().col("organization_id").col("user_id").col("operation").col("key"),
            )
            .foreign_key(
                ForeignKey::create()
                    .from("once_requests", "organization_id")
                    .to("organizations", "id"),
            )
            .foreign_key(ForeignKey::create().from("once_requests", "user_id").to("users", "id"))
            .to_owned();
        manager.create_table(requests).await?;
        let old = Index::create()
            .name("once_requests_by_age")
            .table("once_requests")
            .col("created_at")
            .to_owned();
        manager.create_index(old).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("once_requests").to_owned()).await
    }
}
