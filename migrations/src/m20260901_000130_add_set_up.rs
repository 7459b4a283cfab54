//! Adds whether what is run once in a new environment has been run.

use sea_orm_migration::{prelude::*, schema::boolean};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = boolean("is_set_up").default(false).to_owned();
        let add = Table::alter().table("environments").add_column(column).to_owned();
        manager.alter_table(add).await?;
        // What runs already is new no more.
        let begin = Query::update()
            .table("environments")
            .value("is_set_up", Expr::col("was_live"))
            .to_owned();
        manager.execute(begin).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let drop = Table::alter().table("environments").drop_column("is_set_up").to_owned();
        manager.alter_table(drop).await
    }
}
