//! Adds browser sessions, and the keys that sign them.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, binary, string, string_null, timestamp_with_time_zone, uuid},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sessions = Table::create()
            .table("sessions")
            .col(uuid("id").primary_key())
            .col(uuid("user_id"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone("expires_at"))
            .col(timestamp_with_time_zone("last_seen_at"))
            .col(string("user_agent"))
            .col(string_null("address"))
            .foreign_key(ForeignKey::create().from("sessions", "user_id").to("users", "id"))
            .to_owned();
        manager.create_table(sessions).await?;
        let listed = Index::create()
            .name("sessions_by_user")
            .table("sessions")
            .col("user_id")
            .col("id")
            .to_owned();
        manager.create_index(listed).await?;

        // The keys that sign tokens move in with those that sign sessions.
        let signing_keys = Table::create()
            .table("signing_keys")
            .col(string("purpose"))
            .col(big_integer("number"))
            .col(big_integer("sealing_key_id"))
            .col(binary("sealed"))
            .col(timestamp_with_time_zone("created_at"))
            .primary_key(Index::create().col("purpose").col("number"))
            .to_owned();
        manager.create_table(signing_keys).await?;
        let db = manager.get_connection();
        db.execute_unprepared(
            "INSERT INTO signing_keys (purpose, number, sealing_key_id, sealed, created_at)
             SELECT 'tokens', number, sealing_key_id, sealed, created_at FROM root_keys",
        )
        .await?;
        manager.drop_table(Table::drop().table("root_keys").to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let root_keys = Table::create()
            .table("root_keys")
            .col(big_integer("number").primary_key())
            .col(big_integer("sealing_key_id"))
            .col(binary("sealed"))
            .col(timestamp_with_time_zone("created_at"))
            .to_owned();
        manager.create_table(root_keys).await?;
        let db = manager.get_connection();
        db.execute_unprepared(
            "INSERT INTO root_keys (number, sealing_key_id, sealed, created_at)
             SELECT number, sealing_key_id, sealed, created_at FROM signing_keys
             WHERE purpose = 'tokens'",
        )
        .await?;
        for table in ["signing_keys", "sessions"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
