//! Adds invitations.

use sea_orm_migration::{
    prelude::*,
    schema::{string, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let invitations = Table::create()
            .table("invitations")
            .col(uuid("id").primary_key())
            .col(uuid("organization_id"))
            .col(string("email"))
            .col(string("role"))
            .col(string("secret_hash").unique_key())
            .col(uuid("invited_by"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone("expires_at"))
            .col(string("state"))
            .col(timestamp_with_time_zone_null("ended_at"))
            .col(uuid_null("accepted_by"))
            .foreign_key(
                ForeignKey::create()
                    .from("invitations", "organization_id")
                    .to("organizations", "id"),
            )
            .foreign_key(ForeignKey::create().from("invitations", "invited_by").to("users", "id"))
            .foreign_key(ForeignKey::create().from("invitations", "accepted_by").to("users", "id"))
            .to_owned();
        manager.create_table(invitations).await?;
        let listed = Index::create()
            .name("invitations_by_organization")
            .table("invitations")
            .col("organization_id")
            .col("id")
            .to_owned();
        manager.create_index(listed).await?;
        let pending = Index::create()
            .name("pending_invitations_by_email")
            .table("invitations")
            .col("organization_id")
            .col("email")
            .unique()
            .cond_where(Expr::cust("state = 'pending'"))
            .to_owned();
        manager.create_index(pending).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("invitations").to_owned()).await
    }
}
