//! Adds the plans of organizations, and lets the time of their builds be summed up.

use sea_orm_migration::{prelude::*, schema::string_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let add = Table::alter().table("organizations").add_column(string_null("plan")).to_owned();
        manager.alter_table(add).await?;
        let summed = Index::create()
            .name("builds_by_end")
            .table("builds")
            .col("organization_id")
            .col("ended_at")
            .to_owned();
        manager.create_index(summed).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("builds_by_end").table("builds").to_owned()).await?;
        let drop = Table::alter().table("organizations").drop_column("plan").to_owned();
        manager.alter_table(drop).await
    }
}
