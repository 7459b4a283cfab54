//! Adds the queue of durable work.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, integer, string, string_null, text, text_null, timestamp_with_time_zone,
        timestamp_with_time_zone_null, uuid, uuid_null,
    },
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let jobs = Table::create()
            .table("jobs")
            .col(uuid("id").primary_key())
            .col(uuid("organization_id"))
            .col(uuid_null("lane"))
            .col(text("kind"))
            .col(integer("attempts"))
            .col(integer("max_attempts"))
            .col(big_integer("fence"))
            .col(string("state"))
            .col(timestamp_with_time_zone_null("run_at"))
            .col(string_null("worker"))
            .col(timestamp_with_time_zone_null("leased_until"))
            .col(timestamp_with_time_zone_null("ended_at"))
            .col(text_null("reason"))
            .col(text_null("request_id"))
            .col(timestamp_with_time_zone("created_at"))
            .foreign_key(
                ForeignKey::create().from("jobs", "organization_id").to("organizations", "id"),
            )
            .to_owned();
        manager.create_table(jobs).await?;

        for (name, column) in
            [("jobs_due", "run_at"), ("jobs_leased", "leased_until"), ("jobs_ended", "ended_at")]
        {
            let index =
                Index::create().name(name).table("jobs").col("state").col(column).to_owned();
            manager.create_index(index).await?;
        }
        let lanes = Index::create()
            .name("jobs_lane")
            .table("jobs")
            .col("lane")
            .col("state")
            .col("id")
            .to_owned();
        manager.create_index(lanes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("jobs").to_owned()).await
    }
}
