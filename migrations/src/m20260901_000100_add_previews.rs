//! Adds previews: environments that came with a push, and variables that they don't get.

use sea_orm_migration::{
    prelude::*,
    schema::{boolean, string, string_null, timestamp_with_time_zone_null},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const ENVIRONMENT_COLUMNS: [&str; 4] = ["kind", "paused_by", "refreshed_at", "visited_at"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            string("kind").default("persistent").to_owned(),
            string_null("paused_by"),
            timestamp_with_time_zone_null("refreshed_at"),
            timestamp_with_time_zone_null("visited_at"),
        ];
        // SQLite adds one column at a time.
        for column in columns {
            let add = Table::alter().table("environments").add_column(column).to_owned();
            manager.alter_table(add).await?;
        }
        let begin = Query::update()
            .table("environments")
            .value("refreshed_at", Expr::col("created_at"))
            .to_owned();
        manager.execute(begin).await?;
        let previews = Index::create()
            .name("environments_previews")
            .table("environments")
            .col("project_id")
            .cond_where(Expr::cust("kind = 'preview' AND state <> 'destroyed'"))
            .to_owned();
        manager.create_index(previews).await?;

        let for_previews = boolean("previews").default(true).to_owned();
        let add = Table::alter().table("env_vars").add_column(for_previews).to_owned();
        manager.alter_table(add).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop().name("environments_previews").table("environments").to_owned();
        manager.drop_index(index).await?;
        for column in ENVIRONMENT_COLUMNS {
            let drop = Table::alter().table("environments").drop_column(column).to_owned();
            manager.alter_table(drop).await?;
        }
        let drop = Table::alter().table("env_vars").drop_column("previews").to_owned();
        manager.alter_table(drop).await
    }
}
