//! Adds with what people sign in: e-mail addresses, passwords, and who they are elsewhere.

use sea_orm_migration::{
    prelude::*,
    schema::{string, string_null, timestamp_with_time_zone, uuid},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let email = Table::alter().table("users").add_column(string_null("email")).to_owned();
        manager.alter_table(email).await?;
        let by_email =
            Index::create().name("users_by_email").table("users").col("email").unique().to_owned();
        manager.create_index(by_email).await?;

        let passwords = Table::create()
            .table("passwords")
            .col(uuid("user_id").primary_key())
            .col(string("hash"))
            .col(timestamp_with_time_zone("changed_at"))
            .foreign_key(ForeignKey::create().from("passwords", "user_id").to("users", "id"))
            .to_owned();
        manager.create_table(passwords).await?;

        let identities = Table::create()
            .table("external_identities")
            .col(string("provider"))
            .col(string("subject"))
            .col(uuid("user_id"))
            .col(timestamp_with_time_zone("created_at"))
            .primary_key(Index::create().col("provider").col("subject"))
            .foreign_key(
                ForeignKey::create().from("external_identities", "user_id").to("users", "id"),
            )
            .to_owned();
        manager.create_table(identities).await?;
        let of_user = Index::create()
            .name("external_identities_by_user")
            .table("external_identities")
            .col("user_id")
            .to_owned();
        manager.create_index(of_user).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["external_identities", "passwords"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        let by_email = Index::drop().name("users_by_email").table("users").to_owned();
        manager.drop_index(by_email).await?;
        let email = Table::alter().table("users").drop_column("email").to_owned();
        manager.alter_table(email).await
    }
}
