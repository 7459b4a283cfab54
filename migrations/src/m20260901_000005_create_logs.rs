//! Adds logs: how far each has come, how far each of its sources was read, and the lines.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, boolean, string, text, timestamp_with_time_zone, uuid},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let logs = Table::create()
            .table("logs")
            .col(uuid("id").primary_key())
            .col(big_integer("next_seq"))
            .col(big_integer("first_seq"))
            .col(boolean("ended"))
            .to_owned();
        manager.create_table(logs).await?;

        let log_sources = Table::create()
            .table("log_sources")
            .col(uuid("log_id"))
            .col(uuid("source"))
            .col(big_integer("position"))
            .primary_key(Index::create().col("log_id").col("source"))
            .to_owned();
        manager.create_table(log_sources).await?;

        let log_lines = Table::create()
            .table("log_lines")
            .col(uuid("log_id"))
            .col(big_integer("seq"))
            .col(timestamp_with_time_zone("time"))
            .col(string("stream"))
            .col(text("text"))
            .primary_key(Index::create().col("log_id").col("seq"))
            .to_owned();
        manager.create_table(log_lines).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["log_lines", "log_sources", "logs"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
