//! Adds the codes with which programs get tokens of people who have allowed it in their browser,
//! and tells those tokens from others.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, boolean, string, timestamp_with_time_zone, uuid},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let codes = Table::create()
            .table("login_codes")
            .col(string("hash").primary_key())
            .col(uuid("user_id"))
            .col(uuid("organization_id"))
            .col(string("challenge"))
            .col(string("redirect_uri"))
            .col(string("label"))
            .col(big_integer("life_seconds"))
            .col(timestamp_with_time_zone("expires_at"))
            .foreign_key(ForeignKey::create().from("login_codes", "user_id").to("users", "id"))
            .foreign_key(
                ForeignKey::create()
                    .from("login_codes", "organization_id")
                    .to("organizations", "id"),
            )
            .to_owned();
        manager.create_table(codes).await?;
        let is_login = boolean("is_login").default(false).to_owned();
        let add = Table::alter().table("tokens").add_column(is_login).to_owned();
        manager.alter_table(add).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let drop = Table::alter().table("tokens").drop_column("is_login").to_owned();
        manager.alter_table(drop).await?;
        manager.drop_table(Table::drop().table("login_codes").to_owned()).await
    }
}
