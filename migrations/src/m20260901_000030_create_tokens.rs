//! Adds tokens, what of them has been revoked, and the keys that sign them.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, binary, boolean, string, timestamp_with_time_zone,
        timestamp_with_time_zone_null, uuid, uuid_null,
    },
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let root_keys = Table::create()
            .table("root_keys")
            .col(big_integer("number").primary_key())
            .col(big_integer("sealing_key_id"))
            .col(binary("sealed"))
            .col(timestamp_with_time_zone("created_at"))
            .to_owned();
        manager.create_table(root_keys).await?;

        let tokens = Table::create()
            .table("tokens")
            .col(uuid("id").primary_key())
            .col(uuid("organization_id"))
            .col(string("label"))
            .col(boolean("is_link"))
            .col(uuid_null("issuing_key"))
            .col(string("revocation_id"))
            .col(uuid("created_by"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone("expires_at"))
            .col(timestamp_with_time_zone_null("revoked_at"))
            .foreign_key(
                ForeignKey::create().from("tokens", "organization_id").to("organizations", "id"),
            )
            .foreign_key(ForeignKey::create().from("tokens", "created_by").to("users", "id"))
            .foreign_key(ForeignKey::create().from("tokens", "issuing_key").to("api_keys", "id"))
            .to_owned();
        manager.create_table(tokens).await?;
        let listed = Index::create()
            .name("tokens_by_organization")
            .table("tokens")
            .col("organization_id")
            .col("id")
            .to_owned();
        manager.create_index(listed).await?;
        let links = Index::create()
            .name("links_by_expiry")
            .table("tokens")
            .col("expires_at")
            .cond_where(Expr::cust("is_link"))
            .to_owned();
        manager.create_index(links).await?;

        let revoked = Table::create()
            .table("revoked_blocks")
            .col(string("revocation_id").primary_key())
            .col(uuid("token_id"))
            .col(timestamp_with_time_zone("revoked_at"))
            .foreign_key(
                ForeignKey::create()
                    .from("revoked_blocks", "token_id")
                    .to("tokens", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .to_owned();
        manager.create_table(revoked).await?;
        let of_token = Index::create()
            .name("revoked_blocks_by_token")
            .table("revoked_blocks")
            .col("token_id")
            .to_owned();
        manager.create_index(of_token).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["revoked_blocks", "tokens", "root_keys"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
