//! Adds links with which the account of an owner is claimed.

use sea_orm_migration::{
    prelude::*,
    schema::{string, timestamp_with_time_zone, uuid},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let links = Table::create()
            .table("setup_links")
            .col(uuid("user_id").primary_key())
            .col(string("hash").unique_key())
            .col(timestamp_with_time_zone("expires_at"))
            .foreign_key(ForeignKey::create().from("setup_links", "user_id").to("users", "id"))
            .to_owned();
        manager.create_table(links).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("setup_links").to_owned()).await
    }
}
