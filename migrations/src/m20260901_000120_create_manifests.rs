//! Adds what repositories say about themselves, and what apps may use because of it.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer_null, string, text, uuid},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const ENVIRONMENT_COLUMNS: [&str; 2] = ["cpu_millis", "memory_mb"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let manifests = Table::create()
            .table("manifests")
            .col(uuid("build_id").primary_key())
            .col(uuid("organization_id"))
            .col(string("file"))
            .col(text("text"))
            .foreign_key(ForeignKey::create().from("manifests", "build_id").to("builds", "id"))
            .to_owned();
        manager.create_table(manifests).await?;
        // SQLite adds one column at a time.
        for column in ENVIRONMENT_COLUMNS {
            let column = big_integer_null(column);
            let add = Table::alter().table("environments").add_column(column).to_owned();
            manager.alter_table(add).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ENVIRONMENT_COLUMNS {
            let drop = Table::alter().table("environments").drop_column(column).to_owned();
            manager.alter_table(drop).await?;
        }
        manager.drop_table(Table::drop().table("manifests").to_owned()).await
    }
}
