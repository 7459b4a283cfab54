//! Binds API keys to addresses, and makes room for keys that were made elsewhere.

use sea_orm_migration::{
    prelude::*,
    schema::{integer, string, string_null, text_null},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One column a statement: SQLite takes no more.
        for column in [text_null("allowed_addresses"), string_null("imported_start")] {
            let add = Table::alter().table("api_keys").add_column(column).to_owned();
            manager.alter_table(add).await?;
        }
        // A comparison with a value implies the condition, so queries need not repeat it.
        let by_start = Index::create()
            .name("api_keys_by_imported_start")
            .table("api_keys")
            .col("imported_start")
            .cond_where(Expr::cust("imported_start IS NOT NULL"))
            .to_owned();
        manager.create_index(by_start).await?;

        let formats = Table::create()
            .table("imported_key_formats")
            .col(string("prefix").primary_key())
            .col(integer("start_length"))
            .col(integer("most_alike"))
            .col(integer("cost"))
            .to_owned();
        manager.create_table(formats).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("imported_key_formats").to_owned()).await?;
        let by_start =
            Index::drop().name("api_keys_by_imported_start").table("api_keys").to_owned();
        manager.drop_index(by_start).await?;
        for column in ["imported_start", "allowed_addresses"] {
            let drop = Table::alter().table("api_keys").drop_column(column).to_owned();
            manager.alter_table(drop).await?;
        }
        Ok(())
    }
}
