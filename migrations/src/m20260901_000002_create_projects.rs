//! Adds projects, their environments and their variables.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, blob, boolean, string, string_null, text, text_null, timestamp_with_time_zone,
        timestamp_with_time_zone_null, uuid, uuid_null,
    },
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_projects(manager).await?;
        create_environments(manager).await?;
        create_env_vars(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["env_vars", "environments", "projects"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

async fn create_projects(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let projects = Table::create()
        .table("projects")
        .col(uuid("id").primary_key())
        .col(uuid("organization_id"))
        .col(string("name"))
        .col(string("slug"))
        .col(text("git_url"))
        .col(string_null("github_repo"))
        .col(string("default_branch"))
        .col(text("settings"))
        .col(string("state"))
        .col(timestamp_with_time_zone_null("state_since"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .col(big_integer("version"))
        .foreign_key(
            ForeignKey::create().from("projects", "organization_id").to("organizations", "id"),
        )
        .to_owned();
    manager.create_table(projects).await?;

    let listed = Index::create()
        .name("projects_by_organization")
        .table("projects")
        .col("organization_id")
        .col("id")
        .to_owned();
    manager.create_index(listed).await?;
    let slug = Index::create()
        .name("projects_slug")
        .table("projects")
        .unique()
        .col("organization_id")
        .col("slug")
        .cond_where(Expr::cust("state <> 'deleted'"))
        .to_owned();
    manager.create_index(slug).await
}

async fn create_environments(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let environments = Table::create()
        .table("environments")
        .col(uuid("id").primary_key())
        .col(uuid("organization_id"))
        .col(uuid("project_id"))
        .col(string("branch"))
        .col(string("host"))
        .col(string("state"))
        .col(text_null("reason"))
        .col(timestamp_with_time_zone_null("destroyed_at"))
        .col(uuid_null("live_deployment"))
        .col(boolean("was_live"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .col(big_integer("version"))
        .foreign_key(
            ForeignKey::create().from("environments", "organization_id").to("organizations", "id"),
        )
        .foreign_key(ForeignKey::create().from("environments", "project_id").to("projects", "id"))
        .to_owned();
    manager.create_table(environments).await?;

    let is_present = || Expr::cust("state <> 'destroyed'");
    let present = Index::create()
        .name("environments_present")
        .table("environments")
        .col("project_id")
        .col("id")
        .cond_where(is_present())
        .to_owned();
    manager.create_index(present).await?;
    let branch = Index::create()
        .name("environments_branch")
        .table("environments")
        .unique()
        .col("project_id")
        .col("branch")
        .cond_where(is_present())
        .to_owned();
    manager.create_index(branch).await?;
    let host = Index::create()
        .name("environments_host")
        .table("environments")
        .unique()
        .col("host")
        .cond_where(is_present())
        .to_owned();
    manager.create_index(host).await
}

async fn create_env_vars(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let env_vars = Table::create()
        .table("env_vars")
        .col(uuid("id").primary_key())
        .col(uuid("organization_id"))
        .col(uuid("project_id"))
        .col(uuid_null("environment_id"))
        .col(string("key"))
        .col(big_integer("value_key_id"))
        .col(blob("value"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .foreign_key(
            ForeignKey::create().from("env_vars", "organization_id").to("organizations", "id"),
        )
        .foreign_key(ForeignKey::create().from("env_vars", "project_id").to("projects", "id"))
        .foreign_key(
            ForeignKey::create().from("env_vars", "environment_id").to("environments", "id"),
        )
        .to_owned();
    manager.create_table(env_vars).await?;

    let listed = Index::create()
        .name("env_vars_by_project")
        .table("env_vars")
        .col("project_id")
        .col("id")
        .to_owned();
    manager.create_index(listed).await?;
    // Two indexes, since a unique one takes any two NULLs for different.
    let of_project = Index::create()
        .name("env_vars_key_of_project")
        .table("env_vars")
        .unique()
        .col("project_id")
        .col("key")
        .cond_where(Expr::cust("environment_id IS NULL"))
        .to_owned();
    manager.create_index(of_project).await?;
    let of_environment = Index::create()
        .name("env_vars_key_of_environment")
        .table("env_vars")
        .unique()
        .col("project_id")
        .col("environment_id")
        .col("key")
        .cond_where(Expr::cust("environment_id IS NOT NULL"))
        .to_owned();
    manager.create_index(of_environment).await
}
